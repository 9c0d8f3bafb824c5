# SPDX-License-Identifier: Apache-2.0
"""`keepclear agreement`, typed as its users type it."""

import time
from hashlib import sha256
from pathlib import Path

import pytest

from keepclear.agreement.states import TABLE
from keepclear.formats.agreement_draft import fill_template, read_draft
from keepclear.formats.packaged import read_template, template_names
from keepclear.reports.record_text import grouped
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
    return run("agreement", "sign", file, *by(party, name), "--output", "mou.agreement", *more)


def state(party: str, what: str, *more: str) -> tuple[int, str]:
    """State something about the agreement as the first representative."""
    return run("agreement", "state", "mou.agreement", what, *by(party, "rep-1"), *more)


def by(party: str, name: str) -> list[str]:
    """Return the words that say who signs."""
    return ["--party", party, "--with", f"{party}.{name}.private.json", "--keys", "keys.json"]


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
        assert state(party, "line-checked")[0] == 0
    status, said = verify()
    assert (status, said.split("  ")[0]) == (0, "IN FORCE")
    assert "that hold now: all 22" in said

    assert state("north", "suspend", "--why", "EXERCISE")[0] == 0
    status, said = verify()
    assert (status, said.split("  ")[0]) == (0, "SUSPENDED")
    assert "that hold now: 1.1, 4, 4.1, 4.2, 4.3, 4.4, 4.5, 6, 6.1, 8" in said
    assert "Z: suspend: EXERCISE" in said


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


def hash_shown(file: str) -> str:
    """Return the line of the hash that `show` prints."""
    return next(
        line for line in run("agreement", "show", file)[1].splitlines() if line.startswith("hash")
    )


@pytest.mark.usefixtures("folder")
def test_a_draft_in_two_languages_is_signed_under_one_hash_of_its_own() -> None:
    in_english = hash_shown("draft.toml")
    assert run(*NEW, "--language", "ru", "--language", "en")[0] == 0
    russian_first = hash_shown("draft.toml")
    assert run(*NEW, "--language", "en", "--language", "ru")[0] == 0
    english_first = hash_shown("draft.toml")
    assert len({in_english, russian_first, english_first}) == 3

    all_sign()

    status, said = verify()
    assert (status, said.split("  ")[0]) == (3, "SIGNED")
    assert hash_shown("mou.agreement") == english_first


@pytest.mark.usefixtures("folder")
def test_the_order_of_languages_is_the_order_given() -> None:
    assert run(*NEW, "--language", "ru", "--language", "en")[0] == 0

    said = run("agreement", "show", "draft.toml")[1]

    assert said.index("Меморандум") < said.index("Memorandum")
    clause = said[said.index("\n2.1 ") :].splitlines()[1:]
    assert clause[0].startswith("2.1    [ru] ")
    assert [line[:12] for line in clause if "[" in line][1] == "       [en] "
    assert "[fr]" not in said


def test_a_word_of_a_translation_changes_the_hash_and_is_told(folder: Path) -> None:
    assert run(*NEW, "--language", "en", "--language", "ru")[0] == 0
    draft = (folder / "draft.toml").read_text()
    (folder / "counter.toml").write_text(draft.replace("чем за один час", "чем за два часа"))

    said = run("agreement", "diff", "draft.toml", "counter.toml")[1]

    assert [line for line in said.splitlines() if line[0] != " "] == ["clause 2.1: words (ru)"]
    assert hash_shown("draft.toml") != hash_shown("counter.toml")


@pytest.mark.parametrize(
    ("languages", "why"),
    [
        (["en", "de"], "language 'de': is no language of this template; it has en, fr, ru"),
        (["fr", "fr"], "has no language, or one twice; list each once"),
    ],
)
def test_a_language_unknown_or_named_twice_is_refused_and_nothing_is_written(
    folder: Path, languages: list[str], why: str
) -> None:
    before = (folder / "draft.toml").read_text()

    status, said = run(*NEW, *(word for each in languages for word in ("--language", each)))

    assert (status, why in said) == (2, True)
    assert (folder / "draft.toml").read_text() == before


@pytest.mark.usefixtures("folder")
def test_what_would_not_verify_is_not_written() -> None:
    assert sign("north", "rep-1")[0] == 0
    before = Path("mou.agreement").read_bytes()

    by_post, early = sign("north", "watch"), state("north", "suspend")
    of_others = run(
        "agreement", "sign", "mou.agreement", "--party", "north", "--keys", "keys.json",
        "--with", "south.rep-1.private.json",
    )  # fmt: skip

    assert [by_post[0], early[0], of_others[0]] == [2, 2, 2]
    assert "'post watch of north': has no mandate for agreement: it takes a rep" in by_post[1]
    assert "agreement is signed in part, so it cannot suspend; possible now: counter" in early[1]
    assert "is of south, not of north; sign with a key of north" in of_others[1]
    assert Path("mou.agreement").read_bytes() == before


@pytest.mark.usefixtures("folder")
def test_a_draft_is_proposed_countered_and_signed_in_its_other_form(folder: Path) -> None:
    draft = (folder / "draft.toml").read_text()
    (folder / "other.toml").write_text(draft.replace('notice = "30 d"', 'notice = "60 d"'))

    proposed = run("agreement", "propose", "draft.toml", *by("north", "rep-1"),
                   "--output", "mou.agreement")  # fmt: skip
    assert (proposed[0], "it is proposed" in proposed[1]) == (0, True)
    same = run("agreement", "counter", "mou.agreement", "draft.toml", *by("south", "rep-1"))
    assert (same[0], "is the agreement in mou.agreement itself" in same[1]) == (2, True)
    countered = run("agreement", "counter", "mou.agreement", "other.toml", *by("south", "rep-1"))
    assert (countered[0], "countered by south; it is proposed" in countered[1]) == (0, True)
    all_sign()

    status, said = verify()
    assert (status, said.split("  ")[0]) == (3, "SIGNED")
    assert "notice     60 days" in run("agreement", "show", "mou.agreement")[1]
    late = run("agreement", "counter", "mou.agreement", "draft.toml", *by("south", "rep-1"))
    assert (late[0], "agreement is signed, so it cannot counter" in late[1]) == (2, True)


ANNEX = """id = "A"
in_force = "2015-10-01T00:00:00Z"
[[clauses]]
id = "A.1"
text.en = "EXERCISE guard."
[clauses.decides]
kind = "frequencies"
frequencies = [{ purpose = "guard", on = "121.5 MHz" }]
"""


def test_an_annex_changes_on_its_own_by_the_duty_officers(folder: Path) -> None:
    all_sign()
    state("north", "line-checked")
    state("south", "line-checked")
    (folder / "a.toml").write_text(ANNEX)
    add = ("agreement", "annex", "mou.agreement", "a.toml")

    assert run(*add, *by("north", "rep-1"))[0] == 2
    assert "annex A, version 1, signed by north" in run(*add, *by("north", "duty-officer"))[1]
    assert "waits for version 1: signature of south" in verify()[1]
    assert sign("south", "duty-officer", "--annex", "A")[0] == 0
    assert "annex A    version 1 holds" in verify()[1]
    assert "= frequencies: guard: 121.5 MHz" in run("agreement", "show", "mou.agreement")[1]

    (folder / "a.toml").write_text(ANNEX.replace("121.5", "243.0"))
    assert "version 2" in run(*add, *by("south", "duty-officer"))[1]
    assert sign("north", "duty-officer", "--annex", "A")[0] == 0
    assert "annex A    version 2 holds" in verify()[1]
    (folder / "a.toml").write_text(ANNEX.replace("frequencies", "caps"))
    refused = run(*add, *by("south", "duty-officer"))
    assert refused[0] == 2
    assert "a.toml" in refused[1]
    assert "is not in mou.agreement" in sign("north", "rep-1", "--annex", "B")[1]


@pytest.mark.usefixtures("folder")
def test_who_answers_for_a_force_is_told_until_it_is_denied() -> None:
    draft = Path("draft.toml")
    draft.write_text(draft.read_text().replace("answers_for = []", 'answers_for = ["Aux"]', 1))
    all_sign()
    for party in ("north", "south"):
        state(party, "line-checked")
    ask = ("agreement", "answers", "mou.agreement", "--keys", "keys.json", "--force")

    assert run(*ask, "Aux")[1].startswith("north answers for Aux (asked for 20")
    assert run(*ask, "Others")[1].startswith("nobody answers for Others")
    assert "--force: goes with deny" in state("north", "deny")[1]
    assert state("north", "deny", "--force", "Aux")[0] == 0
    assert run(*ask, "Aux")[1].startswith("nobody answers for Aux: denied by north at 20")
    early = run(*ask, "Aux", "--at", "2016-01-01T00:00:00Z")
    assert early[1].startswith("nobody answers for Aux (asked for 2016-01-01T00:00:00Z")


@pytest.mark.usefixtures("folder")
def test_the_hash_that_is_signed_is_that_of_the_bytes_that_are_shown() -> None:
    said = sign("north", "rep-1")[1]
    shown = run("agreement", "show", "--bytes", "mou.agreement")[1]

    own = sha256(shown.encode()).hexdigest()
    assert f"hash {grouped(own)}" in said
    assert f"hash       {grouped(own)}" in run("agreement", "show", "draft.toml")[1]


@pytest.mark.usefixtures("folder")
def test_what_is_due_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    all_sign()
    for party in ("north", "south"):
        state(party, "line-checked")
    assert "REMINDER" not in verify()[1]

    keys = ("--keys", "keys.json")
    said = run("agreement", "verify", "mou.agreement", *keys, "--at", "2057-10-02T00:00:00Z")[1]
    due = " ".join(said.split())
    assert "REMINDER review: north, south to state reviewed (was due 2057-09-30T" in due
    assert "REMINDER mandate: of post watch of north ends; appoint anew (was due 20" in due
    assert max(map(len, said.splitlines())) <= 80
    soon = time.time_ns() - 3_600_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: soon)
    status, said = verify()
    assert status == 1
    assert "s ahead, above 30 s; set the clock, yours or the signer's" in said


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
    words += ["--keys", "keys.json", "--output", "x.agreement"]
    status, said = run("agreement", "sign", "draft.toml", *words)

    assert status == 2
    assert why in said
    assert not Path("x.agreement").exists()


@pytest.mark.usefixtures("folder")
def test_a_draft_is_not_overwritten_by_its_signature() -> None:
    status, said = run("agreement", "sign", "draft.toml", *by("north", "rep-1"))

    assert status == 2
    assert "add --output FILE" in said


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (('notice = "30 d"', 'notice = "30"'), "notice '30'"),
        (('until = "2099', 'until = "2014'), "ends before it comes into force"),
        (('rules = "5 NM / 1000 ft"', 'rules = "5 / 1000"'), "lateral '5'"),
        (('id = "1.1"', 'id = "1"'), "has two clauses 1"),
        (("text.en", "text.fr"), "clause 1, text 'fr': is not in en"),
        (('kind = "retention"', 'kind = "targets"'), "targets"),
        (('action = "note"', 'action = "stop"'), "stop"),
        (("[[clauses]]", "[[clauses]"), "draft.toml"),
        (
            ('id = "2.1"', 'id = "2.x"'),
            "clause 2.x, id '2.x': is no clause id; write",
        ),
        (
            ('notice = "1 h"', 'notice = "9999 d"'),
            "decides.notice '9999 d': is above 366 d; ",
        ),
        (
            ('action = "note"', 'action = "stop"'),
            "'stop': is none of note, refuse; take one",
        ),
        (('role = "force"', 'role = "king"'), "party north, role 'king': is none of force, civil_"),
        (
            ('id = "north"', 'id = "North"'),
            "party North, id 'North': is no id of small",
        ),
        (("Each party", "Each\\u001b party"), "has a character that is not seen"),
        (("vertices = ", "vertices = -"), "is below 4; give one within the limit"),
        (("survives = true", 'survives = "yes"'), "is text and should be true or false; see"),
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
    assert run(*words, "--party", "base=Base: Alpha")[0] == 0
    named = run("agreement", "show", tmp_path / "loa.toml")[1]
    assert "party      base: Base: Alpha (force)" in named
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
