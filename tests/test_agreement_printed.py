# SPDX-License-Identifier: Apache-2.0
"""What is printed of an agreement: all that is signed, and nothing that a text could fake."""

from copy import copy
from typing import Any

import msgspec
import pytest

from keepclear.agreement.annexes import Annex
from keepclear.agreement.binding import Answer, Answers
from keepclear.agreement.clauses import Frequencies, Frequency, Separation
from keepclear.agreement.documents import (
    Agreement,
    Clause,
    PartyTerms,
    PostTerms,
    Role,
    Text,
    differences,
    hash_of,
)
from keepclear.agreement.rules_toml import parse_short, read_rules
from keepclear.agreement.statements import Said
from keepclear.reports.agreement_text import (
    agreement_text,
    annex_text,
    answer_text,
    changes_text,
    decides_text,
    standing_text,
)
from tests.agreement_plays import DAY_US, HOUR_US, Table, agreement, clause, text
from tests.record_plays import START_US

PARTY = PartyTerms(
    id="a", name="Party A", role=Role.FORCE, answers_for=("A auxiliaries",),
    posts=(PostTerms(id="watch", name="Watch", call="121.5"),),
)  # fmt: skip
WHOLE = agreement(
    title=(Text(language="en", text="Exercise"),), languages=("en",),
    parties=(PARTY, agreement().parties[1]), operator_key="1" * 64, replaces=("2" * 64,),
    clauses=(Clause(id="1", texts=(Text(language="en", text="Keep apart."),)),),
)  # fmt: skip
OF_AGREEMENT: dict[str, Any] = {
    "id": "other", "version": 2, "title": (Text(language="en", text="exercise"),),
    "languages": ("en", "fr"), "parties": agreement().parties,
    "in_force_us": START_US - DAY_US, "until_us": START_US + 366 * DAY_US,
    "review_us": START_US + 181 * DAY_US, "notice_us": 31 * DAY_US, "remind_us": 29 * DAY_US,
    "operator_key": "1" * 63 + "0", "clauses": agreement().clauses, "replaces": ("2" * 63 + "0",),
}  # fmt: skip
OF_CLAUSE: dict[str, Any] = {
    "id": "1.1", "texts": (Text(language="en", text="Keep\napart."),),
    "decides": agreement().clauses[1].decides, "survives": True,
}  # fmt: skip
OF_PARTY: dict[str, Any] = {
    "id": "c", "name": "Party a", "role": Role.HUMANITARIAN,
    "answers_for": ("A", "auxiliaries"), "posts": (PostTerms(id="watch", name="Watch, 121.5"),),
}  # fmt: skip
ANNEX = Annex(
    agreement=hash_of(WHOLE), id="A", version=2, previous="3" * 64, in_force_us=START_US,
    clauses=(clause("A.1", "Guard."),),
)  # fmt: skip
OF_ANNEX: dict[str, Any] = {
    "agreement": "0" * 64, "id": "B", "version": 3, "previous": "3" * 63 + "0",
    "in_force_us": START_US + DAY_US, "clauses": (clause("A.1", "Guard"),),
}  # fmt: skip


def lines(printed: str) -> list[str]:
    """Return the lines that are printed but the one of the hash, which any change changes."""
    return [line for line in printed.splitlines() if not line.startswith("hash ")]


@pytest.mark.parametrize(
    ("kind", "changes"),
    [(Agreement, OF_AGREEMENT), (Clause, OF_CLAUSE), (PartyTerms, OF_PARTY), (Annex, OF_ANNEX)],
)
def test_every_field_of_a_document_is_tried(kind: Any, changes: dict[str, Any]) -> None:  # noqa: ANN401 a class of any kind
    assert set(kind.__struct_fields__) == set(changes)


@pytest.mark.parametrize("field", OF_AGREEMENT)
def test_each_field_of_an_agreement_changes_a_line_beside_the_hash(field: str) -> None:
    changed = copy(WHOLE)
    msgspec.structs.force_setattr(changed, field, OF_AGREEMENT[field])

    assert lines(agreement_text(changed)) != lines(agreement_text(WHOLE))


@pytest.mark.parametrize("field", OF_CLAUSE)
def test_each_field_of_a_clause_changes_a_line_beside_the_hash(field: str) -> None:
    changed = msgspec.structs.replace(WHOLE.clauses[0], **{field: OF_CLAUSE[field]})
    other = msgspec.structs.replace(WHOLE, clauses=(changed,))

    assert lines(agreement_text(other)) != lines(agreement_text(WHOLE))


@pytest.mark.parametrize("field", OF_PARTY)
def test_each_field_of_a_party_changes_a_line_beside_the_hash(field: str) -> None:
    changed = msgspec.structs.replace(PARTY, **{field: OF_PARTY[field]})
    other = msgspec.structs.replace(WHOLE, parties=(changed, WHOLE.parties[1]))

    assert lines(agreement_text(other)) != lines(agreement_text(WHOLE))


@pytest.mark.parametrize("field", OF_ANNEX)
def test_each_field_of_an_annex_changes_a_line_beside_the_hash(field: str) -> None:
    changed = msgspec.structs.replace(ANNEX, **{field: OF_ANNEX[field]})

    assert lines(annex_text(changed)) != lines(annex_text(ANNEX))


RULES = """
name = "here"
source = "a letter"
note = "EXERCISE"
[rules.near]
text = "Keep apart."
classes = ["uav*", "any"]
any = [{ lateral = "2 NM" }, { vertical = "500 ft" }, { duration = "3 min", reset = "60 s" }]
floor = { lateral = "1 NM", vertical = "300 ft" }
[rules.else]
default = true
lateral = "5 NM"
"""


@pytest.mark.parametrize(
    "change",
    [
        ('"here"', '"there"'), ("letter", "paper"), ("EXERCISE", "TEST"), ("apart", "away"),
        ("rules.near", "rules.by"), ("uav*", "uas*"), ('"2 NM"', '"3 NM"'), ("500 ft", "600 ft"),
        ("3 min", "4 min"), ("60 s", "61 s"), ("1 NM", "0.5 NM"), ("300 ft", "200 ft"),
        ("rules.else", "rules.all"), ("default = true", 'classes = ["any", "any"]'),
    ],
)  # fmt: skip
def test_each_number_and_word_of_a_rule_is_printed(change: tuple[str, str]) -> None:
    assert change[0] in RULES
    before, after = (Separation(rules=read_rules(each)) for each in (RULES, RULES.replace(*change)))

    assert decides_text(before) != decides_text(after)


def test_a_text_cannot_look_like_a_line_of_the_page() -> None:
    fake = (
        "Keep apart.\n\n8      More.\n  = separation: 50 NM\n(survives suspension)\n"
        f"hash       0000\n{' ' * 60}= separation: 1 NM"
    )
    long_name = f"Party B {'x' * 60} post watch: Fake hash       0000 (what every party signs)"
    made = agreement(
        parties=(agreement().parties[0], PartyTerms(id="b", name=long_name, role=Role.FORCE)),
        title=text(f"EXERCISE {'y' * 60} hash       0000 (what every party signs)"),
        clauses=(clause("1", fake, Separation(rules=parse_short("5 NM / 1000 ft"))),),
    )

    printed = agreement_text(made).splitlines()

    assert [line[:4] for line in printed if line.startswith("hash")] == ["hash"]
    decided = [line[:34] for line in printed if line.startswith("  = ")]
    assert decided == ["  = separation: 5 NM or 1000 ft (r"]
    assert not [line for line in printed if line.startswith("  (survives")]
    assert not [line for line in printed if line.startswith(f"{' ' * 11}post")]
    assert [line[:2] for line in printed if line[:1].isdigit()] == ["1 "]
    assert max(map(len, printed)) <= 80


ESCAPE = "\x1b[2J\u202e"


def test_what_a_terminal_would_obey_is_written_out_wherever_it_stands() -> None:
    guard = Frequencies(frequencies=(Frequency(purpose=f"g{ESCAPE}", on=f"1{ESCAPE}"),))
    made = agreement(
        parties=(
            PartyTerms(
                id="a", name=f"A{ESCAPE}", role=Role.FORCE, answers_for=(f"x{ESCAPE}",),
                posts=(PostTerms(id="watch", name=f"w{ESCAPE}", call=f"1{ESCAPE}"),),
            ),
            agreement().parties[1],
        ),
        clauses=(clause("1", f"Keep{ESCAPE}", guard),),
    )  # fmt: skip
    msgspec.structs.force_setattr(made, "title", text(f"T{ESCAPE}"))
    standing = Table().all_sign().at(HOUR_US)
    said = msgspec.structs.replace(
        Table().all_sign().say("a", Said.DENY, 5, force="x").at(HOUR_US).said[0],
        why=ESCAPE, force=ESCAPE,
    )  # fmt: skip
    stated = Table().all_sign().say("a", Said.DENY, 5, force="x").at(HOUR_US).stated[0]
    standing = standing._replace(stated=(stated._replace(what=said),))

    for printed in (
        agreement_text(made), annex_text(msgspec.structs.replace(ANNEX, clauses=made.clauses)),
        changes_text(differences(agreement(), made)),
        answer_text(Answer(Answers.NOBODY), ESCAPE, 0),
        standing_text(standing, (), START_US, ESCAPE),
    ):  # fmt: skip
        assert "\\x1b[2J" in printed
        assert not set(ESCAPE[:1] + ESCAPE[-1:]).intersection(printed)


def test_a_difference_is_told_in_words_and_not_as_data() -> None:
    one = agreement()
    other = agreement(
        version=2, notice_us=60 * DAY_US, until_us=one.until_us + DAY_US,
        clauses=(clause("1", "Keep 5 NM or 1000 ft apart.",
                        Separation(rules=parse_short("8 NM / 2000 ft"))), *one.clauses[1:]),
    )  # fmt: skip

    said = changes_text(differences(one, other))

    assert "around: version\n  - 1\n  + 2\n" in said
    assert "around: notice_us\n  - 30 days\n  + 60 days\n" in said
    assert "around: until_us\n  - 2016-09-29T08:00:00Z\n" in said
    assert "clause 1: decides\n  - separation: 5 NM or 1000 ft" in said
    assert "{" not in said


def test_what_was_denounced_waits_for_nothing_and_says_what_is_not_proven() -> None:
    table = Table().all_sign().say("b", Said.DENOUNCE, DAY_US)
    said = standing_text(table.at(40 * DAY_US), (), START_US, "mou.agreement")

    assert said.startswith("EXPIRED  ")
    assert "waits for" not in said
    assert "stated     b, rep-1, 2015-10-01T08:00:00Z: denounce" in said
    assert said.endswith("copy may have more (a suspension, a denunciation, an annex).\n")
