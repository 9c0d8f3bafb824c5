# SPDX-License-Identifier: Apache-2.0
"""The words of the reports that are made of a record: verdicts, acts, what was shown, by whom.

1. The verdict of the verification stands first, in the same words on paper and on a terminal.
2. A time carries its Z, and its day where the page does not say it once for all.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from keepclear.agreement.clauses import Separation
from keepclear.agreement.separation import describe_rule, describe_rules
from keepclear.airspace.altitudes import reference_text
from keepclear.exchange.decide import ACTS
from keepclear.exchange.disclosure import Shown
from keepclear.exchange.events import (
    AgreementCarried,
    AgreementStood,
    ConflictChanged,
    FilingsCounted,
    KeepOutsChanged,
    LateActDecided,
    LimitedFound,
    MoreFound,
    MoreLimited,
    OperationFiled,
    OperationMoved,
    RecheckingBegun,
    RecheckingDone,
    RegionOpened,
    StandingCarried,
    StopChanged,
)
from keepclear.exchange.views import Notice
from keepclear.plans import acts
from keepclear.plans.conflicts import Broken, Conflict
from keepclear.plans.operations import Operation
from keepclear.record.headers import Act
from keepclear.record.key_documents import KeyDocument
from keepclear.record.parts import CAP_KEY_KIND, EXCHANGE_KEY_KIND
from keepclear.record.verification import Verified
from keepclear.reports.after_action import ConflictStory, Story
from keepclear.reports.after_action_cases import act_rows, rows
from keepclear.reports.after_action_moments import Moment, Seen
from keepclear.reports.play_cases import OF_CASES, Cased
from keepclear.reports.play_values import listed, moves
from keepclear.reports.play_words import DOES
from keepclear.reports.record_text import held, judged, limits
from keepclear.reports.stop_text import (
    keep_outs_changed_text,
    stop_changed_text,
)
from keepclear.reports.texts import day_text, printable, time_text
from keepclear.reports.told_text import craft_text
from keepclear.units import US_PER_S, format_time

TO_THE_END: Final = "the end of the file"
NAMED_AT_MOST: Final = 10
NOT_HELD: Final = "not in this file"
FAILS_MEANS: Final = (
    "Something was changed, dropped or added after it was signed, or it was signed by others. "
    "What follows is what the file says; none of it is proven."
)
NO_KEYS_MEANS: Final = (
    "Consistent with itself, origin not proven: whoever wrote all of it again with keys of their "
    "own would pass."
)
PROVEN_MEANS: Final = (
    "Says what was entered and by whom; not that it is true, nor that nothing else happened."
)


class Proof(NamedTuple):
    """What the verification of a file came to. kind: PROVEN, NOT PROVEN or FAILS."""

    kind: str
    title: str
    words: tuple[str, ...]


def proof_of(found: Verified | None, fault: str | None) -> Proof:
    """Return what is said of a file on top of every report. fault: the first that does not hold."""
    if found is None:
        first = f"The first thing that does not hold: {printable(fault or '')}"
        return Proof("FAILS", "FAILS", (first, FAILS_MEANS))
    verdict, why, way_out = judged(found)
    words = [NO_KEYS_MEANS] if not found.has_keys else [f"{why[:1].upper()}{why[1:]}."]
    if way_out:
        words.append(f"Way out: {way_out}.")
    if found.is_proven:
        words.append(PROVEN_MEANS)
    words += [f"Tree of {', '.join(filter(None, held(tree)))}." for tree in found.trees]
    words += [f"{label.capitalize()}: {limit}." for label, limit in limits(found)]
    kind = "PROVEN" if verdict == "PROVEN" else "NOT PROVEN"
    return Proof(kind, kind, (*words, *_marked(found)))


def _marked(found: Verified) -> Iterator[str]:
    """Yield what a reader must know of keys and signatures that verify."""
    for each in found.suspects:
        yield (
            f"SUSPECT: act {each.act[:8]} of {each.party}, its key {each.key_id[:16]} may have "
            f"been in other hands since {format_time(each.since_us)[:19]}Z."
        )
    for party, power in found.one_person:
        yield f"One representative of {party} may sign {power} alone, by its key document."


def whose_words(story: Story) -> str:
    """Return what the file is, and what it cannot know."""
    if story.viewer is None:
        return "The operator's archive: what every party did, and what each was told."
    return (
        f"What {story.viewer} may see, and nothing else. What other parties filed, how late, and "
        f"what they were told, is {NOT_HELD}: it is in no number, list or map below."
    )


def range_words(story: Story) -> str:
    """Return the range, and how much of it the file covers."""
    start, end = (format_time(each)[:19] + "Z" for each in (story.from_us, story.to_us))
    first, last = (format_time(each)[:19] + "Z" for each in (story.first_us, story.last_us))
    if story.to_us == story.last_us + 1:
        end = f"{last}, {TO_THE_END}"
        said = f"{start} to {end}"
    else:
        said = f"{start} up to {end}"
    if story.from_us < story.first_us:
        said += f". The file begins after that, at {first}"
    if story.to_us > story.last_us + 1:
        said += f". Its last part is of {last}: later ones may be missing"
    return said


def common_day(story: Story) -> str | None:
    """Return the one UTC day on which all of the range happened, None where there are more."""
    days = {day_text(each.at_us) for each in story.moments}
    return days.pop() if len(days) == 1 else None


KEYS: Final = {
    EXCHANGE_KEY_KIND: "goes on with another key: see keepclear record show",
    CAP_KEY_KIND: "names the key for documents of CAP: see keepclear record show",
}  # fmt: skip
# --- who did what -----------------------------------------------------------------------------


def who_words(moment: Moment, story: Story) -> str:
    """Return who did what a moment begins with."""
    act = moment.act
    if act is not None:
        return f"{act.party.upper()}, {act.post}"
    documents = [each.value for each in moment.parts if isinstance(each.value, KeyDocument)]
    if documents:
        return documents[0].party.upper()
    if any(_is(each, RegionOpened) or each.kind in KEYS for each in moment.parts):
        return "the exchange"
    return "the exchange: time passed" if story.viewer is None else f"who: {NOT_HELD}"


def what_words(moment: Moment, story: Story, day: str | None) -> Iterator[str]:
    """Yield what happened in a moment, the act first; notices and who is told stand apart."""
    cased = story.cases.get(moment.line, Cased(None, {}))
    filed = [each.value.operation for each in moment.parts if _is(each, OperationFiled)]
    for place, part in enumerate(moment.parts):
        match part.value:
            case Act() as act if cased.about is not None:
                yield from act_rows(act, cased.about)
            case Act() as act:
                yield act_words(act, story, filed)
            case _ if isinstance(part.value, OF_CASES):
                yield from rows(cased, place)
            case KeyDocument() as document:
                yield f"joins, with version {document.version} of its keys"
            case RegionOpened(house=house):
                yield f"opens the region, with the house rule {describe_rules(house)}"
            case None:
                yield KEYS.get(part.kind, f"{part.kind}: see keepclear record show")
            case Notice():
                pass
            case _:
                yield _event_words(part, moment, story, day)


def _event_words(  # noqa: C901 one for each kind
    part: Seen, moment: Moment, story: Story, day: str | None
) -> str:
    match part.value:
        case AgreementCarried(hash=own_hash):
            said = f"carried in: {agreement_title(story, own_hash)}"
        case AgreementStood() as stood:
            title = agreement_title(story, stood.hash)
            said = f"{title} is {stood.state}: {len(stood.clauses)} clauses hold"
        case OperationFiled(operation=operation):
            said = operation_words(operation, story, day)
        case OperationMoved() as moved:
            why = f" ({moved.why})" if moved.why else ""
            said = f"{story.name(moved.id)} is {moved.state}{why}"
        case ConflictChanged(conflict=conflict):
            said = conflict_words(conflict, moment, story)
        case FilingsCounted() as counted:
            told = f"{part.audience} are told of {counted.filings:,} filings within an hour"
            said = f"{told} by {counted.party}"
        case RecheckingBegun(operations=operations) | RecheckingDone(operations=operations):
            is_done = isinstance(part.value, RecheckingDone)
            what = "looked at again" if is_done else "RE-CHECKING, counts as a conflict"
            said = f"{what}: {_names(operations, story)}"
        case StandingCarried() | LateActDecided() as found:
            said = _restored_words(found, story)
        case LimitedFound() | MoreLimited() | MoreFound() as found:
            said = _found_words(found, story)
        case StopChanged(stop=stop):
            said = stop_changed_text(stop)
        case KeepOutsChanged() as outs:
            said = keep_outs_changed_text(outs, moment.at_us)
        case _:
            said = f"{part.kind}: see keepclear record show"
    return said


def _restored_words(found: StandingCarried | LateActDecided, story: Story) -> str:
    """Return what a restored backup had, or what came of an act that it did not have."""
    if isinstance(found, LateActDecided):
        return f"late, and leads to nothing: {found.refused}" if found.refused else "entered late"
    what = f"{found.table} {found.key[:8]}"
    if found.table == "operations":
        what = story.name(found.key)
    return f"stood when the backup ended, and is carried over: {what}"


def _found_words(found: LimitedFound | MoreLimited | MoreFound, story: Story) -> str:
    """Return what was found beside the conflicts that are told."""
    if isinstance(found, LimitedFound):
        return f"LIMITED, and nobody must act: {_names((found.a, found.b), story)}"
    if isinstance(found, MoreLimited):
        return f"{story.name(found.id)} is LIMITED with {found.more:,} more than are told"
    return f"{story.name(found.id)} has {found.more:,} more conflicts than are told"


def _names(operations: Sequence[str], story: Story) -> str:
    named = [story.name(each) for each in operations[:NAMED_AT_MOST]]
    more = len(operations) - NAMED_AT_MOST
    return ", ".join(named) + (f" and {more:,} more" if more > 0 else "")


def _is(part: Seen, kind: type) -> bool:
    return isinstance(part.value, kind)


def act_words(act: Act, story: Story, filed: Sequence[Operation] = ()) -> str:
    """Return what an act does; filed: what was filed in the same entry."""
    kind = act.kind.partition("/")[0]
    payload: Any = ACTS.read(act.kind, bytes(act.payload))
    about = ""
    match payload:
        case acts.FileOperation():
            about = ", ".join(story.name(each.id) for each in filed) or "an operation"
        case acts.ProposeChange():
            goes = listed(moves(payload))
            name = story.name(payload.operation)
            about = f"in {_conflict(payload.id, story)} that {name} goes {goes}{_why(payload.why)}"
        case acts.AnswerConflict():
            clause = f" under clause {payload.clause}" if payload.clause else ""
            said = f"{payload.answer}{clause}{_why(payload.why)}"
            about = f"{_conflict(payload.id, story)} {said}"
        case acts.AcknowledgeConflict() | acts.AcceptProposal() | acts.AgreeAsIs():
            about = _conflict(payload.id, story)
        case acts.CancelOperation():
            about = f"{story.name(payload.id)}{_why(payload.why)}"
        case _ if hasattr(payload, "id"):
            about = story.name(payload.id)
    does = DOES.get(kind, f"{kind} {{}}")
    return " ".join(does.format(about).split())


def _why(why: str) -> str:
    return f': "{why}"' if why else ""


def _conflict(conflict: str, story: Story) -> str:
    found = story.conflicts.get(conflict)
    return found.name if found is not None else f"conflict {conflict[:8]}"


def operation_words(operation: Operation, story: Story, day: str | None) -> str:
    """Return an operation as filed, and by how much it was late."""
    callsign = f", callsign {operation.callsign}" if operation.callsign else ""
    late_s = -(-operation.late_us // US_PER_S)
    late = f". LATE by {late_s:,} s; it protects all the same" if operation.late_us > 0 else ""
    return (
        f"{story.name(operation.id)}, version {operation.version}, {operation.state}: "
        f"{heights_words(operation)}, {times_words(operation, day)}{callsign}{late}"
    )


def heights_words(operation: Operation) -> str:
    """Return the heights of an operation's volumes, each band once."""
    bands = []
    for each in (*operation.volumes, *operation.off_nominal):
        lower, upper = each.volume.lower, each.volume.upper
        low = "surface" if lower is None else lower.text()
        high = "unlimited" if upper is None else upper.text()
        known = lower or upper
        bands.append(f"{low} to {high}" + (f" ({reference_text(known)})" if known else ""))
    return "; ".join(dict.fromkeys(bands))


def times_words(operation: Operation, day: str | None) -> str:
    """Return from when to when an operation takes up its volumes."""
    first, last = operation.start_us, operation.end_us
    return f"{time_text(first, day)} to {time_text(last, day_text(first))}"


def conflict_words(conflict: Conflict, moment: Moment, story: Story) -> str:
    """Return how a conflict stands after a moment."""
    found = story.conflicts.get(conflict.id)
    name = _conflict(conflict.id, story).upper()
    pair = pair_words(conflict, story)
    is_anew = is_found_anew(conflict, moment, story)
    closed = f" by: {named(conflict.closed_by, story)}" if conflict.closed_by else ""
    earlier = [] if found is None else [e for e in found.history if e.at_us < moment.at_us]
    is_same = bool(earlier) and earlier[-1].conflict.state is conflict.state and not is_anew
    said = f"{name} of {pair} {'stays' if is_same else 'is'} {conflict.state}{closed}"
    if is_anew:
        said += f"; {must_act_words(conflict, story)}"
    return said


def is_found_anew(conflict: Conflict, moment: Moment, story: Story) -> bool:
    """Tell whether a moment raises a conflict, or finds it otherwise than before."""
    if conflict.is_settled:
        return False
    found = story.conflicts.get(conflict.id)
    earlier = [] if found is None else [e for e in found.history if e.at_us < moment.at_us]
    return not earlier or earlier[-1].conflict.broken != conflict.broken


def pair_words(conflict: Conflict, story: Story) -> str:
    """Return the two operations of a conflict."""
    return " and ".join(sorted(story.name(each) for each in (conflict.a, conflict.b)))


def named(closed_by: str, story: Story) -> str:
    """Return words of the record with operations called as in the report."""
    for own_id, each in story.operations.items():
        closed_by = closed_by.replace(f"operation {own_id[:8]} of {each.party}", each.name)
    return closed_by


def must_act_words(conflict: Conflict, story: Story) -> str:
    """Return who must act, and what says so."""
    acting = " and ".join(story.name(each) for each in conflict.must_act) or "nobody"
    clause = f"clause {conflict.clause}" if conflict.clause else "no clause: filed later"
    return f"{acting} must act ({clause})"


# --- which rule, shown what -------------------------------------------------------------------


def agreement_title(story: Story, own_hash: str) -> str:
    """Return an agreement's title and the start of its hash."""
    found = next((a for h, a in story.agreements.items() if h.startswith(own_hash[:16])), None)
    title = found.agreement.title[0].text if found is not None else "agreement"
    return f"{title} ({own_hash[:8]})"


def rule_words(broken: Broken, story: Story) -> tuple[str, str, str]:
    """Return what was broken, what it asks for, and the clause's own words; "" where not known."""
    if not broken.agreement:
        return "the house rule of the region", broken.numbers.leaf if broken.numbers else "", ""
    where = f"clause {broken.clause} of {agreement_title(story, broken.agreement)}"
    found = story.agreements.get(broken.agreement)
    clauses = () if found is None else (*found.clauses, *found.agreement.clauses)
    clause = next((each for each in clauses if each.id == broken.clause), None)
    if clause is None:
        return where, "", ""
    asks = ""
    if isinstance(clause.decides, Separation):
        rules = clause.decides.rules.rules
        rule = broken.numbers.rule if broken.numbers else ""
        own = [each for each in rules if each.id == rule] or list(rules)
        asks = "; ".join(describe_rule(each) for each in own)
    return where, asks, clause.texts[0].text


def shown_words(shown: Shown, day: str | None) -> str:
    """Return what a party saw of the other's operation."""
    parts = []
    if shown.box is not None:
        box = shown.box
        parts.append(
            f"area {box.south_deg:.3f} to {box.north_deg:.3f} N, {box.west_deg:.3f} to "
            f"{box.east_deg:.3f} E"
        )
    if shown.lower is not None:
        parts.append(f"heights {shown.lower} to {shown.upper}")
    if shown.from_us is not None and shown.to_us is not None:
        start = time_text(shown.from_us, day)
        parts.append(f"times {start} to {time_text(shown.to_us, day_text(shown.from_us))}")
    if shown.late_by:
        much = "" if shown.late_us is None else f" by {-(-shown.late_us // US_PER_S):,} s at most"
        clauses = ", ".join(each.partition(" of ")[0] for each in shown.late_by)
        parts.append(f"LATE{much}, clause {clauses}")
    if shown.callsign is not None:
        parts.append(f"callsign {shown.callsign or 'none'}")
    if shown.count is not None:
        parts.append(craft_text(shown.count, shown.count_most))
    if shown.volumes is not None:
        parts.append(f"{len(shown.volumes)} volumes as filed")
    if not parts:
        return f"that {shown.party} has an operation there, and nothing else"
    return "; ".join(parts)


def by_words(shown: Shown, story: Story) -> str:
    """Return the clauses under which it was shown."""
    if not shown.by:
        return "the floor: that it exists and whom to call"
    said = []
    for each in shown.by:
        clause, _, own_hash = each.partition(" of ")
        where = agreement_title(story, own_hash)
        said.append(f"clause {clause} of {where}" if clause else f"no clause of {where}")
    return "; ".join(said)


def settled_words(story: ConflictStory, whole: Story, day: str | None) -> str:
    """Return how a conflict was settled, by whose act and when; or that it was not."""
    last = story.history[-1]
    conflict = last.conflict
    if conflict.is_open:
        return f"NOT SETTLED at the end of the range: it is {conflict.state}"
    who = ""
    if last.act is not None:
        who = f" {last.act.party.upper()} {act_words(last.act, whole)}."
    closed = f": {named(conflict.closed_by, whole)}" if conflict.closed_by else ""
    return f"{conflict.state}{closed}, {time_text(last.at_us, day)}.{who}"
