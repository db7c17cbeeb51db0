"""What a caller is told whose person has to connect an account before a server can be used for them.

Where the client can show an address (elicitation in URL mode), it is asked to; and comes again with the
same request. Where it cannot, the agent is told in words, as the error of a tool or of the request.
The address is our own page: nothing secret is in it, and whoever opens it logs in there first.

Source: MCP 2026-07-28 elicitation (URL mode), multi round-trip requests; MCP 2025-11-25 elicitation
(URLElicitationRequiredError); RS-41 (that code is not used in the newer revision).
"""

from typing import Final

from remit.canonical import Json, JsonObject
from remit.gateway.jsonrpc import INTERNAL_ERROR, Request, Response, error_response
from remit.gateway.protocol import CAPABILITIES_KEY, Era
from remit.gateway.questions import shows_addresses
from remit.gateway.upstream.presented import CONNECT_KEY, ConnectionNeededError
from remit.ids import new_id

__all__ = ["CONNECTION_NEEDED", "connection_answer"]

CONNECTION_NEEDED: Final = "connection_needed"
"""The outcome of such a call, and the reason in its answer."""

_URL_ELICITATION_REQUIRED = -32042
_MAY_ASK = frozenset({"tools/call", "resources/read", "prompts/get"})
_SINCE = "2025-11-25"


def connection_answer(
    request: Request,
    error: ConnectionNeededError,
    *,
    era: Era,
    version: str | None,
    capabilities: JsonObject,
) -> Response:
    """The answer to `request`. `capabilities` are those that a legacy client declared, in a session of `version`."""
    if era is Era.MODERN:
        if shows_addresses(_declared(request)) and request.method in _MAY_ASK:
            question: JsonObject = {"method": "elicitation/create", "params": _elicitation(error)}
            asked: JsonObject = {CONNECT_KEY: question}
            return Response(
                request.id, result={"resultType": "input_required", "inputRequests": asked}
            )
    elif shows_addresses(capabilities) and version is not None and version >= _SINCE:
        # What identifies it is for a notification of its end, which is not sent: the client comes again.
        elicitation = {**_elicitation(error), "elicitationId": new_id("eli")}
        data: JsonObject = {**_data(error), "elicitations": [elicitation]}
        return error_response(request.id, _URL_ELICITATION_REQUIRED, error.detail, data)
    if request.method == "tools/call":
        content: list[Json] = [{"type": "text", "text": error.detail}]
        result: JsonObject = {"content": content, "isError": True, "_meta": _meta(error)}
        if era is Era.MODERN:
            result["resultType"] = "complete"
        return Response(request.id, result=result)
    return error_response(request.id, INTERNAL_ERROR, error.detail, _data(error))


def _elicitation(error: ConnectionNeededError) -> JsonObject:
    return {"mode": "url", "message": f"Connect your account with {error.title}.", "url": error.url}


def _data(error: ConnectionNeededError) -> JsonObject:
    return {"reason": CONNECTION_NEEDED, "url": error.url}


def _meta(error: ConnectionNeededError) -> JsonObject:
    return {"remit/refusal": _data(error)}


def _declared(request: Request) -> JsonObject:
    meta = request.params.get("_meta") if request.params else None
    declared = meta.get(CAPABILITIES_KEY) if isinstance(meta, dict) else None
    return declared if isinstance(declared, dict) else {}
