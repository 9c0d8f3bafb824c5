# SPDX-License-Identifier: Apache-2.0
"""Plays on the in-memory exchange: what the parties of a play do, done, with its record.

1. A party knows what it was told: it has the version of another's operation only from a notice.
2. What the exchange refuses is part of what came of the play; what cannot be asked of it, such
   as accepting where nothing was proposed, is a fault of the play.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from keepclear.agreement.documents import Agreement
from keepclear.agreement.rules_toml import parse_short, read_rules
from keepclear.agreement.separation import RuleSet
from keepclear.agreement.statements import Said
from keepclear.detect.kernel import Functions
from keepclear.errors import CallerError, InputError
from keepclear.exchange.ports import Ids
from keepclear.exchange.views import NOTICE_KIND, Answer, Notice
from keepclear.formats.agreement_draft import fill_template, read_draft
from keepclear.formats.packaged import read_template, template_names
from keepclear.formats.play import (
    AND,
    NAMES,
    SUSPENSIONS,
    Play,
    PlayAct,
    PlayAgreement,
    pair_of,
    version_of,
)
from keepclear.formats.play_faults import converted, split
from keepclear.plans import acts
from keepclear.plans.conflicts import Answer as Reply
from keepclear.plans.conflicts import Conflict
from keepclear.plans.filing import FiledOperation, FiledVolume
from keepclear.plays import casework, linework
from keepclear.plays.stage import DAY_US, PEOPLE, YEAR_US, Stage
from keepclear.record.encoding import Signed, decode
from keepclear.record.entries import Entry, Part
from keepclear.record.files import (
    LONGEST_LINE,
    AnyLine,
    EntryLine,
    KeysFile,
)
from keepclear.record.headers import Status
from keepclear.units import format_time, parse_duration_us, parse_time_us


class Refusal(NamedTuple):
    """An act of a play that was refused, and why.

    kind, payload: what was sent. after: how many lines the record had by then.
    """

    at_us: int
    act: PlayAct
    kind: str
    payload: Signed
    why: str
    after: int


class Played(NamedTuple):
    """What came of a play: the lines of its record, whom to believe, names for ids, refusals."""

    lines: list[bytes]
    keys: KeysFile
    names: Mapping[str, str]
    refused: tuple[Refusal, ...]


Staged = Callable[[str, int, Status, RuleSet, Ids, Functions], Stage]


def run_play(play: Play, ids: Ids, functions: Functions, staged: Staged = Stage) -> Played:
    """Return what comes of a play. `CallerError` for a play that cannot be staged.

    functions: of the kernel (`detect.compiled`). staged: makes the stage that it is played on.
    """
    return _Run(play, ids, functions, staged).run()


class _Run:
    """A play that is running."""

    def __init__(self, play: Play, ids: Ids, functions: Functions, staged: Staged) -> None:
        self._play = play
        house = _house(play.house)
        status = Status(play.status)
        self._stage = staged(play.region, play.start_us, status, house, ids, functions)
        self._world = self._stage.exchange.world
        self._operations: dict[str, str] = {}  # what the play calls them -> their ids
        self._others: dict[str, str] = {}  # the same of all else that has a name
        self._ovns: dict[tuple[str, int], str] = {}  # of each version of each of them
        self._known = _Known()
        self._refused: list[Refusal] = []

    def run(self) -> Played:
        """Let the whole play happen."""
        for party in self._play.parties:
            self._stage.join(party)
        if self._play.agreement is not None:
            agreement = self._agreement(self._play.agreement)
            self._stage.carry(self._stage.signed(agreement), agreement)
        for number, act in enumerate(self._play.acts):
            self._stage.clock.move_to(self._play.start_us + parse_duration_us(act.at, "at"))
            self._stage.exchange.pass_time()
            while self._stage.exchange.recheck_some():
                pass
            self._known.read(self._stage.lines)
            if act.does == "nothing":
                continue
            try:
                kind, made = self._made(act)
            except InputError as fault:
                is_own = not fault.path.startswith("areas.")
                path = f"acts[{number}].{fault.path}" if is_own else fault.path
                raise InputError(path, fault.value, fault.limit, fault.way_out) from None
            self._submit(act, kind, made)
        self._stage.exchange.beat()
        names = {own_id: name for name, own_id in self._operations.items()}
        return Played(self._stage.lines, self._stage.keys, names, tuple(self._refused))

    def _agreement(self, asked: PlayAgreement) -> Agreement:
        """Return the play's agreement."""
        start_us = self._play.start_us
        if asked.template not in template_names():
            known = ", ".join(template_names())
            raise InputError("agreement.template", asked.template, "is none", f"one of {known}")
        text = fill_template(
            read_template(asked.template), self._play.parties, start_us - DAY_US, start_us + YEAR_US
        )
        for old, new in asked.replace.items():
            if old not in text:
                raise InputError("agreement.replace", old, "is not in the template", "see it")
            text = text.replace(old, new)
        return read_draft(text.encode(), "agreement of the play")

    def _submit(self, act: PlayAct, kind: str, made: Signed) -> None:
        """Send one thing that a party does; keep why it was refused, or what it has led to."""
        signed_us = None
        if act.signed:
            signed_us = self._play.start_us + parse_duration_us(act.signed, "signed")
        post = linework.post_of(act)
        names = PEOPLE[:1] if act.does in SUSPENSIONS else (post,)
        try:
            answer = self._stage.submit(
                act.by, f"{kind}/1", made, names, signed_us=signed_us, post=post
            )
        except CallerError as fault:
            now_us, after = self._stage.clock.now_us(), len(self._stage.lines)
            self._refused.append(Refusal(now_us, act, kind, made, str(fault), after))
            return
        match act.does:
            case "file":
                self._operations[act.operation] = _made_id(answer, "operation-filed/1", "operation")
            case "state-none-here":
                self._others[act.none_here] = _made_id(answer, "none-here-stated/1", "statement")
            case "send" | "stop":
                self._others[act.message] = _made_id(answer, "message-changed/1", "message")
            case "check":
                self._others[act.check] = _made_id(answer, "line-checked/1", "check")
            case "log-call":
                self._others[act.call] = _made_id(answer, "call-changed/1", "call")
            case "open-case":
                self._others[act.case] = _made_id(answer, "incident-changed/1", "incident")
            case _:
                pass
        for name, own_id in self._operations.items():
            operation = self._world.operations[own_id]
            self._ovns[name, operation.version] = operation.ovn

    def _made(self, act: PlayAct) -> tuple[str, Signed]:
        """Return what a party signs to do one thing: its kind and its payload."""
        made: Signed
        if act.conflict:
            return f"conflicts.{act.does}", self._about_conflict(act, self._conflict(act.pair))
        if (found := self._beside_plans(act)) is not None:
            return found
        if act.does == "file":
            return "operations.file", acts.FileOperation(operation=self._filed(act))
        own = self._named(act.operation)
        match act.does:
            case "change":
                ovn = self._world.operations[own].ovn
                return "operations.update", acts.UpdateOperation(
                    id=own, ovn=ovn, operation=self._filed(act)
                )
            case "activate":
                made = acts.ActivateOperation(id=own, key=self._key(act, own))
            case "airborne":
                made = acts.MarkAirborne(id=own, at_us=self._stage.clock.now_us())
            case "contingent":
                made = acts.MakeContingent(id=own, off_nominal=self._volumes(act))
            case "end":
                made = acts.EndOperation(id=own)
            case _:
                made = acts.CancelOperation(id=own, why=act.why)
        return f"operations.{act.does}", made

    def _beside_plans(self, act: PlayAct) -> tuple[str, Signed] | None:
        """Return what is signed of cases, messages and agreements; None for all else."""
        made: Signed
        if act.does in casework.KINDS:
            volumes = self._volumes(act)
            made = casework.payload_of(act, self._world, self._any_named, next(iter(volumes), None))
            return casework.KINDS[act.does], made
        if act.does in linework.KINDS:
            made = linework.payload_of(act, self._play.start_us, self._any_named)
            return linework.kind_of(act), made
        if act.does == "stop":
            return "line.stop", linework.stop_of(act, self._volumes(act)[0])
        if act.does in SUSPENSIONS:
            return "suspension.state", self._stage.suspension(act.by, Said(act.does), act.why)
        return None

    def _about_conflict(self, act: PlayAct, conflict: Conflict) -> Signed:
        match act.does:
            case "acknowledge":
                known = self._key(
                    act, *(each for each in (conflict.a, conflict.b) if self._is_of(each, act))
                )
                if not known:
                    raise InputError(
                        "conflict", act.conflict, f"shows {act.by} no version to acknowledge",
                        "see the story",
                    )  # fmt: skip
                return acts.AcknowledgeConflict(id=conflict.id, ovn=known[0])
            case "answer":
                reply = converted(act.answer, Reply, "answer")
                return acts.AnswerConflict(
                    id=conflict.id, answer=reply, clause=act.clause, why=act.why
                )
            case "propose":
                return acts.ProposeChange(
                    id=conflict.id, operation=self._named(act.moves), later=act.later,
                    higher=act.higher, aside=act.aside, towards=act.towards, why=act.why,
                )  # fmt: skip
            case "accept":
                if conflict.proposal is None:
                    raise InputError("conflict", act.conflict, "has no proposal", "propose before")
                return acts.AcceptProposal(id=conflict.id, proposal=conflict.proposal.id)
            case _:
                return acts.AgreeAsIs(id=conflict.id)

    def _filed(self, act: PlayAct) -> FiledOperation:
        made = {
            "datum": "WGS84", "domain": act.domain, "craft": act.craft,
            "craft_class": act.craft_class, "callsign": act.callsign, "count": act.count,
            "count_most": act.count_most,
            "lateral": act.lateral, "vertical": act.vertical, "early": act.early, "late": act.late,
            "volumes": msgspec.to_builtins(self._volumes(act)),
        }  # fmt: skip
        return converted(made, FiledOperation, "")

    def _volumes(self, act: PlayAct) -> tuple[FiledVolume, ...]:
        """Return the areas of an act as volumes, all with its times."""
        if not act.areas:
            return ()
        starts = act.starts if len(act.starts) > 1 else act.starts * len(act.areas)
        if len(starts) != len(act.areas):
            raise InputError(
                "start", ", ".join(starts), f"is not one for each of {len(act.areas)} areas",
                "give one for all of them, or one for each",
            )  # fmt: skip
        lasts_us = parse_duration_us(act.lasts, "lasts")
        return tuple(
            converted(
                {
                    **msgspec.to_builtins(self._play.areas[area]),
                    "start": start,
                    "end": _later(start, lasts_us),
                },
                FiledVolume,
                f"areas.{area}",
            )
            for area, start in zip(act.areas, starts, strict=True)
        )

    def _key(self, act: PlayAct, *own: str) -> tuple[str, ...]:
        """Return the OVNs that a party acts upon: those the play names, or of its last notices."""
        if act.key is None:
            return self._known.latest(act.by, own)
        for each in act.key:
            if not self._known.has(act.by, self._ovns.get(version_of(each), "")):
                raise InputError(
                    "key", each, f"was never told to {act.by}", "name one that a notice told it of"
                )
        return tuple(self._ovns[version_of(each)] for each in act.key)

    def _is_of(self, operation: str, act: PlayAct) -> bool:
        return self._world.operations[operation].party == act.by

    def _named(self, name: str) -> str:
        if name not in self._operations:
            why = next(each.why for each in self._refused if each.act.operation == name)
            raise InputError("operation", name, f"was refused when it was filed ({why})", "mend it")
        return self._operations[name]

    def _any_named(self, name: str) -> str:
        """Return the id of an operation, a conflict, or anything else that has a name."""
        if AND in name:
            return self._conflict(pair_of(name)).id
        if name in self._others:
            return self._others[name]
        for each in self._refused:
            if (
                name
                in {
                    each.act.none_here,
                    each.act.case,
                    each.act.message,
                    each.act.check,
                    each.act.call,
                }
                and each.act.does in NAMES
            ):
                raise InputError("name", name, f"was refused when it was made ({each.why})", "mend")
        return self._named(name)

    def _conflict(self, pair: tuple[str, ...]) -> Conflict:
        """Return the latest conflict of two operations."""
        one, other = (self._named(name) for name in pair)
        found = [each for each in self._world.conflicts_of(one) if other in (each.a, each.b)]
        if not found:
            raise InputError("conflict", AND.join(pair), "is not raised by then", "see the story")
        return found[-1]


class _Known:
    """What each party was told of others' operations, read from the record as it grows."""

    def __init__(self) -> None:
        self._read = 0
        self._notices: list[tuple[str, Notice]] = []

    def read(self, lines: Sequence[bytes]) -> None:
        """Read on from where the record stood before."""
        for data in lines[self._read :]:
            line: AnyLine = decode(data, AnyLine, "line", LONGEST_LINE)  # type: ignore[arg-type]
            if isinstance(line, EntryLine):
                for leaf in msgspec.json.decode(line.entry, type=Entry).leaves:
                    part = msgspec.json.decode(leaf.part, type=Part)
                    if part.kind == NOTICE_KIND:
                        notice = msgspec.json.decode(part.data, type=Notice)
                        self._notices.append((leaf.audience, notice))
        self._read = len(lines)

    def has(self, party: str, ovn: str) -> bool:
        """Tell whether a party was ever told of a version."""
        return any(who == party and each.other.ovn == ovn for who, each in self._notices)

    def latest(self, party: str, own: Sequence[str]) -> tuple[str, ...]:
        """Return the versions in a party's latest notices on conflicts of its own operations."""
        last = {
            each.conflict: each.other.ovn
            for who, each in self._notices
            if who == party and each.own in own
        }
        return tuple(ovn for ovn in last.values() if ovn is not None)


def _house(text: str) -> RuleSet:
    """Return the house rule of a play; `InputError` names the field."""
    try:
        return read_rules(text) if "\n" in text else parse_short(text)
    except CallerError as fault:
        raise InputError("house", text, *split(fault)) from None


def _made_id(answer: Answer, kind: str, what: str) -> str:
    """Return the id of what an act has made, by the kind of event that says so."""
    for part in answer.parts:
        if part.kind == kind:
            return str(msgspec.json.decode(part.data)[what]["id"])
    raise InputError("answer", "", f"has no {what} in it", "see the record")


def _later(start: str, lasts_us: int) -> str:
    """Return the time that is so much after another, both RFC 3339."""
    return f"{format_time(parse_time_us(start, 'start') + lasts_us)[:19]}Z"
