# SPDX-License-Identifier: Apache-2.0
"""A party's end of an exchange: signs acts, verifies what comes back, and keeps its own copy.

`Client` is for who waits, `AsyncClient` for who awaits.

with Client("http://127.0.0.1:8610", "north", "watch", signer, believed) as north:
    told = north.act("operations.file/1", FileOperation(operation=filed))
"""

from keepclear.client.acting import Client
from keepclear.client.answers import Event
from keepclear.client.awaiting import AsyncClient
from keepclear.client.earlier import EarlierCopy, Lost, Start, late_acts, start_of
from keepclear.client.faults import ClockOff, NewIncarnation, NoAnswer, NotDone, SetBack
from keepclear.client.operating import accept_clock, admit_party, change_exchange_key, set_cap_key
from keepclear.client.own_copy import Keeping, KeptStep, Seen

__all__ = [
    "AsyncClient", "Client", "ClockOff", "EarlierCopy", "Event", "Keeping", "KeptStep", "Lost",
    "NewIncarnation", "NoAnswer", "NotDone", "Seen", "SetBack", "Start", "accept_clock",
    "admit_party", "change_exchange_key", "late_acts", "set_cap_key",
    "start_of",
]  # fmt: skip
