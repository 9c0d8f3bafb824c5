# SPDX-License-Identifier: Apache-2.0
"""Two versions of an agreement over files of plans: what each finds, and what differs.

1. A version is taken as in force for every plan: who has signed it, and when it holds, is not
   looked at (`keepclear agreement verify` does).
2. Each separation clause that binds a pair is looked at by itself; any broken one is a finding.
   A pair that no clause binds, since one of the two is no party or the version has none, is under
   the house rule, as it would be in a region.
3. Where neither version binds any pair of the files, that is refused: nothing could change, and
   that answer would be true and worthless.
4. With `own`, only the pairs of that party: its own operations against what it was shown.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Final, NamedTuple

import msgspec

from keepclear.agreement.clauses import AnyDecision, Separation, WhoActs
from keepclear.agreement.documents import Agreement, hash_of
from keepclear.agreement.findings import Finding
from keepclear.agreement.rules_toml import parse_short
from keepclear.agreement.separation import RuleSet
from keepclear.checks.check import DEFAULT_RULES, notes_of, read_all, rules_used
from keepclear.checks.compare import compare
from keepclear.checks.drawing import paths_of
from keepclear.checks.effect import Broken, ClauseUsed, Effect, Kind, counts_of, effects_of
from keepclear.checks.inputs import FilePath, inputs_of
from keepclear.checks.inputs import Parties as FilesOf
from keepclear.checks.prepare import Plan, Prepared, Uncertainty, prepare
from keepclear.checks.report import Exit, Report
from keepclear.checks.windows import Window
from keepclear.detect.kernel import KERNEL
from keepclear.errors import CallerError, InputError, RulesError

HOUSE: Final = ""
MAX_GAP_US: Final = 5 * 60 * 1_000_000
ALWAYS: Final = Window(None, None, None, None)
Progress = Callable[[float, str], None]


class Named(NamedTuple):
    """An agreement and the file it is from."""

    file: str
    agreement: Agreement


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version as it was used.

    clauses: those about separation, in its order. who_acts: what its clauses say of who acts,
    which is compared and not read here.
    """

    file: str
    id: str
    version: int
    hash: str
    parties: tuple[str, ...]
    clauses: tuple[ClauseUsed, ...]
    who_acts: tuple[AnyDecision, ...]

    def covers(self, parties: tuple[str, str]) -> bool:
        """Tell whether both are parties to it."""
        return set(parties) <= set(self.parties)

    def binds(self, parties: tuple[str, str]) -> bool:
        """Tell whether a clause of it sets minima between two parties."""
        return bool(self.clauses) and self.covers(parties)


class EffectReport(msgspec.Struct, frozen=True, kw_only=True):
    """What another version would change.

    own: whose operations were looked at, "" for everybody's. house: the rule of pairs that no
    clause binds. unbound: the pairs of parties that neither version binds. checked: what was
    compared, with the findings of both versions; its rules are the house rule.
    """

    before: Version
    after: Version
    own: str
    house: ClauseUsed
    unbound: tuple[tuple[str, str], ...]
    effects: tuple[Effect, ...]
    checked: Report

    @property
    def counts(self) -> dict[Kind, int]:
        """How many findings appear, disappear, change, are the same, are undetermined."""
        return counts_of(self.effects)

    @property
    def exit_status(self) -> Exit:
        """1 where something is new, worse or undetermined, else 3 where there are gaps, else 0."""
        if any(effect.is_worse for effect in self.effects):
            return Exit.FOUND
        return Exit.ONLY_GAPS if self.checked.unknown else Exit.CLEAR


def effect(
    files: Sequence[FilePath], before: Named, after: Named, *, parties: FilesOf | None = None,
    own: str = "", progress: Progress | None = None,
) -> EffectReport:  # fmt: skip
    """Return what changes for the plans in files when one version takes the place of another.

    files, parties, progress: as `checks.check.check` has them. own: a party; only its operations
    against those of others. Raises `FileErrors`, `RulesError` and `InputError`, all of them
    `CallerError`.
    """
    tell = progress or (lambda _share, _what: None)
    names, by_file = inputs_of(files, parties or {})
    contents = read_all(names, lenient=False, tell=tell)
    prepared = prepare(contents, by_file, Uncertainty(), 0, MAX_GAP_US)
    one, other = _version(before), _version(after)
    pairs = _pairs_of_parties(prepared.plans, own)
    if not any(each.binds(pair) for pair in pairs for each in (one, other)):
        raise _bound_by_neither(pairs, one, other)
    house = ClauseUsed(id=HOUSE, rules=rules_used(parse_short(DEFAULT_RULES)))
    look = _Look(prepared, house, tell)
    olds, news = look.found_under(before, one, pairs), look.found_under(after, other, pairs)
    findings = tuple({id(each.finding): each.finding for each in (*olds, *news)}.values())
    plans, compared = _counted(prepared.plans, own)
    said = [*look.notes, "Both versions taken as in force for all of these plans."]
    return EffectReport(
        before=one, after=other, own=own, house=house,
        unbound=tuple(p for p in pairs if not (one.binds(p) or other.binds(p))),
        effects=effects_of(olds, news, lambda pair: _acts(one, pair) != _acts(other, pair)),
        checked=Report(
            kernel=KERNEL, rules=house.rules, files=tuple(each.file for each in contents),
            plans=plans, pairs=compared, findings=findings, unknown=prepared.gaps,
            notes=tuple(notes_of(contents, prepared, said, rvsm=True)),
            left_out=(), faults_left_out=0, paths=paths_of(prepared, findings),
        ),
    )  # fmt: skip


class _Look:
    """What is found for all pairs under each rule set, which is compared once."""

    def __init__(self, prepared: Prepared, house: ClauseUsed, tell: Progress) -> None:
        self.prepared, self.house, self.tell = prepared, house, tell
        self.known: list[tuple[RuleSet, tuple[Finding, ...]]] = []
        self.notes: list[str] = []

    def found_under(
        self, named: Named, version: Version, pairs: Sequence[tuple[str, str]]
    ) -> list[Broken]:
        """Return the findings of a version, by its clauses and the house rule."""
        bound = {pair for pair in pairs if version.binds(pair)}
        free = set(pairs) - bound
        found: list[Broken] = []
        used = {each.id: each for each in version.clauses}
        for clause in named.agreement.clauses if bound else ():
            if isinstance(clause.decides, Separation):
                where = f"{named.file}, clause {clause.id}"
                of_all = self._findings(clause.decides.rules, where)
                found += _of_pairs(of_all, used[clause.id], bound)
        if free:
            of_all = self._findings(parse_short(DEFAULT_RULES), "house rule")
            found += _of_pairs(of_all, self.house, free)
        return found

    def _findings(self, rules: RuleSet, where: str) -> tuple[Finding, ...]:
        for known, findings in self.known:
            if known == rules:
                return findings
        try:
            compared = compare(
                self.prepared, rules, within_party=False, rvsm=True, vertical_tolerance_tmm=0,
                window=ALWAYS, tell=self.tell,
            )  # fmt: skip
        except (InputError, RulesError) as fault:
            raise RulesError(f"{where}: {fault}") from None
        self.notes += [note for note in compared.notes if note not in self.notes]
        self.known.append((rules, compared.findings))
        return compared.findings


def _version(named: Named) -> Version:
    agreement = named.agreement
    return Version(
        file=named.file, id=agreement.id, version=agreement.version, hash=hash_of(agreement),
        parties=tuple(party.id for party in agreement.parties),
        clauses=tuple(
            ClauseUsed(id=clause.id, rules=rules_used(clause.decides.rules))
            for clause in agreement.clauses
            if isinstance(clause.decides, Separation)
        ),
        who_acts=tuple(
            clause.decides for clause in agreement.clauses if isinstance(clause.decides, WhoActs)
        ),
    )  # fmt: skip


def _of_pairs(
    findings: Sequence[Finding], clause: ClauseUsed, pairs: set[tuple[str, str]]
) -> list[Broken]:
    return [
        Broken(clause=clause, finding=each) for each in findings if _sorted(each.parties) in pairs
    ]


def _acts(version: Version, parties: tuple[str, str]) -> tuple[AnyDecision, ...]:
    return version.who_acts if version.covers(parties) else ()


def _sorted(parties: tuple[str, str]) -> tuple[str, str]:
    first, second = sorted(parties)
    return first, second


def _pairs_of_parties(plans: Sequence[Plan], own: str) -> list[tuple[str, str]]:
    """Return the pairs of parties that are looked at; `CallerError` where there is none."""
    parties = sorted({plan.party for plan in plans})
    listed = ", ".join(parties)
    if own and own not in parties:
        raise InputError(
            "own", own, f"has no plan in these files, which hold plans of {listed or 'nobody'}",
            "name one of them, or say with --party whose a file is",
        )  # fmt: skip
    pairs = [pair for pair in combinations(parties, 2) if not own or own in pair]
    if not pairs:
        what = f"all plans are of the party {listed!r}" if parties else "the files hold no plan"
        raise CallerError(
            f"nothing to compare: {what}, and an agreement is between two; add a file of another "
            "party, or say with --party whose each file is"
        )
    return pairs


def _bound_by_neither(
    pairs: Sequence[tuple[str, str]], before: Version, after: Version
) -> CallerError:
    listed = ", ".join(sorted({party for pair in pairs for party in pair}))
    if not (before.clauses or after.clauses):
        return CallerError(
            f"nothing to compare: neither {before.file} nor {after.file} has a separation clause, "
            "so the house rule binds under both; add a clause that decides minima"
        )
    files: dict[str, list[str]] = {}
    for each in (before, after):
        files.setdefault(", ".join(each.parties), []).append(each.file)
    sides = [f"{parties} ({', '.join(dict.fromkeys(of))})" for parties, of in files.items()]
    return CallerError(
        f"nothing to compare: the plans are of {listed}, and the agreements are between "
        f"{' and '.join(sides)}; say whose a file is: --party {after.parties[0]}=FILE"
    )


def _counted(plans: Sequence[Plan], own: str) -> tuple[int, int]:
    """Return how many plans and pairs of different parties were compared."""
    sizes = Counter(plan.party for plan in plans)
    return len(plans), sum(
        sizes[a] * sizes[b] for a, b in combinations(sizes, 2) if not own or own in (a, b)
    )
