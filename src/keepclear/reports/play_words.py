# SPDX-License-Identifier: Apache-2.0
"""What happened together, in words: an act, what followed from it, and who was told what.

1. Who did something comes first, then what followed, then who was told.
2. Only what is new is said: a version's changes, a conflict's changes, what a party sees anew.
3. What a party sees of another's operation is a block of its own.
4. A kind of act or part that has no words here is named as it is: nothing is passed over.

A line is a sentence, or a row of what belongs to the sentence above: a label and a value.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from keepclear.agreement.documents import read_agreement
from keepclear.agreement.separation import describe_rules
from keepclear.exchange.agreements import StateSuspension, statement_of
from keepclear.exchange.decide import ACTS
from keepclear.exchange.events import (
    KINDS,
    AgreementCarried,
    AgreementStood,
    ConflictChanged,
    FilingsCounted,
    KeepOutsChanged,
    LimitedFound,
    MessageChanged,
    MoreFound,
    MoreLimited,
    OperationFiled,
    OperationMoved,
    RecheckingBegun,
    RecheckingDone,
    RegionOpened,
    StopChanged,
)
from keepclear.exchange.views import NOTICE_KIND, SAYS_NOTHING_ELSE, Notice
from keepclear.plans import acts
from keepclear.plans.operations import Operation, State
from keepclear.plans.understood import Understood
from keepclear.record.encoding import Signed
from keepclear.record.entries import Part
from keepclear.record.envelopes import Envelope
from keepclear.record.headers import Act, read_act
from keepclear.record.key_documents import KeyDocument
from keepclear.record.parts import ACT_KIND, DOCUMENT_KIND
from keepclear.reports import play_cases, play_stops
from keepclear.reports.play_cases import OF_CASES, CaseTeller, Line, why_of
from keepclear.reports.play_conflicts import ConflictTeller
from keepclear.reports.play_names import Names
from keepclear.reports.play_values import (
    clock,
    listed,
    moves,
)
from keepclear.reports.texts import printable
from keepclear.reports.told_text import operation_rows, until_text
from keepclear.units import US_PER_S

DOES: Final = {
    "agreement.carry": "carries in an agreement that all have signed{}",
    "suspension.state": "{}",
    "operations.file": "files {}",
    "operations.update": "changes {}",
    "operations.activate": "activates {}",
    "operations.airborne": "marks {} as airborne",
    "operations.contingent": "makes {} contingent",
    "operations.end": "ends {}",
    "operations.cancel": "cancels {}",
    "conflicts.acknowledge": "acknowledges {}",
    "conflicts.answer": "answers {}",
    "conflicts.propose": "proposes {}",
    "conflicts.accept": "accepts what was proposed in {}",
    "conflicts.agree-as-is": "agrees to leave {} as it is",
    **play_cases.DOES,
}
# What an act on an operation says already by its name: the state that it leads to.
LEADS_TO: Final = {
    "operations.activate": State.ACTIVATED,
    "operations.end": State.ENDED,
    "operations.cancel": State.CANCELLED,
}


class Teller:
    """Says what happened; keeps what was said before, so that only what is new is said."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.operations: dict[str, Operation] = {}
        self._understood: dict[str, Understood] = {}
        self.says: dict[str, None] = {}
        self.alarms: dict[str, int] = {}  # by party: filings within an hour, as told last
        self.filed: dict[str, list[OperationFiled]] = {}
        self.about_cases = CaseTeller(names)
        self.about_conflicts = ConflictTeller(names, self.operations)
        self._day = ""

    def tell(self, parts: Sequence[Part], day: str) -> Iterator[Line]:
        """Yield the lines for what happened together. day: on which it did."""
        self._day = day
        values = [_value(part) for part in parts]
        act = next((each for each in values if isinstance(each, Act)), None)
        for value in values:
            self._learn(value)
        if act is not None:
            yield from self._act(act, parts[0].at_us, values)
        joining = [each for each in values if isinstance(each, KeyDocument)]
        if joining:
            yield Line("", self._joining(joining))
        for place, value in enumerate(values):
            match value:
                case AgreementStood():
                    yield Line("", f"{self.names.agreement(value.hash)} is {value.state}: "
                                   f"{len(value.clauses)} clauses hold")  # fmt: skip
                case OperationFiled(operation=operation) if not _is_told_by(act, operation):
                    yield from self._filed(value, values, f"{self._name(operation.id)}")
                case OperationMoved():
                    yield from self._moved(value, act, values[:place])
                case ConflictChanged(conflict=conflict):
                    notices = _notices_after(values, place)
                    yield from self.about_conflicts.tell(conflict, notices, day)
                case _:
                    yield from self._beside(value)

    def _learn(self, value: object) -> None:
        """Take up the names in something, before anything is said of it."""
        match value:
            case AgreementCarried():
                agreement = read_agreement(bytes(value.file.agreement))
                words = f"the agreement {agreement.id}, version {agreement.version},"
                self.names.learn_agreement(value.hash, words)
            case OperationFiled(operation=operation):
                self.filed.setdefault(operation.party, []).append(value)
                self.names.learn_owner(operation.id, operation.party)
                self.names.learn_version(operation.ovn, f"version {operation.version}")
            case ConflictChanged(conflict=found) | (LimitedFound() as found):
                for operation_id, party in zip((found.a, found.b), found.parties, strict=True):
                    self.names.learn_owner(operation_id, party)
            case Notice():
                self.says[value.says] = None
                self.names.learn_version(value.other.ovn, f"the version of notice {value.number}")
            case MessageChanged():
                self.says[SAYS_NOTHING_ELSE] = None
            case _:
                self.about_cases.learn(value)

    def _beside(self, value: object) -> Iterator[Line]:
        """Yield what the exchange says of its own work, and what has no words here."""
        match value:
            case _ if isinstance(value, OF_CASES):
                yield from self.about_cases.tell(value, self._day)
            case str():
                yield Line("", printable(value))
            case FilingsCounted():
                self.alarms[value.party] = value.filings
                yield Line("", f"RATE ALARM: {value.party} has filed {value.filings} times within "
                               "an hour; both sides are told so, and not where")  # fmt: skip
            case RecheckingBegun() | RecheckingDone():
                count = len(value.operations)
                what = "operation is" if count == 1 else "operations are"
                how = "looked at again" if isinstance(value, RecheckingDone) else (
                    "RE-CHECKING, which counts as a conflict"
                )  # fmt: skip
                yield Line("", f"{count:,} {what} {how}: {self.names.agreement(value.hash)}")
            case RegionOpened():
                house = describe_rules(value.house)
                yield Line("", f"the exchange opens the region, with the house rule {house}")
            case _ if isinstance(value, (StopChanged, KeepOutsChanged)):
                yield from (Line("", each) for each in self._stops(value))
            case LimitedFound():
                yield from self._limited(value)
            case MoreLimited() | MoreFound():
                more = f"{value.more:,} more"
                is_limited = isinstance(value, MoreLimited)
                said = f"is LIMITED with {more}" if is_limited else f"has {more} conflicts"
                yield Line("", f"{self._name(value.id)} {said}")
            case Act() | KeyDocument() | Notice() | AgreementCarried() | OperationFiled():
                pass
            case _:
                yield Line("", type(value).__name__)

    def _stops(self, event: StopChanged | KeepOutsChanged) -> Iterator[str]:
        """Yield how a STOP stands, or where an operation must keep out."""
        if isinstance(event, StopChanged):
            yield play_stops.stop_text(event.stop)
        else:
            yield from play_stops.keep_out_texts(self._name(event.id), event.areas, self._day)

    def _limited(self, event: LimitedFound) -> Iterator[Line]:
        """Yield that two operations are LIMITED, and who was told."""
        named = self.about_conflicts.named((event.a, event.b))
        yield Line("", f"LIMITED, and nobody must act: {named}")
        clauses = [f"clause {each.clause}" if each.clause else "the house rule"
                   for each in event.limits]  # fmt: skip
        yield Line("within", f"the minima of {listed(clauses)}, for no longer than it allows")
        yield Line("told", ", ".join(sorted(event.parties)))

    # --- acts -------------------------------------------------------------------------------

    def _act(self, act: Act, at_us: int, values: Sequence[object]) -> Iterator[Line]:
        kind = act.kind.partition("/")[0]
        payload: Signed = ACTS.read(act.kind, bytes(act.payload))
        filed = next((each for each in values if isinstance(each, OperationFiled)), None)
        if filed is not None and _is_told_by(act, filed.operation):
            does = self.deed(act.party, kind, payload, self._name(filed.operation.id))
            yield from self._filed(filed, values, does)
        else:
            about = self.about_cases.about(payload, values)
            yield Line("", self.deed(act.party, kind, payload, about))
            said = statement_of(payload) if isinstance(payload, StateSuspension) else payload
            yield from why_of(said)
        if act.created_us != at_us:
            off_s = abs(at_us - act.created_us) / US_PER_S
            side = "before" if act.created_us < at_us else "after"
            yield Line("signed", f"{clock(act.created_us)} by the sender's clock, {off_s:,g} s "
                                 f"{side} the exchange had it")  # fmt: skip

    def deed(self, party: str, kind: str, payload: Signed, about: str | None = None) -> str:
        """Return who does what. about: what it is about, where the payload has no name for it."""
        what = self._about(payload) if about is None else about
        return f"{party.upper()} {DOES.get(kind, f'{kind} {{}}').format(what)}"

    def _about(self, payload: Any) -> str:  # noqa: ANN401 any act
        """Return what an act is about."""
        match payload:
            case acts.ProposeChange():
                goes = listed(moves(payload))
                name = self.names.conflict(payload.id)
                return f"in {name} that {self._name(payload.operation)} goes {goes}"
            case acts.AnswerConflict():
                clause = f" under clause {payload.clause}" if payload.clause else ""
                return f"{self.names.conflict(payload.id)} with {payload.answer}{clause}"
            case acts.AcknowledgeConflict():
                seen = self.names.version(payload.ovn)
                return f"{self.names.conflict(payload.id)}, having {seen}"
            case acts.AcceptProposal() | acts.AgreeAsIs():
                return self.names.conflict(payload.id)
            case StateSuspension():
                name = self.names.agreement(payload.hash).rstrip(",")
                return f"{statement_of(payload).said}s {name}"
            case _:
                what = self.about_cases.about(payload, ())
                if what is None and hasattr(payload, "id"):
                    what = self._name(payload.id)
                return what or ""

    def _joining(self, documents: Sequence[KeyDocument]) -> str:
        who = listed([each.party for each in documents])
        versions = listed(list(dict.fromkeys(str(each.version) for each in documents)))
        join = "join" if len(documents) > 1 else "joins"
        return f"{who} {join}, with version {versions} of their keys"

    # --- operations -------------------------------------------------------------------------

    def _filed(
        self, event: OperationFiled, values: Sequence[object], words: str
    ) -> Iterator[Line]:  # fmt: skip
        """Yield what is new in a version of an operation, as the exchange understood it."""
        operation = event.operation
        moved = [
            each.state for each in values
            if isinstance(each, OperationMoved) and each.id == operation.id
        ]  # fmt: skip
        state = moved[-1] if moved else operation.state
        waits = ", not accepted while it must act" if state is State.FILED else ""
        yield Line("", f"{words}, version {operation.version}: {state}{waits}")
        before = self.operations.get(operation.id)
        known = (
            {} if before is None else operation_rows(before, self._understood[before.id], self._day)
        )
        rows = operation_rows(operation, event.understood, self._day)
        yield from (Line(each, rows[each]) for each in rows if rows[each] != known.get(each))
        if operation.late_us > 0:
            late_s = -(-operation.late_us // US_PER_S)
            yield Line("LATE", f"by {late_s:,} s: it is recorded, and protects all the same")
        self.operations[operation.id] = msgspec.structs.replace(operation, state=state)
        self._understood[operation.id] = event.understood

    def _moved(
        self, event: OperationMoved, act: Act | None, before: Sequence[object]
    ) -> Iterator[Line]:
        """Yield that an operation is in another state, where nothing above says so."""
        own = self.operations.get(event.id)
        was = own.state if own is not None else None
        is_filed_here = any(
            isinstance(each, OperationFiled) and each.operation.id == event.id for each in before
        )
        if own is not None:
            grace_us = own.grace_us if event.grace_us is None else event.grace_us
            own = msgspec.structs.replace(own, state=event.state, grace_us=grace_us)
            self.operations[event.id] = own
        kind = act.kind.partition("/")[0] if act is not None else ""
        if is_filed_here or event.state in {was, LEADS_TO.get(kind)}:
            return
        words = f"is {event.state}{f': {event.why}' if event.why else ''}"
        if event.state is State.ENDED and event.why:
            words = event.why
        yield Line("", f"{self._name(event.id)} {self.names.in_words(words)}")
        if own is not None and event.grace_us is not None:
            yield Line("protects", until_text(own, self._day))

    def _name(self, operation: str) -> str:
        return self.names.operation(operation)


def _value(part: Part) -> object:
    """Return what a part holds; a kind that is not known as its name and how it begins."""
    data = bytes(part.data)
    match part.kind:
        case _ if part.kind == ACT_KIND:
            return read_act(msgspec.json.decode(data, type=Envelope))
        case _ if part.kind == DOCUMENT_KIND:
            envelope = msgspec.json.decode(data, type=Envelope)
            return msgspec.json.decode(envelope.payload, type=KeyDocument)
        case _ if part.kind == NOTICE_KIND:
            return msgspec.json.decode(data, type=Notice)
        case kind if kind in KINDS:
            return msgspec.json.decode(data, type=KINDS[kind])
        case _:
            return f"{part.kind}: {data.decode()[:60]}"


def _is_told_by(act: Act | None, operation: Operation) -> bool:
    """Tell whether an act is the filing of an operation: it is said in one sentence."""
    kinds = ("operations.file", "operations.update", "operations.contingent")
    return act is not None and act.kind.startswith(kinds) and act.party == operation.party


def _notices_after(values: Sequence[object], place: int) -> list[Notice]:
    """Return the notices that stand right after a place."""
    found: list[Notice] = []
    for value in values[place + 1 :]:
        if not isinstance(value, Notice):
            break
        found.append(value)
    return found
