# SPDX-License-Identifier: Apache-2.0
"""`keepclear demo`: an exchange with an exercise running in it, to look at.

EXERCISE: the eastern Mediterranean, September 2015; two air forces, a civil authority and a navy,
A to D. Each is a client with keys of its own, over HTTP, as parties are.
"""

import os
import signal
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

import click

from keepclear.cli.key import print_or_refuse
from keepclear.cli.serving_parts import check_installed, functions_of_node

if TYPE_CHECKING:
    from keepclear.client import Client
    from keepclear.exchange.views import Notice
    from keepclear.record.envelopes import Envelope
    from keepclear.record.files import KeysFile
    from keepclear.record.keys import Signer
    from keepclear.server.clock import ExerciseClock
    from keepclear.server.serving import Listening

BEAT_S: Final = 2.0
PAUSE_S: Final = 0.7
MOST: Final = 7  # operations of a party at once
SHORT: Final = 8
DAY_US: Final = 86_400_000_000
PEOPLE: Final = ("rep-1", "rep-2")


@click.command()
@click.option("--seconds", default=60, show_default=True, type=click.IntRange(0),
              help="How long it runs; 0 is until Ctrl-C.")  # fmt: skip
@click.option("--speed", default=120.0, show_default=True, type=click.FloatRange(1, 3_600),
              help="How many times as fast as the world its clock runs.")  # fmt: skip
@click.option("--seed", default=1, show_default=True, help="Another seed, other plans.")
@click.option("--listen", default="127.0.0.1:0", show_default=True, metavar="HOST:PORT",
              help="Where parties reach it; port 0 takes a free one.")  # fmt: skip
def demo(seconds: int, speed: float, seed: int, listen: str) -> int:
    """Run an exchange with an exercise in it: four parties file, are told, and settle it.

    \b
    Example:
      keepclear demo --seconds 60
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.agreement.rules_toml import parse_short
    from keepclear.cli.serve import address
    from keepclear.plays.exercise import HOUSE, REGION, START
    from keepclear.units import parse_time_us

    def make() -> list[str]:
        check_installed()
        from keepclear.server.clock import ExerciseClock
        from keepclear.server.region import create_region
        from keepclear.server.serving import Address, serve

        functions = functions_of_node()
        folder = Path(tempfile.mkdtemp(prefix="keepclear-demo-"))
        clock = ExerciseClock(parse_time_us(START), speed)
        create_region(folder / "region", REGION, parse_short(HOUSE), clock, functions)
        running = _Exercise(folder, clock, seconds, Random(seed))  # noqa: S311 an exercise
        serve(
            folder / "region", Address(*address(listen, "--listen")), Address("127.0.0.1", 0),
            functions, running.begin, clock, BEAT_S,
        )  # fmt: skip
        running.join()
        return running.proof()

    return print_or_refuse(make)


class _Exercise:
    """Four parties on a thread of their own, until their time is over or the node ends."""

    def __init__(self, folder: Path, clock: "ExerciseClock", seconds: int, by: Random) -> None:
        self._folder, self._clock, self._seconds, self._by = folder, clock, seconds, by
        self._clients: dict[str, Client] = {}
        self._signers: dict[str, dict[str, Signer]] = {}
        self._documents: list[Envelope] = []
        self._seen: set[tuple[str, str, str]] = set()
        self._thread: threading.Thread | None = None
        self._is_over = threading.Event()
        self._fault: BaseException | None = None

    def begin(self, listening: "Listening") -> None:
        """Let the parties join, and go on beside the node."""
        self._thread = threading.Thread(target=self._run, args=(listening,), daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait until the parties have stopped; raise what went wrong with them."""
        self._is_over.set()
        if self._thread is not None:
            self._thread.join(timeout=30)
        if self._fault is not None:
            raise self._fault

    def proof(self) -> list[str]:
        """Return what the record proves, now that all have ended."""
        from keepclear.record.encoding import encode
        from keepclear.record.verification import verify
        from keepclear.store.sqlite import SQLiteStore

        keys = self._keys()
        (self._folder / "keys.json").write_bytes(encode(keys) + b"\n")
        store = SQLiteStore.open(self._folder / "region" / "record.db")
        lines = list(store.lines())
        store.close()
        (self._folder / "archive.record").write_bytes(b"".join(each + b"\n" for each in lines))
        proven = verify(lines, keys)
        files = f"{self._folder}/archive.record --keys {self._folder}/keys.json"
        word = "PROVEN" if proven.is_proven else "NOT PROVEN"
        counts = f"{proven.entries:,} entries, {proven.acts:,} acts"
        return [
            "", f"{word}: {counts}, each act as its party has signed it", "look at it:",
            f"  keepclear record verify {files}",
            f"  keepclear record report {files} --output report.html",
        ]  # fmt: skip

    # --- the thread ---------------------------------------------------------------------------

    def _run(self, listening: "Listening") -> None:
        try:
            ends = time.monotonic() + self._seconds if self._seconds else float("inf")
            self._join_all(listening)
            self._agree()
            self._say_where(listening)
            while time.monotonic() < ends and not self._is_over.wait(PAUSE_S):
                self._step(self._by.choice(list(self._clients)))
        except Exception as fault:  # noqa: BLE001 raised again where the command ends
            if not self._is_over.is_set():
                self._fault = fault
        finally:
            for each in self._clients.values():
                each.close()
            if not self._is_over.is_set():
                os.kill(os.getpid(), signal.SIGTERM)

    def _join_all(self, listening: "Listening") -> None:
        from keepclear.cli.private_keys import new_signer
        from keepclear.client import Client, admit_party
        from keepclear.plays.exercise import PARTIES
        from keepclear.record.encoding import encode
        from keepclear.record.headers import Status
        from keepclear.record.key_documents import first_document
        from keepclear.server.region import operator_token

        token = operator_token(self._folder / "region")
        for party in PARTIES:
            signers = {name: new_signer() for name in ("root", "next-root", *PEOPLE, "watch")}
            from_us = self._clock.now_us() - DAY_US
            document = first_document(
                party, signers, PEOPLE, ("watch",), from_us, from_us + 366 * DAY_US
            )
            admit_party(listening.operator.url, token, document)
            self._signers[party] = signers
            self._documents.append(document)
        for party in PARTIES:
            self._clients[party] = Client(
                listening.parties.url, party, "watch", self._signers[party]["watch"],
                self._believed(), status=Status.EXERCISE, follows=True,
            )  # fmt: skip
            home = self._folder / party
            home.mkdir()
            key = home / "watch.private.json"
            key.touch(mode=0o600)
            key.write_bytes(encode({
                "format": "keepclear-private-key/1", "party": party, "name": "watch",
                "seed": self._signers[party]["watch"].seed.hex(),
            }) + b"\n")  # fmt: skip
            (home / "believed.json").write_bytes(encode(self._keys()) + b"\n")
            (home / "desk.json").write_bytes(encode({
                "format": "keepclear-desk/1", "exchange": listening.parties.url, "party": party,
                "post": "watch", "status": "Exercise", "key": str(key), "clock": "exchange",
            }) + b"\n")  # fmt: skip

    def _agree(self) -> None:
        """Let the two air forces sign an agreement, and carry it into the region."""
        import msgspec

        from keepclear.agreement.documents import hash_of
        from keepclear.agreement.statements import AgreementFile, Said, sign, state
        from keepclear.exchange.agreements import CarryAgreement
        from keepclear.formats.agreement_draft import fill_template, read_draft
        from keepclear.formats.packaged import read_template
        from keepclear.plays.exercise import PARTIES
        from keepclear.record.encoding import encode

        now_us = self._clock.now_us()
        text = fill_template(
            read_template("two-forces"), {each: PARTIES[each] for each in ("a", "c")},
            now_us - DAY_US, now_us + 365 * DAY_US,
        )  # fmt: skip
        found = read_draft(text.encode(), "two-forces")
        file = AgreementFile(
            agreement=msgspec.Raw(encode(found)),
            signatures=tuple(
                sign(hash_of(found), party, now_us, now_us + DAY_US, self._signers[party][name])
                for party in ("a", "c") for name in PEOPLE
            ),
            statements=tuple(
                state(found, party, now_us, Said.LINE_CHECKED, self._signers[party][PEOPLE[0]])
                for party in ("a", "c")
            ),
        )  # fmt: skip
        signers = [self._signers["a"][each] for each in PEOPLE]
        self._clients["a"].act("agreement.carry/1", CarryAgreement(file=file), signers=signers)

    def _say_where(self, listening: "Listening") -> None:
        from keepclear.plays.exercise import HOUSE, PARTIES

        click.echo(
            "EXERCISE: eastern Mediterranean, 30 September 2015. Places are public; parties, plans "
            "and times are invented."
        )
        click.echo(", ".join(f"{each.upper()} is {name}" for each, name in PARTIES.items()))
        click.echo(f"A and C have signed an agreement; among all others the house rule, {HOUSE}")
        click.echo(f"the exchange is at {listening.parties.url}; its health: "
                   f"{listening.operator.url}/health")  # fmt: skip
        click.echo(f"see what C sees, in another terminal: keepclear watch --home "
                   f"{self._folder}/c")  # fmt: skip
        click.echo("Ctrl-C ends it.\n")

    def _step(self, party: str) -> None:
        """Let a party look at what it was told, move what is due, and perhaps file."""
        from keepclear.client import NotDone
        from keepclear.exchange.picture import SETTLED

        client = self._clients[party]
        for each in client.conflicts():
            if each.state not in SETTLED:
                self._settle(party, each)
        protecting = 0
        for own in client.operations():
            protecting += own.is_protecting
            now_us = self._clock.now_us()
            try:
                if own.state in {"filed", "accepted"} and own.start_us <= now_us:
                    self._activate(party, own.id)
                elif own.is_protecting and own.end_us <= now_us:
                    self._do(party, "operations.end/1", own.id, "ends")
            except NotDone as refusal:
                self._say(party, f"is refused: {refusal}")
        if protecting < MOST:
            self._file(party)

    def _file(self, party: str) -> None:
        import msgspec

        from keepclear.client import NotDone
        from keepclear.exchange.events import OperationFiled
        from keepclear.exchange.views import NOTICE_KIND
        from keepclear.plans.acts import FileOperation
        from keepclear.plays.exercise import next_plan

        plan, name = next_plan(party, self._clock.now_us(), self._by)
        try:
            parts = self._clients[party].act("operations.file/1", FileOperation(operation=plan))
        except NotDone as refusal:
            self._say(party, f"is refused: {refusal}")
            return
        filed = next(each for each in parts if each.kind == "operation-filed/1")
        made = msgspec.json.decode(bytes(filed.data), type=OperationFiled).operation
        volume = plan.volumes[0]
        heights = f"{volume.lower or 'surface'} to {volume.upper}"
        times = f"{volume.start[11:16]}Z to {volume.end[11:16]}Z"
        met = sum(each.kind == NOTICE_KIND for each in parts)
        found = f": {met} CONFLICT{'S' if met > 1 else ''}" if met else ""
        self._say(party, f"files {made.id[:SHORT]}, {name}, {heights}, {times}{found}")

    def _activate(self, party: str, own_id: str) -> None:
        from keepclear.plans.acts import ActivateOperation

        client = self._clients[party]
        key = tuple(
            each.other.ovn for each in client.conflicts()
            if each.own == own_id and each.other.ovn is not None
        )  # fmt: skip
        client.act("operations.activate/1", ActivateOperation(id=own_id, key=key))
        self._say(party, f"activates {own_id[:SHORT]}")

    def _do(self, party: str, kind: str, own_id: str, word: str) -> None:
        from keepclear.plans.acts import EndOperation

        self._clients[party].act(kind, EndOperation(id=own_id))
        self._say(party, f"{word} {own_id[:SHORT]}")

    def _settle(self, party: str, told: "Notice") -> None:
        """Do what is next in a conflict: acknowledge, propose, accept, or leave it as it is."""
        from keepclear.client import NotDone
        from keepclear.plans import acts

        client, name = self._clients[party], f"conflict {told.conflict[:SHORT]}"
        proposal = told.proposal
        try:
            if party not in told.acknowledged and told.other.ovn is not None:
                client.act("conflicts.acknowledge/1", acts.AcknowledgeConflict(
                    id=told.conflict, ovn=told.other.ovn
                ))  # fmt: skip
                self._say(party, f"acknowledges {name} with {told.other.party.upper()}")
            elif proposal is not None and proposal.by != party:
                client.act("conflicts.accept/1", acts.AcceptProposal(
                    id=told.conflict, proposal=proposal.id
                ))  # fmt: skip
                self._say(party, f"accepts what {proposal.by.upper()} proposed: {name} is resolved")
            elif party in told.must_act and proposal is None and told.state == "raised":
                hours = self._by.choice((1, 2, 3))
                client.act("conflicts.propose/1", acts.ProposeChange(
                    id=told.conflict, operation=told.own, later=f"{hours} h"
                ))  # fmt: skip
                self._say(party, f"proposes in {name} to go {hours} h later")
        except NotDone:
            # what was proposed does not settle it any more: both leave it as it is, knowingly
            with suppress(NotDone):  # or one of them has moved meanwhile, and it is settled
                for each in (party, told.other.party):
                    agreed = acts.AgreeAsIs(id=told.conflict)
                    self._clients[each].act("conflicts.agree-as-is/1", agreed)
                self._say(party, f"and {told.other.party.upper()} agree to leave {name} as it is")

    def _say(self, party: str, text: str) -> None:
        from keepclear.units import format_time

        click.echo(f"{format_time(self._clock.now_us())[11:16]}Z  {party.upper()} {text}")

    def _believed(self) -> "KeysFile":
        from keepclear.cli.record import read_keys_file

        return read_keys_file(str(self._folder / "region" / "region.keys.json"))

    def _keys(self) -> "KeysFile":
        import msgspec

        return msgspec.structs.replace(self._believed(), documents=tuple(self._documents))
