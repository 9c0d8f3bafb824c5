# SPDX-License-Identifier: Apache-2.0
"""Operations out of files: all of a file is read and checked before anything of it is sent.

1. A file with faults files nothing; every fault is told, by row and column where there are rows.
2. What the exchange refuses of several does not stop the others: which were filed, and which not,
   is told by their names, with the words that file the rest.
3. Where there is no answer, nothing further is sent.
"""

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from keepclear.cli.desk import AtDesk
    from keepclear.formats.filed_plans import Named

PLACE: Final = (
    "circle", "polygon", "route", "orbit", "radius", "width", "lower", "upper", "start", "end",
    "lasts", "callsign",
)  # fmt: skip


def read_operations(
    file: str, party: str, plan: Mapping[str, Any], only: Sequence[str]
) -> "list[Named]":
    """Return the operations of a file, all of them checked; `FileErrors` with every fault.

    plan: the options of the line. only: names of plans, where not all are wanted.
    """
    from pathlib import Path

    from keepclear.errors import InputError
    from keepclear.formats.filed_plans import Defaults, filed_of
    from keepclear.formats.reading import read
    from keepclear.plans.filing import Craft, Domain

    given = [f"--{name}" for name in PLACE if plan[name]]
    if given:
        raise click.UsageError(
            f"{', '.join(given)}: do not go with a FILE, which has them; write them into it"
        )
    contents = read(file, Path(file).read_bytes())
    found = filed_of(contents, Defaults(
        party=party, domain=Domain(plan["domain"]), craft=Craft(plan["craft"]),
        craft_class=plan["craft_class"], has_rvsm=plan["has_rvsm"], count=plan["count"],
        count_most=plan["count_most"], lateral=plan["lateral"], vertical=plan["vertical"],
        early=plan["early"], late=plan["late"],
    ))  # fmt: skip
    for note in contents.notes:
        click.echo(f"{file}: {note}", err=True)
    names = [each.name for each in found]
    for each in only:
        if each not in names:
            raise InputError("--only", each, "is no plan of the file",
                             f"it has {', '.join(names[:20])}")  # fmt: skip
    return [each for each in found if not only or each.name in only]


def one_operation(found: "Sequence[Named]", file: str) -> "Named":
    """Return the only operation of a file; `InputError` names those that there are."""
    from keepclear.errors import InputError

    if len(found) != 1:
        names = ", ".join(each.name for each in found[:20])
        raise InputError("operations", len(found), f"are in {file}: {names}",
                         "say which with --only")  # fmt: skip
    return found[0]


def file_all(post: "AtDesk", file: str, found: "Sequence[Named]") -> tuple[list[str], bool]:
    """File operations one after another; return what is said of them, and whether all are filed."""
    from keepclear.client import NotDone
    from keepclear.errors import OperatorError
    from keepclear.plans.acts import FileOperation
    from keepclear.record.faults import RecordError

    said = [f"{len(found)} operations in {file}"] if len(found) != 1 else []
    filed, refused = 0, list[str]()
    for number, each in enumerate(found):
        try:
            parts = post.act("operations.file/1", FileOperation(operation=each.operation))
        except NotDone as fault:
            refused.append(each.name)
            said.append(f"NOT FILED {each.name}: {fault}")
            continue
        except (OperatorError, RecordError) as fault:
            raise _cut_off(fault, file, said, found, number, refused) from None
        filed += 1
        told = post.told(parts)
        said.append(f"{each.name}\n{told}" if len(found) > 1 else told)
    if refused:
        again = _again(file, refused)
        said.append(f"filed {filed} of {len(found)}; once what is refused is mended: {again}")
    return said, not refused


def _cut_off(
    fault: Exception, file: str, said: Sequence[str], found: "Sequence[Named]", number: int,
    refused: Sequence[str],
) -> Exception:  # fmt: skip
    """Return what to say where there was no answer to one of several."""
    from keepclear.errors import OperatorError

    rest = [*refused, *(each.name for each in found[number + 1 :])]
    if len(found) == 1:
        return fault
    lines = [*said, f"{found[number].name}: {fault}"]
    if rest:
        lines.append(f"not filed: {', '.join(rest)}; file them with {_again(file, rest)}")
    return OperatorError("\n".join(lines))


def _again(file: str, names: Sequence[str]) -> str:
    only = " ".join(f"--only {shlex.quote(each)}" for each in names)
    return f"keepclear operation file {shlex.quote(file)} {only}"
