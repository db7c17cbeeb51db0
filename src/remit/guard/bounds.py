"""What stands in the way of a call before policy is asked about it: reach, scopes, another definition, other arguments.

Refused: what is out of the caller's reach, what takes scopes that the token lacks, a thing that is not the one that was
admitted, and arguments that its admitted schema does not take. What the two say is said only to who may know of the thing.

Source: RFC 6750 §3.1; docs/adr/0011-definition-pinning.md.
"""

from collections.abc import Mapping
from functools import partial

from remit.canonical import Json
from remit.clock import EpochSeconds
from remit.guard.acquaintance import Reach
from remit.guard.call import Call
from remit.guard.caller import Caller
from remit.guard.definitions import Definitions
from remit.guard.details import what_exceeds_details
from remit.guard.facts import InvalidArgumentError, typed_arguments
from remit.guard.outcome import RefusalReason
from remit.guard.refusal import Refusal, quarantined, refused
from remit.guard.target import Target
from remit.guard.use import Entry, amount_in, entries_of
from remit.policy.evaluation import ArgumentValue, ResourceKind
from remit.policy.vocabulary import URI_ARGUMENT

__all__ = ["as_admitted", "read_arguments", "within_limits"]


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


def read_arguments(
    call: Call, caller: Caller, target: Target, *, now: EpochSeconds
) -> tuple[Mapping[str, ArgumentValue], tuple[Entry, ...]] | Refusal:
    """The arguments by their types, and in what the call counts; what is wrong with them."""
    try:
        arguments = typed_arguments(_given(call), target.arguments)
        entries = _entries(call, caller, target, arguments) if caller.catalog.history else ()
    except InvalidArgumentError as error:
        return refused(RefusalReason.INVALID_ARGUMENTS, error.detail, token=caller.token)
    excess = what_exceeds_details(caller.token, target, arguments, now=now)
    if excess is not None:
        return refused(RefusalReason.OUTSIDE_DETAILS, excess, token=caller.token)
    return arguments, entries


def _entries(
    call: Call, caller: Caller, target: Target, arguments: Mapping[str, ArgumentValue]
) -> tuple[Entry, ...]:
    """The facts of history that have to do with the call; not looked for where none is declared."""
    return entries_of(
        caller.token,
        target,
        history=caller.catalog.history,
        reads=caller.world.decisions.history_read(target.facts),
        amount_of=partial(amount_in, arguments),
        again=call.task_of is not None,
    )


def _given(call: Call) -> Json:
    """The arguments of a call; of reading a resource, its URI."""
    if call.kind is ResourceKind.RESOURCE:
        return {URI_ARGUMENT.name: call.name}
    return call.arguments
