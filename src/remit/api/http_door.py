"""The management API on the network: the same operations, each call decided like a call of an agent.

The guard asks everything it asks of a call to an MCP server: token, audience, standing,
scopes, proof of possession, policies; and records a decision and an outcome. What the
operation records besides says who the administrator is, under the same trace. A token for
an MCP server is for another audience and opens nothing here, nor does one from here open
anything there.

Refused with a challenge: no token, a bad one, one without the scopes. Refused for good:
everything else. That an operation exists is public, so nothing is hidden.

Source: RFC 6750 §3; RFC 9728 §3, §5.1; RFC 9449 §7; docs/adr/0010-management-api.md.
"""

import time
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from remit.api.administrator import Administrator
from remit.api.answering import answer, path_of
from remit.api.deps import ApiDeps
from remit.api.openapi import description_route
from remit.api.operation import AnyOperation
from remit.api.problems import problem_of
from remit.api.table import Endpoint, routes_of
from remit.audit.context import Actor, ActorType, Context, Network, Trace, authenticated
from remit.canonical import JsonObject
from remit.errors import Error
from remit.guard import (
    Call,
    CallResult,
    Challenge,
    Deny,
    Permit,
    RefusalReason,
    refusal_response,
)
from remit.guard.call import RequestProof
from remit.guard.limits import scope_limits
from remit.guard.records import actor_in
from remit.guard.standing import agent_of
from remit.ids import ScopeName, TenantId
from remit.model import ALL_TENANTS, MANAGEMENT, MANAGEMENT_PATH, MANAGEMENT_SCOPES
from remit.policy import ResourceKind
from remit.tokens import AccessToken, audience_of
from remit.web import cors_route, json_response, parse_query, peer_of, problem

__all__ = ["METADATA_PATH", "http_routes"]

METADATA_PATH = f"/.well-known/oauth-protected-resource{MANAGEMENT_PATH}"


def http_routes(deps: ApiDeps) -> list[Route]:
    """Every operation, its description, and the metadata of the protected resource."""
    return [
        cors_route(METADATA_PATH, _metadata(deps), methods=["GET"]),
        description_route(deps.site.public_url),
        *routes_of(lambda operation: _endpoint(operation, deps)),
    ]


def _metadata(deps: ApiDeps) -> Callable[[Request], Response]:
    document: JsonObject = {
        "resource": audience_of(deps.site.public_url, MANAGEMENT.name),
        "resource_name": MANAGEMENT.title,
        "authorization_servers": [deps.site.public_url],
        "bearer_methods_supported": ["header"],
        "scopes_supported": [*sorted(MANAGEMENT_SCOPES)],
    }

    def endpoint(_request: Request) -> Response:
        return json_response(document, headers={"Cache-Control": "public, max-age=300"})

    return endpoint


def _endpoint(operation: AnyOperation, deps: ApiDeps) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        try:
            call = _call(operation, deps, request)
        except Error as error:
            return problem_of(error)
        verdict = await deps.guard.decide(call)
        if isinstance(verdict, Permit):
            response = await _permitted(operation, deps, request, call=call, permit=verdict)
        else:
            response = _refused(verdict, operation, deps)
        if call.proof is not None and call.proof.next_nonce is not None:
            response.headers["DPoP-Nonce"] = call.proof.next_nonce
        return response

    return endpoint


def _call(operation: AnyOperation, deps: ApiDeps, request: Request) -> Call:
    """The request as the guard wants it. Of the body nothing: a password may stand there."""
    entry, site = operation.entry, deps.site
    peer = peer_of(request.scope, site.trusted_proxies)
    query: JsonObject = dict(parse_query(request.scope["query_string"]).pairs)
    return Call(
        server=MANAGEMENT.name,
        method=f"{entry.method} {entry.path}",
        authorization=tuple(request.headers.getlist("authorization")),
        context=Context(
            actor=actor_in(request.scope),
            network=Network(peer.ip, peer.user_agent, site.zones(peer.ip), peer.hops),
            trace=Trace(peer.trace_id, peer.span_id, peer.flags),
        ),
        kind=ResourceKind.TOOL,
        name=entry.name,
        arguments={**query, **path_of(request)},
        proof=RequestProof(
            request.method,
            f"{site.public_url}{request.scope['raw_path'].decode('ascii', 'replace')}",
            tuple(request.headers.getlist("dpop")),
        ),
    )


async def _permitted(
    operation: AnyOperation, deps: ApiDeps, request: Request, *, call: Call, permit: Permit
) -> Response:
    """Run it, and record what became of it, whatever that was."""
    began = time.perf_counter()
    response: Response | None = None
    try:
        response = await answer(operation, deps, request, _administrator(permit.token, deps, call))
    finally:
        failed = response is None or response.status_code >= 400
        result = CallResult(
            outcome="error" if failed else "ok",
            error_code=None if response is None or not failed else response.status_code,
            size=len(getattr(response, "body", b"") or b""),
            micros=int((time.perf_counter() - began) * 1_000_000),
        )
        try:
            await deps.guard.complete(permit, call, result=result)
        except Error as error:
            # The guard is closed now; this answer must not look as if all were well.
            response = problem_of(error)
    return response


def _administrator(token: AccessToken, deps: ApiDeps, call: Call) -> Administrator:
    """Who the token says asks, and what of its scopes counts at present."""
    actor = Actor(ActorType.ADMIN, token.sub)
    holds = _holding(token, deps)
    return Administrator(
        context=Context(
            actor=actor,
            network=call.context.network,
            trace=call.context.trace,
            auth=None
            if token.acr is None
            else authenticated(token.acr, token.amr, token.auth_time),
        ),
        tenant=None if holds(ALL_TENANTS) else TenantId(token.organization_id),
        holds=holds,
        still_good=lambda: deps.clock.now() < token.exp and deps.guard.backs(token),
        token=token,
    )


def _holding(token: AccessToken, deps: ApiDeps) -> Callable[[ScopeName], bool]:
    catalog = deps.directory.catalog
    agent = agent_of(token, catalog)
    if agent is None:
        return lambda _scope: False
    return scope_limits(token, agent, catalog).holds


def _refused(verdict: Challenge | Deny, operation: AnyOperation, deps: ApiDeps) -> Response:
    wire = refusal_response(
        verdict,
        resource_metadata_url=f"{deps.site.public_url}{METADATA_PATH}",
        baseline=operation.entry.scopes,
    )
    if verdict.reason is RefusalReason.NOT_FOUND:
        # What the guard hides of MCP servers is no secret here: the operation is in the description.
        return problem(403, "forbidden", detail="this operation is not for you")
    return problem(
        wire.status, verdict.reason.value, detail=verdict.detail, headers=dict(wire.headers)
    )
