# SPDX-License-Identifier: Apache-2.0
"""Drafts of agreements as TOML, for people to write.

Layout: as `agreement.documents.Agreement`, with these differences. A quantity stands as text
with its unit under its name without the unit: `notice = "30 d"` is `notice_us`, `grain = "10 NM"`
is `grain_tmm`, `acknowledge = "60 s"` is `acknowledge_s`. A time is RFC 3339 in the same way:
`until = "2016-09-30T00:00:00Z"`. Words stand by language: `text.en = "..."`. The rules of a
separation clause are what `keepclear check --rules` takes: minima, or a TOML text.

A template is a draft with places to fill, in all the languages it has. There each `title.xx` and
`text.xx` is one line, so that a language is left out with its lines.

The draft of an annex has id, in_force and clauses; its version and what it belongs to follow from
the agreement's file.

1. All faults are told by their path, with the value and the way out.
2. A draft has no hash and no signatures: it becomes an agreement when it is signed.
"""

import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from keepclear.agreement.annexes import Annex, annex_hash, check_annex
from keepclear.agreement.documents import Agreement, Role, hash_of
from keepclear.agreement.faults import in_words
from keepclear.agreement.rules_toml import parse_short, read_rules
from keepclear.errors import CallerError, Fault, FileErrors, InputError
from keepclear.units import (
    US_PER_S,
    format_time,
    parse_duration_us,
    parse_length_tmm,
    parse_time_us,
)

TIMES: Final = ("in_force", "until", "review")
DURATIONS: Final = (
    "notice", "remind", "duration", "lasts", "personal", "time_grain", "reply", "urgent_reply",
    "answer", "missed", "next_after",
)  # fmt: skip
LENGTHS: Final = ("grain", "level_grain", "across", "height", "distance")
SECONDS: Final = ("acknowledge",)
DAY_US: Final = 86_400 * US_PER_S
POSTS: Final = {
    "watch": "Watch post, at all hours",
    "supervisor": "Supervisor of the watch",
    "duty-officer": "Duty officer",
    "representative": "Office of the representative",
}
ROLE: Final = re.compile(r"[a-z_]+")
WORDS: Final = re.compile(r"(?:title|text)\.([a-z]{2}) = ")
Made = TypeVar("Made")


def read_draft(data: bytes, file: str) -> Agreement:
    """Return the agreement that a draft is; `FileErrors` where it is none."""

    def convert(value: Mapping[str, Any]) -> Agreement:
        return _converted(_agreement(value), Agreement)

    return _read(data, file, convert)


def read_annex_draft(data: bytes, file: str, agreement: Agreement, before: Annex | None) -> Annex:
    """Return the next version of an annex, from a draft; `FileErrors` where it is none.

    before: the version it follows, None for the first.
    """

    def convert(value: Mapping[str, Any]) -> Annex:
        made = _quantities(value, "")
        made["clauses"] = _clauses(value, agreement.languages)
        made |= {
            "agreement": hash_of(agreement),
            "version": 1 if before is None else before.version + 1,
            "previous": "" if before is None else annex_hash(before),
        }
        annex = _converted(made, Annex)
        check_annex(annex, agreement, file)
        return annex

    return _read(data, file, convert)


def annex_id_of(data: bytes, file: str) -> str:
    """Return which annex a draft is of; `FileErrors` where it does not say."""
    return str(_read(data, file, lambda value: value.get("id", "")))


def _read(data: bytes, file: str, convert: Callable[[Mapping[str, Any]], Made]) -> Made:
    try:
        value = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise _refused(file, str(fault), "mend the line it names") from None
    except RecursionError:
        raise _refused(file, "is nested too deep", "nest its lists and tables less") from None
    try:
        return convert(value)
    except InputError as fault:
        why = f"{fault.path} {fault.value!r}: {fault.limit}" if fault.path else fault.limit
        raise _refused(file, why, fault.way_out) from None
    except CallerError as fault:
        raise _refused(file, str(fault), "see the template it came from") from None
    except TypeError as fault:
        raise _refused(file, str(fault), "see the template it came from") from None


def _converted(value: Mapping[str, Any], kind: type[Made]) -> Made:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as fault:
        said = in_words(str(fault), value)
        raise InputError(said.place, said.value, said.limit, said.way_out) from None


def fill_template(
    template: str, parties: Mapping[str, str], from_us: int, until_us: int,
    languages: Sequence[str] = ("en",),
) -> str:  # fmt: skip
    """Return a draft from a template; `InputError` where it lacks a language.

    parties: id -> name, or name:role. languages: in the order of the agreement. Review is
    half-way. Each party has the posts to which the template's clauses escalate.
    """
    whole = tomllib.loads(template.replace("{parties}", ""))
    named = [
        post
        for clause in whole["clauses"]
        for post in clause.get("decides", {}).get("escalation", ())
    ]
    tables = []
    for party, said in parties.items():
        name, role = _name_and_role(said)
        words = {"id": party, "name": name, "role": role}
        lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in words.items()]
        posts = [
            f'    {{ id = "{post}", name = "{POSTS[post]}", call = "number to be agreed" }},'
            for post in dict.fromkeys(named)
        ]
        tables.append(
            "\n".join(["[[parties]]", *lines, "answers_for = []", "posts = [", *posts, "]\n"])
        )
    review_us = (from_us + until_us) // 2
    filled = _in_languages(template, whole["languages"], languages)
    filled = filled.replace("{parties}", "\n".join(tables))
    for name, time_us in (("from", from_us), ("until", until_us), ("review", review_us)):
        filled = filled.replace(f"{{{name}}}", f"{format_time(time_us)[:19]}Z")
    return filled


def _name_and_role(said: str) -> tuple[str, str]:
    """Return a party's name and role from "NAME:role"; a colon in a name is one of the name."""
    name, colon, role = said.rpartition(":")
    if not colon or not ROLE.fullmatch(role):
        return said, Role.FORCE
    if role not in set(Role):
        known = ", ".join(Role)
        raise InputError("party", said, f"has no role of {known} behind its colon", "name one")
    return name, role


def _in_languages(template: str, has: Sequence[str], asked: Sequence[str]) -> str:
    """Return a template with the words in the languages asked for, and no others."""
    for language in asked:
        if language not in has:
            limit = "is no language of this template"
            raise InputError("language", language, limit, f"it has {', '.join(has)}")
    kept = [
        line
        for line in template.split("\n")
        if (words := WORDS.match(line)) is None or words[1] in asked
    ]
    said = f"languages = {json.dumps(list(asked))}"
    return re.sub(r"^languages = .*$", said, "\n".join(kept), count=1, flags=re.MULTILINE)


def _agreement(value: Mapping[str, Any]) -> dict[str, Any]:
    made = _quantities(value, "")
    languages = value.get("languages", [])
    made["title"] = _texts(value.get("title", {}), languages, "title")
    made["clauses"] = _clauses(value, languages)
    return made


def _clauses(value: Mapping[str, Any], languages: Sequence[str]) -> list[dict[str, Any]]:
    clauses = []
    for number, table in enumerate(_tables(value, "clauses")):
        path = f"clause {table.get('id', number + 1)}, "
        clause = {key: each for key, each in table.items() if key not in {"text", "decides"}}
        clause["texts"] = _texts(table.get("text", {}), languages, f"{path}text")
        if "decides" in table:
            clause["decides"] = _decides(table["decides"], f"{path}decides")
        clauses.append(clause)
    return clauses


def _decides(table: Mapping[str, Any], path: str) -> dict[str, Any]:
    made = _quantities(table, path)
    if table.get("kind") == "separation" and isinstance(table.get("rules"), str):
        text = table["rules"]
        rules = read_rules(text) if "\n" in text else parse_short(text)
        made["rules"] = msgspec.to_builtins(rules)
    for name, each in made.items():
        if isinstance(each, list):
            made[name] = [
                _quantities(item, f"{path}.{name}") if isinstance(item, dict) else item
                for item in each
            ]
    return made


def _quantities(table: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return a table in which quantities are numbers under their names with the unit."""
    made: dict[str, Any] = {}
    for name, value in table.items():
        where = f"{path}.{name}" if path else name
        if not isinstance(value, str):
            made[name] = value
        elif name in TIMES:
            made[f"{name}_us"] = parse_time_us(value, where)
        elif name in DURATIONS:
            made[f"{name}_us"] = _duration_us(value, where)
        elif name in LENGTHS:
            made[f"{name}_tmm"] = parse_length_tmm(value, where)
        elif name in SECONDS:
            made[f"{name}_s"] = _duration_us(value, where) // US_PER_S
        else:
            made[name] = value
    return made


def _duration_us(text: str, path: str) -> int:
    days, _, unit = text.strip().partition(" ")
    if unit in {"d", "day", "days"} and days.isascii() and days.isdigit():
        return int(days) * DAY_US
    return parse_duration_us(text, path)


def _texts(table: object, languages: Sequence[str], path: str) -> list[dict[str, str]]:
    if not isinstance(table, dict):
        raise InputError(path, table, "is no table of languages", 'write en = "..."')
    missing = [language for language in languages if language not in table]
    strange = [language for language in table if language not in languages]
    if missing or strange:
        raise InputError(
            path, ", ".join(table), f"is not in {', '.join(languages)}", "give each language once"
        )
    return [{"language": language, "text": table[language].strip()} for language in languages]


def _tables(value: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = value.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise InputError(name, found, "is no list of tables", f"write [[{name}]]")
    return found


def _refused(file: str, why: str, way_out: str) -> FileErrors:
    return FileErrors(file, [Fault(kind="draft", limit=why, way_out=way_out)])
