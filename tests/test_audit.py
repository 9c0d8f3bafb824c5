# SPDX-License-Identifier: Apache-2.0
"""An archive decided again: the same comes out, and what was planted is found."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from msgspec.structs import replace

from keepclear.agreement.binding import minima_for
from keepclear.agreement.claims import Claim, Compiled, breaches, compile_claim
from keepclear.agreement.findings import Verdict
from keepclear.agreement.rules_toml import parse_short
from keepclear.detect.compiled import plain
from keepclear.detect.datums import Datums
from keepclear.exchange import agreements, rechecking
from keepclear.exchange.audit import Audited, audit
from keepclear.exchange.events import (
    AgreementStood,
    ConflictChanged,
    LimitedFound,
    MoreFound,
    OperationFiled,
    OperationMoved,
)
from keepclear.exchange.views import Notice
from keepclear.plans import acts
from keepclear.plans.conflicts import Conflict, State
from keepclear.plans.filing import (
    Domain,
    FiledCircle,
    FiledOperation,
    FiledVolume,
    volumes_filed,
)
from keepclear.plans.operations import State as OperationState
from keepclear.plays.running import Played
from keepclear.plays.stage import Stage
from keepclear.record.encoding import Signed
from keepclear.record.faults import Malformed
from keepclear.record.headers import Status
from keepclear.record.verification import verify
from keepclear.record.views import view_of
from keepclear.reports.audit_text import audited_text
from tests.after_action_plays import CROSS, MANY
from tests.agreement_plays import HOUR_US
from tests.exchange_plays import CountedIds, played
from tests.record_plays import START_US
from tests.resigned_records import Spoil, resigned
from tests.test_cli_record import run, write_record
from tests.test_exchange_durations import PLAY as PASSING
from tests.test_exchange_machine import A_AND_B, Exchanging
from tests.test_volumes_stays import RULES

HOUSE: Final = parse_short("5 NM / 1000 ft")
a_hair_m: Final = 0.00005
a_metre: Final = 1.0


def audited(done: Played) -> Audited:
    return audit(done.lines, plain())


def told_apart(spoil: Spoil, text: str = CROSS) -> Audited:
    """Return the audit of a record that was spoilt and signed again, and verifies all the same."""
    done = resigned(played(text), spoil)
    assert verify(done.lines, done.keys).is_proven
    return audited(done)


def changing(change: Callable[[Conflict], Conflict]) -> Spoil:
    """Return what changes each conflict, and each notice of it alike."""

    def spoil(_seq: int, _audience: str, value: Signed) -> Signed:
        if isinstance(value, ConflictChanged) and not value.conflict.is_settled:
            return replace(value, conflict=change(value.conflict))
        return value

    return spoil


def accepting(value: ConflictChanged) -> tuple[str, Signed]:
    """Return that the one who must act is accepted all the same."""
    conflict = value.conflict
    owner = dict(zip((conflict.a, conflict.b), conflict.parties, strict=True))
    [acting] = conflict.must_act
    return owner[acting], OperationMoved(id=acting, state=OperationState.ACCEPTED)


def with_numbers(**changes: object) -> Callable[[Conflict], Conflict]:
    def change(conflict: Conflict) -> Conflict:
        broken = conflict.broken[0]
        assert broken.numbers is not None
        return replace(
            conflict, broken=(replace(broken, numbers=replace(broken.numbers, **changes)),)
        )

    return change


@pytest.mark.parametrize("text", [CROSS, MANY], ids=["cross", "many"])
def test_what_the_exchange_found_comes_out_again(text: str) -> None:
    done = played(text)

    found = audited(done)

    assert found.differences == ()
    changes = sum(line.count(b'"kind":"conflict-changed/1"') for line in done.lines)
    assert found.findings == changes > 0
    assert found.notices == 2 * changes
    assert found.kernels == ("1",)
    assert not found.has_house
    assert audited(resigned(done, lambda _seq, _to, value: value)).differences == ()


class DecidedAgain(Exchanging):
    """Random acts, and the record that they leave decided again."""

    def teardown(self) -> None:
        if hasattr(self, "stage"):
            assert audit(self.stage.lines, plain()).differences == ()


TestRandomActsAreDecidedAlikeAgain = pytest.mark.slow(DecidedAgain.TestCase)
TestRandomActsAreDecidedAlikeAgain.settings = settings(
    max_examples=6, stateful_step_count=12, deadline=None, derandomize=True,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


def test_a_conflict_that_was_taken_out_is_missing() -> None:
    found = told_apart(
        lambda _seq, _to, value: None if isinstance(value, ConflictChanged | Notice) else value
    )

    missing, *after = found.differences
    refused = {each.what for each in after if "by the rules it is refused" in each.what}
    assert all("is no conflict of" in each for each in refused)  # none is there to act on
    assert {each.what for each in after} - refused == {
        "is not accepted, and nothing stands against it"
    }
    assert missing.what.startswith("MISSING: break clause 3")
    assert not missing.is_boundary


def test_a_conflict_that_was_taken_out_where_it_was_settled_is_one_too_many() -> None:
    found = told_apart(
        lambda _seq, _to, value: (
            None if isinstance(value, ConflictChanged) and value.conflict.is_settled else value
        )
    )

    [left] = [each for each in found.differences if "TOO MANY: the two break" in each.what]
    assert not left.is_boundary


def test_a_conflict_that_is_closed_while_it_is_there_is_told() -> None:
    def spoil(_seq: int, _audience: str, value: Signed) -> Signed:
        if isinstance(value, ConflictChanged) and value.conflict.acknowledged:
            return replace(value, conflict=replace(value.conflict, state=State.RESOLVED))
        return value

    whats = [each.what for each in told_apart(spoil).differences]
    assert "is resolved, and the two break a rule still" in whats


def test_two_conflicts_of_one_pair_are_too_many() -> None:
    def spoil(_seq: int, _audience: str, value: Signed) -> Signed:
        if isinstance(value, ConflictChanged) and value.conflict.state is State.PROPOSED:
            return replace(value, conflict=replace(value.conflict, id="0" * 32))
        return value

    whats = [each.what for each in told_apart(spoil).differences]
    assert "TOO MANY: have 2 conflicts at once" in whats


def test_a_conflict_in_the_tree_of_one_side_alone_is_told() -> None:
    def spoil(_seq: int, _audience: str, value: Signed) -> Signed | tuple[str, Signed]:
        return ("north", value) if isinstance(value, ConflictChanged) else value

    whats = [each.what for each in told_apart(spoil).differences]
    assert whats.count("stands in the tree of north, not of its parties") == 4


def test_rules_that_change_while_the_record_runs_are_followed() -> None:
    """By the agreement the two are too close; by the house rule, after its end, they are not."""
    stage = Stage("exercise", START_US, Status.EXERCISE, HOUSE, CountedIds(), plain())
    for party in ("a", "b"):
        stage.join(party)
    short = replace(A_AND_B, until_us=START_US + 2 * HOUR_US, review_us=START_US + HOUR_US)
    stage.carry(stage.signed(short), short)
    for party, longitude_deg in (("a", 0.0), ("b", 0.215)):
        stage.submit(party, "operations.file/1", acts.FileOperation(operation=filed(longitude_deg)))
    stage.clock.move_to(START_US + 3 * HOUR_US)
    stage.exchange.pass_time()
    states = [each.state for each in stage.exchange.world.conflicts.values()]

    found = audit(stage.lines, plain())

    assert states == [State.RESOLVED]
    assert found.differences == ()
    assert found.has_house
    assert "  house rule 5 NM or 1000 ft; bound some pair\n" in audited_text(found, "x")


def bit_by_bit(at_most: int, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Return a stage on which five operations are RE-CHECKING; at_most: conflicts in an entry."""
    monkeypatch.setattr(rechecking, "MOST_FINDINGS", at_most)
    monkeypatch.setattr(agreements, "AT_ONCE", 1)
    stage = Stage("exercise", START_US, Status.EXERCISE, HOUSE, CountedIds(), plain())
    for party in ("a", "b"):
        stage.join(party)
    short = replace(A_AND_B, until_us=START_US + 2 * HOUR_US, review_us=START_US + HOUR_US)
    stage.carry(stage.signed(short), short)
    for party, longitude_deg in (("a", 0.0), ("a", 0.01), ("a", 0.02), ("b", 0.1), ("b", 0.215)):
        stage.submit(party, "operations.file/1", acts.FileOperation(operation=filed(longitude_deg)))
    stage.clock.move_to(START_US + 3 * HOUR_US)
    stage.exchange.pass_time()
    return stage


@pytest.mark.parametrize("at_most", [1, 1_000])
def test_what_is_looked_at_bit_by_bit_or_left_out_of_an_entry_is_followed(
    at_most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = bit_by_bit(at_most, monkeypatch)
    assert audit(stage.lines, plain()).waiting == 5
    while stage.exchange.recheck_some():
        pass
    done = Played(stage.lines, stage.keys, {}, ())

    kinds = b"".join(done.lines)
    assert b"re-checking-done/1" in kinds
    assert (b"more-found/1" in kinds) == (at_most == 1)
    assert audited(done).differences == ()
    if at_most == 1:
        said_more = resigned(done, lambda _s, _t, value: replace(value, more=value.more + 1)
                             if isinstance(value, MoreFound) and value.more else value)  # fmt: skip
        assert any("are not there" in each.what for each in audited(said_more).differences)
        not_said = resigned(
            done, lambda _s, _t, value: None if isinstance(value, MoreFound) else value
        )
        assert any(each.what.startswith("MISSING") for each in audited(not_said).differences)


def test_a_conflict_acted_on_while_it_waits_says_what_it_said_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = bit_by_bit(1_000, monkeypatch)
    world = stage.exchange.world
    conflict = next(each for each in world.conflicts.values() if each.parties[0] == "a")
    noted = acts.AcknowledgeConflict(id=conflict.id, ovn=world.operations[conflict.b].ovn)
    stage.submit("a", "conflicts.acknowledge/1", noted)
    meanwhile = Played(stage.lines, stage.keys, {}, ())
    while stage.exchange.recheck_some():
        pass

    assert world.conflicts[conflict.id].broken != conflict.broken
    assert audit(stage.lines, plain()).differences == ()
    changes: list[Callable[[Conflict], Conflict]] = [
        lambda one: replace(one, must_act=(one.a, one.b)),
        lambda one: replace(one, broken=()),
        lambda one: replace(one, clause="7"),
    ]
    for change in changes:
        said = resigned(meanwhile, changing(partial(_where_noted, change)))
        assert audited(said).differences


def test_a_conflict_that_is_looked_at_while_it_waits_is_compared_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = bit_by_bit(1_000, monkeypatch)
    world = stage.exchange.world
    own = next(each for each in world.operations.values() if each.party == "a")
    airborne = acts.MarkAirborne(id=own.id, at_us=stage.clock.now_us())
    stage.submit("a", "operations.airborne/1", airborne)
    meanwhile = Played(stage.lines, stage.keys, {}, ())

    def by_another_clause(one: Conflict) -> Conflict:
        return replace(one, clause="7") if len(one.broken) > 1 else one

    assert audited(meanwhile).differences == ()
    spoilt = resigned(meanwhile, changing(by_another_clause))
    said = [each.what for each in audited(spoilt).differences]
    assert any("(clause 7)" in each for each in said)


def _where_noted(change: Callable[[Conflict], Conflict], one: Conflict) -> Conflict:
    return change(one) if one.acknowledged else one


def test_another_one_who_must_act_is_told() -> None:
    found = told_apart(changing(lambda one: replace(one, must_act=(one.a, one.b))))

    assert sum("must act" in each.what for each in found.differences) == 3


def test_another_clause_is_told() -> None:
    found = told_apart(changing(lambda one: replace(one, clause="")))

    assert any("by the rules" in each.what for each in found.differences)


@pytest.mark.parametrize(
    ("change", "is_boundary"),
    [
        ({"lateral_m": a_metre}, False),
        ({"lateral_m": a_hair_m}, True),
        ({"closest_us": 0}, False),
        ({"latitude_deg": 1.0}, False),
        ({"short_by_m": None}, False),
        ({"leaf": "minima/any/lateral"}, False),
        ({"verdict": Verdict.UNDETERMINED}, False),
    ],
    ids=str,
)
def test_a_wrong_number_is_told_and_a_hair_is_the_guard_band(
    change: dict[str, object], *, is_boundary: bool
) -> None:
    found = told_apart(changing(with_numbers(**change)))

    own = [each for each in found.differences if f"says {next(iter(change))}" in each.what]
    assert len(own) == 3
    assert {each.is_boundary for each in own} == {is_boundary}


def test_a_notice_that_was_left_out_or_says_otherwise_is_told() -> None:
    def left_out(_seq: int, audience: str, value: Signed) -> Signed | None:
        is_last = isinstance(value, Notice) and value.number == 4 and audience == "north"
        return None if is_last else value

    def shown_more(_seq: int, _audience: str, value: Signed) -> Signed:
        if isinstance(value, Notice):
            return replace(value, other=replace(value.other, callsign="TRAINER 11"))
        return value

    [left] = told_apart(left_out).differences
    assert left.what == "north was not told that it is resolved"
    assert all(each.what.endswith("say: other") for each in told_apart(shown_more).differences)
    assert len(told_apart(shown_more).differences) == 8


def test_a_state_that_cannot_follow_is_told() -> None:
    def spoil(_seq: int, _audience: str, value: Signed) -> Signed:
        if isinstance(value, ConflictChanged) and value.conflict.acknowledged:
            return replace(value, conflict=replace(value.conflict, state=State.COUNTERED))
        return value

    assert any("cannot be countered after it was raised" in each.what
               for each in told_apart(spoil).differences)  # fmt: skip


def test_an_operation_moved_under_a_conflict_is_compared_again() -> None:
    """A refiled operation whose consequences were left out: the old conflict has stale numbers."""

    def spoil(_seq: int, _audience: str, value: Signed) -> Signed | None:
        last = isinstance(value, ConflictChanged) and value.conflict.is_settled
        if last or (isinstance(value, Notice) and value.state == "resolved"):
            return None
        if isinstance(value, OperationFiled) and value.operation.version == 2:
            one = value.operation
            early = [replace(v, start_us=v.start_us - 5_400_000_000) for v in one.volumes]
            return replace(value, operation=replace(one, volumes=tuple(early)))
        return value

    assert any("says from_us" in each.what for each in told_apart(spoil).differences)


def test_an_agreement_that_stood_otherwise_changes_what_is_found() -> None:
    def spoil(_seq: int, _audience: str, value: Signed) -> Signed:
        return replace(value, clauses=()) if isinstance(value, AgreementStood) else value

    found = told_apart(spoil)

    assert found.has_house
    assert any("the house rule" in each.what for each in found.differences)


def test_an_operation_out_of_plan_is_compared_with_the_grace_that_it_takes() -> None:
    """It was to end at 13:00 and was not ended: what starts at 13:40 is in conflict then."""
    stage = Stage("exercise", START_US, Status.EXERCISE, HOUSE, CountedIds(), plain())
    for party in ("a", "b"):
        stage.join(party)
    stage.submit("a", "operations.file/1", acts.FileOperation(operation=filed(0.0)))
    [own_id] = stage.exchange.world.operations
    stage.submit("a", "operations.activate/1", acts.ActivateOperation(id=own_id))
    later = filed(0.0, start="2015-09-30T13:40:00Z", end="2015-09-30T14:20:00Z")
    stage.submit("b", "operations.file/1", acts.FileOperation(operation=later))
    assert not stage.exchange.world.conflicts
    stage.clock.move_to(START_US + 5 * HOUR_US)
    stage.exchange.pass_time()

    assert len(stage.exchange.world.conflicts) == 1
    assert audit(stage.lines, plain()).differences == ()


def filed(
    longitude_deg: float, start: str = "2015-09-30T12:00:00Z", end: str = "2015-09-30T13:00:00Z"
) -> FiledOperation:
    """Return a circle of 3 NM on the equator."""
    volume = FiledVolume(
        shape=FiledCircle(centre=(0.0, longitude_deg), radius="3 NM"),
        lower="FL100", upper="FL200", start=start, end=end,
    )  # fmt: skip
    return FiledOperation(datum="WGS84", domain=Domain.AIR, craft_class="manned", volumes=(volume,))


def at_the_minimum() -> Stage:
    """Two circles of one height and time exactly at the house rule, as far as can be computed."""
    stage = Stage("exercise", START_US, Status.EXERCISE, HOUSE, CountedIds(), plain())
    for party in ("a", "b"):
        stage.join(party)
    near_deg, far_deg = 0.10, 0.30

    def verdict_at(longitude_deg: float) -> Verdict:
        one, other = (compiled(filed(each)) for each in (0.0, longitude_deg))
        found = breaches(plain(), one, other, minima_for([], "a", "b", HOUSE))
        return found[0].found.verdict if found else Verdict.CLEAR

    while (verdict := verdict_at(middle := (near_deg + far_deg) / 2)) is not Verdict.BOUNDARY:
        near_deg, far_deg = (middle, far_deg) if verdict is Verdict.CONFLICT else (near_deg, middle)
    for party, longitude_deg in (("a", 0.0), ("b", middle)):
        stage.submit(party, "operations.file/1", acts.FileOperation(operation=filed(longitude_deg)))
    return stage


def compiled(filed: FiledOperation) -> Compiled:
    """Return a filing as arrays."""
    claim = Claim(id=repr(filed.volumes), party="p", craft_class="manned",
                  has_rvsm=False, volumes=volumes_filed(filed))  # fmt: skip
    return compile_claim(claim, Datums())


def test_a_pair_at_the_minimum_that_another_machine_found_clear_is_boundary(
    tmp_path: Path,
) -> None:
    stage = at_the_minimum()
    done = Played(stage.lines, stage.keys, {}, ())
    assert audited(done).differences == ()
    assert audited(done).findings == 1

    def found_clear(_seq: int, _to: str, value: Signed) -> Signed | tuple[str, Signed] | None:
        """Accept the later operation, as such a machine would have."""
        if isinstance(value, ConflictChanged):
            return accepting(value)
        return None if isinstance(value, Notice) else value

    clear = resigned(done, found_clear)
    [only] = audited(clear).differences

    assert only.is_boundary
    write_record(tmp_path / "x.record", clear.lines)
    status, said = run("record", "audit", tmp_path / "x.record")
    assert status == 3
    assert said.startswith("BOUNDARY  ")


def test_what_is_no_archive_from_its_start_is_refused() -> None:
    done = played(CROSS)

    with pytest.raises(Malformed, match="is what north may see, and cannot be decided again"):
        audit(view_of(done.lines, "north"), plain())
    with pytest.raises(Malformed, match="give the archive whole, from its first entry"):
        audit([done.lines[0], *done.lines[3:]], plain())
    with pytest.raises(Malformed, match="is empty"):
        audit([], plain())
    with pytest.raises(Malformed, match="is nothing that the record has before"):
        audited(resigned(done, lambda _s, _t, v: None if isinstance(v, OperationFiled) else v))


def test_the_command_says_what_differs_and_what_it_did_not_look_at(tmp_path: Path) -> None:
    done = played(CROSS)
    write_record(tmp_path / "x.record", done.lines)
    status, said = run("record", "audit", tmp_path / "x.record")
    assert (status, said.startswith("SAME  ")) == (0, True)
    assert "Signatures and proofs were not looked at" in said
    assert "  house rule 5 NM or 1000 ft; bound no pair that was compared\n" in said

    assert "Not decided again: how agreements stand; incident cases;" in said

    spoilt = resigned(done, changing(with_numbers(lateral_m=a_metre)))
    write_record(tmp_path / "x.record", spoilt.lines)
    status, said = run("record", "audit", tmp_path / "x.record")
    assert (status, said.startswith("DIFFERS  ")) == (1, True)
    assert "entry 5, 2015-10-05T06:20:00Z  conflict " in said
    assert "says lateral_m 1.0 of clause 3, now 0.0" in said

    write_record(tmp_path / "n.record", list(view_of(done.lines, "north")))
    assert run("record", "audit", tmp_path / "n.record")[0] == 2
    assert run("record", "audit", tmp_path / "absent.record")[0] == 2


def test_the_audit_of_an_archive_that_was_cut_says_up_to_when_it_has_decided(
    tmp_path: Path,
) -> None:
    """Without its last entries it is the same so far; verify tells more."""
    done = played(CROSS)
    write_record(tmp_path / "x.record", done.lines)
    _, whole = run("record", "audit", tmp_path / "x.record")
    write_record(tmp_path / "x.record", done.lines[:6])
    status, cut = run("record", "audit", tmp_path / "x.record")

    assert (status, cut.startswith("SAME  ")) == (0, True)
    tells = "what came after may have been cut off: see keepclear record verify"
    assert f"  up to      entry 4, 2015-10-05T06:00:00Z; {tells}" in cut
    assert f"  up to      entry 8, 2015-10-05T06:41:00Z; {tells}" in whole


# --- LIMITED ----------------------------------------------------------------------------------


def limited_play(spoil: Spoil | None = None) -> Audited:
    """Return the audit of a play in which two operations are LIMITED, spoilt or not."""
    rules = RULES.replace("180 s", "3600 s")
    done = played(PASSING.format(rules=rules, lasts="60 min"))
    if spoil is not None:
        done = resigned(done, spoil)
    return audit(done.lines, plain())


def test_what_is_told_to_be_limited_comes_out_again() -> None:
    assert limited_play().differences == ()


def test_what_is_limited_and_not_told_is_missing() -> None:
    found = limited_play(
        lambda _seq, _to, value: None if isinstance(value, LimitedFound) else value
    )

    [missing] = found.differences
    assert missing.what == "MISSING: are LIMITED, and it is not told"
    assert not missing.is_boundary


def test_what_is_told_to_be_limited_by_another_clause_is_told() -> None:
    def spoil(_seq: int, _audience: str, value: Signed) -> Signed:
        if isinstance(value, LimitedFound):
            return replace(value, limits=(replace(value.limits[0], clause="9"),))
        return value

    [other] = limited_play(spoil).differences
    assert other.what == "are told to be LIMITED by other clauses than they are"
