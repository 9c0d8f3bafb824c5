# SPDX-License-Identifier: Apache-2.0
"""`keepclear export-party`: all that a party may see, in one archive, for when it leaves.

    README.txt        what is what, and how to verify it
    manifest.json     keepclear-export/1: whose it is, up to when, each file by its SHA-256
    record.jsonl      the party's part of the record, with the last checkpoint of each tree
    keys.json         the exchange's public key, and each party's key documents in the record
    snapshot.html     the last picture; report.html: what happened; incidents.txt: the cases
    agreements/       each agreement in the region, with what was signed of it
    contrary.json     signed checkpoints that contradict the record, where there are any

No private key is in it, and nothing that the party was not shown.
"""

import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from keepclear.cli.desk import AtDesk, desk, home_option
from keepclear.cli.key import BAD_INPUT, print_or_refuse

if TYPE_CHECKING:
    from keepclear.record.files import KeysFile

EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the first that an archive can have: when is in the manifest
README: Final = """\
All that {party} may see of the record of {region}, incarnation {incarnation}, as of {as_of}.

    keepclear record verify record.jsonl --keys keys.json
    keepclear snapshot verify snapshot.html --keys keys.json
    keepclear record report record.jsonl --keys keys.json --output again.html
    keepclear agreement verify agreements/NAME --keys keys.json

What is held of the record before a backup was restored, if it was, is record.incarnation-N.jsonl,
verified in the same way.

None of it needs a network or the exchange. keys.json says whom to believe, and came along: compare
its fingerprints with those that were read by voice (keepclear key show keys.json), or give keys of
your own. That nothing came later, or was never shown to {party}, no archive proves.

Absence of notification implies nothing and changes no legal protection.
"""


@click.command("export-party")
@click.argument("archive", type=click.Path(dir_okay=False))
@home_option
def export_party(archive: str, home: str) -> int:
    """Write all that the party may see into ARCHIVE, a zip that is verified without a network.

    Where the exchange cannot be asked it is made of what is held here, and the exit status is 2.

    \b
    Example:
      keepclear export-party north.zip --home north
      unzip north.zip -d north-copy
      keepclear record verify north-copy/record.jsonl --keys north-copy/keys.json
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.output import NotWrittenOver, check_output
    from keepclear.reports.desk_text import as_of_text

    stale: list[str] = []

    def make() -> list[str]:
        if Path(archive).exists():
            raise NotWrittenOver(archive, "is there, and is not written over; give another name")
        check_output(archive)
        with desk(home) as post:
            why = post.caught_up()
            stale.extend([f"made of what is held here: {why}"] if why else [])
            beside = Path(f"{archive}.{os.getpid()}.tmp")
            try:
                count = _write(beside, post)
                beside.replace(archive)
            finally:
                beside.unlink(missing_ok=True)
            as_of = as_of_text(post.as_of_us)
        return [*stale, f"{archive}: {count} files of {post.client.party}, {as_of}"]

    return print_or_refuse(make) or (BAD_INPUT if stale else 0)


def _write(file: Path, post: AtDesk) -> int:
    """Write an archive; return how many files it has."""
    from keepclear.record.encoding import encode
    from keepclear.units import format_time

    said, seen = post.folder.desk(), post.client.seen
    as_of = f"{format_time(post.as_of_us)[:19]}Z"
    with zipfile.ZipFile(file, "x", zipfile.ZIP_DEFLATED) as archive:
        hashes = {
            name: _write_record(archive, name, lines) for name, lines in _records(post).items()
        }
        for name, data in _files(post):
            archive.writestr(_entry(name), data)
            hashes[name] = sha256(data).hexdigest()
        manifest = {
            "format": "keepclear-export/1", "party": said.party, "region": seen.region,
            "incarnation": seen.incarnation, "status": said.status, "exchange": said.exchange,
            "as_of": as_of, "steps": seen.step, "sha256": hashes,
        }  # fmt: skip
        archive.writestr(_entry("manifest.json"), encode(manifest) + b"\n")
        readme = README.format(
            party=said.party, region=seen.region, incarnation=seen.incarnation, as_of=as_of
        )
        archive.writestr(_entry("README.txt"), readme)
        return len(archive.namelist())


def _write_record(archive: zipfile.ZipFile, name: str, lines: Iterable[bytes]) -> str:
    """Write a record; return its hash."""
    hashed = sha256()
    with archive.open(_entry(name), "w", force_zip64=True) as out:
        for line in lines:
            out.write(line + b"\n")
            hashed.update(line + b"\n")
    return hashed.hexdigest()


def _records(post: AtDesk) -> dict[str, Iterator[bytes]]:
    """Return the record by its name, and what is held of each incarnation before a backup."""
    from keepclear.cli.post_folder import RECORD, of_incarnation, proven_lines

    found = {RECORD: _record(post)}
    for incarnation in range(1, post.client.seen.incarnation):
        earlier = post.folder.earlier(incarnation)
        if earlier is not None:
            kept, file = earlier
            name = of_incarnation(RECORD, incarnation)
            found[name] = _with_notes(proven_lines(file, kept), kept.seen.notes)
    return found


def _record(post: AtDesk) -> Iterator[bytes]:
    return _with_notes(post.folder.lines(), post.client.seen.notes)


def _with_notes(lines: Iterator[bytes], notes: Mapping[str, str]) -> Iterator[bytes]:
    """Yield a record, and the last checkpoint of each of its trees."""
    from keepclear.record.encoding import encode
    from keepclear.record.files import CheckpointLine

    yield from lines
    for _, note in sorted(notes.items()):
        yield encode(CheckpointLine(note=note))


def _files(post: AtDesk) -> Iterator[tuple[str, bytes]]:
    """Yield name and contents of all files but the record."""
    from keepclear.cli.record import prove, read_keys_file
    from keepclear.exchange.last_picture import last_picture, standing
    from keepclear.formats.packaged import read_borders
    from keepclear.record.encoding import encode
    from keepclear.reports.after_action import retell
    from keepclear.reports.after_action_html import after_action_html
    from keepclear.reports.incident_text import incidents_text
    from keepclear.reports.snapshot_html import snapshot_html

    party, seen, borders = post.client.party, post.client.seen, read_borders()
    keys = _keys(read_keys_file(str(post.folder.path / "believed.json")), post)
    yield "keys.json", encode(keys) + b"\n"
    said = standing(party, (part for _, part in post.folder.parts()))
    last = last_picture(
        post.folder.parts(), seen.notes, party, post.folder.desk().status, post.as_of_us
    )
    yield "snapshot.html", snapshot_html(last, said, borders).encode()
    reader, proof = prove(_record(post), keys)
    yield "report.html", after_action_html(retell(reader, None, None), proof, borders).encode()
    yield "incidents.txt", incidents_text(post.folder.lines()).encode()
    for each in said.agreements:
        name = f"agreements/{each.carried.hash[:16]}.agreement"
        yield name, encode(each.carried.file) + b"\n"
    if seen.contrary:
        yield "contrary.json", encode(seen.contrary) + b"\n"


def _keys(believed: "KeysFile", post: AtDesk) -> "KeysFile":
    """Return the exchange's keys as believed here, with all key documents in the record."""
    import msgspec

    from keepclear.record.envelopes import Envelope
    from keepclear.record.files import ExchangeKey, KeysFile
    from keepclear.record.parts import DOCUMENT_KIND, exchange_key_in

    seen = post.client.seen
    documents = [
        msgspec.json.decode(bytes(part.data), type=Envelope)
        for _, part in post.folder.parts() if part.kind == DOCUMENT_KIND
    ]  # fmt: skip
    followed = tuple(
        ExchangeKey(name=each.name, key=each.key.data)
        for each in (exchange_key_in(change, seen.region) for change in seen.followed)
    )
    exchange = (*believed.exchange, *(each for each in followed if each not in believed.exchange))
    return KeysFile(exchange=exchange, documents=tuple(dict.fromkeys(documents)))


def _entry(name: str) -> zipfile.ZipInfo:
    """Return what stands for a file in an archive: no time and no owner of this machine."""
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry
