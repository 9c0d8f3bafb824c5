# SPDX-License-Identifier: Apache-2.0
"""Signed notes and checkpoints of trees, with cosignatures (C2SP).

Layout of a note (c2sp.org/signed-note v1.0.0): text that ends in a newline, a blank line, then
one line for each signature: em dash, space, name of the key, space, base64 of four bytes of
key id and the signature. Key id: the first four bytes of SHA-256(name, newline, type, key).

Text of a checkpoint (c2sp.org/tlog-checkpoint v1.0.0): origin, tree size in decimal, base64 of
the root, a line each. Nothing follows: extension lines are refused.

    0x01  Ed25519 over the text: how the exchange signs
    0x04  time (8 bytes, seconds since 1970), then Ed25519 over "cosignature/v1", newline,
          "time ", the time, newline, the text (c2sp.org/tlog-cosignature v1): how readers sign

1. A signature of a known name and key id must verify, or the whole note is refused.
2. Signatures of unknown keys are passed over; a note without one that counts is refused.
3. A second signature of one key counts for nothing more: who counts cosignatures counts keys.
4. An exchange signs under a name that ends in the region it signs for, as in
   "exchange.example/east", so its key is believed for that region and for no other.
"""

import base64
import binascii
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple

from keepclear.record.faults import Malformed, NotProven
from keepclear.record.keys import SIGNATURE_BYTES, PublicKey, Signer
from keepclear.record.merkle import HASH_BYTES

SIGNS: Final = 0x01
COSIGNS: Final = 0x04
MOST_SIGNATURES: Final = 64
MOST_BYTES: Final = 32_768
DASH: Final = "\u2014 "
KEY_ID_BYTES: Final = 4
TIME_BYTES: Final = 8
MOST_LEAVES: Final = 2**62
SHOWN: Final = 60


class NoteKey(NamedTuple):
    """Who a signature line is by: the name on it, its key, and the type of signature."""

    name: str
    key: PublicKey
    kind: int = SIGNS

    @property
    def id(self) -> bytes:
        """The first four bytes of its hash; short, so it identifies and proves nothing."""
        data = self.name.encode() + b"\n" + bytes([self.kind]) + self.key.data
        return sha256(data).digest()[:KEY_ID_BYTES]


class Checkpoint(NamedTuple):
    """The root of one tree at one size. origin: which tree."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


class Cosigned(NamedTuple):
    """Who cosigned a note, and at what time by its own clock (seconds since 1970)."""

    name: str
    time_s: int


def sign_note(text: str, name: str, signer: Signer) -> str:
    """Return a note with one signature."""
    check_name(name)
    _check_text(text)
    line = _line(NoteKey(name, signer.public, SIGNS), signer.sign(text.encode()))
    return f"{text}\n{line}"


def cosign_note(note: str, name: str, signer: Signer, time_s: int) -> str:
    """Return the note with a cosignature added; what it says must have been checked before."""
    check_name(name)
    text, _ = split_note(note)
    message = _cosigned_message(text, time_s)
    signature = time_s.to_bytes(TIME_BYTES, "big") + signer.sign(message)
    return note + _line(NoteKey(name, signer.public, COSIGNS), signature)


def split_note(note: str) -> tuple[str, tuple[tuple[str, bytes], ...]]:
    """Return the text and the signature lines (name, key id and signature) of a note.

    `Malformed` where it is none.
    """
    if len(note) > MOST_BYTES:
        raise _malformed(note, f"is longer than {MOST_BYTES} characters")
    place = note.rfind("\n\n")
    if place < 0:
        raise _malformed(note, "has no blank line before its signatures")
    text, rest = note[: place + 1], note[place + 2 :]
    _check_text(text)
    lines = rest.split("\n")
    if lines.pop() != "" or not 0 < len(lines) <= MOST_SIGNATURES:
        raise _malformed(note, f"has no signature, more than {MOST_SIGNATURES}, or no last newline")
    return text, tuple(_read_line(line) for line in lines)


def signers_of(note: str, keys: Sequence[NoteKey]) -> tuple[NoteKey, ...]:
    """Return by which of the keys a note is signed that was verified with them before."""
    signed = {(name, data[:KEY_ID_BYTES]) for name, data in split_note(note)[1]}
    return tuple(key for key in keys if key.kind == SIGNS and (key.name, key.id) in signed)


def verify_note(note: str, keys: Sequence[NoteKey]) -> tuple[str, tuple[Cosigned, ...]]:
    """Return the text and the cosignatures of a note that one of the keys has signed.

    `NotProven` where none of type `SIGNS` has, or one that is known does not verify.
    """
    text, lines = split_note(note)
    by_id = {(key.name, key.id): key for key in keys}
    signed, cosigned = False, dict[bytes, Cosigned]()
    for name, data in lines:
        key = by_id.get((name, data[:KEY_ID_BYTES]))
        if key is None:
            continue
        where = f"note, signature of {name}"
        if key.kind == SIGNS:
            key.key.verify(text.encode(), data[KEY_ID_BYTES:], where)
            signed = True
            continue
        if len(data) != KEY_ID_BYTES + TIME_BYTES + SIGNATURE_BYTES:
            raise NotProven(where, f"{len(data)} bytes", "is no cosignature", "get the note again")
        time_s = int.from_bytes(data[KEY_ID_BYTES : KEY_ID_BYTES + TIME_BYTES], "big")
        message = _cosigned_message(text, time_s)
        key.key.verify(message, data[KEY_ID_BYTES + TIME_BYTES :], where)
        cosigned.setdefault(key.key.data, Cosigned(name, time_s))
    if not signed:
        raise NotProven(
            "note", text.split("\n", 1)[0][:SHOWN], "is signed by no key that is known here",
            "give the keys of the exchange; where it has gone on with another one, "
            "region.keys.json of now has all",
        )  # fmt: skip
    return text, tuple(cosigned.values())


def read_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint that a note's text is; `Malformed` where it is none."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] != "" or not lines[0]:
        raise _malformed(text, "is not the three lines of a checkpoint")
    size, root = lines[1], _from_base64(lines[2], text)
    is_decimal = size.isascii() and size.isdigit() and (size == "0" or size[0] != "0")
    if not is_decimal or len(size) > 19 or int(size) > MOST_LEAVES:
        raise _malformed(text, "has no tree size in decimal")
    if len(root) != HASH_BYTES:
        raise _malformed(text, "has no root of 32 bytes")
    return Checkpoint(lines[0], int(size), root)


@lru_cache(maxsize=256)
def check_name(name: str) -> None:
    """Refuse a name that cannot stand on a signature line."""
    if not name or "+" in name or any(c.isspace() or not c.isprintable() for c in name):
        raise Malformed(
            "name", name, "is empty, or has a space or a plus in it", "use letters, digits, . - /"
        )


def is_of_region(name: str, region: str) -> bool:
    """Tell whether who signs under a name may sign for a region."""
    return name.rpartition("/")[2] == region


def verifier(keys: Iterable[PublicKey], name: str, kind: int = SIGNS) -> tuple[NoteKey, ...]:
    """Return keys as what signs under one name."""
    return tuple(NoteKey(name, key, kind) for key in keys)


def _line(key: NoteKey, signature: bytes) -> str:
    return f"{DASH}{key.name} {base64.b64encode(key.id + signature).decode()}\n"


def _read_line(line: str) -> tuple[str, bytes]:
    name, _, data = line.removeprefix(DASH).partition(" ")
    if not line.startswith(DASH) or not data:
        raise _malformed(line, "is no signature line")
    check_name(name)
    signature = _from_base64(data, line)
    if len(signature) <= KEY_ID_BYTES:
        raise _malformed(line, "has no signature behind its key id")
    return name, signature


def _from_base64(data: str, where: str) -> bytes:
    try:
        found = base64.b64decode(data.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise _malformed(where, "is not base64") from None
    if base64.b64encode(found).decode() != data:
        raise _malformed(where, "is base64 in a second form")
    return found


def _cosigned_message(text: str, time_s: int) -> bytes:
    if not 0 <= time_s < 2**63:
        raise Malformed("time", time_s, "is not in 0 to 2^63 - 1", "give seconds since 1970")
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def _check_text(text: str) -> None:
    if not text.endswith("\n") or not text.replace("\n", "").isprintable():
        raise _malformed(text, "does not end in a newline or has characters that are not seen")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _malformed(text, "cannot be written as UTF-8") from None


def _malformed(text: str, limit: str) -> Malformed:
    return Malformed("note", text[:SHOWN], limit, "get it again from who signed it")
