# SPDX-License-Identifier: Apache-2.0
"""Writes the record of this release that every later one must prove: `tests/records/<release>`.

Run once for each release, from the top of the checkout, and commit what it writes; what is
there is never written again:

    PYTHONPATH=src python -m tests.release_record tests/records/0.1

The files hold each kind of line and part that a record has: acts of posts and representatives,
notices, names, keys that were replaced and revoked, the exchange's next key, checkpoints, beats,
and what goes on after a backup was restored.
"""

import sys
from pathlib import Path

from keepclear.record.encoding import encode
from keepclear.record.files import PersonalLine
from keepclear.record.parts import seal_exchange_key
from keepclear.record.personal import digest_of
from tests.record_plays import (
    EXCHANGE,
    NAME,
    REGION,
    Play,
    act_place,
    first_document,
    played,
    restored,
    sealed,
    signer,
)
from tests.test_record_keys import revoking, rotated

LOST = 4  # the act that the backup did not have


def release_play() -> Play:
    """Return a record of everything that a record can hold."""
    play = played()
    play.act(6, "a", personal=(digest_of(NAME),))
    play.lines.append(PersonalLine(act=f"{6:032x}", field=NAME))
    play.act(7, "a", "rep-2")
    play.appoint(sealed(rotated(first_document("a"), **revoking("rep-2")), "rep-1"))
    new = signer("new exchange")
    change = seal_exchange_key(REGION, EXCHANGE, play.exchange, new)
    play.enter(("*", "exchange-key/1", change))
    play.exchange = new
    play.act(8, "b")
    play.act(9, "a", "rep-1")
    play.sign()
    return play


def release_files() -> dict[str, bytes]:
    """Return the files of the release by name."""
    play = release_play()
    before = played()
    after = restored(before)
    after.enter(("a", "late-act/1", before.receipt(act_place(before, LOST))))
    after.act(10, "b", incarnation=2)
    after.sign()
    return {
        "east.record": _written(play.archive()),
        "a.record": _written(play.view("a")),
        "restored.record": _written(after.archive()),
        "keys.json": _written([encode(play.keys())]),
        "act.receipt": _written([encode(before.receipt(act_place(before, LOST)))]),
    }


def write(folder: Path) -> None:
    """Write the files into a folder that is not there yet."""
    folder.mkdir(parents=True)
    for name, data in release_files().items():
        (folder / name).write_bytes(data)


def _written(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
