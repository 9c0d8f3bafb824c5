# SPDX-License-Identifier: Apache-2.0
"""Agreements as documents: one form, one hash, clauses that can be compared."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from keepclear.agreement.clauses import CheckSchedule, LeadTime, OperatorKey, Separation
from keepclear.agreement.documents import (
    Agreement,
    differences,
    hash_of,
    read_agreement,
)
from keepclear.agreement.rules_toml import parse_short
from keepclear.record.encoding import encode
from keepclear.record.faults import Malformed
from tests.agreement_plays import HOUR_US, agreement, clause, text

Json = dict[str, Any]


def as_json(made: Agreement) -> Json:
    """Return an agreement as JSON that can be changed."""
    value: Json = json.loads(encode(made))
    return value


def read(value: Json) -> Agreement:
    """Return what changed JSON is, in its one form."""
    return read_agreement(
        json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    )  # fmt: skip


def test_an_agreement_comes_back_from_its_bytes_with_its_hash() -> None:
    again = read_agreement(encode(agreement()))

    assert again == agreement()
    assert hash_of(again) == hash_of(agreement())
    assert isinstance(again.clauses[0].decides, Separation)


def change_translation(value: Json) -> None:
    value["clauses"][0]["texts"][1]["text"] += "."


def change_minimum(value: Json) -> None:
    value["clauses"][1]["decides"]["notice_us"] += 1


def change_name(value: Json) -> None:
    value["parties"][0]["name"] += " of the north"


def change_survival(value: Json) -> None:
    value["clauses"][0]["survives"] = True


@pytest.mark.parametrize(
    "change", [change_translation, change_minimum, change_name, change_survival]
)
def test_any_change_changes_the_hash(change: Callable[[Json], None]) -> None:
    value = as_json(agreement())
    change(value)

    assert hash_of(read(value)) != hash_of(agreement())


def drop_party(value: Json) -> None:
    value["parties"].pop()


def same_party(value: Json) -> None:
    value["parties"][1]["id"] = "a"


def no_language(value: Json) -> None:
    value["languages"] = []


def third_language(value: Json) -> None:
    value["languages"].append("tr")


def other_order(value: Json) -> None:
    value["clauses"][0]["texts"].reverse()


def same_clause(value: Json) -> None:
    value["clauses"][1]["id"] = "1"


def ends_first(value: Json) -> None:
    value["until_us"] = value["in_force_us"]


def late_review(value: Json) -> None:
    value["review_us"] = value["until_us"] + 1


def strange_clause(value: Json) -> None:
    value["clauses"][0]["decides"] = {"kind": "target-list", "targets": []}


def strange_field(value: Json) -> None:
    value["clauses"][1]["decides"]["weapon"] = "x"


def no_rules(value: Json) -> None:
    value["clauses"][0]["decides"]["rules"]["rules"] = []


def name_with_newline(value: Json) -> None:
    value["parties"][1]["name"] = "B\nhash 0000 (what every party signs)"


def call_with_escape(value: Json) -> None:
    value["parties"][0]["posts"] = [{"id": "watch", "name": "w", "call": "1\x1b[2J"}]


def force_that_turns_round(value: Json) -> None:
    value["parties"][0]["answers_for"] = ["A\u202eB"]


def words_with_escape(value: Json) -> None:
    value["clauses"][0]["texts"][0]["text"] = "Keep\x1b[31m apart"


def title_of_two_lines(value: Json) -> None:
    value["title"][0]["text"] = "EXERCISE\nMEMORANDUM"


def language_with_newline(value: Json) -> None:
    value["languages"][0] = value["title"][0]["language"] = "en\n"


def clause_id_with_newline(value: Json) -> None:
    value["clauses"][0]["id"] = "1\n"


def key_with_newline(value: Json) -> None:
    value["operator_key"] = "0" * 64 + "\n"


def year_10000(value: Json) -> None:
    value["until_us"] = 253_402_300_800_000_000


@pytest.mark.parametrize(
    "change",
    [
        name_with_newline, call_with_escape, force_that_turns_round, words_with_escape,
        title_of_two_lines, language_with_newline, clause_id_with_newline, key_with_newline,
        year_10000,
    ],
)  # fmt: skip
def test_what_could_fake_a_line_or_has_no_date_is_refused_in_the_document(
    change: Callable[[Json], None],
) -> None:
    value = as_json(agreement())
    change(value)

    with pytest.raises(Malformed):
        read(value)


def test_the_text_of_a_clause_may_have_lines_and_joiners() -> None:
    value = as_json(agreement())
    value["clauses"][0]["texts"][0]["text"] = (
        "Keep apart:\n5 NM \u0645\u06cc\u200c\u0634\u0648\u062f"
    )

    assert read(value).clauses[0].texts[0].text.startswith("Keep apart:\n")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (drop_party, "has 1 party; name two or more"),
        (same_party, "names one party twice; name each once"),
        (no_language, "has no language, or one twice"),
        (third_language, "title is not in en, fr, tr, each once and in this order"),
        (other_order, "clause 1 is not in en, fr, each once and in this order"),
        (same_clause, "has two clauses 1; give each an id of its own"),
        (ends_first, "ends before it comes into force"),
        (late_review, "is reviewed outside of its time"),
        (strange_clause, "target-list"),
        (strange_field, "clause 2, decides 'lead-time': has 'weapon', which is no field there"),
        (no_rules, "rules"),
    ],
)
def test_a_document_that_does_not_hold_together_is_refused(
    change: Callable[[Json], None], why: str
) -> None:
    value = as_json(agreement())
    change(value)

    with pytest.raises(Malformed, match=why):
        read(value)


def test_a_clause_that_names_an_operator_names_a_party() -> None:
    stranger = clause("9", "C runs it.", OperatorKey(party="c", key_id="0" * 64))
    value = as_json(agreement())
    value["clauses"].append(json.loads(encode(stranger)))

    with pytest.raises(Malformed, match="clause 9 names c, which is no party"):
        read(value)


def test_a_clause_lets_no_stranger_send_the_checks_of_a_line() -> None:
    stranger = clause("9", "C tries it.", CheckSchedule(answer_us=1, missed_us=2, by=("a", "c")))
    value = as_json(agreement())
    value["clauses"].append(json.loads(encode(stranger)))

    with pytest.raises(Malformed, match="clause 9 lets c send checks, which is no party"):
        read(value)


def test_two_versions_are_compared_clause_by_clause() -> None:
    one = agreement()
    clauses = (
        clause("1", "Keep 3 NM or 1000 ft apart.",
               Separation(rules=parse_short("3 NM / 1000 ft"))),
        msgspec.structs.replace(one.clauses[1], survives=True),
        one.clauses[3],
        clause("5", "More."),
    )  # fmt: skip
    other = agreement(version=2, clauses=clauses, notice_us=one.notice_us + 1)

    found = [(change.id, change.what) for change in differences(one, other)]

    assert found == [
        ("", "version"), ("", "notice_us"), ("1", "words (en)"), ("1", "words (fr)"),
        ("1", "decides"), ("2", "survives"), ("2.1", "removed"), ("5", "added"),
    ]  # fmt: skip
    assert differences(one, one) == ()
    back = [(change.id, change.what) for change in differences(other, one)]
    assert ("5", "removed") in back


def test_words_alone_can_change() -> None:
    one = agreement()
    said = msgspec.structs.replace(one.clauses[1], texts=text("Tell one hour before."))
    other = agreement(clauses=(one.clauses[0], said, *one.clauses[2:]))

    assert [change.what for change in differences(one, other)] == ["words (en)", "words (fr)"]
    assert differences(one, other)[0].before == "Tell an hour before."


def test_a_lead_time_is_a_time() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"kind": "lead-time", "notice_us": 0}, LeadTime)
    assert LeadTime(notice_us=HOUR_US).classes == ("any",)
