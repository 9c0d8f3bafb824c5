# SPDX-License-Identifier: Apache-2.0
"""What another version would change, as one page: no network, no script, prints on A4.

First the counts in large type and among what; then both versions side by side; then the table
of all effects; then each that is not the same, both sides beside each other, with a map where
somebody has to look. It looks as the page of a check does (`html`): a party has one colour
throughout, and no colour stands without a word.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from keepclear.airspace.borders import Borders
from keepclear.checks.effect import Effect, Kind
from keepclear.checks.versions import EffectReport, Version
from keepclear.reports import effect_texts, texts
from keepclear.reports.html import DETAILED, MAP_WORDS, gap_section
from keepclear.reports.html_finding import plan_words, side_key
from keepclear.reports.markup import NOTHING, Markup, joined, tag, text
from keepclear.reports.sides import party_colours, sides_of
from keepclear.reports.style import CSS
from keepclear.reports.svg_map import HEIGHT, WIDTH, finding_map
from keepclear.reports.svg_patterns import patterns

ROWS_AT_MOST: Final = 500


def effect_html(report: EffectReport, borders: Borders | None = None) -> str:
    """Return the page; without `borders` its maps have none, and say so."""
    colours = party_colours(report.checked)
    day = texts.common_day(report.checked)
    changes = [each for each in report.effects if each.kind is not Kind.SAME]
    sheets = [
        _sheet(report, each, place, colours, borders, day)
        for place, each in enumerate(changes[:DETAILED], 1)
    ]
    body = tag(
        "body", patterns(colours.values(), WIDTH, HEIGHT), _header(report, day),
        _versions(report), _index(report.effects, colours, day),
        gap_section(report.checked, day), _footer(report, borders), *sheets,
    )  # fmt: skip
    head = tag(
        "head", tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", text(f"keepclear: {effect_texts.counts_text(report)}")),
        tag("style", Markup(CSS)),
    )  # fmt: skip
    return "<!doctype html>\n" + tag("html", head, body, lang="en") + "\n"


def _header(report: EffectReport, day: str | None) -> Markup:
    counts = {kind: n for kind, n in report.counts.items() if n}
    shown = [
        tag("div", _badge(kind.value, kind, n), class_="verdict") for kind, n in counts.items()
    ]
    if not shown:
        shown = [tag("div", text("None found under either version"), class_="verdict")]
    meaning = [
        tag("p", tag("b", text(kind)), text(f": {effect_texts.MEANING[kind]}."), class_="small")
        for kind in counts
    ]
    gaps = texts.gaps_text(report.checked)
    return tag(
        "header", tag("h1", text("keepclear agreement effect")), *shown,
        tag("p", text(effect_texts.new_text(report)), class_="among"),
        tag("p", text(gaps), class_="words") if gaps else NOTHING, *meaning,
        tag("p", text(effect_texts.NOT_SHOWN)),
        tag("p", text(f"All times are UTC, on {day}.")) if day else NOTHING,
    )  # fmt: skip


def _versions(report: EffectReport) -> Markup:
    names = tag("tr", *(tag("th", text(n), scope="col") for n in ("", "before", "after")))
    both = [list(_version_lines(report, each)) for each in (report.before, report.after)]
    cells = [tag("td", joined(map(text, lines), tag("br"))) for lines in both]
    rows = [tag("tr", tag("th", text("Version"), scope="row"), *cells)]
    assumed, of_files = texts.notes_of(report.checked)
    said = [
        ("Who acts", line.removeprefix("Who acts, ")) for line in effect_texts.acts_lines(report)
    ]
    said += [("House rule", unbound)] if (unbound := effect_texts.unbound_text(report)) else []
    said += [("Assumed", " ".join(assumed)), ("Files", ", ".join(report.checked.files))]
    said += [("Read", line) for line in of_files]
    last = ""
    for name, line in said:
        header = tag("th", text("" if name == last else name), scope="row")
        rows.append(tag("tr", header, tag("td", text(line), colspan=2)))
        last = name
    return tag("section", tag("table", tag("thead", names), tag("tbody", *rows), class_="versions"))


def _version_lines(report: EffectReport, version: Version) -> Iterator[str]:
    yield effect_texts.version_text(version)
    yield from effect_texts.version_lines(report, version)


def _index(effects: Sequence[Effect], colours: Mapping[str, str], day: str | None) -> Markup:
    if not effects:
        return NOTHING
    names = ("", "effect", "starts", "plans (party)", "margin before", "after", "what differs")
    head = tag("tr", *(tag("th", text(name), scope="col") for name in names))
    rows = [_row(place, each, colours, day) for place, each in enumerate(effects, 1)]
    said = NOTHING
    if (more := len(effects) - ROWS_AT_MOST) > 0:
        said = tag("p", text(f"… and {more:,} more: --format json has all."), class_="words")
    table = tag("table", tag("thead", head), tag("tbody", *rows[:ROWS_AT_MOST]))
    return tag("section", tag("h3", text("Effects: new first, then worse")), table, said)


def _row(place: int, effect: Effect, colours: Mapping[str, str], day: str | None) -> Markup:
    finding, number = effect.shown.finding, text(f"{place}")
    has_sheet = place <= DETAILED and effect.kind is not Kind.SAME
    linked = tag("a", number, href=f"#effect-{place}") if has_sheet else number
    pair = joined([plan_words(finding, i, colours, 20) for i in (0, 1)], tag("br"))
    before, after = effect_texts.margins_text(effect)
    return tag(
        "tr", tag("td", linked, class_="n"), tag("td", _effect_badge(effect)),
        tag("td", text(texts.start_text(finding, day)), class_="whole"),
        tag("td", pair, class_="pair"),
        tag("td", text(before), class_="whole"), tag("td", text(after), class_="whole"),
        tag("td", text(effect_texts.changed_text(effect))),
    )  # fmt: skip


def _sheet(
    report: EffectReport, effect: Effect, place: int, colours: Mapping[str, str],
    borders: Borders | None, day: str | None,
) -> Markup:  # fmt: skip
    finding = effect.shown.finding
    pair = joined([plan_words(finding, i, colours) for i in (0, 1)], text(" and "))
    title = tag("h2", _effect_badge(effect), text(f"Effect {place}"), tag("br"), pair)
    changed = effect_texts.changed_text(effect)
    words = f"What differs: {changed}." if effect.changed else f"Found {changed}."
    lead = tag("p", text(words), class_="lead") if changed else NOTHING
    besides = effect_texts.besides_text(effect)
    also = tag("p", text(f"All the same, {besides}."), class_="words") if besides else NOTHING
    return tag(
        "section", title, lead, also, _sides(report, effect, day),
        _map(report, effect, colours, borders), tag("p", text(texts.NO_NOTICE), class_="small"),
        class_="effect", id=f"effect-{place}",
    )  # fmt: skip


def _sides(report: EffectReport, effect: Effect, day: str | None) -> Markup:
    names = tag("tr", *(tag("th", text(n), scope="col") for n in ("", "before", "after")))
    rows = []
    for name, sides in effect_texts.compared(report, effect, day):
        wide = 2 if len(sides) == 1 else None
        cells = [tag("td", text(value), colspan=wide) for _, value in sides]
        rows.append(tag("tr", tag("th", text(name), scope="row"), *cells))
    return tag("table", tag("thead", names), tag("tbody", *rows), class_="versions")


def _map(
    report: EffectReport, effect: Effect, colours: Mapping[str, str], borders: Borders | None
) -> Markup:
    """Return the map, with its key, where somebody has to look."""
    if not effect.is_worse:
        return NOTHING
    finding = effect.shown.finding
    sides = sides_of(report.checked, finding, colours)
    drawn = finding_map(finding, sides, borders)
    if drawn is None:
        return tag("p", text("No place is known, so there is no map."), class_="words")
    return joined([drawn, side_key(sides, finding.verdict)])


def _effect_badge(effect: Effect) -> Markup:
    return _badge(effect_texts.kind_text(effect), effect.kind)


def _badge(words: str, kind: Kind, n: int | None = None) -> Markup:
    counted = "" if n is None else f"{n:,} "
    look = f"badge {kind} worse" if words != kind else f"badge {kind}"
    return tag("span", text(f"{counted}{words}"), class_=look)


def _footer(report: EffectReport, borders: Borders | None) -> Markup:
    drawn = MAP_WORDS if borders else "No borders are drawn."
    lines = (texts.NO_NOTICE, drawn, f"keepclear, kernel {report.checked.kernel}.")
    return tag("footer", *(tag("p", text(line), class_="small") for line in lines))
