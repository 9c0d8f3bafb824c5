# SPDX-License-Identifier: Apache-2.0
"""Random filings, none-here statements and cases, and what must hold after each of them.

The oracle knows every claim that was ever made, when, and nothing of the exchange: circles on
the ellipsoid by geographiclib, heights and times as whole numbers.
"""

from collections.abc import Mapping
from random import Random
from typing import Any, Final, NamedTuple

import msgspec
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from keepclear.agreement.clauses import Caps, IncidentRule, ShowContradictions
from keepclear.errors import CallerError
from keepclear.exchange.events import ContradictionsShown, NoneHereContradicted, NoneHereStated
from keepclear.exchange.folding import fold
from keepclear.plans import acts, incidents
from keepclear.plans.filing import FiledVolume
from keepclear.plans.incidents import State
from keepclear.plans.none_here import TEXT, NoneHere, StateNoneHere, WithdrawNoneHere
from keepclear.plans.operations import OUT_OF_PLAN
from keepclear.record.encoding import Signed
from keepclear.record.entries import Entry, Leaf, Part
from keepclear.record.files import EntryLine
from keepclear.record.verification import verify
from tests.agreement_plays import agreement, clause
from tests.incident_plays import DAY_US, HOUR_US, MINUTE_US, events_seen, filed, staged, volume
from tests.record_plays import START_US

PARTIES: Final = ("a", "b", "c")
RADIUS_M: Final = 4 * 1_852
PLACE_DEG: Final = 4.01 / 60  # circles of neighbours overlap; two places apart 15 m are between


class Claimed(NamedTuple):
    """What an operation took up, since a step of the play."""

    step: int
    party: str
    key: tuple[str, int]
    latitude_deg: float
    band: tuple[int, int]
    from_us: int
    to_us: int


class Cases:
    """Three parties: a and b show contradictions at once, by a clause; the others in a case."""

    def __init__(self) -> None:
        self.stage = staged(*PARTIES)
        rule = IncidentRule(
            reply_us=3 * DAY_US, urgent_reply_us=HOUR_US,
            contradictions=ShowContradictions.AT_ONCE,
        )  # fmt: skip
        much = Caps(
            area_hours_km2h=10**6, day_area_hours_km2h=10**8, duration_us=10 * DAY_US, vertices=99
        )
        made = agreement(clauses=(clause("1", "Show.", rule), clause("2", "Much.", much)))
        self.stage.carry(self.stage.signed(made), made)
        self.world = self.stage.exchange.world
        self.step = 0
        self.claims: list[Claimed] = []
        self.withdrawn: dict[str, int] = {}
        self.known: dict[str, tuple[int, bool]] = {}
        self.stated = 0

    # --- what parties do --------------------------------------------------------------------

    def file(self, by: Random) -> None:
        """File an operation."""
        made = filed(self.where(by, -30), early=f"{by.choice((0, 15))} min")
        self.do(by.choice(PARTIES), "operations.file/1", acts.FileOperation(operation=made))

    def update(self, by: Random) -> None:
        """File a new version of one."""
        if old := self.one(self.world.operations, by):
            made = acts.UpdateOperation(
                id=old.id, ovn=old.ovn, operation=filed(self.where(by, -30))
            )
            self.do(old.party, "operations.update/1", made)

    def move(self, by: Random) -> None:
        """Let an operation go on, by plan or out of it."""
        if old := self.one(self.world.operations, by):
            met = [each.other(old.id) for each in self.world.conflicts_of(old.id)]
            key = tuple(self.world.operations[each].ovn for each in met)
            at_us = self.stage.clock.now_us()
            kind, made = by.choice((
                ("activate", acts.ActivateOperation(id=old.id, key=key)),
                ("airborne", acts.MarkAirborne(id=old.id, at_us=at_us)),
                ("end", acts.EndOperation(id=old.id)),
                ("cancel", acts.CancelOperation(id=old.id)),
                ("contingent", acts.MakeContingent(id=old.id)),
            ))  # fmt: skip
            self.do(old.party, f"operations.{kind}/1", made)

    def state(self, by: Random) -> None:
        """State none-here."""
        party, to = by.choice(PARTIES), set(by.choices(PARTIES, k=2))
        minutes = by.choice((60, 120, 360, 361))
        made = StateNoneHere(
            text=TEXT, datum="WGS84", volume=self.where(by, 0, minutes), to=tuple(sorted(to))
        )
        done = self.do(party, "none-here.state/1", made)
        assert done == (party not in to and minutes <= 360)
        self.stated += done

    def withdraw(self, by: Random) -> None:
        """Withdraw a statement, or one of another party."""
        if old := self.one(self.world.none_here, by):
            party = by.choice((old.party, by.choice(PARTIES)))
            done = self.do(party, "none-here.withdraw/1", WithdrawNoneHere(id=old.id))
            assert not done or party == old.party
            if done:
                self.withdrawn[old.id] = self.step

    def open_case(self, by: Random) -> None:
        """Open a case."""
        world = self.world
        table: Mapping[str, Any] = by.choice(
            (world.none_here, world.none_here, world.conflicts, world.operations)
        )
        if found := self.one(table, by):
            party, other = by.choice(PARTIES), by.choice(PARTIES)
            made = incidents.OpenIncident(
                about=found.id, other=other, words="?", is_urgent=by.random() < 0.5
            )
            done = self.do(party, "incidents.open/1", made)
            if isinstance(found, NoneHere):
                pair = {party, other}
                knows = pair <= set(found.parties) and found.party in pair
                assert done == (party != other and knows)

    def act_on_case(self, by: Random) -> None:
        """Ask, reply, write, close or leave open."""
        if case := self.one(self.world.incidents, by):
            party = by.choice((*case.parties, *case.parties, *PARTIES))
            query = "0" * 32 if case.query is None else case.query.id
            statement = self.one(self.world.none_here, by)
            named = None if statement is None or by.random() < 0.3 else statement.id
            at_us = START_US + by.randrange(1000)
            line = incidents.WriteLine(id=case.id, at_us=at_us, words="!", none_here=named)
            kind, made = by.choice((
                ("query", incidents.AskQuery(id=case.id, words="?")),
                ("reply", incidents.ReplyToQuery(id=case.id, query=query, words="!")),
                ("write-line", line), ("write-line", line),
                ("close", incidents.CloseIncident(id=case.id)),
                ("leave-open", incidents.LeaveIncident(id=case.id, why="!")),
            ))  # fmt: skip
            done = self.do(party, f"incidents.{kind}/1", made)
            assert not done or party in case.parties
            assert not (done and case.state is State.CLOSED)

    def answer_line(self, by: Random) -> None:
        """Agree to a line, or not."""
        if line := self.one(self.world.lines, by):
            case, agrees, party = (
                self.world.incidents[line.incident],
                by.random() < 0.5,
                by.choice(PARTIES),
            )
            made = incidents.AnswerLine(id=line.id, agrees=agrees, why="because")
            done = self.do(party, "incidents.answer-line/1", made)
            is_other = party in case.parties and party != line.by
            assert done == (is_other and case.state is not State.CLOSED)
            if done:
                mark = "agreed" if agrees else f"only {line.by}"
                assert self.world.lines[line.id].mark == mark

    def wait(self, by: Random) -> None:
        """Let time pass."""
        minutes = by.choice((1, 10, 20, 40, 60, 3 * 24 * 60))
        self.stage.clock.move_to(self.stage.clock.now_us() + minutes * MINUTE_US)
        self.stage.exchange.pass_time()
        self.note()

    # --- what must hold ---------------------------------------------------------------------

    def a_statement_is_contradicted_exactly_by_own_versions_that_meet_it(self) -> None:
        world = self.world
        for statement in world.none_here.values():
            kept = world.contradictions.get(statement.id)
            found = [] if kept is None else [(each.operation, each.version) for each in kept.found]
            assert len(found) == len(set(found))
            assert set(found) == {c.key for c in self.claims if self.meets(c, statement)}

    def contradictions_reach_the_own_party_and_by_clause_or_case_one_other(self) -> None:
        world = self.stage.exchange.world
        shown: dict[tuple[str, str], set[tuple[str, int]]] = {}
        for party in PARTIES:
            for told in events_seen(self.stage, party, NoneHereContradicted):
                assert world.none_here[told.id].party == party
            for told in events_seen(self.stage, party, ContradictionsShown):
                statement = world.none_here[told.id]
                if party == statement.party:
                    continue
                assert party in statement.to
                if told.by.startswith("incident "):
                    case = world.incidents[told.by.removeprefix("incident ")]
                    assert set(case.parties) == {party, statement.party}
                    assert told.id in case.none_here
                else:
                    assert {party, statement.party} == {"a", "b"}
                keys = {(each.operation, each.version) for each in told.found}
                shown.setdefault((told.id, party), set()).update(keys)
        for statement in world.none_here.values():
            kept = world.contradictions.get(statement.id)
            found = set() if kept is None else {(c.operation, c.version) for c in kept.found}
            by_case = {
                case.other(statement.party) for case in world.incidents.values()
                if statement.id in case.none_here and case.state is not State.CLOSED
            }  # fmt: skip
            by_clause = {"a", "b"} - {statement.party} if statement.party != "c" else set()
            for party in by_case | (by_clause & set(statement.to)):
                assert shown.get((statement.id, party), set()) == found

    def a_case_is_seen_by_its_two_parties_and_nobody_else(self) -> None:
        line = msgspec.json.decode(self.stage.lines[-1], type=EntryLine)
        for leaf in msgspec.json.decode(line.entry, type=Entry).leaves:
            self.check_audience(leaf)

    def a_reply_is_overdue_exactly_from_when_it_was_due(self) -> None:
        now_us = self.stage.clock.now_us()
        for case in self.stage.exchange.world.incidents.values():
            if case.state is State.QUERIED:
                assert case.due_us is not None
                assert case.due_us > now_us
            if case.state is State.OVERDUE:
                assert case.query is not None
                assert case.query.is_overdue
                assert case.query.due_us <= now_us

    def the_record_folds_to_the_same_world_and_holds_no_statement_of_its_own_making(self) -> None:
        world, folded = self.stage.exchange.world, fold(self.stage.lines)
        assert (folded.hash, folded.stated) == (world.hash, world.stated)
        assert folded.earlier == world.earlier
        assert len(world.none_here) == self.stated
        made = {e.statement.id for p in PARTIES for e in events_seen(self.stage, p, NoneHereStated)}
        assert made == set(world.none_here)

    # --- the oracle -------------------------------------------------------------------------

    def meets(self, claim: Claimed, statement: NoneHere) -> bool:
        """Tell whether a claim and a statement of the same party share a point."""
        if claim.party != statement.party:
            return False
        shape, volume = statement.volume.volume.shape, statement.volume
        lower, upper = volume.volume.lower, volume.volume.upper
        assert lower is not None
        assert upper is not None
        end_us = volume.end_us
        withdrawn = self.withdrawn.get(statement.id)
        if withdrawn is not None and claim.step > withdrawn:
            assert statement.withdrawn_us is not None
            end_us = min(end_us, statement.withdrawn_us)
        away_m = Geodesic.WGS84.Inverse(
            shape.centre.latitude_deg, 35.5, claim.latitude_deg, 35.5  # type: ignore[union-attr]
        )["s12"]  # fmt: skip
        return bool(
            volume.start_us < end_us
            and claim.from_us < end_us
            and volume.start_us < claim.to_us
            and claim.band[0] <= upper.height_tmm
            and lower.height_tmm <= claim.band[1]
            and away_m <= 2 * RADIUS_M
        )

    def note(self) -> None:
        """Note what has been claimed since the last step, from the operations themselves."""
        self.step += 1
        for each in self.stage.exchange.world.operations.values():
            is_out = each.state in OUT_OF_PLAN
            if self.known.get(each.id) == (each.version, is_out):
                continue
            was = self.known.get(each.id)
            self.known[each.id] = (each.version, is_out)
            if was is not None and was[0] == each.version and not is_out:
                continue
            [where] = each.volumes
            lower, upper, shape = where.volume.lower, where.volume.upper, where.volume.shape
            assert lower is not None
            assert upper is not None
            self.claims.append(Claimed(
                self.step, each.party, (each.id, each.version),
                shape.centre.latitude_deg,  # type: ignore[union-attr]
                (lower.height_tmm, upper.height_tmm),
                where.start_us - each.uncertainty.early_us,
                where.end_us + (HOUR_US if is_out else 0),
            ))  # fmt: skip

    def do(self, party: str, kind: str, payload: Signed) -> bool:
        """Try an act; where it is refused nothing has changed."""
        world = self.stage.exchange.world
        before = (world.hash, len(self.stage.lines), dict(world.stated))
        try:
            self.stage.submit(party, kind, payload)
        except CallerError:
            assert (world.hash, len(self.stage.lines), dict(world.stated)) == before
            self.note()
            return False
        self.note()
        return True

    def check_audience(self, leaf: Leaf) -> None:
        """Check for whom a part of the record is."""
        part = msgspec.json.decode(leaf.part, type=Part)
        data = msgspec.json.decode(part.data)
        cases = self.stage.exchange.world.incidents
        if part.kind == "incident-changed/1":
            assert leaf.audience == ",".join(data["incident"]["parties"])
        elif part.kind == "line-changed/1":
            assert leaf.audience == ",".join(cases[data["line"]["incident"]].parties)
        elif part.kind == "none-here-stated/1":
            known = {data["statement"]["party"], *data["statement"]["to"]}
            assert leaf.audience == ",".join(sorted(known))

    def one(self, table: Mapping[str, Any], by: Random) -> Any:  # noqa: ANN401 of any table
        """Return one of a table's values, None where it has none."""
        return by.choice(list(table.values())) if table else None

    def where(self, by: Random, earliest: int, minutes: int = 0) -> FiledVolume:
        """Return a circle of 4 NM at one of two levels, from some minutes from now on."""
        now = (self.stage.clock.now_us() - START_US) / MINUTE_US
        level = by.choice((24, 26))
        return volume(
            start=now + by.randrange(earliest, 90), minutes=minutes or by.randrange(30, 90),
            latitude=35.0 + by.randrange(3) * PLACE_DEG, lower=f"FL{level}0",
            upper=f"FL{level + 1}0",
        )  # fmt: skip


WAYS: Final = (
    *[Cases.file] * 4, *[Cases.update] * 3, *[Cases.move] * 4, *[Cases.state] * 4,
    *[Cases.withdraw] * 2, *[Cases.open_case] * 3, *[Cases.act_on_case] * 5,
    *[Cases.answer_line] * 2, *[Cases.wait] * 2,
)  # fmt: skip


STEPS: Final = 60


@pytest.mark.slow
@settings(max_examples=15, deadline=None, phases=[Phase.generate],
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(st.integers(0, 2**64 - 1))
def test_whatever_is_done_in_whatever_order(seed: int) -> None:
    by, cases = Random(seed), Cases()
    for number in range(1, STEPS + 1):
        by.choice(WAYS)(cases, by)
        cases.a_statement_is_contradicted_exactly_by_own_versions_that_meet_it()
        cases.a_case_is_seen_by_its_two_parties_and_nobody_else()
        cases.a_reply_is_overdue_exactly_from_when_it_was_due()
        if number % 20 == 0:
            cases.contradictions_reach_the_own_party_and_by_clause_or_case_one_other()
            cases.the_record_folds_to_the_same_world_and_holds_no_statement_of_its_own_making()
    cases.stage.exchange.beat()
    assert verify(cases.stage.lines, cases.stage.keys).is_proven
