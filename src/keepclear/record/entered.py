# SPDX-License-Identifier: Apache-2.0
"""What was entered already: an act is entered once, and a salt is used once.

1. The id of an act is taken until the act has expired; then it is forgotten, so that a long
   record takes no more memory than a day of it.
2. A late act is judged by a time that is long past, so its id is never forgotten. It is of an
   earlier incarnation, so no act of this one is the same.
3. A salt hides a part only where nobody knows it from another one.
"""

from typing import Final

from keepclear.record.faults import Malformed, NotProven
from keepclear.record.headers import Act

FEW: Final = 1_024


class Entered:
    """The ids of acts and the salts of one record."""

    def __init__(self) -> None:
        self._until: dict[tuple[str, str], int] = {}  # until when the ids of acts are taken
        self._late: set[tuple[int, str, str]] = set()
        self._most = FEW
        self._salts: set[bytes] = set()

    def take_act(self, act: Act, at_us: int, path: str) -> None:
        """Refuse an act that was entered before and has not expired: a replay."""
        if self._until.get((act.party, act.id), -1) > at_us:
            raise _replay(act, path)
        self._until[act.party, act.id] = act.expires_us
        if len(self._until) > self._most:
            self._until = {key: until for key, until in self._until.items() if until > at_us}
            self._most = max(FEW, 2 * len(self._until))

    def take_late(self, act: Act, path: str) -> None:
        """Refuse a late act that was entered late before."""
        key = act.incarnation, act.party, act.id
        if key in self._late:
            raise _replay(act, path)
        self._late.add(key)

    def take_salt(self, salt: bytes, path: str) -> None:
        """Refuse a salt that another part has."""
        if salt in self._salts:
            raise Malformed(
                f"{path}, salt", salt.hex()[:16], "is the salt of another part too",
                "ask who entered it: each part takes a random salt of its own",
            )  # fmt: skip
        self._salts.add(salt)


def _replay(act: Act, path: str) -> NotProven:
    return NotProven(path, act.id, "was entered before: it is a replay", "ask who entered it")
