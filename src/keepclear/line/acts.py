# SPDX-License-Identifier: Apache-2.0
"""What parties do about messages: the payloads of their acts.

A message is named by its id, as the exchange gave it. person: who says to be on watch, as a role
("shift-lead") and not a name; a claim that no rule reads.
"""

from typing import Annotated

import msgspec

from keepclear.agreement.clauses import Precedence
from keepclear.line.messages import NEEDS, Language, Units, Why, Word
from keepclear.line.said import Said
from keepclear.line.templates import Form
from keepclear.line.values import Several
from keepclear.record.encoding import Signed
from keepclear.record.headers import Id, Name, TimeUs


class SendMessage(Signed, frozen=True, kw_only=True):
    """Send a message to another party.

    post: of the receiver; None for the first of the agreed chain, or of a reply for the post that
    sent what is replied to. language: in which the text was typed. reply_to: an earlier message.
    values: what stands in fields of its own, as it was typed. template: of which it is, or none;
    with one there need be no text. said: of one that was said by other means and is keyed in later.
    """

    to: Name
    channel: Name
    precedence: Precedence
    text: Why = ""
    language: Language
    post: Name | None = None
    person: Name | None = None
    reply_to: Id | None = None
    values: Several = ()
    template: Form | None = None
    said: Said | None = None

    def __post_init__(self) -> None:
        """Refuse what says nothing, and the two precedences that no message of this kind has."""
        _check_said(self.text, self.template)
        if self.precedence is Precedence.DISTRESS:
            raise ValueError("has precedence DISTRESS; send it as an act of kind distress/1")
        if self.precedence is Precedence.STOP:
            raise ValueError(
                "has precedence STOP, which is of a call with a volume to be kept clear, and a "
                "message has none; send it as line.stop/1, or distress/1 where lives are in danger"
            )


class SendDistress(Signed, frozen=True, kw_only=True):
    """Send a DISTRESS message, on the channel for flight safety; fields as of `SendMessage`.

    It is taken from any key that is appointed, whatever its mandates, the agreements, the rates
    and the clocks say.
    """

    to: Name
    text: Why = ""
    language: Language
    post: Name | None = None
    person: Name | None = None
    reply_to: Id | None = None
    values: Several = ()
    template: Form | None = None
    said: Said | None = None

    def __post_init__(self) -> None:
        """Refuse what says nothing."""
        _check_said(self.text, self.template)


def _check_said(text: str, template: Form | None) -> None:
    if not text.strip() and template is None:
        raise ValueError("says nothing; give it a text or a template")


class MarkDelivered(Signed, frozen=True, kw_only=True):
    """Say that this post's client holds a message in its own copy, proven. Signed by itself."""

    id: Id


class MarkDisplayed(Signed, frozen=True, kw_only=True):
    """Say that a message was shown to a person at this post."""

    id: Id
    person: Name | None = None


class AcknowledgeMessage(Signed, frozen=True, kw_only=True):
    """Say that a person at this post has taken a message.

    said: where that was said by other means, and is keyed in later.
    """

    id: Id
    person: Name | None = None
    said: Said | None = None


class ReadBackMessage(Signed, frozen=True, kw_only=True):
    """Read back the position, level, time and frequency of a message, as they were understood."""

    id: Id
    values: Several
    person: Name | None = None


class MarkDisseminated(Signed, frozen=True, kw_only=True):
    """Say which units were told of a message; said again it adds others."""

    id: Id
    units: Units
    person: Name | None = None


class AnswerMessage(Signed, frozen=True, kw_only=True):
    """Answer a message with a word, and with what that word needs.

    UNABLE and CONCERNED need a reason, STANDBY a time (microseconds UTC), OBJECTS a clause that is
    in force.
    """

    id: Id
    word: Word
    why: Why = ""
    until_us: TimeUs | None = None
    clause: Annotated[str, msgspec.Meta(max_length=12)] = ""
    person: Name | None = None

    def __post_init__(self) -> None:
        """Refuse a word without what it needs, or with what stands with another."""
        given = {
            "why": bool(self.why.strip()), "until_us": self.until_us is not None,
            "clause": bool(self.clause),
        }  # fmt: skip
        needed = NEEDS.get(self.word, "")
        if needed and not given[needed]:
            raise ValueError(f"says {self.word} without {needed}; give it")
        for name in ("until_us", "clause"):
            if given[name] and name != needed:
                raise ValueError(f"says {self.word} with {name}; leave it out")
