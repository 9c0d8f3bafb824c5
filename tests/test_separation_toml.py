# SPDX-License-Identifier: Apache-2.0
"""Rules as text: what is written reads back equal, and what is wrong is listed at once."""

from string import printable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.agreement.leaves import (
    LONGEST_US,
    TALLEST_TMM,
    WIDEST_TMM,
    AllOf,
    AnyOf,
    Below,
    Duration,
    Floor,
    KeepWellClear,
    Lateral,
    Rvsm,
    Standoff,
    Time,
    Tree,
    Vertical,
    walk,
)
from keepclear.agreement.presets import TEXTS
from keepclear.agreement.quantities import lateral_text
from keepclear.agreement.rules_toml import parse_short, read_rules
from keepclear.agreement.rules_writing import write_rules
from keepclear.agreement.separation import Rule, RuleSet, describe_rule
from keepclear.airspace.altitudes import (
    HIGHEST_TMM,
    LOWEST_TMM,
    Altitude,
    Reference,
    are_comparable,
)
from keepclear.airspace.positions import Edge, Position
from keepclear.airspace.volumes import (
    Arc,
    ArcPolygon,
    Circle,
    Corridor,
    Line,
    Orbit,
    Polygon,
    Volume3D,
)
from keepclear.errors import RulesError

CLOSED = st.booleans()
LATERAL_TMM = st.integers(1, WIDEST_TMM) | st.integers(1, 1_000).map(lambda nm: nm * 18_520_000)
VERTICAL_TMM = st.integers(1, TALLEST_TMM) | st.integers(1, 1_000).map(lambda ft: ft * 304_800)
DURATION_US = st.integers(1, LONGEST_US) | st.integers(1, 1_440).map(lambda m: m * 60_000_000)
LEVEL_TMM = st.integers(LOWEST_TMM, HIGHEST_TMM) | st.integers(0, 999).map(lambda n: n * 304_800)

# --- rule sets at random --------------------------------------------------------------------


@st.composite
def verticals(draw: st.DrawFn) -> Vertical:
    least, middle, most = sorted(draw(st.tuples(VERTICAL_TMM, VERTICAL_TMM, VERTICAL_TMM)))
    level, up_to = sorted(draw(st.tuples(LEVEL_TMM, LEVEL_TMM)))
    return Vertical(
        minimum_tmm=most, is_closed=draw(CLOSED),
        below=draw(st.none() | st.just(Below(level_tmm=level, minimum_tmm=least))),
        rvsm=draw(st.none() | st.just(Rvsm(up_to_tmm=up_to, minimum_tmm=middle))),
    )  # fmt: skip


laterals = st.builds(Lateral, minimum_tmm=LATERAL_TMM, is_closed=CLOSED)
times = st.builds(Time, window_us=DURATION_US, is_closed=CLOSED)
stays = st.builds(
    lambda lateral, limit_us, reset_us: AnyOf(
        children=(lateral, Duration(limit_us=limit_us, reset_us=reset_us))
    ),
    laterals, DURATION_US, DURATION_US,
)  # fmt: skip
timed = st.builds(lambda lateral, time: AnyOf(children=(lateral, time)), laterals, times)
standoffs = st.builds(Standoff, distance_tmm=LATERAL_TMM, is_closed=CLOSED)
branches = st.one_of(laterals, verticals(), timed, stays, standoffs)
trees = st.one_of(
    branches,
    st.just(KeepWellClear(standard="phase-1")),
    st.lists(branches, min_size=1, max_size=3).map(lambda some: AllOf(children=tuple(some))),
)
positions = st.builds(Position, latitude_deg=st.floats(-90, 90), longitude_deg=st.floats(-180, 180))
edges = st.sampled_from(Edge)
DATUMS = {
    Reference.QNH: "1013", Reference.QFE: "LSZH", Reference.AMSL: "EGM96", Reference.AGL: "SRTM 1",
}  # fmt: skip


@st.composite
def altitudes(draw: st.DrawFn) -> Altitude | None:
    reference = draw(st.none() | st.sampled_from(Reference))
    if reference is None:
        return None
    datum = draw(st.sampled_from([None, DATUMS.get(reference)]))
    return Altitude(height_tmm=draw(LEVEL_TMM), reference=reference, datum=datum)


SQUARE = [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0)]


@st.composite
def rings(draw: st.DrawFn) -> tuple[Position, ...]:
    """A square somewhere, across the antimeridian too."""
    south, west = draw(st.integers(-89, 88)), draw(st.integers(-180, 180))
    size = draw(st.floats(0.001, 1))
    return tuple(
        Position(
            latitude_deg=south + size * up,
            longitude_deg=(west + size * right + 180) % 360 - 180,
        )
        for up, right in SQUARE
    )


routes = st.lists(positions, min_size=2, max_size=4).map(tuple)
parts = st.builds(Line, start=positions, edge=edges) | st.builds(
    Arc, centre=positions, start=positions, end=positions, clockwise=st.booleans()
)
shapes = st.one_of(
    st.builds(Circle, centre=positions, radius_tmm=LATERAL_TMM),
    st.builds(Orbit, first=positions, second=positions, radius_tmm=LATERAL_TMM),
    st.builds(Corridor, route=routes, width_tmm=LATERAL_TMM, edge=edges),
    st.builds(Polygon, ring=rings(), holes=st.lists(rings(), max_size=2).map(tuple), edge=edges),
    st.builds(ArcPolygon, boundary=st.lists(parts, min_size=1, max_size=4).map(tuple)),
)


@st.composite
def zones(draw: st.DrawFn) -> Volume3D:
    lower, upper = draw(altitudes()), draw(altitudes())
    if lower and upper and are_comparable(lower, upper) and lower.height_tmm > upper.height_tmm:
        lower, upper = upper, lower
    return Volume3D(shape=draw(shapes), lower=lower, upper=upper)


names = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)
classes = st.tuples(*[st.sampled_from(["any", "jet", 'a "b"', "ünï*"])] * 2)


@st.composite
def rule_sets(draw: st.DrawFn) -> RuleSet:
    zoned = draw(st.dictionaries(names, zones(), max_size=2))
    ids = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    rules = [
        Rule(
            id=each,
            holds=(tree := draw(trees)),
            classes=draw(classes),
            zone=draw(st.sampled_from([None, *zoned])),
            floor=draw(floors) if lasts(tree) else None,
            text=draw(st.text(max_size=20)),
        )
        for each in ids[1:]
    ]
    is_default = all(r.classes != ("any", "any") or r.zone for r in rules) and draw(st.booleans())
    rules.append(Rule(id=ids[0], holds=draw(laterals), is_default=is_default))
    text = st.text(max_size=20)
    return RuleSet(
        name=draw(text), rules=tuple(rules), source=draw(text), note=draw(text), zones=zoned
    )


floors = st.builds(Floor, lateral_tmm=st.just(1), vertical_tmm=VERTICAL_TMM)


def lasts(tree: Tree) -> bool:
    return any(isinstance(place.node, Duration) for place in walk(tree, ""))


@pytest.mark.slow
@given(rule_sets())
def test_what_is_written_reads_back_equal(rule_set: RuleSet) -> None:
    assert read_rules(write_rules(rule_set)) == rule_set


# --- reading --------------------------------------------------------------------------------

TREE = """
name = "n"
[rules.r]
all = [
  { any = [{ lateral = "5 NM", at_minimum = "conflict" }, { vertical = "1000 ft" }] },
  { any = [{ lateral = "3 NM" }, { time = "3 min" }] },
]
"""


def test_nested_any_and_all_are_read_with_their_units() -> None:
    found = read_rules(TREE)

    first = AnyOf(
        children=(
            Lateral(minimum_tmm=92_600_000, is_closed=True),
            Vertical(minimum_tmm=3_048_000),
        )
    )
    second = AnyOf(children=(Lateral(minimum_tmm=55_560_000), Time(window_us=180_000_000)))
    assert found.rules == (Rule(id="r", holds=AllOf(children=(first, second))),)


def test_bytes_and_text_read_alike() -> None:
    assert read_rules(TREE.encode()) == read_rules(TREE)


def test_a_reset_is_a_minute_where_it_is_absent() -> None:
    found = read_rules(
        'name = "n"\n[rules.r]\nany = [{ lateral = "3 NM" }, { duration = "3 min" }]\n'
        'floor = { lateral = "1 NM", vertical = "1000 ft" }'
    )

    assert found.rules[0] == Rule(
        id="r",
        holds=AnyOf(
            children=(
                Lateral(minimum_tmm=55_560_000),
                Duration(limit_us=180_000_000, reset_us=60_000_000),
            )
        ),
        floor=Floor(lateral_tmm=18_520_000, vertical_tmm=3_048_000),
    )


WRONG = """
nme = "n"
[rules.a]
classes = ["any"]
any = [{ latteral = "5 NM" }, { vertical = "1000" }, { time = "soon", at_minimum = "seperated" }]
[rules.b]
zone = "west"
any = [{ lateral = "5 NM", vertical = "1000 ft" }, 7]
[rules.c]
any = [{ lateral = "5 NM" }, { duration = "3 min" }]
floor = { lateral = 3 }
[rules.d]
vertical = "2000 ft"
below = { level = "2900 m QNH 1013", vertical = "1000 ft" }
[rules.e]
lateral = "0 NM"
"""


FAULTS_OF_WRONG = """\
nme: is not a key here; did you mean "name"?
name: is missing; give a text
rules.a.any[0].latteral: is not a key here; did you mean "lateral"?
rules.a.any[1].vertical '1000': is not a number with its unit; write "1000 ft"
rules.a.any[2].time 'soon': is not a number with its unit; write "90 s"
rules.a.any[2].at_minimum 'seperated': is not one of separated, conflict; did you mean "separated"?
rules.a.classes ['any']: are not two texts; write ["helicopter", "any"]
rules.b.any[1] 7: is not a table; write { key = value }
rules.b.any[0]: has lateral and vertical in one table; give each its own, in an any or an all
rules.c.floor.lateral 3: is not a number with its unit; write "5 NM" in quotes
rules.c.floor.vertical: is missing; give a number with its unit
rules.d.below.level '2900 m QNH 1013': is not a pressure altitude; write a level such as "FL290"
rules.e.lateral: lateral 0 NM: is not above 0 and up to 1000 NM; check number and unit
b/zone 'west': zones here are: none; define it or correct it"""


def test_all_faults_of_a_file_are_listed_at_once_with_path_and_nearest_key() -> None:
    with pytest.raises(RulesError) as refused:
        read_rules(WRONG)

    assert str(refused.value) == FAULTS_OF_WRONG


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('name = "n"', "rules: is missing"),
        ('name = "n"\n[rules]', "would have no rule and seem clear"),
        ('name = "n"\n[rules.r]\nlateral = 5', "is not a number with its unit"),
        ('name = "n"\n[rules.r]\nlateral = "5 furlong"', "unit 'furlong' is not one of"),
        ('name = "n"\n[rules.r]\nclasses = ["a", "b"]', "rules.r: has no minimum"),
        ('name = "n"\n[rules.r]\nany = "5 NM"', "is not a list"),
        ('name = "n"\n[rules.r]\nlateral = "5 NM"\ndefault = "yes"', "is not true or false"),
        ('name = "n"\n[rules.r]\nstandoff = "5 NM"\nfrom = "border"', "airspace_of_other_state"),
        ('name = "n"\n[rules.r]\nany = [{lateral = "5 NM"}, {duration = "3 min"}]', "floor"),
        ('name = "n"\n[rules.r]\nany = [{time = "3 min"}]', "there are none"),
        ('name = "n"\n[rules.r]\nlateral = "5 NM"\nat_minimun = "conflict"', '"at_minimum"'),
        ('name = "n"\nname = "m"', "are not TOML"),
        ("x = " + "[" * 5_000, "are not TOML"),
        ("x = " + "9" * 5_000, "are not TOML"),
        ("#" * 1_000_001, "are over 1,000,000"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, says: str) -> None:
    with pytest.raises(RulesError) as refused:
        read_rules(text)

    assert says in str(refused.value)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(RulesError, match="byte 8: not UTF-8"):
        read_rules(b'name = "\xff"')


@pytest.mark.parametrize(
    ("length_tmm", "says"),
    [
        (12_223_200, "0.66 NM"),
        (18_520_000, "1 NM"),
        (18_520_001, "1852.0001 m"),
        (100_000_000, "10 km"),
        (5_000_000, "500 m"),
        (1_524_000, "500 ft"),
    ],
)
def test_a_length_is_written_in_the_unit_that_fits(length_tmm: int, says: str) -> None:
    assert lateral_text(length_tmm) == says


# --- the short form -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("5 NM / 1000 ft", "5 NM or 1000 ft"),
        ("5NM/1000ft", "5 NM or 1000 ft"),
        ("5 NM", "5 NM"),
        ("3 NM / 1000 ft / 3 min", "3 NM or 1000 ft or 3 min apart in time"),
        ("3 NM / / 3 min", "3 NM or 3 min apart in time"),
        ("500 m / 300 m", "500 m or 300 m"),
    ],
)
def test_the_short_form_is_lateral_vertical_and_time_joined_by_any(text: str, says: str) -> None:
    [rule] = parse_short(text).rules

    assert describe_rule(rule) == says


@pytest.mark.parametrize(
    "text", ["", "5", "5 NM / 3 min", "/ 1000 ft", "1 NM / 2 ft / 3 s / 4 s", "-5 NM", "nan NM"]
)
def test_a_short_form_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(RulesError):
        parse_short(text)


# --- mutated files --------------------------------------------------------------------------


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A preset or the tree above with pieces cut out, doubled or written over."""
    text = draw(st.sampled_from([*TEXTS, TREE, WRONG])).encode()
    for _ in range(draw(st.integers(1, 4))):
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
        end = min(end, start + draw(st.integers(0, 40)))
        piece = draw(st.binary(max_size=6) | st.text(printable, max_size=6).map(str.encode))
        text = text[:start] + draw(st.sampled_from([b"", text[start:end] * 2, piece])) + text[end:]
    return text


@pytest.mark.slow
@given(mutated())
def test_only_our_own_error_comes_out_of_a_mutated_file(text: bytes) -> None:
    try:
        found = read_rules(text)
    except RulesError:
        return
    assert read_rules(write_rules(found)) == found
