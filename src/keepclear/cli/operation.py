# SPDX-License-Identifier: Apache-2.0
"""`keepclear operation`: check, file, change, activate and end what a party means to do."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from keepclear.cli.desk import (
    SHORT,
    AtDesk,
    as_shown,
    desk,
    home_option,
    one_of,
    stale_text,
    waiting_text,
)
from keepclear.cli.key import BAD_INPUT, named, print_or_refuse

if TYPE_CHECKING:
    from keepclear.plans.filing import FiledOperation, FiledVolume
    from keepclear.record.encoding import Signed

Function = TypeVar("Function", bound=Callable[..., Any])
SECOND_US: Final = 1_000_000
NOW: Final = "+0 s"
SHAPES: Final = ("circle", "polygon", "route", "orbit")


def _with(function: Function, *options: Callable[[Function], Function]) -> Function:
    for each in reversed(options):
        function = each(function)
    return function


def area_options(function: Function) -> Function:
    """Let a command be given a place and heights."""
    return _with(
        function,
        click.option("--circle", metavar="LAT,LON", help="A circle; give --radius with it."),
        click.option("--polygon", metavar='"LAT,LON ..."', help="An area, three corners or more."),
        click.option("--route", metavar='"LAT,LON ..."',
                     help="A corridor along a route; give --width with it."),
        click.option("--orbit", metavar='"LAT,LON LAT,LON"',
                     help="A racetrack round two points; give --radius with it."),
        click.option("--radius", help='As "10 NM".'),
        click.option("--width", help='As "10 NM".'),
        click.option("--lower", help='As "FL240", "1200 ft AGL", "0 m AMSL"; none is the surface.'),
        click.option("--upper", help="As --lower; none is unlimited."),
    )  # fmt: skip


def place_options(function: Function) -> Function:
    """Let a command be given a place, heights and times."""
    return _with(
        function, area_options,
        click.option("--start", help='As "2015-10-05T09:00:00Z", or "+30 min".'),
        click.option("--end", help="As --start."),
        click.option("--lasts", help='Instead of --end: as "2 h".'),
    )  # fmt: skip


def plan_options(function: Function) -> Function:
    """Let a command be given all that an operation is."""
    return _with(
        function, place_options,
        click.option("--domain", type=click.Choice(["air", "sea", "ground"]), default="air",
                     show_default=True),
        click.option("--class", "craft_class", default="any", show_default=True, callback=named,
                     help="The class that clauses of the agreement name."),
        click.option("--callsign", default="", help="Shown only where a clause says so."),
        click.option("--count", default=1, show_default=True, type=click.IntRange(1, 1_000),
                     help="How many craft fly as one; with --count-most the fewest."),
        click.option("--count-most", type=click.IntRange(1, 1_000), help="At most how many."),
        click.option("--craft", default="manned", show_default=True,
                     type=click.Choice(["manned", "unmanned", "ship", "vehicle", "static",
                                        "one_shot"]),
                     help="What moves; static is what does not, one_shot a launch."),
        click.option("--rvsm", "has_rvsm", is_flag=True, help="All of it is RVSM-approved."),
        click.option("--lateral", default="0 m", help='How far off it may be, as "1 NM".'),
        click.option("--vertical", default="0 m", help='How far off in height, as "200 ft".'),
        click.option("--early", default="0 s", help='How early it may run, as "5 min".'),
        click.option("--late", default="0 s", help='How late it may run, as "10 min".'),
        home_option,
    )  # fmt: skip


@click.group()
def operation() -> None:
    """Check, file, change, activate and end what the party means to do."""


def file_options(function: Function) -> Function:
    """Let a command be given a file of operations in place of options."""
    return _with(
        function,
        click.argument("file", required=False, type=click.Path(dir_okay=False)),
        click.option("--only", multiple=True, metavar="NAME",
                     help="Of FILE only the plan of this name; may be given again."),
    )  # fmt: skip


@operation.command("file")
@file_options
@plan_options
def file_operation(file: str | None, only: tuple[str, ...], home: str, **plan: Any) -> int:  # noqa: ANN401 as click gives them
    """File operations: each is recorded, protects at once, and both sides of a conflict are told.

    One is said by options. FILE has one or more: CSV, XLSX, Parquet, GeoJSON, KML; all of it is
    read and checked before anything is sent. Places, heights and times stand in it; of what sort
    an operation is, and what it may be off by, is taken from the options where it leaves that out.
    How a file looks: docs/formats.md.

    \b
    Examples:
      keepclear operation file --home north --route "34.9,35.1 35.1,35.9" \\
        --width "10 NM" --lower FL240 --upper FL260 \\
        --start "+1 h" --lasts "2 h"
      keepclear operation file plans.csv --home north --class tanker
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.acts import FileOperation

    if file is None:
        _no_file(only)
        made = _filed(plan)
        return _act(home, "operations.file/1", lambda _: FileOperation(operation=made()))
    from keepclear.cli.operation_files import file_all, read_operations

    status = [BAD_INPUT]

    def make() -> list[str]:
        with desk(home) as post:
            found = read_operations(file, post.client.party, plan, only)
            said, are_all_filed = file_all(post, file, found)
        status[0] = 0 if are_all_filed else BAD_INPUT
        return said

    return print_or_refuse(make) or status[0]


@operation.command()
@click.option("--instead-of", metavar="OWN", default="", help="The operation it would replace.")
@plan_options
def check(instead_of: str, home: str, **plan: Any) -> int:  # noqa: ANN401 as click gives them
    """Say what an operation would meet of what the party knows, before it is filed.

    It is compared with the party's own operations and with what it was shown of others: with
    nothing else. Against what others have not shown only `operation file` answers. The exit status
    is 1 where something is found, or filing would be refused.

    \b
    Example:
      keepclear operation check --home north --circle 34.9,35.1 --radius "4 NM" \\
        --lower FL240 --upper FL260 --start "+1 h" --lasts "1 h"
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.reports.checked_text import checked_text

    made = _filed(plan)
    met: list[object] = []

    def make() -> list[str]:
        with desk(home) as post:
            own_id = _own(post, instead_of) if instead_of else ""
            found = post.client.check(made(), own_id)
        met.extend((*found.found, *found.refused))
        return [checked_text(found).rstrip("\n")]

    return print_or_refuse(make) or int(bool(met))


@operation.command()
@click.argument("own")
@file_options
@plan_options
def update(own: str, file: str | None, only: tuple[str, ...], home: str, **plan: Any) -> int:  # noqa: ANN401 as click gives them
    """File a new version of OWN, instead of the one that stands; by options, or out of FILE.

    \b
    Examples:
      keepclear operation update 5b3c1a2f --home north --circle 34.9,35.1 \\
        --radius "4 NM" --start "+1 h" --lasts "1 h"
      keepclear operation update 5b3c1a2f plans.csv --only "OAK 1" --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.operation_files import one_operation, read_operations
    from keepclear.plans.acts import UpdateOperation

    if file is None:
        _no_file(only)

    def payload(post: AtDesk) -> "Signed":
        operation = _filed(plan)() if file is None else one_operation(
            read_operations(file, post.client.party, plan, only), file
        ).operation  # fmt: skip
        post.client.catch_up()
        own_id = _own(post, own)
        return UpdateOperation(id=own_id, ovn=_ovn_shown(post, own_id), operation=operation)

    return _act(home, "operations.update/1", payload)


def _no_file(only: tuple[str, ...]) -> None:
    if only:
        raise click.UsageError("--only: names plans of a FILE; give one")


@operation.command()
@click.argument("own")
@home_option
def activate(own: str, home: str) -> int:
    """Say that OWN is under way, having looked at the latest version of all it conflicts with.

    Its key is made of the versions that were printed here last: look at all of them first. Where
    one has changed since, nothing is done.

    \b
    Example:
      keepclear conflicts --home north
      keepclear operation activate 5b3c1a2f --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.acts import ActivateOperation

    def payload(post: AtDesk) -> "Signed":
        post.client.catch_up()
        own_id = _own(post, own)
        _ovn_shown(post, own_id)
        key = tuple(
            ovn for each in post.picture.unsettled().values() if each.own == own_id
            if (ovn := as_shown(post, each).other.ovn) is not None
        )  # fmt: skip
        return ActivateOperation(id=own_id, key=key)

    return _act(home, "operations.activate/1", payload)


@operation.command()
@click.argument("own")
@home_option
def airborne(own: str, home: str) -> int:
    """Say that OWN has left the ground, now.

    \b
    Example:
      keepclear operation airborne 5b3c1a2f --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.acts import MarkAirborne

    return _act(home, "operations.airborne/1", lambda post: MarkAirborne(
        id=_own(post, own), at_us=time.time_ns() // 1000
    ))  # fmt: skip


@operation.command()
@click.argument("own")
@place_options
@home_option
def contingent(own: str, home: str, **place: Any) -> int:  # noqa: ANN401 as click gives them
    """Say that OWN cannot keep to its plan: everybody whom it comes near is told, URGENT.

    Its volumes go on protecting; where it is expected besides, if that is known, may be given, from
    now on where no --start is.

    \b
    Examples:
      keepclear operation contingent 5b3c1a2f --home north
      keepclear operation contingent 5b3c1a2f --home north --circle 34.9,35.1 \\
        --radius "15 NM" --lasts "40 min"
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.acts import MakeContingent

    is_expected = any(place.values())

    def payload(post: AtDesk) -> "Signed":
        expected = (volume_of({**place, "start": place["start"] or NOW}),) if is_expected else ()
        return MakeContingent(id=_own(post, own), off_nominal=expected)

    return _act(home, "operations.contingent/1", payload)


@operation.command()
@click.argument("own")
@home_option
def end(own: str, home: str) -> int:
    """End OWN: it protects no more.

    \b
    Example:
      keepclear operation end 5b3c1a2f --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.acts import EndOperation

    return _act(home, "operations.end/1", lambda post: EndOperation(id=_own(post, own)))


@operation.command()
@click.argument("own")
@click.option("--why", default="", help="For the party's own record.")
@home_option
def cancel(own: str, why: str, home: str) -> int:
    """Take OWN back, before it is activated.

    \b
    Example:
      keepclear operation cancel 5b3c1a2f --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.plans.acts import CancelOperation

    return _act(
        home, "operations.cancel/1", lambda post: CancelOperation(id=_own(post, own), why=why)
    )


@operation.command("list")
@home_option
def list_operations(home: str) -> int:
    """List the party's operations that protect; where the exchange cannot be asked, as `conflicts`.

    \b
    Example:
      keepclear operation list --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.reports.desk_text import operations_text
    from keepclear.reports.stop_text import keep_outs_text, read_stops

    stale: list[str] = []

    def make() -> list[str]:
        with desk(home) as post:
            stale.extend(stale_text(post.caught_up()))
            found = list(post.picture.operations.values())
            post.show((), found)
            held = read_stops(post.folder.lines()).keep_outs
        now_us = time.time_ns() // 1000
        outs = keep_outs_text(held, now_us, [each.id for each in found])
        return [*stale, *waiting_text(post), *outs, operations_text(found, now_us).rstrip("\n")]

    return print_or_refuse(make) or (BAD_INPUT if stale else 0)


def _own(post: AtDesk, given: str) -> str:
    """Return the id of an operation; asked for is only what is not held here."""
    over: list[str] = []
    if not any(each.startswith(given.lower()) for each in post.picture.operations):
        post.client.catch_up()
        over = list(post.folder.picture(post.client.party).operations)
    return one_of(given, list(post.picture.operations), "operation", over)


def _ovn_shown(post: AtDesk, own_id: str) -> str:
    """Return the OVN of the version of an operation that was last printed; refuse a newer one."""
    from keepclear.errors import InputError

    shown = post.folder.shown(post.client.seen.incarnation).operations.get(own_id)
    latest = post.picture.operations[own_id]
    if shown is not None and shown.ovn == latest.ovn:
        return shown.ovn
    was = "was not shown here yet" if shown is None else (
        f"is version {latest.version} by now, and version {shown.version} was shown here"
    )  # fmt: skip
    raise InputError(
        "operation", own_id[:SHORT], was,
        f"look at it: keepclear operation list --home {post.folder.path}",
    )  # fmt: skip


def _act(home: str, kind: str, payload: "Callable[[AtDesk], Signed]") -> int:
    """Let a post sign and send an act, and print what came of it."""

    def make() -> list[str]:
        with desk(home) as post:
            return [post.told(post.act(kind, payload(post)))]

    return print_or_refuse(make)


def _filed(plan: dict[str, Any]) -> "Callable[[], FiledOperation]":
    """Return what makes the operation that the options say."""

    def make() -> "FiledOperation":
        from keepclear.plans.filing import Craft, Domain, FiledOperation

        try:
            return FiledOperation(
                datum="WGS84", domain=Domain(plan["domain"]), craft_class=plan["craft_class"],
                craft=Craft(plan["craft"]), has_rvsm=plan["has_rvsm"],
                callsign=plan["callsign"], count=plan["count"], count_most=plan["count_most"],
                volumes=(volume_of(plan),), lateral=plan["lateral"], vertical=plan["vertical"],
                early=plan["early"], late=plan["late"],
            )  # fmt: skip
        except ValueError as fault:
            raise click.UsageError(f"the operation {fault}") from None

    return make


def volume_of(place: dict[str, Any]) -> "FiledVolume":
    """Return the volume that options say."""
    from keepclear.plans.filing import FiledVolume

    if not place["start"]:
        raise click.UsageError('--start: give when it begins, as "+30 min"')
    start_us = time_of(place["start"], "--start")
    if bool(place["end"]) == bool(place["lasts"]):
        raise click.UsageError("--end, --lasts: give one of the two")
    return FiledVolume(
        shape=shape_of(place), lower=place["lower"], upper=place["upper"], start=_text(start_us),
        end=_text(_end(place, start_us)),
    )  # fmt: skip


def _end(plan: dict[str, Any], start_us: int) -> int:
    from keepclear.units import parse_duration_us

    if plan["end"]:
        return time_of(plan["end"], "--end")
    return start_us + parse_duration_us(plan["lasts"], "--lasts")


def shape_of(plan: dict[str, Any]) -> Any:  # noqa: ANN401 one of the shapes
    """Return the shape that options say."""
    from keepclear.airspace.positions import positions
    from keepclear.plans.filing import FiledCircle, FiledCorridor, FiledOrbit, FiledPolygon

    given = [each for each in SHAPES if plan[each]]
    if len(given) != 1:
        raise click.UsageError("--circle, --polygon, --route, --orbit: give one of them")
    [kind] = given
    places = [_place(each, f"--{kind}") for each in plan[kind].split()]
    size = "width" if kind == "route" else "radius"
    if kind != "polygon" and not plan[size]:
        raise click.UsageError(f'--{kind}: give --{size} with it, as "10 NM"')
    fewest = {"circle": 1, "orbit": 2, "route": 2, "polygon": 3}[kind]
    if len(places) < fewest or (kind in {"circle", "orbit"} and len(places) > fewest):
        raise click.UsageError(f"--{kind} {plan[kind]!r}: has {len(places)} places, not {fewest}")
    if kind == "circle":
        return FiledCircle(centre=places[0], radius=plan["radius"])
    if kind == "orbit":
        return FiledOrbit(first=places[0], second=places[1], radius=plan["radius"])
    if kind == "route":
        return FiledCorridor(route=positions(places), width=plan["width"])
    return FiledPolygon(ring=positions(places))


def _place(text: str, option: str) -> tuple[float, float]:
    from keepclear.airspace.positions import Position
    from keepclear.errors import InputError

    latitude, comma, longitude = text.partition(",")
    try:
        if comma:
            place = Position(latitude_deg=float(latitude), longitude_deg=float(longitude))
            return place.latitude_deg, place.longitude_deg
    except InputError as fault:
        raise click.UsageError(f"{option} {text!r}: {fault}") from None
    except ValueError:
        pass
    raise click.UsageError(f'{option} {text!r}: is no LAT,LON; give degrees, as "34.9,35.1"')


def time_of(text: str, option: str) -> int:
    """Return the time that an option says; "+30 min" is from now on, to the second.

    Never later: what begins now is there now.
    """
    from keepclear.units import parse_duration_us, parse_time_us

    if text.startswith("+"):
        at_us = time.time_ns() // 1000 + parse_duration_us(text[1:], option)
        return at_us // SECOND_US * SECOND_US
    return parse_time_us(text, option)


def _text(time_us: int) -> str:
    from keepclear.units import format_time

    return format_time(time_us)
