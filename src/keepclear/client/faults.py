# SPDX-License-Identifier: Apache-2.0
"""Why a client goes no further; what is not proven is a `RecordError`."""

from keepclear.errors import CallerError, OperatorError


class ClockOff(OperatorError):
    """This machine's clock and the exchange's differ by more than is agreed."""


class NewIncarnation(OperatorError):
    """The exchange goes on from a backup: a person looks at the record, and accepts it.

    Accepted is it by a client that has been shown nothing yet (a new `Seen`); what was shown before
    is kept, as it proves what the backup does not have.
    """


class NoAnswer(OperatorError):
    """The exchange gave no answer; what was sent may have been done, and can be sent again."""


class NotDone(CallerError):
    """The exchange has refused, in its own words; nothing was done."""
