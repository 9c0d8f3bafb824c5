# SPDX-License-Identifier: Apache-2.0
"""`keepclear line cap|cap-verify|cap-ack` and `region cap-key` as those who use them type them."""

import re
from pathlib import Path
from typing import Final

import msgspec
import pytest

from keepclear.formats.cap_signing import sign
from keepclear.record.keys import DocumentSigner
from keepclear.server.cap import PrivateCapKey
from tests.desk_plays import Desks
from tests.test_cli_line import desks as desks  # noqa: PLC0414 the fixture

pytestmark = pytest.mark.slow
ACCIDENT: Final = (
    "accident", "south", "--time", "0310Z", "--place", "33.50N 038.62E", "--not-deliberate",
)  # fmt: skip


def make_key(desks: Desks) -> str:
    """Type `keepclear region cap-key`; return the fingerprint."""
    operator = desks.node.operator.removeprefix("http://")
    said = desks.run("", "region", "cap-key", str(desks.node.folder), "--operator", operator)
    [found] = re.findall(r"(?m)^  ([0-9a-f ]+)$", said)
    return str(found).replace(" ", "")


def accident(desks: Desks, *more: str) -> str:
    """Let north tell south of an accident; return the short id of the message."""
    said = desks.run("north", "line", *ACCIDENT, *more)
    found = re.search(r"message ([0-9a-f]{8}) from north", said)
    assert found, said
    return found[1]


def test_a_message_goes_out_signed_and_is_verified(desks: Desks, tmp_path: Path) -> None:
    make_key(desks)
    own = accident(desks)
    file = tmp_path / "notice.xml"

    said = desks.run("south", "line", "cap", own, "-o", str(file))

    assert f"wrote {file}: Exercise Alert of message {own}" in said
    for who in ("north", "south"):
        read = desks.run(who, "line", "cap-verify", str(file))
        assert "SIGNED by the exchange, and says what this post holds" in read
        assert "5.2 Place: 33.50000N 038.62000E (33.50N 038.62E)" in read
    assert "5.2 Lieu" in desks.run("north", "line", "cap-verify", str(file), "--language", "fr")


def answered(kind: str, alert: str, **changes: str) -> str:
    """Return what a system of others answers to an alert."""
    known = {
        "sender": "dispatch@civil.example", "status": "Exercise", "note": "taken by the shift",
        "references": ",".join(
            re.findall(rf"<{name}>([^<]*)</{name}>", alert)[0]
            for name in ("sender", "identifier", "sent")
        ),
    }  # fmt: skip
    said = known | changes
    return (
        '<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>x-1</identifier>'
        f"<sender>{said['sender']}</sender><sent>2026-11-28T08:10:00+00:00</sent>"
        f"<status>{said['status']}</status><msgType>{kind}</msgType><scope>Private</scope>"
        f"<note>{said['note']}</note><references>{said['references']}</references></alert>"
    )


@pytest.fixture
def alert(desks: Desks, tmp_path: Path) -> Path:
    """Let north tell south of an accident, and south give that out; return the file."""
    make_key(desks)
    own = accident(desks)
    desks.run("south", "line", "cap", own, "-o", str(tmp_path / "notice.xml"))
    return tmp_path / "notice.xml"


def id_in(alert: Path) -> str:
    """Return the short id of the message that an alert is of."""
    return str(re.findall(r"<identifier>([0-9a-f]{8})", alert.read_text())[0])


def is_acknowledged(desks: Desks, alert: Path) -> bool:
    """Tell whether the message of an alert is acknowledged, as its sender sees it."""
    shown = desks.run("north", "line", "show", id_in(alert))
    [row] = re.findall(r"(?m)^  acknowledged .*$", shown)
    return "due" not in row and "south, watch" in row


# --- Ack ------------------------------------------------------------------------------------------


def test_an_ack_lets_the_post_acknowledge_by_its_own_key_once_it_was_read(
    desks: Desks, alert: Path
) -> None:
    file = alert.with_name("ack.xml")
    file.write_text(answered("Ack", alert.read_text()))

    unread = desks.run("south", "line", "cap-ack", str(file), status=2)
    desks.run("south", "line", "read", "--shown")
    said = desks.run("south", "line", "cap-ack", str(file), "--person", "shift-lead")
    again = desks.run("south", "line", "cap-ack", str(file), status=2)

    assert "was not displayed at watch" in unread
    assert "Ack of dispatch@civil.example, 2026-11-28T08:10:00+00:00: a claim" in said
    assert "acknowledged" in said
    assert is_acknowledged(desks, alert)
    shown = desks.run("north", "line", "show", id_in(alert))
    assert re.search(r"acknowledged +\S+ +\S+ +south, watch \(shift-lead\)", shown)
    assert "dispatch" not in shown
    assert "is acknowledged, by watch" in again
    assert "keepclear line disseminated" in again


def test_a_file_alone_acknowledges_nothing(desks: Desks, alert: Path) -> None:
    file = alert.with_name("ack.xml")
    file.write_text(answered("Ack", alert.read_text()))
    desks.run("south", "line", "read", "--shown")

    desks.run("south", "line", "cap-verify", str(file), status=2)

    assert not is_acknowledged(desks, alert)


def test_an_error_is_shown_as_one_and_signs_nothing(desks: Desks, alert: Path) -> None:
    file = alert.with_name("error.xml")
    file.write_text(answered("Error", alert.read_text(), note="no such language"))
    desks.run("south", "line", "read", "--shown")

    said = desks.run("south", "line", "cap-ack", str(file), status=1)

    assert "ERROR: dispatch@civil.example has not taken message" in said
    assert "why         no such language" in said
    assert not is_acknowledged(desks, alert)


REFERENCE: Final = "north@keepclear.example/exercise-east,{},2026-11-28T08:00:00-00:00"


@pytest.mark.parametrize(
    ("kind", "changes", "says"),
    [
        ("Alert", {}, "msgType 'Alert': is not Ack"),
        ("Ack", {"references": REFERENCE.format("0" * 32)}, "is no message of south"),
        ("Ack", {"references": ""}, "0 of them"),
        ("Ack", {"references": f"{REFERENCE.format('1')} {REFERENCE.format('2')}"}, "2 of them"),
        ("Ack", {"status": "Actual"}, "is not Exercise, as the message is"),
        ("Ack", {"sender": "north@keepclear.example/exercise-east"}, "is a name of the exchange"),
        ("Ack", {"note": "<!-- x -->"}, "is a comment within an element"),
    ],
)
def test_an_ack_of_something_else_is_refused_and_signs_nothing(
    desks: Desks, alert: Path, kind: str, changes: dict[str, str], says: str
) -> None:
    file = alert.with_name("ack.xml")
    file.write_text(answered(kind, alert.read_text(), **changes))
    desks.run("south", "line", "read", "--shown")

    assert says in desks.run("south", "line", "cap-ack", str(file), status=2)

    assert not is_acknowledged(desks, alert)


@pytest.mark.parametrize("part", [0, 2])
def test_an_ack_that_names_another_sender_or_time_of_the_alert_is_refused(
    desks: Desks, alert: Path, part: int
) -> None:
    names = [re.findall(rf"<{each}>([^<]*)<", alert.read_text())[0]
             for each in ("sender", "identifier", "sent")]  # fmt: skip
    names[part] = ["south@keepclear.example/exercise-east", "", "2020-01-01T00:00:00-00:00"][part]
    file = alert.with_name("ack.xml")
    file.write_text(answered("Ack", alert.read_text(), references=",".join(names)))
    desks.run("south", "line", "read", "--shown")

    said = desks.run("south", "line", "cap-ack", str(file), status=2)

    assert "is not how message" in said
    assert "is named: north@keepclear.example/exercise-east," in said


def test_who_sent_a_message_does_not_acknowledge_it_by_an_ack(desks: Desks, alert: Path) -> None:
    file = alert.with_name("ack.xml")
    file.write_text(answered("Ack", alert.read_text()))

    said = desks.run("north", "line", "cap-ack", str(file), status=2)

    assert "is sent by north; south acknowledges it" in said


def test_a_file_that_is_too_large_has_a_dtd_or_is_not_there_is_refused(
    desks: Desks, tmp_path: Path
) -> None:
    file = tmp_path / "ack.xml"
    for content, says in (
        (b" " * 300_000, "is larger than 262,144 bytes"),
        (b"<!DOCTYPE a><a/>", "document type definition"),
        (b"\xff", "is not UTF-8"),
    ):
        file.write_bytes(content)
        assert says in desks.run("south", "line", "cap-ack", str(file), status=2)
    assert "missing.xml" in desks.run("south", "line", "cap-ack", "missing.xml", status=2)


# --- out, and verified ----------------------------------------------------------------------------


def test_what_never_leaves_is_refused_at_the_desk_with_its_reason(
    desks: Desks, tmp_path: Path
) -> None:
    make_key(desks)
    file = tmp_path / "notice.xml"
    said = desks.run("north", "line", "distress", "south", "MAYDAY, crew in the water")
    [own] = re.findall(r"message ([0-9a-f]{8}) from north", said)
    free = desks.run("north", "line", "send", "south", "Two cross at ten.", "--precedence",
                     "PRIORITY")  # fmt: skip
    [words] = re.findall(r"message ([0-9a-f]{8}) from north", free)

    for who, message, says in (
        ("south", own, "is DISTRESS: where people are in danger never leaves"),
        ("south", words, "has words that north has typed freely"),
        ("south", "ffff0000", "begins 0 of"),
    ):
        assert says in desks.run(who, "line", "cap", message, "-o", str(file), status=2)
        assert not file.exists()
    done = desks.printed("north", "line", "cap", words)
    assert "<msgType>Alert</msgType>" in done.stdout
    assert "read them before you pass it on" in done.stderr


def test_what_was_cancelled_goes_out_with_a_word_of_what_has_taken_its_place(
    desks: Desks,
) -> None:
    make_key(desks)
    values = ("--field", "from=0310Z", "--field", "until=0510Z", "--position", "33.5N 38.6E")
    said = desks.run("north", "line", "send", "south", "--template", "activity-notice", *values)
    [own] = re.findall(r"message ([0-9a-f]{8}) from north", said)
    said = desks.run(
        "north", "line", "send", "south", "--template", "cancellation", "--reply-to", own
    )
    [later] = re.findall(r"message ([0-9a-f]{8}) from north", said)

    before, after = (desks.printed("south", "line", "cap", each) for each in (own, later))

    assert f"message {later} has taken its place: give that out, too" in before.stderr
    assert "<msgType>Cancel</msgType>" in after.stdout
    assert after.stderr == ""


def test_after_another_key_what_was_signed_before_is_refused_and_got_anew(
    desks: Desks, alert: Path
) -> None:
    before = set(desks.node.folder.glob("cap.*.private.json"))
    new = make_key(desks)

    said = desks.run("south", "line", "cap-verify", str(alert), status=2)
    desks.run("south", "line", "cap", id_in(alert), "-o", str(alert))
    good = desks.run("south", "line", "cap-verify", str(alert))

    assert "was followed by" in said
    assert "and signs nothing any more; get the document anew" in said
    assert "SIGNED by the exchange" in good
    assert new[:4] in good
    [private] = desks.node.folder.glob("cap.*.private.json")
    assert private not in before
    assert private.stat().st_mode & 0o077 == 0


def test_a_report_says_that_the_exchange_named_a_key(desks: Desks, tmp_path: Path) -> None:
    make_key(desks)
    desks.run("south", "record", "export", "--output", str(tmp_path / "record.jsonl"))
    page = tmp_path / "report.html"

    desks.printed("", "record", "report", str(tmp_path / "record.jsonl"), "--output", str(page))

    assert "names the key for documents of CAP" in page.read_text(encoding="utf-8")


def test_a_changed_byte_is_refused_at_the_desk(desks: Desks, alert: Path) -> None:
    alert.write_text(alert.read_text().replace("33.5000000", "33.5000001"))

    said = desks.run("south", "line", "cap-verify", str(alert), status=2)

    assert "was changed since it was signed" in said
    assert "do not act on it" in said


def test_a_node_that_lacks_the_key_says_so_and_goes_on_with_all_else(
    desks: Desks, alert: Path
) -> None:
    [private] = desks.node.folder.glob("cap.*.private.json")
    private.unlink()

    said = desks.run("south", "line", "cap", id_in(alert), status=2)

    assert "this node has not the key" in said
    assert "SIGNED by the exchange" in desks.run("south", "line", "cap-verify", str(alert))
    accident(desks)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ((("33.5000000", "44.5000000"),), "and says something else than is held here"),
        ((("@keepclear.example/exercise-east", "@other.example/east"),), "is nobody at keepclear"),
        ((("<identifier>", "<identifier>ffff"), ("@keepclear.", "@other.")), "is nobody at"),
    ],
)
def test_a_document_that_the_key_signed_and_that_says_something_else_is_an_alarm(
    desks: Desks, alert: Path, changes: tuple[tuple[str, str], ...], says: str
) -> None:
    [private] = desks.node.folder.glob("cap.*.private.json")
    key = msgspec.json.decode(private.read_bytes(), type=PrivateCapKey)
    plain = re.sub(r"<ds:Signature.*</ds:Signature>", "", alert.read_text(), flags=re.DOTALL)
    for old, new in changes:
        plain = plain.replace(old, new)
    pem = DocumentSigner(bytes.fromhex(key.seed)).pem
    alert.write_bytes(sign(plain.encode(), pem, key.certificate))

    said = desks.run("south", "line", "cap-verify", str(alert), status=2)

    assert says in said


def test_a_document_of_a_message_that_is_not_held_says_so(desks: Desks, alert: Path) -> None:
    [private] = desks.node.folder.glob("cap.*.private.json")
    key = msgspec.json.decode(private.read_bytes(), type=PrivateCapKey)
    plain = re.sub(r"<ds:Signature.*</ds:Signature>", "", alert.read_text(), flags=re.DOTALL)
    plain = plain.replace("<identifier>", "<identifier>ffff")
    pem = DocumentSigner(bytes.fromhex(key.seed)).pem
    alert.write_bytes(sign(plain.encode(), pem, key.certificate))

    said = desks.run("south", "line", "cap-verify", str(alert))

    assert "and is of no message that this post holds" in said
