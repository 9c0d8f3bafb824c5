# SPDX-License-Identifier: Apache-2.0
"""`keepclear.check`: files and rules in, findings out.

What only some checks need is looked up when first used (`checks.areas.compile_areas`).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from keepclear.checks import areas, well_clear, zones

__all__ = ["areas", "well_clear", "zones"]

_DOORS: Final = frozenset(__all__)


def __getattr__(name: str) -> Any:  # noqa: ANN401 one function for all names
    if name in _DOORS:
        return import_module(f"keepclear.checks.{name}")
    raise AttributeError(f"module 'keepclear.checks' has no attribute {name!r}")
