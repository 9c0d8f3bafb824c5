# SPDX-License-Identifier: Apache-2.0
"""What parties of a play sign about incident cases and none-here statements."""

from collections.abc import Callable, Mapping

from keepclear.errors import InputError
from keepclear.exchange.world import World
from keepclear.formats.play import PlayAct
from keepclear.plans import incidents, none_here
from keepclear.plans.filing import FiledVolume
from keepclear.record.encoding import Signed
from keepclear.units import parse_time_us

# What a play calls it, and what is signed.
KINDS: Mapping[str, str] = {
    "state-none-here": "none-here.state",
    "withdraw-none-here": "none-here.withdraw",
    "open-case": "incidents.open",
    "query": "incidents.query",
    "reply": "incidents.reply",
    "write-line": "incidents.write-line",
    "answer-line": "incidents.answer-line",
    "close-case": "incidents.close",
    "leave-case-open": "incidents.leave-open",
}


def payload_of(
    act: PlayAct, world: World, named: Callable[[str], str], volume: FiledVolume | None
) -> Signed:
    """Return what is signed. named: the id of what has a name. volume: of a none-here."""
    match act.does:
        case "state-none-here" if volume is not None:
            return none_here.StateNoneHere(
                text=none_here.TEXT, datum="WGS84", volume=volume, to=act.others
            )
        case "withdraw-none-here":
            return none_here.WithdrawNoneHere(id=named(act.none_here), why=act.why)
        case "open-case":
            return incidents.OpenIncident(
                about=named(act.about), other=act.others[0], words=act.words, is_urgent=act.urgent
            )
        case _:
            return _in_case(act, world, named(act.case), named)


def _in_case(act: PlayAct, world: World, case: str, named: Callable[[str], str]) -> Signed:
    """Return what is signed in a case that is open. case: its id."""
    match act.does:
        case "query":
            return incidents.AskQuery(id=case, words=act.words)
        case "reply":
            query = world.incidents[case].query
            if query is None:
                raise InputError("case", act.case, "has no query by then", "ask before")
            return incidents.ReplyToQuery(id=case, query=query.id, words=act.words)
        case "write-line":
            return incidents.WriteLine(
                id=case, at_us=parse_time_us(act.when, "when"), words=act.words,
                none_here=named(act.none_here) if act.none_here else None,
            )  # fmt: skip
        case "answer-line":
            return incidents.AnswerLine(
                id=_line(act, world, case), agrees=bool(act.agrees), why=act.why
            )
        case "close-case":
            return incidents.CloseIncident(id=case, why=act.why)
        case _:
            return incidents.LeaveIncident(id=case, why=act.why)


def _line(act: PlayAct, world: World, case: str) -> str:
    """Return the id of a line of a case by its number."""
    lines = [each.id for each in world.lines.values() if each.incident == case]
    if not 1 <= act.line <= len(lines):
        raise InputError(
            "line", act.line, f"is none of the {len(lines)} lines by then", "see the story"
        )
    return lines[act.line - 1]
