# SPDX-License-Identifier: Apache-2.0
"""Bytes to values and back, one file a format, its layout as the docstring.

The readers are looked up when first used (`formats.kml.read_kml`), because each brings a library
along that other formats do without.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from keepclear.formats import (
        area_tables,
        csv_positions,
        f3548,
        geojson,
        kml,
        parquet_positions,
        readsb,
        xlsx,
    )

__all__ = [
    "area_tables", "csv_positions", "f3548", "geojson", "kml", "parquet_positions", "readsb",
    "xlsx",
]  # fmt: skip

_DOORS: Final = frozenset(__all__)


def __getattr__(name: str) -> Any:  # noqa: ANN401 one function for all names
    if name in _DOORS:
        return import_module(f"keepclear.formats.{name}")
    raise AttributeError(f"module 'keepclear.formats' has no attribute {name!r}")
