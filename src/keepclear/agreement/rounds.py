# SPDX-License-Identifier: Apache-2.0
"""The documents that were put forward and countered before the one in a file.

They prove who offered what, so nobody may make them up. Each is held to the rules of the file
itself (`signing`, `replay`), and to these:

1. Each ends with its counter, which names the hash of the one after it. Nothing follows it.
2. It could be countered then: it had been proposed or signed in part, and not by all.
3. All are of one agreement by its id, and each was put forward when the one before it was
   countered, or later.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from keepclear.agreement.documents import Agreement, hash_of, read_agreement
from keepclear.agreement.replay import replayed
from keepclear.agreement.signing import LeftOut, Signature, Stated, signatures_of, statements_of
from keepclear.agreement.statements import AgreementFile
from keepclear.record.faults import Malformed
from keepclear.record.key_documents import Keyring


class ReadRound(NamedTuple):
    """A document that was countered, with what counts of it, and what does not."""

    agreement: Agreement
    signed: Sequence[Signature]
    said: Sequence[Stated]
    left_out: Sequence[LeftOut]

    @property
    def first_us(self) -> int | None:
        """When it was first signed or proposed, None where it was not."""
        return first_of(self.signed, self.said)


def first_of(signed: Sequence[Signature], said: Sequence[Stated]) -> int | None:
    """Return the time of the first signature or statement, None where there is none."""
    return min(
        (*(each.at_us for each in signed), *(each.what.at_us for each in said)), default=None
    )


def rounds_of(file: AgreementFile, keys: Keyring) -> Iterator[ReadRound]:
    """Yield the documents before the one in a file, oldest first, each verified by itself."""
    for number, each in enumerate(file.earlier):
        path = f"earlier[{number}]"
        old = read_agreement(bytes(each.agreement), path)
        signed = signatures_of(each.signatures, old, keys, f"{path}.signatures")
        said = statements_of(each.statements, old, keys, f"{path}.statements")
        yield ReadRound(old, signed.found, said.found, (*signed.left_out, *said.left_out))


def check_rounds(
    file: AgreementFile, agreement: Agreement, keys: Keyring, first_us: int | None
) -> list[LeftOut]:
    """Refuse documents before this one that were not countered by the one after them.

    first_us: when this one was first signed or proposed, None where it was not.
    """
    rounds = list(rounds_of(file, keys))
    after = [*((each.agreement, each.first_us) for each in rounds[1:]), (agreement, first_us)]
    left_out: list[LeftOut] = []
    for number, (each, (new, new_us)) in enumerate(zip(rounds, after, strict=False)):
        path, old = f"earlier[{number}]", each.agreement
        if old.id != agreement.id:
            raise Malformed(
                f"{path}.id", old.id, f"is not {agreement.id}", "counter an agreement with itself"
            )
        last = each.said[-1].what if each.said else None
        if last is None or last.counter != hash_of(new):
            raise _forged(path, old, f"was not countered by {hash_of(new)[:16]}")
        if any(one.at_us > last.at_us for one in each.signed):
            raise _forged(path, old, "was signed after it was countered")
        if new_us is not None and new_us < last.at_us:
            raise _forged(path, old, f"was countered after {hash_of(new)[:16]} was put forward")
        replayed(old, each.signed, each.said, keys, last.at_us)
        left_out += (
            one._replace(what=f"{one.what} of {hash_of(old)[:16]}") for one in each.left_out
        )
    return left_out


def _forged(path: str, old: Agreement, limit: str) -> Malformed:
    return Malformed(
        path, hash_of(old)[:16], limit, "give the file as keepclear agreement counter wrote it"
    )
