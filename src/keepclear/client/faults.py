# SPDX-License-Identifier: Apache-2.0
"""Why a client goes no further; what is not proven is a `RecordError`."""

from keepclear.errors import CallerError, OperatorError


class ClockOff(OperatorError):
    """This machine's clock and the exchange's differ by more than is agreed."""


class NewIncarnation(OperatorError):
    """The exchange goes on from a backup: a person looks at the record, and accepts it.

    Accepted is it by a client that has been shown nothing yet (a new `Seen`); what was shown before
    is kept, as it proves what the backup does not have. is_later: it is a later incarnation, as a
    restored backup is, and no older copy.
    """

    def __init__(self, why: str, *, is_later: bool = False) -> None:
        self.is_later = is_later
        super().__init__(why)


class SetBack(NewIncarnation):
    """The exchange has fewer steps than are held and proven: it goes on from an older copy."""


class NoAnswer(OperatorError):
    """The exchange gave no answer; what was sent may have been done, and can be sent again."""


class NotDone(CallerError):
    """The exchange has refused, in its own words; nothing was done. status: of HTTP, 0 for none."""

    def __init__(self, why: str, status: int = 0) -> None:
        self.status = status
        super().__init__(why)
