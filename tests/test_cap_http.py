# SPDX-License-Identifier: Apache-2.0
"""Documents of CAP over HTTP: who gets one, what is refused with which status, who signs in."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from keepclear.client import NotDone
from keepclear.errors import OperatorError
from keepclear.exchange.views import SAYS_NOTHING_ELSE
from keepclear.formats.cap import read_cap
from keepclear.formats.cap_signing import verify
from keepclear.formats.cap_writing import Place, written
from keepclear.server.app import Public
from keepclear.server.cap import CapDocuments, SetCapKey, enter_cap_key, settle_cap_keys
from tests.cap_plays import tell
from tests.http_stage import HttpStage, over_http
from tests.message_plays import distress, line_agreement

pytestmark = pytest.mark.slow


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpStage]:
    def made(writer: object, now_us: object) -> Public:
        return Public(writer, now_us, CapDocuments(tmp_path))  # type: ignore[arg-type]

    monkeypatch.setattr("tests.http_stage.Public", made)
    with over_http(tmp_path, line_agreement(), "a", "b", "c") as found:
        yield found


def make_key(stage: HttpStage, folder: Path) -> SetCapKey:
    done = stage.node.writer.set_cap_key(
        partial(enter_cap_key, folder), partial(settle_cap_keys, folder)
    )
    return done.result(30)


def test_both_parties_get_the_same_document_signed_with_the_key_of_the_record(
    stage: HttpStage, tmp_path: Path
) -> None:
    made = make_key(stage, tmp_path)
    own = tell(stage, "accident-notice")

    one, other = (stage.client(each).cap(own) for each in ("a", "b"))

    key = stage.node.writer.read(lambda exchange: exchange.reads.cap_key()).result(30)
    assert key is not None
    assert key.id == made.id
    assert one != other  # each is signed by itself
    assert verify(one, key.certificate, "one") == verify(other, key.certificate, "other")
    leaving = stage.node.writer.read(lambda exchange: exchange.reads.leaving("a", own)).result(30)
    place = Place(stage._opened.exchange, SAYS_NOTHING_ELSE)
    plain = read_cap(written(leaving.value, place), "plain")
    assert read_cap(one, "one").said == plain.said


def test_a_third_party_gets_the_same_answer_as_of_what_is_not_there(
    stage: HttpStage, tmp_path: Path
) -> None:
    make_key(stage, tmp_path)
    own = tell(stage, "accident-notice")

    answers = []
    for each in (own, "0" * 32, distress(stage)):
        with pytest.raises(NotDone) as refused:
            stage.client("c").cap(each)
        answers.append((str(refused.value).replace(each[:8], ""), refused.value.status))

    assert len(set(answers)) == 1
    assert answers[0][1] == 409


def test_without_a_key_in_the_record_it_says_who_makes_one_at_once(stage: HttpStage) -> None:
    own = tell(stage, "accident-notice")

    with pytest.raises(NotDone, match="this region has no key for documents yet"):
        stage.client("b").cap(own)


def test_what_never_leaves_is_refused_over_http(stage: HttpStage, tmp_path: Path) -> None:
    make_key(stage, tmp_path)

    with pytest.raises(NotDone, match="where people are in danger never leaves"):
        stage.client("b").cap(distress(stage))


def test_one_key_after_another_leaves_one_file(stage: HttpStage, tmp_path: Path) -> None:
    one = make_key(stage, tmp_path)
    left = tmp_path / "cap.0123456789abcdef.private.json"
    left.write_bytes(b"of a cut before")
    two = make_key(stage, tmp_path)

    assert one.file != two.file
    assert [each.name for each in tmp_path.glob("cap.*")] == [two.file]
    own = tell(stage, "accident-notice")
    assert b"<ds:Signature" in stage.client("a").cap(own)


def test_a_file_with_another_key_or_broken_is_none(stage: HttpStage, tmp_path: Path) -> None:
    made = make_key(stage, tmp_path)
    own = tell(stage, "accident-notice")
    for content in (b"{}", b"\xff", b'{"format":"keepclear-cap-key/1","seed":"","certificate":""}'):
        (tmp_path / made.file).write_bytes(content)
        with pytest.raises(NotDone, match="this node has not the key"):
            stage.client("a").cap(own)


def test_a_node_without_the_extra_says_so_and_makes_no_key(
    stage: HttpStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_key(stage, tmp_path)
    own = tell(stage, "accident-notice")
    monkeypatch.setattr("keepclear.server.cap._signing", lambda: None)

    with pytest.raises(NotDone, match=r"installs keepclear\[cap\]"):
        stage.client("a").cap(own)
    with pytest.raises(OperatorError, match="not installed, and this node signs documents"):
        make_key(stage, tmp_path)
