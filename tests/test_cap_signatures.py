# SPDX-License-Identifier: Apache-2.0
"""Signatures on documents of CAP: each way to show something else than what was signed is refused.

What XML signatures are attacked by: McIntosh and Austel, "XML signature element wrapping attacks"
(2005); the W3C's "XML Signature Best Practices" (2013); comments in text (CVE-2017-11427 and its
like, 2018).
"""

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from xml.etree.ElementTree import Element

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from defusedxml.ElementTree import fromstring
from lxml import etree
from signxml.algorithms import (
    CanonicalizationMethod,
    DigestAlgorithm,
    SignatureConstructionMethod,
    SignatureMethod,
)
from signxml.signer import XMLSigner

from keepclear.errors import InputError
from keepclear.formats.cap import MOST_BYTES, read_cap
from keepclear.formats.cap_signing import DECLARED, verify
from keepclear.record.faults import Malformed, NotProven, RecordError
from keepclear.record.keys import P256_SEED_BYTES, DocumentSigner, check_certificate
from tests.cap_plays import certificate, document, document_signer, signed, tell
from tests.message_plays import at_line

OWN: Final = certificate()
BILLION: Final = (
    '<!DOCTYPE alert [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
)  # fmt: skip
OUTSIDE: Final = '<!DOCTYPE alert [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


@pytest.fixture(scope="module")
def plain() -> bytes:
    stage = at_line()
    return document(stage, tell(stage, "accident-notice"))


@pytest.fixture(scope="module")
def good(plain: bytes) -> bytes:
    return signed(plain)


def test_what_was_signed_is_read_and_nothing_else(plain: bytes, good: bytes) -> None:
    found = verify(good, OWN, "file")

    assert b"Signature" in good
    assert b"Signature" not in found
    assert _text(found) == _text(plain)


def test_another_declaration_and_other_quotes_change_nothing(good: bytes) -> None:
    other = good.replace(DECLARED, b'<?xml version="1.0" encoding="utf-8"?>')

    assert other != good
    assert verify(b"\xef\xbb\xbf" + other, OWN, "file") == verify(good, OWN, "file")
    assert verify(other, OWN, "file") == verify(good, OWN, "file")


def test_another_key_has_not_signed_it_though_the_file_says_which_key_has(plain: bytes) -> None:
    by_other = signed(plain, 2)

    assert base64.b64encode(certificate(2))[:60] in by_other.replace(b"\n", b"")
    with pytest.raises(NotProven, match="is not signed with the key that the record names"):
        verify(by_other, OWN, "file")


def test_the_certificate_in_the_file_is_not_looked_at(good: bytes) -> None:
    own, other = (base64.b64encode(each) for each in (OWN, certificate(2)))
    joined = re.sub(rb"(<ds:X509Certificate>)[^<]*", rb"\1" + other, good)
    bare = re.sub(rb"<ds:KeyInfo>.*</ds:KeyInfo>", b"", good, flags=re.DOTALL)
    odd = re.sub(
        rb"<ds:X509Data>.*</ds:X509Data>",
        b"<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AA==</ds:Modulus><ds:Exponent>AQ==</ds:Exponent>"
        b"</ds:RSAKeyValue></ds:KeyValue>",
        good,
        flags=re.DOTALL,
    )

    assert own not in joined
    for each in (joined, bare, odd):
        assert verify(each, OWN, "file") == verify(good, OWN, "file")


# --- changed -------------------------------------------------------------------------------------


def inside(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def changed(good: bytes) -> bytes:
        assert old in good
        return good.replace(old, new, 1)

    return changed


def without_signature(good: bytes) -> bytes:
    return re.sub(rb"<ds:Signature.*</ds:Signature>", b"", good, flags=re.DOTALL)


def twice(good: bytes) -> bytes:
    found = re.search(rb"<ds:Signature.*</ds:Signature>", good, re.DOTALL)
    assert found
    return good.replace(b"</alert>", found[0] + b"</alert>")


def wrapped(good: bytes) -> bytes:
    """Put the signed document, whole, within another that says something else."""
    body = good.split(b"?>", 1)[1].strip()
    forged = without_signature(body).replace(b"33.5000000", b"44.5000000")
    return DECLARED + forged.replace(b"</alert>", body + b"</alert>")


def wrapped_by_id(good: bytes) -> bytes:
    """Let the signature name an inner part by an id, and show another one around it."""
    body = etree.fromstring(without_signature(good))
    body.set("Id", "signed")
    outer = etree.fromstring(without_signature(good).replace(b"33.5000000", b"44.5000000"))
    outer.append(body)
    signer = XMLSigner(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm=SignatureMethod.ECDSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    made = signer.sign(outer, key=document_signer().pem, reference_uri="#signed")
    return bytes(etree.tostring(made))


def moved_inside(good: bytes) -> bytes:
    """Put the signature where no signature of a document stands."""
    found = re.search(rb"<ds:Signature.*</ds:Signature>", good, re.DOTALL)
    assert found
    return without_signature(good).replace(b"</info>", found[0] + b"</info>", 1)


@pytest.mark.parametrize(
    "change",
    [
        inside(b"<status>Exercise", b"<status>Actual"),
        inside(b"33.5000000,38.6200000", b"33.5000001,38.6200000"),
        inside(b"</note>", b"</note >\n <code>x</code>"),
        inside(b"<severity>Severe", b"<severity>Minor"),
        inside(b"<alert ", b'<alert extra="1" '),
        inside(b"ecdsa-sha256", b"ecdsa-sha1"),
        inside(b"04/xmlenc#sha256", b"04/xmlenc#sha1"),
        inside(b'URI=""', b'URI="#x"'),
        inside(b'URI=""', b'URI="http://127.0.0.1/other.xml"'),
        inside(b'URI=""', b'URI="file:///etc/passwd"'),
        inside(b"#enveloped-signature", b"#base64"),
        inside(b"<ds:SignatureValue>", b"<ds:SignatureValue>AAAA"),
        inside(b"<ds:DigestValue>", b"<ds:DigestValue>AAAA"),
        without_signature, twice, wrapped, wrapped_by_id, moved_inside,
    ],
)  # fmt: skip
def test_what_was_changed_wrapped_or_signed_in_part_is_refused(
    good: bytes, change: Callable[[bytes], bytes]
) -> None:
    changed = change(good)

    assert changed != good
    with pytest.raises((NotProven, InputError)) as refused:
        verify(changed, OWN, "file")
    assert "Traceback" not in str(refused.value)


def test_every_single_byte_of_it_counts(good: bytes) -> None:
    expected = _text(verify(good, OWN, "file"))
    for place in range(0, len(good), 37):
        changed = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
        try:
            found = verify(changed, OWN, "file")
        except (NotProven, InputError):
            continue
        # beside what is signed: the certificate, white space within the signature
        assert _text(found) == expected


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (inside(b"Accident notice", b"Accident<!-- no --> notice"), "comment, CDATA or DOCTYPE"),
        (inside(b"</alert>", b"<!-- here --></alert>"), "comment, CDATA or DOCTYPE"),
        (inside(b"Accident notice", b"<![CDATA[Accident notice]]>"), "comment, CDATA or DOCTYPE"),
        (inside(b"<alert ", BILLION.encode() + b"<alert "), "comment, CDATA or DOCTYPE"),
        (inside(b"<alert ", OUTSIDE.encode() + b"<alert "), "comment, CDATA or DOCTYPE"),
        (inside(b"</alert>", b"<?xml-stylesheet href='x'?></alert>"), "processing instruction"),
        (inside(b"encoding='UTF-8'", b"encoding='UTF-7'"), "another encoding than UTF-8"),
        (inside(b"encoding='UTF-8'", b"encoding='iso-8859-1'"), "another encoding than UTF-8"),
        (lambda good: good + b" " * MOST_BYTES, "is larger than 262,144 bytes"),
        (lambda good: good.decode().encode("utf-16"), "is not UTF-8"),
        (lambda _: b"", "is no XML"),
        (lambda good: good[: len(good) // 2], "is no XML"),
    ],
)
def test_what_the_exchange_never_writes_is_refused_before_the_signature_is_looked_at(
    good: bytes, change: Callable[[bytes], bytes], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        verify(change(good), OWN, "file")


# --- keys ----------------------------------------------------------------------------------------


def test_a_key_is_made_from_its_seed_and_its_certificate_is_of_it() -> None:
    assert document_signer().pem == document_signer().pem != document_signer(2).pem
    check_certificate(OWN)
    with pytest.raises(Malformed, match="is not 48 bytes"):
        DocumentSigner(bytes(P256_SEED_BYTES - 1))


def test_a_certificate_of_another_curve_signed_by_others_or_cut_off_is_refused() -> None:
    def made(key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey) -> bytes:
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
        day = datetime(2020, 1, 1, tzinfo=UTC)
        built = x509.CertificateBuilder(name, name, key.public_key(), 1, day, day)
        return built.sign(by, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    own, wide = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())
    for wrong in (made(wide, wide), made(own, wide), OWN[:-1], b"", b"x" * 400):
        with pytest.raises(RecordError):
            check_certificate(wrong)
    check_certificate(made(own, own))


def _text(content: bytes) -> list[tuple[str, str]]:
    root: Element = fromstring(content)
    read_cap(content, "file")
    return [(each.tag, each.text or "") for each in root.iter()]
