# SPDX-License-Identifier: Apache-2.0
"""Plays on the in-memory exchange: what the parties of a play do, done, with its record.

Keys are made for the play, from the ids that are handed in; each party acts by its post `watch`
and signs agreements by its two representatives.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from keepclear.agreement.documents import Agreement, hash_of
from keepclear.agreement.rules_toml import parse_short, read_rules
from keepclear.agreement.separation import RuleSet
from keepclear.agreement.statements import AgreementFile, Said, sign, state
from keepclear.detect.kernel import Functions
from keepclear.errors import CallerError, InputError
from keepclear.exchange.agreements import CarryAgreement
from keepclear.exchange.exchange import Exchange, Region
from keepclear.exchange.ports import Ids
from keepclear.exchange.views import Answer
from keepclear.formats.agreement_draft import fill_template, read_draft
from keepclear.formats.packaged import read_template
from keepclear.formats.play import Play, PlayAct, PlayAgreement
from keepclear.plans import acts
from keepclear.plans.conflicts import Answer as Reply
from keepclear.plans.filing import FiledOperation, FiledVolume
from keepclear.record.encoding import Signed, encode
from keepclear.record.envelopes import Envelope, seal
from keepclear.record.files import ExchangeKey, Header, KeysFile
from keepclear.record.headers import ACT, Act, Status
from keepclear.record.key_documents import Device, KeyDocument, Representative, seal_document
from keepclear.record.keys import Signer
from keepclear.record.mandates import ROUTINE, Mandate, Power
from keepclear.store.memory import MemoryStore
from keepclear.units import format_time, parse_duration_us, parse_time_us

HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
YEAR_US: Final = 365 * DAY_US
PEOPLE: Final = ("rep-1", "rep-2")
POSTS: Final = ("watch", "duty-officer")


class Refusal(NamedTuple):
    """An act of a play that was refused, and why."""

    at_us: int
    act: PlayAct
    why: str


class Played(NamedTuple):
    """What came of a play: the lines of its record, whom to believe, names for ids, refusals."""

    lines: list[bytes]
    keys: KeysFile
    names: Mapping[str, str]
    refused: tuple[Refusal, ...]


class PlayClock:
    """The time of a play; moved by who runs it."""

    def __init__(self, now_us: int) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        """Return the time of the play."""
        return self._now_us

    def move_to(self, now_us: int) -> None:
        """Let time pass; it never runs backwards."""
        self._now_us = max(self._now_us, now_us)


def run_play(play: Play, ids: Ids, functions: Functions) -> Played:
    """Return what comes of a play. `CallerError` for a play that cannot be staged.

    functions: of the kernel (`detect.compiled`).
    """
    return _Run(play, ids, functions).run()


class Stage:
    """Parties with keys on an exchange in memory; one stage is one record."""

    def __init__(
        self, region: str, start_us: int, status: Status, house: RuleSet, ids: Ids,
        functions: Functions,
    ) -> None:  # fmt: skip
        self._region, self._start_us, self._status, self._ids = region, start_us, status, ids
        self.clock = PlayClock(start_us)
        name, signer = f"exchange.example/{region}", Signer(ids.salt())
        self._own = ExchangeKey(name=name, key=signer.public.data)
        header = Header(
            view="archive", region=region, incarnation=1, party="", exchange=(self._own,)
        )
        self._store = MemoryStore(header)
        self.exchange = Exchange(
            Region(name=region, exchange=name, house=house), signer, self.clock, ids, self._store,
            functions,
        )  # fmt: skip
        self._signers: dict[tuple[str, str], Signer] = {}
        self._documents: list[Envelope] = []
        self._agreement = ""

    @property
    def lines(self) -> list[bytes]:
        """Return the lines of the operator's archive so far."""
        return self._store.lines()

    @property
    def keys(self) -> KeysFile:
        """Return whom to believe."""
        return KeysFile(exchange=(self._own,), documents=tuple(self._documents))

    def join(self, party: str) -> None:
        """Make a party's keys and enter its key document."""
        for name in ("root", "next-root", *PEOPLE, *POSTS):
            self._signers[party, name] = Signer(self._ids.salt())
        from_us, until_us = self._start_us - DAY_US, self._start_us + YEAR_US
        powers = Mandate(covers=tuple(Power), from_us=from_us, until_us=until_us)
        routine = Mandate(covers=(ROUTINE,), from_us=from_us, until_us=until_us)
        document = seal_document(KeyDocument(
            party=party, version=1, previous="", created_us=from_us,
            root=self._signers[party, "root"].public.data,
            next_root=self._signers[party, "next-root"].public.id,
            representatives=tuple(
                Representative(id=n, key=self._signers[party, n].public.data, mandates=(powers,))
                for n in PEOPLE
            ),
            devices=tuple(
                Device(post=n, key=self._signers[party, n].public.data, mandates=(routine,))
                for n in POSTS
            ),
        ), self._signers[party, "root"])  # fmt: skip
        self._documents.append(document)
        self.exchange.admit(document)

    def signed(self, agreement: Agreement, *stated: tuple[str, Said, int]) -> AgreementFile:
        """Return an agreement that all its parties have signed, an hour before the start.

        stated: by whom, what, and when, beside its conditions.
        """
        parties = [party.id for party in agreement.parties]
        before_us = self._start_us - HOUR_US
        conditions = [
            (party, said, before_us + HOUR_US // 2)
            for said in (Said.LINE_CHECKED, Said.PROVING_RUN_MADE)
            for party in parties
        ]
        return AgreementFile(
            agreement=msgspec.Raw(encode(agreement)),
            signatures=tuple(
                sign(hash_of(agreement), party, before_us, before_us + DAY_US,
                     self._signers[party, name])
                for party in parties for name in PEOPLE
            ),
            statements=tuple(
                state(agreement, party, at_us, said, self._signers[party, PEOPLE[0]])
                for party, said, at_us in (*conditions, *stated)
            ),
        )  # fmt: skip

    def carry(self, file: AgreementFile, agreement: Agreement) -> Answer:
        """Let the first party carry an agreement into the region."""
        self._agreement = hash_of(agreement)
        made = CarryAgreement(file=file)
        return self.submit(agreement.parties[0].id, "agreement.carry/1", made, PEOPLE)

    def submit(
        self, party: str, kind: str, payload: Signed, names: tuple[str, ...] = ("watch",)
    ) -> Answer:
        """Let keys of a party sign an act, and send it."""
        return self.exchange.submit(self.envelope(party, kind, payload, names), party).value

    def envelope(
        self, party: str, kind: str, payload: Signed, names: tuple[str, ...] = ("watch",)
    ) -> Envelope:
        """Return an act, signed."""
        now_us = self.clock.now_us()
        act = Act(
            region=self._region, incarnation=1, status=self._status, party=party, post="watch",
            id=self._ids.id(), created_us=now_us, expires_us=now_us + HOUR_US,
            agreement=self._agreement, kind=kind, payload=msgspec.Raw(encode(payload)),
        )  # fmt: skip
        return seal(ACT, encode(act), *(self._signers[party, name] for name in names))


class _Run:
    """A play that is running."""

    def __init__(self, play: Play, ids: Ids, functions: Functions) -> None:
        self._play = play
        house = read_rules(play.house) if "\n" in play.house else parse_short(play.house)
        status = Status(play.status)
        self._stage = Stage(play.region, play.start_us, status, house, ids, functions)
        self._world = self._stage.exchange.world
        self._operations: dict[str, str] = {}  # what the play calls them -> their ids
        self._refused: list[Refusal] = []

    def run(self) -> Played:
        """Let the whole play happen."""
        for party in self._play.parties:
            self._stage.join(party)
        if self._play.agreement is not None:
            agreement = self._agreement(self._play.agreement)
            self._stage.carry(self._stage.signed(agreement), agreement)
        for act in self._play.acts:
            at_us = self._play.start_us + parse_duration_us(act.at, "at")
            self._stage.clock.move_to(at_us)
            self._stage.exchange.pass_time()
            while self._stage.exchange.recheck_some():
                pass
            if act.does == "nothing":
                continue
            try:
                self._do(act)
            except CallerError as fault:
                self._refused.append(Refusal(at_us, act, str(fault)))
        self._stage.exchange.beat()
        names = {own_id: name for name, own_id in self._operations.items()}
        return Played(self._stage.lines, self._stage.keys, names, tuple(self._refused))

    def _agreement(self, asked: PlayAgreement) -> Agreement:
        """Return the play's agreement."""
        start_us = self._play.start_us
        text = fill_template(
            read_template(asked.template), self._play.parties, start_us - DAY_US, start_us + YEAR_US
        )
        for old, new in asked.replace.items():
            if old not in text:
                raise InputError("agreement.replace", old, "is not in the template", "see it")
            text = text.replace(old, new)
        return read_draft(text.encode(), "agreement of the play")

    def _do(self, act: PlayAct) -> None:
        """Let a party do one thing."""
        made: Signed
        match act.does:
            case "file":
                made = acts.FileOperation(operation=self._filed(act))
                answer = self._stage.submit(act.by, "operations.file/1", made)
                self._operations[act.operation] = _filed_id(answer)
                return
            case "change":
                operation = self._own(act)
                made = acts.UpdateOperation(
                    id=operation, ovn=self._world.operations[operation].ovn,
                    operation=self._filed(act),
                )  # fmt: skip
            case "activate":
                made = acts.ActivateOperation(id=self._own(act), key=self._key(act))
            case "airborne":
                made = acts.MarkAirborne(id=self._own(act), at_us=self._stage.clock.now_us())
            case "contingent":
                volumes = (self._volume(act),) if act.area else ()
                made = acts.MakeContingent(id=self._own(act), off_nominal=volumes)
            case "end":
                made = acts.EndOperation(id=self._own(act))
            case "cancel":
                made = acts.CancelOperation(id=self._own(act), why=act.why)
            case _:
                made = self._about_conflict(act)
        self._stage.submit(
            act.by, f"{_group(act.does)}.{act.does}/1".replace("change", "update"), made
        )

    def _about_conflict(self, act: PlayAct) -> Signed:
        conflict = self._conflict(act)
        match act.does:
            case "acknowledge":
                return acts.AcknowledgeConflict(id=conflict)
            case "answer":
                return acts.AnswerConflict(id=conflict, answer=Reply(act.answer), why=act.why)
            case "propose":
                return acts.ProposeChange(
                    id=conflict, operation=self._named(act.moves), later=act.later,
                    higher=act.higher, why=act.why,
                )  # fmt: skip
            case "accept":
                proposal = self._world.conflicts[conflict].proposal
                if proposal is None:
                    raise InputError("proposal", "", "is not there", "let the other side propose")
                return acts.AcceptProposal(id=conflict, proposal=proposal.id)
            case _:
                return acts.AgreeAsIs(id=conflict)

    def _filed(self, act: PlayAct) -> FiledOperation:
        return msgspec.convert(
            {
                "datum": "WGS84", "domain": act.domain, "craft_class": act.craft_class,
                "callsign": act.callsign, "count": act.count,
                "volumes": (msgspec.to_builtins(self._volume(act)),),
            },
            FiledOperation,
        )  # fmt: skip

    def _volume(self, act: PlayAct) -> FiledVolume:
        area = self._play.areas[act.area]
        end_us = parse_time_us(act.start, "start") + parse_duration_us(act.lasts, "lasts")
        return msgspec.convert(
            {
                "shape": area.shape, "lower": area.lower, "upper": area.upper,
                "start": act.start, "end": f"{format_time(end_us)[:19]}Z",
            },
            FiledVolume,
        )  # fmt: skip

    def _key(self, act: PlayAct) -> tuple[str, ...]:
        """Return the OVNs that a party has: those of its last notices, or of the play's choice."""
        own = self._own(act)
        world = self._world
        if act.key is not None:
            return act.key
        return tuple(world.operations[each.other(own)].ovn for each in world.conflicts_of(own))

    def _own(self, act: PlayAct) -> str:
        return self._named(act.operation)

    def _named(self, name: str) -> str:
        if name not in self._operations:
            known = ", ".join(self._operations) or "none"
            raise InputError("operation", name, f"is none of the play's so far: {known}", "file it")
        return self._operations[name]

    def _conflict(self, act: PlayAct) -> str:
        pair = [self._named(name.strip()) for name in act.conflict.split(" and ")]
        for each in self._world.conflicts_of(pair[0]):
            if {each.a, each.b} == set(pair):
                return each.id
        raise InputError("conflict", act.conflict, "is none of the play's so far", "see the story")


def _group(does: str) -> str:
    about = {"acknowledge", "answer", "propose", "accept", "agree-as-is"}
    return "conflicts" if does in about else "operations"


def _filed_id(answer: Answer) -> str:
    for _, part in answer.parts:
        if part.kind == "operation-filed/1":
            return str(msgspec.json.decode(part.data)["operation"]["id"])
    raise InputError("answer", "", "has no operation in it", "see the record")
