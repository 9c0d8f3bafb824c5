# SPDX-License-Identifier: Apache-2.0
"""TLS before the parties' address: a certificate and its key as PEM files, TLS 1.2 or newer."""

import ssl
from pathlib import Path

from keepclear.errors import OperatorError


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return what serves with a certificate; `OperatorError` where the two cannot be used.

    certificate: with those between it and the one that parties believe. key: without a password.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")  # else it asks for one
    except ssl.SSLError as fault:
        raise OperatorError(
            f"{certificate}, {key}: are no certificate and its key ({fault.reason or fault}); give "
            "both as PEM, the key without a password"
        ) from None
    except OSError as fault:
        missing = next((each for each in (certificate, key) if not each.is_file()), certificate)
        raise OperatorError(
            f"{missing}: cannot be read ({fault.strerror}); give --tls-cert and --tls-key"
        ) from None
    return context
