# SPDX-License-Identifier: Apache-2.0
"""The command `keepclear`: reads the words on the line, calls the library, prints the answer.

Leaves to others: what is checked (`keepclear.checks`), how it is said (`keepclear.reports`).
1. Everything heavy is imported when it is used, so that `--help` answers at once.
2. What the user can mend goes to stderr in words and exits 2. Ctrl-C exits 130.
3. A fault of keepclear's own exits 70 with a traceback: 1 would say that something was found.
"""

import sys
from collections.abc import Sequence
from typing import Any, Final, NoReturn

import click

from keepclear.cli.agreement import agreement
from keepclear.cli.agreement_region import denounce, fetch, list_agreements, resume, suspend
from keepclear.cli.agreement_signing import annex, counter, propose, sign, state
from keepclear.cli.answers_for import answers_for
from keepclear.cli.apart import act, submit
from keepclear.cli.backup import backup, restore
from keepclear.cli.carry import carry
from keepclear.cli.check import check
from keepclear.cli.configuration import PREFIX, config, configure
from keepclear.cli.conflicts import accept, ack, agree_as_is, answer, conflicts
from keepclear.cli.conflicts import counter as counter_change
from keepclear.cli.conflicts import propose as propose_change
from keepclear.cli.demo import demo
from keepclear.cli.desk import export, post, send_again
from keepclear.cli.effect import effect
from keepclear.cli.export_party import export_party
from keepclear.cli.incident import incident as incident_in_file
from keepclear.cli.incident_desk import incident, none_here, withdraw_none_here
from keepclear.cli.key import key
from keepclear.cli.key_changes import appoint, rotate
from keepclear.cli.line import line
from keepclear.cli.line_distress import distress
from keepclear.cli.line_forms import accident, readback, templates
from keepclear.cli.line_sar import sar
from keepclear.cli.line_stop import renew, stop, stop_end, stops
from keepclear.cli.line_watch import watch as watch_line
from keepclear.cli.operation import operation
from keepclear.cli.play import play
from keepclear.cli.record import record
from keepclear.cli.region import region
from keepclear.cli.restored import restored
from keepclear.cli.serve import clock, party, serve
from keepclear.cli.snapshot import snapshot
from keepclear.cli.store import store
from keepclear.cli.watch import watch

INTERRUPTED: Final = 130  # 128 + SIGINT, as shells have it
OUR_FAULT: Final = 70  # EX_SOFTWARE of sysexits.h
BAD_INPUT: Final = 2
CONTEXT: Final[dict[str, Any]] = {
    "help_option_names": ["-h", "--help"], "max_content_width": 100, "auto_envvar_prefix": PREFIX,
}  # fmt: skip


def _print_version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 click calls it so
    if value and not context.resilient_parsing:
        from keepclear import __version__

        click.echo(f"keepclear {__version__}")
        context.exit()


@click.group(context_settings=CONTEXT)
@click.option("--config", "file", metavar="FILE", envvar=f"{PREFIX}_CONFIG",
              type=click.Path(dir_okay=False),
              help="Take options from a TOML file; see keepclear config --help.")  # fmt: skip
@click.option(
    "--version", is_flag=True, callback=_print_version, expose_value=False, is_eager=True,
    help="Show the version and exit.",
)  # fmt: skip
@click.pass_context
def command(context: click.Context, file: str | None) -> None:
    """Find where plans of several parties come closer than was agreed, and prove what was said.

    \b
    Start with:  keepclear check north.csv south.csv
    More on it:  keepclear check --help
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    if file is None:
        return
    from keepclear.errors import CallerError

    try:
        configure(context, file)
    except CallerError as fault:
        raise click.ClickException(str(fault)) from None


for each in (
    propose, counter, sign, state, annex, effect, carry, list_agreements, fetch, suspend, resume,
    denounce,
):  # fmt: skip
    agreement.add_command(each)
for each in (
    accident, distress, none_here, readback, renew, sar, stop, stop_end, stops, templates,
    withdraw_none_here,
):  # fmt: skip
    line.add_command(each)
for each in (incident_in_file, export):
    record.add_command(each)
for each in (rotate, appoint):
    key.add_command(each)
line.add_command(watch_line)
for each in (
    accept, ack, act, agree_as_is, agreement, answer, answers_for, backup, check, clock, config,
    conflicts, counter_change, demo, export_party, incident, key, line, operation, party, play,
    post, propose_change, record, region, restore, restored, send_again, serve, snapshot, store,
    submit, watch,
):  # fmt: skip
    command.add_command(each)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command with the arguments of the process, or those given, and exit."""
    sys.exit(_status(arguments))


def _status(arguments: Sequence[str] | None) -> int:
    try:
        status = command.main(args=arguments, prog_name="keepclear", standalone_mode=False)
    except click.Abort:
        return INTERRUPTED
    except click.ClickException as fault:
        fault.show()
        return BAD_INPUT
    except Exception:  # noqa: BLE001 the outermost loop: a fault of ours must not look like an answer
        _say_our_fault()
        return OUR_FAULT
    return int(status or 0)


def _say_our_fault() -> None:
    import traceback

    traceback.print_exc()
    click.echo("This is a fault in keepclear, not in your files. Nothing was checked.", err=True)
