# SPDX-License-Identifier: Apache-2.0
"""A token as a cookie, for a desk in a browser: no script reads it, and no other page sends it.

1. It is `HttpOnly`, `SameSite=Strict` and of this host alone; over TLS also `Secure`, under a name
   that browsers take from nobody else (`__Host-`, RFC 6265bis, section 4.1.3.2).
2. It is given to, and changes something for, a page of this address alone: one that the browser
   says is of the same origin (`Sec-Fetch-Site`, W3C Fetch Metadata), or, where it does not say,
   whose `Origin` is the address that was asked.
3. TLS ends here or at a proxy: then the page's origin tells.
4. Who signs out is told to forget it, whether the token in it was still known or not.
"""

from typing import Final

from litestar.datastructures import Cookie

from keepclear.record.faults import NotProven
from keepclear.server.answers import Ask
from keepclear.server.sessions import TOKEN_US

NAME: Final = "keepclear"
OVER_TLS: Final = "__Host-keepclear"


def cookie_with(token: str, request: Ask) -> Cookie:
    """Return the cookie that holds a token."""
    origin = request.headers.get("origin", "")
    is_secure = request.url.scheme == "https" or origin.startswith("https://")
    return Cookie(
        key=OVER_TLS if is_secure else NAME, value=token, path="/", httponly=True,
        samesite="strict", secure=is_secure, max_age=TOKEN_US // 1_000_000,
    )  # fmt: skip


def cookies_without(request: Ask) -> list[Cookie]:
    """Return what makes a browser forget the cookies with a token that came with a request."""
    return [
        Cookie(
            key=each, value="", path="/", httponly=True, samesite="strict",
            secure=each == OVER_TLS, max_age=0,
        )
        for each in (NAME, OVER_TLS) if each in request.cookies
    ]  # fmt: skip


def token_in_cookie(request: Ask) -> str:
    """Return the token that came as a cookie; empty where none did."""
    return request.cookies.get(OVER_TLS) or request.cookies.get(NAME) or ""


def check_same_origin(request: Ask) -> None:
    """Refuse what is not proven to come from a page of the address that was asked."""
    site, origin = (request.headers.get(each) for each in ("sec-fetch-site", "origin"))
    host = request.headers.get("host", "")
    is_same = site == "same-origin" if site else bool(origin) and host == _host(origin or "")
    if not is_same:
        raise NotProven(
            "sec-fetch-site, origin", f"{site or ''}, {origin or ''}"[:200],
            f"is no page of {host}", "open the desk at this address, or send the token itself as "
            "Authorization: Bearer",
        )  # fmt: skip


def _host(origin: str) -> str:
    return origin.partition("://")[2]
