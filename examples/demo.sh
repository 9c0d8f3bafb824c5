#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The main job on an example: two parties' flights, every conflict, a report. `make demo` runs it.
cd "$(dirname "$0")/.." || exit 1
mkdir -p build
echo "EXERCISE: two parties, A (north) and B (south), invented flights of 30 September 2015."
echo
echo '$ keepclear check examples/north.csv examples/south.csv --rules "5 NM / 1000 ft"'
keepclear check examples/north.csv examples/south.csv --rules "5 NM / 1000 ft"
[ $? -eq 1 ] || { echo "the example has conflicts and none was reported" >&2; exit 1; }
echo
keepclear check examples/north.csv examples/south.csv --rules "5 NM / 1000 ft" \
    --format html --output build/report.html
[ $? -eq 1 ] || { echo "the report was not written" >&2; exit 1; }
echo "Open it in any browser: build/report.html"
