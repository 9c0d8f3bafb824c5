# SPDX-License-Identifier: Apache-2.0
"""The exchange: one new operation decided against very many, and a record folded again.

No peer keeps a record that both sides can prove beside its decisions, so goals stand alone.
"""

import math
import resource
from typing import Final

import numpy as np
from measuring import Line, Timing, line, timed

from keepclear.agreement.clauses import Disclosure, Field, Separation
from keepclear.agreement.documents import Agreement, Clause, PartyTerms, Role, Text
from keepclear.agreement.rules_toml import parse_short
from keepclear.detect.compiled import compiled
from keepclear.exchange.exchange import Exchange
from keepclear.plans import acts
from keepclear.plans.filing import Domain, FiledOperation, FiledPolygon, FiledVolume
from keepclear.plays import Stage
from keepclear.record.envelopes import Envelope
from keepclear.record.headers import Status
from keepclear.units import format_time
