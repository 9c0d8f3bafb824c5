# SPDX-License-Identifier: Apache-2.0
"""`keepclear agreement`, typed as its users type it."""

from pathlib import Path

import pytest

from keepclear.agreement.states import TABLE
from keepclear.formats.agreement_draft import fill_template, read_draft
from keepclear.formats.packaged import read_template, template_names
from tests.test_cli_record import run

DOCS = Path(__file__).resolve().parent.parent / "docs" / "agreement.md"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with keys of north and south, and a draft."""
    monkeypatch.chdir(tmp_path)
    for party in ("north", "south"):
        assert run("key", "new", party)[0] == 0
    run("key", "export", "north.keys.json", "south.keys.json", "--output", "keys.json")
    assert run(*NEW)[0] == 0
    return tmp_path


NEW = (
    "agreement", "new", "--template", "two-forces", "--party", "north=Party North",
    "--party", "south=Party South", "--from", "2015-10-01T00:00:00Z",
    "--until", "2099-10-01T00:00:00Z", "--output", "draft.toml",
)  # fmt: skip


def sign(party: str, name: str, *more: str) -> tuple[int, str]:
    """Sign the agreement as a representative."""
    file = "mou.agreement" if Path("mou.agreement").exists() else "draft.toml"
    return run(
        "agreement", "sign", file, "--party", party, "--with", f"{party}.{name}.private.json",
        "--output", "mou.agreement", *more,
    )  # fmt: skip


def all_sign() -> None:
    """Let both representatives of both sign."""
    for party in ("north", "south"):
        for name in ("rep-1", "rep-2"):
            assert sign(party, name)[0] == 0


def verify() -> tuple[int, str]:
    """Verify the agreement."""
    return run("agreement", "verify", "mou.agreement", "--keys", "keys.json")


@pytest.mark.usefixtures("folder")
def test_two_parties_sign_from_a_template_to_in_force() -> None:
    sign("north", "rep-1")
    sign("north", "rep-2")
    status, said = verify()
    assert (status, said.split("  ")[0]) == (3, "SIGNED IN PART")
    assert "waits for  signature of south: 2 more representatives" in said

    sign("south", "rep-1")
    sign("south", "rep-2")
    assert "clause 7: north has not signed line-checked" in verify()[1]

    for party in ("north", "south"):
        assert sign(party, "rep-1", "--state", "line-checked")[0] == 0
    status, said = verify()
    assert (status, said.split("  ")[0]) == (0, "IN FORCE")
    assert "that hold now: all 17" in said

    sign("north", "rep-2", "--state", "suspend")
    status, said = verify()
    assert (status, said.split("  ")[0]) == (0, "SUSPENDED")
    assert "that hold now: 1.1, 4, 4.1, 4.2, 6, 8" in said


def test_a_text_changed_after_it_was_signed_is_named(folder: Path) -> None:
    all_sign()
    file = folder / "mou.agreement"
    file.write_text(file.read_text().replace("keep 5 NM", "keep 3 NM"))

    status, said = verify()

    assert status == 1
    assert "FAILS" in said
    assert "the document was changed after it was signed: sign it again" in said


def test_a_number_changed_in_the_draft_changes_the_hash_and_is_told(folder: Path) -> None:
    draft = (folder / "draft.toml").read_text()
    (folder / "counter.toml").write_text(
        draft.replace('notice = "1 h"', 'notice = "2 h"').replace("one hour before", "two before")
    )

    status, said = run("agreement", "diff", "draft.toml", "counter.toml")

    assert status == 0
    assert "clause 2.1: words (en)" in said
    assert "clause 2.1: decides" in said
    assert said.count("clause ") == 2
    hashes = [
        line
        for name in ("draft.toml", "counter.toml")
        for line in run("agreement", "show", name)[1].splitlines()
        if line.startswith("hash")
    ]
    assert len(set(hashes)) == 2


@pytest.mark.usefixtures("folder")
def test_what_is_shown_has_every_clause_with_what_it_decides() -> None:
    said = run("agreement", "show", "draft.toml")[1]

    for text in (
        "= separation: 5 NM or 1000 ft", "= lead-time: notice 1 hour",
        "notice     30 days after it is denounced", "= retention: personal 365 days",
        "= probing-bound: across 5 NM, height 2000 ft, lasts 30 min",
        "= line-check: in force once every party has stated it",
        "party      north: Party North (force)", "(survives suspension)",
    ):  # fmt: skip
        assert text in said
    assert max(map(len, said.splitlines())) <= 80


@pytest.mark.usefixtures("folder")
def test_a_signature_by_a_post_is_refused_when_it_is_verified() -> None:
    sign("north", "watch")

    status, said = verify()

    assert status == 1
    assert "has no mandate to bind north; let a representative" in said


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--party", "east", "--with", "north.rep-1.private.json"], "is none of north, south"),
        (["--party", "north", "--with", "keys.json"], "cannot be read"),
        (["--party", "north", "--with", "absent.json"], "No such file"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_cannot_be_signed_is_refused(words: list[str], why: str) -> None:
    status, said = run("agreement", "sign", "draft.toml", *words, "--output", "x.agreement")

    assert status == 2
    assert why in said
    assert not Path("x.agreement").exists()


@pytest.mark.usefixtures("folder")
def test_a_draft_is_not_overwritten_by_its_signature() -> None:
    status, said = run(
        "agreement", "sign", "draft.toml", "--party", "north", "--with", "north.rep-1.private.json"
    )

    assert status == 2
    assert "add --output FILE" in said


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (('notice = "30 d"', 'notice = "30"'), "notice '30'"),
        (('until = "2099', 'until = "2014'), "ends before it comes into force"),
        (('rules = "5 NM / 1000 ft"', 'rules = "5 / 1000"'), "lateral '5'"),
        (('id = "1.1"', 'id = "1"'), "has two clauses 1"),
        (("text.en", "text.fr"), "clauses[0].text 'fr': is not in en"),
        (('kind = "retention"', 'kind = "targets"'), "targets"),
        (('action = "note"', 'action = "stop"'), "stop"),
        (("[title]", "[title"), "draft.toml"),
    ],
)
def test_a_draft_with_a_fault_is_refused_with_its_place(
    folder: Path, change: tuple[str, str], why: str
) -> None:
    draft = folder / "draft.toml"
    text = draft.read_text()
    assert change[0] in text
    draft.write_text(text.replace(*change, 1))

    status, said = run("agreement", "show", draft)

    assert status == 2
    assert why in said


def test_a_partys_name_and_role_are_as_typed(tmp_path: Path) -> None:
    words = [word for word in NEW if word not in {"--party", "north=Party North"}]
    words[words.index("south=Party South")] = '--party=acc=Area "Control":civil_authority'
    words[words.index("draft.toml")] = str(tmp_path / "loa.toml")

    assert run(*words, "--party", "air=Air: Force:force")[0] == 0
    said = run("agreement", "show", tmp_path / "loa.toml")[1]

    assert 'party      acc: Area "Control" (civil authority)' in said
    assert "party      air: Air: Force (force)" in said
    refused = run(*words, "--party", "x=X:target")
    assert refused[0] == 2
    assert "target" in refused[1]


def test_the_three_templates_ship() -> None:
    assert template_names() == ("civil-military", "full-disclosure", "two-forces")


@pytest.mark.parametrize("name", template_names())
def test_every_template_that_ships_is_complete_enough_to_sign(name: str) -> None:
    text = fill_template(read_template(name), {"a": "A", "b": "B"}, 0, 10**15)

    found = read_draft(text.encode(), name)

    assert {"separation", "deadlines", "disclosure", "retention"} <= {
        type(clause.decides).__struct_config__.tag for clause in found.clauses if clause.decides
    }
    assert any(clause.survives for clause in found.clauses)
    assert "Not legal text" in text


def test_the_docs_have_the_table_of_states_as_it_is() -> None:
    rows = [
        f"| {state} | {event} | {after} |"
        for state, moves in TABLE.items()
        for event, after in moves.items()
    ]
    found = DOCS.read_text().split("| state | event | next state |")[1].splitlines()

    assert [line for line in found[2:] if line] == rows
