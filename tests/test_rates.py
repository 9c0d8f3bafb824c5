# SPDX-License-Identifier: Apache-2.0
"""How much one sender may ask in a while."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.server import rates
from keepclear.server.rates import Rates, TooOften


def taken(made: Rates, who: str, times_s: list[float]) -> list[bool]:
    """Return which of some calls are taken."""
    found = []
    for each in times_s:
        try:
            made.take(who, each)
            found.append(True)
        except TooOften:
            found.append(False)
    return found


def test_what_is_at_once_is_taken_and_then_as_much_as_comes_in_a_while() -> None:
    made = Rates("acts", a_second=2, burst=3)

    assert taken(made, "a", [0.0] * 5) == [True] * 3 + [False] * 2
    assert taken(made, "a", [0.25, 0.5, 0.5]) == [False, True, False]
    assert taken(made, "b", [0.5] * 3) == [True] * 3
    assert taken(made, "a", [1_000.0] * 4) == [True] * 3 + [False]


def test_who_is_refused_is_told_when_to_come_again() -> None:
    made = Rates("acts", a_second=0.5, burst=1)
    made.take("a", 10.0)

    with pytest.raises(TooOften, match=r"a: sends more acts than are taken; .* in 1\.5 s") as no:
        made.take("a", 10.5)
    assert no.value.after_s == 1.5
    made.take("a", 12.0)


@given(st.lists(st.floats(0, 10), max_size=60), st.integers(1, 5), st.integers(1, 20))
def test_never_more_is_taken_than_the_burst_and_what_came_in_the_time(
    times_s: list[float], a_second: int, burst: int
) -> None:
    times_s = sorted(times_s)
    found = taken(Rates("acts", a_second, burst), "a", times_s)

    for first in range(len(times_s)):
        for last in range(first, len(times_s)):
            most = burst + a_second * (times_s[last] - times_s[first])
            assert sum(found[first : last + 1]) <= most + 1e-6


def test_there_are_never_more_buckets_than_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST", 3)
    made = Rates("acts", 1, 1)
    for who in "abcde":
        made.take(who, 0.0)

    assert list(made._buckets) == ["c", "d", "e"]
