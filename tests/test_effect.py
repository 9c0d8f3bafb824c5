# SPDX-License-Identifier: Apache-2.0
"""What another version of an agreement would change: findings under both, matched."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import keepclear
from keepclear.agreement.clauses import AnyDecision, Priority, Separation, WhoActs
from keepclear.agreement.documents import Agreement, Clause, PartyTerms, Role, Text
from keepclear.agreement.findings import Finding, Interval, Verdict
from keepclear.agreement.rules_toml import parse_short
from keepclear.checks.effect import WHO_ACTS, Broken, ClauseUsed, Effect, Kind, effects_of
from keepclear.checks.report import Exit, RulesUsed, RuleUsed
from keepclear.checks.versions import EffectReport, Named, effect
from keepclear.errors import CallerError, InputError
from tests.test_check import level_flight, row, written

YEAR_US: Final = 365 * 86_400_000_000
ten_metres = 10.0
UNMANNED_FIRST: Final = WhoActs(priorities=(Priority(of="unmanned", number=10),))
Scene = Mapping[str, Sequence[str]]


def version(
    *minima: str, parties: Sequence[str] = ("north", "south"), who: WhoActs | None = None,
    file: str = "mou.toml", **named: str,
) -> Named:  # fmt: skip
    """Return an agreement with a separation clause for each minima: 1, 2 and so on, or by name."""
    decided: dict[str, AnyDecision] = {
        clause_id.lstrip("c"): Separation(rules=parse_short(text))
        for clause_id, text in ({str(i): m for i, m in enumerate(minima, 1)} | named).items()
    }
    if who is not None:
        decided["W"] = who
    clauses = tuple(
        Clause(id=i, texts=(Text(language="en", text="EXERCISE"),), decides=decides)
        for i, decides in decided.items()
    )
    agreement = Agreement(
        id="exercise", version=1, title=(Text(language="en", text="EXERCISE"),), languages=("en",),
        parties=tuple(PartyTerms(id=p, name=p, role=Role.FORCE) for p in parties),
        in_force_us=0, until_us=YEAR_US, review_us=0, notice_us=0, clauses=clauses,
    )  # fmt: skip
    return Named(file, agreement)


def files_of(folder: Path, scene: Scene) -> list[str]:
    return [written(folder, f"{party}.csv", rows) for party, rows in scene.items()]


def looked(folder: Path, scene: Scene, before: Named, after: Named, own: str = "") -> EffectReport:
    return effect(files_of(folder, scene), before, after, own=own)


def only(report: EffectReport) -> Effect:
    [found] = report.effects
    return found


def kinds(report: EffectReport) -> dict[Kind, int]:
    return {kind: n for kind, n in report.counts.items() if n}


# Two flights side by side for ten minutes, 0.05 degrees of latitude (2.99 NM) apart at one level.
ABREAST: Final[Scene] = {
    "north": level_flight("N1", 24_000),
    "south": level_flight("S1", 24_000, latitude=35.05),
}


# --- for all scenes -------------------------------------------------------------------------


@st.composite
def flights(draw: st.DrawFn, name: str) -> list[str]:
    """Return two or three flights of ten minutes that may climb, and may lose their height."""
    rows: list[str] = []
    for number in range(draw(st.integers(1, 3))):
        latitude, drift = draw(st.sampled_from([35.0, 35.04, 35.09])), draw(st.integers(-2, 2))
        level, climb = draw(st.sampled_from([24_000, 24_600, 25_000])), draw(st.integers(-1, 1))
        without = draw(st.sampled_from([(), (), (0, 4), (6, 10)]))
        for minute in range(11):
            has_none = without and without[0] <= minute <= without[1]
            rows.append(row(
                minute * 60, f"{name}{number}", latitude + drift * minute / 200,
                34.0 + minute / 10, "" if has_none else level + climb * minute * 100,
            ))  # fmt: skip
    return rows


scenes = st.fixed_dictionaries({"north": flights("N"), "south": flights("S")})
LATERAL_NM: Final = (2, 3, 5, 8)
VERTICAL_FT: Final = (500, 1000, 1500)
pairs_of_minima = st.tuples(st.sampled_from(LATERAL_NM), st.sampled_from(VERTICAL_FT))
clauses = st.lists(pairs_of_minima, min_size=1, max_size=2)


def minima_text(minima: tuple[int, int]) -> str:
    return f"{minima[0]} NM / {minima[1]} ft"


def versions_of(
    one: Sequence[tuple[int, int]], other: Sequence[tuple[int, int]]
) -> tuple[Named, Named]:
    return version(*map(minima_text, one)), version(*map(minima_text, other))


def sides(found: Sequence[Effect]) -> list[tuple[Kind, Broken | None, Broken | None]]:
    return [(e.kind, e.before, e.after) for e in found]


@settings(max_examples=40)
@given(scene=scenes, minima=clauses)
def test_the_effect_of_a_version_on_itself_is_that_all_is_the_same(
    scene: Scene, minima: Sequence[tuple[int, int]]
) -> None:
    with TemporaryDirectory() as folder:
        report = looked(Path(folder), scene, *versions_of(minima, minima))

    assert all(e.changed == () and e.before == e.after for e in report.effects)
    undetermined = [e for e in report.effects if e.kind is not Kind.SAME]
    assert all(e.shown.finding.verdict is Verdict.UNDETERMINED for e in undetermined)


@settings(max_examples=40)
@given(scene=scenes, one=clauses, other=clauses)
def test_going_back_is_the_mirror_image(
    scene: Scene, one: Sequence[tuple[int, int]], other: Sequence[tuple[int, int]]
) -> None:
    turned = {kind: kind for kind in Kind} | {
        Kind.APPEARS: Kind.DISAPPEARS, Kind.DISAPPEARS: Kind.APPEARS,
    }  # fmt: skip
    with TemporaryDirectory() as folder:
        there = looked(Path(folder), scene, *versions_of(one, other)).effects
        back = looked(Path(folder), scene, *versions_of(other, one)).effects

    assert len(there) == len(back)
    mirrored = [(turned[kind], after, before) for kind, before, after in sides(back)]
    assert all(each in mirrored for each in sides(there))
    assert {e.changed for e in there} == {e.changed for e in back}


@settings(max_examples=40)
@given(scene=scenes, one=clauses, other=clauses)
def test_each_finding_of_a_check_under_either_version_has_exactly_one_effect(
    scene: Scene, one: Sequence[tuple[int, int]], other: Sequence[tuple[int, int]]
) -> None:
    with TemporaryDirectory() as folder:
        report = looked(Path(folder), scene, *versions_of(one, other))
        files = files_of(Path(folder), scene)
        checked = [_all_found(files, minima) for minima in (one, other)]

    before = [(e.before.clause.id, e.before.finding) for e in report.effects if e.before]
    after = [(e.after.clause.id, e.after.finding) for e in report.effects if e.after]
    assert _counted(before) == _counted(checked[0])
    assert _counted(after) == _counted(checked[1])
    for found in report.effects:
        both = found.before is not None and found.after is not None
        assert both or found.kind in {Kind.APPEARS, Kind.DISAPPEARS, Kind.UNDETERMINED}
        assert not (both and found.kind in {Kind.APPEARS, Kind.DISAPPEARS})


def _all_found(
    files: Sequence[str], clauses: Sequence[tuple[int, int]]
) -> list[tuple[str, Finding]]:
    """Return what `keepclear check` finds under each clause: the oracle."""
    return [
        (str(number), finding)
        for number, minima in enumerate(clauses, 1)
        for finding in keepclear.check(files, rules=minima_text(minima)).findings
    ]


def _counted(found: Sequence[tuple[str, Finding]]) -> Counter[tuple[str, str, str, object]]:
    return Counter(
        (clause, f.id, f.verdict, (f.intervals, f.leaf, f.margin_m)) for clause, f in found
    )


@settings(max_examples=60)
@given(scene=scenes, minima=clauses, data=st.data())
def test_stricter_minima_make_nothing_disappear(
    scene: Scene, minima: Sequence[tuple[int, int]], data: st.DataObject
) -> None:
    stricter = [
        (data.draw(st.sampled_from([n for n in LATERAL_NM if n >= lateral])),
         data.draw(st.sampled_from([n for n in VERTICAL_FT if n >= vertical])))
        for lateral, vertical in minima
    ]  # fmt: skip
    with TemporaryDirectory() as folder:
        report = looked(Path(folder), scene, *versions_of(minima, stricter))

    assert all(e.after is not None for e in report.effects)
    for found in report.effects:
        changes = [] if found.before is None else list(found.changed)
        assert found.is_worse or not {"margin", "interval", "verdict"}.intersection(changes)


# --- one by one -----------------------------------------------------------------------------


def test_a_wider_minimum_makes_a_conflict_appear_by_how_much_it_is_missed(tmp_path: Path) -> None:
    # 0.05 degrees of latitude at 35 N are 5,547 m (see test_check); 5 NM are 9,260 m.
    short_m = 9_260 - 5_547

    report = looked(tmp_path, ABREAST, version("2 NM"), version("5 NM"))

    found = only(report)
    assert (found.kind, found.before, found.is_worse) == (Kind.APPEARS, None, True)
    assert found.after is not None
    assert found.after.clause.id == "1"
    assert found.after.finding.margin_m == pytest.approx(-short_m, abs=ten_metres)
    assert report.exit_status is Exit.FOUND


def test_a_narrower_minimum_makes_it_disappear_and_nobody_has_to_look(tmp_path: Path) -> None:
    report = looked(tmp_path, ABREAST, version("5 NM"), version("2 NM"))

    assert kinds(report) == {Kind.DISAPPEARS: 1}
    assert report.exit_status is Exit.CLEAR


def test_a_changed_minimum_changes_margin_and_no_more(tmp_path: Path) -> None:
    found = only(looked(tmp_path, ABREAST, version("5 NM"), version("8 NM")))
    back = only(looked(tmp_path, ABREAST, version("8 NM"), version("5 NM")))

    assert (found.kind, found.changed, found.is_worse) == (Kind.CHANGES, ("margin",), True)
    assert (back.kind, back.changed, back.is_worse) == (Kind.CHANGES, ("margin",), False)


def test_another_leaf_is_a_change(tmp_path: Path) -> None:
    scene = {**ABREAST, "south": level_flight("S1", 24_900, latitude=35.05)}

    found = only(looked(tmp_path, scene, version("5 NM / 1000 ft"), version("5 NM")))

    assert "leaf" in found.changed


def test_unknown_heights_stand_apart(tmp_path: Path) -> None:
    scene = {**ABREAST, "south": level_flight("S1", "", latitude=35.05)}

    new = looked(tmp_path, scene, version("2 NM / 1000 ft"), version("5 NM / 1000 ft"))
    gone = looked(tmp_path, scene, version("5 NM / 1000 ft"), version("2 NM / 1000 ft"))
    known = looked(tmp_path, scene, version("5 NM / 1000 ft"), version("5 NM"))

    for report in (new, gone, known):
        assert kinds(report) == {Kind.UNDETERMINED: 1}
        assert report.exit_status is Exit.FOUND


def test_what_a_worse_verdict_hides_has_not_disappeared(tmp_path: Path) -> None:
    """Undetermined at first; under the stricter minima in conflict later on, where it is known."""
    rows = [
        row(s, "S1", 35.02 + s / 12_000, 34.0 + s / 600, "" if s <= 120 else 24_000)
        for s in range(0, 601, 60)
    ]
    scene = {"north": level_flight("N1", 24_000), "south": rows}
    loose, strict = version("2 NM / 1000 ft"), version("4 NM / 1000 ft")

    found = only(looked(tmp_path, scene, loose, strict))

    assert found.before is not None
    assert found.after is not None
    assert found.before.finding.verdict is Verdict.UNDETERMINED
    assert found.after.finding.verdict is Verdict.CONFLICT
    first, second = found.before.finding.intervals[0], found.after.finding.intervals[0]
    assert first.end_us < second.start_us


def test_equal_rules_match_before_equal_clauses(tmp_path: Path) -> None:
    renumbered = version(c2="5 NM", c1="8 NM")

    report = looked(tmp_path, ABREAST, version("5 NM"), renumbered)

    new, same = report.effects
    assert (new.kind, new.shown.clause.id) == (Kind.APPEARS, "1")
    assert (same.kind, same.shown.clause.id) == (Kind.SAME, "2")


def test_a_clause_that_goes_says_what_the_pair_still_breaks(tmp_path: Path) -> None:
    report = looked(tmp_path, ABREAST, version("5 NM", "8 NM"), version("5 NM"))

    gone = report.effects[0]
    assert (gone.kind, gone.shown.clause.id) == (Kind.DISAPPEARS, "2")
    assert [each.clause.id for each in gone.besides] == ["1"]


def test_who_acts_is_a_change_only_where_the_clause_differs(tmp_path: Path) -> None:
    with_it = version("5 NM", who=UNMANNED_FIRST)

    other = looked(tmp_path, ABREAST, version("5 NM"), with_it)
    equal = looked(tmp_path, ABREAST, with_it, with_it)

    assert only(other).changed == (WHO_ACTS,)
    assert other.exit_status is Exit.FOUND
    assert kinds(equal) == {Kind.SAME: 1}


def test_a_version_without_minima_leaves_the_house_rule(tmp_path: Path) -> None:
    found = only(looked(tmp_path, ABREAST, version("2 NM"), version()))

    assert found.kind is Kind.APPEARS
    assert found.shown.clause.id == ""
    assert found.shown.clause.rules.text == "5 NM or 1000 ft"


def test_a_pair_with_one_who_is_no_party_is_under_the_house_rule_in_both(tmp_path: Path) -> None:
    scene = {**ABREAST, "third": level_flight("T1", 24_000, latitude=35.1)}

    report = looked(tmp_path, scene, version("2 NM"), version("1 NM"))

    assert report.unbound == (("north", "third"), ("south", "third"))
    assert kinds(report) == {Kind.SAME: 1}
    assert only(report).shown.finding.parties == ("south", "third")


def test_a_party_that_joins_comes_under_the_clause(tmp_path: Path) -> None:
    scene = {**ABREAST, "third": level_flight("T1", 24_000, latitude=35.12)}
    joined = version("10 NM", parties=("north", "south", "third"))

    report = looked(tmp_path, scene, version("10 NM"), joined)

    assert report.unbound == ()
    changes = [e for e in report.effects if e.kind is not Kind.SAME]
    assert {e.shown.finding.parties for e in changes} == {("north", "third"), ("south", "third")}


def test_own_operations_are_looked_at_and_no_others(tmp_path: Path) -> None:
    scene = {**ABREAST, "third": level_flight("T1", 24_000, latitude=35.1)}
    all_three = ("north", "south", "third")
    before, after = version("2 NM", parties=all_three), version("5 NM", parties=all_three)

    everybody = looked(tmp_path, scene, before, after)
    own = looked(tmp_path, scene, before, after, own="north")

    assert (kinds(everybody), everybody.checked.pairs) == ({Kind.APPEARS: 2}, 3)
    assert (kinds(own), own.checked.pairs) == ({Kind.APPEARS: 1}, 2)


def test_a_gap_is_not_all_the_same(tmp_path: Path) -> None:
    with_gap = [row(s, "S1", 35.05, 34.0 + s / 600, 40_000) for s in (0, 60, 540, 600)]
    scene = {**ABREAST, "south": with_gap}

    report = looked(tmp_path, scene, version("5 NM / 1000 ft"), version("8 NM / 1000 ft"))

    assert report.effects == ()
    assert report.exit_status is Exit.ONLY_GAPS


def test_plans_that_neither_version_binds_are_refused(tmp_path: Path) -> None:
    scene = {"n": ABREAST["north"], "s": ABREAST["south"]}

    with pytest.raises(CallerError) as refused:
        looked(tmp_path, scene, version("2 NM"), version("5 NM"))

    assert str(refused.value) == (
        "nothing to compare: the plans are of n, s, and the agreements are between north, south "
        "(mou.toml); say whose a file is: --party north=FILE"
    )
    with pytest.raises(
        CallerError, match=r"neither mou\.toml nor mou\.toml has a separation clause"
    ):
        looked(tmp_path, ABREAST, version(), version())


def test_a_party_without_plans_or_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="own 'east': has no plan in these files, which hold plan"):
        looked(tmp_path, ABREAST, version("2 NM"), version("5 NM"), own="east")
    with pytest.raises(CallerError, match="all plans are of the party 'north'"):
        looked(tmp_path, {"north": ABREAST["north"]}, version("2 NM"), version("5 NM"))


# --- made by hand ---------------------------------------------------------------------------


def found(
    clause: str, *minutes: tuple[int, int], verdict: Verdict = Verdict.CONFLICT,
    margin_m: float = -100.0, all_minutes: Sequence[tuple[int, int]] = (), pair: str = "N1-S1",
) -> Broken:  # fmt: skip
    """Return what is found under a clause, whose rules are its own, from and to some minutes."""
    times, whole = (
        tuple(Interval(start_us=a * 60_000_000, end_us=b * 60_000_000) for a, b in each)
        for each in (minutes, all_minutes)
    )
    finding = Finding(
        id=pair, a="N1", b="S1", a_index=0, b_index=1, parties=("north", "south"),
        verdict=verdict, intervals=times, intervals_a=times, intervals_b=times, cpa=None,
        rule="minima", leaf="minima/lateral", short_by_m=-margin_m, short_by_s=None,
        margin_m=margin_m, margin_without_uncertainty_m=margin_m, all_intervals=whole or times,
    )  # fmt: skip
    used = RulesUsed(name=clause, text="", rules=(RuleUsed(id="minima", asks=f"of {clause}"),))
    return Broken(clause=ClauseUsed(id=clause, rules=used), finding=finding)


def effects(before: Sequence[Broken], after: Sequence[Broken]) -> tuple[Effect, ...]:
    # no two of these clauses have equal rules, so that the other ways to match are tried
    other = [
        replace(b, clause=replace(b.clause, rules=replace(b.clause.rules, rules=()))) for b in after
    ]
    return effects_of(before, other, lambda _: False)


def matches(before: Sequence[Broken], after: Sequence[Broken]) -> set[tuple[str, str]]:
    return {
        (e.before.clause.id if e.before else "", e.after.clause.id if e.after else "")
        for e in effects(before, after)
    }


def test_clauses_of_one_id_match_before_those_that_share_more_time() -> None:
    before = [found("1", (0, 10)), found("2", (4, 5))]
    after = [found("1", (4, 5)), found("2", (0, 10))]

    assert matches(before, after) == {("1", "1"), ("2", "2")}


def test_of_other_clauses_those_match_that_share_the_most_time() -> None:
    before = [found("1", (4, 5)), found("2", (0, 10))]

    assert matches(before, [found("3", (4, 9))]) == {("2", "3"), ("1", "")}


@pytest.mark.parametrize("order", [("1", "2"), ("2", "1")])
def test_where_all_is_equal_the_order_of_the_clauses_decides_nothing(order: Sequence[str]) -> None:
    two, one = [found(i, (0, 10)) for i in order], [found("3", (0, 10))]

    assert matches(two, one) == {("1", "3"), ("2", "")}
    assert matches(one, two) == {("3", "1"), ("", "2")}


def test_findings_of_other_pairs_or_at_other_times_do_not_match() -> None:
    here = found("1", (0, 10))

    for other in (found("1", (0, 10), pair="N1-S2"), found("1", (11, 20))):
        gone_and_new = effects([here], [other])
        assert {e.kind for e in gone_and_new} == {Kind.APPEARS, Kind.DISAPPEARS}
        assert all(e.besides == () for e in gone_and_new)


def test_findings_that_touch_match() -> None:
    early, late = found("1", (0, 10)), found("1", (10, 20))

    assert matches([early], [late]) == matches([late], [early]) == {("1", "1")}


WORSE: Final = {
    "a worse verdict": (found("1", (0, 9), verdict=Verdict.LIMITED), found("1", (0, 9))),
    "a conflict for longer": (
        found("1", (0, 5), all_minutes=[(0, 9)]), found("1", (0, 9), all_minutes=[(0, 9)]),
    ),
    "a doubt for longer": (found("1", (0, 5)), found("1", (0, 5), all_minutes=[(0, 9)])),
    "one more time": (found("1", (0, 5)), found("1", (0, 5), (7, 7))),
    "a smaller margin": (found("1", (0, 5)), found("1", (0, 5), margin_m=-101.0)),
}  # fmt: skip


@pytest.mark.parametrize(("better", "worse"), WORSE.values(), ids=WORSE)
def test_what_is_worse_is_said_and_its_way_back_is_not(better: Broken, worse: Broken) -> None:
    [there], [back] = effects([better], [worse]), effects([worse], [better])

    assert (there.kind, there.is_worse) == (Kind.CHANGES, True)
    assert (back.kind, back.is_worse) == (Kind.CHANGES, False)
    assert there.changed == back.changed


def test_a_changed_verdict_is_named() -> None:
    better, worse = WORSE["a worse verdict"]

    assert effects([better], [worse])[0].changed == ("verdict",)


def test_a_milder_verdict_with_a_smaller_margin_is_worse_all_the_same() -> None:
    milder = found("1", (0, 5), verdict=Verdict.LIMITED, margin_m=-500.0)

    assert effects([found("1", (0, 5))], [milder])[0].is_worse


def test_what_is_new_and_what_is_worse_comes_first() -> None:
    before = [found("1", (0, 5)), found("2", (7, 9)), found("3", (20, 30)), found("4", (40, 50))]
    after = [
        found("1", (0, 5)), found("2", (7, 9), margin_m=-50.0),
        found("3", (20, 30), margin_m=-200.0), found("5", (60, 70)),
        found("6", (80, 90), verdict=Verdict.UNDETERMINED),
    ]  # fmt: skip

    said = [(e.kind, e.shown.clause.id) for e in effects(before, after)]

    assert said == [
        (Kind.APPEARS, "5"), (Kind.UNDETERMINED, "6"), (Kind.CHANGES, "3"), (Kind.CHANGES, "2"),
        (Kind.DISAPPEARS, "4"), (Kind.SAME, "1"),
    ]  # fmt: skip


def test_an_effect_without_any_side_is_none() -> None:
    with pytest.raises(ValueError, match="one side at least"):
        _ = Effect(kind=Kind.SAME, before=None, after=None).shown
