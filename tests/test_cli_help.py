# SPDX-License-Identifier: Apache-2.0
"""What every command says of itself: what it does, an example that can be typed, each option."""

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from keepclear.cli import command

CONTINUED = re.compile(r" \\\n\s*")
BEFORE = re.compile(r"^keepclear --config \S+ ")


def leaves(at: click.Command = command, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield each command that does something, as it is typed."""
    if not isinstance(at, click.Group):
        yield words
        return
    for name, each in at.commands.items():
        yield from leaves(each, (*words, name))


def found(words: tuple[str, ...]) -> click.Command:
    at: click.Command = command
    for word in words:
        assert isinstance(at, click.Group)
        at = at.commands[word]
    return at


def examples(words: tuple[str, ...]) -> list[list[str]]:
    """Return the lines of a command's examples that type itself, in words."""
    at = found(words)
    text = f"{at.help or ''}\n{at.epilog or ''}".replace("\b", "")
    lines = CONTINUED.sub(" ", text).splitlines()
    typed = [
        BEFORE.sub("keepclear ", line.strip())
        for line in lines if line.strip().startswith("keepclear ")
    ]  # fmt: skip
    return [
        words_of for line in typed
        if (words_of := shlex.split(line.partition(" | ")[0])[1:])[: len(words)] == list(words)
    ]  # fmt: skip


@pytest.mark.parametrize("words", sorted(leaves()), ids=" ".join)
def test_every_command_has_an_example_that_it_takes(words: tuple[str, ...]) -> None:
    typed = examples(words)

    assert typed, f"keepclear {' '.join(words)}: has no example in its help"
    parent = click.Context(command, info_name="keepclear", **command.context_settings)
    for each in typed:  # parsed as it would be, and not run
        found(words).make_context(" ".join(words), each[len(words) :], parent)


@pytest.mark.parametrize("words", sorted(leaves()), ids=" ".join)
def test_every_command_says_first_what_it_does_in_a_sentence(words: tuple[str, ...]) -> None:
    text = (found(words).help or "").replace("\b", "").strip()

    first = text.split("\n\n")[0]
    assert first, f"keepclear {' '.join(words)}: says nothing"
    assert first.rstrip().endswith((".", "...")), first
