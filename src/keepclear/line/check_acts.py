# SPDX-License-Identifier: Apache-2.0
"""What parties do about checks of a line: the payloads of their acts."""

from keepclear.agreement.clauses import LineName
from keepclear.line.checks import THE_LINE
from keepclear.record.encoding import Signed
from keepclear.record.headers import Id, Name


class CheckLine(Signed, frozen=True, kw_only=True):
    """Send a check to another party: any post of it may answer. Its precedence is CHECK.

    of: what is checked: the line, or a frequency as it is spoken of.
    """

    to: Name
    of: LineName = THE_LINE


class AnswerLineCheck(Signed, frozen=True, kw_only=True):
    """Say that a check was heard, by its id. person: who says so, as a role; no rule reads it."""

    id: Id
    person: Name | None = None
