# SPDX-License-Identifier: Apache-2.0
"""`keepclear line sar`: somebody is in danger here; who helps is told, and all others keep out.

What each will learn is printed before anything is signed, made of what was typed alone: nothing is
asked for that where a party is named, so it costs no time.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from keepclear.cli.desk import AtDesk, desk, home_option, stale_text
from keepclear.cli.key import BAD_INPUT, print_or_refuse
from keepclear.cli.line import LONGEST, cried, party_of, refusing_values
from keepclear.cli.line_stop import own_id, told
from keepclear.cli.line_values import time_typed, value_options
from keepclear.cli.operation import SHAPES, area_options, shape_of

if TYPE_CHECKING:
    from keepclear.plans.sar import Known, OpenSar, UpdateSar, Where
    from keepclear.plans.stops import Stop
    from keepclear.record.encoding import Signed

Command = TypeVar("Command", bound=Callable[..., Any])
PHASES: Final = ("INCERFA", "ALERFA", "DETRESFA")
IN_DANGER: Final = ("aircraft", "vessel", "persons")
OPTIONS: Final = (
    click.option("--within", metavar="DISTANCE",
                 help='How far from --position they may be: "2 NM".  [default: its last digit]'),
    click.option("--lasts", default="6 h", show_default=True,
                 help="For how long others keep out; renewing it begins that anew."),
    click.option("--language", default="en", show_default=True, help="In which TEXT is typed."),
    click.option("--yes", is_flag=True, help="Send it without being asked."),
)  # fmt: skip
what_option = click.option(
    "--what", type=click.Choice(IN_DANGER), default="persons", show_default=True,
    help="What is in danger.",
)  # fmt: skip


def sar_options(command: Command) -> Command:
    """Give a command the options for where somebody is in danger."""
    for each in (*reversed(OPTIONS[1:]), area_options, OPTIONS[0], value_options):
        command = each(command)
    return command


@click.group()
def sar() -> None:
    """Open a SAR case, say where they are now, change its phase, renew it and close it.

    Those named are told where and what; all others learn to keep out, and not why. No limit,
    suspension, mandate or clock refuses it. Of each change those named get a message of its own.

    \b
    In short:
      keepclear line distress south "Crew in the sea." --position "35-12.0N 034-54.0E"
      keepclear line sar update ID "Drifting east." --position "35-12.5N 034-57.0E"
      keepclear line sar renew ID
      keepclear line sar close ID
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character


@sar.command("open")
@click.argument("to", metavar="TO[,TO...]")
@click.argument("text")
@click.option("--phase", type=click.Choice(PHASES, case_sensitive=False), required=True,
              help="INCERFA uncertainty, ALERFA alert, DETRESFA distress.")  # fmt: skip
@what_option
@sar_options
@home_option
def open_case(to: str, text: str, phase: str, what: str, home: str, **given: Any) -> int:  # noqa: ANN401 options of a place
    """Open a SAR case in a phase; of DETRESFA keepclear line distress does the same.

    \b
    Example:
      keepclear line sar open south "No call since 0310Z." --phase ALERFA --what aircraft \\
        --position "33-30.0N 038-37.0E" --within "10 NM" --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    return send_case(to, text, phase, what, home, given)


def send_case(to: str, text: str, phase: str, what: str, home: str, given: dict[str, Any]) -> int:
    """Open a case: print what each will learn, ask once, send it."""
    from keepclear.agreement.emergencies import InDanger, Phase
    from keepclear.exchange.stop_distance import known_stop_tmm
    from keepclear.plans.sar import OpenSar
    from keepclear.record.headers import is_name
    from keepclear.reports.stop_text import phase_text

    _check_text(text)

    def make() -> list[str]:
        where, known = _where(given), _known(given)
        with desk(home) as at:
            named = [each.strip() for each in to.split(",")]
            parties = [each if is_name(each) else party_of(at, each) for each in named]
            made = OpenSar(
                to=tuple(dict.fromkeys(parties)), phase=Phase(phase.upper()), what=InDanger(what),
                where=where, known=known, text=text, language=given["language"],
            )  # fmt: skip
            head = f"SAR case, {phase_text(made.phase)}, {what} in danger"
            grown_tmm = known_stop_tmm(at.client.party, (part for _, part in at.folder.parts()))
            return _sent(at, "sar.open/1", made, head, made.to, grown_tmm, is_yes=given["yes"])

    return refusing_values(make)


@sar.command()
@click.argument("own", metavar="ID")
@click.argument("text")
@sar_options
@home_option
def update(own: str, text: str, home: str, **given: Any) -> int:  # noqa: ANN401 options of a place
    """Say where they are now; it replaces all that was said of it before.

    \b
    Example:
      keepclear line sar update 1a2b3c4d "Drifting east, 2 kt." \\
        --position "35-12.5N 034-57.0E" --within "1 NM" --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.sar import UpdateSar
    from keepclear.reports.stop_text import own_name

    _check_text(text)

    def make() -> list[str]:
        where, known = _where(given), _known(given)
        with desk(home) as at:
            case = own_id(at, own, is_sar=True)
            made = UpdateSar(
                id=case, where=where, known=known, text=text, language=given["language"]
            )  # fmt: skip
            stands = _own_cases(at)[case]
            head = f"{own_name(stands)}, where they are now"
            to, grown_tmm = stands.to, stands.grown_tmm  # as it was opened with
            return _sent(at, "sar.update/1", made, head, to, grown_tmm, is_yes=given["yes"])

    return refusing_values(make)


@sar.command()
@click.argument("own", metavar="ID")
@click.argument("to_phase", metavar="PHASE", type=click.Choice(PHASES, case_sensitive=False))
@click.argument("text", metavar="WHY")
@click.option("--language", default="en", show_default=True, help="In which WHY is typed.")
@home_option
def phase(own: str, to_phase: str, text: str, language: str, home: str) -> int:
    """Change the phase of case ID, up or down: INCERFA, ALERFA or DETRESFA.

    \b
    Example:
      keepclear line sar phase 1a2b3c4d DETRESFA "Wreckage seen." --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.agreement.emergencies import Phase
    from keepclear.plans.sar import ChangePhase

    _check_text(text)
    return _act(home, own, "sar.phase/1", lambda case: ChangePhase(
        id=case, phase=Phase(to_phase.upper()), text=text, language=language
    ))  # fmt: skip


@sar.command()
@click.argument("own", metavar="ID")
@click.option("--lasts", default="6 h", show_default=True, help="For how long from now.")
@home_option
def renew(own: str, lasts: str, home: str) -> int:
    """Say that case ID goes on; asked for every 60 minutes.

    \b
    Example:
      keepclear line sar renew 1a2b3c4d --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.sar import RenewSar

    return _act(home, own, "sar.renew/1", lambda case: RenewSar(id=case, lasts=lasts))


@sar.command()
@click.argument("own", metavar="ID")
@home_option
def close(own: str, home: str) -> int:
    """Close case ID: nobody need keep out any more, and all who were told are told.

    \b
    Example:
      keepclear line sar close 1a2b3c4d --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.sar import CloseSar

    return _act(home, own, "sar.close/1", lambda case: CloseSar(id=case))


@sar.command()
@click.argument("own", metavar="ID", required=False)
@home_option
def show(own: str | None, home: str) -> int:
    """Print the SAR cases of this party that stand, or case ID, with how far each was told.

    Cases of others that this party was told of stand below. Where the exchange cannot be asked,
    what is held here is shown, and said to be stale; the exit status is 2 then.

    \b
    Example:
      keepclear line sar show --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.reports.sar_text import cases_text

    stale: list[str] = []

    def make() -> list[str]:
        with desk(home) as at:
            stale.extend(stale_text(at.caught_up()))
            cases = list(_own_cases(at).values())
            if own is not None:
                wanted = own_id(at, own, is_sar=True)
                cases = [each for each in cases if each.id == wanted]
            else:
                cases = [each for each in cases if each.is_protecting]
            messages = at.folder.picture(at.client.party).messages
            others = () if own is not None else tuple(
                each for each in messages.values()
                if each.receiver == at.client.party and each.has_stop
                and each.stop is not None and each.stop.sar is not None
            )  # fmt: skip
        return [*stale, *cases_text(cases, messages, others, _now_us())]

    return print_or_refuse(make) or (BAD_INPUT if stale else 0)


def _act(home: str, own: str, kind: str, payload: "Callable[[str], Signed]") -> int:
    def make() -> list[str]:
        with desk(home) as at:
            return told(at, cried(at, kind, payload(own_id(at, own, is_sar=True))))

    return refusing_values(make)


def _own_cases(at: AtDesk) -> "dict[str, Stop]":
    """Return the SAR cases of this party, by id, as far as they are held."""
    from keepclear.reports.stop_text import read_stops

    stops = read_stops(at.folder.lines()).stops
    return {own: each for own, each in stops.items() if each.sar is not None}


def _check_text(text: str) -> None:
    if not 1 <= len(text.strip()) <= len(text) <= LONGEST:
        raise click.UsageError(f"TEXT: has {len(text)} characters, not 1 to {LONGEST:,}")


def has_place(given: dict[str, Any]) -> bool:
    """Tell whether options say where."""
    return bool(given["position"]) or any(given[each] for each in SHAPES)


def _where(given: dict[str, Any]) -> "Where":
    """Return where to keep out: the area of the options, or round the position."""
    from keepclear.airspace.places import parse_place
    from keepclear.plans.filing import FiledCircle
    from keepclear.plans.sar import Where
    from keepclear.units import parse_length_tmm

    if not has_place(given):
        raise click.UsageError('--position: say where, as "35-12.0N 034-54.0E", or give an area')
    if any(given[each] for each in SHAPES):
        if given["within"]:
            raise click.UsageError("--within: is of --position alone; leave it out with an area")
        shape = shape_of(given)
    else:
        place = parse_place(given["position"], "--position")
        if given["within"]:
            parse_length_tmm(given["within"], "--within")
        shape = FiledCircle(
            centre=(place.position.latitude_deg, place.position.longitude_deg),
            radius=given["within"] or f"{place.within_m} m",
        )  # fmt: skip
    return Where(
        datum="WGS84", shape=shape, lower=given["lower"], upper=given["upper"],
        lasts=given["lasts"],
    )  # fmt: skip


def _known(given: dict[str, Any]) -> "Known":
    from keepclear.plans.sar import Known

    at = given["time"] and time_typed(given["time"], "--time")
    return Known(
        position=given["position"], level=given["level"], time=at, frequency=given["frequency"]
    )  # fmt: skip


def _sent(
    at: AtDesk, kind: str, made: "OpenSar | UpdateSar", head: str, to: tuple[str, ...],
    grown_tmm: int, *, is_yes: bool,
) -> list[str]:  # fmt: skip
    """Print what each will learn, ask once, send it, and return how it stands."""
    from keepclear.reports.sar_text import preview

    party = at.client.party
    click.echo("\n".join(preview(made, head, to, party, grown_tmm, _now_us())))
    if not (is_yes or click.confirm("Send it?")):
        return ["not sent"]
    return told(at, cried(at, kind, made))


def _now_us() -> int:
    return time.time_ns() // 1000
