# SPDX-License-Identifier: Apache-2.0
"""`keepclear agreement effect`, typed as its users type it, and what it says."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from defusedxml import ElementTree
from msgspec.structs import replace

from keepclear.checks.effect import Kind
from keepclear.checks.report import Gap
from keepclear.checks.report import Path as Drawn
from keepclear.checks.versions import EffectReport
from keepclear.formats.packaged import read_borders
from keepclear.reports.agreement_text import decides_text
from keepclear.reports.effect_html import effect_html
from keepclear.reports.effect_table import effect_text
from keepclear.reports.texts import NO_NOTICE
from tests.sample_reports import HOSTILE, START_US
from tests.test_check import level_flight, written
from tests.test_cli_record import run
from tests.test_effect import ABREAST, UNMANNED_FIRST, looked, version
from tests.test_reports_html import BROWSER_FLAGS, parsed

DRAFT = """
id = "exercise"
version = 1
languages = ["en"]
in_force = "2015-10-01T00:00:00Z"
review = "2016-04-01T00:00:00Z"
until = "2099-10-01T00:00:00Z"
notice = "30 d"
title.en = "EXERCISE"
parties = [
    { id = "north", name = "Party North", role = "force" },
    { id = "south", name = "Party South", role = "force" },
]
clauses = [
    { id = "3", text.en = "Keep apart.", decides = { kind = "separation", rules = "2 NM" } },
]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Plans of north and south 2.99 NM apart, a draft that asks for 2 NM and one for 5 NM."""
    monkeypatch.chdir(tmp_path)
    for party, rows in ABREAST.items():
        written(tmp_path, f"{party}.csv", rows)
    (tmp_path / "mou.toml").write_text(DRAFT, encoding="utf-8")
    (tmp_path / "counter.toml").write_text(DRAFT.replace("2 NM", "5 NM"), encoding="utf-8")
    return tmp_path


def effect(*words: str) -> tuple[int, str]:
    return run("agreement", "effect", *words)


PLANS = ("north.csv", "south.csv")


@pytest.mark.usefixtures("folder")
def test_the_counts_come_first_then_both_sides_then_what_it_does_not_cover() -> None:
    status, said = effect("mou.toml", "counter.toml", *PLANS)

    lines = said.splitlines()
    assert status == 1
    assert lines[:2] == [
        "1 APPEARS, 0 DISAPPEARS, 0 CHANGES, 0 SAME, 0 UNDETERMINED",
        "1 new among what you may see: 2 plans (1 pair).",
    ]
    for line in (
        "APPEARS  N1 (north) and S1 (south)",
        "  rule      before  clause 3, 2 NM",
        "            after   clause 3, 5 NM",
        "  margin    before  not broken",
        "            after   −2.01 NM",  # 9,260 m less 5,547 m, rounded up
    ):
        assert line in lines
    assert "What others have not shown you is not in these files" in said
    assert NO_NOTICE in said
    assert max(map(len, (line for line in lines if not line.startswith("See them")))) <= 80


@pytest.mark.parametrize(
    ("one", "other", "status", "first"),
    [
        ("mou.toml", "counter.toml", 1, "1 APPEARS, 0 DISAPPEARS, 0 CHANGES, 0 SAME"),
        ("counter.toml", "mou.toml", 0, "0 APPEARS, 1 DISAPPEARS, 0 CHANGES, 0 SAME"),
        ("counter.toml", "counter.toml", 0, "0 APPEARS, 0 DISAPPEARS, 0 CHANGES, 1 SAME"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_the_status_tells_whether_somebody_has_to_look(
    one: str, other: str, status: int, first: str
) -> None:
    found, said = effect(one, other, *PLANS)

    assert (found, said.startswith(first)) == (status, True)


@pytest.mark.usefixtures("folder")
def test_a_signed_agreement_is_read_as_a_draft_is() -> None:
    for party in ("north", "south"):
        run("key", "new", party)
    run("key", "export", "north.keys.json", "south.keys.json", "--output", "keys.json")
    signed = run(
        "agreement", "sign", "mou.toml", "--party", "north", "--keys", "keys.json",
        "--with", "north.rep-1.private.json", "--output", "mou.agreement",
    )  # fmt: skip
    assert signed[0] == 0

    assert effect("mou.agreement", "counter.toml", *PLANS)[0] == 1


@pytest.mark.usefixtures("folder")
def test_json_has_every_effect_with_both_sides() -> None:
    status, said = effect("mou.toml", "counter.toml", *PLANS, "--format", "json")

    answer = json.loads(said)
    [found] = answer["effects"]
    assert status == 1
    assert answer["counts"]["APPEARS"] == 1
    assert (found["effect"], found["is_worse"], found["before"]) == ("APPEARS", True, None)
    assert found["after"]["clause"] == "3"
    assert found["after"]["finding"]["verdict"] == "CONFLICT"
    assert answer["before"]["minima"] == [{"clause": "3", "asks": "2 NM"}]
    assert answer["checked"] == {"plans": 2, "pairs": 1}
    assert answer["own"] is None


def test_the_ending_of_the_output_chooses_and_the_party_of_a_file_can_be_said(folder: Path) -> None:
    for party, rows in ABREAST.items():
        written(folder, f"{party[0]}.csv", rows)

    status, said = effect(
        "mou.toml", "counter.toml", "--party", "north=n.csv", "--party", "south=s.csv",
        "--own", "north", "--output", "effect.html",
    )  # fmt: skip

    assert (status, "effect.html written" in said) == (1, True)
    assert "north&#x27;s with others" in (folder / "effect.html").read_text()


STANDOFF = """'''
name = "border"
[rules.border]
standoff = "10 km"
from = "airspace_of_other_state"
'''"""
MISSING = "absent.toml"
BAD = {
    "a draft with a fault": (["bad.toml", "counter.toml", *PLANS], "bad.toml: ends before it"),
    "no agreement": (
        ["mou.toml", "no.agreement", *PLANS], "no.agreement '{\"a\":1}': cannot be read"
    ),
    "an agreement that is not there": (
        ["mou.toml", MISSING, *PLANS], "absent.toml: No such file or directory; check name"
    ),
    "plans where an agreement is expected": (
        ["mou.toml", *PLANS], "an agreement or a draft is expected here: BEFORE AFTER PLANS"
    ),
    "plans that cannot be read": (
        ["mou.toml", "counter.toml", "bad.csv", "south.csv"],
        "bad.csv: row 2, latitude '99': is beyond 90 degrees; give WGS 84 degrees",
    ),
    "plans that are not there": (
        ["mou.toml", "counter.toml", "absent.csv", "south.csv"],
        "absent.csv: No such file or directory; check its name",
    ),
    "no plans": (["mou.toml", "counter.toml"], "no PLANS: nothing to compare; give one or more"),
    "one party": (
        ["mou.toml", "counter.toml", "north.csv"],
        "all plans are of the party 'north', and an agreement is between two; add a file",
    ),
    "parties of no agreement": (
        ["mou.toml", "counter.toml", "--party", "n=north.csv", "--party", "s=south.csv"],
        "are between north, south (mou.toml, counter.toml); say whose a file is: --party north=",
    ),
    "a party without plans": (
        ["mou.toml", "counter.toml", *PLANS, "--own", "east"],
        "own 'east': has no plan in these files, which hold plans of north, south; name one",
    ),
    "a clause that two paths alone cannot decide": (
        ["mou.toml", "border.toml", *PLANS], "border.toml, clause 3: rule border: is a stand-off"
    ),
    "an output that is read": (
        ["mou.toml", "counter.toml", *PLANS, "--output", "mou.toml", "--format", "json"],
        "--output 'mou.toml': is a file that is read; give another name",
    ),
    "an output of no format": (
        ["mou.toml", "counter.toml", *PLANS, "--output", "x.kml"],
        "no format has the ending .kml; end it in one of .txt, .json, .html, .htm",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("words", "why"), BAD.values(), ids=BAD)
def test_bad_input_is_one_error_that_names_value_limit_and_way_out(
    folder: Path, words: list[str], why: str
) -> None:
    (folder / "bad.toml").write_text(DRAFT.replace('until = "2099', 'until = "2014'))
    (folder / "border.toml").write_text(DRAFT.replace('"2 NM"', STANDOFF))
    (folder / "no.agreement").write_text('{"a":1}\n')
    written(folder, "bad.csv", ["2015-09-30T10:00:00Z,,N1,99,34,24000"])
    before = {file.name: file.read_bytes() for file in folder.iterdir()}

    status, said = effect(*words)

    errors = [line for line in said.splitlines() if not line.startswith(("Usage:", "Try", "\n"))]
    assert status == 2
    assert why in said
    assert len(list(filter(None, errors))) == 1
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


# --- what is said ---------------------------------------------------------------------------


def everything(folder: Path) -> EffectReport:
    """One of each kind, two in one pair, who acts, a third party and a gap."""
    scene = {
        "north": [*level_flight("N1", 24_000), *level_flight("N2", 30_000),
                  *level_flight("N3", "", latitude=37.0)],
        "south": [*level_flight("S1", 24_000, latitude=35.05),
                  *level_flight("S2", 30_000, latitude=35.1),
                  *level_flight("S3", 20_000, latitude=37.05)],
        "third": level_flight("T1", 20_000, latitude=37.08),
    }  # fmt: skip
    before = version("3 NM / 1000 ft", c8="4 NM", file="mou.agreement")
    after = version("8 NM / 1000 ft", who=UNMANNED_FIRST, file="counter.toml")
    report = looked(folder, scene, before, after)
    gap = Gap(plan="T1", start_us=START_US, end_us=START_US + 1, why="no position")
    return replace(report, checked=replace(report.checked, unknown=(gap,)))


def kinds_without_sheet(report: EffectReport) -> set[Kind]:
    page = effect_html(report)
    return {
        each.kind
        for place, each in enumerate(report.effects, 1)
        if f'id="effect-{place}"' not in page
    }


def test_what_still_holds_who_acts_and_who_is_not_bound_is_said(tmp_path: Path) -> None:
    said = " ".join(effect_text(everything(tmp_path)).split())

    assert "margin before −1.01 NM after clause 1 broken besides under" in said
    assert "besides under the version after the pair breaks clause 1, 8 NM or 1000 ft" in said
    acts = decides_text(UNMANNED_FIRST)
    assert f"Who acts, before: no clause. Who acts, after: {acts}." in said
    assert "so who acts in a conflict is not told here" in said
    assert (
        "Bound by neither version, so under the house rule (5 NM or 1000 ft): "
        "north and third, south and third."
    ) in said
    assert "1 gap in which nothing is known" in said
    assert "UNDETERMINED N3 (north) and S3 (south): interval and who acts" not in said


def test_a_version_without_minima_says_that_the_house_rule_stands_in(tmp_path: Path) -> None:
    said = effect_text(looked(tmp_path, ABREAST, version("2 NM"), version()))

    assert "no separation clause: the house rule, 5 NM or 1000 ft" in said
    assert "            after   house rule, 5 NM or 1000 ft" in said


def test_a_party_that_joins_was_under_the_house_rule(tmp_path: Path) -> None:
    scene = {"north": ABREAST["north"], "third": level_flight("T1", 24_000, latitude=35.12)}
    joined = version("10 NM", parties=("north", "third"))

    said = effect_text(looked(tmp_path, scene, version("10 NM"), joined))

    assert "  rule      before  house rule, 5 NM or 1000 ft\n" in said
    assert "            after   clause 1, 10 NM\n" in said


def test_every_line_fits_the_width_but_the_command_to_copy(tmp_path: Path) -> None:
    for width in (60, 80, 120):
        said = effect_text(everything(tmp_path), width=width, see_it="keepclear " + "x" * 200)

        lines = [line for line in said.splitlines() if not line.startswith("See them: ")]
        assert max(map(len, lines)) <= width


def test_what_is_undetermined_under_one_version_only_says_under_which(tmp_path: Path) -> None:
    scene = {**ABREAST, "south": level_flight("S1", "", latitude=35.05)}
    loose, strict = version("2 NM / 1000 ft"), version("5 NM / 1000 ft")

    assert "only under the version after" in effect_text(looked(tmp_path, scene, loose, strict))
    assert "only under the version before" in effect_text(looked(tmp_path, scene, strict, loose))
    assert "under both alike" in effect_text(looked(tmp_path, scene, strict, strict))


def test_of_many_changes_each_has_a_row(tmp_path: Path) -> None:
    scene = {
        party: [r for i in range(5) for r in level_flight(f"{party[0].upper()}{i}", 24_000,
                                                          latitude=latitude)]
        for party, latitude in (("north", 35.0), ("south", 35.05))
    }  # fmt: skip

    said = effect_text(looked(tmp_path, scene, version("2 NM"), version("5 NM")), width=100)

    rows = [line for line in said.splitlines() if line.startswith("APPEARS")]
    assert len(rows) == 25
    assert all(row.split()[-4:] == ["not", "broken", "−2.01", "NM"] for row in rows)


def test_colour_says_nothing_that_words_do_not(tmp_path: Path) -> None:
    report = everything(tmp_path)

    coloured = effect_text(report, colour=True)

    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == effect_text(report)


def test_the_page_is_well_formed_and_has_every_effect_with_its_word(tmp_path: Path) -> None:
    report = everything(tmp_path)
    assert {kind for kind, n in report.counts.items() if n} >= {
        Kind.APPEARS, Kind.DISAPPEARS, Kind.CHANGES, Kind.UNDETERMINED,
    }  # fmt: skip

    page = effect_html(report, read_borders())

    elements = parsed(page)
    ElementTree.fromstring(
        re.sub(r"<(meta|br|hr)([^>]*)>", r"<\1\2/>", page).removeprefix("<!doctype html>")
    )
    changes = [e for e in report.effects if e.kind is not Kind.SAME]
    ids = [attrs["id"] for _, attrs in elements.seen if "id" in attrs]
    assert kinds_without_sheet(report) == {Kind.SAME}
    links = [attrs["href"] for name, attrs in elements.seen if name == "a"]
    assert links == [f"#effect-{i}" for i in range(1, len(changes) + 1)]
    assert {link[1:] for link in links if link} <= set(ids)
    assert len(ids) == len(set(ids))
    worse = sum(e.is_worse for e in changes)
    assert page.count('class="map"') == worse
    for kind, n in report.counts.items():
        assert (f'class="badge {kind}">{n} {kind}<' in page) == (n > 0)
    for words in (NO_NOTICE, "What others have not shown you", "Bound by neither version"):
        assert words in page


def test_names_from_files_stay_names_on_the_page_and_in_the_table(tmp_path: Path) -> None:
    report = looked(tmp_path, ABREAST, version("2 NM"), version("5 NM"))
    [found] = report.effects
    assert found.after is not None
    for name in HOSTILE:
        finding = replace(
            found.after.finding, a=name, b=name, rule=name, reason=name, parties=(name, "south")
        )
        hostile = replace(found, after=replace(found.after, finding=finding))
        checked = replace(
            report.checked, findings=(finding,), files=(name,), notes=(name,),
            paths={i: Drawn(name=name, party=name) for i in (0, 1)},
        )  # fmt: skip
        named = replace(report.before, file=name, id=name)
        made = replace(report, before=named, effects=(hostile,), checked=checked, own=name)

        page, table = effect_html(made), effect_text(made)

        parsed(page)
        assert "<script" not in page
        assert "<img" not in page
        assert page.count("</style>") == 1
        assert not re.search(r"[\x00-\x09\x0b-\x1f\u202a-\u202e]", page + table)


@pytest.mark.slow
def test_two_effects_with_maps_fit_on_each_sheet_of_a4(browser: str, tmp_path: Path) -> None:
    scene = {
        "north": [*level_flight("N1", 24_000), *level_flight("N2", 30_000)],
        "south": [*level_flight("S1", 24_000, latitude=35.05),
                  *level_flight("S2", 30_000, latitude=35.05)],
    }  # fmt: skip
    report = looked(tmp_path, scene, version("4 NM"), version("5 NM"))
    assert [e.kind for e in report.effects] == [Kind.CHANGES] * 4
    page, printed = tmp_path / "effect.html", tmp_path / "effect.pdf"
    page.write_text(effect_html(report, read_borders()), encoding="utf-8")

    subprocess.run(
        [browser, *BROWSER_FLAGS, f"--user-data-dir={tmp_path / 'profile'}",
         "--no-pdf-header-footer", f"--print-to-pdf={printed}", page.as_uri()],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip

    sheets = re.findall(rb"/Type\s*/Page\b(?!s)", printed.read_bytes())
    assert len(sheets) == 1 + 4 // 2
