# SPDX-License-Identifier: Apache-2.0
"""The last picture of a party has the STOPs and keep outs that stand, and none that is over."""

import html
import re

import msgspec

from keepclear.exchange.last_picture import last_picture, standing
from keepclear.plays.stage import Stage
from keepclear.record.entries import Part
from keepclear.record.headers import Status
from keepclear.reports.snapshot_html import snapshot_html
from tests.incident_plays import file, leaves_seen
from tests.message_plays import at_line
from tests.restored_stages import restore
from tests.sar_plays import close, cry
from tests.stop_plays import end, small, stop


def page_of(stage: Stage, party: str) -> str:
    """Return the words of the last picture of a party."""
    leaves = leaves_seen(stage, party)
    held = [(each, msgspec.json.decode(each.part, type=Part)) for each in leaves]
    notes = {
        name: stage.exchange._kept.ledger.signed_checkpoint(name, stage._own.name, stage._signer)
        for name in {each.audience for each in leaves}
    }
    last = last_picture(held, notes, party, Status.EXERCISE, stage.clock.now_us())
    shown = [msgspec.json.decode(each.part, type=Part) for each in last.shown]
    page = snapshot_html(last, standing(party, shown))
    return html.unescape(re.sub(r"<[^>]+>", "\n", page))


def test_a_picture_says_where_to_keep_out_until_the_stop_has_ended() -> None:
    stage = at_line()
    old = file(stage, "c", small(35.0))
    made = stop(stage)
    stage.exchange.beat()

    assert f"KEEP OUT: operation {old.id[:8]}" in page_of(stage, "c")
    assert "STOP, in force" in page_of(stage, "b")
    assert f"STOP {made.id[:8]} to b is in force" in page_of(stage, "a")
    assert "KEEP OUT" not in page_of(stage, "a")

    restore(stage, stage.lines)
    assert f"KEEP OUT: operation {old.id[:8]}" in page_of(stage, "c")
    assert f"STOP {made.id[:8]} to b is in force" in page_of(stage, "a")

    end(stage, made)
    stage.exchange.beat()
    for party in "abc":
        assert "Keep out" not in page_of(stage, party)


def test_a_picture_says_where_to_keep_out_until_a_sar_case_is_closed() -> None:
    stage = at_line()
    old = file(stage, "c", small(35.0))
    made = cry(stage)
    stage.exchange.beat()

    assert f"KEEP OUT: operation {old.id[:8]}" in page_of(stage, "c")
    assert "SAR, DETRESFA (distress), persons in danger; in force" in page_of(stage, "b")
    assert f"SAR case {made.id[:8]} (DETRESFA, persons) to b is in force" in page_of(stage, "a")
    assert "DETRESFA" not in page_of(stage, "c")

    close(stage, made)
    stage.exchange.beat()
    for party in "abc":
        assert "Keep out" not in page_of(stage, party)
