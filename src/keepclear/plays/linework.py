# SPDX-License-Identifier: Apache-2.0
"""What parties of a play sign about messages, and by which of their posts."""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import to_builtins

from keepclear.agreement.clauses import Precedence
from keepclear.errors import InputError
from keepclear.formats.play import PlayAct
from keepclear.formats.play_faults import converted
from keepclear.line import acts, calls, check_acts
from keepclear.line.messages import Word
from keepclear.line.templates import template_named
from keepclear.plans.filing import FiledVolume
from keepclear.plans.stops import SendStop
from keepclear.plays.stage import POSTS
from keepclear.record.encoding import Signed
from keepclear.units import parse_duration_us, parse_time_us

WATCH: Final = "watch"
# What a play calls it, and what is signed.
KINDS: Final[Mapping[str, str]] = {
    "send": "line.send",
    "deliver": "line.delivered",
    "display": "line.displayed",
    "acknowledge-message": "line.acknowledge",
    "read-back": "line.read-back",
    "disseminate": "line.disseminated",
    "answer-message": "line.answer",
    "check": "line.check",
    "answer-check": "line.check-answer",
    "log-call": "line.call",
    "sign-call": "line.call-sign",
    "annotate-call": "line.call-annotate",
}


def kind_of(act: PlayAct) -> str:
    """Return what is signed: DISTRESS is an act of its own."""
    is_distress = act.does == "send" and act.precedence == Precedence.DISTRESS
    return "distress" if is_distress else KINDS[act.does]


def stop_of(act: PlayAct, volume: FiledVolume) -> SendStop:
    """Return what is signed to call STOP in a volume."""
    made = {
        "to": act.others, "datum": "WGS84", "volume": to_builtins(volume), "text": act.words,
        "language": act.language,
    }  # fmt: skip
    return converted(made, SendStop, "")


def post_of(act: PlayAct) -> str:
    """Return by which post of its party an act is signed; `InputError` where it has no such."""
    post = act.post if act.does in KINDS and act.does != "send" else ""
    if post and post not in POSTS:
        raise InputError("post", post, "has no key in a play", f"one of {', '.join(POSTS)}")
    return post or WATCH


def payload_of(  # noqa: PLR0911 one for each thing to do
    act: PlayAct, start_us: int, named: Callable[[str], str]
) -> Signed:
    """Return what is signed. start_us: of the play; named: the id of what has a name."""
    post_of(act)
    if act.does in SENT:
        return SENT[act.does](act, named)
    made: dict[str, object] = {"id": named(act.message)}
    if act.person:
        made["person"] = act.person
    match act.does:
        case "deliver":
            return converted(made, acts.MarkDelivered, "")
        case "display":
            return converted(made, acts.MarkDisplayed, "")
        case "acknowledge-message":
            return converted(made | {"said": _said(act)}, acts.AcknowledgeMessage, "")
        case "read-back":
            return converted(made | {"values": _values(act)}, acts.ReadBackMessage, "")
        case "disseminate":
            return converted(made | {"units": act.units}, acts.MarkDisseminated, "")
        case _:
            made |= {"word": converted(act.answer, Word, "answer"), "why": act.why}
            made["clause"] = act.clause
            if act.until:
                made["until_us"] = start_us + parse_duration_us(act.until, "until")
            return converted(made, acts.AnswerMessage, "")


def _values(act: PlayAct) -> list[dict[str, str]]:
    return [{"name": name, "typed": typed} for name, typed in (act.values or {}).items()]


def _sent(act: PlayAct, named: Callable[[str], str]) -> Signed:
    made: dict[str, object] = {
        "to": act.others[0], "text": act.words, "language": act.language,
        "post": act.post or None, "person": act.person or None,
        "reply_to": named(act.reply_to) if act.reply_to else None, "values": _values(act),
        "template": to_builtins(template_named(act.template).form) if act.template else None,
        "said": _said(act),
    }  # fmt: skip
    if act.precedence == Precedence.DISTRESS:
        return converted(made, acts.SendDistress, "")
    made |= {"precedence": act.precedence, "channel": act.channel}
    return converted(made, acts.SendMessage, "")


def _check(act: PlayAct, _named: Callable[[str], str]) -> Signed:
    return converted({"to": act.others[0], "of": act.of}, check_acts.CheckLine, "")


def _check_answered(act: PlayAct, named: Callable[[str], str]) -> Signed:
    made = {"id": named(act.check), "person": act.person or None}
    return converted(made, check_acts.AnswerLineCheck, "")


def _said(act: PlayAct) -> dict[str, object] | None:
    """Return when and by what means something was said that is keyed in later; None for now."""
    if not act.when:
        return None
    return {"at_us": parse_time_us(act.when, "when"), "by": act.means or None}


def _call(act: PlayAct, _named: Callable[[str], str]) -> Signed:
    made = {
        "to": act.others[0], "at_us": parse_time_us(act.when, "when"),
        "lasts_us": parse_duration_us(act.lasts, "lasts"), "on": act.of, "summary": act.words,
        "language": act.language, "person": act.person or None,
    }  # fmt: skip
    return converted(made, calls.LogCall, "")


def _call_signed(act: PlayAct, named: Callable[[str], str]) -> Signed:
    made = {"id": named(act.call), "person": act.person or None}
    return converted(made, calls.SignCall, "")


def _call_annotated(act: PlayAct, named: Callable[[str], str]) -> Signed:
    made = {
        "id": named(act.call), "text": act.words, "language": act.language,
        "person": act.person or None,
    }  # fmt: skip
    return converted(made, calls.AnnotateCall, "")


SENT: Final[Mapping[str, Callable[[PlayAct, Callable[[str], str]], Signed]]] = {
    "send": _sent, "check": _check, "answer-check": _check_answered,
    "log-call": _call, "sign-call": _call_signed, "annotate-call": _call_annotated,
}  # fmt: skip
