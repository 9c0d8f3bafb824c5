# SPDX-License-Identifier: Apache-2.0
"""The pictures of the docs say what the code says, and nothing in them covers anything else."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import defusedxml.ElementTree
import pytest

from scripts import draw_record, draw_rounding
from scripts.draw_states import DIAGRAMS, Diagram, draw, laid_out
from scripts.pictures import FOLDER

width_of_a_line = 1.5

LAMP = Diagram(
    file="lamp.svg",
    title="A lamp",
    table={
        "off": {"press": "on", "turn": "on", "drop": "broken"},
        "on": {"press": "off", "turn": "on", "drop": "broken", "hit": "broken"},
        "broken": {"drop": "broken", "give away": "gone"},
        "gone": {},
    },
    places={"off": 0, "on": 1, "broken": 1j, "gone": 1 + 1j},
    start="off",
    written="broken",
)
EVERY_DIAGRAM = pytest.mark.parametrize("diagram", [*DIAGRAMS, LAMP], ids=lambda one: one.file)


def moves_of(picture: str) -> list[tuple[str | None, ...]]:
    drawn = defusedxml.ElementTree.fromstring(picture)
    return [
        tuple(one.get(f"data-{word}") for word in ("from", "event", "to"))
        for one in drawn.iter()
        if one.get("data-event")
    ]


def moves_in(diagram: Diagram) -> Iterator[tuple[str, str, str]]:
    for state, moves in diagram.table.items():
        for event, after in moves.items():
            yield str(state), str(event), str(after)


@pytest.mark.slow
@EVERY_DIAGRAM
def test_a_diagram_has_every_move_of_its_table_once_and_no_other(diagram: Diagram) -> None:
    assert sorted(moves_of(draw(diagram))) == sorted(moves_in(diagram))


@pytest.mark.slow
@EVERY_DIAGRAM
def test_nothing_in_a_diagram_covers_anything_else(diagram: Diagram) -> None:
    paper = laid_out(diagram)
    words = {ends: way.words[0] for ends, way in paper.ways.items()}

    assert paper.boxes.keys() == diagram.table.keys()
    for one, other in combinations([*paper.boxes.values(), *paper.kept_free, *words.values()], 2):
        assert not one.touches(other), (one, other)
    for ends, way in paper.ways.items():
        others = [box for other, box in words.items() if other != ends]
        for one in (*paper.boxes.values(), *paper.kept_free, *others):
            assert (one.gap(way.points) > -width_of_a_line).all(), (ends, one)
        assert (paper.edge.gap(way.points) <= 0).all(), ends
        assert paper.edge.holds(words[ends]), ends


@pytest.mark.slow
@pytest.mark.parametrize("diagram", DIAGRAMS, ids=lambda one: one.file)
def test_the_diagram_in_the_docs_is_what_the_table_draws_now(diagram: Diagram) -> None:
    kept = (FOLDER / diagram.file).read_text(encoding="utf-8")

    assert kept == draw(diagram), "run: python -m scripts.draw_states"


def test_the_picture_of_the_record_in_the_docs_is_what_is_drawn_now() -> None:
    kept = (FOLDER / draw_record.FILE).read_text(encoding="utf-8")

    assert kept == draw_record.draw(), "run: python -m scripts.draw_record"


def test_the_picture_of_rounding_in_the_docs_is_what_is_drawn_now() -> None:
    kept = (FOLDER / draw_rounding.FILE).read_text(encoding="utf-8")

    assert kept == draw_rounding.draw(), "run: python -m scripts.draw_rounding"


@pytest.mark.parametrize("picture", sorted(FOLDER.iterdir()), ids=lambda file: file.name)
def test_a_picture_says_in_words_what_it_shows_and_fetches_nothing(picture: Path) -> None:
    drawn = defusedxml.ElementTree.fromstring(picture.read_text(encoding="utf-8"))
    space = "{http://www.w3.org/2000/svg}"

    assert drawn.findtext(f"{space}title")
    assert drawn.findtext(f"{space}desc")
    assert "href" not in picture.read_text(encoding="utf-8")
    assert "url(" not in picture.read_text(encoding="utf-8")
