# SPDX-License-Identifier: Apache-2.0
"""Acts: what their header must be, here and now, rule by rule of `record/headers.py`."""

import json
from typing import Any

import msgspec
import pytest

from keepclear.record.encoding import decode, encode
from keepclear.record.envelopes import seal
from keepclear.record.faults import Malformed, NotProven
from keepclear.record.headers import (
    ACT,
    CLOCK_US,
    LONGEST_US,
    Act,
    Place,
    check_act,
    read_act,
)
from tests.record_plays import REGION, START_US, act, signed, signer

HERE = Place(region=REGION, incarnation=1, now_us=START_US + 1)


def test_an_act_comes_back_from_its_envelope() -> None:
    assert read_act(signed(act(1))) == act(1)

    with pytest.raises(Malformed, match="send acts as acts"):
        read_act(seal("text/plain", encode(act(1)), signer("a watch")))


def test_an_act_of_here_and_now_is_taken() -> None:
    check_act(act(1), HERE)
    check_act(act(1, created_us=HERE.now_us + CLOCK_US, expires_us=HERE.now_us + LONGEST_US), HERE)
    check_act(act(1, created_us=START_US, expires_us=START_US + LONGEST_US), HERE)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"region": "elsewhere"}, "is not exercise-east; send it to its own region"),
        ({"incarnation": 2}, "is not 1; a backup was restored here"),
        ({"created_us": HERE.now_us + CLOCK_US + 1}, "s ahead, above 30 s; set the sender's clock"),
        ({"expires_us": START_US + LONGEST_US + 1}, "is more than 24 h after its creation"),
        ({"created_us": 0, "expires_us": HERE.now_us}, "is more than 24 h|was 0 s ago"),
        ({"created_us": START_US - 5, "expires_us": HERE.now_us}, "ago; act again, with a new id"),
    ],
)
def test_an_act_that_does_not_belong_here_and_now_is_refused(
    changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(NotProven, match=why):
        check_act(act(1, **changes), HERE)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "actual"), ("status", None), ("party", "A"), ("party", ""), ("party", "-a"),
        ("post", "a" * 65), ("id", "0" * 31), ("id", "G" * 32), ("created_us", -1),
        ("created_us", 1.5), ("expires_us", 2**62), ("incarnation", 0), ("agreement", "latest"),
        ("kind", "note"), ("kind", "note/0"), ("region", "two words"), ("more", 1),
    ],
)  # fmt: skip
def test_a_header_with_a_field_that_cannot_be_is_refused(field: str, value: object) -> None:
    made = json.loads(encode(act(1)))
    made[field] = value

    with pytest.raises(Malformed):
        decode(json.dumps(made, separators=(",", ":")).encode(), Act, "act")


def test_an_act_that_ends_before_it_begins_is_refused() -> None:
    made = json.loads(encode(act(1)))
    made["expires_us"] = made["created_us"]

    with pytest.raises(Malformed, match="expires before it is created; give it time"):
        decode(json.dumps(made, separators=(",", ":")).encode(), Act, "act")


def test_acts_carry_their_payload_as_it_was_signed() -> None:
    made = act(1, payload=msgspec.Raw(b'{"b":1,"a":2}'))

    assert bytes(read_act(signed(made)).payload) == b'{"b":1,"a":2}'
    assert signed(made).payload_type == ACT
