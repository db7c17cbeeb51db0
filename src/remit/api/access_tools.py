"""Remit's own MCP server: tools with which an agent asks, for whoever it acts for, to have more for a while.

It stands behind the gateway like any other, under the name that the repository gives it, and is off until a repository
declares a server at `OWN_URL`; nothing of a call to that address leaves this process. The guard has decided when a call
comes here, and the token of the exchange says for whom: a person through the agent that calls, or an agent that acts for
itself. What is asked through an agent counts for that agent alone, and takes an offer that names it.

Refused: whoever brings no token of ours for here; a chain of more than one agent; emergency access, which is people's;
everything that `AccessDesk` refuses, in its words.

Source: MCP 2026-07-28 (base protocol, tools, discovery); RFC 8693 §4.1; MISSION C4.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from remit.api.access import Asking, shown_access, shown_offer
from remit.api.problems import bad_request
from remit.approvals.access import Access, Holder, HolderKind, Wish, no_such_offer
from remit.approvals.access_desk import AccessDesk
from remit.audit.context import Actor, ActorType, Context
from remit.canonical import Json, JsonObject, canonical_bytes, canonical_text
from remit.clock import Clock, EpochSeconds, Seconds
from remit.errors import Error, NotFoundError
from remit.guard.limits import is_workload
from remit.tokens import AccessToken, TokenVerifier
from remit.tokens.verify import InvalidTokenError
from remit.web import json_response, read_json_object

__all__ = ["OWN_URL", "AccessTools"]

OWN_URL: Final = "https://access.remit.invalid/mcp"
"""Where a repository says the server is, and whom its tokens are for. RFC 2606 §2: nobody else ever has this name."""

_VERSION: Final = "2026-07-28"
_LINKS: Final = 2
"""Remit, and the one agent that asked it."""
_SECONDS: Final[JsonObject] = {
    "type": "integer",
    "minimum": 60,
    "description": "For how many seconds.",
}
_OFFER: Final[JsonObject] = {"type": "string", "description": "As access.offers names it."}
_TOLD: Final[JsonObject] = {
    "type": "object",
    "additionalProperties": {"type": "string"},
    "description": "What has to be told, by the names that the offer gives.",
}
_ACCESS: Final[JsonObject] = {"type": "string", "description": "Its id, acc_…"}
_TICKET: Final[JsonObject] = {"type": "string", "description": "The ticket it is for."}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tool:
    name: str
    description: str
    properties: JsonObject
    required: tuple[str, ...]
    run: Callable[["AccessTools", Holder, JsonObject, Context], Awaitable[JsonObject]]
    reads: bool = False

    def listed(self) -> JsonObject:
        """As `tools/list` has it."""
        schema: JsonObject = {
            "type": "object",
            "properties": self.properties,
            "required": list(self.required),
            "additionalProperties": False,
        }
        hints: JsonObject = {"readOnlyHint": self.reads, "openWorldHint": False}
        return {
            "name": self.name,
            "description": self.description,
            "inputSchema": schema,
            "annotations": hints,
        }


class AccessTools:
    """The ASGI application behind `OWN_URL`."""

    __slots__ = ("_clock", "_desk", "_verifier")

    def __init__(self, desk: AccessDesk, verifier: TokenVerifier, clock: Clock) -> None:
        self._desk = desk
        self._verifier = verifier
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method != "POST":
            return Response(status_code=405, headers={"Allow": "POST"})
        try:
            token = self._verifier.verify(_bearer(request), audience=OWN_URL)
        except InvalidTokenError:
            return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
        try:
            message = await read_json_object(request, limit=65_536)
        except Error:
            return _refusal(None, -32700, "this is no JSON object")
        if "id" not in message:
            return Response(status_code=202)
        return await self._respond(message, token)

    async def _respond(self, message: JsonObject, token: AccessToken) -> Response:
        name, params = message.get("method"), message.get("params")
        match name:
            case "server/discover":
                return _result(message, _DISCOVERED)
            case "tools/list":
                listed: list[Json] = [one.listed() for one in _TOOLS]
                return _result(message, {"tools": listed, "ttlMs": 0, "cacheScope": "private"})
            case "tools/call" if isinstance(params, dict):
                return await self._call(message, params, token)
            case _:
                return _refusal(message, -32601, "there is no such method")

    async def _call(self, message: JsonObject, params: JsonObject, token: AccessToken) -> Response:
        tool = next((one for one in _TOOLS if one.name == params.get("name")), None)
        given = params.get("arguments") or {}
        if tool is None or not isinstance(given, dict):
            return _refusal(message, -32602, "there is no such tool")
        try:
            holder = _holder(token)
            said = await tool.run(self, holder, given, _context(token))
        except Error as error:
            content: list[Json] = [{"type": "text", "text": error.detail}]
            told: JsonObject = {"code": error.code, "detail": error.detail}
            return _result(
                message, {"content": content, "isError": True, "structuredContent": told}
            )
        text: list[Json] = [{"type": "text", "text": canonical_text(said)}]
        return _result(message, {"content": text, "structuredContent": said})

    async def offers(self, holder: Holder, _given: JsonObject, _context: Context) -> JsonObject:
        """What may be asked for through this agent."""
        found: list[Json] = [shown_offer(one).model_dump() for one in self._desk.offers_for(holder)]
        return {"offers": found}

    async def mine(self, holder: Holder, _given: JsonObject, _context: Context) -> JsonObject:
        """What was asked for through this agent."""
        held = [one for one in await self._desk.held_by(holder) if one.agent_id == holder.agent_id]
        found: list[Json] = [self._shown(one) for one in held]
        return {"access": found}

    async def request(self, holder: Holder, given: JsonObject, context: Context) -> JsonObject:
        """Ask for it."""
        try:
            asked = Asking.model_validate_json(canonical_bytes(given), strict=True)
        except ValidationError as error:
            raise bad_request(error) from error
        wish = Wish(
            offer=asked.offer,
            seconds=Seconds(asked.seconds),
            justification=dict(asked.justification),
            ticket=asked.ticket,
        )
        return self._shown(await self._desk.request(holder, wish, context=context))

    async def give_back(self, holder: Holder, given: JsonObject, context: Context) -> JsonObject:
        """Give back what was asked for through this agent."""
        named = given.get("access")
        access_id = named if isinstance(named, str) else ""
        found = await self._desk.read(access_id, tenant=holder.tenant, holder=holder.id)
        _require_through(found, holder)
        return self._shown(await self._desk.end(found.id, holder=holder, context=context))

    def _shown(self, access: Access) -> JsonObject:
        now: EpochSeconds = self._clock.now()
        shown: dict[str, Any] = shown_access(access, now).model_dump()
        if shown["state"] == "active":
            shown["next"] = "get a new access token: the one you have does not say it"
        if shown["state"] == "waiting":
            shown["next"] = "somebody has to approve it; ask access.mine later"
        return shown


_TOOLS: Final = (
    _Tool(
        name="access.offers",
        description="List the roles and scopes that can be had for a while.",
        properties={},
        required=(),
        run=AccessTools.offers,
        reads=True,
    ),
    _Tool(
        name="access.mine",
        description="List what was asked for through this agent, and whether it is had.",
        properties={},
        required=(),
        run=AccessTools.mine,
        reads=True,
    ),
    _Tool(
        name="access.request",
        description="Ask to have a role or scopes for a while. It is had at once, or somebody has to approve it.",
        properties={
            "offer": _OFFER,
            "seconds": _SECONDS,
            "justification": _TOLD,
            "ticket": _TICKET,
        },
        required=("offer", "seconds", "justification"),
        run=AccessTools.request,
    ),
    _Tool(
        name="access.return",
        description="Give back what was asked for through this agent, before its time.",
        properties={"access": _ACCESS},
        required=("access",),
        run=AccessTools.give_back,
    ),
)
_DISCOVERED: Final[JsonObject] = {
    "supportedVersions": [_VERSION],
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "remit-access", "version": "1"},
    "ttlMs": 0,
    "cacheScope": "private",
}


def _bearer(request: Request) -> str:
    scheme, _, raw = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise InvalidTokenError("there is no token")
    return raw


def _holder(token: AccessToken) -> Holder:
    """For whom the one agent asks that the token says called.

    Raises:
        NotFoundError: more than one stands between; nothing is offered to a chain.
    """
    if len(token.actors) != _LINKS:
        raise no_such_offer()
    if is_workload(token):
        return Holder(kind=HolderKind.AGENT, id=token.sub, tenant=token.organization_id)
    return Holder(
        kind=HolderKind.USER,
        id=token.sub,
        tenant=token.organization_id,
        roles=token.roles,
        acr=token.acr,
        auth_time=token.auth_time,
        agent_id=token.agent_id,
        client_id=token.client_id,
    )


def _require_through(access: Access, holder: Holder) -> None:
    if access.agent_id != holder.agent_id:
        raise NotFoundError("there is no such access")


def _context(token: AccessToken) -> Context:
    return Context(
        actor=Actor(ActorType.AGENT, token.agent_id),
        tenant=token.organization_id,
        environment=token.environment,
        user_id=None if is_workload(token) else token.sub,
        agent_id=token.agent_id,
        client_id=token.client_id,
        grant_id=token.grant_id,
    )


def _result(message: JsonObject, result: JsonObject) -> Response:
    whole: JsonObject = {"resultType": "complete", **result}
    return json_response({"jsonrpc": "2.0", "id": message["id"], "result": whole})


def _refusal(message: JsonObject | None, code: int, words: str) -> Response:
    error: JsonObject = {"code": code, "message": words}
    name = None if message is None else message.get("id")
    status = 400 if message is None else 404 if code == -32601 else 200
    return json_response({"jsonrpc": "2.0", "id": name, "error": error}, status=status)
