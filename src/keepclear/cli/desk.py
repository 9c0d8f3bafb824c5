# SPDX-License-Identifier: Apache-2.0
"""`keepclear post`: a post at an exchange, kept in a folder; what the other commands act with.

The folder (`--home`, or KEEPCLEAR_HOME) is described in `post_folder`.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from keepclear.cli.key import print_or_refuse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keepclear.cli.post_folder import PostFolder
    from keepclear.client import Client, NewIncarnation, Seen
    from keepclear.exchange.picture import Picture
    from keepclear.exchange.views import Notice
    from keepclear.plans.operations import Operation
    from keepclear.record.encoding import Signed
    from keepclear.record.entries import Part
    from keepclear.record.envelopes import Envelope
    from keepclear.record.headers import Act
    from keepclear.record.keys import Signer
    from keepclear.reports.conflict_html import Page

Function = TypeVar("Function", bound=Callable[..., Any])
Kind = TypeVar("Kind", bound="Client")
FORMAT: Final = "keepclear-desk/1"
APART: Final = "keepclear.apart"
SHORTEST: Final = 4
SHORT: Final = 8


def home_option(function: Function) -> Function:
    """Let a command be given the folder of a post."""
    return click.option(
        "--home", envvar="KEEPCLEAR_HOME", default=".", show_default=True,
        type=click.Path(file_okay=False), help="The post's folder; KEEPCLEAR_HOME sets it too.",
    )(function)  # fmt: skip


@click.group()
def post() -> None:
    """Set up a post at an exchange."""


@post.command()
@click.option("--exchange", "url", required=True, metavar="URL", help="Where the exchange is.")
@click.option("--party", required=True, help="The party that the post is of.")
@click.option("--name", default="watch", show_default=True, help="The post, as its key names it.")
@click.option("--key", "key_file", required=True, type=click.Path(dir_okay=False),
              help="The post's private key.")  # fmt: skip
@click.option("--believe", required=True, type=click.Path(dir_okay=False),
              help="The exchange's public key, as the operator gave it.")  # fmt: skip
@click.option("--status", type=click.Choice(["Actual", "Exercise", "Test"]), default="Actual",
              show_default=True, help="What its acts are.")  # fmt: skip
@home_option
def setup(
    url: str, party: str, name: str, key_file: str, believe: str, status: str, home: str
) -> int:
    """Set up a post: where its exchange is, and with which key it signs.

    \b
    Example:
      keepclear post setup --exchange http://127.0.0.1:8610 --party north \\
        --key north-keys/north.watch.private.json --believe region.keys.json \\
        --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    return print_or_refuse(lambda: set_up(url, party, name, key_file, believe, status, home))


@post.command("key")
@click.argument("file", type=click.Path(dir_okay=False))
@home_option
def use_key(file: str, home: str) -> int:
    """Sign with the private key in FILE from now on; all else of the post stays.

    For when the post's key was replaced (keepclear key rotate) and the operator has admitted the
    changed keys. A watch that runs signs with the key before: end it, and start it again.

    \b
    Example:
      keepclear post key north-keys/north.watch-2.private.json --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.post_folder import PostFolder
    from keepclear.cli.private_keys import read_private

    def make() -> list[str]:
        folder = PostFolder(home)
        said = folder.desk()
        read_private(file, said.party)
        folder.sign_with(str(Path(file).absolute()))
        return [f"post {said.post} of {said.party} signs with {file} from now on"]

    return print_or_refuse(make)


def set_up(
    url: str, party: str, name: str, key_file: str, believe: str, status: str, home: str
) -> list[str]:
    """Write the folder of a post; return what is said of it."""
    from keepclear.cli.output import write_text
    from keepclear.cli.post_folder import check_desk
    from keepclear.cli.private_keys import read_private
    from keepclear.cli.record import read_keys_file
    from keepclear.record.encoding import encode
    from keepclear.reports.record_text import keys_text

    keys = read_keys_file(believe)
    if not keys.exchange:
        raise click.UsageError(f"--believe {believe!r}: has no key of an exchange")
    read_private(key_file, party)
    desk = {
        "format": FORMAT, "exchange": url, "party": party, "post": name, "status": status,
        "key": str(Path(key_file).absolute()),
    }  # fmt: skip
    check_desk(desk)
    folder = Path(home)
    folder.mkdir(parents=True, exist_ok=True)
    write_text(str(folder / "desk.json"), encode(desk).decode() + "\n")
    write_text(str(folder / "believed.json"), encode(keys).decode() + "\n")
    return [
        f"post {name} of {party} is set up in {home}",
        "Compare this key with the operator by voice, before anything is signed:",
        keys_text(keys).rstrip("\n"),
    ]


class AtDesk:
    """An officer at a post: the client, and the folder where it keeps what it was shown.

    is_apart: what it signs is handed in elsewhere.
    """

    is_apart = False

    def __init__(self, client: "Client", folder: "PostFolder") -> None:
        self.client, self.folder = client, folder

    @property
    def picture(self) -> "Picture":
        """Return how operations and conflicts stand, as far as they were fetched."""
        return self.client.picture

    def act(
        self, kind: str, payload: "Signed", signers: "Sequence[Signer]" = ()
    ) -> "tuple[Part, ...]":
        """Sign an act and send it; return what came of it.

        It is kept from before it is sent until there is an answer: whoever is cut off sends the
        same again.
        """
        return self.send(self.client.signed(kind, payload, signers=signers))

    def send(self, envelope: "Envelope") -> "tuple[Part, ...]":
        """Send an act that is signed; as `act`."""
        from keepclear.client import NoAnswer
        from keepclear.errors import KeepclearError, OperatorError
        from keepclear.record.faults import RecordError

        self.folder.wait_for(envelope)
        again = f"to send the same again, type keepclear send-again --home {self.folder.path}"
        try:
            parts = self.client.send(envelope)
        except NoAnswer as fault:
            raise OperatorError(f"{fault}\nIt may have been done; {again}") from None
        except RecordError as fault:
            way_out = f"{fault.way_out}; {again}"
            raise type(fault)(fault.path, fault.value, fault.limit, way_out) from None
        except KeepclearError:
            self.folder.answered(envelope)
            raise
        self.folder.answered(envelope)
        return parts

    def told(self, parts: "Sequence[Part]") -> str:
        """Return what came of an act, or of a step, to be printed; keep that it is."""
        from keepclear.exchange.events import OperationFiled
        from keepclear.exchange.picture import told_in
        from keepclear.exchange.views import Notice
        from keepclear.reports.desk_text import done_text

        found = [told_in(each) for each in parts]
        self.show(
            [each for each in found if isinstance(each, Notice)],
            [each.operation for each in found if isinstance(each, OperationFiled)],
        )
        return done_text(parts, self.picture.operations).strip("\n")

    def how_to_accept(self, fault: "NewIncarnation") -> str:
        """Return what to type to go on with a record that was restored from a backup."""
        if fault.is_later:
            home = f"--home {self.folder.path}"
            return (
                f"{fault}\nSee what it has and what of yours it has not: keepclear restored show "
                f"{home}\nOnce the operator has said why: keepclear restored accept {home}"
            )
        return (
            f"{fault}\nOnce the operator and the other parties have said what was lost: "
            f"{self.folder.away()}, and run this again. What was moved away proves what the backup "
            "does not have."
        )

    def caught_up(self) -> str:
        """Bring the copy up to date; return why what is shown is older, empty where it is not.

        Where nothing was ever fetched there is nothing to show: that is raised. Where there is,
        nobody is kept from it for long.
        """
        from keepclear.client import NewIncarnation
        from keepclear.client.acting import FEW_TRIES, TRIES
        from keepclear.errors import KeepclearError

        if self.client.seen.step:
            self.client.tries = FEW_TRIES
        try:
            self.client.catch_up()
        except NewIncarnation as fault:
            return self.how_to_accept(fault)
        except KeepclearError as fault:
            if not self.client.seen.step:
                raise
            return str(fault)
        finally:
            self.client.tries = TRIES
        self.folder.was_asked(self.client.caught_up_us)
        return ""

    @property
    def as_of_us(self) -> int:
        """Return up to when all is held that there was: when it was asked for, or the newest."""
        newest_us = max((part.at_us for _, part in self.folder.parts()), default=0)
        return max(self.folder.last_asked(), newest_us)

    def page(self, stale: str) -> "Page":
        """Return what stands on top of a page made here. stale: as `caught_up` returns it."""
        from keepclear.reports.conflict_html import Page

        said, seen = self.folder.desk(), self.client.seen
        return Page(said.party, seen.region, said.status, self.as_of_us, stale)

    def show(self, notices: "Sequence[Notice]", operations: "Sequence[Operation]" = ()) -> None:
        """Keep that notices and operations are printed: what an officer does is about these."""
        incarnation = self.client.seen.incarnation
        self.folder.show(incarnation, notices, operations, self.picture)


def client_of(
    folder: "PostFolder", kind: "type[Kind]", seen: "Seen | None" = None
) -> "Kind":  # fmt: skip
    """Return the client of a post, which goes on from what its folder holds.

    seen: from this instead, and then nothing of it is kept.
    """
    from keepclear.cli.private_keys import read_private
    from keepclear.cli.record import read_keys_file

    said = folder.desk()
    signer = read_private(said.key, said.party)
    believed = read_keys_file(str(folder.path / "believed.json"))
    made = kind(
        said.exchange, said.party, said.post, signer, believed, status=said.status,
        seen=folder.kept().seen if seen is None else seen,
        keeping=folder if seen is None else None, follows=said.clock == "exchange",
    )  # fmt: skip
    made.told_to_wait = lambda why: click.echo(f"{why}; it is tried again for a while", err=True)
    return made


@contextmanager
def desk(home: str) -> "Iterator[AtDesk]":
    """Give a post at its exchange; or apart from it, where the command line says so (`apart`)."""
    from keepclear.cli.post_folder import PostFolder
    from keepclear.client import Client, NewIncarnation
    from keepclear.errors import OperatorError

    context = click.get_current_context(silent=True)
    apart = None if context is None else context.meta.get(APART)
    if apart is not None:
        with apart(home) as signing:
            yield signing
        return
    folder = PostFolder(home)
    with client_of(folder, Client) as client:
        post = AtDesk(client, folder)
        try:
            yield post
        except NewIncarnation as fault:
            raise OperatorError(post.how_to_accept(fault)) from None


def as_shown(post: AtDesk, latest: "Notice") -> "Notice":
    """Return the notice of a conflict that was last printed; refuse where a newer says otherwise.

    `InputError` says what has changed, and to look again.
    """
    from keepclear.errors import InputError
    from keepclear.reports.desk_text import changes_text
    from keepclear.reports.play_values import day_of

    short = latest.conflict[:SHORT]
    look = f"look at it: keepclear conflicts {short} --home {post.folder.path}"
    shown = post.folder.shown(post.client.seen.incarnation).conflicts.get(latest.conflict)
    if shown is None:
        raise InputError("conflict", short, "was not shown here yet", look)
    changed = changes_text(shown, latest, day_of(time.time_ns() // 1000))
    if changed:
        raise InputError("conflict", short, f"has changed since it was shown ({changed})", look)
    return shown


def stale_text(why: str) -> list[str]:
    """Return what is said above what may be stale; nothing where it is not."""
    return [f"NOT UP TO DATE, AND MAY BE STALE: {why}\n"] if why else []


def waiting_text(post: AtDesk) -> list[str]:
    """Return what is said of acts to which there was no answer; nothing where there is none."""
    count = len(post.folder.unanswered())
    said = (
        f"{count} of your acts {'was' if count == 1 else 'were'} not answered, and may be done or "
        f"not: keepclear send-again --home {post.folder.path}\n"
    )
    return [said] if count else []


def _overtaken(post: AtDesk, act: "Act") -> str:
    """Return why an act on a SAR case is not to be sent again: more was said since it was signed.

    No clock is asked of such an act, so it would take the case back to where they were, or close
    it. Empty for all others.
    """
    from keepclear.exchange.decide import payload_of
    from keepclear.plans.sar import CloseSar, UpdateSar
    from keepclear.units import format_time

    payload = payload_of(act)
    if not isinstance(payload, CloseSar | UpdateSar):
        return ""
    picture = post.folder.picture(post.client.party)
    case, messages = picture.stops.get(payload.id), picture.messages
    told = () if case is None else (messages[each] for each in case.messages if each in messages)
    since_us = max((each.sent_us for each in told), default=0)
    if since_us <= act.created_us:
        return ""
    return (
        f"more was said of SAR case {payload.id[:SHORT]} at {format_time(since_us)[:19]}Z, after "
        f"this was signed at {format_time(act.created_us)[:19]}Z; type it anew if it still holds"
    )


@click.command("send-again")
@home_option
def send_again(home: str) -> int:
    """Send again what there was no answer to: the same bytes, which do nothing twice.

    \b
    Example:
      keepclear send-again --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.record.headers import read_act

    def make() -> list[str]:
        said: list[str] = []
        with desk(home) as post:
            waiting = post.folder.unanswered()
            if waiting:
                post.client.catch_up()
            for each in waiting:
                act = read_act(each)
                name = f"{act.kind.partition('/')[0]} {act.id[:SHORT]}"
                if post.folder.holds(each):
                    post.folder.answered(each)
                    said.append(f"{name}: was done; see keepclear conflicts, operation list")
                elif why := _overtaken(post, act):
                    post.folder.answered(each)
                    said.append(f"{name}: NOT SENT: {why}")
                else:
                    click.echo(f"sending {name}", err=True)
                    said.append(post.told(post.send(each)))
        return said or ["every act was answered; nothing is to be sent again"]

    return print_or_refuse(make)


@click.command()
@click.option("--output", metavar="FILE", help="Copy all of it to FILE too.")
@home_option
def export(output: str | None, home: str) -> int:
    """Fetch what is new of the party's part of the record into its folder, as record.jsonl.

    \b
    Example:
      keepclear record export --home north
      keepclear record verify north/record.jsonl --keys keys.json
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    import shutil

    from keepclear.cli.post_folder import RECORD

    def make() -> list[str]:
        with desk(home) as post:
            before = post.client.seen.step
            post.client.catch_up()
            file, seen = post.folder.path / RECORD, post.client.seen
            if output is not None:
                with post.folder.locked():
                    shutil.copyfile(file, output)
        return [f"{output or file}: {seen.step - before:,} new, {seen.step:,} in all"]

    return print_or_refuse(make)


def one_of(given: str, known: list[str], what: str, over: "Iterable[str]" = ()) -> str:
    """Return the one id that begins so; refuse where none or several do.

    over: ids of those that were, and of which nothing can be done any more.
    """
    from keepclear.errors import InputError

    found = [each for each in known if each.startswith(given.lower())]
    if not found and len(given) >= SHORTEST and any(e.startswith(given.lower()) for e in over):
        raise InputError(
            what, given, "is over", f"nothing can be done of it; see the list of your {what}s"
        )
    if len(given) < SHORTEST or len(found) != 1:
        raise InputError(
            what, given, f"begins {len(found)} of {len(known)} ids" if len(given) >= SHORTEST
            else f"has fewer than {SHORTEST} digits",
            f"give the id as the list of your {what}s has it",
        )  # fmt: skip
    return found[0]
