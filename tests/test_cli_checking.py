# SPDX-License-Identifier: Apache-2.0
"""What a post types before it files: what a plan would meet, and what answers cover."""

import re

import pytest

from tests.desk_plays import CIRCLE, CORRIDOR, Desks

pytestmark = pytest.mark.slow


def test_a_plan_is_checked_against_what_is_known_and_filing_alone_answers_the_rest(
    desks: Desks,
) -> None:
    theirs = desks.filed("north", *CORRIDOR)
    said = desks.run("south", "operation", "check", *CIRCLE)
    assert said.startswith("0 found in conflict and 0 of which too little was shown, among what")
    assert "Compared with 0 operations of your own and 0 of others" in said
    assert "only filing answers against that" in said
    assert "no operations" in desks.run("south", "operation", "list")

    ours = desks.filed("south", *CIRCLE)

    said = desks.run("south", "operation", "check", *CIRCLE, status=1)
    assert f"CONFLICT with your own {ours}\n  breaks      the house rule: 0 m laterally" in said
    assert re.search(rf"UNDETERMINED with {theirs} of north\n  compared    not at all: no pl", said)
    assert "1 found in conflict and 1 of which too little was shown" in said
    said = desks.run("south", "operation", "check", "--instead-of", ours, *CIRCLE, status=1)
    assert "your own" not in said.partition("Compared with")[0]
    assert "begins 0 of 1 ids" in desks.run(
        "south", "operation", "check", "--instead-of", theirs, *CIRCLE, status=2
    )


def test_what_answers_cover_is_told_and_for_a_force_that_nobody_lists(desks: Desks) -> None:
    said = desks.run("south", "answers-for", "Auxiliaries")

    assert said.startswith("region exercise-east, ")
    assert "not covered:\n  Craft of anybody who has not filed them here" in said
    assert "parties: north, south\nby the house rule, 5 NM or 1000 ft: north\n" in said
    assert "nobody answers for Auxiliaries\n" in said
    assert "Absence of notification implies nothing" in said
