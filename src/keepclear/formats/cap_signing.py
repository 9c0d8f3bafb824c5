# SPDX-License-Identifier: Apache-2.0
"""XML signatures on documents of CAP (W3C XML Signature 1.1, enveloped), behind signxml.

A document has one signature, as the last element of `alert`, over all of it but itself: ECDSA on
P-256 with SHA-256, exclusive canonicalization. It needs the extra `cap`.

1. The key is the one that is handed in, and never one that stands in the document: what says
   there by which key it is signed (KeyInfo) is taken out before it is verified.
2. What is signed is what is read: `verify` gives the bytes that were signed, and no others are
   looked at after that.
3. One reference, to the whole document (URI=""): one that names a part, or something elsewhere,
   could be shown around what it does not cover.
4. Before anything is parsed by the library, a document that has comments, processing instructions,
   CDATA or a document type definition is refused: the exchange writes none.
"""

import base64
import re
from typing import Any, Final

from lxml import etree
from signxml.algorithms import (
    CanonicalizationMethod,
    DigestAlgorithm,
    SignatureConstructionMethod,
    SignatureMethod,
)
from signxml.exceptions import InvalidDigest, SignXMLException
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from keepclear.errors import InputError
from keepclear.formats.cap import MOST_BYTES, read_cap
from keepclear.record.faults import NotProven

DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
DECLARED: Final = b"<?xml version='1.0' encoding='UTF-8'?>"
# Another encoding could hide from `_check_plain` what the parser then sees.
_DECLARATION: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*<\?xml\s+version\s*=\s*['\"]1\.0['\"]"
    rb"(?:\s+encoding\s*=\s*['\"](?i:utf-8)['\"])?(?:\s+standalone\s*=\s*['\"]\w+['\"])?\s*\?>"
)
EXPECTED: Final = SignatureConfiguration(
    require_x509=True, location="./", expect_references=1,
    signature_methods=frozenset({SignatureMethod.ECDSA_SHA256}),
    digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
)  # fmt: skip


def sign(document: bytes, key_pem: bytes, certificate: bytes) -> bytes:
    """Return a document, signed. key_pem: the private key; certificate: of it, as DER."""
    signer = XMLSigner(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm=SignatureMethod.ECDSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    made = signer.sign(_parsed(document), key=key_pem, cert=_pem(certificate))
    return DECLARED + b"\n" + bytes(etree.tostring(made, encoding="UTF-8")) + b"\n"


def verify(document: bytes, certificate: bytes, path: str) -> bytes:
    """Return what of a document is signed with the key of a certificate (DER), and nothing else.

    `InputError` for what is no such document, `NotProven` where the key has not signed it.
    """
    _check_plain(document, path)
    read_cap(document, path)  # its size, its depth, and that it is one
    try:
        root = _parsed(document)
        for each in root.findall(f"./{{{DSIG}}}Signature/{{{DSIG}}}KeyInfo"):
            each.getparent().remove(each)
        found: Any = XMLVerifier().verify(root, x509_cert=_pem(certificate), expect_config=EXPECTED)
        references = found.signature_xml.findall(f".//{{{DSIG}}}Reference")
        is_whole = [each.get("URI") for each in references] == [""]
    except InvalidDigest:
        raise _not_signed(path, "was changed since it was signed") from None
    except (SignXMLException, etree.LxmlError, ValueError, TypeError, LookupError, AttributeError):
        raise _not_signed(path, "is not signed with the key that the record names") from None
    if not is_whole:
        raise _not_signed(path, "is signed in part alone, or something else is")
    return bytes(found.signed_data)


def _parsed(document: bytes) -> Any:  # noqa: ANN401 an element of lxml
    return etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True))


def _check_plain(document: bytes, path: str) -> None:
    if len(document) > MOST_BYTES:
        return  # `read_cap` says so
    body = _DECLARATION.sub(b"", document, count=1)
    for mark, what in (
        (b"<!", "comment, CDATA or DOCTYPE"),
        (b"<?", "processing instruction, or another encoding than UTF-8"),
    ):
        if mark in body:
            raise InputError(
                path, what, "is in it, and the exchange writes none", "get it again from who has it"
            )


def _not_signed(path: str, why: str) -> NotProven:
    return NotProven(path, "signature", why, "do not act on it; ask the exchange for the document")


def _pem(der: bytes) -> str:
    text = base64.b64encode(der).decode()
    lines = [text[k : k + 64] for k in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])
