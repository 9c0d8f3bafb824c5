# SPDX-License-Identifier: Apache-2.0
"""Options for values that stand in fields of their own, and times as officers type them."""

import re
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from keepclear.cli.desk import AtDesk
    from keepclear.line.said import Said
    from keepclear.line.values import Field, Typed
    from keepclear.plans.operations import Operation

Command = TypeVar("Command", bound=Callable[..., Any])
HALF_DAY_S: Final = 43_200
SAID: Final = (
    click.option("--said-at", metavar="TIME",
                 help='When it was said by other means, of what is keyed in after an outage: '
                 '"0310Z", "-40 min".'),
    click.option("--by-means", metavar="MEANS",
                 help='By what means: "frequency 122.5", "satellite".'),
)  # fmt: skip
LOST: Final = "lost-communications"
NO_CASE: Final = (
    "a message keeps nobody out of there; this opens a SAR case, which does:",
    "  keepclear line distress TO TEXT --position PLACE",
)
TELLS_ALONE: Final = (
    "a message tells one party, and makes no operation contingent; this does, and tells all who",
    "are in conflict with it:",
)
OPTIONS: Final = (
    click.option("--position", metavar="PLACE",
                 help='Where: "33.50N 038.62E", "33-30.0N 038-37.2E", "37S DT 64700 06826".'),
    click.option("--level", metavar="LEVEL",
                 help='How high, and from what: "FL240", "1200 ft AGL", "900 m QNH 1013".'),
    click.option("--time", metavar="TIME",
                 help='When: "2026-11-28T03:10:00Z", "0310Z" for the nearest, "+10 min".'),
    click.option("--frequency", metavar="FREQUENCY",
                 help='On what: "121.5 MHz", "8992 kHz", "CH 132.005".'),
)  # fmt: skip
_NO_ZONE: Final = re.compile(r"(?a:\d\d:?\d\d(?::?\d\d)?)")
_TODAY: Final = re.compile(r"(?a:(\d\d):?(\d\d)(?::?(\d\d))?)\s*[Zz]")


# As `line.wording.LANGUAGES`, which is not loaded to print help.
LANGUAGES: Final = ("en", "ru", "ar", "tr", "fr", "he")
read_in_option = click.option(
    "--language", type=click.Choice(LANGUAGES), default="en", show_default=True,
    help="In which language templates are read.",
)  # fmt: skip


def form_options(command: Command) -> Command:
    """Give a command the options for a template and its fields."""
    for each in (
        click.option("--field", multiple=True, metavar="NAME=VALUE",
                     help='A field of the template: "from=0310Z"; as often as there are any.'),
        click.option("--template", metavar="NAME",
                     help="Of which template; keepclear line templates lists them."),
    ):  # fmt: skip
        command = each(command)
    return command


def fields_typed(given: tuple[str, ...], options: Mapping[str, str | None]) -> dict[str, str]:
    """Return fields as they were typed, by name: those of NAME=VALUE, and those of own options.

    `InputError` for what is no NAME=VALUE, or is given twice.
    """
    from keepclear.errors import InputError

    made = {name: typed for name, typed in options.items() if typed is not None}
    for each in given:
        name, equals, typed = each.partition("=")
        if not equals or not typed.strip():
            raise InputError("field", each, "is no NAME=VALUE", 'write "from=0310Z"')
        if name.strip() in made:
            raise InputError(name.strip(), typed, "is given twice", "give it once")
        made[name.strip()] = typed.strip()
    return made


def value_options(command: Command) -> Command:
    """Give a command the options for position, level, time and frequency."""
    for each in reversed(OPTIONS):
        command = each(command)
    return command


def said_options(command: Command) -> Command:
    """Give a command the options for what was said by other means, and is keyed in later."""
    for each in reversed(SAID):
        command = each(command)
    return command


def said_typed(said_at: str | None, by_means: str | None) -> "Said | None":
    """Return when and by what means something was said that is keyed in later; None for now."""
    from keepclear.line.said import Said

    if said_at is None:
        if by_means is not None:
            raise click.UsageError(f"--by-means {by_means}: give --said-at, too")
        return None
    return Said(at_us=past_time(said_at, "--said-at"), by=by_means)


def typed_values(given: Mapping[str, str], fields: "Mapping[str, Field]") -> "tuple[Typed, ...]":
    """Return values as they are signed; refused here where the exchange would refuse them.

    given: what was typed, by field.
    """
    from keepclear.line.values import Kind, Typed, read_values

    made = []
    for name, typed in given.items():
        is_time = name in fields and fields[name].kind is Kind.TIME
        made.append(Typed(name=name, typed=time_typed(typed, name) if is_time else typed))
    read_values(made, fields)
    return tuple(made)


def past_time(text: str, option: str) -> int:
    """Return when something was, in microseconds UTC: as `time_typed`, or "-10 min" before now."""
    from keepclear.units import parse_duration_us, parse_time_us

    if text.startswith("-"):
        return time.time_ns() // 1000 - parse_duration_us(text[1:].strip(), option)
    return parse_time_us(time_typed(text, option), option)


def time_typed(text: str, option: str) -> str:
    """Return a time with its day: "0310Z" is the nearest to now, "+10 min" from now."""
    from keepclear.errors import InputError
    from keepclear.units import US_PER_S, format_time, parse_duration_us

    now_s = int(time.time())
    if text.startswith("+"):
        at_us = now_s * US_PER_S + parse_duration_us(text[1:], option)
        return f"{format_time(at_us)[:19]}Z"
    if _NO_ZONE.fullmatch(text.strip()) is not None:
        raise InputError(option, text, "has no zone", 'write "0310Z" for 03:10 UTC')
    if (found := _TODAY.fullmatch(text.strip())) is None:
        return text
    hour, minute, second = (int(each or 0) for each in found.groups())
    if hour > 23 or minute > 59 or second > 59:
        raise InputError(option, text, "is no time of a day", 'write "0310Z", up to 2359Z')
    off_s = (hour * 3_600 + minute * 60 + second - now_s + HALF_DAY_S) % (2 * HALF_DAY_S)
    return f"{format_time((now_s + off_s - HALF_DAY_S) * US_PER_S)[:19]}Z"


def left_to_do(
    at: "AtDesk", template: str | None, given: Mapping[str, str], *, is_distress: bool
) -> list[str]:
    """Return which input does what a message alone has not; nothing where there is none.

    Of DISTRESS with a position, which keeps others out; of lost communications of an operation of
    this party that goes on, which makes it contingent. given: what was typed, by field.
    """
    if is_distress and "position" in given:
        return [*NO_CASE]
    from keepclear.plans.operations import State

    named = given.get("operation", "").strip().lower()
    if template != LOST or not named:
        return []
    own = [
        each for each in at.picture.operations.values()
        if each.id.startswith(named) and each.is_protecting and each.state is not State.CONTINGENT
    ]  # fmt: skip
    return [*TELLS_ALONE, *map(_contingent, own)] if own else []


def _contingent(operation: "Operation") -> str:
    return f"  keepclear operation contingent {operation.id[:8]}"
