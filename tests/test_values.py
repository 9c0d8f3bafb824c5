# SPDX-License-Identifier: Apache-2.0
"""Values of messages: read once, kept as typed, the same however they were typed."""

import re

import pytest

from keepclear.errors import InputError
from keepclear.line.values import FREE, Field, Kind, Typed, read_value, read_values, value_text


def shown(kind: Kind, typed: str, *choices: str) -> str:
    """Return how a value reads, once it was read."""
    return value_text(read_value(Typed(name="it", typed=typed), Field(kind, choices=choices)))


@pytest.mark.parametrize(
    ("kind", "typed", "reads"),
    [
        (Kind.POSITION, "333000N0383712E", "33.50000N 038.62000E"),
        (Kind.LEVEL, "fl240", "FL240"),
        (Kind.LEVEL, "24000 ft STD", "FL240"),
        (Kind.LEVEL, "900 m QNH 1013 hPa", "2,953 ft QNH 1013"),
        (Kind.TIME, "2016-09-17T16:00+02:00", "2016-09-17T14:00:00Z"),
        (Kind.TIME, "2016-09-17T14:00:00.9Z", "2016-09-17T14:00:00Z"),
        (Kind.FREQUENCY, "121.5 MHz", "121.500 MHz"),
        (Kind.FREQUENCY, "121500 kHz", "121.500 MHz"),
        (Kind.FREQUENCY, "8992kHz", "8992 kHz"),
        (Kind.FREQUENCY, "5.6965 MHz", "5696.5 kHz"),
        (Kind.COUNT, "4", "4"),
        (Kind.YES_NO, "Yes", "yes"),
        (Kind.CHOICE, "DETRESFA", "detresfa"),
        (Kind.TEXT, " as typed ", " as typed "),
    ],
)
def test_a_value_reads_the_same_however_it_is_typed(kind: Kind, typed: str, reads: str) -> None:
    assert shown(kind, typed, "detresfa") == reads


@pytest.mark.parametrize("khz", range(132_000, 132_100, 5))
def test_the_name_of_a_channel_is_a_frequency_only_where_channels_are_25_khz_wide(khz: int) -> None:
    # ICAO Annex 10 Volume V, table 4-1 bis: within each 100 kHz, .000 .025 .050 .075 name 25 kHz
    # channels by their frequency; .020, .045, .070 and .095 name none; the others 8.33 kHz ones
    typed = f"CH {khz // 1_000}.{khz % 1_000:03}"
    if khz % 25 == 0:
        assert shown(Kind.FREQUENCY, typed) == f"132.{khz % 1_000:03} MHz"
    elif khz % 25 == 20:
        with pytest.raises(InputError, match="is no name of a channel"):
            shown(Kind.FREQUENCY, typed)
    else:
        assert shown(Kind.FREQUENCY, typed) == typed
        for wrong in (f"{khz} kHz", f"132.{khz % 1_000:03} MHz"):
            with pytest.raises(InputError, match=re.escape(f'no frequency; write "{typed}"')):
                shown(Kind.FREQUENCY, wrong)


@pytest.mark.parametrize(
    ("kind", "typed", "says"),
    [
        (Kind.LEVEL, "24000 ft", "has no reference"),
        (Kind.TIME, "2016-09-17T14:00:00", "has no zone"),
        (Kind.FREQUENCY, "121.5", "is no frequency with its unit"),
        (Kind.FREQUENCY, "0.5 kHz", "not within 3 kHz to 300 GHz"),
        (Kind.FREQUENCY, "8.0000001 MHz", "is not in whole hertz"),
        (Kind.COUNT, "four", "is no whole number up to 1,000,000"),
        (Kind.YES_NO, "perhaps", "is not one of yes, no"),
    ],
)
def test_what_is_no_value_of_its_kind_names_the_field(kind: Kind, typed: str, says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)) as refused:
        shown(kind, typed)

    assert refused.value.path == "it"


def test_a_field_that_is_none_is_given_twice_or_is_missing_is_named_with_an_example() -> None:
    needed = {"place": Field(Kind.POSITION, is_needed=True), "level": Field(Kind.LEVEL)}
    for given, says in (
        ((), "place '': is needed: a position; give it as \"33.50N 038.62E\""),
        (("place", "place"), "place '': is given twice; give it once"),
        (("place", "height"), "height '': is no field here; give one of place, level"),
    ):
        with pytest.raises(InputError) as refused:
            read_values([Typed(name=each, typed="33N 038E") for each in given], needed)
        assert str(refused.value) == says


def test_values_stand_in_the_order_of_their_fields() -> None:
    given = [Typed(name="level", typed="FL240"), Typed(name="position", typed="33N 038E")]

    assert [each.name for each in read_values(given, FREE)] == ["position", "level"]
