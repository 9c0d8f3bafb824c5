# SPDX-License-Identifier: Apache-2.0
"""A message of the line as a document of the Common Alerting Protocol (OASIS CAP-v1.2).

What may be written is decided before (`line.leaving`); how it is signed stands in `cap_signing`.
Layout, in the order of CAP's schema:

    identifier     the id of the message
    sender         PARTY@EXCHANGE, as in north@keepclear.example/exercise-east
    sent           when the record has it as sent, to the second, at -00:00
    status         Actual, Exercise or Test, as the message has it
    msgType        Alert; Update, of a notice that goes on from an earlier one; Cancel
    source         the post that sent it
    scope          Private
    addresses      PARTY@EXCHANGE of its receiver
    note           that it is an exercise or a test; what absence of notification means
    references     what an Update or a Cancel takes the place of; of an Alert what it replies to
    info           one for each language that a template has words in; of free text alone, its own

1. One message is one document, the same whoever asks for it, but for the signature: it holds what
   was sent, and not how far it has come since.
2. An Update and a Cancel take the place of what they refer to, so an Update has all of it again.
3. There is no `altitude` or `ceiling`: CAP knows feet above the sea, and a level has another
   reference. Without them an area is all heights, which is never too little.
4. What was said by other means and is keyed in later is no alert of now: its headline says LATE
   ENTRY and when it was said, which is a claim; `sent` is when it was entered.
5. A circle stands where the message says all of the extent: the place of an accident, as well as it
   is known. Elsewhere a circle about a position would say that nothing is outside of it.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from keepclear.agreement.clauses import Precedence
from keepclear.errors import InputError
from keepclear.formats.cap import NAMESPACE, Reference
from keepclear.formats.wording import wording_in
from keepclear.line.isolates import END, RIGHT_TO_LEFT, isolated
from keepclear.line.leaving import NOTICE, UPDATE, Leaving
from keepclear.line.messages import SPOKEN, Message
from keepclear.line.templates import CANCELLATION, name_of, template_of
from keepclear.line.values import Kind, PlaceValue, TimeValue, Value, value_text
from keepclear.line.wording import LANGUAGES, FormLine, Wording, form_lines
from keepclear.record.headers import Status
from keepclear.units import format_time

SHORT: Final = 8
MOST_HEADLINE: Final = 160  # characters (CAP-v1.2, 3.2.2)
SECOND_DIGITS: Final = 19  # of a time, up to its seconds
# CAP-v1.2, 3.2.2: how soon to act is how soon a person is to acknowledge (clause on deadlines).
URGENCY: Final = {
    Precedence.URGENT: "Immediate", Precedence.PRIORITY: "Expected", Precedence.ROUTINE: "Future",
}  # fmt: skip
# PAN PAN is of the safety of a craft or a person (ICAO Annex 10 Volume II, 5.3.1.1): "Severe" is a
# significant threat to life or property, "Moderate" a possible one, "Minor" minimal or none known.
SEVERITY: Final = {
    Precedence.URGENT: "Severe", Precedence.PRIORITY: "Moderate", Precedence.ROUTINE: "Minor",
}  # fmt: skip
# "Observed" has happened or goes on; what its own doer or the authority announces is "Likely".
CERTAINTY: Final[Mapping[str, str]] = {
    "activity-notice": "Likely", "closure": "Likely", NOTICE: "Observed", UPDATE: "Observed",
    CANCELLATION: "Likely",
}  # fmt: skip
CATEGORY: Final[Mapping[str, str]] = {
    "activity-notice": "Transport", "closure": "Transport", CANCELLATION: "Transport",
    NOTICE: "Safety", UPDATE: "Safety",
}  # fmt: skip
UNKNOWN: Final = "Unknown"
SAFETY: Final = "Safety"
# Of which the message says all of the extent.
EXACT_PLACES: Final = frozenset({"place"})
# Said by other means and keyed in later (`line.said`): when is a claim of its sender.
LATE_ENTRY: Final = "LATE ENTRY"
MARKED: Final = {
    Status.ACTUAL: "", Status.EXERCISE: "EXERCISE. ", Status.TEST: "TEST. ",
}  # fmt: skip


class Place(NamedTuple):
    """Where documents are made. exchange: its name; says: what every notice carries."""

    exchange: str
    says: str


def reference_of(message: Message, exchange: str) -> Reference:
    """Return how a message is named by documents of CAP. exchange: the name it signs under."""
    return Reference(_who(message.sender, exchange), message.id, cap_time(message.sent_us))


def cap_time(time_us: int) -> str:
    """Return a time as CAP has it, to the second."""
    return f"{format_time(time_us)[:SECOND_DIGITS]}-00:00"


def written(notice: Leaving, place: Place) -> bytes:
    """Return a notice as a document that is not signed; `InputError` for what XML cannot hold."""
    message, exchange = notice.message, place.exchange
    own = reference_of(message, exchange)
    root = Element("alert", {"xmlns": NAMESPACE})
    for name, text in {
        "identifier": own.identifier, "sender": own.sender, "sent": own.sent,
        "status": message.status.value, "msgType": kind_of(notice),
        "source": message.sender_post, "scope": "Private",
        "addresses": _who(message.receiver, exchange),
        "note": f"{MARKED[message.status]}{place.says}",
        "references": " ".join(",".join(each) for each in _references(notice, exchange)),
    }.items():  # fmt: skip
        if text:
            SubElement(root, name).text = text
    for language in LANGUAGES if message.template is not None else (message.language,):
        _add_info(root, notice, language)
    _check_text(root)
    indent(root)
    made: bytes = tostring(root, encoding="UTF-8", xml_declaration=True)
    return made


def kind_of(notice: Leaving) -> str:
    """Return the msgType of a notice."""
    if notice.is_cancelled:
        return "Cancel"
    return "Update" if notice.earlier else "Alert"


def _who(party: str, exchange: str) -> str:
    if any(each in exchange for each in ",<&"):
        raise InputError(
            "exchange", exchange, "has a comma, < or & in its name, which CAP has in none",
            "the operator opens a region under another name for that",
        )  # fmt: skip
    return f"{party}@{exchange}"


def _references(notice: Leaving, exchange: str) -> Iterator[Reference]:
    of = notice.earlier or ((notice.replied,) if notice.replied is not None else ())
    return (reference_of(each, exchange) for each in of)


def _add_info(root: Element, notice: Leaving, language: str) -> None:
    """Add what a notice says in one language, in the order of CAP's schema."""
    message, name = notice.message, name_of(notice.message.template)
    lines = _lines(notice, language)
    title = lines[0].words if lines else _title(message)
    info = SubElement(root, "info")
    times = {each.name: each.at_us for each in notice.values if isinstance(each, TimeValue)}
    onset_us = times.get("from", times.get("time"))
    contact = [value_text(each) for each in notice.values if each.name == "contact"]
    for tag, text in (
        ("language", language),
        ("category", CATEGORY.get(name, SAFETY)),
        ("event", title),
        ("urgency", URGENCY[message.precedence]),
        ("severity", SEVERITY[message.precedence]),
        ("certainty", CERTAINTY.get(name, UNKNOWN)),
        ("onset", "" if onset_us is None else cap_time(onset_us)),
        ("expires", cap_time(times["until"]) if "until" in times else ""),
        ("senderName", f"{message.sender}, {message.sender_post}"),
        ("headline", f"{_marked(message)}{_title(message)}: {title}"[:MOST_HEADLINE]
         if lines else f"{_marked(message)}{title}"),
        ("description", _description(notice, lines, wording_of(language))),
        ("contact", "".join(contact)),
    ):  # fmt: skip
        if text:
            SubElement(info, tag).text = text
    for value_name, value in _parameters(notice):
        parameter = SubElement(info, "parameter")
        SubElement(parameter, "valueName").text = value_name
        SubElement(parameter, "value").text = value
    for each in notice.values:
        _add_area(info, message, each, wording_of(language))


def wording_of(language: str) -> Wording:
    """Return the words of a language, or of English where there are none."""
    return wording_in(language if language in LANGUAGES else "en")


def _marked(message: Message) -> str:
    """Return what stands before a headline: what is no alert of now, or of no real event."""
    said = message.said
    late = "" if said is None else f"{LATE_ENTRY}, said {cap_time(said.at_us)}. "
    return f"{MARKED[message.status]}{late}"


def _title(message: Message) -> str:
    spoken = SPOKEN.get(message.precedence)
    return f"{message.precedence} ({spoken})" if spoken else str(message.precedence)


def _lines(notice: Leaving, language: str) -> tuple[FormLine, ...]:
    form = notice.message.template
    if form is None:
        return ()
    return form_lines(template_of(form), notice.values, wording_in(language))


def _description(notice: Leaving, lines: tuple[FormLine, ...], wording: Wording) -> str:
    """Return what a notice says: its template line by line, then what was typed freely."""
    made = [_line_text(each, wording) for each in lines]
    typed = [each for each in (*notice.earlier, notice.message) if each.text.strip()]
    for each in typed:
        is_marked = each.language != wording.language or len(typed) > 1
        sent = f"{format_time(each.sent_us)[:SECOND_DIGITS]}Z"
        mark = f"[{each.language}, {sent}] " if is_marked else ""
        made.append(f"{mark}{each.text}")
    return "\n".join(made)


def _line_text(line: FormLine, wording: Wording) -> str:
    number = f"{line.number} " if line.number else ""
    if not wording.is_right_to_left:
        return f"{number}{line.words}{_values(line.values)}"
    number = f"{isolated(line.number)} " if line.number else ""
    values = tuple(isolated(each) for each in line.values)
    return f"{RIGHT_TO_LEFT}{number}{line.words}{_values(values)}{END}"


def _values(values: tuple[str, ...]) -> str:
    if not values:
        return ""
    first, *others = values
    return f": {first}{''.join(f' ({each})' for each in others)}"


def _parameters(notice: Leaving) -> Iterator[tuple[str, str]]:
    """Yield what a program reads, by names that are the same in every language."""
    message = notice.message
    yield "keepclear:precedence", str(message.precedence)
    if message.template is not None:
        yield "keepclear:template", f"{message.template.number}.{message.template.version}"
    if message.said is not None:
        yield "keepclear:said-at", cap_time(message.said.at_us)
    for each in notice.values:
        yield f"keepclear:{each.name}", value_text(each)


def _add_area(info: Element, message: Message, value: Value, wording: Wording) -> None:
    """Add where something is, as far as a value says it."""
    is_area = message.template is not None and (
        template_of(message.template).fields[value.name].kind is Kind.AREA
    )
    if not (is_area or isinstance(value, PlaceValue)):
        return
    area = SubElement(info, "area")
    label = wording.fields[value.name]
    SubElement(area, "areaDesc").text = _line_text(
        FormLine("", label, (value_text(value),)), wording
    )
    if isinstance(value, PlaceValue) and value.name in EXACT_PLACES:
        at = value.position
        radius_km = math.ceil(value.within_m) / 1_000
        SubElement(
            area, "circle"
        ).text = f"{at.latitude_deg:.7f},{at.longitude_deg:.7f} {radius_km:.3f}"


def _check_text(root: Element) -> None:
    """Refuse characters that XML 1.0 cannot hold (2.2): nothing is written otherwise than said."""
    for each in root.iter():
        for character in each.text or "":
            code = ord(character)
            if not (
                code in {0x9, 0xA}
                or 0x20 <= code <= 0xD7FF
                or 0xE000 <= code <= 0xFFFD
                or code >= 0x10000
            ):
                raise InputError(
                    "message", f"U+{code:04X}", "is a character that XML cannot hold",
                    "send the message anew without it",
                )  # fmt: skip
