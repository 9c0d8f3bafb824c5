# SPDX-License-Identifier: Apache-2.0
"""What both parties read of a voice call: two accounts side by side, and neither is the truth.

The account of who logged the call stands on the left, the other's on the right, for both alike.
"""

import textwrap
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Final

from keepclear.exchange.events import CallChanged
from keepclear.exchange.views import SAYS_NOTHING_ELSE
from keepclear.line.calls import Account, Call
from keepclear.reports.form_text import apart
from keepclear.reports.message_text import SHORT, duration, second
from keepclear.reports.play_values import day_of
from keepclear.reports.printable import printable

LABEL: Final = 12
COLUMN: Final = 44
SIDE_BY_SIDE: Final = (
    "Both accounts stand; neither is what was said, and silence agrees to nothing."
)


def call_rows(call: Call) -> Iterator[str]:
    """Yield the lines of a call: when, on what, and whether the other party has signed it."""
    began, ended = call.at_us, call.at_us + call.lasts_us
    yield f"CALL {call.id[:SHORT]} of {call.party} with {call.other}: {stands(call)}"
    as_had = f"on {printable(call.on)}, as {call.party} has it, {call.status}"
    when = f"{day_of(began)} {second(began)} to {second(ended)} ({duration(call.lasts_us)})"
    yield f"  {'was':<{LABEL}}{when}, {as_had}"


def stands(call: Call) -> str:
    """Return whether the other party has signed a call, or said otherwise."""
    own = len(call.of(call.other))
    notes = f"annotated by {call.other}{f' {own} times' if own > 1 else ''}" if own else ""
    if call.signed is not None:
        at = f"{day_of(call.signed.at_us)} {second(call.signed.at_us)}"
        signed = f"signed by {call.other}, {call.signed.post}{_person(call.signed.person)} {at}"
        return f"{signed}; {notes}" if notes else signed
    return f"not signed; {notes}" if notes else f"not signed or annotated by {call.other}"


def waiting_rows(call: Call, party: str) -> Iterator[str]:
    """Yield a call that waits for the other party's word. party: who reads it."""
    yield from call_rows(call)
    yield f"  {'says':<{LABEL}}{_said(call.accounts[0])}"
    if call.other == party:
        short = call.id[:SHORT]
        yield f"  {'sign it':<{LABEL}}keepclear line call sign {short}"
        yield f"  {'or say':<{LABEL}}keepclear line call annotate {short} TEXT"


def call_text(call: Call) -> str:
    """Return a call with both accounts side by side, for a terminal."""
    lines = [*call_rows(call), ""]
    sides = [
        [row for each in call.of(party) for row in _account_lines(each, call)]
        for party in (call.party, call.other)
    ]  # fmt: skip
    heads = [f"{call.party} SAYS", f"{call.other} SAYS"]
    rows = [heads, ["-" * COLUMN] * 2]
    rows += [list(each) for each in zip_longest(*_with_none(sides, call), fillvalue="")]
    lines += [f"  {one:<{COLUMN}}  {other}".rstrip() for one, other in rows]
    while not lines[-1]:
        lines.pop()
    return "\n".join([*lines, "", SIDE_BY_SIDE, SAYS_NOTHING_ELSE]) + "\n"


def calls_text(calls: Iterable[Call], party: str) -> list[str]:
    """Return all calls of a party, each in short, the latest last."""
    rows = [
        row
        for each in sorted(calls, key=lambda each: each.at_us)
        for row in (*(waiting_rows(each, party) if each.waits else call_rows(each)), "")
    ]
    return rows[:-1] if rows else ["no calls are logged"]  # fmt: skip


def call_changed_text(event: CallChanged) -> str:
    """Return what is new of a call, in a sentence."""
    call, account = event.call, event.account
    name = f"call {call.id[:SHORT]} of {call.party} with {call.other}"
    if event.signed is not None:
        signed = event.signed
        return f"{name} is signed by {signed.party}, {signed.post}{_person(signed.person)}"
    if account is None:
        return name
    if len(call.accounts) == 1:
        at = f"{day_of(call.at_us)} {second(call.at_us)}"
        return (
            f"CALL: {name} at {at} on {printable(call.on)}: {_said(account)}; sign or annotate it"
        )
    return f"{name}: {account.party}, {account.post} says: {_said(account)}"


def _account_lines(account: Account, call: Call) -> Iterator[str]:
    yield from textwrap.wrap(head_text(account, call), COLUMN)
    for line in textwrap.wrap(printable(account.text), COLUMN) or [""]:
        yield apart(line)
    for each in recording_text(account):
        yield from textwrap.wrap(each, COLUMN)
    yield ""


def _with_none(sides: list[list[str]], call: Call) -> Iterator[list[str]]:
    """Yield the lines of each side; what is said of one that has written nothing."""
    for party, side in zip((call.party, call.other), sides, strict=True):
        yield side or textwrap.wrap(none_text(call, party), COLUMN)


def none_text(call: Call, party: str) -> str:
    """Return what is said of a party that has no account of a call."""
    if call.signed is not None and party == call.other:
        return f"nothing of its own: it has signed what {call.party} says"
    return "nothing yet"


def head_text(account: Account, call: Call) -> str:
    """Return when, by whom and in which language an account was written."""
    at = f"{day_of(account.at_us)} {second(account.at_us)}"
    added = "" if account == call.accounts[0] else ", added"
    return f"{at} {account.post}{_person(account.person)}{added} ({account.language}):"


def recording_text(account: Account) -> Iterator[str]:
    """Yield which recording an account names, if any."""
    if account.recording is not None:
        yield f"recording kept by {account.party}, SHA-256 {account.recording}"


def _said(account: Account) -> str:
    return f'"{apart(account.text)}" ({account.language})'


def _person(person: str | None) -> str:
    return f" ({person})" if person else ""
