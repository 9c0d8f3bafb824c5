# SPDX-License-Identifier: Apache-2.0
"""Random filings, none-here statements and cases, and what must hold after each of them.

The oracle knows every claim that was ever made, when, and nothing of the exchange: circles on
the ellipsoid by geographiclib, heights and times as whole numbers.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec
from geographiclib.geodesic import Geodesic
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

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
NUMBERS: Final = st.integers(0, 2**16)


class Claimed(NamedTuple):
    """What an operation took up, since a step of the play."""

    step: int
    party: str
    key: tuple[str, int]
    latitude_deg: float
    band: tuple[int, int]
    from_us: int
    to_us: int


class Cases(RuleBasedStateMachine):
    """Three parties: a and b show contradictions at once, by a clause; the others in a case."""

    @initialize()
    def begin(self) -> None:
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
        self.step = 0
        self.claims: list[Claimed] = []
        self.withdrawn: dict[str, int] = {}
        self.known: dict[str, tuple[int, bool]] = {}
        self.stated = 0

    # --- what parties do --------------------------------------------------------------------

    @rule(
        party=st.sampled_from(PARTIES), place=st.integers(0, 3), level=st.integers(24, 26),
        start=st.integers(-30, 120), lasts=st.integers(20, 90), early=st.sampled_from((0, 15)),
    )  # fmt: skip
    def file(
        self, party: str, place: int, level: int, start: int, lasts: int, early: int
    ) -> None:  # fmt: skip
        made = filed(self.where(place, level, start, lasts), early=f"{early} min", late="0 s")
        self.do(party, "operations.file/1", acts.FileOperation(operation=made))

    @rule(
        number=NUMBERS, place=st.integers(0, 3), level=st.integers(24, 26),
        start=st.integers(-30, 120), lasts=st.integers(20, 90),
    )  # fmt: skip
    def update(self, number: int, place: int, level: int, start: int, lasts: int) -> None:
        if old := self.one(self.stage.exchange.world.operations, number):
            made = filed(self.where(place, level, start, lasts))
            changed = acts.UpdateOperation(id=old.id, ovn=old.ovn, operation=made)
            self.do(old.party, "operations.update/1", changed)

    @rule(number=NUMBERS, kind=st.sampled_from(("activate", "airborne", "end", "cancel", "cont")))
    def move(self, number: int, kind: str) -> None:
        if old := self.one(self.stage.exchange.world.operations, number):
            now_us = self.stage.clock.now_us()
            world = self.stage.exchange.world
            key = tuple(
                world.operations[each.other(old.id)].ovn for each in world.conflicts_of(old.id)
            )
            name, made = {
                "activate": ("activate", acts.ActivateOperation(id=old.id, key=key)),
                "airborne": ("airborne", acts.MarkAirborne(id=old.id, at_us=now_us)),
                "end": ("end", acts.EndOperation(id=old.id)),
                "cancel": ("cancel", acts.CancelOperation(id=old.id)),
                "cont": ("contingent", acts.MakeContingent(id=old.id)),
            }[kind]  # fmt: skip
            self.do(old.party, f"operations.{name}/1", made)

    @rule(
        party=st.sampled_from(PARTIES), place=st.integers(0, 3), level=st.integers(24, 26),
        start=st.integers(0, 120), lasts=st.integers(20, 400),
        to=st.sets(st.sampled_from(PARTIES), min_size=1),
    )  # fmt: skip
    def state(
        self, party: str, place: int, level: int, start: int, lasts: int, to: set[str]
    ) -> None:  # fmt: skip
        where = self.where(place, level, start, lasts)
        made = StateNoneHere(text=TEXT, datum="WGS84", volume=where, to=tuple(sorted(to)))
        done = self.do(party, "none-here.state/1", made)
        assert done == (party not in to and lasts <= 360)
        self.stated += done

    @rule(number=NUMBERS, party=st.sampled_from(PARTIES))
    def withdraw(self, number: int, party: str) -> None:
        if old := self.one(self.stage.exchange.world.none_here, number):
            done = self.do(party, "none-here.withdraw/1", WithdrawNoneHere(id=old.id))
            assert not done or party == old.party
            if done:
                self.withdrawn[old.id] = self.step

    @rule(
        party=st.sampled_from(PARTIES), other=st.sampled_from(PARTIES), number=NUMBERS,
        of=st.sampled_from(("none_here", "conflicts", "operations")), is_urgent=st.booleans(),
    )  # fmt: skip
    def open_case(self, party: str, other: str, number: int, of: str, is_urgent: bool) -> None:  # noqa: FBT001
        if found := self.one(getattr(self.stage.exchange.world, of), number):
            made = incidents.OpenIncident(
                about=found.id, other=other, words="?", is_urgent=is_urgent
            )
            done = self.do(party, "incidents.open/1", made)
            if isinstance(found, NoneHere):
                pair = {party, other}
                knows = pair <= set(found.parties) and found.party in pair
                assert done == (party != other and knows)

    @rule(number=NUMBERS, party=st.sampled_from(PARTIES), of=NUMBERS,
          kind=st.sampled_from(("query", "reply", "line", "close", "leave-open")))  # fmt: skip
    def act_on_case(self, number: int, party: str, of: int, kind: str) -> None:
        world = self.stage.exchange.world
        if case := self.one(world.incidents, number):
            query = "0" * 32 if case.query is None else case.query.id
            statement = self.one(world.none_here, of)
            named = None if statement is None or of % 2 else statement.id
            name, made = {
                "query": ("query", incidents.AskQuery(id=case.id, words="?")),
                "reply": ("reply", incidents.ReplyToQuery(id=case.id, query=query, words="!")),
                "line": ("write-line", incidents.WriteLine(
                    id=case.id, at_us=START_US + of, words="!", none_here=named
                )),
                "close": ("close", incidents.CloseIncident(id=case.id)),
                "leave-open": ("leave-open", incidents.LeaveIncident(id=case.id, why="!")),
            }[kind]  # fmt: skip
            done = self.do(party, f"incidents.{name}/1", made)
            assert not done or party in case.parties
            assert not (done and case.state is State.CLOSED)

    @rule(number=NUMBERS, party=st.sampled_from(PARTIES), agrees=st.booleans())
    def answer_line(self, number: int, party: str, agrees: bool) -> None:  # noqa: FBT001
        world = self.stage.exchange.world
        if line := self.one(world.lines, number):
            case = world.incidents[line.incident]
            made = incidents.AnswerLine(id=line.id, agrees=agrees, why="because")
            done = self.do(party, "incidents.answer-line/1", made)
            is_open = case.state is not State.CLOSED
            assert done == (party == case.other(line.by) and party != line.by and is_open)
            if done:
                assert world.lines[line.id].mark == ("agreed" if agrees else f"only {line.by}")

    @rule(minutes=st.sampled_from((1, 20, 60, 24 * 60, 3 * 24 * 60)))
    def wait(self, minutes: int) -> None:
        self.stage.clock.move_to(self.stage.clock.now_us() + minutes * MINUTE_US)
        self.stage.exchange.pass_time()
        self.note()

    # --- what must hold ---------------------------------------------------------------------

    @invariant()
    def a_statement_is_contradicted_exactly_by_own_versions_that_meet_it(self) -> None:
        if not hasattr(self, "stage"):
            return
        world = self.stage.exchange.world
        for statement in world.none_here.values():
            kept = world.contradictions.get(statement.id)
            found = [] if kept is None else [(each.operation, each.version) for each in kept.found]
            assert len(found) == len(set(found))
            assert set(found) == {c.key for c in self.claims if self.meets(c, statement)}

    @invariant()
    def contradictions_reach_the_own_party_and_by_clause_or_case_one_other(self) -> None:
        if not hasattr(self, "stage"):
            return
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

    @invariant()
    def a_case_is_seen_by_its_two_parties_and_nobody_else(self) -> None:
        if not hasattr(self, "stage"):
            return
        line = msgspec.json.decode(self.stage.lines[-1], type=EntryLine)
        for leaf in msgspec.json.decode(line.entry, type=Entry).leaves:
            self.check_audience(leaf)

    @invariant()
    def a_reply_is_overdue_exactly_from_when_it_was_due(self) -> None:
        if not hasattr(self, "stage"):
            return
        now_us = self.stage.clock.now_us()
        for case in self.stage.exchange.world.incidents.values():
            if case.state is State.QUERIED:
                assert case.due_us is not None
                assert case.due_us > now_us
            if case.state is State.OVERDUE:
                assert case.query is not None
                assert case.query.is_overdue
                assert case.query.due_us <= now_us

    @invariant()
    def the_record_folds_to_the_same_world_and_holds_no_statement_of_its_own_making(self) -> None:
        if not hasattr(self, "stage"):
            return
        world, folded = self.stage.exchange.world, fold(self.stage.lines)
        assert (folded.hash, folded.stated) == (world.hash, world.stated)
        assert folded.earlier == world.earlier
        assert len(world.none_here) == self.stated
        made = {e.statement.id for p in PARTIES for e in events_seen(self.stage, p, NoneHereStated)}
        assert made == set(world.none_here)

    def teardown(self) -> None:
        if hasattr(self, "stage"):
            self.stage.exchange.beat()
            assert verify(self.stage.lines, self.stage.keys).is_proven

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

    def one(self, table: Mapping[str, Signed], number: int) -> Any:  # noqa: ANN401 of any table
        """Return one of a table's values, None where it has none."""
        return list(table.values())[number % len(table)] if table else None

    def where(self, place: int, level: int, start: int, lasts: int) -> FiledVolume:
        """Return a circle of 4 NM from so many minutes from now on."""
        after = (self.stage.clock.now_us() - START_US) / MINUTE_US
        return volume(
            start=after + start, minutes=lasts, latitude=35.0 + place * PLACE_DEG,
            lower=f"FL{level}0", upper=f"FL{level + 1}0",
        )  # fmt: skip


TestCases = Cases.TestCase
TestCases.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
