"""`POST /access/v1/evaluation`, `…/evaluations`, `…/search/resource`, and the document that names them.

Who asks is a server of the catalog, known by the secret with which it may introspect tokens, and it
asks about calls to itself. The guard decides as it would at the gateway: the caller's token, standing,
limits, scopes, details, policies; the decision is in the log before the answer is. What the asker then
did is not known here, and the log says so. A denial is a 200 with `"decision": false`; an error status
says that the question itself was wrong.

Source: AuthZEN 1.0 §6, §7, §8.4, §9, §10.1; RFC 7617; RFC 9449 §7.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from remit.api.authzen.batch import batch_of
from remit.api.authzen.cures import told_of_denial, told_of_permit
from remit.api.authzen.question import BadQuestionError, Question, question_of, token_of
from remit.audit.context import Context, Network, Trace
from remit.audit.port import AuditUnavailableError
from remit.canonical import JsonObject
from remit.errors import Error
from remit.guard import Call, CallResult, Challenge, Deny, Guard, Permit, refusal_response
from remit.guard.call import RequestProof
from remit.guard.limits import is_workload
from remit.guard.visible import Visible
from remit.model import Server
from remit.policy import ResourceKind
from remit.tokens import AccessToken, resource_of
from remit.web import Site, json_response, peer_of, problem, read_json_object

__all__ = ["DecisionDeps", "decision_routes"]

_EVALUATION: Final = "/access/v1/evaluation"
_EVALUATIONS: Final = "/access/v1/evaluations"
_SEARCH: Final = "/access/v1/search/resource"
_WELL_KNOWN: Final = "/.well-known/authzen-configuration"
_RESOURCE_METADATA: Final = "/.well-known/oauth-protected-resource/mcp/"
_MAX_BODY: Final = 4 * 1024 * 1024
_MAX_REQUEST_ID: Final = 128
_PASSED_ON: Final = frozenset({"www-authenticate", "retry-after"})
_LISTS: Final = {
    ResourceKind.TOOL: "tools/list",
    ResourceKind.RESOURCE: "resources/list",
    ResourceKind.PROMPT: "prompts/list",
}

_Answer = Callable[[Request, Server], Awaitable[JsonObject]]
_Endpoint = Callable[[Request, Server], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionDeps:
    """What `app` hands to this door. `for_servers` lets none but a server of the catalog in, and says which."""

    guard: Guard
    site: Site
    for_servers: Callable[[_Endpoint], Callable[[Request], Awaitable[Response]]]


def decision_routes(deps: DecisionDeps) -> list[Route]:
    """The routes of the decision endpoint."""
    path = urlsplit(deps.site.public_url).path.rstrip("/")
    return [
        Route(_WELL_KNOWN + path, _metadata(deps.site.public_url), methods=["GET"]),
        Route(_EVALUATION, _door(deps, _single(deps)), methods=["POST"]),
        Route(_EVALUATIONS, _door(deps, _several(deps)), methods=["POST"]),
        Route(_SEARCH, _door(deps, _search(deps)), methods=["POST"]),
    ]


def _metadata(public_url: str) -> Callable[[Request], Response]:
    document: JsonObject = {
        "policy_decision_point": public_url,
        "access_evaluation_endpoint": public_url + _EVALUATION,
        "access_evaluations_endpoint": public_url + _EVALUATIONS,
        "search_resource_endpoint": public_url + _SEARCH,
    }

    def endpoint(_request: Request) -> Response:
        return json_response(document, headers={"Cache-Control": "public, max-age=300"})

    return endpoint


def _door(deps: DecisionDeps, answer: _Answer) -> Callable[[Request], Awaitable[Response]]:
    async def answered(request: Request, server: Server) -> Response:
        try:
            return json_response(await answer(request, server))
        except BadQuestionError as error:
            return problem(400, error.code, detail=error.detail)
        except AuditUnavailableError:
            # The guard is closed now. An answer that is no decision is a refusal to whoever asks.
            return problem(
                503, "audit_unavailable", detail="decisions cannot be recorded at present"
            )

    inner = deps.for_servers(answered)

    async def endpoint(request: Request) -> Response:
        response = await inner(request)
        request_id = request.headers.get("x-request-id")
        if request_id and request_id.isprintable() and len(request_id) <= _MAX_REQUEST_ID:
            response.headers["X-Request-ID"] = request_id
        return response

    return endpoint


def _single(deps: DecisionDeps) -> _Answer:
    async def answer(request: Request, server: Server) -> JsonObject:
        return await _decide(deps, request, server, await _document(request))

    return answer


def _several(deps: DecisionDeps) -> _Answer:
    async def answer(request: Request, server: Server) -> JsonObject:
        document = await _document(request)
        batch = batch_of(document)
        if batch is None:
            return await _decide(deps, request, server, document)
        # Every question is read before the first is decided: a bad one decides nothing.
        for one in batch.documents:
            question_of(one, server=server.name)
        decided: list[JsonObject] = []
        for one in batch.documents:
            decided.append(await _decide(deps, request, server, one))
            if batch.semantic.ends_with(decision=decided[-1]["decision"] is True):
                break
        return {"evaluations": [*decided]}

    return answer


def _search(deps: DecisionDeps) -> _Answer:
    """What of the server the caller may use: the answer to a list, for an asker that filters its own."""

    async def answer(request: Request, server: Server) -> JsonObject:
        document = await _document(request)
        subject, resource = document.get("subject"), document.get("resource")
        kind = resource.get("type") if isinstance(resource, dict) else None
        if not isinstance(subject, dict) or not isinstance(kind, str) or kind not in _LISTS:
            raise BadQuestionError("`subject` is not an object, or `resource.type` is unknown")
        wanted = ResourceKind(kind)
        call = Call(
            server=server.name,
            method=_LISTS[wanted],
            authorization=(f"Bearer {token_of(subject)}",),
            context=_context(deps, request, None),
            kind=wanted,
        )
        visible = await deps.guard.visible(call)
        names = visible.names.get(wanted, frozenset()) if isinstance(visible, Visible) else ()
        return {"results": [{"type": kind, "id": name} for name in sorted(names)]}

    return answer


async def _document(request: Request) -> JsonObject:
    try:
        return await read_json_object(request, limit=_MAX_BODY)
    except Error as error:
        raise BadQuestionError(error.detail) from error


async def _decide(
    deps: DecisionDeps, request: Request, server: Server, document: JsonObject
) -> JsonObject:
    question = question_of(document, server=server.name)
    call = _call(deps, request, server, question)
    caller = await deps.guard.authenticate(call)
    if not isinstance(caller, AccessToken):
        return _denied(deps, server, caller, call.proof)
    _require_subject(question, caller)
    verdict = await deps.guard.decide(call)
    if not isinstance(verdict, Permit):
        return _denied(deps, server, verdict, call.proof)
    await deps.guard.complete(verdict, call, result=CallResult(outcome="delegated"))
    context: JsonObject = {
        "id": verdict.decision_id,
        "headers": _nonce(call.proof),
        **told_of_permit(verdict),
    }
    return {"decision": True, "context": context}


def _call(deps: DecisionDeps, request: Request, server: Server, question: Question) -> Call:
    scheme, proof = "Bearer", question.proof
    if proof is not None:
        scheme = "DPoP"
        if proof.uri.partition("?")[0] != resource_of(deps.site.public_url, server):
            raise BadQuestionError("`context.dpop.uri` is not where this server is reached")
    return Call(
        server=server.name,
        method=question.action,
        authorization=(f"{scheme} {question.token}",),
        context=_context(deps, request, question.ip),
        kind=question.kind,
        name=question.name,
        arguments=question.arguments,
        justification=question.justification,
        proof=None if proof is None else RequestProof(proof.method, proof.uri, (proof.value,)),
    )


def _context(deps: DecisionDeps, request: Request, ip: str | None) -> Context:
    """Where the call came from, as the asker says; the trace is that of the question."""
    peer = peer_of(request.scope, deps.site.trusted_proxies)
    return Context(
        network=Network(ip, None, deps.site.zones(ip)),
        trace=Trace(peer.trace_id, peer.span_id, peer.flags),
    )


def _require_subject(question: Question, token: AccessToken) -> None:
    kind = "agent" if is_workload(token) else "user"
    if question.subject_id != token.sub or question.subject_type != kind:
        raise BadQuestionError("`subject` is not who the access token was issued for")


def _denied(
    deps: DecisionDeps, server: Server, verdict: Challenge | Deny, proof: RequestProof | None
) -> JsonObject:
    """The refusal as the caller would have heard it at the gateway, for the asker to pass on."""
    metadata = f"{deps.site.public_url}{_RESOURCE_METADATA}{server.name}"
    said = refusal_response(
        verdict, resource_metadata_url=metadata, baseline=server.baseline_scopes
    )
    headers = {name: value for name, value in said.headers if name.lower() in _PASSED_ON}
    context: JsonObject = {
        "id": verdict.decision_id,
        "status": said.status,
        "error": said.error,
        "reason_user": {str(said.status): verdict.detail},
        "headers": {**headers, **_nonce(proof)},
        **told_of_denial(verdict),
    }
    return {"decision": False, "context": context}


def _nonce(proof: RequestProof | None) -> JsonObject:
    """What the caller's next proof has to carry, if this one was told so (RFC 9449 §9)."""
    offered = None if proof is None else proof.next_nonce
    return {} if offered is None else {"DPoP-Nonce": offered}
