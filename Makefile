# SPDX-License-Identifier: Apache-2.0
# Each target makes what it needs: an environment in .venv from pinned, hashed requirements.
# A machine with Python 3.11 or newer is enough.

.DEFAULT_GOAL := warm
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: demo test test-long check docs bench clean warm lock

# Paths of another Python must not leak into ours.
unexport PYTHONPATH PYTHONHOME

# The first of these that is new enough. Another one: make PYTHON=/path/to/python
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
# How many tests run side by side.
WORKERS ?= 2
# How long the exercise of `make demo` runs, 0 until Ctrl-C, and how much faster than the world.
SECONDS ?= 60
SPEED ?= 120

# An environment holds absolute paths, so a copied or moved checkout makes its own anew:
# the stamps stand in a folder named for the place.
HERE := $(shell pwd -P | cksum | cut -d' ' -f1)
MADE := .venv/made/$(HERE)
BENCH_MADE := .venv-bench/made/$(HERE)
PY := .venv/bin/python
BENCH_PY := .venv-bench/bin/python
PIP_OPTIONS := -qq --disable-pip-version-check --no-input

.PRECIOUS: $(MADE)/% $(BENCH_MADE)/%

warm: $(MADE)/warm
	@echo "ready: .venv/bin/keepclear --help"

demo: $(MADE)/warm
	@PATH="$$PWD/.venv/bin:$$PATH" sh examples/demo.sh
	@echo
	@.venv/bin/keepclear demo --seconds $(SECONDS) --speed $(SPEED)

test: $(MADE)/test $(MADE)/warm
	@$(PY) -m pytest -m "not long" -n $(WORKERS) --dist loadfile

test-long: $(MADE)/test $(MADE)/warm
	@$(PY) -m pytest -m long

check: $(MADE)/test $(MADE)/check $(MADE)/keepclear
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -m pytest -q tests/test_architecture.py

docs: $(MADE)/test $(MADE)/docs $(MADE)/warm
	@NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --quiet --strict
	@$(PY) -m pytest -q tests/test_docs.py

bench: $(BENCH_MADE)/keepclear
	@$(BENCH_PY) -m keepclear.detect.warm
	@MPLCONFIGDIR=.venv-bench/matplotlib $(BENCH_PY) benchmarks/run.py

clean:
	rm -rf .venv .venv-bench site build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# Writes requirements/*.txt anew; needs uv. The newest of everything: make lock UPGRADE=--upgrade
lock:
	@UPGRADE="$(UPGRADE)" requirements/compile

$(MADE)/venv $(BENCH_MADE)/venv:
	@test -n "$(PYTHON)" || { \
		echo "no Python 3.11 or newer was found; install one, or: make PYTHON=/path/to/python" >&2; \
		exit 1; }
	@echo "making $(firstword $(subst /, ,$@))"
	@"$(PYTHON)" -m venv --clear $(firstword $(subst /, ,$@))
	@mkdir -p $(@D)
	@touch $@

# A set that shrank leaves its old packages behind; `make clean` drops them.
$(MADE)/%: requirements/%.txt | $(MADE)/venv
	@echo "installing requirements/$*.txt"
	@$(PY) -m pip install $(PIP_OPTIONS) --require-hashes -r $<
	@touch $@

$(BENCH_MADE)/%: requirements/%.txt | $(BENCH_MADE)/venv
	@echo "installing requirements/$*.txt into .venv-bench"
	@$(BENCH_PY) -m pip install $(PIP_OPTIONS) --require-hashes -r $<
	@touch $@

# pip takes no hash for a folder, so the package goes in last and alone, with the build's own
# requirements already there.
$(MADE)/keepclear: $(MADE)/base $(MADE)/server $(MADE)/postgres $(MADE)/desk $(MADE)/cap $(MADE)/build pyproject.toml
	@$(PY) -m pip install $(PIP_OPTIONS) --no-deps --no-build-isolation --editable .
	@touch $@

$(BENCH_MADE)/keepclear: $(BENCH_MADE)/base $(BENCH_MADE)/build $(BENCH_MADE)/bench pyproject.toml
	@$(BENCH_PY) -m pip install $(PIP_OPTIONS) --no-deps --no-build-isolation --editable .
	@touch $@

# Compiles the large-input path once, so that the first command does not wait for it; and all
# modules to byte code, which Python does not keep itself where PYTHONDONTWRITEBYTECODE is set.
$(MADE)/warm: $(MADE)/keepclear $(wildcard src/keepclear/detect/*.py)
	@$(PY) -m compileall -q src/keepclear
	@$(PY) -m keepclear.detect.warm
	@touch $@
