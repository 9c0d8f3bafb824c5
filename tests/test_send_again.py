# SPDX-License-Identifier: Apache-2.0
"""An act to which there was no answer: kept from before it is sent, and sent again as it is."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from keepclear.cli import main
from keepclear.cli.desk import desk
from keepclear.cli.post_folder import Kept
from keepclear.cli.private_keys import write_privates
from keepclear.client import NotDone, acting
from keepclear.errors import OperatorError
from keepclear.line.acts import SendDistress
from keepclear.plans import acts
from keepclear.record.encoding import decode, encode
from keepclear.record.envelopes import Envelope
from keepclear.record.faults import BrokenProof
from keepclear.record.headers import read_act
from tests.server_plays import Node, circle, serving
from tests.test_lying_exchange import Changing

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with serving(tmp_path_factory.mktemp("region") / "east") as made:
        yield made


class Home:
    """The folder of a post, and a way to its exchange on which answers are lost."""

    def __init__(self, node: Node, party: str, folder: Path) -> None:
        self.node, self.folder, self.way = node, folder, Changing()
        signer = node.join(party)._signer
        key = str(folder / "watch.private.json")
        write_privates({key: ("watch", signer)}, party, lambda: None)
        (folder / "believed.json").write_bytes(encode(node.believed))
        (folder / "desk.json").write_bytes(encode({
            "format": "keepclear-desk/1", "exchange": node.parties, "party": party,
            "post": "watch", "status": "Exercise", "key": key,
        }))  # fmt: skip

    def act(self, place: int) -> str:
        """File an operation, as the commands do; return what is printed."""
        with desk(str(self.folder)) as post:
            post.client._http = httpx.Client(base_url=self.node.parties, transport=self.way)
            plan = acts.FileOperation(operation=circle(place))
            return post.told(post.act("operations.file/1", plan))

    def kept(self) -> list[Envelope]:
        with desk(str(self.folder)) as post:
            return post.folder.unanswered()

    def operations(self) -> int:
        with desk(str(self.folder)) as post:
            return len(post.client.operations())

    def send_again(self, capsys: pytest.CaptureFixture[str]) -> str:
        """Type `keepclear send-again`; return what it prints."""
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["send-again", "--home", str(self.folder)])
        out, error = capsys.readouterr()
        assert ended.value.code == 0, error
        return out


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a client try at once, and not for half a minute."""
    monkeypatch.setattr(acting, "FIRST_WAIT_S", 0.0)


def test_what_was_done_and_not_answered_is_not_done_twice(
    node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(node, "north", tmp_path)
    whole = home.way.handle_request

    def lost(request: httpx.Request) -> httpx.Response:
        answer = whole(request)
        if request.url.path == "/v1/acts":
            raise httpx.ReadError("the answer was lost")
        return answer

    home.way.handle_request = lost  # type: ignore[method-assign]
    with pytest.raises(OperatorError, match="It may have been done; to send the same again, type "
                       f"keepclear send-again --home {tmp_path}"):  # fmt: skip
        home.act(0)
    assert len(home.kept()) == 1

    said = home.send_again(capsys)

    assert "operations.file" in said
    assert "was done; see keepclear conflicts, operation list" in said
    assert home.kept() == []
    assert home.operations() == 1
    assert home.send_again(capsys).startswith("every act was answered")


def test_what_never_came_there_is_sent_as_it_was_signed(
    node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(node, "south", tmp_path)
    home.way.refused["/v1/acts"] = 503
    with pytest.raises(OperatorError, match="gave no answer to POST /v1/acts"):
        home.act(40)
    [envelope] = home.kept()
    with desk(str(tmp_path)) as post:
        assert post.client.operations() == []

    said = home.send_again(capsys)

    assert "operation " in said
    assert "version 1: accepted" in said
    assert home.kept() == []
    with desk(str(tmp_path)) as post:
        post.client.catch_up()
        assert post.folder.holds(envelope)
        assert len(post.client.operations()) == 1


def test_what_is_not_answered_is_said_where_one_looks(
    node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(node, "civil", tmp_path)
    home.way.refused["/v1/acts"] = 503
    with pytest.raises(OperatorError):
        home.act(80)

    for words in (["conflicts"], ["operation", "list"]):
        with pytest.raises(SystemExit):
            main([*words, "--home", str(tmp_path)])
        said = capsys.readouterr().out
        assert "1 of your acts was not answered, and may be done or not: keepclear send-a" in said


def test_where_the_exchange_is_gone_what_is_held_is_shown_and_said_to_be_stale(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "post").mkdir()
    with serving(tmp_path / "east") as gone:
        home = Home(gone, "north", tmp_path / "post")
        home.act(0)
    for words, shown in ((["conflicts"], "no conflicts are known"), (["operation", "list"], "FL2")):
        with pytest.raises(SystemExit) as ended:
            main([*words, "--home", str(home.folder)])
        said = capsys.readouterr().out
        assert ended.value.code == 2
        assert said.startswith("NOT UP TO DATE, AND MAY BE STALE: exchange http")
        assert shown in said


def test_where_the_exchange_was_set_back_it_says_what_to_type(
    node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(node, "upper", tmp_path)
    home.act(160)
    seen = tmp_path / "seen.json"
    kept = msgspec.json.decode(seen.read_bytes(), type=Kept)
    kept.seen.step += 1_000
    seen.write_bytes(msgspec.json.encode(kept))

    with pytest.raises(SystemExit) as ended:
        main(["record", "export", "--home", str(tmp_path)])

    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "goes on from an older copy of its record" in said
    with pytest.raises(SystemExit):  # and does not say that there is nothing to accept
        main(["restored", "show", "--home", str(tmp_path)])
    assert "goes on from an older copy of its record" in capsys.readouterr().err
    moves = f"mv {tmp_path}/seen.json {tmp_path}/seen.1.json && mv {tmp_path}/record.jsonl"
    assert f"type {moves} {tmp_path}/record.1.jsonl, and run this again" in said
    for name, other in (("seen.json", "seen.1.json"), ("record.jsonl", "record.1.jsonl")):
        (tmp_path / name).rename(tmp_path / other)
    with pytest.raises(SystemExit) as ended:
        main(["record", "export", "--home", str(tmp_path)])
    assert ended.value.code == 0
    lines = (tmp_path / "record.jsonl").read_bytes()
    assert lines.startswith((tmp_path / "record.1.jsonl").read_bytes())


def test_what_is_refused_is_not_kept_and_what_lacks_its_proof_is(
    node: Node, tmp_path: Path
) -> None:
    home = Home(node, "center", tmp_path)
    with desk(str(tmp_path)) as post, pytest.raises(NotDone):
        post.act("operations.end/1", acts.EndOperation(id="0" * 32))
    assert home.kept() == []

    def answered(said: object) -> object:
        home.way.refused["/v1/steps"] = 500  # from then on
        return said

    home.way.changes["/v1/acts"] = answered
    with pytest.raises(BrokenProof, match="the proof is missing") as missing:
        home.act(120)
    assert f"type keepclear send-again --home {tmp_path}" in str(missing.value)
    assert len(home.kept()) == 1


def test_an_act_that_is_cut_off_by_ctrl_c_is_kept(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(node, "east", tmp_path)

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(acting.Client, "send", cut)
    with desk(str(tmp_path)) as post, pytest.raises(KeyboardInterrupt):
        post.act("operations.end/1", acts.EndOperation(id="0" * 32))

    assert len(home.kept()) == 1


def test_who_has_something_to_read_is_not_kept_from_it_for_half_a_minute(
    node: Node, tmp_path: Path
) -> None:
    home = Home(node, "far-east", tmp_path)
    home.way.refused["/v1/steps"] = 503
    with desk(str(tmp_path)) as post:
        way = httpx.Client(base_url=node.parties, transport=home.way)
        post.client._http, whole = way, post.client._http
        with pytest.raises(OperatorError, match="in 18 tries"):  # nothing is held yet
            post.caught_up()
        post.client._http = whole
        assert post.caught_up() == ""
        whole.close()
        post.client._http = way

        assert "in 7 tries" in post.caught_up()

        with pytest.raises(OperatorError, match="in 18 tries"):  # as all else
            post.client.catch_up()


def test_distress_is_signed_and_kept_also_where_the_exchange_gives_no_answer(
    node: Node, tmp_path: Path
) -> None:
    home = Home(node, "far-west", tmp_path)
    with desk(str(tmp_path)) as post:
        post.client.catch_up()
    home.way.refused |= {"/v1/region": 503, "/v1/acts": 503, "/v1/challenge": 503}
    cry = SendDistress(to="far-east", text="MAYDAY, crew down", language="en")

    with desk(str(tmp_path)) as post:
        post.client._http = httpx.Client(base_url=node.parties, transport=home.way)
        with pytest.raises(OperatorError, match="gave no answer to POST /v1/acts"):
            post.act("distress/1", cry)

    [kept] = home.kept()
    assert decode(bytes(read_act(kept).payload), SendDistress, "payload") == cry
    with desk(str(tmp_path)) as post:
        post.client._http = httpx.Client(base_url=node.parties, transport=home.way)
        with pytest.raises(OperatorError, match="gave no answer to GET /v1/region"):
            post.act("operations.file/1", acts.FileOperation(operation=circle(70)))
    assert home.kept() == [kept]
