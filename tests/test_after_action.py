# SPDX-License-Identifier: Apache-2.0
"""Reports made of a record: their numbers, what stands on top, and what a view never shows."""

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from defusedxml import ElementTree

from keepclear.exchange.events import ConflictChanged
from keepclear.plays.running import Played
from keepclear.record.encoding import encode
from keepclear.record.views import view_of
from keepclear.reports.after_action import Reader, Story, retell, seen_by
from keepclear.reports.period import Counts, Period, asks, period_of
from tests.after_action_plays import CROSS, MANY, raw_parts
from tests.exchange_plays import played
from tests.resigned_records import resigned
from tests.test_cli_record import run, write_record
from tests.test_reports_html import BROWSER_FLAGS, SCREENSHOT_BYTES, parsed

MINUTE_US: Final = 60_000_000
START: Final = "2015-10-05T06:00:00Z"
START_US: Final = 1_444_024_800_000_000
# South moves S1 while the conflict is open; north acknowledges before and after.
AGAIN: Final = CROSS.replace(
    'at = "30 min"\nby = "south"\ndoes = "propose"\nconflict = "N1 and S1"\nmoves = "S1"\n'
    'later = "2 h"\nwhy = "we fly after you"',
    'at = "30 min"\nby = "south"\ndoes = "change"\noperation = "S1"\narea = "valley"\n'
    'start = "2015-10-05T09:10:00Z"\nlasts = "1 h"',
).replace('does = "accept"', 'does = "acknowledge"')
NORTHS_OWN: Final = ("TRAINER 11", "LATE BIRD")


def story_of(lines: list[bytes], from_us: int | None = None, to_us: int | None = None) -> Story:
    reader = Reader()
    for number, line in enumerate(lines, start=1):
        reader.take(number, line)
    assert reader.stopped is None
    return retell(reader, from_us, to_us)


def counts(period: Period, party: str) -> Counts:
    return next(each for each in period.parties if each.party == party)


@pytest.fixture(scope="module")
def many() -> Played:
    return played(MANY)


@pytest.fixture
def files(tmp_path: Path, many: Played) -> Path:
    """A folder with an archive, a view and the keys."""
    write_record(tmp_path / "all.record", many.lines)
    write_record(tmp_path / "south.record", list(view_of(many.lines, "south")))
    (tmp_path / "keys.json").write_bytes(encode(many.keys) + b"\n")
    return tmp_path


# --- the numbers, against a reading of plain JSON ---------------------------------------------


def acks(lines: list[bytes]) -> dict[tuple[str, str], list[int]]:
    """Return when each party acknowledged each conflict, by the acts alone."""
    found: dict[tuple[str, str], list[int]] = {}
    for at_us, _, kind, value in raw_parts(lines):
        if kind == "act/1" and value["kind"] == "conflicts.acknowledge/1":
            found.setdefault((value["party"], value["payload"]["id"]), []).append(at_us)
    return found


def test_what_is_filed_late_and_told_is_counted_as_the_record_has_it(many: Played) -> None:
    period = period_of(story_of(many.lines))
    acts = Counter(
        (value["party"], value["kind"])
        for _, _, kind, value in raw_parts(many.lines) if kind == "act/1"
    )  # fmt: skip
    notices = Counter(to for _, to, kind, _ in raw_parts(many.lines) if kind == "notice/1")
    late = [
        value["operation"]["late_us"]
        for _, _, kind, value in raw_parts(many.lines)
        if kind == "operation-filed/1" and value["operation"]["late_us"] > 0
    ]

    changed = Counter(  # also by a proposal that the other side has accepted
        value["operation"]["party"] for _, _, kind, value in raw_parts(many.lines)
        if kind == "operation-filed/1" and value["operation"]["version"] > 1
    )  # fmt: skip

    assert changed == {"south": 1}
    for party in ("north", "south"):
        own = counts(period, party)
        assert own.filed == acts[party, "operations.file/1"]
        assert own.updated == changed[party]
        assert own.notices == notices[party]
    assert list(counts(period, "north").late_us or ()) == late == [3_540_000_000]
    assert counts(period, "south").late_us == ()


def test_answer_times_run_from_the_notice_to_the_acknowledgement(many: Played) -> None:
    period = period_of(story_of(many.lines))
    first_told: dict[str, int] = {}
    for at_us, _, kind, value in raw_parts(many.lines):
        if kind == "notice/1":
            first_told.setdefault(value["conflict"], at_us)
    took: dict[str, list[int]] = {}
    for (party, conflict), times in acks(many.lines).items():
        took.setdefault(party, []).append(times[0] - first_told[conflict])

    for party in ("north", "south"):
        own = counts(period, party)
        assert sorted(own.took_us) == sorted(took[party])
        assert own.asked == len(first_told) == 4
    assert sorted(took["north"]) == [1 * MINUTE_US, 4 * MINUTE_US, 7 * MINUTE_US]
    north, south = counts(period, "north"), counts(period, "south")
    assert (north.acted, north.silent) == (0, 1)  # the one still open
    assert (south.acted, south.silent) == (2, 1)  # a proposal, a cancellation; the one still open


def test_answers_are_counted_from_the_notice_that_they_answer(many: Played) -> None:
    told_us: dict[str, int] = {}
    broken: dict[str, object] = {}
    took: dict[tuple[str, str], list[int]] = {}
    for at_us, _, kind, value in raw_parts(many.lines):
        if kind == "act/1" and value["kind"] == "conflicts.answer/1":
            payload = value["payload"]
            key = value["party"], payload["answer"]
            took.setdefault(key, []).append(at_us - told_us[payload["id"]])
        if kind == "conflict-changed/1":
            conflict = value["conflict"]
            if broken.get(conflict["id"]) != conflict["broken"]:
                told_us[conflict["id"]], broken[conflict["id"]] = at_us, conflict["broken"]
    found = {
        (each.party, str(answer)): sorted(times)
        for each in period_of(story_of(many.lines)).parties
        for answer, times in each.replies.items() if times
    }  # fmt: skip

    assert found == {key: sorted(each) for key, each in took.items()}
    assert found == {
        ("south", "OBJECTS"): [3 * MINUTE_US],
        ("south", "NOTED"): [2 * MINUTE_US + MINUTE_US // 2],
        ("north", "CONCERNED"): [2 * MINUTE_US],
    }


def test_how_conflicts_ended_and_what_they_broke(many: Played) -> None:
    period = period_of(story_of(many.lines))
    last: dict[str, str] = {}
    for _, _, kind, value in raw_parts(many.lines):
        if kind == "conflict-changed/1":
            last[value["conflict"]["id"]] = value["conflict"]["state"]
    states = Counter(last.values())

    [pair] = period.pairs
    assert pair.parties == ("north", "south")
    assert pair.raised == len(last)
    assert pair.settled == {
        "a proposal was accepted": 1, "south's operation was cancelled": 1,
    }  # fmt: skip
    assert sum(pair.settled.values()) == states["resolved"]
    assert (pair.agreed, pair.open) == (states["agreed as is"], states["raised"])
    assert [(each.clause, each.conflicts) for each in period.breaches] == [("3", 4)]


def test_a_range_runs_up_to_and_not_including_its_end(many: Played) -> None:
    twenty = START_US + 20 * MINUTE_US
    before = period_of(story_of(many.lines, to_us=twenty))
    after = period_of(story_of(many.lines, from_us=twenty, to_us=twenty + 1))

    assert len(story_of(many.lines, to_us=twenty).moments) == sum(
        json.loads(line)["line"] == "entry" and json.loads(line)["entry"]["at_us"] < twenty
        for line in many.lines
    )
    assert before.pairs == ()
    assert counts(before, "north").filed == 1
    assert after.pairs[0].raised == 1
    assert counts(after, "north").filed == 0
    assert counts(after, "north").silent == 1


def test_periods_that_follow_each_other_count_everything_once(many: Played) -> None:
    whole = period_of(story_of(many.lines))
    middle = START_US + 45 * MINUTE_US
    halves = [
        period_of(story_of(many.lines, to_us=middle)),
        period_of(story_of(many.lines, from_us=middle)),
    ]

    for party in ("north", "south"):
        one, two, both = (counts(each, party) for each in (*halves, whole))
        assert (one.filed or 0) + (two.filed or 0) == both.filed
        assert (one.notices or 0) + (two.notices or 0) == both.notices
        assert one.asked + two.asked == both.asked
    assert sum(each.pairs[0].raised for each in halves) == whole.pairs[0].raised


@pytest.mark.parametrize("viewer", ["north", "south"])
def test_what_a_party_sees_is_the_same_from_its_own_file_and_from_the_archive(
    viewer: str, many: Played
) -> None:
    reader = Reader()
    for number, line in enumerate(many.lines, start=1):
        reader.take(number, line)

    of_archive = period_of(retell(reader, party=viewer))
    of_file = period_of(story_of(list(view_of(many.lines, viewer))))

    assert of_archive == of_file
    other = {"north": "south", "south": "north"}[viewer]
    assert counts(of_file, other).filed is None
    assert counts(of_file, other).late_us is None
    assert counts(of_file, other).notices is None
    whole = period_of(story_of(many.lines))
    assert counts(of_file, viewer) == counts(whole, viewer)
    assert (counts(of_file, other).acted, counts(of_file, other).took_us) == (
        counts(whole, other).acted, counts(whole, other).took_us,
    )  # fmt: skip


def test_moments_of_a_view_hold_the_parts_that_it_has(many: Played) -> None:
    reader = Reader()
    for number, line in enumerate(many.lines, start=1):
        reader.take(number, line)
    parts = sum(len(each.parts) for each in seen_by(reader.moments, "south"))

    assert parts == sum(1 for _ in raw_parts(list(view_of(many.lines, "south"))))


def test_an_acknowledgement_that_a_change_takes_back_is_asked_for_again() -> None:
    story = story_of(played(AGAIN).lines)

    [conflict] = story.conflicts.values()
    took = [each.took_us for each in asks(conflict) if each.party == "north"]
    assert took == [4 * MINUTE_US, 11 * MINUTE_US]


# --- the page ---------------------------------------------------------------------------------


def page_of(files: Path, name: str, *words: str | Path) -> tuple[int, str]:
    output = files / "report.html"
    status, _ = run("record", "report", files / name, "--output", output, *words)
    return status, output.read_text(encoding="utf-8")


def words_of(page: str) -> str:
    return " ".join(" ".join(parsed(page).text).split())


@pytest.mark.parametrize("name", ["all.record", "south.record"])
def test_a_page_is_whole_runs_nothing_and_says_that_it_is_proven(files: Path, name: str) -> None:
    status, page = page_of(files, name, "--keys", files / "keys.json")
    elements = parsed(page)

    assert status == 0
    names = {each for each, _ in elements.seen}
    assert names.isdisjoint({"script", "img", "iframe", "object", "embed", "link", "form", "base"})
    assert not re.search(r"https?:|//[a-z]|@import|@font-face", page)
    closed = re.sub(r"<(meta|br|hr)([^>]*)>", r"<\1\2/>", page)
    ElementTree.fromstring(closed.removeprefix("<!doctype html>"))
    assert not re.search(r'[" ,LM](nan|inf|-inf)[" ,LM]', page)
    words = words_of(page)
    assert words.startswith("PROVEN: keepclear after-action report, exercise-east EXERCISE")
    assert '<div class="strip Exercise">EXERCISE' in page
    assert '<div class="proof PROVEN">PROVEN<' in page
    assert '@top-left { content: "EXERCISE"' in page
    assert "Absence of notification implies nothing" in words


def test_a_record_without_keys_says_on_top_that_it_is_not_proven(files: Path) -> None:
    status, page = page_of(files, "all.record")

    assert status == 3
    assert words_of(page).startswith("NOT PROVEN: ")
    assert "give --keys FILE with keys that did not come with this record" in page


@pytest.mark.parametrize("with_keys", [True, False])
def test_a_tampered_record_says_on_top_that_it_fails_and_why(files: Path, with_keys: bool) -> None:  # noqa: FBT001
    data = (files / "all.record").read_bytes()
    assert data.count(b'"number":3,') >= 1
    (files / "bad.record").write_bytes(data.replace(b'"number":3,', b'"number":9,', 1))
    keys = ("--keys", files / "keys.json") if with_keys else ()

    status, page = page_of(files, "bad.record", *keys)

    assert status == 1
    words = words_of(page)
    assert words.startswith("FAILS: keepclear")
    assert '@top-right { content: "FAILS"' in page
    assert "an entry before this one was changed" in words
    assert words.index("The first thing that does not hold") < words.index("Timeline")
    assert "LATE BIRD" in words  # what comes after it is told all the same
    status, said = run("record", "report", files / "bad.record", "--period", START,
                       "2015-10-06T00:00:00Z")  # fmt: skip
    assert (status, said.startswith("FAILS  ")) == (1, True)


def test_the_timeline_says_who_did_what_and_who_was_told_with_times(files: Path) -> None:
    _, page = page_of(files, "all.record")
    words = words_of(page)

    for said in (
        "06:20:00Z SOUTH, watch files south 1 south 1, version 1, filed: FL240 to FL260",
        "CONFLICT 1 of north 1 and south 1 is raised; south 1 must act (clause 3.1)",
        "(clause 3.1) south: notice 1 north: notice 1",
        "06:24:00Z NORTH, watch acknowledges conflict 1",
        'proposes in conflict 1 that south 1 goes 2 h later: "we fly after you"',
        "resolved: south 1 was changed, 06:41:00Z. NORTH accepts what was proposed in conflict 1.",
        "LATE by 3,540 s; it protects all the same",
        "notice 1 acknowledged 06:24:00Z, after 4 min",
        "notice 1 NOT ACKNOWLEDGED, but acted on 06:30:00Z",
        "NOT SETTLED at the end of the range: it is raised",
        "agreed as is",
        'SOUTH cancels south 3: "weather"',
        "Short by 1,000 ft vertically",
        "clause 5 of Memorandum on the prevention of accidents",
    ):
        assert said in words


def test_each_notice_of_the_record_stands_in_the_list_of_who_was_told_what(
    files: Path, many: Played
) -> None:
    _, page = page_of(files, "all.record")
    told = page.partition("Who was told what, under which clause")[2]
    rows = re.findall(r"<tr><td[^>]*>(\S+)</td><td[^>]*>(\w+)</td><td[^>]*>(\d+)</td>", told)
    of_record = [
        (to, str(value["number"])) for _, to, kind, value in raw_parts(many.lines)
        if kind == "notice/1"
    ]  # fmt: skip

    assert [(to, number) for _, to, number in rows] == of_record


def test_a_view_never_shows_what_it_does_not_hold(files: Path, many: Played) -> None:
    _, page = page_of(files, "south.record", "--keys", files / "keys.json")
    _, said = run("record", "report", files / "south.record", "--period", START,
                  "2015-10-06T00:00:00Z")  # fmt: skip
    _, whole = page_of(files, "all.record")

    south = (files / "south.record").read_bytes()
    for word in (*NORTHS_OWN, *hidden_ids(many)):
        assert word.encode() not in south
        assert word not in page
        assert word not in said
    assert all(word in whole for word in NORTHS_OWN)
    assert "not in its file" in said
    assert "What south may see, and nothing else" in page
    assert "NORTH, watch files" not in words_of(page)


def hidden_ids(many: Played) -> Iterator[str]:
    """Yield what stands for the operation that north filed late and south never met."""
    for _, to, kind, value in raw_parts(many.lines):
        if kind == "operation-filed/1" and value["operation"]["callsign"] == "LATE BIRD":
            assert to == "north"
            yield value["operation"]["id"][:8]


def test_a_map_shows_what_was_filed_and_what_was_shown_and_of_a_view_no_more(files: Path) -> None:
    page, parts = "", []
    for name, filed, shown in (("all.record", 9, 8), ("south.record", 4, 4)):
        lines = (files / name).read_bytes().splitlines()
        parts = list(raw_parts(lines))
        own = {v["operation"]["id"] for _, _, kind, v in parts if kind == "operation-filed/1"}
        seen = {
            v["other"]["id"] for _, _, kind, v in parts
            if kind == "notice/1" and v["other"]["box"] is not None
        }  # fmt: skip
        _, page = page_of(files, name)

        drawn = page.partition('aria-label="Map of the operations"')[2].partition("</svg>")[0]
        assert drawn.count('class="filed"') == len(own) == filed
        assert drawn.count('class="shown"') == len(seen) == shown
    box = next(v["other"]["box"] for _, _, kind, v in parts if kind == "notice/1")
    assert f"area {box['south_deg']:.3f} to {box['north_deg']:.3f} N" in page


def test_hostile_words_of_a_record_do_not_get_out_of_their_cell(files: Path) -> None:
    done = played(CROSS.replace("we fly after you", "<script>alert(1)</script>").replace(
        "TRAINER 11", '\\"><img src=x>'))  # fmt: skip
    write_record(files / "hostile.record", done.lines)

    _, page = page_of(files, "hostile.record")

    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize("status", ["Test", "Exercise"])
def test_the_status_is_marked_in_words_and_in_a_strip(files: Path, status: str) -> None:
    done = played(CROSS.replace("region = ", f'status = "{status}"\nregion = '))
    write_record(files / "x.record", done.lines)

    _, page = page_of(files, "x.record")

    assert f'<div class="strip {status}">{status.upper()}' in page
    assert f'content: "{status.upper()}"' in page


def test_a_part_of_a_kind_that_cannot_be_read_ends_the_report_and_says_so(files: Path) -> None:
    data = (files / "all.record").read_bytes()
    (files / "odd.record").write_bytes(data.replace(b'"must_act":', b'"must_eat":'))

    status, page = page_of(files, "odd.record")

    assert status == 1
    assert "The file cannot be read on from here" in page
    assert "FAILS" in page


def test_a_record_that_verifies_and_cannot_be_read_is_told(files: Path, many: Played) -> None:
    odd = resigned(
        many,
        lambda _s, _t, value: value.conflict if isinstance(value, ConflictChanged) else value,
    )
    write_record(files / "odd.record", odd.lines)
    (files / "odd.keys").write_bytes(encode(odd.keys) + b"\n")

    status, page = page_of(files, "odd.record", "--keys", files / "odd.keys")

    assert status == 2
    assert "PROVEN: " in words_of(page)
    assert "The file cannot be read on from here" in page


def test_each_side_has_a_column_of_what_it_was_told(files: Path) -> None:
    _, page = page_of(files, "all.record")

    first = page.partition("Who knew what, when")[2]
    assert 'north was told</th><th scope="col">south was told' in first
    assert (
        "<td><p>notice 1</p><p>acknowledged 06:24:00Z, after 4 min</p></td>"
        "<td><p>notice 1</p><p>NOT ACKNOWLEDGED, but acted on 06:30:00Z</p></td>"
    ) in first


def test_a_conflict_is_drawn_as_it_was_last_found() -> None:
    lines = played(AGAIN).lines
    [conflict] = story_of(lines).conflicts.values()
    south = next(each for each in conflict.sides if each is not None and each.party == "south")
    boxes = [
        v["other"] for _, to, kind, v in raw_parts(lines) if kind == "notice/1" and to == "north"
    ]

    assert south.version == 2
    assert boxes[0]["from_us"] != boxes[-1]["from_us"]
    assert conflict.boxes[south.id].from_us == boxes[-1]["from_us"]


# --- the command ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "--output is missing: name the page, as in report.html"),
        (("--output", "x.pdf"), "does not end in .html"),
        (("--output", "x.html", "--from", "yesterday"), "is not an RFC 3339 time"),
        (("--output", "x.html", "--from", "2015-10-05T06:00:00"), "has no zone"),
        (("--output", "x.html", "--from", START, "--to", START), "is not after"),
        (("--output", "x.html", "--from", "2020-01-01T00:00:00Z"), "is after the file's last part"),
        (("--output", "x.html", "--to", START), "is not after the file's first part"),
        (("--period", START, "2014-01-01T00:00:00Z"), "is not after"),
        (("--period", START, "2016-01-01T00:00:00Z", "--from", START), "leave --from and --to out"),
        (("--period", "2016-01-01T00:00:00Z", "2016-02-01T00:00:00Z"), "is after the file's last"),
        (("--output", "x.html", "--keys", "all.record"), "all.record"),
        (("--output", "nowhere/x.html"), "nowhere"),
    ],
    ids=str,
)
def test_bad_input_is_one_error_with_value_limit_and_way_out(
    files: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], why: str
) -> None:
    monkeypatch.chdir(files)

    status, said = run("record", "report", "all.record", *words)

    assert status == 2
    assert why in said
    assert len(said.strip().splitlines()) == 1
    assert not (files / "x.html").exists()


@pytest.mark.parametrize("text", ["", "hello\n", "{}\n"])
def test_what_is_no_record_is_refused(files: Path, text: str) -> None:
    (files / "x.record").write_text(text)

    status, said = run("record", "report", files / "x.record", "--output", files / "x.html")

    assert status == 2
    assert not (files / "x.html").exists()
    assert said.startswith("Error: ")


def test_the_period_goes_to_the_terminal_and_to_a_page(files: Path) -> None:
    output = files / "p.html"
    status, said = run(
        "record", "report", files / "all.record", "--keys", files / "keys.json", "--period",
        START, "2015-10-05T07:30:00Z", "--output", output,
    )  # fmt: skip
    words = words_of(output.read_text(encoding="utf-8"))

    assert status == 0
    assert said.startswith("PROVEN  ")
    assert "Its last part is of 2015-10-05T07:01:00Z: later ones may be missing" in said
    for line in said.splitlines():
        if re.match(r"  .*  \d+(?: |$)", line) and "x clause" not in line:
            assert " ".join(line.split()) in words


def test_two_reports_of_one_file_are_the_same(files: Path) -> None:
    assert page_of(files, "all.record") == page_of(files, "all.record")


@pytest.mark.slow
def test_a_browser_prints_the_report_on_sheets_that_carry_their_status(
    browser: str, files: Path
) -> None:
    page_of(files, "all.record", "--keys", files / "keys.json")
    paper, picture = files / "report.pdf", files / "report.png"
    for wanted in (f"--print-to-pdf={paper}", f"--screenshot={picture}"):
        subprocess.run(
            [browser, *BROWSER_FLAGS, f"--user-data-dir={files / 'profile'}", wanted,
             "--no-pdf-header-footer", (files / "report.html").as_uri()],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip

    assert paper.read_bytes().startswith(b"%PDF")
    assert picture.stat().st_size > SCREENSHOT_BYTES
