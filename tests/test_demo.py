# SPDX-License-Identifier: Apache-2.0
"""`keepclear demo`: it runs, ends as it is told to, and leaves a record that verifies."""

import re
import signal
import subprocess
import sys
from random import Random
from typing import Final

import pytest

from keepclear.plans.filing import volumes_filed
from keepclear.plays.exercise import MINUTE_US, PARTIES, START, next_plan
from keepclear.units import parse_time_us

DEMO: Final = (sys.executable, "-m", "keepclear.cli", "demo", "--speed", "600", "--seconds")


def test_what_the_parties_mean_to_do_can_be_filed_in_time() -> None:
    by, now_us = Random(7), parse_time_us(START)
    for _ in range(200):
        for party in PARTIES:
            plan, name = next_plan(party, now_us, by)
            [volume] = volumes_filed(plan)
            assert now_us + 70 * MINUTE_US <= volume.start_us < volume.end_us
            assert " " in name


@pytest.mark.slow
def test_it_ends_by_itself_and_its_record_verifies() -> None:
    done = subprocess.run([*DEMO, "12"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("EXERCISE: eastern Mediterranean, 30 September 2015")
    assert re.search(r"05:\d\dZ  [A-D] files [0-9a-f]{8}, ", done.stdout)
    assert re.search(r"PROVEN: \d+ entries, \d+ acts", done.stdout)
    [command] = re.findall(r"keepclear (record verify .+)", done.stdout)
    proof = subprocess.run(
        [sys.executable, "-m", "keepclear.cli", *command.split()], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert proof.returncode == 0, proof.stdout + proof.stderr


@pytest.mark.slow
def test_ctrl_c_ends_it_with_status_0() -> None:
    with subprocess.Popen([*DEMO, "0"], stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        said = ""
        while len(re.findall("files", said)) < 3:
            said += demo.stdout.readline()
        demo.send_signal(signal.SIGINT)
        said += demo.stdout.read()

    assert demo.returncode == 0
    assert "PROVEN: " in said
    assert "keepclear watch --home" in said
