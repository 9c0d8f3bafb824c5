# SPDX-License-Identifier: Apache-2.0
"""`keepclear agreement propose|counter|sign|state|annex`: what one key signs of an agreement.

Each verifies the whole file with the new signature before it writes: what does not hold, does
not fit the state the agreement is in, or would not count, is refused and nothing is written.
No signature that a file holds is lost by writing over it. With --carry-with it is carried into the
region at once.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from keepclear.cli.agreement import not_listed, read_agreement_bytes, read_ring
from keepclear.cli.carry import carry_agreement
from keepclear.cli.key import print_or_refuse
from keepclear.cli.private_keys import read_private

if TYPE_CHECKING:
    from keepclear.agreement.annexes import Annex
    from keepclear.agreement.documents import Agreement
    from keepclear.agreement.signing import Signature
    from keepclear.agreement.standing import Standing
    from keepclear.agreement.statements import AgreementFile
    from keepclear.record.key_documents import Keyring
    from keepclear.record.keys import Signer

CARRY: Final = "keepclear.carry"
DAY_US: Final = 86_400_000_000
STATES: Final = (
    "line-checked", "proving-run-made", "reviewed", "suspend", "resume", "denounce", "deny",
)  # fmt: skip


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:  # noqa: ANN401 as click gives it
    context.meta[f"{CARRY}.{parameter.name}"] = value


def signing(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of everything that is signed, and of what is carried at once."""
    for option in (
        click.option("--home", envvar="KEEPCLEAR_HOME", default=".", expose_value=False,
                     callback=_keep, type=click.Path(file_okay=False),
                     help="The folder of the post that carries it; KEEPCLEAR_HOME sets it too."),
        click.option("--carry-with", multiple=True, metavar="FILE", expose_value=False,
                     callback=_keep, help="Carry it into the region at once: the private key of "
                     "the other representative, who signs that too."),
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
    from msgspec.structs import replace

    from keepclear.agreement.statements import Said
    from keepclear.agreement.statements import state as state_it

    def make() -> list[str]:
        at = _open(file, keys, party, private, output)
        envelope = state_it(at.found, party, _now_us(), Said.PROPOSE, at.signer)
        made = replace(at.signed, statements=(*at.signed.statements, envelope))
        return _write(at, made, f"proposed by {party}")

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
        --keys keys.json --with south.rep-1.private.json \\
        --output counter.agreement
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from msgspec.structs import replace

    from keepclear.agreement.documents import hash_of
    from keepclear.agreement.standing import state_of
    from keepclear.agreement.statements import Round, Said
    from keepclear.agreement.statements import state as state_it

    def make() -> list[str]:
        at = _open(file, keys, party, private, output, (new,))
        signed, found, ring, signer = at.signed, at.found, at.ring, at.signer
        against = read_agreement_bytes(Path(new).read_bytes(), new)[1]
        if hash_of(against) == hash_of(found):
            raise click.UsageError(f"{new}: is the agreement in {file} itself; change it, or sign")
        now_us = _now_us()
        no = state_it(found, party, now_us, Said.COUNTER, signer, counter=hash_of(against))
        old = replace(signed, statements=(*signed.statements, no))
        _check_counts(at, state_of(old, found, ring, now_us))
        made = replace(
            signed, agreement=_raw(against), signatures=(), annexes=(),
            statements=(state_it(against, party, now_us, Said.PROPOSE, signer),),
            earlier=(*signed.earlier, Round(
                agreement=signed.agreement, signatures=signed.signatures,
                statements=old.statements,
            )),
        )  # fmt: skip
        return _write(at._replace(found=against), made, f"countered by {party}")

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
    from msgspec.structs import replace

    from keepclear.agreement.annex_standing import read_annexes
    from keepclear.agreement.annexes import annex_hash, newest
    from keepclear.agreement.documents import hash_of
    from keepclear.agreement.signing import check_not_signed
    from keepclear.agreement.standing import state_of
    from keepclear.agreement.statements import ANNEX_SIGNATURE
    from keepclear.agreement.statements import sign as sign_it

    def make() -> list[str]:
        at = _open(file, keys, party, private, output)
        signed, found, signer, now_us = at.signed, at.found, at.signer, _now_us()
        until_us = now_us + holds * DAY_US
        if annex_id is None:
            given = state_of(signed, found, at.ring, now_us).signed
            check_not_signed(given, party, signer.public.id, now_us)
            envelope = sign_it(hash_of(found), party, now_us, until_us, signer)
            made = replace(signed, signatures=(*signed.signatures, envelope))
            return _write(at, made, f"signature of {party}")
        annexes = read_annexes(signed, found)
        last = newest(annexes, annex_id)
        if last is None:
            raise click.UsageError(f"--annex {annex_id}: is not in {file}; add it: agreement annex")
        own_hash = annex_hash(last)
        check_not_signed(_signed_of(at, last, now_us), party, signer.public.id, now_us)
        envelope = sign_it(own_hash, party, now_us, until_us, signer, ANNEX_SIGNATURE)
        made = replace(signed, annexes=tuple(
            replace(each, signatures=(*each.signatures, envelope)) if annex is last else each
            for each, annex in zip(signed.annexes, annexes, strict=True)
        ))  # fmt: skip
        what = f"signature of {party} of annex {annex_id}, version {last.version}"
        return _write(at, made, what, own_hash)

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
      keepclear agreement state mou.agreement suspend --party south \\
        --keys keys.json --with south.rep-1.private.json --why "EXERCISE"
      keepclear agreement state mou.agreement deny --party south \\
        --keys keys.json --with south.rep-1.private.json --force "Auxiliaries"
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from msgspec.structs import replace

    from keepclear.agreement.binding import forces_of
    from keepclear.agreement.statements import Said
    from keepclear.agreement.statements import state as state_it
    from keepclear.agreement.words import has_hidden

    def make() -> list[str]:
        if bool(force) != (what == "deny"):
            raise click.UsageError("--force: goes with deny, and deny with it; name the force")
        for option, text in (("--why", why), ("--force", force)):
            if has_hidden(text):
                raise click.UsageError(
                    f"{option} {text!r}: has a line break, or what is not seen; write plain words"
                )
        at = _open(file, keys, party, private, output)
        envelope = state_it(at.found, party, _now_us(), Said(what), at.signer, why=why, force=force)
        made = replace(at.signed, statements=(*at.signed.statements, envelope))
        wrote = _write(at, made, f"{what} of {party}")
        return [*wrote, *(not_listed(force, forces_of([at.found])) if force else ())]

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
      keepclear agreement annex mou.agreement annex-a.toml --party north \\
        --keys keys.json --with north.duty-officer.private.json
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from msgspec.structs import replace

    from keepclear.agreement.annex_standing import read_annexes
    from keepclear.agreement.annexes import annex_hash, newest
    from keepclear.agreement.statements import ANNEX_SIGNATURE, SignedAnnex
    from keepclear.agreement.statements import sign as sign_it
    from keepclear.formats.agreement_draft import annex_id_of, read_annex_draft

    def make() -> list[str]:
        at = _open(file, keys, party, private, output, (draft,))
        data = Path(draft).read_bytes()
        before = newest(read_annexes(at.signed, at.found), annex_id_of(data, draft))
        made_annex = read_annex_draft(data, draft, at.found, before)
        if before is not None and _says_the_same(before, made_annex):
            raise click.UsageError(
                f"{draft}: is version {before.version} of annex {before.id}, which is in {file} "
                f"already; sign that (agreement sign --annex {before.id}), or change it"
            )
        now_us, own_hash = _now_us(), annex_hash(made_annex)
        until_us = now_us + holds * DAY_US
        envelope = sign_it(own_hash, party, now_us, until_us, at.signer, ANNEX_SIGNATURE)
        added = SignedAnnex(annex=_raw(made_annex), signatures=(envelope,))
        made = replace(at.signed, annexes=(*at.signed.annexes, added))
        what = f"annex {made_annex.id}, version {made_annex.version}, signed by {party}"
        return _write(at, made, what, own_hash)

    return print_or_refuse(make)


def _says_the_same(one: "Annex", other: "Annex") -> bool:
    return (one.in_force_us, one.clauses) == (other.in_force_us, other.clauses)


class _Opened(NamedTuple):
    """An agreement to which something is added: by whom, where it goes, what was there before."""

    party: str
    start_us: int
    signed: "AgreementFile"
    found: "Agreement"
    ring: "Keyring"
    signer: "Signer"
    private: str
    output: str
    before: bytes | None
    notes: tuple[str, ...] = ()


def _open(
    file: str, keys: str, party: str, private: str, output: str | None,
    inputs: tuple[str, ...] = (),
) -> _Opened:  # fmt: skip
    """Read what a command adds to, and refuse what it cannot do before anything is signed.

    inputs: what else it reads. A draft for which OUTPUT holds signatures already goes on there.
    """
    from keepclear.agreement.signing import check_may_sign
    from keepclear.cli.output import bytes_of, check_output

    notes: tuple[str, ...] = ()
    data = Path(file).read_bytes()
    signed, found = read_agreement_bytes(data, file)
    if party not in {each.id for each in found.parties}:
        known = ", ".join(each.id for each in found.parties)
        raise click.UsageError(f"--party {party!r}: is none of {known}")
    ring, signer = read_ring(keys), read_private(private, party)
    check_may_sign(party, signer.public.id, ring)
    is_draft = not signed.signatures and not signed.statements
    if is_draft and output is None:
        raise click.UsageError("a draft becomes a file of its own: add --output FILE")
    written = output or file
    is_own = Path(written).exists() and Path(written).samefile(file)
    check_output(written, "agreement", (*inputs, keys, private, *((file,) if is_draft else ())))
    before = data if is_own else bytes_of(written)
    if not is_own and before is not None:
        signed, notes = _go_on(signed, found, file, written, before, is_draft=is_draft)
    return _Opened(party, _now_us(), signed, found, ring, signer, private, written, before, notes)


def _go_on(
    signed: "AgreementFile", found: "Agreement", file: str, written: str, before: bytes,
    *, is_draft: bool,
) -> "tuple[AgreementFile, tuple[str, ...]]":  # fmt: skip
    """Return what a file holds over which another is to be written, so that nothing is lost."""
    from keepclear.agreement.documents import hash_of
    from keepclear.cli.output import kind_of

    if kind_of(written) != "agreement":
        return signed, ()
    held, held_found = read_agreement_bytes(before, written)
    if not held.signatures and not held.statements:
        return signed, ()
    if held == signed:
        return signed, ()
    if hash_of(held_found) != hash_of(found):
        raise click.UsageError(
            f"--output {written}: holds another agreement, which is signed; give another name"
        )
    if not is_draft:
        raise click.UsageError(
            f"--output {written}: holds what was signed of it, and not all of that is in {file}; "
            f"give {written} instead of {file}, or another name"
        )
    return held, (f"{written} holds what was signed of {file} already: went on from there",)


def _signed_of(at: _Opened, annex: "Annex", now_us: int) -> "list[Signature]":
    """Return who has signed one version of an annex."""
    from keepclear.agreement.annexes import annex_hash
    from keepclear.agreement.standing import state_of

    standing = state_of(at.signed, at.found, at.ring, now_us)
    own = annex_hash(annex)
    versions = [version for each in standing.annexes for version in each.versions]
    return [one for version in versions if version.hash == own for one in version.signed]


def _check_counts(at: _Opened, standing: "Standing") -> None:
    """Refuse to write what was signed just now and would be left out."""
    for each in standing.left_out:
        if each.party == at.party and each.at_us >= at.start_us:
            raise click.UsageError(f"{each.what} of {each.party} would not count: {each.why}")


def _write(at: _Opened, made: "AgreementFile", what: str, own_hash: str = "") -> list[str]:
    """Write a file that verifies as a whole, and tell what was signed and how it stands."""
    from keepclear.agreement.standing import check_not_ahead, state_of
    from keepclear.cli.output import print_text, replace_text
    from keepclear.record.encoding import encode
    from keepclear.reports.record_text import grouped

    now_us = _now_us()
    check_not_ahead(made, at.found, at.ring, now_us)
    standing = state_of(made, at.found, at.ring, now_us)
    _check_counts(at, standing)
    replace_text(at.output, encode(made).decode() + "\n", "agreement", at.before)
    said = [
        *at.notes,
        f"wrote {at.output}: {what}; it is {standing.state}",
        f"hash {grouped(own_hash or standing.hash)} (compare it by voice with the other party)",
    ]
    kept = click.get_current_context().meta
    if others := kept[f"{CARRY}.carry_with"]:
        print_text("\n".join(said) + "\n")  # it is signed, also where it cannot be carried now
        private = dict.fromkeys((at.private, *others))
        return carry_agreement(kept[f"{CARRY}.home"], made, at.found, tuple(private))
    return said


def _raw(document: object) -> Any:  # noqa: ANN401 msgspec.Raw, imported late
    from msgspec import Raw

    from keepclear.record.encoding import encode

    return Raw(encode(document))


def _now_us() -> int:
    return time.time_ns() // 1000
