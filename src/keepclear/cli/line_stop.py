# SPDX-License-Identifier: Apache-2.0
"""`keepclear line stop`, `stops`, `renew` and `stop-end`: cease activity, our people are there.

What each will learn is printed before anything is signed. The exchange is asked nothing for that:
whose operations meet it is nobody's business who sends it.
"""

import time
from typing import TYPE_CHECKING, Any

import click

from keepclear.cli.desk import AtDesk, desk, home_option, one_of, stale_text
from keepclear.cli.key import BAD_INPUT, print_or_refuse
from keepclear.cli.line import LONGEST, party_of, refusing_values
from keepclear.cli.operation import place_options, volume_of

if TYPE_CHECKING:
    from keepclear.plans.stops import SendStop
    from keepclear.record.encoding import Signed
    from keepclear.record.entries import Part


@click.command()
@click.argument("to", metavar="TO[,TO...]")
@click.argument("text")
@place_options
@click.option("--language", default="en", show_default=True, help="In which TEXT is typed.")
@click.option("--yes", is_flag=True, help="Send it without being asked, as in a script.")
@home_option
def stop(to: str, text: str, language: str, home: str, *, yes: bool, **place: Any) -> int:  # noqa: ANN401 options of a place
    """Tell parties to cease activity in a volume: our people are there.

    What each will learn is printed first. It lasts at most 6 hours, from now where no --start is
    given; every 60 minutes you are asked whether it still holds. Operations of anybody that come
    within 5 km of it, upward and downward too, are told to keep out; where a clause of an
    agreement of yours names a larger distance, within that.

    \b
    Example:
      keepclear line stop south "Cease activity, our people are there." \\
        --circle 33.50,38.62 --radius "2 km" --lasts "2 h" --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.stops import SendStop

    if not 1 <= len(text.strip()) <= len(text) <= LONGEST:
        raise click.UsageError(f"TEXT: has {len(text)} characters, not 1 to {LONGEST:,}")

    def make() -> list[str]:
        where = volume_of(place | {"start": place["start"] or "+0 s"})
        with desk(home) as at:
            parties = tuple(dict.fromkeys(party_of(at, each) for each in to.split(",")))
            made = SendStop(to=parties, datum="WGS84", volume=where, text=text, language=language)
            stale = "" if at.is_apart else at.caught_up()
            click.echo("\n".join([*stale_text(stale), *_preview(at, made)]))
            if not (yes or click.confirm("Send it?")):
                return ["not sent"]
            return told(at, at.act("line.stop/1", made))

    return refusing_values(make)


@click.command()
@click.argument("own", metavar="ID")
@home_option
def renew(own: str, home: str) -> int:
    """Say that your STOP ID still holds.

    \b
    Example:
      keepclear line renew 1a2b3c4d --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.stops import RenewStop

    return _act(home, own, "line.stop-renew/1", RenewStop)


@click.command("stop-end")
@click.argument("own", metavar="ID")
@home_option
def stop_end(own: str, home: str) -> int:
    """End your STOP ID: nobody need keep out any more, and all who were told are told.

    \b
    Example:
      keepclear line stop-end 1a2b3c4d --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.stops import EndStop

    return _act(home, own, "line.stop-end/1", EndStop)


@click.command("stops")
@click.option("--all", "is_all", is_flag=True, help="Those that have ended, too.")
@home_option
def stops(home: str, *, is_all: bool) -> int:
    """List STOPs: those that you sent, those sent to you, and where you must keep out.

    Nothing is claimed by it: a STOP on the list was not displayed or acknowledged by that. Where
    the exchange cannot be asked, what is held here is shown, and said to be stale; the exit status
    is 2 then.

    \b
    Example:
      keepclear line stops --home south
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    stale: list[str] = []

    def make() -> list[str]:
        from keepclear.reports.stops_listed import stops_text

        with desk(home) as at:
            stale.extend(stale_text(at.caught_up()))
            picture = at.folder.picture(at.client.party)
            said = stops_text(picture, at.client.party, time.time_ns() // 1000, is_all=is_all)
            return [*stale, *said]

    return print_or_refuse(make) or (BAD_INPUT if stale else 0)


def _act(home: str, own: str, kind: str, payload: "type[Signed]") -> int:
    def make() -> list[str]:
        with desk(home) as at:
            at.client.catch_up()
            made = payload(id=own_id(at, own, is_sar=False))
            return told(at, at.act(kind, made))

    return print_or_refuse(make)


def own_id(at: AtDesk, given: str, *, is_sar: bool) -> str:
    """Return the id of the one own STOP, or SAR case, whose id begins so."""
    from keepclear.reports.stop_text import read_stops

    stops = read_stops(at.folder.lines()).stops.values()
    found = [each.id for each in stops if (each.sar is not None) is is_sar]
    return one_of(given, found, "SAR case" if is_sar else "STOP")


def told(at: AtDesk, parts: "tuple[Part, ...]") -> list[str]:
    """Return how a STOP or SAR case stands after an act; where it was signed apart, that it was."""
    import msgspec

    from keepclear.exchange.events import StopChanged
    from keepclear.reports.stop_text import stop_changed_text

    found = [
        msgspec.json.decode(each.data, type=StopChanged).stop
        for each in parts if each.kind == "stop-changed/1"
    ]  # fmt: skip
    return [stop_changed_text(found[-1])] if found else [at.told(parts)]


def _preview(at: AtDesk, made: "SendStop") -> list[str]:
    """Return what each will learn, before it is sent."""
    from keepclear.exchange.keep_outs import area_told
    from keepclear.exchange.stop_distance import known_stop_tmm
    from keepclear.plans.stops import stop_volume
    from keepclear.reports.play_values import day_of, listed
    from keepclear.reports.stop_text import area_rows, told_first

    now_us, party = time.time_ns() // 1000, at.client.party
    grown_tmm = known_stop_tmm(party, (part for _, part in at.folder.parts()))
    area = area_told(stop_volume(made.volume, now_us), grown_tmm)
    head = f"STOP to {listed(list(made.to))}"
    said = made.text, made.language
    return told_first(head, party, said, grown_tmm, *area_rows(area, day_of(now_us)))
