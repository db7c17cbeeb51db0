"""What changes of a modern request on its way up, and of its answer on its way down.

Up: the state of a multi round-trip request is opened, the handle of a task becomes the server's
name for it, extensions that are not carried are not spoken of. Down: the other way round; what the
server asks of the client is held against what the client declared. Dropped: notifications that
belong on a stream of changes, where what they speak of has been decided, and on no other.

Source: MCP 2026-07-28 multi round-trip requests, subscriptions; MCP extension tasks.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final

from remit.canonical import Json, JsonObject
from remit.gateway.extensions import Offered, declares_tasks, with_carried
from remit.gateway.jsonrpc import Message, Notification, Request, Response
from remit.gateway.judgement import Judgement
from remit.gateway.principal import Principal
from remit.gateway.protocol import CAPABILITIES_KEY
from remit.gateway.questions import check_inputs
from remit.gateway.rejection import UpstreamError
from remit.gateway.request_state import NOTHING_KEPT, Kept, RequestStates
from remit.gateway.tasks import RELATED_TASK, Tasks
from remit.gateway.upstream.port import Reply
from remit.guard.call import Earlier
from remit.model import Server

__all__ = ["ModernCrossing", "capabilities_of", "with_offered"]

_NOT_HERE: Final = (
    "notifications/resources/",
    "notifications/tools/",
    "notifications/prompts/",
    "notifications/tasks",
    "notifications/subscriptions/",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModernCrossing:
    """One judged request, between its two ends."""

    server: Server
    request: Request
    judged: Judgement
    tasks: Tasks
    states: RequestStates
    offered: Offered
    kept: Kept = NOTHING_KEPT
    """What is known of the call from when it came before."""

    def up(self) -> Request:
        """The request as the server gets it.

        Raises:
            RejectedError: -32602, it carries a state that is not good for it.
        """
        principal = Principal.of(self.judged.token)
        request = self.states.opened(self.request, self.server.name, principal)
        if self.judged.task is not None:
            request = self.tasks.up(request, self.judged.task)
        return with_offered(request, self.offered)

    def down(self, response: Response) -> Response:
        """The response as the caller gets it; it has been edited before.

        Raises:
            UpstreamError: the server makes a task, or asks for input, where it may not.
        """
        result = response.result
        if result is None:
            return response
        task, params = self.judged.task, self.request.params or {}
        capabilities = capabilities_of(params)
        if result.get("resultType") == "task":
            if not declares_tasks(capabilities):
                raise UpstreamError("the server makes a task for a client that knows no tasks")
            handle = self.tasks.begun(result.get("taskId"), self.judged, self.server)
            result = {**result, "taskId": handle}
        elif task is not None:
            result = self.tasks.down(result, task, params.get("taskId"))
            check_inputs(result, capabilities)
        elif result.get("resultType") == "input_required":
            check_inputs(result, capabilities)
            principal = Principal.of(self.judged.token)
            result = self.states.sealed(
                result, self.request, self.server.name, principal, kept=self._kept()
            )
        told = _unrelated(result)
        return response if told is response.result else Response(response.id, told)

    def _kept(self) -> Kept:
        """What the call has to be known by when it comes again: as what it was counted, for what an elevation was spent."""
        permit, why = self.judged.permit, self.kept.justification
        earlier: Earlier | None = None
        if permit is not None:
            earlier = None if permit.account is None else permit.account.counted
            if earlier is None and permit.elevated is not None:
                earlier = Earlier(permit.decision_id, self.states.now())
        return Kept(earlier=earlier, justification=why, asked_why=why is not None)

    @staticmethod
    def filtered(asked: AbstractAsyncContextManager[Reply]) -> AbstractAsyncContextManager[Reply]:
        """The reply, without what has no place in the answer to a call."""
        return _Filtered(asked)


class _Filtered:
    """One reply; a streamed one without what is out of place in it."""

    __slots__ = ("_asked",)

    def __init__(self, asked: AbstractAsyncContextManager[Reply]) -> None:
        self._asked = asked

    async def __aenter__(self) -> Reply:
        reply = await self._asked.__aenter__()
        return replace(reply, messages=_in_place(reply.messages)) if reply.streamed else reply

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return await self._asked.__aexit__(kind, error, traceback)


def capabilities_of(params: JsonObject) -> JsonObject:
    """What the client declares in this very request."""
    meta = params.get("_meta")
    capabilities = meta.get(CAPABILITIES_KEY) if isinstance(meta, dict) else None
    return capabilities if isinstance(capabilities, dict) else {}


def with_offered(request: Request, offered: Offered) -> Request:
    """`request` as it speaks of the extensions that are carried and of no other; nor of tasks as they were before."""
    params = request.params
    if params is None:
        return request
    told = capabilities_of(params)
    if "task" not in params and "extensions" not in told:
        return request
    kept: dict[str, Json] = {name: value for name, value in params.items() if name != "task"}
    meta = kept.get("_meta")
    if isinstance(meta, dict) and "extensions" in told:
        kept["_meta"] = {**meta, CAPABILITIES_KEY: with_carried(told, offered)}
    return Request(request.id, request.method, kept)


async def _in_place(messages: AsyncIterator[Message]) -> AsyncIterator[Message]:
    async for message in messages:
        if isinstance(message, Notification) and message.method.startswith(_NOT_HERE):
            continue
        yield message


def _unrelated(result: JsonObject) -> JsonObject:
    """`result` without the server's own name for a task, which this era does not put there."""
    inner = result.get("result")
    if isinstance(inner, dict):
        result = {**result, "result": _unrelated(inner)}
    meta = result.get("_meta")
    if not isinstance(meta, dict) or RELATED_TASK not in meta:
        return result
    rest = {name: value for name, value in meta.items() if name != RELATED_TASK}
    return {**result, "_meta": rest}
