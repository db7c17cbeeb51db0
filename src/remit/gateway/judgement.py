"""One request put to the guard: decided, filtered, or merely known to come from somebody.

A method that the gateway does not carry is refused only after its caller is known,
so that nobody learns without a token what is offered here.
"""

from dataclasses import dataclass, replace

from remit.gateway.extensions import ONLY_TASKS, Offered
from remit.gateway.incoming import Incoming
from remit.gateway.jsonrpc import Request, Response
from remit.gateway.methods import (
    Allowed,
    Authenticated,
    Decided,
    Listed,
    TaskList,
    treatment_of,
)
from remit.gateway.parameter_headers import ToolSchemas
from remit.gateway.ports import Enforcement
from remit.gateway.protocol import LEGACY_VERSIONS, Era
from remit.gateway.rejection import UpstreamError, method_not_found
from remit.gateway.results import as_private, described, filtered, typed
from remit.gateway.task_handle import Task
from remit.guard.call import Call
from remit.guard.outcome import Challenge, Deny, Permit
from remit.guard.visible import Visible
from remit.policy.evaluation import ResourceKind
from remit.tokens.access_token import AccessToken

__all__ = ["Judgement", "edited", "judge"]

_DESCRIPTIONS = frozenset({"initialize", "server/discover"})
_CACHEABLE = frozenset({"resources/read", "server/discover"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the guard said. `permit` for a decided call, `visible` with `listed` for a list."""

    call: Call
    token: AccessToken
    permit: Permit | None = None
    listed: Listed | None = None
    visible: Visible | None = None
    task: Task | None = None
    """What is used, where it is a task."""

    @property
    def decision_id(self) -> str:
        """What the log calls the decision; empty where there was none to take."""
        decided = self.permit or self.visible
        return "" if decided is None else decided.decision_id


async def judge(
    guard: Enforcement, incoming: Incoming, request: Request, *, version: str, era: Era
) -> Judgement | Challenge | Deny:
    """Put `request` to the guard.

    Raises:
        RejectedError: -32601, the gateway does not carry the method; -32602, a decided
            method does not say what it is about.
    """
    treatment = treatment_of(request.method, era, incoming.server.allowed_methods)
    call = incoming.call(request.method, version, request=request, treatment=treatment)
    match treatment:
        case Decided() | Allowed():
            permit = await guard.decide(call)
            if not isinstance(permit, Permit):
                return permit
            return Judgement(call=call, token=permit.token, permit=permit)
        case Listed():
            visible = await guard.visible(call)
            if not isinstance(visible, Visible):
                return visible
            return Judgement(call=call, token=visible.token, listed=treatment, visible=visible)
        case TaskList():
            visible = await guard.visible(replace(call, kind=ResourceKind.TOOL))
            if not isinstance(visible, Visible):
                return visible
            return Judgement(call=call, token=visible.token, visible=visible)
        case _:
            # Nothing to decide, but work for the server: `initialize` may start a process.
            token = await guard.authenticate(call, counted=True)
            if not isinstance(token, AccessToken):
                return token
            if not isinstance(treatment, Authenticated):
                # INVARIANT: what is decided elsewhere (tasks, subscriptions) is not let pass here.
                raise method_not_found(request.method, modern=era is Era.MODERN).about(request.id)
            return Judgement(call=call, token=token)


def edited(
    response: Response,
    judgement: Judgement,
    *,
    era: Era,
    schemas: ToolSchemas,
    offered: Offered = ONLY_TASKS,
) -> Response:
    """The server's response as the caller may have it. `offered` are the extensions that it may be told of.

    Raises:
        UpstreamError: a list without a list in it, a version or type of result that nobody here knows.
    """
    result, method = response.result, judgement.call.method
    if result is None:
        return response
    if judgement.listed is not None and judgement.visible is not None:
        result = filtered(result, judgement.listed, judgement.visible, schemas=schemas)
    if method == "initialize" and result.get("protocolVersion") not in LEGACY_VERSIONS:
        raise UpstreamError("the server negotiated a version that is not spoken here")
    if method in _DESCRIPTIONS:
        result = described(result, era, offered)
    if era is Era.MODERN and judgement.permit is not None and judgement.call.kind is None:
        # A method of an extension's own; what types of result it has is said there.
        result = {"resultType": "complete", **result}
    elif era is Era.MODERN:
        result = typed(result, method)
    if era is Era.MODERN and (judgement.listed is not None or method in _CACHEABLE):
        result = as_private(result)
    return Response(response.id, result)
