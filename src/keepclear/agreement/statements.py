# SPDX-License-Identifier: Apache-2.0
"""What is signed of an agreement, and the file that all of it travels in.

Layout of the file, as JSON in its one form: format, agreement, signatures, statements, annexes
(each: annex, signatures), earlier (the documents this one countered, oldest first, each:
agreement, signatures, statements). Signatures and statements are envelopes, each signed by one
key.

1. Each names the hash of the document it is about; of another it counts for nothing.
2. A signature expires: after 90 days at most the others have signed, or it is as if never given.
3. A statement says one thing, and takes a mandate for it (`mandate_for`).
"""

from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec

from keepclear.agreement.documents import Agreement, hash_of, read_agreement
from keepclear.agreement.words import Words
from keepclear.record.encoding import Signed, decode, encode
from keepclear.record.envelopes import Envelope, seal
from keepclear.record.headers import Name, TimeUs
from keepclear.record.key_documents import Hex64
from keepclear.record.keys import Signer
from keepclear.record.mandates import Power

SIGNATURE: Final = "application/vnd.keepclear.agreement-signature+json"
STATEMENT: Final = "application/vnd.keepclear.agreement-statement+json"
ANNEX_SIGNATURE: Final = "application/vnd.keepclear.annex-signature+json"
LONGEST_US: Final = 90 * 24 * 3_600_000_000
MOST_BYTES: Final = 16_777_216


class DocumentSignature(Signed, frozen=True, kw_only=True):
    """That a party agrees: to which document, by its hash. Times in microseconds UTC."""

    document: Hex64
    party: Name
    at_us: TimeUs
    expires_us: TimeUs

    def __post_init__(self) -> None:
        """Refuse a signature that holds too long or not at all."""
        if not 0 < self.expires_us - self.at_us <= LONGEST_US:
            raise ValueError("holds for no time or more than 90 days; let it expire earlier")


class Said(StrEnum):
    """What a party can state about an agreement."""

    PROPOSE = "propose"
    COUNTER = "counter"
    LINE_CHECKED = "line-checked"
    PROVING_RUN_MADE = "proving-run-made"
    REVIEWED = "reviewed"
    SUSPEND = "suspend"
    RESUME = "resume"
    DENOUNCE = "denounce"
    DENY = "deny"


class AgreementStatement(Signed, frozen=True, kw_only=True):
    """What a party states about an agreement.

    why: in words. counter: the hash of the document that is put against it, of a counter alone.
    force: what the party says it does not answer for, of a denial alone.
    """

    document: Hex64
    party: Name
    at_us: TimeUs
    said: Said
    why: Annotated[Words, msgspec.Meta(max_length=2_000)] = ""
    counter: Annotated[str, msgspec.Meta(pattern=r"^(?:[0-9a-f]{64})?\Z")] = ""
    force: Annotated[Words, msgspec.Meta(max_length=200)] = ""

    def __post_init__(self) -> None:
        """Refuse a statement that says more or less than its kind does."""
        if bool(self.counter) != (self.said is Said.COUNTER):
            raise ValueError("names a counter and is none, or the reverse; name it in a counter")
        if bool(self.force) != (self.said is Said.DENY):
            raise ValueError("names a force and is no denial, or the reverse; name it in a denial")


class SignedAnnex(Signed, frozen=True, kw_only=True):
    """An annex with what was signed of it."""

    annex: msgspec.Raw
    signatures: tuple[Envelope, ...] = ()


class Round(Signed, frozen=True, kw_only=True):
    """A document that was countered, with what was signed of it."""

    agreement: msgspec.Raw
    signatures: tuple[Envelope, ...] = ()
    statements: tuple[Envelope, ...] = ()


class AgreementFile(Signed, frozen=True, kw_only=True):
    """An agreement with what was signed of it; see the module."""

    format: Literal["keepclear-agreement/1"] = "keepclear-agreement/1"
    agreement: msgspec.Raw
    signatures: tuple[Envelope, ...] = ()
    statements: tuple[Envelope, ...] = ()
    annexes: tuple[SignedAnnex, ...] = ()
    earlier: tuple[Round, ...] = ()


def read_file(data: bytes, path: str = "file") -> tuple[AgreementFile, Agreement]:
    """Return a file and the agreement in it; `Malformed` where it is none."""
    file = decode(data, AgreementFile, path, MOST_BYTES)
    return file, read_agreement(bytes(file.agreement), f"{path}.agreement")


def mandate_for(said: Said) -> Power:
    """Return what a statement takes a mandate for."""
    return Power.SUSPENSION if said in {Said.SUSPEND, Said.RESUME} else Power.AGREEMENT


def sign(
    document: str, party: str, at_us: int, expires_us: int, signer: Signer,
    payload_type: str = SIGNATURE,
) -> Envelope:  # fmt: skip
    """Return the signature of one key. document: the hash of what is signed."""
    value = DocumentSignature(document=document, party=party, at_us=at_us, expires_us=expires_us)
    return seal(payload_type, encode(value), signer)


def state(
    agreement: Agreement, party: str, at_us: int, said: Said, signer: Signer, *,
    why: str = "", counter: str = "", force: str = "",
) -> Envelope:  # fmt: skip
    """Return the statement of a party's representative."""
    value = AgreementStatement(
        document=hash_of(agreement), party=party, at_us=at_us, said=said, why=why,
        counter=counter, force=force,
    )  # fmt: skip
    return seal(STATEMENT, encode(value), signer)
