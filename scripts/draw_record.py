# SPDX-License-Identifier: Apache-2.0
"""Draw the picture of docs/record.md: from what a party signs to what anybody can verify.

    python -m scripts.draw_record

It is laid out by hand, top to bottom: parties, entries, trees, checkpoints, a receipt. What each
row means stands at its right. Change the numbers and the words here, not in the picture.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from keepclear.reports.markup import Markup, joined, tag
from scripts.pictures import arrow, box, dot, line, save, sheet, write

FILE: Final = "record.svg"
SIZE: Final = 760 + 640j
NOTES: Final = 584.0  # where what is said of a row begins
PARTY: Final = 132 + 48j
ENTRY: Final = 132 + 62j
PART: Final = 60 + 22j
CHECKPOINT: Final = 124 + 46j
LEAVES: Final = (-27, -9, 9, 27)

PARTIES: Final = {"party A": 120 + 44j, "party B": 460 + 44j}
# Each entry with its parts, and each part with the leaf it becomes in the tree of its audience.
ENTRIES: Final = {
    "entry 41": (120 + 190j, (("A", 0), ("A and B", 1))),
    "entry 42": (290 + 190j, (("A and B", 2), ("all", 1))),
    "entry 43": (460 + 190j, (("all", 2), ("B", 3))),
}
TREES: Final = {"A": 82.0, "A and B": 222.0, "all": 362.0, "B": 502.0}
LEAF: Final = 280j
ROOT: Final = 330j
SIGNED: Final = 430j
SHOWN: Final = 524j
READERS: Final = {"A": "to A", "A and B": "to A and B", "all": "to everybody", "B": "to B"}

TITLE: Final = "What a party can prove to whom"
DESC: Final = (
    "Parties A and B sign acts with their own keys. The exchange enters them in one order; each "
    "entry holds the hash of the one before, and these hashes never leave the operator. Each part "
    "of an entry goes into the tree of exactly one audience: A, A and B, all, or B. The exchange "
    "signs the root of each tree as a checkpoint, which goes to that audience. Every 10 seconds a "
    "beat, one signed digest, binds the roots of all trees. A receipt is a part with its salt, the "
    "proof and the checkpoint. With the file of keys anybody, such as an investigator, verifies "
    "it offline."
)


def draw() -> str:
    """Return the picture."""
    frame = box(380 + 237j, 736 + 250j, "frame", 12)
    parts = [frame, *_parties(), *_chain(), *_entries(), *_beat(), *_trees(), *_checkpoints()]
    return sheet(TITLE, DESC, SIZE, [*parts, *_receipt(), *_notes()])


def _named(middle: complex, size: complex, name: str, small: str, class_: str = "box") -> Markup:
    """Return a box with a name and a line in small print."""
    words = [write(name, middle - 4j, "name"), write(small, middle + 14j, "small")]
    return tag("g", box(middle, size, class_), *words)


def _said(y: float, *lines: str) -> Markup:
    rows = enumerate(lines)
    return tag("g", *(write(one, complex(NOTES, y + 17 * i), "words left") for i, one in rows))


def _parties() -> Iterator[Markup]:
    for party, at in PARTIES.items():
        yield _named(at, PARTY, party, "its own keys")
        yield arrow([at + 26j, at + 113j])
        yield write("signed act", at + 10 + 52j, "words left")


def _chain() -> Iterator[Markup]:
    middles = [at for at, _ in ENTRIES.values()]
    for before, after in pairwise(middles):
        yield arrow([before + ENTRY.real / 2, after - ENTRY.real / 2 - 2])
        yield write("hash", (before + after) / 2 - 7j, "small")


def _entries() -> Iterator[Markup]:
    yield write("exchange", 290 + 136j, "name")
    for entry, (at, parts) in ENTRIES.items():
        drawn = [box(at, ENTRY, "box"), write(entry, at - 10j, "name")]
        for (audience, leaf), aside in zip(parts, (-31.5, 31.5), strict=True):
            chip = at + aside + 15j
            end = TREES[audience] + LEAVES[leaf] + LEAF - 7j
            drawn += [box(chip, PART, "plain", 4), write(audience, chip + 4.5j, "small"),
                      arrow([chip + 12j, end])]  # fmt: skip
        yield tag("g", *drawn)


def _beat() -> Iterator[Markup]:
    at = 660 + ROOT
    yield tag("path", d=f"M{TREES['A']:.0f} {ROOT.imag:.0f}H{at.real - 72:.0f}",
              class_="line", stroke_dasharray="3 4")  # fmt: skip
    yield _named(at, 144 + 46j, "beat", "all roots, every 10 s", "plain")


def _trees() -> Iterator[Markup]:
    for audience, x in TREES.items():
        root, middle = x + ROOT, x + (LEAF + ROOT) / 2
        lines = [line(x + leaf + LEAF, middle + (18 if leaf > 0 else -18), root) for leaf in LEAVES]
        dots = [dot(x + leaf + LEAF, 5) for leaf in LEAVES]
        knots = [dot(middle - 18, 3.5), dot(middle + 18, 3.5), dot(root, 6)]
        name = write(f"tree of {audience}", root + 10 + 21j, "small left")
        yield joined([*lines, *dots, *knots, name])


def _checkpoints() -> Iterator[Markup]:
    for audience, x in TREES.items():
        yield arrow([x + ROOT + 6j, x + SIGNED - CHECKPOINT.imag / 2 * 1j - 2j])
        yield _named(x + SIGNED, CHECKPOINT, "checkpoint", READERS[audience])


def _receipt() -> Iterator[Markup]:
    receipt, keys, reader = 162 + SHOWN, 162 + SHOWN + 72j, 462 + SHOWN + 36j
    yield arrow([TREES["A and B"] + SIGNED + 24j, TREES["A and B"] + SHOWN - 28j])
    yield _named(receipt, 284 + 52j, "receipt of one part", "part with salt, proof, checkpoint")
    yield _named(keys, 284 + 52j, "file of keys", "of the parties and the exchange")
    yield arrow([receipt + 143, reader - 99 - 10j])
    yield arrow([keys + 143, reader - 99 + 10j])
    yield _named(reader, 194 + 52j, "anybody verifies", "such as an investigator")


def _notes() -> Iterator[Markup]:
    yield _said(40, "Each party signs", "its acts itself.")
    yield _said(166, "One order. Its hashes", "never leave the", "operator.")
    yield _said(246, "Each part is in one", "tree: of those who", "may see it.")
    yield _said(418, "The exchange signs", "each root, for those", "who see the tree.")
    yield _said(
        532,
        "Proven offline, years",
        "later, without the",
        "operator and without",
        "the other parts.",
    )


if __name__ == "__main__":
    save(FILE, draw())
