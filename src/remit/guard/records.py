"""The record of a decision: the truth of it, and nothing that the log may not hold.

Arguments come in redacted. What a refusal hides from the caller is not hidden here.

Source: AUDIT §1.2; `audit.events.Decided`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import CallCompleted, Decided, ServerDiscovered
from remit.audit.redact import Redaction
from remit.canonical import JsonObject
from remit.guard.call import Call, CallResult
from remit.guard.elevations import Elevated, elevation_json
from remit.guard.ladder import Allowance, Shown
from remit.guard.outcome import Permit, RefusalReason
from remit.guard.redaction import spoken
from remit.guard.refusal import Refusal
from remit.guard.target import Target
from remit.guard.token_record import TokenRecord, record_of_token
from remit.guard.world import World
from remit.ids import ScopeName
from remit.policy.decision import Decision, MatchedRule
from remit.policy.history import History, history_json
from remit.tokens.access_token import AccessToken

__all__ = [
    "SELF_TEST",
    "SELF_TEST_KEY",
    "Finding",
    "about",
    "actor_in",
    "completed",
    "context_of",
    "decided",
    "discovered",
    "finding_of",
]

_MAX_TEXT: Final = 256
_MAX_CODE: Final = 2**31
LISTED: Final = "listed"
DECLARED: Final = "allowed_method"
SELF_TEST_KEY: Final = "remit.self_test"
_NOTHING: Final[JsonObject] = {}
_SYSTEM: Final = Actor(ActorType.SYSTEM)
SELF_TEST: Final = Actor(ActorType.SYSTEM, "self-test")
"""Who calls while Remit tries itself at its start. No door takes it from a request; `app.self_test` alone sets it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was decided, and on what. `errors` are for the operator."""

    outcome: str
    reason: str
    token: AccessToken | None = None
    target: Target | None = None
    required: tuple[ScopeName, ...] = ()
    missing: tuple[ScopeName, ...] = ()
    decision: Decision | None = None
    errors: tuple[str, ...] = ()
    known: TokenRecord | None = None
    """What is kept of `token`, where it is at hand already."""
    told: History | None = None
    """What policies were told of what was done before."""
    world: World | None = None
    """By what it was decided, where it came so far."""
    elevated: Elevated | None = None
    """What people said yes to, as policies were told of it."""
    approval: str | None = None
    """By what request people were asked."""


def finding_of(verdict: Allowance | Shown | Refusal) -> Finding:
    """A verdict as it is recorded."""
    match verdict:
        case Allowance():
            return Finding(
                outcome="allow",
                reason=DECLARED if verdict.target is None else verdict.decision.reason._value_,
                token=verdict.caller.token,
                target=verdict.target,
                required=verdict.required,
                decision=verdict.decision,
                known=verdict.caller.token_record,
                told=None if verdict.account is None else verdict.told,
                world=verdict.caller.world,
                elevated=None if verdict.resting is None else verdict.resting.elevated,
            )
        case Shown():
            caller = verdict.caller
            return Finding(
                outcome="allow",
                reason=LISTED,
                token=caller.token,
                known=caller.token_record,
                world=caller.world,
            )
        case Refusal():
            challenged = (
                verdict.truth
                in {
                    RefusalReason.MISSING_TOKEN,
                    RefusalReason.INVALID_TOKEN,
                    RefusalReason.INVALID_PROOF,
                    RefusalReason.NONCE_NEEDED,
                }
                or verdict.reason is RefusalReason.INSUFFICIENT_SCOPE
            )
            return Finding(
                outcome="challenge" if challenged else "deny",
                reason=verdict.truth.value,
                token=verdict.token,
                target=verdict.target,
                required=verdict.required,
                missing=verdict.missing,
                decision=verdict.decision,
                told=verdict.told,
                world=verdict.world,
                elevated=verdict.elevated,
                approval=None if verdict.asked is None else verdict.asked.id,
            )


def decided(
    call: Call,
    finding: Finding,
    *,
    decision_id: str,
    redaction: Redaction,
    present: World,
    justification: str | None = None,
) -> Decided:
    """The event of one decision; `present` is what is in force, for what was refused before it mattered."""
    world = finding.world or present
    # Of every call that is recorded: `_value_` is what `value` reads, without its two calls.
    token, target, decision = finding.token, finding.target, finding.decision
    said = finding.known
    if said is None and token is not None:
        said = record_of_token(token)
    return Decided(
        context=_context(call.context, said),
        decision_id=decision_id,
        server=spoken(call.server),
        method=spoken(call.method),
        name=None if call.name is None else spoken(call.name),
        outcome=finding.outcome,
        reason=finding.reason,
        operation=None if target is None else target.facts.operation._value_,
        sensitivity=None if target is None else target.facts.sensitivity._value_,
        scopes_required=finding.required,
        scopes_missing=finding.missing,
        scopes_token=() if token is None else token.scopes,
        rules=() if decision is None else _rules(decision.rules),
        policy_version=world.decisions.version if decision is None else decision.policy_version,
        catalog_version=world.catalog.version,
        engine=None if decision is None else decision.engine,
        engine_errors=finding.errors if decision is None else decision.errors,
        micros=0 if decision is None else decision.micros,
        jti_digest=None if said is None else said.jti_digest,
        claims={} if said is None else said.claims,
        input=redaction.input,
        input_digest=redaction.digest,
        sealed_arguments=redaction.sealed,
        jsonrpc_id=None if call.jsonrpc_id is None else spoken(str(call.jsonrpc_id)),
        protocol_version=_cut(call.protocol_version),
        task_of=call.task_of,
        history=history_json(finding.told) if finding.told else _NOTHING,
        on_trial=world.on_trial,
        obligations=_obligations(decision) if decision and decision.obligations else (),
        observed=_rules(decision.observed) if decision and decision.observed else (),
        justification=justification,
        elevation=_NOTHING if finding.elevated is None else elevation_json(finding.elevated),
        approval=finding.approval,
    )


def discovered(call: Call, said: TokenRecord) -> ServerDiscovered:
    """The event of a caller who asked what a server is."""
    return ServerDiscovered(
        context=_context(call.context, said),
        server=call.server[:_MAX_TEXT],
        method=call.method[:_MAX_TEXT],
        protocol_version=_cut(call.protocol_version),
    )


def completed(permit: Permit, call: Call, result: CallResult) -> CallCompleted:
    """The event of what became of a permitted call."""
    return CallCompleted(
        context=_same_context(permit, call.context) or context_of(call.context, permit.token),
        decision_id=permit.decision_id,
        server=call.server,
        method=call.method,
        name=_cut(call.name),
        outcome=result.outcome,
        error_code=_code(result.error_code),
        upstream_status=result.upstream_status,
        size=result.size,
        output_digest=result.output_digest,
        micros=result.micros,
    )


def about(call: Call) -> str:
    """What a call is about, as repeated refusals of it are counted: server, method and name."""
    return spoken(f"{call.server} {call.method} {call.name or ''}".rstrip())


def actor_in(scope: Mapping[str, object]) -> Actor:
    """Who acts in an ASGI request before its caller is known: the self-test, or nobody but the system.

    A server fills a scope with its own keys; what a client sends stands below them. So the
    mark is this process's own, and it has to be the very object.
    """
    return SELF_TEST if scope.get(SELF_TEST_KEY) is SELF_TEST else _SYSTEM


def context_of(context: Context, token: AccessToken | None) -> Context:
    """The door's circumstances, and who the verified token says acts.

    Of the self-test nobody acts: what it tried is in nobody's account.
    """
    return _context(context, None if token is None else record_of_token(token))


def _same_context(permit: Permit, context: Context) -> Context | None:
    """The context that the decision was recorded with, if the outcome's circumstances are the very same."""
    known = permit.context
    if (
        known is not None
        and known.network is context.network
        and known.trace is context.trace
        and known.flow_id == context.flow_id
    ):
        return known
    return None


def _context(context: Context, said: TokenRecord | None) -> Context:
    if context.actor is SELF_TEST:
        return context
    if said is None:
        return context.with_(actor=Actor(ActorType.ANONYMOUS))
    return said.context(context)


def _rules(rules: Sequence[MatchedRule]) -> tuple[JsonObject, ...]:
    return tuple([{"id": rule.id, "effect": rule.effect._value_} for rule in rules])


def _obligations(decision: Decision) -> tuple[JsonObject, ...]:
    return tuple(
        {"kind": one.kind.value, "value": one.value, "rule": one.rule}
        for one in decision.obligations
    )


def _cut(text: str | None) -> str | None:
    return None if text is None else spoken(text)


def _code(code: int | None) -> int | None:
    """A server's own number, if the log can hold it: one event that it never takes would close the guard."""
    return code if code is not None and abs(code) < _MAX_CODE else None
