# SPDX-License-Identifier: Apache-2.0
"""What a SAR case passes: each cap, suspension, mandate, clock and rate, one after another."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from keepclear.agreement.clauses import Caps, Channels, Precedence
from keepclear.agreement.emergencies import Phase
from keepclear.exchange.operations import Refused
from keepclear.line.messages import FLIGHT_SAFETY, POLITICAL
from keepclear.plans.sar import ChangePhase, CloseSar, Known, RenewSar, UpdateSar
from keepclear.plays.stage import YEAR_US
from keepclear.record.encoding import Signed, encode
from keepclear.record.faults import NotProven, RecordError
from keepclear.record.signers import OF_DISTRESS, SAR
from keepclear.server import app
from tests.agreement_plays import clause
from tests.incident_plays import HOUR_US, MINUTE_US, refusal
from tests.message_plays import SECOND_US, at_line, line_agreement, sending, wait
from tests.record_plays import START_US
from tests.sar_plays import CRY, cry, opening, where
from tests.stop_plays import at_stop, calling, message_of, stop
from tests.test_asking import reached, served, signed_in  # noqa: F401 a fixture
from tests.test_messages import check, suspend
from tests.test_writer import WAIT_S, Served

KINDS = tuple(f"{each}/1" for each in SAR)


def payload_of(kind: str, case: str) -> Signed:
    """Return what an act of a kind says of a case."""
    made: dict[str, Callable[[], Signed]] = {
        "sar.open/1": opening,
        "sar.update/1": lambda: UpdateSar(
            id=case, where=where(35.1), known=Known(), text=CRY, language="en"
        ),
        "sar.phase/1": lambda: ChangePhase(
            id=case, phase=Phase.INCERFA, text=CRY, language="en"
        ),
        "sar.renew/1": lambda: RenewSar(id=case, lasts="6 h"),
        "sar.close/1": lambda: CloseSar(id=case),
    }  # fmt: skip
    return made[kind]()


def test_every_act_of_a_case_is_distress_and_nothing_else_is() -> None:
    assert {"distress", "sar.open", "sar.update", "sar.phase", "sar.renew", "sar.close"} == (
        OF_DISTRESS
    )


def test_it_passes_the_cap_of_area_hours_for_one_and_shows_what_it_takes() -> None:
    stage = at_line()
    assert "above 50,000 km2h" in refusal(stage, "a", "line.stop/1", calling(radius="200 km"))

    made = cry(stage, where=where(radius="200 km", lasts="6 h"))

    assert made.takes_km2h > 50_000


def test_it_passes_the_cap_that_a_clause_sets_for_a_day() -> None:
    agreed = line_agreement()
    small = Caps(
        area_hours_km2h=30_000, day_area_hours_km2h=30_000, duration_us=12 * HOUR_US, vertices=100
    )  # fmt: skip
    stage = at_line(replace(agreed, clauses=(*agreed.clauses, clause("9.1", "Caps.", small))))
    taken = [cry(stage).takes_km2h for _ in range(6)]

    assert sum(taken) > 30_000
    stop(stage, minutes=20)  # and what a case takes counts with no STOP


def test_it_passes_how_many_stops_a_party_may_have_and_counts_with_none() -> None:
    stage = at_line()
    for _ in range(4):
        stop(stage, minutes=10)
    assert "4 is the most at a time" in refusal(stage, "a", "line.stop/1", calling())

    for _ in range(6):
        cry(stage)

    stage = at_line()
    for _ in range(6):
        cry(stage)
    assert stop(stage, minutes=10).sar is None


@pytest.mark.parametrize("party", ["a", "b"])
def test_it_passes_a_channel_that_is_not_open_and_an_agreement_that_is_suspended(
    party: str,
) -> None:
    made = line_agreement(clauses=(clause("3", "Politics.", Channels(channels=(POLITICAL,))),))
    for is_suspended in (False, True):
        stage = at_line(made)
        said = refusal(stage, "a", "line.stop/1", calling())
        assert "has no channel flight-safety" in said
        if is_suspended:
            suspend(stage, made)

        case = cry(stage, "b" if party == "a" else "a", party=party)

        told = message_of(stage, case, case.to[0])
        assert (told.channel, told.precedence) == (FLIGHT_SAFETY, Precedence.DISTRESS)


@pytest.mark.parametrize("kind", KINDS)
def test_it_passes_mandates_that_have_expired(kind: str) -> None:
    stage = at_line()
    stage.clock.move_to(START_US + 2 * YEAR_US)
    with pytest.raises(NotProven, match="has no mandate for line"):
        stage.submit("a", "line.stop/1", calling("c"))
    case = cry(stage, "c")

    payload = payload_of(kind, case.id)
    stage.submit("a", kind, payload if kind != "sar.open/1" else opening("c"))

    check(stage)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("off_s", [-100_000, -7_200, 60, 7_200, 100_000])
def test_it_passes_the_check_of_clocks_and_lasts_by_that_of_the_exchange(
    kind: str, off_s: int
) -> None:
    stage = at_line()
    case = cry(stage)
    signed_us = START_US + off_s * SECOND_US
    with pytest.raises(RecordError):
        stage.submit("a", "line.send/1", sending(), signed_us=signed_us)

    stage.submit("a", kind, payload_of(kind, case.id), signed_us=signed_us)

    for each in stage.exchange.world.stops.values():
        assert each.volume.start_us == START_US
        assert each.volume.end_us > START_US
    check(stage)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_still_signed_by_a_key_that_is_known(kind: str) -> None:
    stage = at_line()
    case = cry(stage)
    envelope = stage.envelope("a", kind, payload_of(kind, case.id))
    forged = replace(envelope, signatures=(replace(envelope.signatures[0], sig=bytes(64)),))

    with pytest.raises(RecordError):
        stage.exchange.submit(forged, "a")


@pytest.mark.parametrize("kind", KINDS)
def test_an_act_that_comes_again_after_days_is_not_done_twice(kind: str) -> None:
    # clocks are not asked, so whoever kept one could move a case back to where they were
    stage = at_line()
    case = cry(stage)
    envelope = stage.envelope("a", kind, payload_of(kind, case.id))
    stage.exchange.submit(envelope, "a")
    for hour in range(1, 50):
        wait(stage, hour * 60 * MINUTE_US)
        if kind != "sar.close/1":
            stage.submit("a", "sar.renew/1", RenewSar(id=case.id, lasts="6 h"))
    before = stage.exchange.world.hash

    with pytest.raises(Refused, match=r"was taken before|has ended"):
        stage.exchange.submit(envelope, "a")

    assert stage.exchange.world.hash == before
    assert at_stop(stage, case).is_protecting is (kind != "sar.close/1")


# --- the server ------------------------------------------------------------------------------


@pytest.mark.slow
def test_it_passes_the_rate_of_its_party_over_http_and_nothing_else_does(
    served: Served,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app, "ACTS_AT_ONCE", 1.0)
    monkeypatch.setattr(app, "ACTS_A_SECOND", 0.001)
    with reached(served) as http:
        ours = signed_in(http, served, "a")

        def code(kind: str, payload: Signed) -> int:
            envelope = served.stage.envelope("a", kind, payload)
            return http.post("/v1/acts", content=encode(envelope), headers=ours).status_code

        assert [code("line.send/1", sending()) for _ in range(3)] == [200, 429, 429]
        assert code("sar.open/1", opening()) == 200
        [case] = cases(served)
        assert [code(kind, payload_of(kind, case)) for kind in KINDS] == [200] * 5
        assert code("line.stop/1", calling()) == 429


@pytest.mark.slow
def test_it_needs_no_token_over_http(served: Served) -> None:  # noqa: F811
    with reached(served) as http:

        def code(kind: str, payload: Signed) -> int:
            envelope = served.stage.envelope("a", kind, payload)
            return http.post("/v1/acts", content=encode(envelope)).status_code

        assert code("sar.open/1", opening()) == 200
        [case] = cases(served)
        assert [code(kind, payload_of(kind, case)) for kind in KINDS] == [200] * 5
        assert code("line.stop/1", calling()) == 401


@pytest.mark.slow
def test_mandates_that_have_expired_and_a_clock_that_is_off_stop_it_nowhere_over_http(
    served: Served,  # noqa: F811
) -> None:
    stage = served.stage
    stage.clock.move_to(stage.clock.now_us() + 2 * YEAR_US)
    signed_us = stage.clock.now_us() - 90_000 * SECOND_US
    with reached(served) as http:
        for kind in KINDS:
            case = next(iter(cases(served)), "")
            envelope = stage.envelope("a", kind, payload_of(kind, case), signed_us=signed_us)

            assert http.post("/v1/acts", content=encode(envelope)).status_code == 200


def cases(served: Served) -> list[str]:  # noqa: F811
    """Return the ids of the cases that a node holds."""
    return served.writer.read(lambda exchange: list(exchange.world.stops)).result(WAIT_S)
