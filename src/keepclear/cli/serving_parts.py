# SPDX-License-Identifier: Apache-2.0
"""What a node needs beside the library, and how it computes."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from keepclear.detect.kernel import Functions

NEEDED: Final = ("litestar", "prometheus_client", "uvicorn")


def check_installed() -> None:
    """Refuse to serve where a library of the extra `server` is missing."""
    from keepclear.errors import OperatorError

    missing = [each for each in NEEDED if find_spec(each) is None]
    if missing:
        raise OperatorError(
            f"{', '.join(missing)}: not installed, and a node needs it; "
            "pip install 'keepclear[server]'"
        )


def functions_of_node() -> "Functions":
    """Return the compiled kernel; where it cannot be compiled, the plain one, and say so.

    Compiled before anybody is answered: the first act would wait for it.
    """
    from keepclear.detect.compiled import NotCompiled, compiled, is_warm, plain

    try:
        if not is_warm():
            from keepclear.detect.warm import warm

            click.echo("compiling the kernel, once on this machine: one to three minutes")
            warm()
        return compiled()
    except NotCompiled as fault:
        click.echo(f"Warning: {fault}; it decides about a hundred times more slowly", err=True)
        return plain()
