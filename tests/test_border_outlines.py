# SPDX-License-Identifier: Apache-2.0
"""Reference borders as they are drawn on a map."""

import numpy as np
import pytest

from keepclear.airspace.border_outlines import OutlineKind, outlines
from keepclear.airspace.borders import Borders
from keepclear.errors import InputError
from keepclear.formats.packaged import read_borders


@pytest.fixture(scope="module")
def borders() -> Borders:
    return read_borders()


def test_outlines_across_the_antimeridian_run_on(borders: Borders) -> None:
    drawn = outlines(borders, west_deg=176, south_deg=-20, east_deg=-178, north_deg=-15)

    assert {OutlineKind.COAST} <= {line.kind for line in drawn}
    for line in drawn:
        assert line.longitude_deg.min() > 170
        assert line.longitude_deg.max() < 190
        assert np.abs(np.diff(line.longitude_deg)).max() < 10


def test_outlines_are_thinned_to_the_grain_and_keep_to_the_lines(borders: Borders) -> None:
    fine = outlines(borders, west_deg=5, south_deg=45, east_deg=11, north_deg=48, grain_deg=1e-6)
    coarse = outlines(borders, west_deg=5, south_deg=45, east_deg=11, north_deg=48, grain_deg=0.1)
    points = {
        (x, y) for line in fine for x, y in zip(line.longitude_deg, line.latitude_deg, strict=True)
    }

    assert 0 < sum(len(c.latitude_deg) for c in coarse) < len(points) / 3
    for line in coarse:
        assert set(zip(line.longitude_deg, line.latitude_deg, strict=True)) <= points


def test_open_sea_has_no_outlines_and_a_window_upside_down_is_refused(borders: Borders) -> None:
    assert outlines(borders, west_deg=-41, south_deg=44, east_deg=-39, north_deg=46) == ()
    with pytest.raises(InputError):
        outlines(borders, west_deg=0, south_deg=1, east_deg=1, north_deg=0)
