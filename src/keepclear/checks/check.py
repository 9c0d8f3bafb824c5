# SPDX-License-Identifier: Apache-2.0
"""`keepclear.check`: reads files, compares every pair, explains what is not CLEAR.

Leaves to others: bytes (`formats`), plans as columns (`prepare`), what comes close (`compare`),
the words (`reports`).
"""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final, NamedTuple

from keepclear.agreement.presets import PRESETS
from keepclear.agreement.quantities import duration_text, lateral_text, vertical_text
from keepclear.agreement.rules_toml import parse_short, read_rules
from keepclear.agreement.separation import RuleSet, describe_rule, describe_scope
from keepclear.airspace.altitudes import reference_text
from keepclear.checks.compare import Comparison, compare
from keepclear.checks.drawing import paths_of
from keepclear.checks.inputs import FilePath, Parties, inputs_of
from keepclear.checks.prepare import Prepared, Uncertainty, parse_uncertainty, prepare
from keepclear.checks.report import Report, RulesUsed, RuleUsed
from keepclear.checks.windows import Window, gaps_within
from keepclear.detect.kernel import KERNEL
from keepclear.errors import CallerError, Fault, FileErrors, InputError, RulesError, fault_lines
from keepclear.formats.contents import Contents
from keepclear.formats.reading import read
from keepclear.units import TMM_PER_M, parse_duration_us, parse_length_tmm, parse_time_us

DEFAULT_RULES: Final = "5 NM / 1000 ft"
LONGEST_TOLERANCE_US: Final = 15 * 60 * 1_000_000
Progress = Callable[[float, str], None]


class Asked(NamedTuple):
    """The values of a check, read."""

    rules: RulesUsed
    rule_set: RuleSet
    uncertainty: Uncertainty
    tolerance_us: int
    vertical_tolerance_tmm: int
    max_gap_us: int
    window: Window


def check(  # noqa: PLR0913 the options of the command
    files: Sequence[FilePath], *, rules: str | None = None,
    parties: Parties | None = None, within_party: bool = False,
    start: str | None = None, end: str | None = None, time_tolerance: str | None = None,
    uncertainty: str | None = None, vertical_tolerance: str | None = None, rvsm: bool = True,
    max_gap: str = "5 min", lenient: bool = False, progress: Progress | None = None,
) -> Report:  # fmt: skip
    """Compare the plans in files and return every pair that is not CLEAR.

    files: CSV, Parquet, GeoJSON, KML, F3548 JSON or readsb JSON. rules: a preset's name, a
    TOML file, or minima such as "5 NM / 1000 ft", which is the default. parties: name -> file or
    files, where a file has no party column; without either a file is a party. within_party: also
    compare plans of one party. start, end: look only at this time (RFC 3339). time_tolerance:
    every plan may run this early and this late. uncertainty: lateral / vertical / time, of each
    plan. vertical_tolerance: comes off the vertical minimum, once a pair. rvsm: assume RVSM
    approval where the file does not say. max_gap: the longest time between positions over
    which a file of positions is joined. lenient: leave out what cannot be read and say so.
    progress: called with a share from 0 to 1 and what is being done.

    Raises `FileErrors` (all faults of a file at once), `RulesError` and `InputError`, all of
    them `CallerError`.
    """
    tell = progress or _silent
    asked = _asked(rules, start, end, time_tolerance, uncertainty, vertical_tolerance, max_gap)
    names, by_file = inputs_of(files, parties or {})
    tell(0.0, "reading")
    contents = read_all(names, lenient=lenient, tell=tell)
    prepared = prepare(contents, by_file, asked.uncertainty, asked.tolerance_us, asked.max_gap_us)
    try:
        compared = compare(
            prepared, asked.rule_set, within_party=within_party, rvsm=rvsm,
            vertical_tolerance_tmm=asked.vertical_tolerance_tmm,
            window=asked.window, tell=tell,
        )  # fmt: skip
    except (InputError, RulesError):
        raise
    except CallerError as nothing:
        raise _with_left_out(nothing, _left_out(contents)) from None
    said = [*compared.notes, *_said_of_allowances(asked, time_tolerance)]
    return _report(asked, contents, prepared, compared, said, rvsm=rvsm)


def load_rules(rules: str | None) -> tuple[RuleSet, RulesUsed]:
    """Return the rules that a preset's name, a TOML file or minima stand for."""
    text = DEFAULT_RULES if rules is None else rules
    if text in PRESETS:
        rule_set = PRESETS[text]
    elif text.lower().endswith(".toml") or Path(text).is_file():
        rule_set = _rules_of(text)
    else:
        rule_set = _short(text)
    return rule_set, rules_used(rule_set, was_default=rules is None)


def rules_used(rule_set: RuleSet, *, was_default: bool = False) -> RulesUsed:
    """Return what an answer says of a rule set."""
    each = tuple(
        RuleUsed(id=rule.id, asks=describe_rule(rule), binds=describe_scope(rule), text=rule.text)
        for rule in rule_set.rules
    )
    return RulesUsed(
        name=rule_set.name, text="; ".join(rule.asks for rule in each), rules=each,
        source=rule_set.source, note=rule_set.note, was_default=was_default,
    )  # fmt: skip


def _rules_of(file: str) -> RuleSet:
    content = _bytes_of(file)
    try:
        return read_rules(content)
    except RulesError as faults:
        lines = str(faults).splitlines()
        raise RulesError("\n".join(f"{file}: {line}" for line in lines)) from None


def _short(text: str) -> RuleSet:
    known = ", ".join(sorted(PRESETS))
    near = get_close_matches(text.strip().casefold(), PRESETS, n=1, cutoff=0.7)
    if near or not any(character.isdigit() for character in text):
        way_out = f'did you mean "{near[0]}"?' if near else "give one of these"
        raise RulesError(
            f"rules {text!r}: is no preset ({known}), no TOML file that is there, and no minima "
            f'such as "5 NM / 1000 ft"; {way_out}'
        )
    try:
        return parse_short(text)
    except CallerError as fault:
        raise RulesError(f"{fault}; or give a preset ({known}) or a TOML file") from None


def _asked(
    rules: str | None, start: str | None, end: str | None, time_tolerance: str | None,
    uncertainty: str | None, vertical_tolerance: str | None, max_gap: str,
) -> Asked:  # fmt: skip
    rule_set, used = load_rules(rules)
    from_us = None if start is None else parse_time_us(start, "from")
    to_us = None if end is None else parse_time_us(end, "to")
    if from_us is not None and to_us is not None and to_us <= from_us:
        way_out = "give a later time" if to_us == from_us else "swap them"
        raise InputError("to", end, f"is not after from {start}", way_out)
    tolerance_us = _duration(time_tolerance, "time-tolerance")
    if tolerance_us > LONGEST_TOLERANCE_US:
        raise InputError(
            "time-tolerance", time_tolerance, "is above 15 min, which needs a clause",
            "use at most 15 min",
        )  # fmt: skip
    gap_us = _duration(max_gap, "max-gap")
    if gap_us == 0:
        raise InputError("max-gap", max_gap, "is no time", "give a duration above 0")
    vertical_tmm = 0
    if vertical_tolerance is not None:
        vertical_tmm = parse_length_tmm(vertical_tolerance, "vertical-tolerance")
        _not_negative(vertical_tmm, vertical_tolerance, "vertical-tolerance")
    return Asked(
        used, rule_set, parse_uncertainty(uncertainty), tolerance_us, vertical_tmm, gap_us,
        Window(start, end, from_us, to_us),
    )  # fmt: skip


def _said_of_allowances(asked: Asked, time_tolerance: str | None) -> list[str]:
    """Return what was allowed for, a sentence each: an answer must not be read without it."""
    said = []
    if asked.tolerance_us:
        said.append(f"Every plan may run {time_tolerance} early or late.")
    if asked.uncertainty != Uncertainty():
        sure = asked.uncertainty
        texts = (
            sure.lateral_m and f"{lateral_text(round(sure.lateral_m * TMM_PER_M))} laterally",
            sure.vertical_tmm and f"{vertical_text(sure.vertical_tmm)} vertically",
            sure.time_us and f"{duration_text(sure.time_us)} in time",
        )
        known = ", ".join(text for text in texts if text)
        said.append(f"Uncertainty of each plan where its file gives none: {known}.")
    if asked.vertical_tolerance_tmm:
        less = vertical_text(asked.vertical_tolerance_tmm)
        said.append(f"{less} taken off each vertical minimum.")
    return said


def _duration(text: str | None, path: str) -> int:
    if text is None:
        return 0
    duration_us = parse_duration_us(text, path)
    _not_negative(duration_us, text, path)
    return duration_us


def _not_negative(value: int, text: str, path: str) -> None:
    if value < 0:
        raise InputError(path, text, "is below 0", "give 0 or more")


def _bytes_of(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except IsADirectoryError:
        limit, way_out = "is a folder", "name the files in it"
        raise FileErrors(file, [Fault(kind="file", limit=limit, way_out=way_out)]) from None
    except OSError as fault:
        raise FileErrors(
            file,
            [Fault(kind="file", limit=str(fault.strerror), way_out="check its name and rights")],
        ) from None


def read_all(files: Sequence[str], *, lenient: bool, tell: Progress) -> list[Contents]:
    """Return what all files hold; the faults of all of them are raised as one."""
    contents: list[Contents] = []
    faults: list[FileErrors] = []
    for i, file in enumerate(files):
        tell(0.2 * i / len(files), f"reading {file}")
        try:
            contents.append(read(file, _bytes_of(file), lenient=lenient))
        except FileErrors as found:
            faults.append(found)
    if len(faults) > 1:
        raise CallerError("\n".join(str(found) for found in faults))
    if faults:
        raise faults[0]
    return contents


def _report(
    asked: Asked, contents: Sequence[Contents], prepared: Prepared, compared: Comparison,
    said: Sequence[str], *, rvsm: bool,
) -> Report:  # fmt: skip
    return Report(
        kernel=KERNEL, rules=asked.rules, files=tuple(each.file for each in contents),
        plans=compared.plans, pairs=compared.pairs, findings=compared.findings,
        unknown=gaps_within(prepared, asked.window),
        notes=tuple(notes_of(contents, prepared, said, rvsm=rvsm)),
        left_out=tuple(_left_out(contents)),
        faults_left_out=sum(len(each.left_out) for each in contents),
        paths=paths_of(prepared, compared.findings),
    )  # fmt: skip


def _left_out(contents: Sequence[Contents]) -> list[str]:
    return [
        f"{each.file}: {line}" for each in _by_name(contents) for line in fault_lines(each.left_out)
    ]


def _with_left_out(nothing: CallerError, left_out: Sequence[str]) -> CallerError:
    """Return the error that there is nothing to compare, with what was left out under it."""
    if not left_out:
        return nothing
    return CallerError("\n".join([str(nothing), "left out by --lenient:", *left_out]))


def notes_of(
    contents: Sequence[Contents], prepared: Prepared, said: Sequence[str], *, rvsm: bool
) -> list[str]:
    """Return what was assumed, a sentence each, and what the readers did."""
    used = {prepared.datums[code] for code in set(prepared.points.datum.tolist()) if code >= 0}
    names = sorted(reference_text(datum) for datum in used)
    notes = [f"Heights: {', '.join(names)}."] if names else []
    stated = {plan.rvsm for plan in prepared.plans}
    if None in stated:
        notes.append("RVSM approval assumed." if rvsm else "RVSM approval not assumed.")
    return [*notes, *said, *(f"{c.file}: {note}" for c in _by_name(contents) for note in c.notes)]


def _by_name(contents: Sequence[Contents]) -> list[Contents]:
    """Return files by name: no answer hangs on the order in which they were given."""
    return sorted(contents, key=lambda each: each.file)


def _silent(_share: float, _what: str) -> None:
    """Tell nobody."""
