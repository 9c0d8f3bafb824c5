# SPDX-License-Identifier: Apache-2.0
"""All that a party may see, in one archive that is verified on a machine that has nothing else."""

import json
import re
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from tests.desk_plays import CIRCLE, CORRIDOR, Desks

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def desks(desks: Desks) -> Desks:
    run = desks.run
    run("north", "key", "export", "north-keys/north.keys.json", "south-keys/south.keys.json",
        "east/region.keys.json", "--output", "keys.json")  # fmt: skip
    run("north", "agreement", "new", "--template", "two-forces", "--party", "north=Party North",
        "--party", "south=Party South", "--from", "2015-10-01T00:00:00Z", "--until",
        "2099-10-01T00:00:00Z", "--output", "draft.toml")  # fmt: skip
    run("north", "agreement", "propose", "draft.toml", "--party", "north", "--keys",
        "keys.json", "--with", "north-keys/north.rep-1.private.json", "--output",
        "mou.agreement", "--carry-with", "north-keys/north.rep-2.private.json")  # fmt: skip
    desks.filed("north", *CORRIDOR)
    [conflict] = re.findall(r"CONFLICT (\w{8})", run("south", "operation", "file", *CIRCLE))
    run("north", "incident", "open", conflict, "Whose was it?", "--other", "south")
    return desks


def unpacked(desks: Desks, who: str, name: str) -> Path:
    """Let a party leave, and return the folder of what it takes along."""
    desks.run(who, "export-party", name)
    folder = desks.folder / Path(name).stem
    with zipfile.ZipFile(desks.folder / name) as archive:
        archive.extractall(folder)
    return folder


def test_what_it_takes_along_is_proven_without_the_exchange(desks: Desks) -> None:
    took = unpacked(desks, "south", "took.zip")
    keys = ("--keys", f"{took}/keys.json")

    manifest = json.loads((took / "manifest.json").read_bytes())
    assert (manifest["party"], manifest["region"]) == ("south", "exercise-east")
    for name, digest in manifest["sha256"].items():
        assert sha256((took / name).read_bytes()).hexdigest() == digest
    held = {str(each.relative_to(took)) for each in took.rglob("*") if each.is_file()}
    assert held == {"manifest.json", "README.txt", *manifest["sha256"]}

    said = desks.run("nobody", "record", "verify", f"{took}/record.jsonl", *keys)
    assert said.startswith("PROVEN")
    desks.run("nobody", "snapshot", "verify", f"{took}/snapshot.html", *keys)
    [agreement] = (took / "agreements").iterdir()
    desks.run("nobody", "agreement", "show", str(agreement))
    assert "OPEN  incident case" in (took / "incidents.txt").read_text(encoding="utf-8")
    assert "PROVEN" in (took / "report.html").read_text(encoding="utf-8")
    assert "compare\nits fingerprints" in (took / "README.txt").read_text(encoding="utf-8")


def test_no_key_of_its_own_and_nothing_of_the_other_side_is_in_it(desks: Desks) -> None:
    took = unpacked(desks, "south", "secret.zip")
    every = b"".join(each.read_bytes() for each in took.rglob("*") if each.is_file())

    secret = json.loads((desks.folder / "south-keys/south.watch.private.json").read_bytes())
    texts = [each for each in secret.values() if isinstance(each, str) and len(each) > 40]
    assert texts
    assert not any(each.encode() in every for each in texts)
    assert str(desks.folder).encode() not in every
    assert b"34.6" not in (took / "record.jsonl").read_bytes()  # where north's corridor begins


def test_nothing_is_written_over_and_where_it_cannot_be_asked_it_says_so(desks: Desks) -> None:
    unpacked(desks, "north", "twice.zip")
    assert "is there, and is not written over" in desks.run(
        "north", "export-party", "twice.zip", status=2
    )
    file = desks.folder / "north" / "desk.json"
    desk = file.read_text(encoding="utf-8")
    file.write_text(desk.replace(desks.node.parties, desks.node.operator), encoding="utf-8")
    done = desks.printed("north", "export-party", "late.zip")
    file.write_text(desk, encoding="utf-8")

    assert done.returncode == 2
    assert "made of what is held here: Not Found" in done.stdout
    assert (desks.folder / "late.zip").exists()
    assert not list(desks.folder.glob("*.tmp"))
