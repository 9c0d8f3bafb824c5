# SPDX-License-Identifier: Apache-2.0
"""`keepclear agreement propose|counter|sign|state|annex`: what one key signs of an agreement.

Each verifies the whole file with the new signature before it writes: what does not hold, or
does not fit the state the agreement is in, is refused and nothing is written.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from msgspec.structs import replace

from keepclear.cli.agreement import read_agreement_file, read_ring
from keepclear.cli.key import print_or_refuse, read_private

if TYPE_CHECKING:
    from keepclear.agreement.documents import Agreement
    from keepclear.agreement.statements import AgreementFile
    from keepclear.record.key_documents import Keyring

DAY_US: Final = 86_400_000_000
STATES: Final = (
    "line-checked", "proving-run-made", "reviewed", "suspend", "resume", "denounce", "deny",
)  # fmt: skip


def signing(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of everything that is signed."""
    for option in (
        click.option("--output", metavar="FILE", help="By default FILE itself; a draft needs one."),
        click.option("--keys", required=True, metavar="FILE", help="The parties' keys."),
        click.option("--with", "private", required=True, metavar="FILE",
                     help="The private key of one representative."),
        click.option("--party", required=True, metavar="ID", help="For whom."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@signing
def propose(file: str, party: str, private: str, keys: str, output: str | None) -> int:
    """Put a draft before the other parties, signed by one representative.

    \b
    Example:
      keepclear agreement propose draft.toml --party north --keys keys.json \\
        --with north.rep-1.private.json --output mou.agreement
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.agreement.statements import Said
    from keepclear.agreement.statements import state as state_it

    def make() -> list[str]:
        signed, found, ring = _open(file, keys, party)
        envelope = state_it(found, party, _now_us(), Said.PROPOSE, read_private(private))
        made = replace(signed, statements=(*signed.statements, envelope))
        return _write(made, found, ring, output or _own(file, signed), f"proposed by {party}")

    return print_or_refuse(make)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.argument("new", type=click.Path(dir_okay=False))
@signing
def counter(file: str, new: str, party: str, private: str, keys: str, output: str | None) -> int:
    """Put the draft NEW against the agreement proposed in FILE; what was proposed stays in it.

    \b
    Example:
      keepclear agreement counter mou.agreement changed.toml --party south \\
        --keys keys.json --with south.rep-1.private.json --output counter.agreement
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.agreement.documents import hash_of
    from keepclear.agreement.standing import state_of
    from keepclear.agreement.statements import Round, Said
    from keepclear.agreement.statements import state as state_it

    def make() -> list[str]:
        signed, found, ring = _open(file, keys, party)
        against = read_agreement_file(new)[1]
        if hash_of(against) == hash_of(found):
            raise click.UsageError(f"{new}: is the agreement in {file} itself; change it, or sign")
        now_us, signer = _now_us(), read_private(private)
        no = state_it(found, party, now_us, Said.COUNTER, signer, counter=hash_of(against))
        old = replace(signed, statements=(*signed.statements, no))
        state_of(old, found, ring, now_us)
        made = replace(
            signed, agreement=_raw(against), signatures=(), annexes=(),
            statements=(state_it(against, party, now_us, Said.PROPOSE, signer),),
            earlier=(*signed.earlier, Round(
                agreement=signed.agreement, signatures=signed.signatures,
                statements=old.statements,
            )),
        )  # fmt: skip
        return _write(made, against, ring, output or file, f"countered by {party}")

    return print_or_refuse(make)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@signing
@click.option("--annex", "annex_id", metavar="ID", help="Sign the last version of this annex.")
@click.option("--holds", default=30, show_default=True, type=click.IntRange(1, 90),
              metavar="DAYS", help="How long the others have to sign.")  # fmt: skip
def sign(
    file: str, party: str, private: str, keys: str, annex_id: str | None, holds: int,
    output: str | None,
) -> int:  # fmt: skip
    """Sign an agreement, or an annex of it, with one key.

    The first signature makes a draft an agreement; the file then goes to the next one who
    signs, by mail or on a stick.

    \b
    Example:
      keepclear agreement sign draft.toml --party north --keys keys.json \\
        --with north.rep-1.private.json --output mou.agreement
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.agreement.annexes import annex_hash, newest, read_annex
    from keepclear.agreement.documents import hash_of
    from keepclear.agreement.statements import ANNEX_SIGNATURE
    from keepclear.agreement.statements import sign as sign_it

    def make() -> list[str]:
        signed, found, ring = _open(file, keys, party)
        now_us, signer = _now_us(), read_private(private)
        until_us, where = now_us + holds * DAY_US, output or _own(file, signed)
        if annex_id is None:
            envelope = sign_it(hash_of(found), party, now_us, until_us, signer)
            made = replace(signed, signatures=(*signed.signatures, envelope))
            return _write(made, found, ring, where, f"signature of {party}")
        annexes = [read_annex(bytes(each.annex), found, file) for each in signed.annexes]
        last = newest(annexes, annex_id)
        if last is None:
            raise click.UsageError(f"--annex {annex_id}: is not in {file}; add it: agreement annex")
        own_hash = annex_hash(last)
        envelope = sign_it(own_hash, party, now_us, until_us, signer, ANNEX_SIGNATURE)
        made = replace(signed, annexes=tuple(
            replace(each, signatures=(*each.signatures, envelope)) if annex is last else each
            for each, annex in zip(signed.annexes, annexes, strict=True)
        ))  # fmt: skip
        what = f"signature of {party} of annex {annex_id}, version {last.version}"
        return _write(made, found, ring, where, what, own_hash)

    return print_or_refuse(make)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.argument("what", type=click.Choice(STATES))
@signing
@click.option("--why", default="", help="The reason, in words.")
@click.option("--force", default="", metavar="NAME", help="Of a denial: who is not answered for.")
def state(
    file: str, what: str, party: str, private: str, keys: str, why: str, force: str,
    output: str | None,
) -> int:  # fmt: skip
    """State WHAT about an agreement: a condition, a suspension, its end, a denial.

    \b
    Example:
      keepclear agreement state mou.agreement suspend --party south --keys keys.json \\
        --with south.rep-1.private.json --why "EXERCISE"
      keepclear agreement state mou.agreement deny --force "Auxiliaries" --party south \\
        --keys keys.json --with south.rep-1.private.json
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.agreement.statements import Said
    from keepclear.agreement.statements import state as state_it

    def make() -> list[str]:
        if bool(force) != (what == "deny"):
            raise click.UsageError("--force: goes with deny, and deny with it; name the force")
        signed, found, ring = _open(file, keys, party)
        signer = read_private(private)
        envelope = state_it(found, party, _now_us(), Said(what), signer, why=why, force=force)
        made = replace(signed, statements=(*signed.statements, envelope))
        return _write(made, found, ring, output or _own(file, signed), f"{what} of {party}")

    return print_or_refuse(make)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.argument("draft", type=click.Path(dir_okay=False))
@signing
@click.option("--holds", default=30, show_default=True, type=click.IntRange(1, 90),
              metavar="DAYS", help="How long the others have to sign.")  # fmt: skip
def annex(
    file: str, draft: str, party: str, private: str, keys: str, holds: int, output: str | None
) -> int:
    """Add the next version of an annex to an agreement, and sign it with one key.

    The draft is TOML: id, in_force and clauses, as those of the agreement. The others sign it
    with `agreement sign --annex`.

    \b
    Example:
      keepclear agreement annex mou.agreement annex-a.toml --party north --keys keys.json \\
        --with north.duty-officer.private.json
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.agreement.annexes import annex_hash, newest, read_annex
    from keepclear.agreement.statements import ANNEX_SIGNATURE, SignedAnnex
    from keepclear.agreement.statements import sign as sign_it
    from keepclear.formats.agreement_draft import annex_id_of, read_annex_draft

    def make() -> list[str]:
        signed, found, ring = _open(file, keys, party)
        data = Path(draft).read_bytes()
        annexes = [read_annex(bytes(each.annex), found, file) for each in signed.annexes]
        before = newest(annexes, annex_id_of(data, draft))
        made_annex = read_annex_draft(data, draft, found, before)
        now_us, own_hash = _now_us(), annex_hash(made_annex)
        envelope = sign_it(
            own_hash, party, now_us, now_us + holds * DAY_US, read_private(private),
            ANNEX_SIGNATURE,
        )  # fmt: skip
        added = SignedAnnex(annex=_raw(made_annex), signatures=(envelope,))
        made = replace(signed, annexes=(*signed.annexes, added))
        what = f"annex {made_annex.id}, version {made_annex.version}, signed by {party}"
        return _write(made, found, ring, output or _own(file, signed), what, own_hash)

    return print_or_refuse(make)


def _open(file: str, keys: str, party: str) -> "tuple[AgreementFile, Agreement, Keyring]":
    signed, found = read_agreement_file(file)
    if party not in {each.id for each in found.parties}:
        known = ", ".join(each.id for each in found.parties)
        raise click.UsageError(f"--party {party!r}: is none of {known}")
    return signed, found, read_ring(keys)


def _own(file: str, signed: "AgreementFile") -> str:
    """Return the file itself; a draft is kept as it is, for people to edit."""
    if not signed.signatures and not signed.statements:
        raise click.UsageError("a draft becomes a file of its own: add --output FILE")
    return file


def _write(
    made: "AgreementFile", found: "Agreement", ring: "Keyring", output: str, what: str,
    own_hash: str = "",
) -> list[str]:  # fmt: skip
    """Write a file that verifies as a whole, and tell what was signed and how it stands."""
    from keepclear.agreement.standing import state_of
    from keepclear.cli.output import write_text
    from keepclear.record.encoding import encode
    from keepclear.reports.record_text import grouped

    standing = state_of(made, found, ring, _now_us())
    write_text(output, encode(made).decode() + "\n")
    return [
        f"wrote {output}: {what}; it is {standing.state}",
        f"hash {grouped(own_hash or standing.hash)} (compare it by voice with the other party)",
    ]


def _raw(document: object) -> Any:  # noqa: ANN401 msgspec.Raw, imported late
    from msgspec import Raw

    from keepclear.record.encoding import encode

    return Raw(encode(document))


def _now_us() -> int:
    return time.time_ns() // 1000
