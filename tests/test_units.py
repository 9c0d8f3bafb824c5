# SPDX-License-Identifier: Apache-2.0
"""Times as they are read and written, held against `datetime`."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.errors import InputError
from keepclear.units import format_time, parse_time_us

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANTS = st.datetimes(
    datetime(1000, 1, 1),  # noqa: DTZ001 hypothesis adds the zone
    datetime(9000, 12, 31, 23, 59, 59, 999_999),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(INSTANTS, st.sampled_from(["T", "t", " "]), st.sampled_from(["Z", "z", "+00:00"]))
def test_a_time_is_read_alike_however_it_is_written(
    instant: datetime, between: str, zone: str
) -> None:
    said_us = (instant - EPOCH) // timedelta(microseconds=1)
    text = instant.isoformat(sep=between, timespec="microseconds").removesuffix("+00:00")

    assert parse_time_us(text + zone) == said_us
    assert parse_time_us(text[:19] + zone) == said_us // 1_000_000 * 1_000_000
    assert format_time(said_us) == instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("2015-W40-3T10:14:05Z", "is not an RFC 3339 time"),
        ("2015-02-30T10:14:05Z", "day is out of range"),
        ("2015-09-30T24:14:05Z", "hour must be in 0..23"),
        ("2015-09-30T10:14:60Z", "has a second 60"),
        ("0999-12-31T23:59:59Z", "is not in the years 1000 to 9000"),
        ("9001-01-01T00:00:00Z", "is not in the years 1000 to 9000"),
        ("2015-09-30T10:14:05", "has no zone"),
        ("٢٠١٥-09-30T10:14:05Z", "is not an RFC 3339 time"),
    ],
)
def test_what_is_no_time_is_refused_and_says_why(text: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        parse_time_us(text)


def test_a_leap_second_is_the_next_second() -> None:
    assert parse_time_us("2016-12-31T23:59:60Z") == parse_time_us("2017-01-01T00:00:00Z")
