"""What stands in the way of a call before policy is asked about it: reach, scopes, another definition, other arguments.

Refused: what is out of the caller's reach, what takes scopes that the token lacks, a thing that is not the one that was
admitted, and arguments that its admitted schema does not take. What the two say is said only to who may know of the thing.

Source: RFC 6750 §3.1; docs/adr/0011-definition-pinning.md.
"""

from remit.guard.acquaintance import Reach
from remit.guard.call import Call
from remit.guard.caller import Caller
from remit.guard.definitions import Definitions
from remit.guard.outcome import RefusalReason
from remit.guard.refusal import Refusal, quarantined, refused
from remit.guard.target import Target

__all__ = ["as_admitted", "within_limits"]


def within_limits(call: Call, caller: Caller, reach: Reach) -> Refusal | None:
    """What stands in the way before policy is asked about the call: clearance, scopes."""
    if reach.beyond is not None or not reach.missing:
        return reach.beyond
    # Policy is asked first whether it would let the call be, with the scopes: else the
    # client would step up and come back for nothing.
    held = caller.effective if call.replaces_scopes else ()
    return Refusal(
        reason=RefusalReason.INSUFFICIENT_SCOPE,
        detail="the token lacks scopes that this call needs",
        truth=RefusalReason.INSUFFICIENT_SCOPE,
        scopes=tuple(dict.fromkeys((*held, *reach.required))),
        token=caller.token,
        missing=reach.missing,
    )


def as_admitted(
    call: Call, caller: Caller, target: Target, definitions: Definitions
) -> Refusal | None:
    """What is wrong with the thing's definition, or with arguments that it does not allow."""
    thing = (target.facts.server, target.facts.kind, target.facts.name)
    if thing in definitions.quarantined:
        return quarantined(caller.token)
    if thing in definitions.unseen:
        detail = "its definition is not known yet"
        return refused(RefusalReason.QUARANTINED, detail, token=caller.token)
    check = definitions.argument_checks.get(thing)
    # Of a task's arguments only those are kept that policies read; they were checked when it began.
    problem = None if check is None or call.task_of is not None else check(call.arguments)
    if problem is None:
        return None
    return refused(RefusalReason.INVALID_ARGUMENTS, problem, token=caller.token)
