# SPDX-License-Identifier: Apache-2.0
"""Templates: numbered messages, whose fields are the same in every language.

A message carries the number and the version of its template and its values, and no words of it:
each reader has it in a language of its own (`wording`). A template is never edited; another
version of it is another row.

1. A field that is needed is there, or nothing is sent.
2. What is said by an act of its own, as STOP with its volume, is sent by that act alone: a message
   that only looks like one would keep nobody out.
3. Free text is always possible beside it.
4. A cancellation replies to the notice of one's own that it cancels.

    >>> template_named("lost-communications").number
    7
"""

from collections.abc import Mapping
from typing import Annotated, Final, NamedTuple

import msgspec

from keepclear.agreement.clauses import Precedence
from keepclear.errors import InputError
from keepclear.line.values import FREE, Field, Kind
from keepclear.record.encoding import Signed


class Form(Signed, frozen=True, kw_only=True):
    """Which template a message is of: its number and its version."""

    number: Annotated[int, msgspec.Meta(ge=1, le=999)]
    version: Annotated[int, msgspec.Meta(ge=1, le=999)] = 1


class Template(NamedTuple):
    """A template. precedence: unless it is sent with another.

    act: that says it alone; empty where a message does.
    """

    number: int
    version: int
    name: str
    precedence: Precedence
    fields: Mapping[str, Field]
    act: str = ""

    @property
    def form(self) -> Form:
        """Return what a message of it carries."""
        return Form(number=self.number, version=self.version)


def _needed(kind: Kind, example: str = "") -> Field:
    return Field(kind, is_needed=True, example=example)


FROM_UNTIL: Final = {"from": _needed(Kind.TIME), "until": _needed(Kind.TIME)}
LEVELS: Final = {"lower": Field(Kind.LEVEL), "upper": Field(Kind.LEVEL)}
CANCELLATION: Final = "cancellation"
PHASE: Final = Field(Kind.CHOICE, choices=("incerfa", "alerfa", "detresfa"))
INTENT: Final = Field(Kind.CHOICE, choices=("not-deliberate", "not-known"))
# What is known of an accident later, in the order in which it is asked for.
LATER: Final = {
    "what": Field(Kind.TEXT, example="unmanned aircraft"),
    "heading": Field(Kind.TEXT, example="towards the north-east"),
    "level": Field(Kind.LEVEL), "injured": Field(Kind.COUNT),
    "contact": Field(Kind.TEXT, example="duty officer, line B"),
}  # fmt: skip

TEMPLATES: Final = (
    Template(1, 1, "activity-notice", Precedence.PRIORITY, {
        "position": _needed(Kind.POSITION), **FROM_UNTIL, **LEVELS, "force": Field(Kind.PARTY),
        "operation": Field(Kind.OPERATION), "frequency": Field(Kind.FREQUENCY),
    }),
    Template(2, 1, "closure", Precedence.PRIORITY, {
        "area": _needed(Kind.AREA), **FROM_UNTIL, **LEVELS, "authority": _needed(Kind.TEXT, "CAA"),
    }),
    Template(3, 1, "stop", Precedence.STOP, {
        "position": _needed(Kind.POSITION), "area": Field(Kind.AREA),
        "frequency": Field(Kind.FREQUENCY),
    }, "line.stop"),
    Template(4, 1, "position-report", Precedence.PRIORITY, {
        "position": _needed(Kind.POSITION), "time": _needed(Kind.TIME), "level": Field(Kind.LEVEL),
        "force": Field(Kind.PARTY), "frequency": Field(Kind.FREQUENCY),
    }),
    Template(5, 1, "accident-notice", Precedence.URGENT, {
        "time": _needed(Kind.TIME), "place": _needed(Kind.POSITION),
        "intent": INTENT._replace(is_needed=True), **LATER,
    }),
    Template(6, 1, "distress-relay", Precedence.DISTRESS, {
        "position": _needed(Kind.POSITION), "time": _needed(Kind.TIME),
        "who": _needed(Kind.TEXT, "call sign, type"),
        "nature": _needed(Kind.TEXT, "engine failure"), "persons": Field(Kind.COUNT),
        "phase": PHASE, "frequency": Field(Kind.FREQUENCY),
    }),
    Template(7, 1, "lost-communications", Precedence.URGENT, {
        "operation": _needed(Kind.OPERATION), "time": _needed(Kind.TIME),
        "position": Field(Kind.POSITION), "level": Field(Kind.LEVEL),
        "frequency": Field(Kind.FREQUENCY),
        "intention": Field(Kind.TEXT, example="returns to its base"),
    }),
    Template(8, 1, "none-here", Precedence.ROUTINE, {
        "area": _needed(Kind.AREA), **FROM_UNTIL,
    }, "none-here.state"),
    Template(9, 1, "line-check", Precedence.CHECK, {"number": Field(Kind.COUNT)}),
    Template(10, 1, "frequency-check", Precedence.CHECK, {"frequency": _needed(Kind.FREQUENCY)}),
    Template(11, 1, "request-information", Precedence.PRIORITY, {
        "about": _needed(Kind.TEXT, "aircraft without a call"), "position": Field(Kind.POSITION),
        "time": Field(Kind.TIME), "reply-by": Field(Kind.TIME),
    }),
    Template(12, 1, "suspension", Precedence.PRIORITY, {
        "agreement": _needed(Kind.TEXT, "mou"), "from": _needed(Kind.TIME),
        "why": Field(Kind.TEXT),
    }),
    Template(13, 1, "handover", Precedence.ROUTINE, {
        "post": _needed(Kind.TEXT, "watch"), "leaving": Field(Kind.TEXT, example="shift-lead"),
        "taking": Field(Kind.TEXT, example="shift-lead"), "open": Field(Kind.COUNT),
    }),
    Template(14, 1, "accident-update", Precedence.URGENT, {
        "time": Field(Kind.TIME), "place": Field(Kind.POSITION), "intent": INTENT, **LATER,
    }),
    Template(15, 1, CANCELLATION, Precedence.PRIORITY, {"why": Field(Kind.TEXT)}),
)  # fmt: skip
# What a cancellation can cancel: what announces something that may not come after all.
CANCELLED: Final = frozenset({"activity-notice", "closure"})
BY_FORM: Final = {(each.number, each.version): each for each in TEMPLATES}


def template_named(name: str) -> Template:
    """Return the latest version of a template; `InputError` where there is none of that name."""
    found = [each for each in TEMPLATES if each.name == name]
    if not found:
        known = ", ".join(dict.fromkeys(each.name for each in TEMPLATES))
        raise InputError("template", name, "is none", f"one of {known}")
    return found[-1]


def template_of(form: Form) -> Template:
    """Return the template that a message is of; `InputError` where there is none."""
    found = BY_FORM.get((form.number, form.version))
    if found is None:
        raise InputError(
            "template", f"{form.number}.{form.version}", "is none that is known here",
            "use one that both sides have",
        )  # fmt: skip
    return found


def name_of(form: Form | None) -> str:
    """Return the name of the template that a message is of; empty for none. As `template_of`."""
    return "" if form is None else template_of(form).name


def fields_of(form: Form | None) -> Mapping[str, Field]:
    """Return the fields that a message may have; `InputError` for what an act of its own says."""
    if form is None:
        return FREE
    template = template_of(form)
    if template.act:
        raise InputError(
            "template", template.name, f"is said by an act of kind {template.act} alone",
            "say it by that, or in words",
        )  # fmt: skip
    return template.fields
