# SPDX-License-Identifier: Apache-2.0
"""`keepclear line cap|cap-verify|cap-ack` and `region cap-key` as those who use them type them."""

import re
from pathlib import Path
from typing import Final

import pytest

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
