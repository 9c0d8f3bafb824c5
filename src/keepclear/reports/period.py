# SPDX-License-Identifier: Apache-2.0
"""What a period amounts to in numbers: filed, late, told, answered, settled, broken.

1. What a file does not hold is None, never 0: a view does not know how much the others file.
2. Whoever is told of an open conflict is asked to acknowledge it. The clock runs from the first
   notice that was not acknowledged to the acknowledgement, or stays open; a change that takes
   the acknowledgement back starts it again.
3. A conflict that was acted upon by its side (answered, proposed, accepted, agreed, its operation
   changed) without being acknowledged is counted apart: somebody knew, and did not say so.
4. An answer (NOTED, CONCERNED, OBJECTS) counts from the notice that it answers: of the conflict
   as it was raised, or changed in what it breaks.
5. What was refused stands in no record, so it is in no number here.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from keepclear.exchange.events import OperationFiled
from keepclear.plans.conflicts import Answer, Broken, Conflict, State
from keepclear.reports.after_action import ConflictStory, Story
from keepclear.reports.after_action_moments import Moment

FILE_KIND: Final = "operations.file"
UPDATE_KIND: Final = "operations.update"
ACCEPT_KIND: Final = "conflicts.accept"
ANSWER_KIND: Final = "conflicts.answer"
BY_TIME_OR_OTHERS: Final = re.compile(r"operation [0-9a-f]{8} of (\S+) (.+)")


class Ask(NamedTuple):
    """A conflict that a party was to acknowledge, times in microseconds; None: not in the range.

    acted_us: when the party first did something else about it. closed_us: when it was settled
    without being acknowledged.
    """

    conflict: str
    party: str
    sent_us: int
    acknowledged_us: int | None
    acted_us: int | None
    closed_us: int | None

    @property
    def took_us(self) -> int | None:
        """Return how long the acknowledgement took."""
        return None if self.acknowledged_us is None else self.acknowledged_us - self.sent_us


class Counts(NamedTuple):
    """One party's period; None is what the file does not hold.

    late_us: of each that was filed late. took_us: of each conflict that was acknowledged.
    acted: settled or open without being acknowledged, but acted upon. silent: neither. replies: by
    answer, how long each took.
    """

    party: str
    filed: int | None
    updated: int | None
    late_us: tuple[int, ...] | None
    notices: int | None
    asked: int
    took_us: tuple[int, ...]
    acted: int
    silent: int
    replies: Mapping[Answer, tuple[int, ...]]

    @property
    def replied_us(self) -> tuple[int, ...]:
        """Return how long all of its answers took."""
        return tuple(each for took in self.replies.values() for each in took)


class Pair(NamedTuple):
    """The conflicts of two parties. settled: how, and how many. open: at the end."""

    parties: tuple[str, str]
    raised: int
    settled: Mapping[str, int]
    agreed: int
    open: int


class Breaches(NamedTuple):
    """How many conflicts broke a rule. agreement: its hash; both empty for the house rule."""

    agreement: str
    clause: str
    rule: str
    conflicts: int


class Period(NamedTuple):
    """The numbers of one range of one file, or of what one party may see of it."""

    viewer: str | None
    parties: tuple[Counts, ...]
    pairs: tuple[Pair, ...]
    breaches: tuple[Breaches, ...]


def period_of(story: Story) -> Period:
    """Return the numbers of a range."""
    conflicts = list(story.conflicts.values())
    every = sorted({each.latest.parties for each in conflicts}, key=sorted)
    pairs = dict.fromkeys((min(each), max(each)) for each in every)
    return Period(
        story.viewer,
        tuple(_counts(story, party, conflicts) for party in story.parties),
        tuple(_pair(story, pair, conflicts) for pair in pairs),
        tuple(_breaches(conflicts)),
    )


def asks(story: ConflictStory, from_us: int = 0) -> list[Ask]:
    """Return what both parties of a conflict were to acknowledge, from a time on."""
    parties = dict.fromkeys(story.latest.parties)
    return [each for party in parties for each in _asks_of(story, party) if each.sent_us >= from_us]


def _asks_of(story: ConflictStory, party: str) -> Iterator[Ask]:
    ask: Ask | None = None
    for at_us, conflict, act in story.history:
        if ask is not None and act is not None and act.party == party:
            is_acknowledged = party in conflict.acknowledged
            ask = ask._replace(
                acknowledged_us=at_us if is_acknowledged else None,
                acted_us=ask.acted_us if ask.acted_us is not None or is_acknowledged else at_us,
            )
        if ask is not None and ask.acted_us is None and _has_closed(conflict, party):
            ask = ask._replace(acted_us=at_us)
        if ask is not None and (ask.acknowledged_us is not None or not conflict.is_open):
            closed_us = at_us if ask.acknowledged_us is None else None
            yield ask._replace(closed_us=closed_us)
            ask = None
        if ask is None and conflict.is_open and party not in conflict.acknowledged:
            ask = Ask(story.id, party, at_us, None, None, None)
    if ask is not None:
        yield ask


def _has_closed(conflict: Conflict, party: str) -> bool:
    """Tell whether a party closed a conflict by what it did with its operation.

    The other side's file lacks that act, and has these words of it.
    """
    found = BY_TIME_OR_OTHERS.fullmatch(conflict.closed_by)
    return found is not None and found[1] == party and not found[2].startswith("is over")


def _counts(story: Story, party: str, conflicts: Sequence[ConflictStory]) -> Counts:
    is_own = story.viewer in {None, party}
    filed = list(_filed(story.moments, party))
    kinds = [kind for kind, _ in filed]
    asked = [
        each for one in conflicts for each in asks(one, story.from_us) if each.party == party
    ]  # fmt: skip
    took = tuple(each.took_us for each in asked if each.took_us is not None)
    without = [each for each in asked if each.took_us is None]
    acted = sum(each.acted_us is not None for each in without)
    told = sum(to == party for each in story.moments for to, _ in each.notices)
    return Counts(
        party=party,
        filed=kinds.count(FILE_KIND) if is_own else None,
        updated=len(kinds) - kinds.count(FILE_KIND) if is_own else None,
        late_us=tuple(late_us for _, late_us in filed if late_us > 0) if is_own else None,
        notices=told if is_own else None,
        asked=len(asked), took_us=took, acted=acted, silent=len(without) - acted,
        replies=_replies(conflicts, party, story.from_us),
    )  # fmt: skip


def _replies(
    conflicts: Sequence[ConflictStory], party: str, from_us: int
) -> dict[Answer, tuple[int, ...]]:  # fmt: skip
    """Return of each answer of a party, from a time on, how long it took."""
    took: dict[Answer, tuple[int, ...]] = dict.fromkeys(Answer, ())
    for story in conflicts:
        told_us = 0
        known: tuple[Broken, ...] = ()
        for at_us, conflict, act in story.history:
            if conflict.broken != known:
                told_us, known = at_us, conflict.broken
            is_reply = act is not None and act.party == party and act.kind.startswith(ANSWER_KIND)
            if is_reply and at_us >= from_us:
                [reply] = [answer for own, answer, _ in conflict.answers if own == party]
                took[reply] += (at_us - told_us,)
    return took


def _filed(moments: Sequence[Moment], party: str) -> Iterator[tuple[str, int]]:
    """Yield of each filing of a party which kind of act it was, and by how much it was late.

    What a proposal has changed is filed by whoever accepts it, also the other side.
    """
    for each in moments:
        kind = "" if each.act is None else each.act.kind.partition("/")[0]
        if kind in {FILE_KIND, UPDATE_KIND, ACCEPT_KIND}:
            for part in each.parts:
                if isinstance(part.value, OperationFiled) and part.value.operation.party == party:
                    yield kind, part.value.operation.late_us


def _pair(story: Story, pair: tuple[str, str], conflicts: Sequence[ConflictStory]) -> Pair:
    own = [each for each in conflicts if set(each.latest.parties) == set(pair)]
    ended = [each for each in own if each.latest.is_settled and each.changes]
    return Pair(
        parties=pair,
        raised=sum(each.latest.raised_us >= story.from_us for each in own),
        settled=Counter(how_settled(each) for each in ended),
        agreed=sum(each.latest.state is State.AGREED for each in own),
        open=sum(each.latest.is_open for each in own),
    )


def how_settled(story: ConflictStory) -> str:
    """Return how a conflict came to its end, without ids and free words."""
    last = story.history[-1]
    if last.act is not None and last.act.kind.startswith(ACCEPT_KIND):
        return "a proposal was accepted"
    if last.conflict.state is State.EXPIRED:
        return "it expired"
    if found := BY_TIME_OR_OTHERS.fullmatch(last.conflict.closed_by):
        return f"{found[1]}'s operation {found[2].partition(':')[0]}"
    if last.conflict.closed_by.startswith("agreement "):
        return "another agreement holds"
    return last.conflict.closed_by.partition(":")[0] or "for no reason that is told"


def _breaches(conflicts: Sequence[ConflictStory]) -> Iterator[Breaches]:
    """Yield the rules that were found broken in the range, each with how many conflicts."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for one in conflicts:
        counts.update({
            (each.agreement, each.clause, each.numbers.leaf if each.numbers else "")
            for change in one.changes if not change.conflict.is_settled
            for each in change.conflict.broken
        })  # fmt: skip
    for (agreement, clause, rule), count in sorted(counts.items()):
        yield Breaches(agreement, clause, rule, count)
