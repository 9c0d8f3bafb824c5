# SPDX-License-Identifier: Apache-2.0
"""One TOML file with the options of commands, and `keepclear config`, which prints what holds.

The file is named by `keepclear --config FILE` or KEEPCLEAR_CONFIG; none is looked for. Its keys
are the options as on the line, without their dashes; a table is for one command:

    home = "north"                   # every command that has --home

    [serve]
    listen = "0.0.0.0:8610"
    tls-cert = "server.pem"          # paths are from the folder of this file

    [party.add]
    status = "Actual"

1. The line holds before the environment (KEEPCLEAR_SERVE_LISTEN), that before the file, and a table
   before the one around it.
2. Everything wrong in the file is told at once, and nothing is done: a key that no command has
   could be one that was meant for safety.
3. Files are the operator's or the officer's own. One that lay in the folder where a record is
   looked at could name whom to believe.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from keepclear.agreement.toml_tables import Faults

PREFIX: Final = "KEEPCLEAR"
# Asked of the command itself, and never from a file.
NOT_SET: Final = frozenset({"help", "version", "config"})
SOURCES: Final[Mapping[ParameterSource | None, str]] = {
    ParameterSource.ENVIRONMENT: "environment", ParameterSource.DEFAULT_MAP: "file",
}  # fmt: skip


def configure(context: click.Context, path: str) -> None:
    """Let the commands below a context take their options from a file.

    `CallerError` where it is wrong.
    """
    import tomllib

    from keepclear.agreement.toml_tables import Faults
    from keepclear.errors import InputError

    file = Path(path)
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as fault:
        raise InputError(
            "config", path, f"cannot be read ({fault.strerror})", "give a file that is there"
        ) from None
    except (ValueError, RecursionError) as fault:
        raise InputError("config", path, f"is no TOML ({fault})", "mend it") from None
    faults = Faults()
    found = _read(context.command, values, (), _Reading(file.parent, faults))
    faults.raise_if_any()
    context.default_map = found


class _Reading(NamedTuple):
    folder: Path
    faults: "Faults"


def _read(
    command: click.Command, values: Mapping[str, object], around: Sequence[Mapping[str, object]],
    reading: _Reading, path: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Return the options of a command and of those below it. around: the tables that this is in."""
    own = {key: value for key, value in values.items() if not isinstance(value, dict)}
    below = command.commands if isinstance(command, click.Group) else {}
    for key, value in values.items():
        if isinstance(value, dict) and key not in below:
            _is_none(f"{path}{key}", key, "a command", list(below), reading.faults)
    options = list(_every_option(command))
    for key, value in own.items():
        named = [each for each in options if key_of(each) == key]
        if not named:
            _is_none(f"{path}{key}", key, "an option", [*map(key_of, options)], reading.faults)
        elif why := _misfit(named[0], value):
            reading.faults.add(f"{path}{key}", *why, value)
    tables = (*around, own)
    found: dict[str, Any] = {}
    for option in _options(command):
        for table in tables:
            if (key := key_of(option)) in table:
                found[str(option.name)] = _value(option, table[key], reading.folder)
    for name, each in below.items():
        inner = values.get(name, {})
        inner = inner if isinstance(inner, dict) else {}
        found[name] = _read(each, inner, tables, reading, f"{path}{name}.")
    return found


def _is_none(path: str, key: str, what: str, known: Sequence[str], faults: "Faults") -> None:
    near = _nearest(key, known)
    names = ", ".join(dict.fromkeys(known)) or "none"
    faults.add(
        path, f"is not {what} here", f'did you mean "{near[0]}"?' if near else f"are {names}"
    )


def _nearest(text: str, known: Iterable[str]) -> list[str]:
    from difflib import get_close_matches

    return get_close_matches(text, list(known), n=1)


def _misfit(option: click.Option, value: object) -> tuple[str, str] | None:
    """Return why an option cannot have a value, and the way out; None where it can."""
    if option.is_flag:
        return None if isinstance(value, bool) else ("is not true or false", "give one of them")
    if option.multiple:
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return None
        return "is not a list of texts", 'give ["one", "two"]'
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return "is neither a text nor a number", "give it as on the line, in quotes"
    if not _is_path(option):
        try:
            option.type.convert(value, option, None)
        except click.BadParameter as fault:
            return fault.message.rstrip("."), "give it as on the line"
    return None


def _value(option: click.Option, value: object, folder: Path) -> object:
    """Return a value of the file as the line would give it."""
    if not _is_path(option) or not isinstance(value, str | list):
        return value
    if isinstance(value, str):
        return str(folder / value)
    return [str(folder / each) for each in value]


def _is_path(option: click.Option) -> bool:
    return isinstance(option.type, click.Path) or str(option.metavar or "").startswith("FILE")


def _options(command: click.Command) -> Iterator[click.Option]:
    for each in command.params:
        if isinstance(each, click.Option) and each.name not in NOT_SET:
            yield each


def _every_option(command: click.Command) -> Iterator[click.Option]:
    """Yield the options of a command and of all below it."""
    yield from _options(command)
    if isinstance(command, click.Group):
        for each in command.commands.values():
            yield from _every_option(each)


def key_of(option: click.Option) -> str:
    """Return an option's key in the file: as on the line, without its dashes."""
    return max(option.opts, key=len).lstrip("-")


@click.command()
@click.argument("names", nargs=-1, metavar="[COMMAND]...")
@click.pass_context
def config(context: click.Context, names: tuple[str, ...]) -> int:
    """Print what the file and the environment set; of one COMMAND, all of its options.

    Each option can be set on the line, by a variable (KEEPCLEAR_SERVE_LISTEN), or in a TOML file
    that --config or KEEPCLEAR_CONFIG names; the first of these holds.

    \b
    Example:
      keepclear --config node.toml config serve
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    shown = list(_shown(_named(context.find_root(), names), is_all=bool(names)))
    if names:
        for path, lines in shown:
            click.echo("\n".join((f"[{path}]", *lines)))
        return 0
    commands: dict[str, list[str]] = {}
    for path, lines in shown:
        for line in lines:
            commands.setdefault(line, []).append(path)
    for line, paths in commands.items():
        of = f"for {paths[0]}" if len(paths) == 1 else f"for {len(paths)} commands"
        click.echo(f"{line}, {of}")
    if not commands:
        click.echo(
            "# nothing is set: all options have their defaults; see keepclear config COMMAND"
        )
    return 0


def _named(root: click.Context, names: Sequence[str]) -> click.Context:
    """Return the context of a command, as the line would make it; `UsageError` for none."""
    found = root
    for number, name in enumerate(names):
        commands = found.command.commands if isinstance(found.command, click.Group) else {}
        if name not in commands:
            near = _nearest(name, commands)
            said = " ".join(names[: number + 1])
            raise click.UsageError(
                f"{said!r} is no command; " + (f"did you mean {near[0]!r}?" if near else
                f"commands are {', '.join(commands) or 'none'}")
            )  # fmt: skip
        found = click.Context(commands[name], info_name=name, parent=found)
    return found


def _shown(context: click.Context, *, is_all: bool) -> Iterator[tuple[str, list[str]]]:
    """Yield what holds of a command and of all below it, each with where it comes from."""
    lines = []
    for option in _options(context.command):
        value, source = _holding(context, option)
        if is_all or source in SOURCES:
            lines.append(_line(option, value, SOURCES.get(source, "default")))
    if lines:
        path = context.command_path.partition(" ")[2].replace(" ", ".")
        yield path, lines
    if isinstance(context.command, click.Group):
        for name, each in context.command.commands.items():
            below = click.Context(each, info_name=name, parent=context)
            yield from _shown(below, is_all=is_all)


def _holding(
    context: click.Context, option: click.Option
) -> tuple[object, ParameterSource | None]:  # fmt: skip
    """Return the value that an option has without the line, and where it comes from."""
    value, source = option.consume_value(context, {})
    return value if isinstance(value, str | int | float | list | tuple) else None, source


def _line(option: click.Option, value: object, source: str) -> str:
    """Return a line of TOML; one that begins with # where there is no value."""
    key = key_of(option)
    if value is None or value == "":
        return f"# {key}: not set"
    if isinstance(value, bool) or option.is_flag:
        shown = str(bool(value)).lower()
    elif isinstance(value, list | tuple):
        shown = f"[{', '.join(map(_text, value))}]"
    else:
        shown = _text(value)
    return f"{key} = {shown}  # {source}"


def _text(value: object) -> str:
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
