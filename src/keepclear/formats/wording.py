# SPDX-License-Identifier: Apache-2.0
"""The words of templates of messages, as they ship: one TOML file for each language.

Layout: the fields of `line.wording.Wording`. Every language has the same keys, as a test holds.
"""

import tomllib
from functools import cache

import msgspec

from keepclear.errors import InputError, OperatorError
from keepclear.formats.packaged import read_language
from keepclear.line.wording import LANGUAGES, Wording


@cache
def wording_in(language: str) -> Wording:
    """Return the words of a language; `InputError` where there are none."""
    if language not in LANGUAGES:
        raise InputError(
            "language", language, "has no words of templates", f"one of {', '.join(LANGUAGES)}"
        )
    try:
        return msgspec.convert(tomllib.loads(read_language(language)), Wording)
    except (OSError, ValueError) as fault:
        message = f"the packaged words of {language} cannot be read ({fault}); install it again"
        raise OperatorError(message) from fault
