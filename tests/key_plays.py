# SPDX-License-Identifier: Apache-2.0
"""An exchange on a stage that goes on with another key."""

from keepclear.plays.stage import Stage
from keepclear.record.envelopes import Envelope
from keepclear.record.keys import Signer
from keepclear.record.parts import seal_exchange_key


def next_change(stage: Stage, new: Signer, old: Signer | None = None) -> Envelope:
    """Return the change of a stage's exchange to a key."""
    region = stage._opened
    return seal_exchange_key(region.name, region.exchange, old or stage._signer, new)


def change_key(stage: Stage) -> Signer:
    """Let the exchange of a stage go on with a new key; return the old one."""
    old, new = stage._signer, Signer(stage._ids.salt())
    stage.exchange.change_key(next_change(stage, new), new)
    stage._signer = new
    return old
