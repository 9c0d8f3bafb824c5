# SPDX-License-Identifier: Apache-2.0
"""`keepclear line readback`: what was understood of a message, repeated to its sender."""

from typing import Final

import click

from keepclear.cli.desk import SHORT, desk, home_option
from keepclear.cli.line import check_read, done, named, person_option, refusing_values
from keepclear.cli.line_values import typed_values, value_options

MISMATCHED: Final = 1


@click.command()
@click.argument("message", metavar="ID")
@value_options
@person_option
@home_option
def readback(message: str, person: str | None, home: str, **values: str | None) -> int:
    """Read message ID back: type what you have understood, not what you copy.

    Every position, level, time and frequency of it is compared. Where one is not the same, both
    sides are shown both values, the message is not confirmed, and the exit status is 1; read it
    back again once it is clear.

    \b
    Example:
      keepclear line readback 1a2b3c4d --position "35-16.0N 040-05.0E" --level FL240 --home south
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.errors import InputError
    from keepclear.line.acts import ReadBackMessage
    from keepclear.line.read_back import compared
    from keepclear.line.values import FREE, to_read_back

    wrong: list[str] = []

    def make() -> list[str]:
        given = typed_values(values, FREE)
        with desk(home) as at:
            at.client.catch_up()
            found = named(at, message)
            if not at.is_apart:
                check_read(at, found)
            missing = {each.name for each in to_read_back(found.values)} - {e.name for e in given}
            if missing:
                options = " and ".join(f"--{each}" for each in FREE if each in missing)
                raise InputError(
                    "message", found.id[:SHORT], "is read back whole", f"give {options}, too"
                )
            wrong.extend(e.why for e in compared(found.values, given) if not e.is_same)
            made = ReadBackMessage(id=found.id, values=given, person=person)
            return done(at, at.act("line.read-back/1", made))

    return refusing_values(make) or (MISMATCHED if wrong else 0)
