# SPDX-License-Identifier: Apache-2.0
"""What parties do about operations and conflicts: the payloads of their acts.

An operation is named by its id, and a version of it by its OVN, as the exchange gave them.
"""

from typing import Annotated

import msgspec

from keepclear.plans.conflicts import Answer
from keepclear.plans.filing import FiledOperation, FiledVolume
from keepclear.record.encoding import Signed
from keepclear.record.headers import Id, TimeUs

Why = Annotated[str, msgspec.Meta(max_length=2_000)]


class FileOperation(Signed, frozen=True, kw_only=True):
    """File a new operation."""

    operation: FiledOperation


class UpdateOperation(Signed, frozen=True, kw_only=True):
    """File a new version. ovn: of the version that it is made from."""

    id: Id
    ovn: Id
    operation: FiledOperation


class ActivateOperation(Signed, frozen=True, kw_only=True):
    """Say that it is under way. key: OVNs of the operations it conflicts with, as seen."""

    id: Id
    key: tuple[Id, ...] = ()


class MarkAirborne(Signed, frozen=True, kw_only=True):
    """Say that it has left the ground, at a time (microseconds UTC)."""

    id: Id
    at_us: TimeUs


class MakeContingent(Signed, frozen=True, kw_only=True):
    """Say that it cannot keep to its volumes. off_nominal: where it is expected instead."""

    id: Id
    off_nominal: tuple[FiledVolume, ...] = ()


class EndOperation(Signed, frozen=True, kw_only=True):
    """Say that it is over."""

    id: Id


class CancelOperation(Signed, frozen=True, kw_only=True):
    """Take it back before it is activated."""

    id: Id
    why: Why = ""


class AcknowledgeConflict(Signed, frozen=True, kw_only=True):
    """Say that a person has taken it. ovn: of the version of the other operation that was seen."""

    id: Id
    ovn: Id


class AnswerConflict(Signed, frozen=True, kw_only=True):
    """Answer a notice: NOTED, CONCERNED with a reason, OBJECTS with a clause in force."""

    id: Id
    answer: Answer
    clause: Annotated[str, msgspec.Meta(max_length=12)] = ""
    why: Why = ""


class ProposeChange(Signed, frozen=True, kw_only=True):
    """Propose that one of the two moves; quantities as people write them ("30 min", "-2000 ft").

    aside, towards: how far its route or area is moved, and in which direction, degrees true.
    """

    id: Id
    operation: Id
    later: Annotated[str, msgspec.Meta(max_length=60)] = ""
    higher: Annotated[str, msgspec.Meta(max_length=60)] = ""
    aside: Annotated[str, msgspec.Meta(max_length=60)] = ""
    towards: Annotated[str, msgspec.Meta(max_length=60)] = ""
    why: Why = ""


class AcceptProposal(Signed, frozen=True, kw_only=True):
    """Accept what the other side has proposed. proposal: its id."""

    id: Id
    proposal: Id


class AgreeAsIs(Signed, frozen=True, kw_only=True):
    """Agree that both go on as they are; it holds once both have, until either changes."""

    id: Id
