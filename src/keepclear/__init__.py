# SPDX-License-Identifier: Apache-2.0
"""keepclear: deconfliction between parties that share an area without a common commander.

What stands here is the public door; what does not may change. Names are looked up when first
used, so that importing keepclear is quick.

    >>> import keepclear
    >>> keepclear.check.__name__
    'check'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from keepclear.agreement.findings import Finding, Verdict
    from keepclear.checks.report import Report
    from keepclear.client import AsyncClient, Client
    from keepclear.errors import CallerError, FileErrors, KeepclearError, OperatorError
    from keepclear.reports.notebook import check

__version__ = "0.1.0"

_DOORS: Final = {
    "AsyncClient": "keepclear.client",
    "Client": "keepclear.client",
    "CallerError": "keepclear.errors",
    "FileErrors": "keepclear.errors",
    "Finding": "keepclear.agreement.findings",
    "KeepclearError": "keepclear.errors",
    "OperatorError": "keepclear.errors",
    "Report": "keepclear.checks.report",
    "Verdict": "keepclear.agreement.findings",
    "check": "keepclear.reports.notebook",
}

__all__ = [
    "AsyncClient",
    "CallerError",
    "Client",
    "FileErrors",
    "Finding",
    "KeepclearError",
    "OperatorError",
    "Report",
    "Verdict",
    "check",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 one function for all names
    if name in _DOORS:
        return getattr(import_module(_DOORS[name]), name)
    raise AttributeError(f"module 'keepclear' has no attribute {name!r}")
