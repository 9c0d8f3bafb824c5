# SPDX-License-Identifier: Apache-2.0
"""`keepclear act` and `submit`: for a desk with no network, acts and answers go by file.

1. `act sign FILE COMMAND ...` runs any command of a desk; what it signs goes into FILE, and not to
   the exchange. What was shown at this desk holds: nothing newer can be seen.
2. `submit FILE` hands in elsewhere, with no key, and writes what is answered.
3. `act receipt FILE` verifies that at the desk, with all that is new, and shows it.

An act that waits stands in the post's folder (`unanswered`), as one to which there was no answer.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from keepclear.cli.desk import APART, SHORT, AtDesk, client_of, home_option
from keepclear.cli.key import BAD_INPUT, print_or_refuse

if TYPE_CHECKING:
    from keepclear.client.carrying import AnswersFile, ApartClient
    from keepclear.record.entries import Part
    from keepclear.record.envelopes import Envelope

LONGEST: Final = "24 h"
US_PER_S: Final = 1_000_000


class SigningDesk(AtDesk):
    """A post that signs, and sends nothing. signed: what it has signed so far."""

    signed: "list[Envelope]"
    is_apart = True

    def send(self, envelope: "Envelope") -> "tuple[Part, ...]":
        """Keep an act to be handed in; nothing is known to come of it."""
        self.signed = [*getattr(self, "signed", []), envelope]
        return ()

    def told(self, parts: "Sequence[Part]") -> str:
        """Return what was signed last, to be printed."""
        from keepclear.record.headers import read_act
        from keepclear.record.mandates import time_text

        if parts or not self.signed:
            return super().told(parts)
        act = read_act(self.signed[-1])
        return (
            f"signed {_name(self.signed[-1])} at {time_text(act.created_us)} by this machine's "
            f"clock; to be handed in before {time_text(act.expires_us)}"
        )

    def caught_up(self) -> str:
        """Return why what is shown may be older than what there is."""
        return "act sign uses no network"


@contextmanager
def signing(file: str, lives_us: int, home: str) -> "Iterator[SigningDesk]":
    """Give a post without a network; what it has signed is written to a file at the end."""
    from keepclear.cli.output import write_private
    from keepclear.cli.post_folder import PostFolder
    from keepclear.client.carrying import ApartClient
    from keepclear.record.encoding import encode

    folder = PostFolder(home)
    with client_of(folder, ApartClient) as client:
        post = SigningDesk(client, folder)
        post.signed = []
        client.lives_us = lives_us
        yield post
        if post.signed:
            made = _acts_file(client, folder.desk().exchange, post.signed)
            for each in post.signed:
                folder.wait_for(each)
            write_private({file: encode(made) + b"\n"}, lambda: None)


def _acts_file(client: "ApartClient", exchange: str, signed: "Sequence[Envelope]") -> object:
    """Return acts with the slip that lets somebody hand them in."""
    from keepclear.client.carrying import ActsFile
    from keepclear.record.signing_in import SLIP, CarrySession

    slip = client.signed(SLIP, CarrySession(after=client.seen.step))
    return ActsFile(exchange=exchange, slip=slip, acts=tuple(signed))


@click.group()
def act() -> None:
    """Sign acts where there is no network, and take in what is brought back."""


@act.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--lasts", default=LONGEST, show_default=True,
              help="How long it can be handed in, at most 24 h.")  # fmt: skip
@click.argument("file", type=click.Path(dir_okay=False))
@click.argument("words", nargs=-1, required=True, metavar="COMMAND...", type=click.UNPROCESSED)
@click.pass_context
def sign(context: click.Context, file: str, words: tuple[str, ...], lasts: str) -> int:
    """Run COMMAND of a desk without a network: what it signs is written to FILE.

    It is about what was last shown here. The clock of this machine is compared with no other: an
    act that is more than 30 s ahead of the exchange's time is refused there.

    \b
    Example:
      keepclear act sign act.json operation end 5b3c1a2f --home north
      keepclear submit act.json --output answer.json
      keepclear act receipt answer.json --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    lives_us = _lives_us(lasts)
    if Path(file).exists():
        raise click.UsageError(f"{file}: is there already; give another name")
    root = context.find_root()
    context.meta[APART] = lambda home: signing(file, lives_us, home)
    with root.command.make_context("keepclear", list(words), parent=context) as inner:
        status = int(root.command.invoke(inner) or 0)
    if status == 0 and not Path(file).exists():
        raise click.UsageError(f"{words[0]}: signs nothing, so {file} is not written")
    if status == 0:
        click.echo(
            f"written to {file}\n"
            f"  where there is a network:  keepclear submit {file} --output answer.json\n"
            "  then here:  keepclear act receipt answer.json\n"
            "Who has the file may read what your party may read, until it expires."
        )
    return status


def _lives_us(lasts: str) -> int:
    from keepclear.record.headers import LONGEST_US
    from keepclear.units import parse_duration_us

    try:
        lives_us = parse_duration_us(lasts, "--lasts")
    except ValueError as fault:
        raise click.UsageError(str(fault)) from None
    if not 0 < lives_us <= LONGEST_US:
        raise click.UsageError(f"--lasts {lasts!r}: is not above 0 and at most {LONGEST}")
    return lives_us


@act.command()
@click.argument("file", type=click.Path(dir_okay=False))
@home_option
def ask(file: str, home: str) -> int:
    """Sign nothing but a slip: who hands in FILE brings back what is new for the party.

    \b
    Example:
      keepclear act ask ask.json --home north
      keepclear submit ask.json --output answer.json
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.output import write_private
    from keepclear.record.encoding import encode

    def make() -> list[str]:
        from keepclear.cli.post_folder import PostFolder
        from keepclear.client.carrying import ApartClient

        folder = PostFolder(home)
        with client_of(folder, ApartClient) as client:
            made = _acts_file(client, folder.desk().exchange, ())
        write_private({file: encode(made) + b"\n"}, lambda: None)
        return [f"written to {file}: hand it in within {LONGEST}, with keepclear submit {file}"]

    return print_or_refuse(make)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--output", required=True, metavar="ANSWER", help="Where what is answered goes.")
@click.option("--exchange", "url", default="", metavar="URL",
              help="Another address of the exchange than FILE has.")  # fmt: skip
def submit(file: str, output: str, url: str) -> int:
    """Hand in what a desk without a network has signed into FILE; this takes no key.

    Where there is no answer, type it again: the same bytes do nothing twice.

    \b
    Example:
      keepclear submit act.json --output answer.json
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.output import check_output, write_text
    from keepclear.client.carrying import hand_in, read_acts_file
    from keepclear.record.encoding import encode

    refused: list[str] = []

    def make() -> list[str]:
        given = read_acts_file(Path(file).read_bytes(), file)
        check_output(output, "answers", (file,))
        answers = hand_in(given, url)
        write_text(output, encode(answers).decode() + "\n", "answers")
        refused.extend(each.refused for each in answers.answers if each.refused)
        take_in = f"take it back to the desk, and type keepclear act receipt {output} there"
        return [*_outcomes(answers), f"written to {output}: {take_in}"]

    return print_or_refuse(make) or (BAD_INPUT if refused else 0)


def _outcomes(answers: "AnswersFile") -> list[str]:
    return [
        f"{_name(each.act)}: {f'NOT DONE: {each.refused}' if each.refused else 'done'}"
        for each in answers.answers
    ]


@act.command()
@click.argument("file", type=click.Path(dir_okay=False))
@home_option
def receipt(file: str, home: str) -> int:
    """Take in the answers in FILE: verify them, with all that is new, and show it.

    \b
    Example:
      keepclear act receipt answer.json --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.client.carrying import read_answers_file

    refused: list[str] = []

    def make() -> list[str]:
        from keepclear.cli.post_folder import PostFolder
        from keepclear.client.carrying import ApartClient

        brought = read_answers_file(Path(file).read_bytes(), file)
        folder = PostFolder(home)
        with client_of(folder, ApartClient) as client:
            post = AtDesk(client, folder)
            for each in brought.answers:
                client.check_own(each.act)
            every = [each for each in brought.answers if not each.refused]
            known = [
                each for each in every
                if folder.holds(each.act) and not client.is_of_now(each.receipts)
            ]  # fmt: skip
            done = [each for each in every if each not in known]
            came, new = client.take_in([(each.act, each.receipts) for each in done], brought.steps)
            said = [
                f"{_name(each.act)}: done\n{post.told(parts)}".rstrip("\n")
                for each, parts in zip(done, came, strict=True)
            ]
            said += [f"{_name(each.act)}: done; the record that is held says so" for each in known]
            said += _others(post, came, new)
            for each in brought.answers:
                folder.answered(each.act)
                if each.refused:
                    refused.append(each.refused)
                    said.append(f"{_name(each.act)}: NOT DONE, as who handed it in says: "
                                f"{each.refused}")  # fmt: skip
            said.append(_as_of(new))
        return said

    return print_or_refuse(make) or (BAD_INPUT if refused else 0)


def _others(
    post: AtDesk, came: "Sequence[Sequence[Part]]", new: "Sequence[Sequence[Part]]"
) -> list[str]:
    """Return what is new beside what came of the own acts."""
    known = {bytes(each.data) for parts in came for each in parts}
    told = [post.told(step) for step in new if not known & {bytes(each.data) for each in step}]
    return [each for each in told if each]


def _as_of(new: "Sequence[Sequence[Part]]") -> str:
    from keepclear.record.mandates import time_text

    last_us = max((part.at_us for step in new for part in step), default=0)
    if not last_us:  # checkpoints alone are steps too
        return "nothing else is new in what was brought"
    hours = (time.time_ns() // 1000 - last_us) / (3_600 * US_PER_S)
    return (
        f"all up to {time_text(last_us)} is shown and proven ({max(hours, 0):.1f} h ago by this "
        "machine's clock); what came later is not"
    )


def _name(envelope: "Envelope") -> str:
    from keepclear.record.headers import read_act

    found = read_act(envelope)
    return f"{found.kind.partition('/')[0]} {found.id[:SHORT]}"
