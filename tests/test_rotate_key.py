# SPDX-License-Identifier: Apache-2.0
"""`keepclear region rotate-key`, as the operator types it while parties are at their desks."""

import re
import shlex
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import msgspec
import pytest

from keepclear.cli.record import read_keys_file
from keepclear.detect.compiled import plain
from keepclear.exchange.audit import audit
from keepclear.plans import acts
from keepclear.record.keys import PublicKey
from keepclear.record.verification import verify
from keepclear.reports.desk_text import step_text
from keepclear.reports.record_text import grouped
from keepclear.server.exchange_keys import prepare_key
from keepclear.server.stores import read_store
from tests.desk_plays import CIRCLE, CORRIDOR, Desks
from tests.server_plays import Node, circle, serving
from tests.test_backup import PAGE
from tests.test_cli_record import run
from tests.test_join import BLOCK

pytestmark = pytest.mark.slow
PRIVATE, NEXT, PUBLIC = (
    "exchange.private.json", "exchange.next.private.json", "region.keys.json",
)  # fmt: skip
ELSEWHERE = ("--circle", "36.5,35.9", *CIRCLE[2:])


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[Desks]:
    with serving(tmp_path / "east") as node:
        made = Desks(tmp_path, node)
        for each in ("north", "south"):
            made.set_up(each)
        yield made


def rotate(desks: Desks, status: int = 0) -> str:
    """Type `keepclear region rotate-key`."""
    operator = desks.node.operator.removeprefix("http://")
    return desks.run("", "region", "rotate-key", str(desks.node.folder), "--operator", operator,
                     status=status)  # fmt: skip


def signs_with(node: Node) -> str:
    """Return the id of the key that a node says it signs with."""
    return str(httpx.get(f"{node.operator}/health").json()["signs_with"])


def ids(node: Node) -> list[str]:
    """Return the ids of the keys in `region.keys.json`."""
    return [PublicKey(each.key).id for each in node.believed.exchange]


def proves(node: Node, keys: Path) -> list[str]:
    """Return whose signatures the record of a node is proven by. keys: of the exchange."""
    with closing(read_store(node.folder)) as store:
        lines = list(store.lines())
    believed = read_keys_file(str(keys))
    found = verify(lines, msgspec.structs.replace(believed, documents=tuple(node.documents)))
    assert audit(lines, plain()).differences == ()
    assert found.is_proven
    return [each.key_id for each in found.exchange]


def sign_all(node: Node) -> None:
    """Let a last beat be signed, and the node begin again: it does not wait for the next one."""
    assert node.end() == 0
    node.start()


def with_documents(desks: Desks) -> None:
    """Let the node of the desks know the key documents of both parties, to verify with."""
    desks.node.documents = [
        each for party in ("north", "south")
        for each in read_keys_file(
            str(desks.folder / f"{party}-keys" / f"{party}.keys.json")
        ).documents
    ]  # fmt: skip


def test_parties_go_on_over_a_changed_key_with_what_they_believed_before(desks: Desks) -> None:
    node, folder = desks.node, desks.node.folder
    old, before = signs_with(node), folder.parent / "before.json"
    shutil.copyfile(folder / PUBLIC, before)
    own = desks.filed("north", *CORRIDOR)
    sign_all(node)
    desks.run("south", "conflicts")
    desks.run("north", "act", "sign", "act.json", "operation", "file", *ELSEWHERE)

    said = rotate(desks)

    new = signs_with(node)
    assert old != new
    assert (ids(node), (folder / NEXT).exists()) == ([old, new], False)
    assert stat.S_IMODE((folder / PRIVATE).stat().st_mode) == 0o600
    assert said.startswith("rotated: the record says so, and all after it is signed with the new")
    theirs = desks.filed("south", *CIRCLE)  # its first answer after it is signed with the new key
    [conflict] = re.findall(rf"CONFLICT (\w{{8}}) of your {own} with {theirs} of south",
                            desks.run("north", "conflicts"))  # fmt: skip
    desks.run("north", "ack", conflict)
    assert "seen by     north" in desks.run("south", "conflicts", conflict)
    desks.run("nobody", "submit", "act.json", "--output", "answer.json", "--exchange", node.parties)
    assert "version 1" in desks.run("north", "act", "receipt", "answer.json")

    node.kill()
    node.start()
    assert signs_with(node) == new
    assert "seen by     north" in desks.run("south", "conflicts", conflict)
    assert read_keys_file(str(desks.folder / "south" / "believed.json")).exchange == (
        read_keys_file(str(before)).exchange
    )
    node.end()
    with_documents(desks)
    assert proves(node, before) == [old, new]
    assert proves(node, folder / PUBLIC) == [old, new]


def test_what_a_party_holds_is_proven_offline_by_the_key_of_before_and_by_that_of_now(
    desks: Desks,
) -> None:
    before, now = desks.folder / "before.json", desks.folder / "now.json"
    shutil.copyfile(desks.node.folder / PUBLIC, before)
    desks.filed("north", *CORRIDOR)
    sign_all(desks.node)
    desks.run("north", "record", "export")
    shutil.copyfile(desks.folder / "north" / "record.jsonl", desks.folder / "early.jsonl")
    desks.run("north", "snapshot", "make", "early.html")
    rotate(desks)
    rotate(desks)
    shutil.copyfile(desks.node.folder / PUBLIC, now)
    desks.filed("south", *CIRCLE)
    sign_all(desks.node)
    desks.run("north", "conflicts")

    desks.run("north", "snapshot", "make", "last.html")
    desks.run("north", "record", "export")
    desks.run("north", "export-party", "north.zip")

    with zipfile.ZipFile(desks.folder / "north.zip") as archive:
        archive.extractall(desks.folder / "copy")
    exported = read_keys_file(str(desks.folder / "copy" / "keys.json"))
    assert exported.exchange == read_keys_file(str(now)).exchange
    copy, every = str(desks.folder / "copy" / "keys.json"), str(desks.folder / "every.json")
    for believed in (before, now):
        assert "PROVEN" in desks.run("", "snapshot", "verify", "last.html", "--keys",
                                     str(believed))  # fmt: skip
        shutil.rmtree(every, ignore_errors=True)
        Path(every).unlink(missing_ok=True)
        desks.run("", "key", "export", "north-keys/north.keys.json", "south-keys/south.keys.json",
                  str(believed), "--output", every)  # fmt: skip
        for record in (desks.folder / "north" / "record.jsonl",
                       desks.folder / "copy" / "record.jsonl"):  # fmt: skip
            status, said = run("record", "verify", record, "--keys", every)
            assert (status, "PROVEN" in said) == (0, True), said
            assert "could have signed this since" not in " ".join(said.split())
        told = [
            run("record", "verify", desks.folder / "early.jsonl", "--keys", every),
            run("snapshot", "verify", desks.folder / "early.html", "--keys", believed),
        ]
        assert [each for each, _ in told] == [0, 0]
        assert {"could have signed this since" in " ".join(said.split()) for _, said in told} == {
            believed == now
        }
    assert run("record", "verify", desks.folder / "copy" / "record.jsonl", "--keys", copy)[0] == 0
    assert "goes on with" in run("record", "show", desks.folder / "north" / "record.jsonl")[1]
    status, said = run("record", "report", desks.folder / "north" / "record.jsonl", "--keys", copy,
                       "--output", desks.folder / "report.html")  # fmt: skip
    assert status == 0, said


def test_who_follows_what_happens_is_told_of_the_key_and_goes_on(node: Node) -> None:
    north, south = node.join("north"), node.join("south")
    following = north.follow()
    assert next(following)

    assert run("region", "prepare-key", node.folder)[0] == 0
    new = msgspec.json.decode(changed(node).content)["new"]
    south.act("operations.file/1", acts.FileOperation(operation=circle(0)))
    north.act("operations.file/1", acts.FileOperation(operation=circle(1)))
    steps = [step for _, each in zip(range(2), following, strict=False) for step in each]

    said = "\n".join(step_text(each, {})[0] for each in steps)
    assert f"the exchange signs with key {grouped(new)} from now on, as the one before" in said
    assert any(part.kind == "notice/1" for step in steps for part in step)
    north.catch_up()
    following.close()  # type: ignore[attr-defined]


def test_answers_that_are_brought_by_hand_are_taken_in_whichever_key_has_signed_them(
    desks: Desks,
) -> None:
    desks.run("north", "conflicts")
    for name in ("first", "second"):
        desks.run("north", "act", "sign", f"{name}.json", "operation", "file", *ELSEWHERE)
    submit = ("--exchange", desks.node.parties)
    desks.run("nobody", "submit", "first.json", "--output", "first-answer.json", *submit)
    rotate(desks)
    desks.run("nobody", "submit", "second.json", "--output", "second-answer.json", *submit)

    assert "version 1" in desks.run("north", "act", "receipt", "second-answer.json")
    said = desks.run("north", "act", "receipt", "first-answer.json")
    assert "done; the record that is held says so" in said
    listed = desks.run("north", "operation", "list")
    assert listed.count("operation ") == 2


def test_a_part_is_proven_to_others_by_the_key_that_signed_it_or_by_all_so_far(
    desks: Desks,
) -> None:
    before = desks.folder / "before.json"
    shutil.copyfile(desks.node.folder / PUBLIC, before)
    desks.run("north", "conflicts")
    receipts = []
    for name in ("first", "second"):
        desks.run("north", "act", "sign", f"{name}.json", "operation", "file", *ELSEWHERE)
        desks.run("nobody", "submit", f"{name}.json", "--output", f"{name}-answer.json",
                  "--exchange", desks.node.parties)  # fmt: skip
        answer = msgspec.json.decode((desks.folder / f"{name}-answer.json").read_bytes())
        receipts.append(desks.folder / f"{name}.receipt")
        receipts[-1].write_bytes(msgspec.json.encode(answer["answers"][0]["receipts"][0]))
        if name == "first":
            rotate(desks)
    keys, now = desks.folder / "keys.json", desks.node.folder / PUBLIC

    said = {}
    for believed in (before, now):
        keys.unlink(missing_ok=True)
        desks.run("", "key", "export", "north-keys/north.keys.json", str(believed), "--output",
                  str(keys))  # fmt: skip
        for file in receipts:
            said[file, believed] = run("record", "verify", file, "--keys", keys)

    first, second = receipts
    assert [each for each, _ in said.values()] == [0, 1, 0, 0], said
    assert "region.keys.json of now has all" in said[second, before][1]
    may = {key for key, (_, text) in said.items() if "could have signed this since" in
           " ".join(text.split())}  # fmt: skip
    assert may == {(first, now)}


def test_who_joins_after_it_believes_the_new_file_of_keys_and_proves_all(desks: Desks) -> None:
    desks.filed("north", *CORRIDOR)
    rotate(desks)

    shown = desks.run("", "key", "show", str(desks.node.folder / PUBLIC))
    desks.set_up("west")
    desks.filed("west", *CIRCLE)

    now, before = (re.search(rf"{each} +(\S.*)", shown) for each in ("signs with", "before that"))
    assert now is not None
    assert before is not None
    assert now[1].replace(" ", "") == signs_with(desks.node)[:32]
    desks.run("west", "record", "export")
    desks.run("west", "export-party", "west.zip")
    with zipfile.ZipFile(desks.folder / "west.zip") as archive:
        archive.extractall(desks.folder / "copy")
    copy = desks.folder / "copy"
    assert run("record", "verify", copy / "record.jsonl", "--keys", copy / "keys.json")[0] == 0


# --- cut off between the steps -------------------------------------------------------------------


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with serving(tmp_path / "east") as made:
        yield made


def changed(node: Node) -> httpx.Response:
    """Let the operator change the key that is prepared."""
    token = (node.folder / "operator.token").read_text(encoding="utf-8").strip()
    return httpx.post(f"{node.operator}/exchange-key", headers={"Authorization": f"Bearer {token}"})


def test_killed_between_any_two_steps_it_goes_on_with_the_key_that_its_record_says(
    node: Node, tmp_path: Path
) -> None:
    folder, before = node.folder, tmp_path / "before.json"
    shutil.copyfile(folder / PUBLIC, before)
    north = node.join("north")
    old = signs_with(node)
    assert run("region", "prepare-key", folder)[0] == 0
    assert stat.S_IMODE((folder / NEXT).stat().st_mode) == 0o600
    files = {each: (folder / each).read_bytes() for each in (PRIVATE, NEXT, PUBLIC)}

    node.kill()  # prepared, and not entered
    node.start()
    assert (signs_with(node), (folder / NEXT).exists()) == (old, True)
    north.act("operations.file/1", acts.FileOperation(operation=circle(0)))
    sign_all(node)
    new = msgspec.json.decode(changed(node).content)["new"]
    node.kill()
    settled = {each: (folder / each).read_bytes() for each in (PRIVATE, PUBLIC)}

    for at_cut in (
        files,  # entered, and nothing settled
        {**settled, PUBLIC: files[PUBLIC]},  # the private key alone
        settled,
    ):
        for name in (PRIVATE, NEXT, PUBLIC):
            (folder / name).unlink(missing_ok=True)
            if name in at_cut:
                (folder / name).write_bytes(at_cut[name])
        node.start()
        assert (signs_with(node), ids(node)) == (new, [old, new])
        assert (folder / PRIVATE).read_bytes() == settled[PRIVATE]
        assert not (folder / NEXT).exists()
        north.act("operations.file/1", acts.FileOperation(operation=circle(40)))
        node.kill()

    node.start()
    assert node.end() == 0
    assert proves(node, before) == [old, new]


def test_without_the_key_of_its_record_a_node_does_not_start_and_says_what_to_bring(
    node: Node, tmp_path: Path
) -> None:
    shutil.copyfile(node.folder / PRIVATE, tmp_path / "old.json")
    run("region", "prepare-key", node.folder)
    new = msgspec.json.decode(changed(node).content)["new"]
    node.end()
    shutil.copyfile(tmp_path / "old.json", node.folder / PRIVATE)

    done = subprocess.run(
        [sys.executable, "-m", "keepclear.cli", "serve", str(node.folder), "--listen",
         "127.0.0.1:0", "--operator", "127.0.0.1:0"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert done.returncode == 2
    assert f"was followed by key {new[:16]}, with which this record goes on" in done.stderr
    assert "bring exchange.private.json from where the key was changed" in done.stderr


def test_what_is_prepared_twice_or_for_another_key_is_refused(node: Node, tmp_path: Path) -> None:
    folder = node.folder
    shutil.copyfile(folder / PRIVATE, tmp_path / PRIVATE)
    prepare_key(tmp_path)  # another one that follows the first
    assert run("region", "prepare-key", folder)[0] == 0
    status, said = run("region", "prepare-key", folder)
    assert (status, "is prepared already" in said) == (2, True)
    assert httpx.post(f"{node.operator}/exchange-key").status_code == 401
    assert changed(node).status_code == 200

    assert "there is no key to go on with" in changed(node).text
    shutil.copyfile(tmp_path / NEXT, folder / NEXT)
    assert "follows another key than" in changed(node).text
    (folder / NEXT).write_bytes(b"{}")
    assert "is no key of an exchange" in changed(node).text
    node.kill()
    node.start()  # what is prepared and cannot be read is no reason not to go on

    assert len(ids(node)) == 2


# --- a party's keys ------------------------------------------------------------------------------


def test_a_desk_goes_on_with_the_new_key_of_its_post_once_its_keys_are_admitted(
    desks: Desks,
) -> None:
    own, theirs = desks.filed("north", *CORRIDOR), desks.filed("south", *CIRCLE)
    [conflict] = re.findall(rf"CONFLICT (\w{{8}}) of your {own} with {theirs} of south",
                            desks.run("north", "conflicts"))  # fmt: skip
    keys = "north-keys/north"
    desks.run("north", "key", "rotate", f"{keys}.keys.json", "--replace", "watch",
              *(word for each in ("next-root", "rep-1", "rep-2")
                for word in ("--with", f"{keys}.{each}.private.json")))  # fmt: skip
    desks.run("", "party", "admit", f"{keys}.keys.json", "--folder", str(desks.node.folder),
              "--operator", desks.node.operator.removeprefix("http://"))  # fmt: skip

    refused = desks.run("north", "ack", conflict, status=2)
    told = desks.run("north", "post", "key", "south-keys/south.watch.private.json", status=2)
    desks.run("north", "post", "key", f"{keys}.watch-2.private.json")
    desks.run("north", "ack", conflict)

    assert "is no key of north in version 2" in refused
    assert "is of south, not of north" in told
    assert "seen by     north" in desks.run("south", "conflicts", conflict)
    assert own in desks.run("north", "operation", "list")


def test_what_the_page_says_of_keys_is_what_happens(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = desks.node.operator.removeprefix("http://")
    for command in ("REGION_ROTATE_KEY", "PARTY_ADMIT"):
        monkeypatch.setenv(f"KEEPCLEAR_{command}_OPERATOR", operator)
    desks.filed("north", *CORRIDOR)
    section = PAGE.read_text(encoding="utf-8").partition("## Rotate a key")[2]
    blocks = BLOCK.findall(section.partition("\n## ")[0])
    assert [who for who, _ in blocks] == ["operator", "north", "operator", "north"]

    said = [
        desks.run(who, *shlex.split(line.removeprefix("$ keepclear ")))
        for who, text in blocks for line in text.splitlines()
    ]  # fmt: skip

    shown = re.sub(r"(?:[0-9a-f]{4} ){7}[0-9a-f]{4}", "KEY", said[0]).strip()
    page = re.sub(r"(?:[0-9a-f]{4} ){7}[0-9a-f]{4}", "KEY", section)
    assert f"```text\n{shown}\n```" in page
    desks.filed("north", *CIRCLE)
    assert len(ids(desks.node)) == 2
