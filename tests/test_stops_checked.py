# SPDX-License-Identifier: Apache-2.0
"""What a check before filing says of STOPs: all that its party was told of, and nothing else."""

from random import Random

from keepclear.exchange.checking import Asked, Checked, checked
from keepclear.exchange.keep_outs import area_of
from keepclear.plans.filing import FiledVolume
from keepclear.plays.stage import Stage
from keepclear.record.headers import Status
from keepclear.reports.checked_text import checked_text
from tests.exchange_plays import unwrapped
from tests.incident_plays import file, filed, staged, volume
from tests.stop_plays import end, must_keep_out, small, stop


def checks(stage: Stage, party: str, where: FiledVolume) -> Checked:
    """Check a plan of a party."""
    return checked(stage.exchange.to_check(party, Asked(filed(where), Status.EXERCISE))).value


def test_a_check_before_filing_says_where_a_plan_would_have_to_keep_out() -> None:
    stage = staged("a", "b", "c")
    made = stop(stage, "b")
    meets, beside = (checks(stage, "b", place) for place in (small(35.0), small(36.0)))

    assert meets.keep_out == (area_of(made),)
    assert beside.keep_out == ()
    assert checks(stage, "c", small(35.0)).keep_out == ()  # c was told of nothing yet
    text = unwrapped(checked_text(meets))
    assert "MUST KEEP OUT: a STOP that you were told of" in text
    assert "must keep out of 1 area; 0 found in conflict" in text
    file(stage, "c", small(35.0))
    assert checks(stage, "c", small(35.0)).keep_out == (area_of(made),)  # and now for its own
    end(stage, made)
    assert checks(stage, "b", small(35.0)).keep_out == ()


def test_what_filing_tells_a_named_party_to_keep_out_of_its_check_has_found() -> None:
    met = 0
    for number in range(40):
        by = Random(number)
        stage = staged("a", "b")
        stop(stage, "b", radius=f"{by.randint(1, 20)} km", minutes=200)
        place = volume(
            latitude=35 + by.uniform(-0.6, 0.6), radius=f"{by.randint(1, 30)} km",
            start=by.randint(10, 220), minutes=by.randint(5, 200),
        )  # fmt: skip

        found = checks(stage, "b", place)
        made = file(stage, "b", place)

        met += must_keep_out(stage, made.id)
        assert found.keep_out or not must_keep_out(stage, made.id), number
    assert 5 < met < 35
