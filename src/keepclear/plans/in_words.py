# SPDX-License-Identifier: Apache-2.0
"""What a STOP and a SAR case have in common as they are sent: to whom, and in which words."""

from typing import Annotated

import msgspec

from keepclear.agreement.words import LINES
from keepclear.record.encoding import Signed
from keepclear.record.headers import Name

Named = Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=8)]


class InWords(Signed, frozen=True, kw_only=True):
    """What those named are told in words. language: in which text was typed."""

    text: Annotated[str, msgspec.Meta(max_length=2_000, pattern=LINES)]
    language: Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2}\Z")]

    def __post_init__(self) -> None:
        """Refuse what says nothing."""
        if not self.text.strip():
            raise ValueError("says nothing; give it a text")
