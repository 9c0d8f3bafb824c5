# SPDX-License-Identifier: Apache-2.0
"""A node over TLS, with certificates that are made here."""

import ipaddress
import socket
import ssl
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from keepclear.client import Client, NoAnswer
from keepclear.errors import OperatorError
from keepclear.plans import acts
from keepclear.record.headers import Status
from keepclear.server.tls import tls_context
from tests.server_plays import Node, circle, keys_of
from tests.test_cli_record import run

LOOPBACK = ipaddress.ip_address("127.0.0.1")
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "exchange.example")])


class Files(NamedTuple):
    """A certificate that signs itself, and its key."""

    certificate: Path
    key: Path


def pem(key: EllipticCurvePrivateKey, how: KeySerializationEncryption) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)


def made(folder: Path, name: str = "own") -> Files:
    """Make a certificate for this machine that holds for a day."""
    key, now = new_key(SECP256R1()), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(NAME).issuer_name(NAME)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(LOOPBACK)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    files = Files(folder / f"{name}.pem", folder / f"{name}.key.pem")
    files.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
    files.key.write_bytes(pem(key, NoEncryption()))
    return files


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return made(tmp_path)


@pytest.fixture
def node(tmp_path: Path, files: Files) -> Iterator[Node]:
    served = Node(tmp_path / "east")
    served.start("--new", "--region", "exercise-east", "--house", "5 NM / 1000 ft", "--tls-cert",
                 str(files.certificate), "--tls-key", str(files.key))  # fmt: skip
    yield served
    served.end()


def believing(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


@pytest.mark.slow
def test_a_party_that_believes_the_certificate_acts_over_tls_and_no_other_does(
    node: Node, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document, watch = keys_of("north")
    assert node.admit(document).status_code == 204
    assert node.parties.startswith("https://127.0.0.1:")
    assert node.operator.startswith("http://127.0.0.1:")
    ours, other = believing(files.certificate), believing(made(tmp_path, "other").certificate)

    with Client(node.parties, "north", "watch", watch, node.believed, status=Status.EXERCISE,
                http=httpx.Client(base_url=node.parties, verify=ours)) as north:  # fmt: skip
        north.act("operations.file/1", acts.FileOperation(operation=circle(0)))
        assert len(north.operations()) == 1
        stream = north.stream()
        assert [next(stream).kind for _ in range(2)] == ["open", "snapshot"]
    monkeypatch.setattr("keepclear.client.acting.TRIES", 1)
    for verify in (other, True):
        with (
            Client(node.parties, "north", "watch", watch, node.believed, status=Status.EXERCISE,
                   http=httpx.Client(base_url=node.parties, verify=verify)) as stranger,
            pytest.raises(NoAnswer, match="CERTIFICATE_VERIFY_FAILED"),
        ):  # fmt: skip
            stranger.operations()
    monkeypatch.setenv("SSL_CERT_FILE", str(files.certificate))
    with node.client("north", watch) as told_by_its_surroundings:
        assert len(told_by_its_surroundings.operations()) == 1
    with pytest.raises(httpx.TransportError):
        httpx.get(node.parties.replace("https", "http") + "/v1/region")


@pytest.mark.slow
def test_what_is_older_than_tls_1_2_is_not_spoken(node: Node, files: Files) -> None:
    host, port = node.parties.removeprefix("https://").split(":")

    def spoken(most: ssl.TLSVersion) -> str | None:
        context = believing(files.certificate)
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # to speak what is too old
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, most
        with (
            socket.create_connection((host, int(port)), 10) as plain,
            context.wrap_socket(plain, server_hostname=host) as made,
        ):
            return made.version()

    assert spoken(ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    assert spoken(ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    with pytest.raises(ssl.SSLError):
        spoken(ssl.TLSVersion.TLSv1_1)
    assert tls_context(*files).minimum_version is ssl.TLSVersion.TLSv1_2


def test_what_is_no_certificate_and_its_key_starts_nothing(tmp_path: Path, files: Files) -> None:
    other = made(tmp_path, "other")
    locked = tmp_path / "locked.pem"
    locked.write_bytes(pem(new_key(SECP256R1()), BestAvailableEncryption(b"secret")))
    noise = tmp_path / "noise.pem"
    noise.write_bytes(b"no certificate")

    for pair in ((files.certificate, other.key), (noise, files.key), (files.certificate, noise),
                 (files.certificate, locked)):  # fmt: skip
        with pytest.raises(OperatorError, match="are no certificate and its key"):
            tls_context(*pair)
    with pytest.raises(OperatorError, match=r"none.pem: cannot be read \(No such file"):
        tls_context(files.certificate, tmp_path / "none.pem")
    with pytest.raises(OperatorError, match=r"none.pem: cannot be read \(No such file"):
        tls_context(tmp_path / "none.pem", files.key)


def test_one_of_the_two_without_the_other_makes_no_region(tmp_path: Path, files: Files) -> None:
    new = ("serve", tmp_path / "east", "--new", "--region", "east", "--house", "5 NM / 1000 ft")

    status, said = run(*new, "--tls-cert", files.certificate)
    assert (status, "--tls-cert, --tls-key: give both, or neither" in said) == (2, True)
    status, said = run(*new, "--tls-cert", files.key, "--tls-key", files.key)
    assert (status, "are no certificate and its key" in said) == (2, True)
    assert not (tmp_path / "east").exists()
