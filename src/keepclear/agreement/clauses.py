# SPDX-License-Identifier: Apache-2.0
"""What a clause decides, as data: one type for each thing that can be agreed.

The words of a clause are for people and stand beside it (`documents`); what a machine acts on
is here alone. Times are microseconds, lengths tenths of a millimetre, areas km2.

1. A clause without a machine part decides nothing; its words bind people.
2. What no clause says has a default, and each type names it.
3. Nothing here can hold a target, a weapon or an intent.
"""

from enum import StrEnum
from typing import Annotated, Final

import msgspec

from keepclear.agreement.separation import RuleSet
from keepclear.agreement.words import WORDS, Words
from keepclear.record.headers import Name
from keepclear.record.key_documents import Hex64

HOUR_US: Final = 3_600_000_000
MINUTE_US: Final = 60_000_000
MostHours = Annotated[int, msgspec.Meta(ge=1, le=366 * 24 * HOUR_US)]
ClauseId = Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]{1,3}(?:\.[0-9]{1,2}){0,2}\Z")]
Seconds = Annotated[int, msgspec.Meta(ge=1, le=7 * 24 * 3600)]
TIME_OF_DAY: Final = r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]Z\Z"
TimeOfDay = Annotated[str, msgspec.Meta(pattern=TIME_OF_DAY)]
CheckUs = Annotated[int, msgspec.Meta(ge=1, le=24 * HOUR_US)]
CheckCount = Annotated[int, msgspec.Meta(ge=1, le=100)]
LineName = Annotated[str, msgspec.Meta(min_length=1, max_length=60, pattern=WORDS)]


class Precedence(StrEnum):
    """How urgent a message is; the words spoken beside the first and the third are its own."""

    DISTRESS = "DISTRESS"
    STOP = "STOP"
    URGENT = "URGENT"
    PRIORITY = "PRIORITY"
    ROUTINE = "ROUTINE"
    CHECK = "CHECK"


class OnConflict(StrEnum):
    """What activating with an open conflict in which one must act does."""

    NOTE = "note"
    REFUSE = "refuse"


class Field(StrEnum):
    """What can be disclosed of an operation beyond that it exists."""

    AREA_BOX = "area_box"
    LEVEL_BAND = "level_band"
    TIME_BAND = "time_band"
    CALLSIGN = "callsign"
    COUNT = "count"
    EVERYTHING = "everything"


class Decision(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"
):
    """What every machine part is."""


class Separation(Decision, frozen=True, kw_only=True, tag="separation"):
    """The minima between operations of the parties."""

    rules: RuleSet


class Priority(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much right of way a class of operation has; the higher number never needs to act."""

    of: Words
    number: Annotated[int, msgspec.Meta(ge=0, le=100)]


class AmongEquals(StrEnum):
    """Who acts where both have one priority."""

    FILED_LATER = "filed-later"
    BOTH = "both"


class WhoActs(Decision, frozen=True, kw_only=True, tag="who-acts"):
    """Who must act in a conflict: the operation of lower priority; among equals as it says.

    A class that is not listed has the number of "any", and 0 where that is not listed either.
    Without this clause: the operation filed later by place in the record.
    """

    priorities: tuple[Priority, ...] = ()
    among_equals: AmongEquals = AmongEquals.FILED_LATER

    def __post_init__(self) -> None:
        """Refuse one class with two priorities."""
        classes = [each.of for each in self.priorities]
        if twice := sorted({each for each in classes if classes.count(each) > 1}):
            raise ValueError(f"gives {twice[0]} two priorities; give each class one")


class OnConflictRule(Decision, frozen=True, kw_only=True, tag="on-conflict"):
    """Whether an operation may be activated with an open conflict. Without it: note."""

    action: OnConflict


class LeadTime(Decision, frozen=True, kw_only=True, tag="lead-time"):
    """How long before its start an operation is filed; later is LATE, and not lost."""

    notice_us: MostHours
    classes: tuple[Words, ...] = ("any",)


class Grace(Decision, frozen=True, kw_only=True, tag="grace"):
    """How long an operation that is out of plan protects after its end, if nobody ends it.

    From a minute to a day. Without it: 60 minutes. Of several agreements the longest holds.
    """

    lasts_us: Annotated[int, msgspec.Meta(ge=MINUTE_US, le=24 * HOUR_US)]


class TimeTolerance(Decision, frozen=True, kw_only=True, tag="time-tolerance"):
    """How early, and how late, an operation may say that it may run: a minute to a day.

    Without it: 15 minutes. Of several agreements of a party the longest holds.
    """

    most_us: Annotated[int, msgspec.Meta(ge=MINUTE_US, le=24 * HOUR_US)]


class Deadline(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How soon a message is acknowledged by a person."""

    precedence: Precedence
    acknowledge_s: Seconds


class Deadlines(Decision, frozen=True, kw_only=True, tag="deadlines"):
    """How soon messages are acknowledged, and to which posts they go on when they are not."""

    deadlines: tuple[Deadline, ...]
    escalation: tuple[Name, ...]


class Frequency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A way to talk: what for, and the frequency or number."""

    purpose: Words
    on: Words


class Frequencies(Decision, frozen=True, kw_only=True, tag="frequencies"):
    """The ways to talk, in the order in which they are tried."""

    frequencies: tuple[Frequency, ...]


class Means(StrEnum):
    """By what one talks where the line fails."""

    TELEPHONE = "telephone"
    RADIO = "radio"
    SATELLITE = "satellite"
    THIRD_PARTY = "third-party"
    OTHER = "other"


class FallbackWay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to talk where the line fails.

    on: the number, frequency or address, as it is spoken. answers: who is there, as a post or an
    office and not a name. next_after_us: how long one tries it before the next; None where that is
    not agreed.
    """

    by: Means
    on: LineName
    answers: Words = ""
    next_after_us: CheckUs | None = None


class Fallback(Decision, frozen=True, kw_only=True, tag="fallback"):
    """The ways to talk where the line fails, in the order in which they are tried.

    Without it: those of `Frequencies`.
    """

    ways: Annotated[tuple[FallbackWay, ...], msgspec.Meta(min_length=1, max_length=20)]


class Disclosure(Decision, frozen=True, kw_only=True, tag="disclosure"):
    """What the other side sees of an operation in conflict, beyond that it exists.

    grain_tmm, level_grain_tmm, time_grain_us: what shapes are rounded outward to. ground: which of
    the fields are shown of ground and static operations as of others; of what is not there no more
    than the area, grown. Without it: existence and whom to call.
    """

    fields: tuple[Field, ...]
    grain_tmm: Annotated[int, msgspec.Meta(ge=0)]
    level_grain_tmm: Annotated[int, msgspec.Meta(ge=0)]
    time_grain_us: Annotated[int, msgspec.Meta(ge=0)]
    ground: tuple[Field, ...] = ()

    def __post_init__(self) -> None:
        """Refuse to show more of what stands on the ground than of what flies."""
        for each in self.ground:
            if each not in self.fields and Field.EVERYTHING not in self.fields:
                raise ValueError(f"shows {each} of ground operations and of no others; add it to "
                                 "fields, or leave it out of ground")  # fmt: skip


class Caps(Decision, frozen=True, kw_only=True, tag="caps"):
    """How much one operation, and all that one party files in a day, may take of the sky.

    What was cancelled counts too: it was answered. Distress, rescue and contingent volumes pass.
    volume_km3: of all its volumes together, each by itself; None where it is not limited.
    """

    area_hours_km2h: Annotated[int, msgspec.Meta(ge=1)]
    day_area_hours_km2h: Annotated[int, msgspec.Meta(ge=1)]
    duration_us: MostHours
    vertices: Annotated[int, msgspec.Meta(ge=4, le=100_000)]
    volume_km3: Annotated[int, msgspec.Meta(ge=1)] | None = None


class ProbingBound(Decision, frozen=True, kw_only=True, tag="probing-bound"):
    """What smaller volumes are widened to before comparing, and when the other side is told.

    across_tmm: 50 NM at most, as wide as any shape can be grown by with room for a minimum.
    """

    across_tmm: Annotated[int, msgspec.Meta(ge=1, le=50 * 18_520_000)]
    height_tmm: Annotated[int, msgspec.Meta(ge=1)]
    lasts_us: MostHours
    filings_an_hour: Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class Channels(Decision, frozen=True, kw_only=True, tag="channels"):
    """The channels of the line, each with queues and suspensions of its own."""

    channels: tuple[Name, ...]


class CheckSchedule(Decision, frozen=True, kw_only=True, tag="check-schedule"):
    """When a line is checked, by whom, how soon it is answered, and when it is down.

    of: what is checked: "line", or a frequency as it is spoken of. times: of each day, UTC; without
    any it is checked on demand. by: the parties that send a check to each of the others then; all,
    where none is named. answer_us: within which one is answered; later it is LATE, and after
    missed_us it is MISSED. doubtful_late, down_missed: how many LATE, or MISSED, one after another
    make the line DOUBTFUL, or DOWN; the first MISSED makes it DOUBTFUL. Of several clauses about
    the same line all times count, and the strictest of the rest.
    """

    answer_us: CheckUs
    missed_us: CheckUs
    times: tuple[TimeOfDay, ...] = ()
    of: LineName = "line"
    by: tuple[Name, ...] = ()
    doubtful_late: CheckCount = 3
    down_missed: CheckCount = 3

    def __post_init__(self) -> None:
        """Refuse a check that is MISSED before it is LATE, and one time said twice."""
        if self.missed_us <= self.answer_us:
            raise ValueError("is missed no later than it is to be answered; give a later missed")
        if twice := sorted({each for each in self.times if self.times.count(each) > 1}):
            raise ValueError(f"gives {twice[0]} twice; give each time once")


class StopDistance(Decision, frozen=True, kw_only=True, tag="stop-distance"):
    """By how much the volume of a STOP is grown on every side: from 100 m to 50 NM.

    Without it: 5 km. It holds for all who are told of a STOP, so the largest that its sender has
    agreed with anybody is taken, 5 km with whom nothing is agreed. Suspending an agreement takes
    nothing off: a larger one counts all the same. No annex has it: it protects people.
    """

    distance_tmm: Annotated[int, msgspec.Meta(ge=1_000_000, le=50 * 18_520_000)]


class Retention(Decision, frozen=True, kw_only=True, tag="retention"):
    """How long personal values are kept beside the record."""

    personal_us: MostHours


class ShowContradictions(StrEnum):
    """When a party learns that another's none-here statement to it is contradicted."""

    IN_A_CASE = "in-a-case"
    AT_ONCE = "at-once"


class IncidentRule(Decision, frozen=True, kw_only=True, tag="incident"):
    """How soon a query in an incident case is replied to, and what is shown of none-here.

    Without it: 7 days, 2 in urgent cases, and what contradicts a statement is shown in a case.
    """

    reply_us: MostHours
    urgent_reply_us: MostHours
    contradictions: ShowContradictions = ShowContradictions.IN_A_CASE


class OperatorKey(Decision, frozen=True, kw_only=True, tag="operator-key"):
    """That a party runs the exchange with a key of its own; all sign that they know."""

    party: Name
    key_id: Hex64


class AnnexAuthority(Decision, frozen=True, kw_only=True, tag="annex"):
    """That an annex may be signed and changed on its own, by whom, and what it may decide.

    posts: the key of one of these signs for its party; without any, one representative does.
    may: kinds of machine parts that its clauses may have; words alone it may always have.
    """

    annex: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{1,3}\Z")]
    posts: tuple[Name, ...] = ()
    may: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an annex that is to decide what there is no machine part for, or is another's."""
        if unknown := [kind for kind in self.may if kind not in KINDS]:
            raise ValueError(f"lets the annex decide {unknown[0]!r}, none of {', '.join(KINDS)}")


class LineCheck(Decision, frozen=True, kw_only=True, tag="line-check"):
    """In force only once both have signed that the line was checked."""


class ProvingRun(Decision, frozen=True, kw_only=True, tag="proving-run"):
    """In force only once both have signed that a proving run was made."""


AnyDecision = (
    Separation | WhoActs | OnConflictRule | LeadTime | Deadlines | Frequencies | Disclosure | Caps
    | ProbingBound | Channels | Retention | OperatorKey | AnnexAuthority | LineCheck | ProvingRun
    | IncidentRule | Grace | TimeTolerance | CheckSchedule | Fallback | StopDistance
)  # fmt: skip


def kind_of(decision: Decision) -> str:
    """Return the kind of a machine part, as it stands in files."""
    return str(decision.__struct_config__.tag)


# What an annex may be let decide: all but what makes the agreement itself, and `StopDistance`.
KINDS: Final[tuple[str, ...]] = tuple(
    str(each.__struct_config__.tag)
    for each in (
        Separation, WhoActs, OnConflictRule, LeadTime, Deadlines, Frequencies, Disclosure, Caps,
        ProbingBound, Channels, Retention, IncidentRule, Grace, TimeTolerance, CheckSchedule,
        Fallback,
    )
)  # fmt: skip
