# SPDX-License-Identifier: Apache-2.0
"""Which act does what: a table from its kind to the function that decides it. No rule is here."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from keepclear.exchange import (
    agreements,
    calls,
    conflicts,
    incidents,
    line_checks,
    messages,
    none_here,
    operations,
    read_backs,
    sar,
    shifts,
    stops,
)
from keepclear.exchange.deciding import Deciding
from keepclear.line import acts as line
from keepclear.line import calls as voice
from keepclear.line import check_acts as checks
from keepclear.line import shifts as watches
from keepclear.plans import acts
from keepclear.plans import incidents as cases
from keepclear.plans import none_here as statements
from keepclear.plans import sar as rescue
from keepclear.plans import stops as stop_acts
from keepclear.record.encoding import Signed
from keepclear.record.headers import Act
from keepclear.record.key_documents import Keyring
from keepclear.record.signers import DISTRESS
from keepclear.record.versions import Kinds

Decider = Callable[[Deciding, Act, Any], None]

CARRY: Final = "agreement.carry"
DECIDE: Final[Mapping[type[Signed], Decider]] = {
    acts.FileOperation: operations.file,
    acts.UpdateOperation: operations.update,
    acts.ActivateOperation: operations.activate,
    acts.MarkAirborne: operations.airborne,
    acts.MakeContingent: operations.contingent,
    acts.EndOperation: operations.end,
    acts.CancelOperation: operations.cancel,
    acts.AcknowledgeConflict: conflicts.acknowledge,
    acts.AnswerConflict: conflicts.answer,
    acts.ProposeChange: conflicts.propose,
    acts.AcceptProposal: conflicts.accept,
    acts.AgreeAsIs: conflicts.agree_as_is,
    cases.OpenIncident: incidents.open_case,
    cases.AskQuery: incidents.ask,
    cases.ReplyToQuery: incidents.reply,
    cases.WriteLine: incidents.write_line,
    cases.AnswerLine: incidents.answer_line,
    cases.CloseIncident: incidents.close,
    cases.LeaveIncident: incidents.leave,
    line.SendMessage: messages.send,
    line.SendDistress: messages.distress,
    line.MarkDelivered: messages.delivered,
    line.MarkDisplayed: messages.displayed,
    line.AcknowledgeMessage: messages.acknowledge,
    line.ReadBackMessage: read_backs.read_back,
    line.MarkDisseminated: messages.disseminated,
    line.AnswerMessage: messages.answer,
    checks.CheckLine: line_checks.send,
    checks.AnswerLineCheck: line_checks.answer,
    watches.OpenShift: shifts.open_shift,
    watches.TakeOver: shifts.take_over,
    watches.CloseShift: shifts.close,
    voice.LogCall: calls.log,
    voice.SignCall: calls.sign,
    voice.AnnotateCall: calls.annotate,
    stop_acts.SendStop: stops.send,
    stop_acts.RenewStop: stops.renew,
    stop_acts.EndStop: stops.end,
    rescue.OpenSar: sar.open_case,
    rescue.UpdateSar: sar.update,
    rescue.ChangePhase: sar.change_phase,
    rescue.RenewSar: sar.renew,
    rescue.CloseSar: sar.close,
    statements.StateNoneHere: none_here.state,
    statements.WithdrawNoneHere: none_here.withdraw,
}
WITH_KEYS: Final[Mapping[type[Signed], Callable[[Deciding, Act, Any, Keyring], None]]] = {
    agreements.CarryAgreement: agreements.carry,
    agreements.StateSuspension: agreements.state_suspension,
}
ACTS: Final = Kinds(
    {
        CARRY: (agreements.CarryAgreement,),
        "suspension.state": (agreements.StateSuspension,),
        "operations.file": (acts.FileOperation,),
        "operations.update": (acts.UpdateOperation,),
        "operations.activate": (acts.ActivateOperation,),
        "operations.airborne": (acts.MarkAirborne,),
        "operations.contingent": (acts.MakeContingent,),
        "operations.end": (acts.EndOperation,),
        "operations.cancel": (acts.CancelOperation,),
        "conflicts.acknowledge": (acts.AcknowledgeConflict,),
        "conflicts.answer": (acts.AnswerConflict,),
        "conflicts.propose": (acts.ProposeChange,),
        "conflicts.accept": (acts.AcceptProposal,),
        "conflicts.agree-as-is": (acts.AgreeAsIs,),
        "incidents.open": (cases.OpenIncident,),
        "incidents.query": (cases.AskQuery,),
        "incidents.reply": (cases.ReplyToQuery,),
        "incidents.write-line": (cases.WriteLine,),
        "incidents.answer-line": (cases.AnswerLine,),
        "incidents.close": (cases.CloseIncident,),
        "incidents.leave-open": (cases.LeaveIncident,),
        "line.send": (line.SendMessage,),
        DISTRESS: (line.SendDistress,),
        "line.delivered": (line.MarkDelivered,),
        "line.displayed": (line.MarkDisplayed,),
        "line.acknowledge": (line.AcknowledgeMessage,),
        "line.read-back": (line.ReadBackMessage,),
        "line.disseminated": (line.MarkDisseminated,),
        "line.answer": (line.AnswerMessage,),
        "line.check": (checks.CheckLine,),
        "line.check-answer": (checks.AnswerLineCheck,),
        "line.shift-open": (watches.OpenShift,),
        "line.shift-take": (watches.TakeOver,),
        "line.shift-close": (watches.CloseShift,),
        "line.call": (voice.LogCall,),
        "line.call-sign": (voice.SignCall,),
        "line.call-annotate": (voice.AnnotateCall,),
        "line.stop": (stop_acts.SendStop,),
        "line.stop-renew": (stop_acts.RenewStop,),
        "line.stop-end": (stop_acts.EndStop,),
        "sar.open": (rescue.OpenSar,),
        "sar.update": (rescue.UpdateSar,),
        "sar.phase": (rescue.ChangePhase,),
        "sar.renew": (rescue.RenewSar,),
        "sar.close": (rescue.CloseSar,),
        "none-here.state": (statements.StateNoneHere,),
        "none-here.withdraw": (statements.WithdrawNoneHere,),
    },
    {},
)


def payload_of(act: Act) -> Signed:
    """Return what an act says; `CallerError` where it cannot be read."""
    made: Signed = ACTS.read(act.kind, bytes(act.payload), f"act.payload of {act.kind}")
    return made


def decide(deciding: Deciding, act: Act, keys: Keyring, payload: Signed | None = None) -> None:
    """Decide an act; `CallerError` where it is refused, and the world is then to be undone.

    payload: what it says, where that was read before.
    """
    if payload is None:
        payload = payload_of(act)
    if type(payload) in WITH_KEYS:
        WITH_KEYS[type(payload)](deciding, act, payload, keys)
    else:
        DECIDE[type(payload)](deciding, act, payload)
    none_here.look_again(deciding)
    line_checks.look_again(deciding)
