# SPDX-License-Identifier: Apache-2.0
"""Plays on the in-memory exchange, and the command that tells them."""

import re
from pathlib import Path
from typing import Final

import msgspec
import pytest

from keepclear.formats.play import read_play
from keepclear.plays.running import Played
from keepclear.record.encoding import decode, encode
from keepclear.record.entries import Entry
from keepclear.record.files import LONGEST_LINE, AnyLine, EntryLine, KeysFile
from keepclear.record.verification import verify
from keepclear.record.views import is_seen, view_of
from keepclear.reports.play_text import _counted, played_text
from tests.exchange_plays import EXAMPLES, example, played, unwrapped
from tests.test_cli_record import run

CROSS = "two_plans_cross.toml"
PLAYS: Final = (
    CROSS,
    "incident_case.toml",
    "line_outage.toml",
    *(f"plays/{each.name}" for each in sorted(EXAMPLES.glob("plays/*.toml"))),
)
ACT: Final = """
[[acts]]
at = "{at}"
by = "{by}"
does = "{does}"
operation = "{operation}"
"""
FILE: Final = (
    ACT
    + """area = "{area}"
start = "2015-10-05T09:10:00Z"
lasts = "2 h"
"""
)
CAPS: Final = (
    'decides = { kind = "caps", area_hours_km2h = 50000, day_area_hours_km2h = 500000, '
    'duration = "24 h", vertices = 500 }'
)
HIDDEN: Final = (
    FILE.format(at="42 min", by="north", does="file", operation="N2", area="elsewhere")
    + """count = {count}
callsign = "{callsign}"

[areas.elsewhere]
shape = {{ kind = "circle", centre = {place}, radius = "{radius}" }}
"""
)


def told(text: str, viewer: str | None = None) -> str:
    """Return a play as its story."""
    return played_text(read_play(text.encode(), "play"), played(text), viewer)


def without_others(data: bytes, viewer: str) -> bytes:
    """Return a line of an archive without what is for others."""
    line: AnyLine = decode(data, AnyLine, "line", LONGEST_LINE)  # type: ignore[arg-type]
    if not isinstance(line, EntryLine):
        return data
    entry = msgspec.json.decode(line.entry, type=Entry)
    leaves = tuple(leaf for leaf in entry.leaves if is_seen(leaf.audience, viewer))
    return encode(
        EntryLine(entry=msgspec.Raw(encode(msgspec.structs.replace(entry, leaves=leaves))))
    )


def test_two_plans_cross_is_the_whole_life_in_under_60_lines() -> None:
    text = example(CROSS)

    assert len(text.splitlines()) < 60
    story = told(text)
    for words in (
        "is in force: 22 clauses hold", "NORTH files N1, version 1: accepted",
        "CONFLICT 1: N1 and S1", "must act    S1, by clause 3.1",
        "told        PRIORITY: north (notice 1), south (notice 1)",
        "SOUTH proposes in conflict 1 that S1 goes 2 h later", "conflict 1 is resolved",
        "S1, version 2: accepted",
    ):  # fmt: skip
        assert words in story


@pytest.mark.parametrize("file", PLAYS)
def test_a_story_says_what_came_of_it_first_is_narrow_and_needs_no_ids(file: str) -> None:
    text = example(file)

    story = told(text)

    assert re.search("(conflict|message) 1", story.splitlines()[1])
    assert max(map(len, story.splitlines())) <= 80
    assert re.search(r"\b[0-9a-f]{8}\b", story) is None
    assert story.count("Absence of notification") == 1
    assert told(text) == story


@pytest.mark.parametrize("file", PLAYS)
def test_a_story_for_a_party_is_made_of_what_it_may_see_and_what_was_refused_to_it(
    file: str,
) -> None:
    text = example(file)
    play, done = read_play(text.encode(), "play"), played(text)

    for viewer in play.parties:
        own = tuple(act for act in play.acts if act.by == viewer)
        less = msgspec.structs.replace(play, note="", areas={}, agreement=None, acts=own)
        seen = Played(
            [without_others(line, viewer) for line in done.lines], KeysFile(), done.names,
            tuple(each for each in done.refused if each.act.by == viewer),
        )  # fmt: skip
        story = played_text(play, done, viewer)

        assert story == played_text(less, seen, viewer)
        for act in play.acts:
            if act.does == "file" and act.by != viewer:
                assert not re.search(rf"\b{act.operation}\b", story.partition("\n")[2])


def test_what_a_party_has_hidden_changes_no_byte_of_the_others_story() -> None:
    hidden = HIDDEN.format(place="[40.0, 20.0]", radius="9 NM", callsign="HIDDEN 7", count=7)
    other = HIDDEN.format(place="[41.5, 22.5]", radius="33 NM", callsign="SECRET 4", count=44)
    assert told(example(CROSS) + hidden) != told(example(CROSS) + other)

    south = told(example(CROSS) + hidden, "south")

    assert south == told(example(CROSS) + other, "south")
    for words in ("HIDDEN", "40.0", "9 NM", "7 craft", "N2"):
        assert words not in south


def test_a_refused_act_stands_in_its_place_and_names_what_it_was_about() -> None:
    text = example(CROSS).replace('at = "41 min"\nby = "north"', 'at = "41 min"\nby = "south"')
    text += ACT.format(at="50 min", by="north", does="end", operation="N1")

    story = told(text)

    refused = story.index("REFUSED: SOUTH accepts what was proposed in conflict 1")
    assert story.index("SOUTH proposes") < refused < story.index("NORTH ends N1")
    assert "is south's own" in story
    assert "REFUSED" not in told(text, "north")
    assert "REFUSED: SOUTH accepts what was proposed" in told(text, "south")


def test_an_acknowledgement_changes_nothing_and_nothing_is_said_to_have_changed() -> None:
    story = told(example(CROSS))

    after = story.partition("NORTH acknowledges conflict 1, having version 1\n")[2]
    assert after.splitlines()[0].strip() == "told  PRIORITY: north (notice 2), south (notice 2)"
    assert after.splitlines()[1].startswith("06:30:00Z")


def test_the_control_characters_of_a_party_do_not_reach_the_terminal() -> None:
    story = told(example(CROSS).replace("we fly after you", "\\u001b[2Jwe fly after you"))

    assert "\x1b" not in story
    assert "we fly after you" in unwrapped(story)


def test_a_party_acts_upon_the_version_it_names_or_that_of_its_latest_notice() -> None:
    change = FILE.format(at="50 min", by="north", does="change", operation="N1", area="coast")
    activate = ACT.format(at="51 min", by="south", does="activate", operation="S1")
    text = example(CROSS).partition('[[acts]]\nat = "24 min"')[0] + change + activate

    assert "SOUTH activates S1" in told(text)
    assert "REFUSED: SOUTH activates S1" in told(text + 'key = ["N1 v1"]\n')
    assert "REFUSED" not in told(text + 'key = ["N1 v2"]\n')
    assert "south holds no version, and north holds version 2" in unwrapped(
        told(text + "key = []\n")
    )


def test_an_act_signed_before_it_arrives_has_both_times_in_its_story() -> None:
    text = example(CROSS).replace('at = "24 min"', 'at = "24 min"\nsigned = "23 min 5 s"')

    assert "06:23:05Z by the sender's clock, 55 s before the exchange had it" in unwrapped(
        told(text)
    )
    assert "REFUSED" in told(text.replace("23 min 5 s", "25 min"))


def test_what_falls_due_and_an_operation_out_of_plan_are_told_once() -> None:
    begin = example(CROSS).partition('[[acts]]\nat = "24 min"')[0]
    over = '[[acts]]\nat = "9 h"\ndoes = "nothing"\n'
    airborne = ACT.format(at="3 h 5 min", by="north", does="airborne", operation="N1")

    story = unwrapped(told(begin + airborne + over))

    assert "N1 is nonconforming protects until 12:00Z, or until it is ended" in story
    assert "goes on, raised: URGENT: N1 is airborne without being activated" in story
    assert "N1 is over: its time has passed" in story
    assert story.count("conflict 1 is expired: S1 is over: its time has passed") == 1
    assert "is resolved" not in story
    assert story.count("from now on that it exists") == 2


def test_an_operation_that_is_back_in_its_plan_is_told_to_both() -> None:
    begin = example(CROSS).partition('[[acts]]\nat = "24 min"')[0]
    airborne = ACT.format(at="3 h 5 min", by="north", does="airborne", operation="N1")
    back = ACT.format(at="3 h 9 min", by="north", does="activate", operation="N1")

    story = unwrapped(told(begin + airborne + back + 'key = ["S1 v1"]\n'))

    assert "conflict 1 goes on: N1 is back in its plan" in story
    assert "told PRIORITY: north (notice 3), south (notice 3)" in story


def test_a_formation_is_one_operation_with_a_band_for_its_count() -> None:
    text = example(CROSS).replace('operation = "N1"', 'operation = "N1"\ncount = 2', 1)

    story = unwrapped(told(text.replace("count = 2", "count = 2\ncount_most = 4")))

    assert "craft 2 to 4 craft" in story
    assert "craft 2 craft" in unwrapped(told(text))
    with pytest.raises(ValueError, match="has a count of 2 to 1; give the larger last"):
        told(text.replace("count = 2", "count = 2\ncount_most = 1"))


def test_the_rate_of_filings_is_told_to_both_sides_and_names_no_place() -> None:
    text = example(CROSS).partition("[[acts]]")[0]
    for number in range(10):
        text += FILE.format(
            at=f"{number} min", by="north", does="file", operation=f"N{number}", area="valley"
        )

    for viewer in (None, "north", "south"):
        assert "north has filed 10 times within an hour" in told(text, viewer)
    assert "35.9000E" not in told(text, "south")


def test_a_play_that_goes_on_with_what_was_refused_is_refused_and_says_why() -> None:
    text = example(CROSS).replace('start = "2015-10-05T09:30', 'start = "2015-10-05T04:30')

    with pytest.raises(ValueError, match=r"acts\[2\].operation 'S1': was refused when"):
        played(text)


def test_all_areas_of_an_operation_are_told_and_protect() -> None:
    text = example(CROSS).replace('area = "valley"', 'area = ["valley", "coast"]')

    story = unwrapped(told(text))

    assert "circle, 20 NM (37.04 km) round 35.1000N 035.6000E" in story.partition("SOUTH files")[2]
    assert (
        "FL240 (24,000 ft, 7,315 m) to FL260 (26,000 ft, 7,925 m); "
        "FL200 (20,000 ft, 6,096 m) to FL280 (28,000 ft, 8,534 m)"
    ) in story
    assert "heights FL200 to FL280" in story.partition("north sees")[2]


@pytest.mark.parametrize("viewer", [None, "north", "south"])
def test_the_record_of_a_play_proves_what_is_told(viewer: str | None) -> None:
    done = played(example(CROSS))
    lines = done.lines if viewer is None else list(view_of(done.lines, viewer))

    found = verify(lines, done.keys)

    assert found.is_proven
    assert found.acts == {None: 6, "north": 5, "south": 5}[viewer]
    assert verify(lines, None).is_proven is False
    assert verify(lines, KeysFile(exchange=done.keys.exchange, documents=done.keys.documents))


def test_a_party_sees_nothing_of_the_others_acts_on_its_own_operation() -> None:
    south = told(example(CROSS), "south")

    assert "TRAINER 11" not in south
    assert "N1" not in south
    assert "NORTH files" not in south


def test_the_play_is_told_and_its_record_proven_by_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    status, said = run("play", EXAMPLES / CROSS, "--as", "south", "--record", "cross.record")

    assert status == 0
    assert "what south sees, and nothing else" in said
    assert run("record", "verify", "cross.record", "--keys", "cross.record.keys")[0] == 0
    assert run("record", "verify", "cross.record")[0] == 3
    assert run("play", EXAMPLES / CROSS, "--as", "east")[0] == 2


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (('does = "accept"', 'does = "target"'), "is nothing to do here; one of accept"),
        (('at = "24 min"', 'at = "2 min"'), "is before the act before it; order them by time"),
        (('by = "north"', 'by = "east"'), "is no party of the play; one of north, south"),
        (('area = "coast"', 'area = "sea"'), "is no area of the play; one of coast, valley"),
        (('title = "EX', 'titel = "EX'), "titel 'EXERCISE: two plans cross': is no field here"),
        (("[areas.coast]", "[areas.coast"), "play"),
        (('region = "exercise-east"', 'region = "East"'), "is no name of a region or party"),
        (('start = "2015', 'status = "Actual"\nstart = "2015'), "is no status of a play"),
        (('operation = "S1"', 'operation = "N1"'), "is filed already"),
        (('operation = "S1"', 'operation = "N and S"'), "has and in it"),
        (('conflict = "N1 and S1"', 'conflict = "N1"'), "is no pair"),
        (('conflict = "N1 and S1"', 'conflict = "N1 and S2"'), "is filed by no act before it"),
        (('moves = "S1"', ""), "is needed to propose"),
        (('moves = "S1"', 'moves = "S1"\ncount = 2'), "count '2': does nothing in propose"),
        (('moves = "S1"', 'moves = "S1"\nkey = ["N1"]'), "key"),
    ],
)
def test_a_play_with_a_fault_is_refused_with_its_place(change: tuple[str, str], why: str) -> None:
    text = example(CROSS)
    assert change[0] in text

    with pytest.raises(ValueError, match=why):
        read_play(text.replace(*change, 1).encode(), "play")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ('later = "-5 h"', "S1 goes 5 h earlier"),
        ('later = "+5 h"', "S1 goes 5 h later"),
        ('later = "-1 h -30 min"', "S1 goes 1 h 30 min earlier"),
        ('later = "-1 h 30 min"', "S1 goes -1 h 30 min later"),
        ('higher = "-2000 ft"', "S1 goes 2000 ft lower"),
        ('later = "2 h"\nhigher = "-2000 ft"', "S1 goes 2 h later and 2000 ft lower"),
        ('later = "soon"', "S1 goes soon later"),
        ('aside = "12 NM"\ntowards = "045"', "S1 goes 12 NM towards 045"),
    ],
)
def test_a_proposal_is_told_by_which_way_it_moves_an_operation(asked: str, said: str) -> None:
    text = example(CROSS).replace('later = "2 h"', asked)
    proposed = text.partition('does = "accept"')[0].rpartition("[[acts]]")[0]

    assert f"SOUTH proposes in conflict 1 that {said}" in unwrapped(told(proposed))


def test_how_urgently_both_sides_are_told_stands_where_it_is_not_routine() -> None:
    story = told(example(CROSS))

    assert "told        PRIORITY: north (notice 1), south (notice 1)" in story
    assert "told        north (notice 4), south (notice 4)" in story
    assert "told      URGENT: c (notice 5), b (notice 1)" in told(example("plays/il20_2018.toml"))


def test_the_cost_of_filings_is_told_only_where_an_agreement_asks_one() -> None:
    probing = example("plays/probing.toml")
    capless = probing.replace(
        '"day_area_hours_km2h = 500000" = "day_area_hours_km2h = 400"',
        f"'{CAPS}' = ''",
    )

    assert "took 374 km2h of its day." in unwrapped(told(probing))
    assert "beside what clauses showed it." in unwrapped(told(capless))


def test_how_conflicts_stand_is_said_state_by_state_however_many_there_are() -> None:
    few, many = (
        {f"conflict {n}": state for n in range(1, count)}
        for count, state in ((3, "raised"), (14, "raised"))
    )

    assert _counted(few, "conflict") == "conflict 1 and conflict 2 raised"
    assert _counted(many, "conflict") == "13 conflicts raised"
    assert _counted({**many, "conflict 1": "resolved"}, "conflict") == (
        "13 conflicts: 1 resolved, 12 raised"
    )


@pytest.mark.parametrize("file", PLAYS)
def test_what_each_notice_says_stands_after_an_empty_line(file: str) -> None:
    before = told(example(file)).partition("Each notice says")[0]

    assert before.endswith("\n\n")
