# SPDX-License-Identifier: Apache-2.0
"""What the pages made of a record have beyond the look of all pages (`style`).

Exercise and Test are told apart from Actual by a strip with the word in it, on screen and at the
head of each printed sheet; a record that fails is so marked on each sheet too.
"""

from collections.abc import Sequence
from typing import Final

CSS: Final = """
.strip { font-weight: 700; letter-spacing: 0.12em; padding: 3px 10px; margin: 0 0 8px;
  border: 2px solid #111; overflow: hidden; white-space: nowrap; }
.strip.Actual { background: #fff; }
.strip.Exercise { background: #003d73; border-color: #003d73; color: #fff; }
.strip.Test { background: #e9e3f5; border: 2px dashed #4a2f83; color: #2f1c58; }
.proof { display: inline-block; font-size: 38px; line-height: 1.15; font-weight: 700;
  padding: 2px 14px; margin: 8px 0 4px; border: 3px solid #111; border-radius: 3px; }
.proof.FAILS { background: #9b0000; border-color: #9b0000; color: #fff; }
.proof.NOT { border-style: dashed; background: #fff3c4; }
.facts th { width: 130px; }
.timeline td { padding-top: 5px; padding-bottom: 5px; }
.timeline td.t { font-weight: 600; }
.timeline td:nth-child(2) { overflow-wrap: normal; }
.timeline p { margin: 0 0 2px; }
.timeline .act { font-weight: 600; }
.timeline .conflict { border-left: 5px solid #9b0000; padding-left: 8px; }
.timeline .late { border-left: 5px double #111; padding-left: 8px; }
.told { color: #333; font-size: 13px; }
.stopped { border: 3px solid #9b0000; padding: 4px 10px; font-weight: 700; }
.period { margin-bottom: 14px; }
.period td, .period th { white-space: nowrap; }
.period td.sub { padding-left: 18px; }
.period td.unknown { color: #555; font-style: italic; }
@media print {
  .proof { font-size: 24pt; }
  .strip { font-size: 9pt; }
  .told { font-size: 8.5pt; }
  .period { margin-bottom: 8px; }
  .period td, .period th { padding-top: 1px; padding-bottom: 1px; }
  .facts td, .facts th { padding-top: 1px; padding-bottom: 1px; }
  .finding.settling .map { max-height: 46mm; }
  .timeline td { padding-top: 2px; padding-bottom: 2px; }
  .sheet { break-before: page; }
}
"""


def running_head(statuses: Sequence[str], kind: str) -> str:
    """Return the rule that repeats status and proof on each printed sheet, with its number.

    statuses, kind: words of keepclear's own, never from a file.
    """
    words = " + ".join(each.upper() for each in statuses) or "NO ACT"
    return (
        "@page { margin-top: 15mm; margin-bottom: 15mm; "
        f'@top-left {{ content: "{words}"; font: 700 9pt sans-serif; }} '
        f'@top-right {{ content: "{kind}"; font: 700 9pt sans-serif; }} '
        '@bottom-right { content: counter(page) " of " counter(pages); font: 9pt sans-serif; } }\n'
    )
