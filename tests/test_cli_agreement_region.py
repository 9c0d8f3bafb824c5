# SPDX-License-Identifier: Apache-2.0
"""An agreement between two desks, over the exchange: from a proposal to the end of it."""

import re
from collections.abc import Iterator

import pytest

from tests.desk_plays import CIRCLE, Desks, two_desks

pytestmark = pytest.mark.slow


@pytest.fixture
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    with two_desks(tmp_path_factory.mktemp("desks")) as made:
        made.run(
            "north",
            "key",
            "export",
            "north-keys/north.keys.json",
            "south-keys/south.keys.json",
            "east/region.keys.json",
            "--output",
            "keys.json",
        )
        yield made  # fmt: skip


def key(party: str, number: int) -> str:
    return f"{party}-keys/{party}.rep-{number}.private.json"


def signed(party: str, number: int = 1) -> tuple[str, ...]:
    """Return the options of what a representative signs."""
    return ("--party", party, "--keys", "keys.json", "--with", key(party, number))


def carried(party: str) -> tuple[str, ...]:
    """Return the options of what is carried at once, with the other representative."""
    return (*signed(party), "--carry-with", key(party, 2))


def draft(desks: Desks, name: str, until: str) -> str:
    desks.run("north", "agreement", "new", "--template", "two-forces", "--party",
              "north=Party North", "--party", "south=Party South", "--from",
              "2015-10-01T00:00:00Z", "--until", until, "--output", name)  # fmt: skip
    return name


def test_an_agreement_is_proposed_countered_signed_suspended_resumed_and_denounced(
    desks: Desks,
) -> None:
    run = desks.run
    assert run("south", "agreement", "list") == "no agreement was carried into the region\n"
    first = draft(desks, "first.toml", "2098-10-01T00:00:00Z")
    said = run("north", "agreement", "propose", first, *carried("north"), "--output", "n.agreement")
    assert "wrote n.agreement: proposed by north; it is proposed" in said
    assert "it is proposed: 0 clauses hold between north and south" in said

    assert "mou, version 1: proposed" in run("south", "agreement", "list")
    run("south", "agreement", "fetch", "mou", "s.agreement")
    other = draft(desks, "other.toml", "2099-10-01T00:00:00Z")
    said = run("south", "agreement", "counter", "s.agreement", other, *carried("south"),
               "--output", "s2.agreement")  # fmt: skip
    assert "countered by south" in said
    assert "carried mou" in said

    [_, mou] = re.findall(r"hash +([0-9a-f ]+)", run("north", "agreement", "list"))
    mou = mou.replace(" ", "")[:8]
    run("north", "agreement", "fetch", mou, "n2.agreement")
    assert "2099-10-01" in run("north", "agreement", "show", "n2.agreement")
    run("north", "agreement", "sign", "n2.agreement", *signed("north", 2))
    said = run("north", "agreement", "sign", "n2.agreement", *carried("north"))
    assert "it is signed in part: 0 clauses hold" in said
    run("south", "agreement", "fetch", mou, "s3.agreement")
    run("south", "agreement", "sign", "s3.agreement", *signed("south", 2))
    run("south", "agreement", "sign", "s3.agreement", *carried("south"))
    run("south", "agreement", "state", "s3.agreement", "line-checked", *carried("south"))
    run("north", "agreement", "fetch", mou, "n3.agreement")
    said = run("north", "agreement", "state", "n3.agreement", "line-checked", *carried("north"))
    assert "it is in force: 22 clauses hold between north and south" in said

    own = desks.filed("south", *CIRCLE)
    suspend = ("agreement", "suspend", mou, "--with", key("south", 1), "--why", "EXERCISE")
    said = run("south", "act", "sign", "suspend.json", *suspend)
    assert "signed suspension.state" in said
    assert "carried" not in said
    assert "stands as before" not in said
    said = run("south", *suspend)
    assert re.search(r"it is suspended: \d+ clauses hold between north and south", said)
    listed = run("north", "agreement", "list")
    assert re.search(rf"{mou[:4]} {mou[4:]}", listed)
    assert "mou, version 1: suspended" in listed
    assert "is by north, who has not suspended it" in run(
        "north", "agreement", "resume", mou, "--with", key("north", 1), status=2
    )
    said = run("south", "agreement", "resume", mou, "--with", key("south", 2))
    assert "it is in force: 22 clauses hold" in said
    assert "representatives have signed agreement.carry" in run(
        "north", "agreement", "denounce", mou, "--with", key("north", 1), status=2
    )
    said = run("north", "agreement", "denounce", mou, "--with", key("north", 1), "--with",
               key("north", 2), "--why", "it has run its course")  # fmt: skip
    assert "it is denounced: 22 clauses hold" in said
    assert "mou, version 1: denounced" in run("south", "agreement", "list")
    run("south", "operation", "cancel", own)

    for words, why in (
        (("suspend", "nothing", "--with", key("south", 1)), "names 0 of those in the region (mou)"),
        (("suspend", mou, "--with", key("north", 1)), "is of north, not of south"),
        (("suspend", mou, "--with", "south-keys/south.watch.private.json"), "no mandate"),
        (("suspend", mou, "--with", key("south", 1), "--why", "a\nb"), "has a line break"),
        (("fetch", mou, "n3.agreement"), "may hold what was signed"),
    ):
        assert why in run("south", "agreement", *words, status=2)
