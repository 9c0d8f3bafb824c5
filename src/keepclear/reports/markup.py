# SPDX-License-Identifier: Apache-2.0
"""HTML and SVG as text that cannot be broken out of: only `text` and `tag` make `Markup`.

What comes from a file is a `str` and goes through `text`, or into an attribute of `tag`; both
escape it and replace control characters. The type checker refuses a plain `str` as a child.

    >>> tag("b", text("<script>"), title='"')
    '<b title="&quot;">&lt;script&gt;</b>'
"""

import html
from collections.abc import Iterable
from typing import Final, NewType

from keepclear.reports.texts import printable

Markup = NewType("Markup", str)
NOTHING: Final = Markup("")
_ALONE: Final = frozenset({"br", "hr", "meta"})  # HTML elements that have no end tag
_IN_SVG: Final = frozenset({"path", "line", "rect", "circle"})


def text(content: str) -> Markup:
    """Return text with everything escaped that means something in HTML."""
    return Markup(html.escape(printable(content)))


def tag(name: str, /, *children: Markup, **attributes: str | float | None) -> Markup:
    """Return an element. `class_` is class, `stroke_width` stroke-width; None leaves one out."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _ALONE:
        return Markup(f"<{name}{said}>")
    if name in _IN_SVG and not children:
        return Markup(f"<{name}{said}/>")
    return Markup(f"<{name}{said}>{''.join(children)}</{name}>")


def joined(parts: Iterable[Markup], between: Markup = NOTHING) -> Markup:
    """Return pieces of markup one after another."""
    return Markup(between.join(parts))


def number(value: float) -> str:
    """Return a coordinate of a drawing to a tenth, as short as it goes."""
    return f"{value:.1f}".removesuffix(".0").replace("-0", "-0") if value else "0"


def _value(value: str | float) -> str:
    return html.escape(printable(value)) if isinstance(value, str) else number(value)
