# SPDX-License-Identifier: Apache-2.0
"""`keepclear key rotate|appoint`: the next version of a party's keys.

Each reads the file once, and writes over what it read and nothing else.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from keepclear.cli.key import DAY_US, print_or_refuse, write_keys
from keepclear.cli.private_keys import new_signer, private_file, read_private, write_privates

if TYPE_CHECKING:
    from keepclear.record.files import KeysFile
    from keepclear.record.key_documents import Device, KeyDocument, Keyring
    from keepclear.record.keys import Signer
    from keepclear.record.mandates import Mandate


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--with", "private", multiple=True, required=True, metavar="FILE",
              help="A private key that signs: next-root, rep-1 and rep-2.")  # fmt: skip
@click.option("--revoke", "revoked", multiple=True, metavar="NAME",
              help="A representative or post whose key is suspect from now on; watch#2 is the "
              "second key of a post that has several.")  # fmt: skip
@click.option("--replace", "replaced", multiple=True, metavar="NAME",
              help="The same, and a new key is made for it.")  # fmt: skip
@click.option("--since", metavar="WHEN",
              help="Since when these are suspect: what they signed from then on does not count. "
              "By default now.")  # fmt: skip
def rotate(
    file: str, private: tuple[str, ...], revoked: tuple[str, ...], replaced: tuple[str, ...],
    since: str | None,
) -> int:  # fmt: skip
    """Go on to the next root in FILE, and give up the keys of those revoked or replaced.

    Writes FILE anew, and new private keys beside the first that is given.

    \b
    Example:
      keepclear key rotate north.keys.json --with north.next-root.private.json \\
        --with north.rep-1.private.json --with north.rep-2.private.json
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from msgspec.structs import replace

    from keepclear.record.key_documents import Revocation
    from keepclear.record.keys import PublicKey
    from keepclear.units import parse_time_us

    def make() -> list[str]:
        own = _read_own(file)
        before = own.latest
        signers = [read_private(name, before.party) for name in private]
        root, root_file = next(
            ((s, name) for s, name in zip(signers, private, strict=True)
             if s.public.id == before.next_root),
            (None, ""),
        )  # fmt: skip
        if root is None:
            raise click.UsageError(
                f"--with: none of them is the next root {before.next_root[:16]}; add it"
            )
        named = {each.id: each.key for each in before.representatives}
        devices = _by_name(before.devices)
        named |= {name: each.key for name, each in devices.items()}
        if strange := [name for name in (*revoked, *replaced) if name not in named]:
            raise click.UsageError(
                f"--revoke or --replace {strange[0]!r}: is none of {', '.join(named)}; name one"
            )
        version, now_us = before.version + 1, time.time_ns() // 1000
        since_us = now_us if since is None else parse_time_us(since, "since")
        if since_us > now_us:
            raise click.UsageError(f"--since {since}: is after now; give a time that has passed")
        made = {f"root-{version + 1}": new_signer()}
        fresh = {name: f"{name.replace('#', '-')}-{version}" for name in replaced}
        made |= {each: new_signer() for each in fresh.values()}
        keys_now = {name: each for name, each in named.items() if name not in revoked}
        keys_now |= {name: made[each].public.data for name, each in fresh.items()}
        gone = sorted(PublicKey(named[name]).id for name in {*revoked, *replaced})
        folder = str(Path(private[0]).parent)
        written = _write_next(own, signers, made, folder, {
            "root": root.public.data, "next_root": made[f"root-{version + 1}"].public.id,
            "created_us": now_us,
            "representatives": tuple(
                replace(each, key=keys_now[each.id])
                for each in before.representatives if each.id in keys_now
            ),
            "devices": tuple(
                replace(each, key=keys_now[name])
                for name, each in devices.items() if name in keys_now
            ),
            "revoked": (*before.revoked, *(
                Revocation(key_id=each, suspect_since_us=since_us) for each in gone
            )),
        })  # fmt: skip
        return [
            *written,
            f"{root_file} is the root now.",
            f"{private_file(folder, before.party, f'root-{version + 1}')} is the next root: keep",
            "it in another place than the root and the representatives' keys.",
            f"Give {file} to the others: they believe the old keys until they export it anew.",
        ]

    return print_or_refuse(make)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.argument("name")
@click.option("--as", "role", type=click.Choice(["representative", "post"]), required=True,
              help="What NAME is; a new NAME gets a key of its own.")  # fmt: skip
@click.option("--covers", "covers", multiple=True, metavar="DEED",
              help="What may be signed: routine, or the first words of a kind of act; for a "
              "representative agreement, suspension, keys, mass-cancel, site-release.")  # fmt: skip
@click.option("--from", "start", metavar="WHEN", help="2015-10-01T00:00:00Z; by default now.")
@click.option("--until", "end", metavar="WHEN", help="By default in 730 days.")
@click.option("--with", "private", multiple=True, required=True, metavar="FILE",
              help="A private key that signs: root, rep-1 and rep-2.")  # fmt: skip
@click.option("--another", is_flag=True,
              help="Give post NAME a further key beside those it has, as for another person."
              )  # fmt: skip
def appoint(
    file: str, name: str, role: str, covers: tuple[str, ...], start: str | None,
    end: str | None, private: tuple[str, ...], *, another: bool,
) -> int:  # fmt: skip
    """Give NAME a mandate, instead of those it has; a NAME that is new is appointed.

    Writes FILE anew, and a new private key beside the first that is given. A post that is not
    routine signs in at an exchange only where its mandate covers session, too.

    \b
    Example:
      keepclear key appoint north.keys.json duty-officer --as post \\
        --covers routine --with north.root.private.json \\
        --with north.rep-1.private.json \\
        --with north.rep-2.private.json
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.record.key_documents import Representative
    from keepclear.record.mandates import ROUTINE, Mandate, Power, mandate_text
    from keepclear.units import parse_time_us

    def make() -> list[str]:
        own = _read_own(file)
        before = own.latest
        now_us = time.time_ns() // 1000
        from_us = now_us if start is None else parse_time_us(start, "from")
        until_us = now_us + 730 * DAY_US if end is None else parse_time_us(end, "until")
        standard = (ROUTINE,) if role == "post" else tuple(Power)
        for deed in covers:
            _check_deed(deed)
        try:
            mandate = Mandate(covers=covers or standard, from_us=from_us, until_us=until_us)
        except ValueError as fault:
            raise click.UsageError(f"--from, --until: {fault}") from None
        made = {}
        known = {each.id: each.key for each in before.representatives}
        posts = {each.post: each.key for each in before.devices}
        if name in (posts if role == "representative" else known):
            raise click.UsageError(f"{name}: is not a {role} already; give another name")
        if another and name not in posts:
            raise click.UsageError(f"--another: {name} is no post that has a key; leave it out")
        data = known.get(name, posts.get(name))
        if data is None or another:
            signer = new_signer()
            made[f"{name}-{before.version + 1}" if another else name] = signer
            data = signer.public.data
        people, devices = list(before.representatives), list(before.devices)
        if role == "representative":
            people = [each for each in people if each.id != name]
            people.append(Representative(id=name, key=data, mandates=(mandate,)))
        else:
            devices = _with_device(devices, name, data, mandate)
        signers = [read_private(each, before.party) for each in private]
        written = _write_next(own, signers, made, str(Path(private[0]).parent), {
            "created_us": now_us, "representatives": tuple(people), "devices": tuple(devices),
        })  # fmt: skip
        return [*written, f"{name} may sign {mandate_text(mandate)}"]

    return print_or_refuse(make)


def _by_name(devices: "Sequence[Device]") -> "dict[str, Device]":
    """Return keys of posts by the post, or "watch#2" of one that has several."""
    posts = [each.post for each in devices]
    return {
        f"{each.post}#{posts[:place].count(each.post) + 1}" if posts.count(each.post) > 1
        else each.post: each
        for place, each in enumerate(devices)
    }  # fmt: skip


def _with_device(
    devices: "Sequence[Device]", post: str, key: bytes, mandate: "Mandate"
) -> "list[Device]":
    """Return the keys of posts with one that is new, or with a mandate for all that a post has."""
    from msgspec.structs import replace

    from keepclear.record.key_documents import Device

    is_known = any(each.key == key for each in devices)
    try:
        new = Device(post=post, key=key, mandates=(mandate,))
        if not is_known:
            return [*devices, new]
        return [
            replace(each, mandates=(mandate,)) if each.post == post else each for each in devices
        ]
    except ValueError as fault:
        raise click.UsageError(f"--covers: {fault}") from None


class _Own(NamedTuple):
    """A party's own file of keys as it was read: its name and bytes, what they are, and follow."""

    file: str
    data: bytes
    keys: "KeysFile"
    latest: "KeyDocument"
    ring: "Keyring"


def _read_own(file: str) -> _Own:
    """Return a party's own file of keys, all of its documents followed."""
    from keepclear.record.encoding import decode
    from keepclear.record.files import KeysFile
    from keepclear.record.key_documents import Keyring

    data = Path(file).read_bytes()
    keys, ring = decode(data.strip(), KeysFile, file), Keyring()
    for place, envelope in enumerate(keys.documents):
        ring.add(envelope, place, file)
    if len(ring.parties()) != 1:
        raise click.UsageError(f"{file}: holds {len(ring.parties())} parties; give one's own")
    return _Own(file, data, keys, ring.latest(ring.parties()[0]), ring)


def _write_next(
    own: _Own, signers: "Sequence[Signer]", made: "Mapping[str, Signer]", folder: str,
    changes: Mapping[str, Any],
) -> list[str]:  # fmt: skip
    """Write the next document of a file of keys and the new private keys; tell what was written.

    It is written over what was read, and nothing else. Nothing is written where the document does
    not follow by the rules.
    """
    from msgspec.structs import asdict

    from keepclear.record.encoding import digest
    from keepclear.record.files import KeysFile
    from keepclear.record.key_documents import KeyDocument, seal_document

    file, keys, before = own.file, own.keys, own.latest
    version = before.version + 1
    number = {"version": version, "previous": digest(keys.documents[-1].payload).hex()}
    try:
        document = KeyDocument(**{**asdict(before), **number, **changes})
    except ValueError as fault:
        raise click.UsageError(f"version {version} of the keys of {before.party} {fault}") from None
    envelope = seal_document(document, *signers)
    own.ring.add(envelope, len(keys.documents), file)
    new_keys = KeysFile(exchange=keys.exchange, documents=(*keys.documents, envelope))
    files = {
        private_file(folder, before.party, name): (name, signer) for name, signer in made.items()
    }
    write_privates(files, before.party, lambda: write_keys(file, new_keys, own.data))
    return [
        f"wrote {file}: version {version} of the keys of {before.party}",
        *(f"wrote {each} (PRIVATE)" for each in files),
    ]


def _check_deed(deed: str) -> None:
    """Refuse what nobody will ever be asked for: a mandate for it would give nothing."""
    from difflib import get_close_matches

    from keepclear.agreement.signing import ANNEX
    from keepclear.exchange.decide import ACTS
    from keepclear.record.mandates import ROUTINE, Power, power_of
    from keepclear.record.signers import DISTRESS

    known = {
        *ACTS.names,
        *(act.partition(".")[0] for act in ACTS.names),
        *Power,
        ROUTINE,
        ANNEX,
        DISTRESS,
    }
    if deed in known or power_of(deed) is not None:
        return
    near = get_close_matches(deed, sorted(known), 1, 0.0)[0]
    first = ", ".join(sorted(each for each in known if "." not in each))
    raise click.UsageError(
        f"--covers {deed!r}: is nothing that is signed (known: {first}); did you mean {near}?"
    )
