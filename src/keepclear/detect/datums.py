# SPDX-License-Identifier: Apache-2.0
"""Numbers for what heights are measured from: equal numbers can be compared.

0 is pressure altitude on 1013.25 hPa; -1 is compared with nothing: above ground, or a
reference whose datum was not given. Others are numbered as they come, so plans that are to be
compared take their numbers from one `Datums`.
"""

from keepclear.airspace.altitudes import Altitude, Reference, are_comparable
from keepclear.detect.points import STANDARD, UNKNOWN_DATUM


class Datums:
    """Gives out numbers of datums; written only by the one who compiles plans with it."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[Reference, str | None], int] = {
            (Reference.STANDARD, None): STANDARD
        }

    def number(self, altitude: Altitude) -> int:
        """Return the number of an altitude's datum."""
        key = (altitude.reference, altitude.datum)
        known = self._numbers.get(key)
        if known is not None:
            return known
        if not are_comparable(altitude, altitude):
            return UNKNOWN_DATUM
        return self._numbers.setdefault(key, len(self._numbers))
