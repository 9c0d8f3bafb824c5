# SPDX-License-Identifier: Apache-2.0
"""What another version would change as JSON, for programs.

| key           | what                                                                        |
|---------------|-----------------------------------------------------------------------------|
| kernel        | version of the kernel                                                       |
| before, after | the versions: file, id, version, hash, minima: clause, asks                 |
| house_rule    | what pairs are under that no clause binds                                   |
| bound_by_none | pairs of parties that neither version binds                                 |
| own           | whose operations were looked at; null for everybody's                       |
| checked       | plans, pairs: how many were compared                                        |
| counts        | findings: APPEARS, DISAPPEARS, CHANGES, SAME, UNDETERMINED                  |
| effects       | effect, is_worse, changed, before, after, besides: clause and finding of    |
|               | each side, null where there is none                                         |
| unknown       | gaps, as in `json_report`                                                   |
| assumed       | sentences                                                                   |
| notice        | what the answer does not cover and does not mean: sentences                 |

A finding has the keys of `json_report`.
"""

from typing import Any

import msgspec

from keepclear.checks.effect import Broken, Effect
from keepclear.checks.versions import EffectReport, Version
from keepclear.reports.effect_texts import NOT_SHOWN
from keepclear.reports.json_report import finding_values, gap_values
from keepclear.reports.texts import NO_NOTICE


def effect_json(report: EffectReport) -> str:
    """Return the report as JSON text that ends in a newline."""
    checked = report.checked
    whole = {
        "kernel": checked.kernel,
        "before": _version(report.before),
        "after": _version(report.after),
        "house_rule": report.house.rules.text,
        "bound_by_none": report.unbound,
        "own": report.own or None,
        "checked": {"plans": checked.plans, "pairs": checked.pairs},
        "counts": {kind.value: n for kind, n in report.counts.items()},
        "effects": [_effect(each) for each in report.effects],
        "unknown": [gap_values(gap) for gap in checked.unknown],
        "assumed": checked.notes,
        "notice": [NOT_SHOWN, NO_NOTICE],
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode() + "\n"


def _version(version: Version) -> dict[str, Any]:
    return {
        "file": version.file, "id": version.id, "version": version.version, "hash": version.hash,
        "minima": [{"clause": each.id, "asks": each.rules.text} for each in version.clauses],
    }  # fmt: skip


def _effect(effect: Effect) -> dict[str, Any]:
    return {
        "effect": effect.kind.value, "is_worse": effect.is_worse, "changed": effect.changed,
        "before": _side(effect.before), "after": _side(effect.after),
        "besides": [_side(each) for each in effect.besides],
    }  # fmt: skip


def _side(broken: Broken | None) -> dict[str, Any] | None:
    if broken is None:
        return None
    return {"clause": broken.clause.id or None, "finding": finding_values(broken.finding)}
