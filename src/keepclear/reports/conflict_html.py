# SPDX-License-Identifier: Apache-2.0
"""A conflict as one side of it sees it: a sheet with its map, when and how high, on a page.

Yours is drawn as filed, the other's as it was shown to you: a box rounded outward, or whole where
a clause shows everything. Looks as a finding of a check does (`html_finding`), with its drawings.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from keepclear.agreement.clauses import Precedence
from keepclear.agreement.findings import ClosestPoint, Finding, Interval, Verdict
from keepclear.airspace.borders import Borders
from keepclear.airspace.volumes import Volume4D
from keepclear.checks.report import Path
from keepclear.exchange.picture import SETTLED
from keepclear.exchange.views import Notice
from keepclear.plans.conflicts import Numbers
from keepclear.plans.operations import Operation
from keepclear.plans.understood import understood
from keepclear.record.headers import Status
from keepclear.reports import texts
from keepclear.reports.after_action import OperationStory
from keepclear.reports.after_action_html import NUMBERS_ARE, foot_of
from keepclear.reports.after_action_map import box_volumes, range_map, volumes_of
from keepclear.reports.after_action_style import CSS, running_head
from keepclear.reports.desk_text import SHORT, as_of_text, notice_rows, seen_rows
from keepclear.reports.html_finding import badge, side_key
from keepclear.reports.markup import NOTHING, Markup, joined, tag, text
from keepclear.reports.play_values import day_of
from keepclear.reports.sides import PALETTE, Side
from keepclear.reports.style import CSS as LOOK
from keepclear.reports.svg_map import HEIGHT, WIDTH, finding_map
from keepclear.reports.svg_patterns import patterns
from keepclear.reports.svg_profile import altitude_profile
from keepclear.reports.svg_time import LEFT, RIGHT, time_axis
from keepclear.reports.time_scale import scale_of
from keepclear.reports.told_text import operation_rows
from keepclear.units import format_time

TOO_LITTLE: Final = (
    "No clause shows enough of the other side for numbers or a place, so your own operation is "
    "drawn alone. Call the other side."
)
# The only sheet goes on where its head ends.
ALONE: Final = """
header + .finding { break-before: auto; border-top: 0; margin-top: 0; padding-top: 0; }
"""


class Page(NamedTuple):
    """What stands on top of a page: whose it is, its status, and up to when it goes.

    as_of_us: by the clock of the desk. stale: why it may be old, empty where the exchange was asked
    just now.
    """

    party: str
    region: str
    status: Status
    as_of_us: int
    stale: str


def conflict_html(
    notice: Notice, own: Operation | None, page: Page, borders: Borders | None = None
) -> str:
    """Return the page of one conflict. own: the party's operation, where it is held."""
    colours = colours_of(page.party, [notice])
    body = tag(
        "body", patterns(colours.values(), WIDTH, HEIGHT), head_of(page, "keepclear conflict"),
        conflict_sheet(notice, own, page.party, colours, borders, page.as_of_us), foot_of(borders),
    )  # fmt: skip
    title = f"CONFLICT {notice.conflict[:SHORT]} of {page.party}"
    return page_of(title, body, ALONE + head_of_sheets(page.status, page.as_of_us))


def page_of(title: str, body: Markup, style: str = "") -> str:
    """Return a page round its body."""
    head = tag(
        "head", tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", text(title)), tag("style", Markup(LOOK + CSS + style)),
    )  # fmt: skip
    return "<!doctype html>\n" + tag("html", head, body, lang="en") + "\n"


def head_of_sheets(status: Status, as_of_us: int) -> str:
    """Return the rule that says on each printed sheet what it is, and up to when it goes."""
    return running_head([status.value], f"AS OF {format_time(as_of_us)[:19]}Z")


def head_of(page: Page, title: str) -> Markup:
    """Return the top of a page: status, whose it is, and up to when it goes."""
    strip = tag("div", text("  ".join([page.status.value.upper()] * 3)),
                class_=f"strip {page.status.value}")  # fmt: skip
    stale = NOTHING
    if page.stale:
        said = f"NOT UP TO DATE, AND MAY BE STALE: {page.stale}"
        stale = tag("p", text(said), class_="stopped")
    as_of = (
        f"As {page.party} was shown it, proven, up to {format_time(page.as_of_us)[:19]}Z by the "
        "clock of its desk."
    )
    return tag(
        "header", strip, tag("h1", text(f"{title}, {page.region}")), stale,
        tag("p", text(as_of), class_="words"),
    )  # fmt: skip


def colours_of(party: str, notices: list[Notice]) -> dict[str, str]:
    """Return the colour of each party, one's own the first."""
    others = sorted({each.other.party for each in notices} - {party})
    return {each: PALETTE[i % len(PALETTE)] for i, each in enumerate([party, *others])}


def conflict_sheet(
    notice: Notice, own: Operation | None, party: str, colours: Mapping[str, str],
    borders: Borders | None, as_of_us: int,
) -> Markup:  # fmt: skip
    """Return the sheet of one conflict, which says up to when it goes: it may be read alone."""
    day = day_of(as_of_us)
    urgency = "" if notice.precedence is Precedence.ROUTINE else f"{notice.precedence}: "
    pair = f"your {name_of(notice.own, own)} and {notice.other.id[:SHORT]} of {notice.other.party}"
    title = tag(
        "h2", badge(_verdict(notice)), text(f"{urgency}{notice.conflict[:SHORT]}: {notice.state}"),
        tag("br"), text(pair),
    )  # fmt: skip
    own_rows = {} if own is None else operation_rows(own, understood(own), day)
    return tag(
        "section", title, _facts(notice_rows(notice, day)),
        *([] if notice.state in SETTLED else _drawings(notice, own, party, colours, borders)),
        tag("h3", text(f"Yours: {name_of(notice.own, own)}")),
        _facts({"state": "" if own is None else str(own.state), **own_rows}),
        tag("h3", text(f"What you see of {notice.other.id[:SHORT]} of {notice.other.party}")),
        _facts(seen_rows(notice, day)),
        tag("p", text(f"This sheet is {as_of_text(as_of_us)}. {texts.NO_NOTICE}"), class_="small"),
        class_="finding long", id=f"c-{notice.conflict[:SHORT]}",
    )  # fmt: skip


def name_of(own_id: str, own: Operation | None) -> str:
    """Return an operation of one's own by its digits, and its callsign."""
    callsign = "" if own is None else own.callsign
    return f"{own_id[:SHORT]} {callsign}".strip()


def _verdict(notice: Notice) -> Verdict:
    found = [each.numbers.verdict for each in notice.broken if each.numbers is not None]
    return min(found, key=list(Verdict).index, default=Verdict.CONFLICT)


def _facts(rows: Mapping[str, str]) -> Markup:
    made = [
        tag("tr", tag("th", text(name), scope="row"), tag("td", text(value)))
        for name, value in rows.items() if value
    ]  # fmt: skip
    return tag("table", tag("tbody", *made), class_="facts") if made else NOTHING


def _drawings(
    notice: Notice, own: Operation | None, party: str, colours: Mapping[str, str],
    borders: Borders | None,
) -> Iterator[Markup]:  # fmt: skip
    """Yield map, time axis and heights of a conflict; of what is shown too little, the own area."""
    found = [each.numbers for each in notice.broken if each.numbers is not None]
    if not found:
        yield tag("p", text(TOO_LITTLE), class_="words")
        if own is not None:
            drawn = own_map([own], party, colours, borders)
            yield drawn or NOTHING
        return
    finding = _finding(notice, own, party, found[0])
    sides = _sides(notice, own, finding, colours)
    if drawn := finding_map(finding, sides, borders):
        yield drawn
    yield side_key(sides, finding.verdict)
    box = f" Of {notice.other.party} the box is drawn that is shown." if _has_box(notice) else ""
    yield tag("p", text(NUMBERS_ARE + box), class_="small")
    if scale := scale_of(finding, LEFT, RIGHT):
        yield joined([tag("h3", text("When (UTC)")), time_axis(finding, sides, (), scale)])
        yield joined([tag("h3", text("How high")), altitude_profile(finding, sides, scale)])


def own_map(
    operations: list[Operation], party: str, colours: Mapping[str, str], borders: Borders | None
) -> Markup | None:
    """Return a map of operations as they were filed; None where there is none."""
    stories = [
        OperationStory(each.id, party, name_of(each.id, each), latest=each) for each in operations
    ]
    return range_map(stories, colours, borders)


def _finding(notice: Notice, own: Operation | None, party: str, numbers: Numbers) -> Finding:
    """Return a conflict as a finding of a check, which the drawings take."""
    interval = Interval(start_us=numbers.from_us, end_us=numbers.to_us)
    cpa = ClosestPoint(
        time_us=numbers.closest_us, latitude_deg=numbers.latitude_deg,
        longitude_deg=numbers.longitude_deg, lateral_m=numbers.lateral_m,
        vertical_m=numbers.vertical_m,
    )  # fmt: skip
    return Finding(
        id=notice.conflict, a=name_of(notice.own, own), b=notice.other.id[:SHORT], a_index=0,
        b_index=1, parties=(party, notice.other.party), verdict=numbers.verdict,
        intervals=(interval,), intervals_a=(interval,), intervals_b=(interval,), cpa=cpa,
        rule=numbers.rule, leaf=numbers.leaf, short_by_m=numbers.short_by_m,
        short_by_s=numbers.short_by_s, margin_m=None, margin_without_uncertainty_m=None,
    )  # fmt: skip


def _sides(
    notice: Notice, own: Operation | None, finding: Finding, colours: Mapping[str, str]
) -> tuple[Side, Side]:
    return (
        _side("A", finding.a, finding.parties[0], volumes_of(own, None), finding, colours),
        _side("B", finding.b, finding.parties[1], volumes_of(None, notice.other), finding, colours),
    )


def _side(
    letter: str, name: str, party: str, volumes: tuple[Volume4D, ...], finding: Finding,
    colours: Mapping[str, str],
) -> Side:  # fmt: skip
    return Side(
        letter=letter, name=name, party=party, colour=colours[party],
        dash=None if letter == "A" else "7 4", path=Path(name=name, party=party, volumes=volumes),
        intervals=finding.intervals,
    )  # fmt: skip


def _has_box(notice: Notice) -> bool:
    return not notice.other.volumes and bool(box_volumes(notice.other))
