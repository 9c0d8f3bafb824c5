# SPDX-License-Identifier: Apache-2.0
"""Times that are typed as from now on: what begins now is there now."""

import time
from random import Random

import pytest

from keepclear.cli.operation import NOW, time_of, volume_of
from keepclear.units import parse_time_us

SECOND_US = 1_000_000
MIDNIGHT_US = parse_time_us("2015-09-30T00:00:00Z", "")


@pytest.mark.parametrize("text", [NOW, "+0 min", "+30 min", "+1.5 h"])
def test_a_time_from_now_on_is_never_later_and_less_than_a_second_earlier(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = Random(5)
    lasts_us = {NOW: 0, "+0 min": 0, "+30 min": 1_800 * SECOND_US, "+1.5 h": 5_400 * SECOND_US}
    for _ in range(50):
        now_us = MIDNIGHT_US + rng.randrange(86_400 * SECOND_US)
        monkeypatch.setattr(time, "time_ns", lambda now_us=now_us: now_us * 1000)
        assert 0 <= now_us + lasts_us[text] - time_of(text, "--start") < SECOND_US


def test_a_volume_from_now_on_holds_now_and_lasts_as_long_as_was_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_us = MIDNIGHT_US + 1_500_000  # 00:00:01.5Z, just after the full minute
    monkeypatch.setattr(time, "time_ns", lambda: now_us * 1000)

    made = volume_of({
        "circle": "34.9,35.1", "polygon": None, "route": None, "orbit": None, "radius": "5 NM",
        "width": None, "lower": "FL100", "upper": "FL110", "start": NOW, "end": None,
        "lasts": "40 min",
    })  # fmt: skip

    start_us, end_us = parse_time_us(made.start, ""), parse_time_us(made.end, "")
    assert start_us <= now_us
    assert end_us - start_us == 40 * 60 * SECOND_US
