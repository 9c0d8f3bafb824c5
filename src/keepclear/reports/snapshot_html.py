# SPDX-License-Identifier: Apache-2.0
"""The last picture of a party as one page: to go on from where the exchange cannot be asked.

On top up to when it goes, in large type, and how old that is now; then whom to call and by which
rules; messages that are not done and conflicts, the urgent first; the party's own operations with
their map; the words of each agreement; and which checkpoints prove it. The picture itself stands in
the page as data, so that the page can be verified, and made again to compare.

The only script of any page of ours is here, and reckons one number: how old it is, by the clock of
the machine that shows it. A page that says "3 minutes" on a sheet of paper would lie tomorrow, so
paper says up to when it goes.
"""

from base64 import b64decode, b64encode
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from keepclear.agreement.clauses import Precedence
from keepclear.agreement.documents import hash_of
from keepclear.agreement.separation import describe_rule
from keepclear.agreement.statements import read_file
from keepclear.airspace.borders import Borders
from keepclear.exchange.last_picture import Agreed, LastPicture, Standing
from keepclear.exchange.views import Notice
from keepclear.line.messages import Message
from keepclear.plans.operations import Operation
from keepclear.plans.understood import understood
from keepclear.record.encoding import encode
from keepclear.record.notes import Checkpoint, read_checkpoint, split_note
from keepclear.reports.after_action_html import foot_of
from keepclear.reports.agreement_text import decides_text
from keepclear.reports.call_text import waiting_rows
from keepclear.reports.conflict_html import (
    colours_of,
    conflict_sheet,
    head_of_sheets,
    name_of,
    own_map,
    page_of,
)
from keepclear.reports.desk_text import SHORT
from keepclear.reports.markup import NOTHING, Markup, tag, text
from keepclear.reports.message_html import HEADS, message_table_rows
from keepclear.reports.play_values import day_of
from keepclear.reports.shift_text import shift_changed_text
from keepclear.reports.stop_text import called_text, keep_outs_text, own_stops_text
from keepclear.reports.svg_map import HEIGHT, WIDTH
from keepclear.reports.svg_patterns import patterns
from keepclear.reports.told_text import operation_rows
from keepclear.units import format_time

DETAILED: Final = 50
BEGINS: Final = '<script type="application/octet-stream" id="picture">'
ENDS: Final = "</script>"
US_PER_MS: Final = 1_000
IS_PAST: Final = (
    "This is a picture, and no more. Anything in it may have changed since, and what came later is "
    "not in it. What is not shown may be there all the same. Call the other side before you act "
    "on it."
)
PROVES: Final = (
    "Each line was entered into the record, under the checkpoints below, which the exchange has "
    "signed: keepclear snapshot verify FILE --keys KEYS proves it without a network. That nothing "
    "else was entered, no picture proves; up to when it goes is what the desk that made it says."
)
STYLE: Final = """
.as-of { display: inline-block; font-size: 30px; line-height: 1.2; font-weight: 700;
  padding: 4px 14px; margin: 8px 0 4px; border: 4px double #111; }
.age { font-size: 20px; font-weight: 700; margin: 2px 0; }
.age.old { background: #9b0000; color: #fff; padding: 2px 10px; }
.root { font-family: monospace; font-size: 11px; overflow-wrap: anywhere; }
td.clause { white-space: nowrap; font-weight: 600; }
td.said { width: 38%; }
td b { overflow-wrap: normal; }
@media print {
  .as-of { font-size: 20pt; }
  .age { display: none; }
  .agreement { break-before: page; }
}
"""
# For a machine whose clock is right; below zero it says that it is not. Old is above 15 minutes.
AGE: Final = """<script>
(function () {
  var place = document.getElementById("age"), from = Number(place.getAttribute("data-as-of"));
  function show() {
    var s = Math.floor((Date.now() - from) / 1000), words;
    if (s < -60) { words = "by the clock of this machine this lies ahead: set the clock"; }
    else if (s < 120) { words = "less than 2 minutes old now"; }
    else if (s < 7200) { words = Math.floor(s / 60) + " minutes old now"; }
    else if (s < 172800) { words = Math.floor(s / 3600) + " hours old now"; }
    else { words = Math.floor(s / 86400) + " days old now"; }
    place.textContent = words;
    place.className = s > 900 || s < -60 ? "age old" : "age";
  }
  show();
  setInterval(show, 1000);
}());
</script>"""


def snapshot_html(last: LastPicture, said: Standing, borders: Borders | None = None) -> str:
    """Return the page. said: what the picture says."""
    order = list(Precedence)
    notices = sorted(
        said.picture.unsettled().values(),
        key=lambda each: (order.index(each.precedence), each.number),
    )
    own = sorted(said.picture.protecting().values(), key=lambda each: (each.start_us, each.id))
    colours = colours_of(last.party, notices)
    sheets = [
        conflict_sheet(
            each, said.picture.operations.get(each.own), last.party, colours, borders,
            last.as_of_us,
        )
        for each in notices[:DETAILED]
    ]  # fmt: skip
    body = tag(
        "body", patterns(colours.values(), WIDTH, HEIGHT), _head(last), _rules(said),
        *_keep_outs(said, last), _messages(said.picture.undone().values()),
        *_watch(said, last.party),
        _index(notices, said.picture.operations),
        _own(own, last, colours, borders), *sheets,
        *(_agreement(each) for each in said.agreements), _proof(last), foot_of(borders),
        _data(last), Markup(AGE),
    )  # fmt: skip
    title = f"SNAPSHOT of {last.party} as of {format_time(last.as_of_us)[:19]}Z"
    return page_of(title, body, STYLE + head_of_sheets(last.status, last.as_of_us))


def data_in(page: str) -> bytes | None:
    """Return the picture that stands in a page, None where there is none."""
    _, begins, rest = page.partition(BEGINS)
    data, ends, _ = rest.partition(ENDS)
    try:
        return b64decode(data, validate=True) if begins and ends else None
    except ValueError:
        return None


def _data(last: LastPicture) -> Markup:
    """Return the picture as data; base64, so that no text in it can end the element."""
    return Markup(f"{BEGINS}{b64encode(encode(last)).decode()}{ENDS}")


def _head(last: LastPicture) -> Markup:
    strip = tag("div", text("  ".join([last.status.value.upper()] * 3)),
                class_=f"strip {last.status.value}")  # fmt: skip
    as_of = tag("div", text(f"AS OF {format_time(last.as_of_us)[:19]}Z"), class_="as-of")
    age = tag("p", text("how old that is, a clock says"), class_="age", id="age",
              data_as_of=str(last.as_of_us // US_PER_MS))  # fmt: skip
    what = f"keepclear snapshot: the last picture of {last.party} in {last.region}"
    return tag(
        "header", strip, tag("h1", text(what)), as_of, age,
        tag("p", text(IS_PAST), class_="words"), tag("p", text(PROVES), class_="small"),
    )  # fmt: skip


def _rules(said: Standing) -> Markup:
    """Return whom to call, and which rules hold."""
    rows = []
    if said.region is not None:
        rules = "; ".join(describe_rule(each) for each in said.region.house.rules)
        rows.append(("House rule", f"{rules}, for two that no agreement binds"))
    for each in said.agreements:
        _, agreement = read_file(encode(each.carried.file))
        names = " and ".join(party.id for party in agreement.parties)
        rows.append((f"Agreement {agreement.id}", f"{each.stood.state}, between {names}"))
        for party in agreement.parties:
            rows += [
                (f"Call {party.id}", f"{post.name}: {post.call}")
                for post in party.posts if post.call
            ]  # fmt: skip
    return _facts("Rules, and whom to call", rows)


def _facts(title: str, rows: Sequence[tuple[str, str]]) -> Markup:
    made = [
        tag("tr", tag("th", text(name), scope="row"), tag("td", text(value)))
        for name, value in rows
    ]
    if not made:
        return NOTHING
    return tag("section", tag("h3", text(title)), tag("table", tag("tbody", *made), class_="facts"))


def _keep_outs(said: Standing, last: LastPicture) -> list[Markup]:
    """Return where to keep out, and the STOPs of one's own; nothing where there are none."""
    rows = keep_outs_text(said.keep_outs, last.as_of_us, said.keep_outs)
    rows += [
        f"message {each.id[:SHORT]} from {each.sender} to {each.receiver}: "
        f"{called_text(each.stop, last.as_of_us)}"
        for each in said.picture.undone().values()
        if each.stop is not None and each.has_stop
    ]
    rows += own_stops_text(said.stops.values())
    lines = [tag("p", text(each)) for each in rows if each]
    return [tag("section", tag("h2", text("Keep out")), *lines)] if lines else []


def _messages(messages: Collection[Message]) -> Markup:
    title = tag("h3", text("Messages that are not done, the urgent first"))
    if not messages:
        return tag("section", title, tag("p", text("none is known")))
    return tag("section", title, _table(HEADS, message_table_rows(messages)))


def _watch(said: Standing, party: str) -> list[Markup]:
    """Return who has the watch, and the calls that wait; nothing where there are none."""
    rows = [shift_changed_text(each) for each in said.picture.open_shifts().values()]
    for call in said.picture.waiting_calls().values():
        rows += waiting_rows(call, party)
    lines = [tag("p", text(each)) for each in rows]
    title = tag("h3", text("The watch, and calls that wait"))
    return [tag("section", title, *lines)] if lines else []


def _index(notices: Sequence[Notice], own: Mapping[str, Operation]) -> Markup:
    title = tag("h3", text("Conflicts that are not settled, the urgent first"))
    if not notices:
        said = "none is known; what is not shown may be there all the same"
        return tag("section", title, tag("p", text(said)))
    rows = []
    for place, each in enumerate(notices, 1):
        short = each.conflict[:SHORT]
        shown = tag("a", text(short), href=f"#c-{short}") if place <= DETAILED else text(short)
        yours = name_of(each.own, own.get(each.own))
        acts = ", ".join(party.upper() for party in each.must_act)
        words = (str(each.precedence), each.state, yours,
                 f"{each.other.id[:SHORT]} of {each.other.party}", acts)  # fmt: skip
        rows.append(tag("tr", tag("td", shown), *(tag("td", text(one)) for one in words)))
    heads = ("conflict", "urgency", "state", "yours", "theirs", "must act")
    more = len(notices) - DETAILED
    left = f"The first {DETAILED} have a sheet below; the other {more:,} stand here alone."
    return tag(
        "section", title, _table(heads, rows),
        tag("p", text(left), class_="words") if more > 0 else NOTHING,
    )  # fmt: skip


def _own(
    own: Sequence[Operation], last: LastPicture, colours: Mapping[str, str],
    borders: Borders | None,
) -> Markup:  # fmt: skip
    title = tag("h3", text(f"Operations of {last.party} that protect"))
    if not own:
        return tag("section", title, tag("p", text("none")))
    drawn = own_map(list(own), last.party, colours, borders) or NOTHING
    rows = []
    for each in own:
        said = operation_rows(each, understood(each), day_of(last.as_of_us))
        where = [
            tag("p", text(f"{label.removesuffix('where')}{value}"))
            for label, value in said.items() if label.endswith(("where", "off by", "protects"))
        ]  # fmt: skip
        rows.append(tag(
            "tr", tag("td", tag("b", text(name_of(each.id, each))), tag("br"),
                      text(str(each.state))),
            tag("td", *where), tag("td", text(said["heights"])), tag("td", text(said["when"])),
        ))  # fmt: skip
    heads = ("operation", "where", "heights", "when (UTC)")
    return tag("section", title, drawn, _table(heads, rows))


def _agreement(agreed: Agreed) -> Markup:
    _, agreement = read_file(encode(agreed.carried.file))
    rows = []
    for each in agreed.stood.clauses or agreement.clauses:
        words = [tag("p", text(each.texts[0].text))] if each.texts else []
        if each.decides is not None:
            words.append(tag("p", text(decides_text(each.decides)), class_="small"))
        rows.append(tag("tr", tag("td", text(each.id), class_="clause"), tag("td", *words)))
    until = f"{format_time(agreement.in_force_us)[:10]} to {format_time(agreement.until_us)[:10]}"
    said = f"{agreed.stood.state}; {until}; hash {hash_of(agreement)}"
    return tag(
        "section", tag("h2", text(f"{agreement.title[0].text}, version {agreement.version}")),
        tag("p", text(said), class_="small"), _table(("clause", "it says"), rows),
        class_="agreement",
    )  # fmt: skip


def _proof(last: LastPicture) -> Markup:
    rows = [
        tag("tr", tag("td", text(checkpoint.origin)), tag("td", text(f"{checkpoint.size:,}"),
            class_="n"), tag("td", text(checkpoint.root.hex()), class_="root"))
        for checkpoint in _checkpoints(last)
    ]  # fmt: skip
    title = tag("h3", text("Checkpoints that prove it"))
    return tag("section", title, _table(("tree", "leaves", "root"), rows))


def _checkpoints(last: LastPicture) -> Iterator[Checkpoint]:
    return (read_checkpoint(split_note(note)[0]) for note in last.notes)


def _table(heads: Sequence[str], rows: Sequence[Markup]) -> Markup:
    head = tag("tr", *(tag("th", text(each), scope="col") for each in heads))
    return tag("table", tag("thead", head), tag("tbody", *rows))
