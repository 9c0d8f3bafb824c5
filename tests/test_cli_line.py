# SPDX-License-Identifier: Apache-2.0
"""`keepclear line` at two desks, typed and read as their officers do."""

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from keepclear.exchange.views import SAYS_NOTHING_ELSE
from keepclear.formats.wording import wording_in
from tests.desk_plays import CIRCLE, Desks, two_desks

CHECK = ("--template", "frequency-check")
SAYS = "Cease activity at 33.50N 038.62E, our people are there."


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    with two_desks(Path(tmp_path_factory.mktemp("line"))) as made:
        yield made


def sent(desks: Desks, who: str = "north", to: str = "south", *more: str) -> str:
    """Send a message and return its short id."""
    said = desks.run(who, "line", "send", to, SAYS, *more)
    found = re.search(r"message ([0-9a-f]{8}) from", said)
    assert found is not None
    return found[1]


def test_a_message_is_sent_read_acknowledged_answered_and_passed_on(desks: Desks) -> None:
    message = sent(desks, "north", "south", "--precedence", "urgent")
    assert "no deadline is agreed" in desks.run("north", "line", "show", message)

    read = desks.run("south", "line", "read", "--shown", "--person", "shift-lead")
    assert f"URGENT (PAN PAN)  message {message} from north, watch, to south, watch" in read
    assert f'"{SAYS}" (en)' in read
    assert SAYS_NOTHING_ELSE in read
    assert "acknowledged" in desks.run("south", "line", "ack", message)
    said = desks.run("south", "line", "answer", message, "wilco")
    assert "south, watch says WILCO" in said
    desks.run("south", "line", "disseminated", message, "1st battery", "2nd battery")

    shown = [desks.run(who, "line", "show", message) for who in ("north", "south")]
    for each in shown:
        steps = re.findall(r"^  (\w+) +\d\d:\d\d:\d\dZ", each, re.MULTILINE)
        assert steps == ["sent", "delivered", "displayed", "acknowledged", "disseminated"]
        assert "south, watch (shift-lead)" in each
        assert "told 1st battery and 2nd battery" in each
        assert len(re.findall(r" \+[\d.]+ ", each)) == 4
    assert shown[0] == shown[1]


def test_who_only_reads_claims_nothing(desks: Desks) -> None:
    message = sent(desks)

    assert message in desks.run("south", "line", "read")  # not at a terminal
    assert message in desks.run("south", "line", "read", "--not-shown")

    assert "delivered" not in re.findall(
        r"^  (\w+) +\d\d:", desks.run("north", "line", "show", message), re.MULTILINE
    )


def test_what_is_not_shown_to_a_person_is_not_acknowledged(desks: Desks) -> None:
    message = sent(desks)

    said = desks.run("south", "line", "ack", message, status=2)

    assert f"message '{message}': was not displayed at watch; read it at a terminal" in said
    shown = desks.run("south", "line", "show", message)
    assert re.findall(r"^  (\w+) +\d\d:", shown, re.MULTILINE) == ["sent"]
    desks.run("south", "line", "read", "--shown")
    shown = desks.run("south", "line", "ack", message)
    assert f"message {message} from north, watch, to south, watch: acknowledged" in shown


def test_the_unacknowledged_stand_first_the_most_urgent_before_the_rest(desks: Desks) -> None:
    desks.run("south", "line", "read", "--shown")
    order = [sent(desks, "north", "south", "--precedence", each) for each in ("check", "urgent")]
    distress = sent(desks, "north", "south", "--precedence", "distress")
    taken = sent(desks, "north", "south", "--precedence", "distress")
    desks.run("south", "line", "read", "--shown")
    desks.run("south", "line", "ack", taken)

    read, _, _ = desks.run("south", "line", "read").partition("stands above, and nobody")

    found = [each for each in re.findall(r"message ([0-9a-f]{8}) from", read)
             if each in {*order, distress, taken}]  # fmt: skip
    assert found == [distress, order[1], order[0], taken]
    assert f"DISTRESS (MAYDAY)  message {distress}" in read


def test_a_reply_names_what_it_is_about_and_a_wrong_one_is_refused(desks: Desks) -> None:
    message = sent(desks)
    desks.run("south", "line", "read")

    reply = sent(desks, "south", "north", "--reply-to", message)

    assert f"replies to  message {message}" in desks.run("north", "line", "show", reply)
    desks.run("south", "line", "send", "north", "x", "--reply-to", message, "--channel",
              "political", status=2)  # fmt: skip


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("answer", "ID", "unable"), "unable: give --why, too"),
        (("answer", "ID", "standby"), "standby: give --until, too"),
        (("answer", "ID", "standby", "--until", "0310"), "--until '0310': has no zone; write \"0"),
        (("answer", "ID", "objects", "--clause", "9"), "is none in force between north and south"),
        (("answer", "ID", "standby", "--until", "2020-01-01T00:00:00Z"), "is not after now"),
        (("ack", "ffff0000"), "begins 0 of"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(
    desks: Desks, words: tuple[str, ...], says: str
) -> None:
    message = sent(desks)
    desks.run("south", "line", "read", "--shown")
    typed = [message if each == "ID" else each for each in words]

    assert says in desks.run("south", "line", *typed, status=2)


def test_a_message_to_nobody_or_over_no_channel_is_refused(desks: Desks) -> None:
    assert "one of north, south" in desks.run("north", "line", "send", "west", "x", status=2)
    said = desks.run("north", "line", "send", "south", "x", "--channel", "chat", status=2)
    assert "send it over flight-safety or political" in said
    said = desks.run("north", "line", "send", "south", "x", "--post", "kitchen", status=2)
    assert "is no post of south" in said
    for text in ("", "  ", "x" * 2_001):
        said = desks.run("north", "line", "send", "south", text, status=2)
        assert f"TEXT: has {len(text)} characters, not 1 to 2,000" in said


def test_where_nothing_waits_over_a_channel_it_says_how_many_wait_over_others(
    desks: Desks,
) -> None:
    sent(desks)

    said = desks.run("south", "line", "read", "--channel", "politcal")

    assert re.search(r"no messages wait at this post over politcal; \d+ over flight-safety", said)


@pytest.mark.parametrize("place", [(), ("--position", "35-12.0N 034-54.0E", "--yes")])
def test_distress_that_gets_no_answer_says_to_call_by_another_way(
    desks: Desks, monkeypatch: pytest.MonkeyPatch, place: tuple[str, ...]
) -> None:
    refused = {httpx.codes.NOT_FOUND, httpx.codes.UNAUTHORIZED}
    with monkeypatch.context() as lost:
        lost.setattr("keepclear.client.acting.TRIES", 1)
        lost.setattr("keepclear.client.acting.ACTS", "/v1/nowhere")
        lost.setattr("keepclear.client.acting.COMES_AGAIN", refused)
        cry = ("line", "distress", "south", "MAYDAY, crew down", *place)
        said = desks.run("north", *cry, status=2)

    assert "call by another way, which keepclear line card --home" in said
    desks.run("north", "send-again")


def test_an_alarm_that_many_messages_push_off_the_screen_is_named_again_below_them(
    desks: Desks,
) -> None:
    cry = desks.run("north", "line", "distress", "south", "MAYDAY, crew down")
    [message] = re.findall(r"message ([0-9a-f]{8}) from", cry)
    for _ in range(6):
        sent(desks, "north", "south", "--precedence", "urgent")

    read = desks.run("south", "line", "read", "--shown").rstrip("\n").split("\n")

    above = [n for n, each in enumerate(read) if "stands above, and nobody has ack" in each][-1]
    assert any(f"DISTRESS (MAYDAY)  message {message} from" in each for each in read[above:])
    desks.run("south", "line", "ack", message)
    later = desks.run("south", "line", "read", "--shown")
    assert f"message {message}" not in later.partition("stands above, and nobody")[2]


def test_a_desk_of_another_status_lists_a_message_as_that_and_cannot_act_on_it(
    desks: Desks,
) -> None:
    message = sent(desks, "north", "south", "--precedence", "urgent")
    shutil.copytree(desks.folder / "south", desks.folder / "drill")
    settings = desks.folder / "drill" / "desk.json"
    settings.write_text(settings.read_text("utf-8").replace("Exercise", "Actual"), "utf-8")

    read = desks.run("drill", "line", "read", "--shown")

    assert "no messages wait at this post" in read
    of_others = read.partition("of another status than this desk, which is Actual:")[2]
    assert re.search(r"^  EXERCISE  DISTRESS|^  EXERCISE  URGENT", of_others, re.MULTILINE)
    said = desks.run("drill", "line", "ack", message, status=2)
    assert "is Exercise, and this desk is Actual; act on it at a desk that is Exercise" in said


def test_what_is_done_is_left_out_of_the_inbox_and_can_still_be_shown(desks: Desks) -> None:
    message = sent(desks)  # ROUTINE: for the post
    desks.run("south", "line", "read", "--shown")
    desks.run("south", "line", "ack", message)

    assert message not in desks.run("south", "line", "read")
    assert message in desks.run("south", "line", "read", "--all")
    assert message in desks.run("north", "line", "show", message)


# --- with deadlines that are agreed -----------------------------------------------------------


def agree(desks: Desks, urgent: str) -> None:
    """Let the two sign the template, with another deadline for URGENT, and carry it in."""
    run, file = desks.run, "mou.agreement"
    run("north", "key", "export", *(f"{p}-keys/{p}.keys.json" for p in ("north", "south")),
        "east/region.keys.json", "--output", "keys.json")  # fmt: skip
    run("north", "agreement", "new", "--template", "two-forces", "--party", "north=Party North",
        "--party", "south=Party South", "--from", "2015-10-01T00:00:00Z", "--until",
        "2098-10-01T00:00:00Z", "--output", "draft.toml")  # fmt: skip
    draft = desks.folder / "draft.toml"
    text = draft.read_text(encoding="utf-8")
    assert URGENT_AGREED in text
    draft.write_text(text.replace(URGENT_AGREED, urgent), encoding="utf-8")
    run("north", "agreement", "sign", "draft.toml", *signed("north", 1), "--output", file)
    for party, number in (("north", 2), ("south", 1), ("south", 2)):
        run(party, "agreement", "sign", file, *signed(party, number))
    for party in ("north", "south"):
        run(party, "agreement", "state", file, "line-checked", *signed(party, 1))
    carried = run("south", "agreement", "carry", file, "--with", key("south", 1), "--with",
                  key("south", 2))  # fmt: skip
    assert "it is in force" in carried


URGENT_AGREED = 'precedence = "URGENT", acknowledge = "5 min"'
WITHIN_S, LONGEST_S = 2, 30


def key(party: str, number: int) -> str:
    return f"{party}-keys/{party}.rep-{number}.private.json"


def signed(party: str, number: int) -> tuple[str, ...]:
    """Return the options of what a representative signs."""
    return "--party", party, "--keys", "keys.json", "--with", key(party, number)


@pytest.mark.slow
def test_a_deadline_that_passes_is_told_at_both_desks_and_goes_on_with_nobody_doing_anything(
    desks: Desks,
) -> None:
    agree(desks, URGENT_AGREED.replace("5 min", f"{WITHIN_S} s"))
    began_s = time.monotonic()
    message = sent(desks, "north", "south", "--precedence", "urgent")
    assert "acknowledged by" in desks.run("south", "line", "show", message)

    said: dict[str, str] = {}
    while len(said) < 2:
        assert time.monotonic() - began_s < LONGEST_S
        for who in {"north", "south"} - said.keys():
            shown = desks.run(who, "line", "show", message)
            if "the chain is at its end" in shown:
                said[who] = shown

    assert time.monotonic() - began_s >= 3 * WITHIN_S  # three posts
    for each in said.values():
        assert "OVERDUE     not acknowledged at watch by" in each
        assert "goes on to duty-officer" in each
        assert "is with     watch, duty-officer and representative of south" in each
    desks.run("south", "line", "read", "--shown")
    desks.run("south", "line", "ack", message)  # late, and taken all the same
    shown = desks.run("north", "line", "show", message)
    assert "acknowledged, not disseminated, OVERDUE since" in shown


def test_a_message_with_values_is_read_back_and_a_mismatch_is_shown_to_both(desks: Desks) -> None:
    message = sent(desks, "north", "south", "--precedence", "urgent", "--position",
                   "35-16.0N 040-05.0E", "--level", "FL240")  # fmt: skip
    read = desks.run("south", "line", "read", "--shown")
    assert (
        'position    35.26667N 040.08333E (typed "35-16.0N 040-05.0E" and known to 120 m)' in read
    )
    back = ("line", "readback", message, "--position")
    said = desks.run("south", *back, "35-16.0N 040-05.0E", "--level", "FL240", status=2)
    assert "cannot be read back before it is acknowledged" in said
    desks.run("south", "line", "ack", message)
    assert "is read back whole; give --level, too" in desks.run(
        "south", *back, "35-16.0N 040-05.0E", status=2
    )

    said = desks.run("south", *back, "35-21.0N 040-05.0E", "--level", "FL240", status=1)

    wrong = (
        "MISMATCH    position was sent as 35.26667N 040.08333E and read back as "
        "35.35000N 040.08333E, which is 9,246 m away; what was sent is known to within 120 m; "
        "by south, watch"
    )
    assert wrong in said
    assert f"{message} from north, watch, to south, watch: acknowledged, MISMATCH, not conf" in said
    shown = desks.run("north", "line", "show", message)
    assert wrong in shown
    desks.run("south", *back, "35.2667N 040.0833E", "--level", "fl 240")
    shown = desks.run("north", "line", "show", message)
    assert "read back, confirmed" in shown
    assert "read back   as it was sent, by south, watch" in shown


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--position", "33.50 38.62"), "position '33.50 38.62': does not say N or S, and E or W"),
        (("--level", "24000 ft"), "level '24000 ft': has no reference"),
        (("--time", "0310"), "time '0310': has no zone; write \"0310Z\" for 03:10 UTC"),
        (("--time", "2561Z"), "time '2561Z': is no time of a day"),
        (("--frequency", "132.005 MHz"), 'no frequency; write "CH 132.005"'),
    ],
)
def test_a_value_that_is_none_is_refused_before_anything_is_signed(
    desks: Desks, words: tuple[str, ...], says: str
) -> None:
    assert says in desks.run("north", "line", "send", "south", SAYS, *words, status=2)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("send", "south", "a\x1b[2J"), "text 'a\\x1b[2J': has a character that is not seen"),
        (("send", "south", "x", "--language", "english"), "language 'english': is no language of "),
        (("send", "south", "x", "--person", "Col. Smith"), 'digits, hyphens; as "shift-lead"'),
        (("disseminated", "ID", ""), "units[0] '': is empty; give it"),
        (("disseminated", "ID", "x" * 101), "xxx...': has more than 100 characters; give fewer"),
        (("check", "south", "--of", "a\nb"), "or a line break; type it without"),
    ],
)
def test_words_that_cannot_be_signed_are_refused_in_words_and_not_with_a_pattern(
    desks: Desks, words: tuple[str, ...], says: str
) -> None:
    message = sent(desks, "south", "north")
    typed = [message if each == "ID" else each for each in words]

    said = desks.run("north", "line", *typed, status=2)

    assert says in said
    assert "regex" not in said


def test_a_standby_until_a_time_of_day_is_until_then(desks: Desks) -> None:
    message, later = sent(desks), time.gmtime(time.time() + 3_600)
    desks.run("south", "line", "read", "--shown")

    said = desks.run(
        "south", "line", "answer", message, "standby", "--until", time.strftime("%H%MZ", later)
    )

    assert time.strftime("%H:%M:00Z", later) in said


def test_a_time_of_day_is_the_nearest_to_now(desks: Desks) -> None:
    hour_ago = time.gmtime(time.time() - 3_600)
    message = sent(desks, "north", "south", "--time", time.strftime("%H%MZ", hour_ago))

    shown = desks.run("north", "line", "show", message)

    assert time.strftime("time        %Y-%m-%dT%H:%M:00Z", hour_ago) in shown


def test_an_accident_is_told_with_three_things_and_what_is_known_later_is_added(
    desks: Desks,
) -> None:
    place = ("--time", "0310Z", "--place", "33.50N 038.62E")
    said = desks.run("north", "line", "accident", "south", *place, "--not-deliberate")
    found = re.search(
        r"URGENT \(PAN PAN\)  message ([0-9a-f]{8}) from north, watch, to south", said
    )
    assert found is not None
    message = found[1]
    assert "5.3 Intent: not deliberate" in said

    update = ("line", "accident", "south", "--update", message, "--what", "unmanned aircraft")
    said = desks.run("north", *update, "--injured", "0")

    assert f"replies to  message {message}" in said
    assert "Accident notice, continued" in said
    assert "14.7 Persons injured: 0" in said
    shown = desks.run("south", "line", "show", message, "--language", "ru")
    assert wording_in("ru").templates["accident-notice"].title in shown
    shown = desks.run("south", "line", "show", message, "--language", "ar")
    assert "\u2067\u20685.2\u2069 المكان: \u206833.50000N 038.62000E\u2069" in shown
    other = sent(desks)
    said = desks.run("north", "line", "accident", "south", "--update", other, "--injured", "1",
                     status=2)  # fmt: skip
    assert "is no notice of an accident; name one that was sent with accident-notice" in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "say --not-deliberate, or --not-known where that is so"),
        (
            ("--not-known", "--time", "0310Z"),
            "place '': is needed: a position; give it as \"33.50N",
        ),
        (("--update", "ffff0000"), "--update adds nothing yet; give what is known now"),
    ],
)
def test_what_an_accident_lacks_is_named(
    desks: Desks, words: tuple[str, ...], says: str
) -> None:  # fmt: skip
    assert says in desks.run("north", "line", "accident", "south", *words, status=2)


def test_a_template_is_sent_with_its_fields_its_precedence_and_no_text(desks: Desks) -> None:
    said = desks.run(
        "north", "line", "send", "south", "--template", "activity-notice", "--position",
        "35-16.0N 040-05.0E", "--field", "from=+10 min", "--field", "until=+2 h", "--field",
        "force=2nd brigade",
    )  # fmt: skip

    assert "PRIORITY  message" in said
    assert "1.1 Position: 35.26667N 040.08333E (35-16.0N 040-05.0E)" in said
    assert "1.6 Force: 2nd brigade" in said
    message = re.findall(r"message ([0-9a-f]{8}) from", said)[0]
    desks.run("south", "line", "read", "--shown")
    desks.run("south", "line", "ack", message)
    position = ("--position", "35-16.0N 040-05.0E")
    said = desks.run("south", "line", "readback", message, *position, status=2)
    assert "is read back whole; give --field from=... and --field until=..., too" in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--template", "notice"), "template 'notice': is none; one of activity-notice, closure"),
        (("--template", "stop", "--position", "33N 038E"), "an act of kind line.stop alone"),
        (CHECK, "frequency '': is needed: a frequency; give it as"),
        (("--template", "line-check", "--field", "number"), "is no NAME=VALUE"),
        (("--template", "line-check", "--level", "FL240"), "level '': is no field here"),
        ((*CHECK, "--frequency", "8 MHz", "--field", "frequency=8 MHz"), "is given twice"),
        ((), "TEXT: has 0 characters, not 1 to 2,000"),
    ],
)
def test_what_a_template_cannot_have_is_refused_before_anything_is_signed(
    desks: Desks, words: tuple[str, ...], says: str
) -> None:
    assert says in desks.run("north", "line", "send", "south", *words, status=2)


def test_templates_are_listed_with_their_fields_and_read_in_a_language(desks: Desks) -> None:
    assert " 7  lost-communications   Lost communications\n" in desks.run(
        "north", "line", "templates"
    )
    said = desks.run("north", "line", "templates", "frequency-check", "--language", "fr")
    assert '  frequency     frequency   needed  "121.5 MHz"' in said
    assert "  10.1 Fréquence: 121.500 MHz (121.5 MHz)" in said


def test_the_language_of_a_desk_is_a_setting(desks: Desks, tmp_path: Path) -> None:
    desks.run("north", "line", "send", "south", "--template", "line-check")
    file = tmp_path / "desk.toml"
    file.write_text('[line.read]\nlanguage = "tr"\n')

    assert "Hat kontrolü" in desks.run("south", "--config", str(file), "line", "read")


def test_lost_communications_says_which_input_makes_the_operation_contingent(
    desks: Desks,
) -> None:
    filed = desks.run("north", "operation", "file", *CIRCLE)
    found = re.search(r"operation ([0-9a-f]{8})", filed)
    assert found, filed
    own = found[1]
    words = ("line", "send", "south", "--template", "lost-communications", "--field",
             "time=0310Z", "--field")  # fmt: skip

    said = desks.run("north", *words, f"operation={own}")
    assert f"keepclear operation contingent {own}\n" in said
    assert "contingent" not in desks.run("north", *words, "operation=ffffffff")
    assert "keepclear operation contingent ID" in desks.run(
        "north", "line", "templates", "lost-communications"
    )
    desks.run("north", "operation", "activate", own)
    desks.run("north", "operation", "contingent", own)
    assert "operation contingent" not in desks.run("north", *words, f"operation={own}")


def test_distress_is_sent_with_two_words_and_taken_by_any_post(desks: Desks) -> None:
    sent = desks.run(
        "north", "line", "distress", "south", "Crew in the sea.", "--frequency", "121.5 MHz"
    )

    assert sent.startswith("DISTRESS (MAYDAY)  message ")
    assert '"Crew in the sea." (en)' in sent
    assert "frequency   121.500 MHz" in sent
    assert "DISTRESS (MAYDAY)" in desks.run("south", "line", "read", "--not-shown")
