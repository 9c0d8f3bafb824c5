# SPDX-License-Identifier: Apache-2.0
"""What happened in a range of a record, as one HTML page: without a network, on A4, no script.

In this order: whether it is proven; what the file is and cannot know; the map; the timeline, who
did what and who was told; each conflict on a sheet of its own; who was told what under which
clause. Looks as the page of a check does (`html`), with its map, time axis and heights.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from keepclear.agreement.findings import ClosestPoint, Finding, Interval, Verdict
from keepclear.airspace.borders import Borders
from keepclear.checks.report import Path
from keepclear.detect.kernel import KERNEL
from keepclear.exchange.disclosure import Shown
from keepclear.exchange.events import ConflictChanged, OperationFiled
from keepclear.plans.conflicts import Numbers
from keepclear.reports import after_action_cases as cases
from keepclear.reports import after_action_words as words
from keepclear.reports import texts
from keepclear.reports.after_action import ConflictStory, OperationStory, Story, Told
from keepclear.reports.after_action_map import box_volumes, key_words, range_map, volumes_of
from keepclear.reports.after_action_moments import Moment
from keepclear.reports.after_action_style import CSS, running_head
from keepclear.reports.form_text import row_markup
from keepclear.reports.html import MAP_WORDS
from keepclear.reports.html_finding import badge, side_key
from keepclear.reports.markup import NOTHING, Markup, joined, tag, text
from keepclear.reports.period import Ask, asks
from keepclear.reports.sides import PALETTE, Side
from keepclear.reports.style import CSS as LOOK
from keepclear.reports.svg_map import HEIGHT, WIDTH, finding_map
from keepclear.reports.svg_patterns import patterns
from keepclear.reports.svg_profile import altitude_profile
from keepclear.reports.svg_time import LEFT, RIGHT, time_axis
from keepclear.reports.time_scale import scale_of

DETAILED: Final = 50
MOMENTS_AT_MOST: Final = 2_000
TOLD_AT_MOST: Final = 2_000
NUMBERS_ARE: Final = (
    "The numbers are those that both sides were given: from the shapes as shown, rounded outward, "
    "so the closest point may lie where the areas as filed do not meet."
)
SENT_MEANS: Final = (
    "Sent: entered into the record for that party. Whether a person saw it is known only from an "
    "acknowledgement."
)


def after_action_html(story: Story, proof: words.Proof, borders: Borders | None = None) -> str:
    """Return the page; without `borders` its maps have none."""
    colours = party_colours(story.parties)
    day = words.common_day(story)
    conflicts = list(story.conflicts.values())
    sheets = [_sheet(each, story, colours, borders, day) for each in conflicts[:DETAILED]]
    body = tag(
        "body", patterns(colours.values(), WIDTH, HEIGHT),
        head_of(story, proof, "keepclear after-action report"), _counted(story),
        _where(story, colours, borders), _timeline(story, day), _index(conflicts, story, day),
        *sheets, _told(story, day), foot_of(borders),
    )  # fmt: skip
    return page_of(story, proof, "after-action report", body)


def page_of(story: Story, proof: words.Proof, name: str, body: Markup) -> str:
    """Return a page round its body."""
    style = LOOK + CSS + running_head(story.statuses, proof.kind)
    head = tag(
        "head", tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", text(f"{proof.title}: keepclear {name}, {story.header.region}")),
        tag("style", Markup(style)),
    )  # fmt: skip
    return "<!doctype html>\n" + tag("html", head, body, lang="en") + "\n"


def party_colours(parties: Sequence[str]) -> dict[str, str]:
    """Return the colour of each party."""
    return {party: PALETTE[i % len(PALETTE)] for i, party in enumerate(parties)}


def head_of(story: Story, proof: words.Proof, title: str) -> Markup:
    """Return the top of a page: status, whether it is proven, what it is of."""
    strips = [
        tag("div", text("  ".join([each.upper()] * 3)), class_=f"strip {each}")
        for each in story.statuses
    ]
    verdict = tag("div", text(proof.title), class_=f"proof {proof.kind}")
    said = [tag("p", text(each), class_="words" if i == 0 else None)
            for i, each in enumerate(proof.words)]  # fmt: skip
    header = story.header
    rows = [
        ("Record", f"{header.region}, incarnation {header.incarnation}"),
        ("Range", words.range_words(story)),
        ("Status", ", ".join(story.statuses) or "no act in the range"),
        ("View", words.whose_words(story)),
    ]
    facts = [tag("tr", tag("th", text(name), scope="row"), tag("td", text(value)))
             for name, value in rows]  # fmt: skip
    day = words.common_day(story)
    days = f"All times are UTC, on {day}." if day else "All times are UTC."
    stopped = NOTHING
    if story.stopped is not None:
        stopped = tag("p", text(f"The file cannot be read on from here: {story.stopped}"),
                      class_="stopped")  # fmt: skip
    return tag(
        "header", *strips, tag("h1", text(title)), verdict, *said,
        tag("table", tag("tbody", *facts), class_="facts"), stopped, tag("p", text(days)),
    )  # fmt: skip


def foot_of(borders: Borders | None) -> Markup:
    """Return the foot of a page."""
    drawn = MAP_WORDS if borders else "No borders are drawn."
    lines = (texts.NO_NOTICE, drawn, f"keepclear, kernel {KERNEL}.")
    return tag("footer", *(tag("p", text(line), class_="small") for line in lines))


def _counted(story: Story) -> Markup:
    acts = sum(each.act is not None for each in story.moments)
    notices = sum(len(each.notices) for each in story.moments)
    conflicts = story.conflicts.values()
    still = sum(each.latest.is_open for each in conflicts)
    counted = [
        _plural(acts, "act"),
        _plural(len(conflicts), "conflict"),
        _plural(notices, "notice"),
    ]
    said = f"{', '.join(counted)}. Not settled at the end: {still:,}."
    cases = "; ".join(story.stands)
    stands = (
        tag("p", text(f"{cases[:1].upper()}{cases[1:]}."), class_="among") if cases else NOTHING
    )
    return tag("section", tag("p", text(said), class_="among"), stands)


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _where(story: Story, colours: Mapping[str, str], borders: Borders | None) -> Markup:
    stories = story.standing()
    if not stories:
        return NOTHING
    drawn = range_map(stories, colours, borders)
    picture = drawn or tag("p", text("No place is in this file, so there is no map."))
    key = tag("p", key_words(), class_="small") if drawn else NOTHING
    heads = ("operation", "id", "callsign", "state", "heights", "when", "late")
    rows = [_operation_row(each, colours) for each in stories]
    table = _table(heads, rows)
    return tag("section", tag("h3", text("Where")), picture, key, table, class_="overview")


def _operation_row(story: OperationStory, colours: Mapping[str, str]) -> Markup:
    name = tag("b", text(story.name), style=f"color:{colours[story.party]}")
    latest = story.latest
    if latest is None:
        seen = next(iter(reversed(story.shown.values())), None)
        told = f"as shown: {words.shown_words(seen, None)}" if seen else "its existence only"
        cells = [tag("td", text(told), colspan=5)]
    else:
        late = "-" if latest.late_us <= 0 else f"LATE {-(-latest.late_us // 1_000_000):,} s"
        values = (
            latest.callsign or "-", f"{latest.state}, version {latest.version}",
            words.heights_words(latest), words.times_words(latest, None), late,
        )  # fmt: skip
        cells = [tag("td", text(each)) for each in values]
    return tag("tr", _whole(name), _whole(text(story.id[:8])), *cells)


def _whole(content: Markup) -> Markup:
    """Return a cell whose words are not broken: a time, a name, an id."""
    return tag("td", content, class_="t")


def _timeline(story: Story, day: str | None) -> Markup:
    if not story.moments:
        return tag("section", tag("h3", text("Timeline")), tag("p", text("Nothing happened.")))
    rows = [_moment_row(each, story, day) for each in story.moments[:MOMENTS_AT_MOST]]
    more = len(story.moments) - MOMENTS_AT_MOST
    left = f"… and {more:,} more: give a shorter range with --from and --to." if more > 0 else ""
    table = _table(("time (UTC)", "who", "what", "told in the same entry"), rows, "timeline")
    said = tag("p", text(left), class_="words") if left else NOTHING
    title = tag("h3", text("Timeline: who did what, and who was told"))
    return tag("section", title, tag("p", text(SENT_MEANS), class_="small"), table, said)


def _moment_row(moment: Moment, story: Story, day: str | None) -> Markup:
    lines = list(words.what_words(moment, story, day))
    has_act = moment.act is not None
    what = [tag("p", row_markup(each), class_="act" if i == 0 and has_act else None)
            for i, each in enumerate(lines)]  # fmt: skip
    raised = any(
        isinstance(each.value, ConflictChanged)
        and words.is_found_anew(each.value.conflict, moment, story)
        for each in moment.parts
    )
    late = any(
        isinstance(each.value, OperationFiled) and each.value.operation.late_us > 0
        for each in moment.parts
    )
    raised = raised or cases.is_contradicted(moment)
    late = late or cases.is_overdue(moment)
    look = "conflict" if raised else "late" if late else None
    told = [
        tag("p", text(f"{party}: notice {notice.number}{_note(notice.note, story)}"), class_="told")
        for party, notice in moment.notices
    ] + [tag("p", text(each), class_="told") for each in cases.told(moment)]
    return tag(
        "tr", tag("td", text(_at(moment.at_us, day)), class_="t"),
        tag("td", text(words.who_words(moment, story))), tag("td", *what, class_=look),
        tag("td", *told),
    )  # fmt: skip


def _note(note: str, story: Story) -> str:
    return f" ({words.named(note, story)})" if note else ""


def _at(time_us: int, day: str | None) -> str:
    return texts.time_text(time_us, day)


def _index(conflicts: Sequence[ConflictStory], story: Story, day: str | None) -> Markup:
    if not conflicts:
        return tag(
            "section",
            tag("h3", text("Separations")),
            tag("p", text("None was found in this range.")),
        )
    heads = ("", "raised", "operations", "broken", "closest", "who acts", "settled")
    rows = []
    for place, each in enumerate(conflicts, 1):
        broken = each.latest.broken
        numbers = next((one.numbers for one in broken if one.numbers), None)
        finding = None if numbers is None else _finding(each, numbers, story)
        closest = "not disclosed" if finding is None else f"{texts.apart_text(finding)}, as shown"
        where = "; ".join(f"clause {one.clause}" if one.clause else "house rule" for one in broken)
        linked = tag("a", text(each.name), href=f"#c-{each.id[:8]}")
        cells = (
            words.pair_words(each.latest, story), where, closest,
            words.must_act_words(each.latest, story), words.settled_words(each, story, day),
        )  # fmt: skip
        raised = tag("td", text(_at(each.latest.raised_us, day)), class_="t")
        name = linked if place <= DETAILED else text(each.name)
        rows.append(tag("tr", _whole(name), raised, *(tag("td", text(c)) for c in cells)))
    return tag("section", tag("h3", text("Separations")), _table(heads, rows))


def _sheet(
    each: ConflictStory, story: Story, colours: Mapping[str, str], borders: Borders | None,
    day: str | None,
) -> Markup:  # fmt: skip
    """Return the sheet of one conflict."""
    latest = each.latest
    title = tag("h2", badge(_verdict(each)), text(f"{each.name} ({latest.id[:8]})"), tag("br"),
                text(words.pair_words(latest, story)))  # fmt: skip
    lines = [
        ("Raised", _at(latest.raised_us, day)),
        ("Who acts", words.must_act_words(latest, story)),
        ("Settled", words.settled_words(each, story, day)),
    ]
    drawings: list[Markup] = []
    for broken in latest.broken:
        where, asks_for, clause = words.rule_words(broken, story)
        lines.append(("Broken", f"{where}{': ' if asks_for else ''}{asks_for}"))
        if clause:
            lines.append(("It says", clause))
        if broken.numbers is None:
            lines.append(("Numbers", "none: the clauses show too little for any"))
            continue
        finding = _finding(each, broken.numbers, story)
        lines += _number_lines(finding, day)
        if not drawings:
            drawings = list(_drawings(each, finding, story, colours, borders))
    rows = [tag("tr", tag("th", text(name), scope="row"), tag("td", text(value)))
            for name, value in lines]  # fmt: skip
    return tag(
        "section", title, tag("table", tag("tbody", *rows), class_="facts"), *drawings,
        _knew(each, story, day), tag("p", text(texts.NO_NOTICE), class_="small"),
        class_="finding long settling", id=f"c-{latest.id[:8]}",
    )  # fmt: skip


def _verdict(each: ConflictStory) -> Verdict:
    found = [one.numbers.verdict for one in each.latest.broken if one.numbers is not None]
    return min(found, key=list(Verdict).index, default=Verdict.CONFLICT)


def _number_lines(finding: Finding, day: str | None) -> Iterator[tuple[str, str]]:
    yield "In conflict", texts.intervals_text(finding.intervals)
    if cpa := finding.cpa:
        where = texts.position_text(cpa.latitude_deg, cpa.longitude_deg)
        at = _at(cpa.time_us, day)
        yield "Closest", f"{texts.apart_text(finding)}, as shown, {at} at {where}"
    yield "Short by", texts.short_by_text(finding) or "cannot be known"


def _finding(each: ConflictStory, numbers: Numbers, story: Story) -> Finding:
    """Return a conflict as a finding of a check, which the drawings take."""
    latest = each.latest
    interval = Interval(start_us=numbers.from_us, end_us=numbers.to_us)
    cpa = ClosestPoint(
        time_us=numbers.closest_us, latitude_deg=numbers.latitude_deg,
        longitude_deg=numbers.longitude_deg, lateral_m=numbers.lateral_m,
        vertical_m=numbers.vertical_m,
    )  # fmt: skip
    return Finding(
        id=latest.id, a=story.name(latest.a), b=story.name(latest.b), a_index=0, b_index=1,
        parties=latest.parties, verdict=numbers.verdict, intervals=(interval,),
        intervals_a=(interval,), intervals_b=(interval,), cpa=cpa, rule=numbers.rule,
        leaf=numbers.leaf, short_by_m=numbers.short_by_m, short_by_s=numbers.short_by_s,
        margin_m=None, margin_without_uncertainty_m=None,
    )  # fmt: skip


def _drawings(
    each: ConflictStory, finding: Finding, story: Story, colours: Mapping[str, str],
    borders: Borders | None,
) -> Iterator[Markup]:  # fmt: skip
    """Yield map, time axis and heights of a conflict, as it was when it was last found."""
    sides = _sides(each, finding, story, colours)
    if drawn := finding_map(finding, sides, borders):
        yield drawn
    yield side_key(sides, finding.verdict)
    shown = [
        side.name
        for side, own_id in zip(sides, (each.latest.a, each.latest.b), strict=True)
        if _has_box(each.boxes.get(own_id))
    ]
    boxes = f" Drawn of {' and '.join(shown)}: the box as shown." if shown else ""
    yield tag("p", text(NUMBERS_ARE + boxes), class_="small")
    if scale := scale_of(finding, LEFT, RIGHT):
        yield tag("h3", text("When (UTC)"))
        yield time_axis(finding, sides, (), scale)
        yield tag("h3", text("How high"))
        yield altitude_profile(finding, sides, scale)


def _sides(
    each: ConflictStory, finding: Finding, story: Story, colours: Mapping[str, str]
) -> tuple[Side, Side]:
    made = []
    ids = (each.latest.a, each.latest.b)
    for letter, own_id, party, operation in zip(
        "AB", ids, finding.parties, each.sides, strict=True
    ):
        volumes = volumes_of(operation, each.boxes.get(own_id))  # as shown: the numbers are of it
        name = story.name(own_id)
        made.append(Side(
            letter=letter, name=name, party=party, colour=colours[party],
            dash=None if letter == "A" else "7 4",
            path=Path(name=name, party=party, volumes=volumes), intervals=finding.intervals,
        ))  # fmt: skip
    return made[0], made[1]


def _has_box(shown: Shown | None) -> bool:
    return shown is not None and bool(box_volumes(shown))


def _knew(each: ConflictStory, story: Story, day: str | None) -> Markup:
    """Return who knew what when: a row each time it was told, a column for each side."""
    parties = list(dict.fromkeys(sorted(each.latest.parties)))
    taken = {(ask.party, ask.sent_us): ask for ask in asks(each)}
    rows = []
    for at_us, told in groupby(each.told, key=lambda one: one.at_us):
        notices = list(told)
        said = "; ".join(dict.fromkeys(f"{n.state}{_note(n.note, story)}" for _, _, n in notices))
        cells = [
            tag("td", *(tag("p", text(one)) for one in _known(notices, party, taken, day)))
            if party in {story.viewer, *(to for _, to, _ in notices)}
            else tag("td", text(words.NOT_HELD))
            for party in parties
        ]  # fmt: skip
        rows.append(tag("tr", _whole(text(_at(at_us, day))), tag("td", text(said)), *cells))
    heads = ("sent (UTC)", "it said", *(f"{party} was told" for party in parties))
    title = tag("h3", text("Who knew what, when"))
    others = NOTHING
    if story.viewer is not None:
        others = tag("p", text("Each change is told to both sides in the same entry."),
                     class_="small")  # fmt: skip
    return joined([title, _table(heads, rows), others])


def _known(
    notices: Sequence[Told], party: str, taken: Mapping[tuple[str, int], Ask], day: str | None
) -> Iterator[str]:
    """Yield what one side was told at a time, and when it said that it knew."""
    for at_us, to, notice in notices:
        if to != party:
            continue
        yield f"notice {notice.number}"
        ask = taken.get((party, at_us))
        if ask is None:
            continue
        if ask.acknowledged_us is not None:
            took = texts.duration_text(ask.acknowledged_us - at_us)
            yield f"acknowledged {_at(ask.acknowledged_us, day)}, after {took}"
        elif ask.acted_us is not None:
            yield f"NOT ACKNOWLEDGED, but acted on {_at(ask.acted_us, day)}"
        else:
            yield "NOT ACKNOWLEDGED"


def _told(story: Story, day: str | None) -> Markup:
    """Return the list of who was told what under which clause."""
    every = [
        (moment.at_us, party, notice) for moment in story.moments
        for party, notice in moment.notices
    ]  # fmt: skip
    if not every:
        return NOTHING
    rows = []
    for at_us, party, notice in every[:TOLD_AT_MOST]:
        found = story.conflicts.get(notice.conflict)
        about = found.name if found else notice.conflict[:8]
        seen = f"of {story.name(notice.other.id)}: {words.shown_words(notice.other, day)}"
        sent = [_whole(text(one)) for one in (_at(at_us, day), party, f"{notice.number}")]
        cells = (
            f"{about}: {notice.state}, {notice.precedence}",
            seen,
            words.by_words(notice.other, story),
        )
        rows.append(tag("tr", *sent, *(tag("td", text(one)) for one in cells)))
    heads = ("sent (UTC)", "to", "no.", "about", "what it was shown", "under")
    more = len(every) - TOLD_AT_MOST
    left = f"… and {more:,} more: give a shorter range with --from and --to." if more > 0 else ""
    said = tag("p", text(left), class_="words") if left else NOTHING
    title = tag("h3", text("Who was told what, under which clause"))
    return tag("section", title, _table(heads, rows), said, class_="sheet")


def _table(heads: Sequence[str], rows: Sequence[Markup], look: str | None = None) -> Markup:
    head = tag("tr", *(tag("th", text(each), scope="col") for each in heads))
    return tag("table", tag("thead", head), tag("tbody", *rows), class_=look)
