# SPDX-License-Identifier: Apache-2.0
"""Who may sign an act, rule by rule of `record/signers.py` and `record/mandates.py`."""

import pytest

from keepclear.record.faults import NotProven
from keepclear.record.key_documents import KeyDocument
from keepclear.record.mandates import (
    ROUTINE,
    WITHIN_US,
    Mandate,
    Power,
    Signing,
    bound_us,
    is_covered,
)
from keepclear.record.verification import Verified, verify
from keepclear.reports.record_text import verified_text
from tests.record_plays import (
    DAY_US,
    START_US,
    Play,
    act,
    first_document,
    mandate,
    post,
    representative,
    sealed,
    signed,
)


def verify_play(document: KeyDocument, *acts: tuple[str, tuple[str, ...], int]) -> Verified:
    """Verify a record with acts: the kind, the keys that sign, how long after the start."""
    play = Play()
    play.appoint(sealed(document))
    for number, (kind, keys, after_us) in enumerate(acts):
        at_us = START_US + after_us
        play.now_us = at_us
        made = act(number, document.party, at_us, kind=kind)
        play.enter((document.party, "act/1", signed(made, *keys)))
    play.sign()
    return verify(play.archive(), play.keys())


@pytest.mark.parametrize(
    ("covers", "deed", "is_so"),
    [
        ("routine", "operations.file", True),
        ("routine", "agreement.sign", False),
        ("routine", "keys", False),
        ("operations", "operations.file", True),
        ("operations", "operations", True),
        ("operations.file", "operations.file", True),
        ("operations.file", "operations.cancel", False),
        ("operations.file", "operations.file-all", False),
        ("operations", "operations-other.file", False),
        ("agreement", "agreement.sign", True),
        ("suspension", "agreement.sign", False),
        ("site-release", "site-release.hospital", True),
    ],
)
def test_a_mandate_covers_a_deed_and_what_is_below_it(covers: str, deed: str, is_so: bool) -> None:  # noqa: FBT001
    assert is_covered([mandate(covers)], deed, START_US) == is_so


def test_a_mandate_holds_from_its_first_instant_and_not_at_its_last() -> None:
    one = Mandate(covers=("keys",), from_us=10, until_us=20)

    assert [is_covered([one], "keys", at_us) for at_us in (9, 10, 19, 20)] == [
        False, True, True, False,
    ]  # fmt: skip
    with pytest.raises(ValueError, match="ends before it begins; swap its times"):
        Mandate(covers=("keys",), from_us=20, until_us=20)


def test_a_mandate_that_does_not_cover_an_act_at_that_time_is_named() -> None:
    short = first_document("a", devices=(post("a", "watch", mandate("line", days=1)),))

    verify_play(short, ("line.send/1", ("watch",), DAY_US - 60_000_001))
    with pytest.raises(NotProven) as kind:
        verify_play(short, ("operations.file/1", ("watch",), 0))
    with pytest.raises(NotProven) as late:
        verify_play(short, ("line.send/1", ("watch",), DAY_US))

    assert str(kind.value).partition("'post")[2] == (
        " watch of a': has no mandate for operations.file at 2015-09-30T08:00:00Z (has: line from "
        "2015-09-30T08:00:00Z to 2015-10-01T08:00:00Z); let somebody with a mandate for "
        "operations.file sign, or appoint one (keepclear key appoint)"
    )
    assert "has no mandate for line.send at 2015-10-01T08:00:00Z" in str(late.value)


def test_distress_is_taken_from_any_known_key_whatever_its_mandates_say() -> None:
    nothing = first_document("a", devices=(post("a", "watch"),))

    verify_play(nothing, ("distress/1", ("watch",), 0))
    with pytest.raises(NotProven, match=r"has no mandate for distressed .*has: none"):
        verify_play(nothing, ("distressed/1", ("watch",), 0))
    with pytest.raises(NotProven, match="the root of a"):
        verify_play(nothing, ("distress/1", ("root",), 0))


@pytest.mark.parametrize("power", sorted(Power))
def test_what_binds_for_good_takes_two_representatives_in_one_envelope(power: Power) -> None:
    document = first_document("a")
    kind = f"{power}.something/1"

    verify_play(document, (kind, ("rep-1", "rep-2"), 0))
    with pytest.raises(NotProven, match=r"post watch of a.*has no mandate for"):
        verify_play(document, (kind, ("watch",), 0))
    if power is Power.SUSPENSION:
        verify_play(document, (kind, ("rep-1",), 0))
    else:
        with pytest.raises(NotProven, match=r"1 of 2.*representatives have signed"):
            verify_play(document, (kind, ("rep-1",), 0))
    one = first_document("a", one_person=(power,))
    found = verify_play(one, (kind, ("rep-1",), 0))
    assert found.one_person == (("a", power),)
    assert f"one representative of a may sign {power} alone" in verified_text(found, "x")


def test_a_representative_signs_nothing_of_routine_without_a_mandate_for_it() -> None:
    person = representative("a", "rep-1", mandate("agreement"))

    with pytest.raises(NotProven, match=r"representative rep-1 of a.*has no mandate for line.send"):
        verify_play(first_document("a", representatives=(person,)),
                    ("line.send/1", ("rep-1",), 0))  # fmt: skip


def test_a_replayed_act_is_refused_until_it_expires_and_every_id_is_a_partys_own() -> None:
    play = Play()
    for party in ("a", "b"):
        play.appoint(sealed(first_document(party)))
    made = signed(act(1, "a", play.now_us))
    play.enter(("a", "act/1", made))
    play.enter(("b", "act/1", signed(act(1, "b", play.now_us))))
    play.sign()
    verify(play.archive(), play.keys())
    play.enter(("a", "act/1", made))

    with pytest.raises(NotProven, match=r"line 10, entry 4.*was entered before: it is a replay"):
        verify(play.archive(), play.keys())


def test_a_party_is_bound_by_two_of_its_representatives_within_24_hours() -> None:
    one, soon = Signing("x", "k", 5), Signing("y", "l", 5 + WITHIN_US)
    late = Signing("y", "l", 6 + WITHIN_US)

    assert bound_us([one, soon], 2) == (5 + WITHIN_US, "")
    assert bound_us([soon, one], 1) == (5, "")
    assert bound_us([one, Signing("x", "k", 6)], 2) == (0, "1 more representative")
    assert bound_us([], 2) == (0, "2 more representatives")
    assert bound_us([one, late], 2)[1].startswith("its two representatives signed more than 24")
    assert bound_us([one, late, Signing("x", "k", 7)], 2) == (6 + WITHIN_US, "")


def test_routine_is_no_power() -> None:
    assert ROUTINE not in set(Power)
