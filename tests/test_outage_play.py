# SPDX-License-Identifier: Apache-2.0
"""The play of an outage: late entries, and a call of which there are two accounts."""

import pytest

from keepclear.detect.compiled import plain
from keepclear.errors import CallerError
from keepclear.exchange.audit import audit
from keepclear.record.verification import verify
from tests.exchange_plays import example, played
from tests.test_after_action_cases import words_of

PLAY = "line_outage.toml"


def test_the_report_says_of_calls_and_late_entries_what_the_story_says() -> None:
    done = played(example(PLAY))

    said = " ".join(words_of(done.lines).split())

    for words in (
        "logs call 1 with b", "annotates call 1", "No position was given before 08:05Z.",
        "LATE ENTRY", "said 2026-03-01 08:06:00Z by frequency 122.5, as b says, and keyed in later",
        "all 1 not signed; annotated by b",
    ):  # fmt: skip
        assert words in said
    assert verify(done.lines, done.keys).is_proven
    assert audit(done.lines, plain()).differences == ()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('when = "2026-03-01T08:05:00Z"\n', "", "means 'frequency 122.5': says nothing without"),
        ('when = "2026-03-01T08:04:00Z"', 'when = "at four"', "acts[4].when"),
        ('call = "the call"\nwords', 'call = "another"\nwords', "'another': is made by no act"),
        ('lasts = "3 min"\n', "", "acts[4].lasts '': is needed to log-call; give it"),
        ('words = "Gave', 'means = "x"\nwords = "Gave', "acts[4].means 'x': does nothing in log"),
    ],
)
def test_what_a_play_gets_wrong_about_them_is_named(old: str, new: str, says: str) -> None:
    text = example(PLAY)
    assert old in text

    with pytest.raises(CallerError) as fault:
        played(text.replace(old, new, 1))

    assert says in str(fault.value)
