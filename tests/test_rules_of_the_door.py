# SPDX-License-Identifier: Apache-2.0
"""The rules of the door (docs/architecture.md), each with a test that is named after it.

What comes with the server (streams, sessions, the commit beat) and with the checks before filing
is tested where it is built. That two worlds look the same is `test_two_worlds`, and that a
conflict of the exact shapes is one of the rounded ones `test_rounding`.
"""

import ast
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, get_args, get_origin, get_type_hints

import msgspec
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from keepclear.agreement.claims import Claim, compile_claim, judge
from keepclear.agreement.clauses import Field
from keepclear.agreement.documents import Agreement
from keepclear.agreement.rules_toml import parse_short
from keepclear.airspace.altitudes import parse_altitude
from keepclear.detect.datums import Datums
from keepclear.errors import CallerError
from keepclear.exchange.disclosure import GRADES as SHOWN_GRADES
from keepclear.exchange.disclosure import LEAVES_AS, Floor, Shown
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.views import Disclosed, Notice
from keepclear.plans import acts
from keepclear.plans.conflicts import Numbers
from keepclear.plans.filing import FiledCircle
from keepclear.plans.operations import Operation
from keepclear.plays.stage import Stage
from keepclear.record.encoding import Signed
from keepclear.record.entries import Entry, Part
from keepclear.record.files import EntryLine, LeafLine
from keepclear.record.headers import Status
from keepclear.record.views import view_of
from tests.agreement_plays import clause
from tests.exchange_plays import CountedIds
from tests.record_plays import START_US
from tests.test_architecture import MODULES, Module, module
from tests.two_worlds import (
    A_AND_C,
    GRADES,
    HOUSE,
    MINUTE_US,
    UNKNOWN,
    Pair,
    Plan,
    Seen,
    Step,
    between,
    filed,
    grade,
    separation,
)
from tests.worlds_played import difference, functions

half_a_metre: Final = 0.5
HERE: Final = Plan(place=0, level=22, start=60, lasts=30)
NUMBERED: Final = (Field.AREA_BOX, Field.LEVEL_BAND, Field.TIME_BAND)


def a_and_b(fields: Sequence[Field] | None, rule: str = "8 NM / 2000 ft") -> Agreement:
    """Return an agreement that shows some fields; None for one that does not speak of it."""
    shown = () if fields is None else (clause("2", "Shown.", grade(fields)),)
    return between("a", "b", "a-b", separation(rule), *shown)


class Play:
    """Three parties, whose operations are called by what they have filed first, second, ..."""

    def __init__(self, *agreements: Agreement) -> None:
        self.stage = Stage("exercise", START_US, Status.EXERCISE, HOUSE, CountedIds(), functions())
        for party in ("a", "b", "c"):
            self.stage.join(party)
        for each in agreements:
            self.stage.carry(self.stage.signed(each), each)
        self.world = self.stage.exchange.world

    def file(self, party: str, plan: Plan = HERE) -> str:
        """File an operation and return its id."""
        known = set(self.world.operations)
        made = acts.FileOperation(operation=filed(plan))
        self.stage.submit(party, "operations.file/1", made)
        [new] = set(self.world.operations) - known
        return new

    def do(self, party: str, kind: str, payload: Signed) -> str:
        """Try an act; return why it was refused, empty where it was not."""
        try:
            self.stage.submit(party, kind, payload)
        except CallerError as fault:
            return str(fault)
        return ""

    def at(self, minute: int) -> None:
        """Let it be so many minutes after the start."""
        self.stage.clock.move_to(START_US + minute * MINUTE_US)
        self.stage.exchange.pass_time()

    def parts(self, party: str) -> list[Part]:
        """Return what a party's file has."""
        return [
            msgspec.json.decode(msgspec.json.decode(each, type=LeafLine).leaf.part, type=Part)
            for each in view_of(self.stage.lines, party)
            if each.startswith(b'{"line":"leaf"')
        ]

    def notices(self, party: str) -> list[Notice]:
        """Return what a party was told."""
        return [
            msgspec.json.decode(each.data, type=Notice)
            for each in self.parts(party) if each.kind == "notice/1"
        ]  # fmt: skip

    def seen(self, party: str) -> bytes:
        """Return a party's file whole."""
        return b"\n".join(view_of(self.stage.lines, party))


# --- 1 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fields", [None, *GRADES])
def test_rule_1_the_existence_of_a_conflict_is_told_whatever_the_clauses(
    fields: Sequence[Field] | None,
) -> None:
    play = Play(a_and_b(fields))
    one = play.file("a")

    other = play.file("b")

    for party, own, seen in (("a", one, other), ("b", other, one)):
        [told] = play.notices(party)
        assert (told.own, told.other.id, told.must_act) == (own, seen, ("b",))
        assert told.other.party == {"a": "b", "b": "a"}[party]
        assert told.other.ovn == play.world.operations[seen].ovn


@pytest.mark.parametrize("fields", [(Field.COUNT,), (Field.CALLSIGN,)])
def test_rule_1_a_band_for_the_count_is_shown_as_it_was_filed_where_a_clause_shows_it(
    fields: Sequence[Field],
) -> None:
    play = Play(a_and_b(fields))
    play.file("a", replace(HERE, count=2, count_most=4))
    play.file("b")

    [told] = play.notices("b")
    shown = (2, 4) if Field.COUNT in fields else (None, None)
    assert (told.other.count, told.other.count_most) == shown


# --- 2 ---------------------------------------------------------------------------------------


def test_rule_2_filing_tells_the_other_side_in_the_same_entry_and_for_good() -> None:
    play = Play(a_and_b(()))
    play.file("b")

    own = play.file("a")
    play.do("a", "operations.cancel/1", acts.CancelOperation(id=own))

    entries = [each for each in play.stage.lines if each.startswith(b'{"line":"entry"')]
    kinds = [
        {(leaf.audience, msgspec.json.decode(leaf.part, type=Part).kind) for leaf in entry.leaves}
        for entry in (
            msgspec.json.decode(msgspec.json.decode(each, type=EntryLine).entry, type=Entry)
            for each in entries
        )
    ]
    assert any({("a", "operation-filed/1"), ("b", "notice/1")} <= each for each in kinds)
    assert [each.state for each in play.notices("b")] == ["raised", "resolved"]


# --- 3 ---------------------------------------------------------------------------------------


@settings(
    max_examples=25, phases=[Phase.generate], deadline=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(
    place=st.integers(0, 5), level=st.integers(20, 24), higher=st.integers(0, 9),
    start=st.integers(40, 80), radius=st.sampled_from(("4 NM", "1300 m")),
    lateral=st.sampled_from(("0 m", "900 m")),
)  # fmt: skip
def test_rule_3_both_sides_get_the_same_numbers_and_compute_them_from_what_they_were_shown(
    place: int, level: int, higher: int, start: int, radius: str, lateral: str
) -> None:
    play = Play(a_and_b(NUMBERED))
    play.file("a")
    play.file("b", Plan(
        place=place, level=level, higher=higher, start=start, lasts=20, radius=radius,
        lateral=lateral,
    ))  # fmt: skip
    assume(play.notices("a"))

    [of_a], [of_b] = play.notices("a"), play.notices("b")

    assert of_a.broken == of_b.broken
    numbers = of_a.broken[0].numbers
    assert numbers is not None
    compare(numbers, of_a.other, of_b.other)


def compare(numbers: Numbers, one: Shown, other: Shown) -> None:
    """Compute numbers from two boxes over one meridian, by another library, and compare."""
    assert one.box is not None
    assert other.box is not None
    apart_deg = max(
        one.box.south_deg - other.box.north_deg, other.box.south_deg - one.box.north_deg, 0.0
    )
    north = max(one.box.south_deg, other.box.south_deg)
    # The shortest way between two parallels is along a meridian.
    apart_m = Geodesic.WGS84.Inverse(north - apart_deg, 35.5, north, 35.5)["s12"]
    lows = [parse_altitude(each.lower or "").height_tmm for each in (one, other)]
    highs = [parse_altitude(each.upper or "").height_tmm for each in (one, other)]
    between_tmm = max(lows[0] - highs[1], lows[1] - highs[0], 0)

    assert abs(numbers.lateral_m - apart_m) < half_a_metre
    assert numbers.vertical_m == between_tmm / 10_000
    assert numbers.from_us == max(one.from_us or 0, other.from_us or 0)
    assert numbers.to_us == min(one.to_us or 0, other.to_us or 0)


def test_rule_3_the_numbers_of_full_disclosure_are_those_of_all_that_is_shown() -> None:
    play = Play(a_and_b((Field.EVERYTHING,)))
    play.file("a", Plan(place=0, level=22, start=60, lasts=30, lateral="900 m"))
    play.file("b", Plan(place=2, level=22, start=60, lasts=30, radius="1300 m"))

    [of_a], [of_b] = play.notices("a"), play.notices("b")

    datums = Datums()
    claims = sorted((claim_from(each.other) for each in (of_a, of_b)), key=lambda each: each.id)
    one, two = (compile_claim(each, datums) for each in claims)
    found = judge(functions(), one, two, parse_short("8 NM / 2000 ft"))
    numbers = of_a.broken[0].numbers
    assert found is not None
    assert numbers is not None
    assert of_a.broken == of_b.broken
    assert (numbers.lateral_m, numbers.short_by_m) == (found.cpa.lateral_m, found.short_by_m)


def claim_from(shown: Shown) -> Claim:
    """Return what is shown of an operation as what can be compared."""
    assert shown.volumes is not None
    assert shown.uncertainty is not None
    assert shown.craft_class is not None
    assert shown.has_rvsm is not None
    return Claim(
        id=shown.id, party=shown.party, craft_class=shown.craft_class, has_rvsm=shown.has_rvsm,
        volumes=shown.volumes, lateral_tmm=shown.uncertainty.lateral_tmm,
        vertical_tmm=shown.uncertainty.vertical_tmm, early_us=shown.uncertainty.early_us,
        late_us=shown.uncertainty.late_us,
    )  # fmt: skip


def test_rule_3_what_is_out_of_plan_is_shown_with_the_grace_that_it_is_compared_with() -> None:
    play = Play(a_and_b(NUMBERED))
    own = play.file("a", Plan(place=0, level=22, start=30, lasts=30))
    play.do("a", "operations.activate/1", acts.ActivateOperation(id=own))
    play.at(60)

    play.file("b", Plan(place=0, level=22, start=70, lasts=30))

    [told] = play.notices("b")
    numbers = told.broken[0].numbers
    assert numbers is not None
    assert told.other.to_us == START_US + 120 * MINUTE_US
    assert (numbers.from_us, numbers.to_us) == (
        START_US + 70 * MINUTE_US, START_US + 100 * MINUTE_US
    )  # fmt: skip


def test_rule_3_near_a_pole_a_conflict_is_told_and_nothing_is_refused() -> None:
    play = Play(a_and_b(NUMBERED))
    made = filed(HERE)
    shape = FiledCircle(centre=(89.95, 0.0), radius="4 NM")
    volume = msgspec.structs.replace(made.volumes[0], shape=shape)
    polar = msgspec.structs.replace(made, volumes=(volume,))

    for party in ("a", "b"):
        assert play.do(party, "operations.file/1", acts.FileOperation(operation=polar)) == ""

    [told] = play.notices("b")
    assert told.other.box is not None
    assert told.other.box.north_deg == 90
    assert told.broken[0].numbers is not None
    assert told.broken[0].numbers.lateral_m == 0


# --- 4 ---------------------------------------------------------------------------------------


def test_rule_4_a_key_needs_the_ovns_of_exactly_the_operations_in_conflict() -> None:
    play = Play(a_and_b(()))
    own = play.file("a")
    near, far = play.file("b"), play.file("b", Plan(place=8, level=22, start=60, lasts=30))
    ovn_near, ovn_far = (play.world.operations[each].ovn for each in (near, far))

    refused = play.do("a", "operations.activate/1", acts.ActivateOperation(id=own, key=(ovn_far,)))
    taken = play.do("a", "operations.activate/1", acts.ActivateOperation(id=own, key=(ovn_near,)))

    assert f"of operation {near[:8]}, in conflict" in refused
    assert far[:8] not in refused
    assert taken == ""


# --- 5 ---------------------------------------------------------------------------------------

ABOUT_OPERATIONS: Final[dict[str, Callable[[str], Signed]]] = {
    "operations.update/1": lambda i: acts.UpdateOperation(id=i, ovn=UNKNOWN, operation=filed(HERE)),
    "operations.activate/1": lambda i: acts.ActivateOperation(id=i),
    "operations.airborne/1": lambda i: acts.MarkAirborne(id=i, at_us=START_US),
    "operations.contingent/1": lambda i: acts.MakeContingent(id=i),
    "operations.end/1": lambda i: acts.EndOperation(id=i),
    "operations.cancel/1": lambda i: acts.CancelOperation(id=i),
}  # fmt: skip
ABOUT_CONFLICTS: Final[dict[str, Callable[[str], Signed]]] = {
    "conflicts.acknowledge/1": lambda i: acts.AcknowledgeConflict(id=i, ovn=UNKNOWN),
    "conflicts.answer/1": lambda i: acts.AnswerConflict(id=i, answer="NOTED"),  # type: ignore[arg-type]
    "conflicts.propose/1": lambda i: acts.ProposeChange(id=i, operation=UNKNOWN, later="1 h"),
    "conflicts.accept/1": lambda i: acts.AcceptProposal(id=i, proposal=UNKNOWN),
    "conflicts.agree-as-is/1": lambda i: acts.AgreeAsIs(id=i),
}


def test_rule_5_an_unknown_id_an_invisible_one_and_another_s_get_the_same_bytes() -> None:
    play = Play(a_and_b(()), A_AND_C)
    seen, hidden = play.file("a"), play.file("a", Plan(place=8, level=20, start=90, lasts=30))
    play.file("b")
    play.file("c", Plan(place=8, level=20, start=90, lasts=30))
    [conflict] = [each.id for each in play.world.conflicts_of(hidden)]
    before = play.seen("b")

    for kind, made in ABOUT_OPERATIONS.items():
        [said] = {play.do("b", kind, made(i)).replace(i, "ID") for i in (UNKNOWN, seen, hidden)}
        assert said
    for kind, about in ABOUT_CONFLICTS.items():
        [said] = {play.do("b", kind, about(i)).replace(i, "ID") for i in (UNKNOWN, conflict, seen)}
        assert said

    assert play.seen("b") == before


def test_rule_5_numbers_of_notices_count_for_each_viewer_apart() -> None:
    play = Play(a_and_b(()), A_AND_C)
    for party in ("a", "c", "a", "b", "c", "b"):
        play.file(party)

    for party in ("a", "b", "c"):
        numbers = [each.number for each in play.notices(party)]
        assert numbers == list(range(1, len(numbers) + 1))


def test_rule_5_nothing_that_a_party_gets_counts_entries_or_pairs() -> None:
    play = Play(a_and_b(NUMBERED))
    play.file("a")
    play.file("b")

    seen = play.seen("b")
    assert not any(word in seen for word in (b'"seq"', b'"previous"', b'"beat"', b'"pairs"'))


# --- 6 ---------------------------------------------------------------------------------------


def test_rule_6_what_falls_due_has_its_own_time_and_not_that_of_the_next_act() -> None:
    play = Play(a_and_b(()))
    play.file("a", Plan(place=0, level=22, start=60, lasts=20))
    play.file("b")

    play.at(97)

    [due] = [each for each in play.parts("b") if each.kind == "notice/1"][1:]
    # over at 80, of which b is shown nothing: for b at the end of the half hour
    assert due.at_us == START_US + 90 * MINUTE_US
    [own] = [each for each in play.parts("a") if b"its time has passed" in bytes(each.data)][:1]
    assert own.at_us == START_US + 80 * MINUTE_US


# --- 7 ---------------------------------------------------------------------------------------

MADE_AT_THE_DOOR: Final = {"Disclosed": "views", "Notice": "views", "Shown": "disclosure"}


def made_elsewhere(modules: Sequence[Module]) -> list[str]:
    """Return where what only the door may make is made by another."""
    return [
        f"{each.path}:{node.lineno}"
        for each in modules
        for node in each.nodes
        if isinstance(node, ast.Call)
        for name in [ast.unparse(node.func).split("[")[0].rpartition(".")[2]]
        if name in MADE_AT_THE_DOOR
        and each.path != f"keepclear/exchange/{MADE_AT_THE_DOOR[name]}.py"
    ]


def test_rule_7_nobody_but_the_door_makes_what_leaves() -> None:
    assert made_elsewhere(MODULES) == []


@pytest.mark.parametrize("line", [
    "x = Disclosed('a', 1)\n", "x = views.Notice(number=1)\n", "x = Disclosed[int]('a', 1)\n",
    "x = Shown(id='1', party='a')\n",
])  # fmt: skip
def test_rule_7_what_is_made_elsewhere_is_caught(line: str) -> None:
    assert made_elsewhere([module("exchange/operations.py", line)])


def test_rule_7_one_function_makes_what_is_disclosed() -> None:
    [door] = [each for each in MODULES if each.path == "keepclear/exchange/views.py"]
    makers = [
        function.name
        for function in door.nodes if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Disclosed"
    ]  # fmt: skip

    assert makers == ["_disclosed"]


def test_rule_7_an_answer_can_be_nothing_but_disclosed() -> None:
    given_back = get_type_hints(Exchange.submit)["return"]

    assert get_origin(given_back) is Disclosed


def test_rule_7_each_field_declares_its_grade() -> None:
    hints = get_type_hints(Shown, include_extras=True)

    assert set(hints) == set(SHOWN_GRADES) == set(Shown.__struct_fields__)
    assert all(isinstance(each, Field | Floor) for each in SHOWN_GRADES.values())
    assert all(get_args(each) for each in hints.values())
    assert set(SHOWN_GRADES.values()) == {*Field, *Floor}


def test_rule_7_each_field_of_an_operation_says_how_it_leaves() -> None:
    assert set(LEAVES_AS) == set(Operation.__struct_fields__)
    assert {each for ways in LEAVES_AS.values() for each in ways} <= set(Shown.__struct_fields__)


@pytest.mark.parametrize("fields", GRADES)
def test_rule_7_what_is_not_granted_is_not_there(fields: Sequence[Field]) -> None:
    play = Play(a_and_b(fields))
    plan = Plan(place=0, level=22, start=60, lasts=30, callsign="TRAINER", count=3)
    play.file("a", replace(plan, count_most=5))
    play.file("b")

    [told] = play.notices("b")

    for name, grade_of in SHOWN_GRADES.items():
        is_granted = isinstance(grade_of, Floor) or grade_of in fields
        is_granted |= Field.EVERYTHING in fields
        assert (getattr(told.other, name) is not None) == is_granted


# --- 8 ---------------------------------------------------------------------------------------


def test_rule_8_b_gets_the_same_bytes_whatever_a_does_elsewhere() -> None:
    steps = (
        Step(after=15, party="a", does="file", operation="a1", plan=HERE),
        Step(after=30, party="b", does="file", operation="b1", plan=HERE),
    )
    far = Plan(place=8, level=20, start=60, lasts=20, callsign="HIDDEN")
    hidden = tuple(
        Step(after=20 + number, party="a", does=does, operation="hidden-a1", plan=far)
        for number, does in enumerate(("file", "file", "activate", "airborne", "contingent", "end"))
    )

    assert difference(Pair(
        seen=Seen(agreements=(a_and_b(NUMBERED),), steps=steps), hidden=(hidden, ())
    )) == ""  # fmt: skip


# --- what went wrong -------------------------------------------------------------------------


def test_the_other_side_gets_no_answer_by_sending_the_same_bytes_again() -> None:
    play = Play(a_and_b(()))
    own = play.file("a")
    play.file("b")
    [conflict] = play.world.conflicts_of(own)
    made = acts.ProposeChange(id=conflict.id, operation=own, later="3 h")
    play.stage.submit("b", "conflicts.propose/1", made)
    proposal = play.world.conflicts[conflict.id].proposal
    assert proposal is not None
    envelope = play.stage.envelope(
        "a", "conflicts.accept/1", acts.AcceptProposal(id=conflict.id, proposal=proposal.id)
    )
    answer = play.stage.exchange.submit(envelope, "a")
    assert any(part.kind == "operation-filed/1" for part in answer.value.parts)
    assert msgspec.json.encode(envelope) in play.seen("b")

    with pytest.raises(CallerError, match="each party sends its own acts"):
        play.stage.exchange.submit(envelope, "b")

    assert answer.party == "a"


def test_an_agreement_of_others_is_not_told() -> None:
    play = Play(a_and_b(()))
    play.file("a")
    play.file("b")
    before = play.seen("b")

    play.stage.carry(play.stage.signed(A_AND_C), A_AND_C)

    assert play.seen("b") == before


def test_the_reason_for_a_cancellation_stays_with_the_owner() -> None:
    play = Play(a_and_b(NUMBERED))
    own = play.file("a")
    play.file("b")

    play.do("a", "operations.cancel/1", acts.CancelOperation(id=own, why="PILOT ILL"))

    assert b"PILOT ILL" not in play.seen("b")
    assert b"was cancelled: PILOT ILL" in play.seen("a")
    assert play.notices("b")[-1].closed_by == f"operation {own[:8]} of a was cancelled"


def test_accepted_looks_like_filed_to_others() -> None:
    play = Play(a_and_b(()))
    own = play.file("a")

    play.file("b")

    assert play.world.operations[own].state == "accepted"
    assert play.notices("b")[0].other.state == "filed"


def test_of_two_disclosure_clauses_of_one_agreement_both_must_grant() -> None:
    wide, narrow = grade(NUMBERED), grade((Field.AREA_BOX,))
    play = Play(between(
        "a", "b", "a-b", separation("8 NM / 2000 ft"), clause("2", "Wide.", wide),
        clause("3", "Narrow.", narrow),
    ))  # fmt: skip
    play.file("a")
    play.file("b")

    [told] = play.notices("b")

    assert told.other.box is not None
    assert (told.other.lower, told.other.from_us) == (None, None)
    assert len(told.other.by) == 2


def test_a_resolved_conflict_does_not_show_the_new_plan() -> None:
    play = Play(a_and_b((Field.EVERYTHING,)))
    own = play.file("a")
    play.file("b")
    ovn = play.world.operations[own].ovn
    away = filed(Plan(place=8, level=24, start=60, lasts=30, callsign="AWAY"))

    play.do("a", "operations.update/1", acts.UpdateOperation(id=own, ovn=ovn, operation=away))

    told = play.notices("b")[-1]
    assert told.state == "resolved"
    assert told.other == Shown(id=own, party="a")
    assert b"AWAY" not in play.seen("b")
    assert play.world.operations[own].ovn.encode() not in play.seen("b")


def test_when_marked_airborne_and_how_late_by_anybody_s_clause_do_not_leave() -> None:
    assert {LEAVES_AS[each] for each in ("airborne_us", "late_us", "filed_us", "version")} == {()}


def test_the_order_of_what_is_told_shows_neither_starts_nor_filing() -> None:
    play = Play(a_and_b(()))
    for start in (75, 60, 70, 65):
        play.file("a", Plan(place=0, level=22, start=start, lasts=30))

    play.file("b", Plan(place=0, level=22, start=55, lasts=60))

    told = [each.other.id for each in play.notices("b")]
    assert len(told) == 4
    assert told == sorted(told)
