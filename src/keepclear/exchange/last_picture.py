# SPDX-License-Identifier: Apache-2.0
"""The last picture of a party: what it held when it could still ask, with what proves each of it.

Made from the leaves of the party's own file: of each operation that protects, of each conflict that
is not settled, of each message that is not done, of each shift that is open, of each call that
waits, of each STOP that has not ended, of where each operation must keep out and of each agreement
the parts that say how it stands, each with its place under the last checkpoint of its tree; and
every change of the exchange's key. Whoever has the exchange's public key, or one before it, can
verify it, without a network and without the party.

Proven is that each part was entered. That nothing else was, or came later, nobody can prove of a
picture; up to when it goes is what the desk that made it says.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from keepclear.errors import InputError
from keepclear.exchange.events import (
    AgreementCarried,
    AgreementStood,
    CallChanged,
    KeepOutsChanged,
    MessageChanged,
    MessageOverdue,
    OperationFiled,
    OperationMoved,
    RegionOpened,
    ShiftChanged,
    StandingCarried,
    StopChanged,
)
from keepclear.exchange.objects import Carried, KeepOuts
from keepclear.exchange.picture import Picture, Told, told_in
from keepclear.exchange.views import Notice
from keepclear.exchange.world import stood as stood_value
from keepclear.line.stops import Area
from keepclear.plans.stops import Stop
from keepclear.record.encoding import Signed, decode
from keepclear.record.entries import EVERYBODY, Leaf, Part, leaf_of
from keepclear.record.envelopes import Envelope
from keepclear.record.exchange_keys import KeyChain
from keepclear.record.faults import NotProven
from keepclear.record.files import LONGEST_LINE
from keepclear.record.headers import Bytes32, Name, Status, TimeUs
from keepclear.record.ledger import grow
from keepclear.record.merkle import Tree
from keepclear.record.notes import NoteKey, read_checkpoint, split_note, verify_note
from keepclear.record.origins import read_origin
from keepclear.record.parts import EXCHANGE_KEY_KIND, ExchangeKeyChange
from keepclear.record.receipts import Receipt, verify_under
from keepclear.record.views import is_seen

Kept = RegionOpened | AgreementCarried | AgreementStood | StopChanged | KeepOutsChanged
KINDS: Final[Mapping[str, type[Kept]]] = {
    "region-opened/1": RegionOpened,
    "agreement-carried/1": AgreementCarried,
    "agreement-stood/1": AgreementStood,
    "stop-changed/1": StopChanged,
    "keep-outs-changed/1": KeepOutsChanged,
}
CARRIED: Final = frozenset({
    "operations", "agreements", "messages", "stops", "keep_outs", "shifts", "calls",
})  # fmt: skip
FEWEST_DIGITS: Final = 4
Said = Told | Kept | ExchangeKeyChange


class Evidence(Signed, frozen=True, kw_only=True):
    """A part, and its place under the checkpoint of its tree."""

    audience: str
    salt: Bytes32
    part: msgspec.Raw
    index: int
    proof: tuple[Bytes32, ...]


class LastPicture(Signed, frozen=True, kw_only=True):
    """See the module.

    as_of_us: up to when all is in it that there was, by the clock of the desk; notes: the last
    checkpoint of each tree; shown: in the order in which it was entered.
    """

    format: Literal["keepclear-snapshot/1"] = "keepclear-snapshot/1"
    party: Name
    region: Name
    incarnation: int
    status: Status
    as_of_us: TimeUs
    notes: tuple[str, ...]
    shown: tuple[Evidence, ...]


class Agreed(NamedTuple):
    """An agreement in a picture: as it was carried, and how it stands."""

    carried: AgreementCarried
    stood: AgreementStood


class Standing(NamedTuple):
    """What a picture says: operations, conflicts and messages, agreements, and the region.

    stops: its own, by id; keep_outs: where its operations must keep out, by operation.
    """

    picture: Picture
    agreements: tuple[Agreed, ...]
    region: RegionOpened | None
    stops: dict[str, Stop]
    keep_outs: dict[str, tuple[Area, ...]]


class _Held(NamedTuple):
    leaf: Leaf
    place: int
    said: Said


def last_picture(
    parts: Iterable[tuple[Leaf, Part]], notes: Mapping[str, str], party: str, status: Status,
    as_of_us: int,
) -> LastPicture:  # fmt: skip
    """Return the last picture of a party. parts: all that it holds; notes: by tree."""
    trees: dict[str, Tree] = {}
    held: list[_Held] = []
    for leaf, part in parts:
        grow(trees, (leaf,))
        said = _said_in(part)
        if said is not None:
            held.append(_Held(leaf, len(trees[leaf.audience]) - 1, said))
    picture = Picture(party, {}, {})
    for each in held:
        picture.take(_told(each.said))
    kept = [each for each in _latest(held) if _stands(each.said, picture)]
    origin = read_origin(read_checkpoint(split_note(next(iter(notes.values())))[0]).origin)
    if origin is None:
        raise InputError("checkpoint", party, "is of no tree", "fetch the record anew")
    sizes = {name: read_checkpoint(split_note(note)[0]).size for name, note in notes.items()}
    return LastPicture(
        party=party, region=origin.region, incarnation=origin.incarnation, status=status,
        as_of_us=as_of_us, notes=tuple(notes[name] for name in sorted(notes)),
        shown=tuple(
            Evidence(
                audience=each.leaf.audience, salt=each.leaf.salt, part=each.leaf.part,
                index=each.place, proof=trees[each.leaf.audience].inclusion(
                    each.place, sizes[each.leaf.audience]
                ),
            )
            for each in kept
        ),
    )  # fmt: skip


def receipt_of(
    parts: Iterable[tuple[Leaf, Part]], notes: Mapping[str, str], begins: str
) -> Receipt:  # fmt: skip
    """Return the receipt of the one part whose leaf has a hash that begins so."""
    trees: dict[str, Tree] = {}
    found: list[tuple[Leaf, int]] = []
    for leaf, _ in parts:
        grow(trees, (leaf,))
        if leaf_of(leaf.salt, bytes(leaf.part)).hex().startswith(begins.lower()):
            found.append((leaf, len(trees[leaf.audience]) - 1))
    if len(found) != 1 or len(begins) < FEWEST_DIGITS:
        raise InputError("part", begins, f"begins {len(found)} hashes", "give more of it")
    [(leaf, place)] = found
    note = notes[leaf.audience]
    size = read_checkpoint(split_note(note)[0]).size
    return Receipt(
        audience=leaf.audience, salt=leaf.salt, part=leaf.part, index=place,
        proof=trees[leaf.audience].inclusion(place, size), checkpoint=note,
    )  # fmt: skip


def verified(last: LastPicture, keys: Sequence[NoteKey]) -> Standing:
    """Return what a picture says, where all of it is proven. keys: of the exchange.

    `RecordError` for what is not.
    """
    counting = _followed(last, keys)
    checkpoints = {}
    for number, note in enumerate(last.notes):
        checkpoint = read_checkpoint(verify_note(note, counting)[0])
        origin = read_origin(checkpoint.origin)
        if (
            origin is None or (origin.region, origin.incarnation) != (last.region, last.incarnation)
            or not is_seen(origin.audience, last.party)
        ):  # fmt: skip
            raise NotProven(
                f"notes[{number}]", checkpoint.origin[:60], f"is of no tree of {last.party}",
                "have the picture made anew",
            )  # fmt: skip
        checkpoints[origin.audience] = (checkpoint, note)
    parts = []
    for number, each in enumerate(last.shown):
        path = f"shown[{number}]"
        if each.audience not in checkpoints:
            raise NotProven(path, each.audience, "has no checkpoint", "have it made anew")
        checkpoint, note = checkpoints[each.audience]
        receipt = Receipt(
            audience=each.audience, salt=each.salt, part=each.part, index=each.index,
            proof=each.proof, checkpoint=note,
        )  # fmt: skip
        parts.append(verify_under(receipt, checkpoint, path))
    return standing(last.party, parts)


def _followed(last: LastPicture, keys: Sequence[NoteKey]) -> tuple[NoteKey, ...]:
    """Return the keys that go on from those believed, by the changes in a picture.

    Each is signed with the key before, so it holds by itself.
    """
    chain = KeyChain(last.region, keys)
    for number, each in enumerate(last.shown):
        path = f"shown[{number}]"
        part = decode(bytes(each.part), Part, path, LONGEST_LINE)
        if part.kind == EXCHANGE_KEY_KIND and each.audience == EVERYBODY:
            chain.follow(decode(bytes(part.data), Envelope, path), path)
    return chain.keys


def standing(party: str, parts: Iterable[Part]) -> Standing:
    """Return what parts say, in the order in which they were entered."""
    picture, region = Picture(party, {}, {}), None
    carried: dict[str, AgreementCarried] = {}
    stood: dict[str, AgreementStood] = {}
    stops: dict[str, Stop] = {}
    outs: dict[str, tuple[Area, ...]] = {}
    for part in parts:
        match said := _said_in(part):
            case RegionOpened():
                region = said
            case AgreementCarried():
                carried[said.hash] = said
            case AgreementStood():
                stood[said.hash] = said
            case StandingCarried(table="agreements", key=own_hash, value=value):
                found = decode(bytes(value), Carried, own_hash, LONGEST_LINE)
                carried[own_hash] = AgreementCarried(hash=own_hash, file=found.file)
                stood[own_hash] = AgreementStood(
                    hash=own_hash, state=found.state, clauses=found.clauses
                )
            case ExchangeKeyChange():
                pass
            case StopChanged() | KeepOutsChanged():
                _take_kept_out(said, stops, outs)
            case StandingCarried(table="stops" | "keep_outs"):
                _take_kept_out(said, stops, outs)
            case _:
                picture.take(said)
    agreed = tuple(
        Agreed(each, stood[own_hash]) for own_hash, each in carried.items() if own_hash in stood
    )
    return Standing(picture, agreed, region, stops, outs)


def _take_kept_out(
    said: Said, stops: dict[str, Stop], outs: dict[str, tuple[Area, ...]]
) -> None:  # fmt: skip
    """Take how a STOP of one's own stands, or where an operation must keep out."""
    value: object = stood_value(said) if isinstance(said, StandingCarried) else said
    match value:
        case StopChanged(stop=stop):
            stops[stop.id] = stop
        case Stop():
            stops[value.id] = value
        case KeepOutsChanged(id=own, areas=areas):
            outs[own] = areas
        case KeepOuts(areas=areas) if isinstance(said, StandingCarried):
            outs[said.key] = areas
        case _:
            pass


def _said_in(part: Part) -> Said | None:
    if part.kind == EXCHANGE_KEY_KIND:
        envelope = decode(bytes(part.data), Envelope, part.kind)
        return decode(envelope.payload, ExchangeKeyChange, part.kind)
    kind = KINDS.get(part.kind)
    if kind is None:
        return told_in(part)
    return decode(bytes(part.data), kind, part.kind, LONGEST_LINE)


def _told(said: Said) -> Told | None:
    match said:
        case ExchangeKeyChange():
            return None
        case _ if isinstance(said, Kept):
            return None
        case _:
            return said


def _latest(held: Sequence[_Held]) -> list[_Held]:
    """Return the last of each kind about each thing, in order; moves of what was filed anew not."""
    last: dict[tuple[str, str], _Held] = {}
    moves: dict[str, list[_Held]] = {}
    for each in held:
        about = _about(each.said)
        if about is None:
            continue
        table, own = about
        if isinstance(each.said, OperationMoved):
            moves.setdefault(own, []).append(each)
            continue
        if table == "operations":
            moves[own] = []
        last[about] = each
    order = {id(each): place for place, each in enumerate(held)}
    found = [*last.values(), *(each for several in moves.values() for each in several)]
    return sorted(found, key=lambda each: order[id(each)])


def _about(said: Said) -> tuple[str, str] | None:  # noqa: C901, PLR0912 one for each kind
    """Return of which kind the thing is that is told of, and which one; None for one left out."""
    about: tuple[str, str] | None = None
    match said:
        case OperationFiled(operation=operation):
            about = "operations", operation.id
        case OperationMoved(id=own):
            about = "operations", own
        case StandingCarried(table=table, key=own) if table in CARRIED:
            about = table, own
        case StopChanged(stop=stop):
            about = "stops", stop.id
        case KeepOutsChanged(id=own):
            about = "keep_outs", own
        case Notice(conflict=own):
            about = "conflicts", own
        case MessageChanged(message=message) | MessageOverdue(message=message):
            about = "messages", message.id
        case ShiftChanged(shift=shift):
            about = "shifts", shift.id
        case CallChanged(call=call):
            about = "calls", call.id
        case AgreementCarried(hash=own) | AgreementStood(hash=own):
            about = type(said).__name__, own
        case RegionOpened():
            about = "region", ""
        case ExchangeKeyChange(key=key):
            about = "exchange", key.hex()
        case _:
            pass
    return about


def _stands(said: Said, picture: Picture) -> bool:  # noqa: C901, PLR0911, PLR0912 one for each kind
    """Tell whether what is said is of something that is not over."""
    unsettled = picture.unsettled()
    wanted = picture.protecting().keys() | {each.own for each in unsettled.values()}
    match said:
        case OperationFiled(operation=operation):
            return operation.id in wanted
        case OperationMoved(id=own) | StandingCarried(table="operations", key=own):
            return own in wanted
        case Notice(conflict=conflict):
            return conflict in unsettled
        case MessageChanged(message=message) | MessageOverdue(message=message):
            return message.id in picture.undone()
        case StandingCarried(table="messages", key=own):
            return own in picture.undone()
        case StopChanged(stop=stop):
            return stop.is_protecting
        case ShiftChanged(shift=shift):
            return shift.is_open
        case CallChanged(call=call):
            return call.waits
        case StandingCarried(table="shifts", key=own):
            return own in picture.open_shifts()
        case StandingCarried(table="calls", key=own):
            return own in picture.waiting_calls()
        case StandingCarried(table="stops"):
            return getattr(stood_value(said), "is_protecting", False)
        case KeepOutsChanged(areas=areas):
            return bool(areas)
        case _:
            return True
