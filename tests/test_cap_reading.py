# SPDX-License-Identifier: Apache-2.0
"""Documents of CAP from others: read strictly, refused in words, and never a traceback."""

import re
from contextlib import suppress
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.errors import InputError
from keepclear.formats.cap import DEEPEST, MOST_BYTES, Reference, read_cap
from keepclear.formats.cap_signing import verify
from keepclear.record.faults import RecordError
from tests.cap_plays import certificate, document, signed, tell
from tests.message_plays import at_line

SENT: Final = "2015-09-30T08:10:00+03:00"
ACK: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!-- made by a system of others -->\n'
    '<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>ack-1</identifier>'
    f"<sender>dispatch@civil.example</sender><sent>{SENT}</sent><status>Exercise</status>"
    "<msgType>Ack</msgType><scope>Private</scope><addresses>b</addresses>"
    "<note>taken by the shift</note>"
    "<references>a@x/exercise,35135a,2015-09-30T08:00:00-00:00</references></alert>"
)
OWN: Final = certificate()
SOUND: Final = (InputError, RecordError)
BILLION: Final = '<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;&x;&x;">]><a>&y;</a>'
FETCH: Final = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
DTD: Final = '<!DOCTYPE a SYSTEM "http://127.0.0.1/x.dtd"><a/>'


def signed_document() -> bytes:
    stage = at_line()
    return signed(document(stage, tell(stage, "closure")))


GOOD: Final = signed_document()


def test_an_ack_of_a_system_of_others_is_read() -> None:
    found = read_cap(ACK.encode(), "ack.xml")

    assert found.kind == "Ack"
    assert found.reference == Reference("dispatch@civil.example", "ack-1", SENT)
    assert found.references == (Reference("a@x/exercise", "35135a", "2015-09-30T08:00:00-00:00"),)
    assert found.note == "taken by the shift"


def test_what_is_beside_and_a_byte_order_mark_is_passed_over() -> None:
    more = ACK.replace("<scope>", "<code>x</code><scope>").replace("</alert>", "<other/></alert>")

    assert read_cap(more.encode("utf-8-sig"), "ack.xml").kind == "Ack"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("cap:1.2", "cap:1.1", "is no alert in the namespace"),
        ("<identifier>ack-1</identifier>", "", "identifier '': is missing or empty"),
        ("ack-1", "ack 1", "has a space, a comma, < or & in it"),
        ("ack-1", "ack,1", "has a space, a comma, < or & in it"),
        ("ack-1", "a&amp;b", "has a space, a comma, < or & in it"),
        ("dispatch@civil.example", "a&lt;b", "has a space, a comma, < or & in it"),
        ("ack-1", "x" * 201, "more than 200 characters"),
        (SENT, "2015-09-30T08:10:00Z", "CAP has no Z"),
        (SENT, "2015-09-30T08:10:00.5+00:00", "is no time with its offset"),
        (SENT, "2015-02-30T08:10:00+00:00", "day is out of range"),
        (SENT, "yesterday", "is no time with its offset"),
        ("Exercise", "Drill", "is not one of Actual, Exercise, System, Test, Draft"),
        ("Ack<", "Roger<", "is not one of Alert, Update, Cancel, Ack, Error"),
        ("Private", "Secret", "is not one of Public, Restricted, Private"),
        ("a@x/exercise,35135a,", "a@x/exercise 35135a ", "is not sender,identifier,sent"),
        ("35135a,", ",", "is not sender,identifier,sent"),
        ("08:00:00-00:00<", "08:00:00Z<", "CAP has no Z"),
        ("<note>", "<note>one</note><note>", "2 times"),
        ("taken by", "taken <b>by</b>", "has elements in it, and should be text"),
        ("taken by", "taken<!-- not --> by", "is a comment within an element"),
        ("</alert>", "", "is no XML"),
        ("<note>", "<note>\x00", "is no XML"),
        ("<note>", "<note>&x;", "is no XML"),
    ],
)
def test_what_is_wrong_is_named_with_its_limit_and_a_way_out(old: str, new: str, says: str) -> None:
    assert old in ACK
    with pytest.raises(InputError, match=re.escape(says)) as refused:
        read_cap(ACK.replace(old, new, 1).encode(), "ack.xml")

    assert str(refused.value).startswith("ack.xml")
    assert ";" in str(refused.value)


@pytest.mark.parametrize("content", [BILLION, FETCH, DTD])
def test_a_document_type_definition_is_refused_before_anything_swells_or_is_fetched(
    content: str,
) -> None:
    with pytest.raises(InputError, match="document type definition"):
        read_cap(content.encode(), "ack.xml")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (ACK.encode() + b" " * MOST_BYTES, "is larger than 262,144 bytes"),
        (ACK.encode("utf-16"), "is not UTF-8"),
        (ACK.replace("taken", "t\u00e4ken").encode("latin-1"), "is not UTF-8"),
        ((b"<a>" * (DEEPEST + 1)) + b"</a>" * (DEEPEST + 1), f"is nested deeper than {DEEPEST}"),
        (b"<a>" * 60_000, f"is nested deeper than {DEEPEST}"),
        (b"", "is no XML"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"{}", "is no XML"),
    ],
)
def test_what_is_too_large_too_deep_or_no_xml_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_cap(content, "ack.xml")


def test_as_deep_as_it_may_be_is_read() -> None:
    inner = "<x>" * (DEEPEST - 1) + "</x>" * (DEEPEST - 1)

    assert read_cap(ACK.replace("</alert>", f"{inner}</alert>").encode(), "ack.xml").kind == "Ack"


# --- whatever comes ------------------------------------------------------------------------------

PIECES: Final = st.sampled_from([
    b"<", b">", b"</alert>", b"<alert", b"&", b"&#0;", b"&#xD800;", b"<!--", b"-->", b"<![CDATA[",
    b"]]>", b"<?x", b"?>", b"<!DOCTYPE a [<!ENTITY x 'y'>]>", b"&x;", b'"', b"'", b" ", b"\x00",
    b"\xff", b"\xed\xa0\x80", b",", b"xmlns=", b"<info>", b"</info>", b"9999-12-31T23:59:60+99:99",
    b"Signature", b"URI=", b"#x", b"AAAA", b"=",
])  # fmt: skip


@st.composite
def broken(draw: st.DrawFn, good: bytes) -> bytes:
    """Return bytes with some taken out, put in, doubled or changed."""
    made = good
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(made)))
        end = min(len(made), at + draw(st.integers(0, 40)))
        put = draw(st.one_of(PIECES, st.binary(max_size=8), st.just(made[at:end] * 2)))
        made = made[:at] + put + made[end:]
    return made


def read_or_refused(read: Any, *given: Any) -> None:  # noqa: ANN401 as read
    with suppress(*SOUND):
        read(*given)


@given(broken(ACK.encode()))
def test_whatever_is_broken_in_an_ack_is_read_or_refused(content: bytes) -> None:
    read_or_refused(read_cap, content, "ack.xml")


@given(st.binary(max_size=400))
def test_whatever_bytes_come_are_refused(content: bytes) -> None:
    read_or_refused(read_cap, content, "ack.xml")
    read_or_refused(verify, content, OWN, "file")


@given(broken(GOOD))
def test_whatever_is_broken_in_a_signed_document_says_what_was_signed_or_is_refused(
    content: bytes,
) -> None:
    try:
        found = verify(content, OWN, "file")
    except SOUND:
        return
    assert found == verify(GOOD, OWN, "file")
