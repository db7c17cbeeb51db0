"""A legacy caller's session in front of a server that knows no sessions.

The session is here alone: what the client said of itself goes along with every
request. A result that asks for input becomes questions to the client on the stream of
its call, whose answers begin the next round. Refused: questions that the client has
not declared it can answer, and a server that asks without end.

Source: MCP 2025-11-25 lifecycle, elicitation, sampling, cancellation; MCP 2026-07-28 multi round-trip requests.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace

from remit.canonical import Json, JsonObject
from remit.gateway.bridge.client_answers import ClientAnswers, NotAnsweredError
from remit.gateway.bridge.flow import Flow
from remit.gateway.bridge.limits import BridgeLimits
from remit.gateway.bridge.mirror import Mirror
from remit.gateway.bridge.questions import as_question, input_of, undeclared
from remit.gateway.bridge.to_legacy import legacy_initialize_result, legacy_response
from remit.gateway.bridge.to_modern import LOG_LEVELS, modern_meta
from remit.gateway.bridge.watched import Watched
from remit.gateway.jsonrpc import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    JsonRpcId,
    Message,
    Notification,
    Request,
    Response,
    error_response,
)
from remit.gateway.protocol import MODERN_VERSIONS
from remit.gateway.rejection import RejectedError, UpstreamError
from remit.gateway.upstream.port import Outgoing, Reply, Upstream
from remit.ids import new_secret

__all__ = ["LegacyOverModern"]

_FIRST_WORD_SECONDS = 5.0
_PAGES = 20


@dataclass(slots=True)
class _Round:
    """What the client has answered so far, and the server's note to itself."""

    answers: JsonObject | None = None
    state: Json = None
    with_headers: bool = False


class LegacyOverModern:
    """One session. `behind` is the server, of whom every request is asked on its own."""

    def __init__(self, behind: Upstream, limits: BridgeLimits) -> None:
        self._behind = behind
        self._limits = limits
        self._client: JsonObject = {}
        self._level: str | None = None
        self._mirror = Mirror()
        self._answers = ClientAnswers(limits.answer)
        self._under_way: dict[JsonRpcId, Flow] = {}
        self._watched: Watched | None = None
        self._closed = False

    @asynccontextmanager
    async def ask(self, outgoing: Outgoing[Request]) -> AsyncIterator[Reply]:
        if self._closed:
            raise UpstreamError("the session has ended", session_ended=True)
        request = outgoing.message
        if request.method == "initialize":
            yield _whole(await self._initialized(outgoing))
        elif (known := await self._answered_here(outgoing)) is not None:
            yield _whole(known)
        else:
            async with self._carried(outgoing) as reply:
                yield reply

    async def tell(self, outgoing: Outgoing[Notification] | Outgoing[Response]) -> None:
        message = outgoing.message
        if isinstance(message, Response):
            self._answers.take(message)
        elif message.method == "notifications/cancelled":
            await self._cancel((message.params or {}).get("requestId"))

    def listen(self, outgoing_version: str) -> AbstractAsyncContextManager[AsyncIterator[Message]]:
        if self._watched is None:
            raise RejectedError(405, "the server offers no stream of its own")
        return self._watched.listen()

    async def close(self) -> None:
        self._closed = True
        if self._watched is not None:
            self._watched.end()
        for request_id in tuple(self._under_way):
            await self._cancel(request_id)

    async def _initialized(self, outgoing: Outgoing[Request]) -> Response:
        request = outgoing.message
        params = request.params or {}
        client: JsonObject = {
            name: value
            for name in ("capabilities", "clientInfo")
            if isinstance(value := params.get(name), dict)
        }
        self._client = client
        response = await self._once(outgoing, Request(request.id, "server/discover", None))
        if response.result is None:
            return response
        result = legacy_initialize_result(response.result, params.get("protocolVersion"))
        self._watched = Watched.offered(
            result.get("capabilities"), lambda wished: self._listening(outgoing, wished)
        )
        return Response(request.id, result=result)

    async def _answered_here(self, outgoing: Outgoing[Request]) -> Response | None:
        """The answer to what concerns the session alone; `None` to what concerns the server."""
        request = outgoing.message
        params = request.params or {}
        match request.method:
            case "ping":
                return Response(request.id, result={})
            case "logging/setLevel":
                level = params.get("level")
                if not isinstance(level, str) or level not in LOG_LEVELS:
                    return error_response(request.id, INVALID_PARAMS, "there is no such level")
                self._level = level
                return Response(request.id, result={})
            case "resources/subscribe" | "resources/unsubscribe":
                uri = params.get("uri")
                if self._watched is None or not self._watched.takes_resources:
                    detail = "the server tells nobody of changed resources"
                    return error_response(request.id, INVALID_REQUEST, detail)
                if not isinstance(uri, str):
                    return error_response(request.id, INVALID_PARAMS, "parameter `uri` is missing")
                self._watched.change(uri, wanted=request.method == "resources/subscribe")
                return Response(request.id, result={})
            case _:
                return None

    @asynccontextmanager
    async def _carried(self, outgoing: Outgoing[Request]) -> AsyncIterator[Reply]:
        request = outgoing.message
        flow = Flow(self._rounds(outgoing), name=f"bridged {request.method}")
        self._under_way[request.id] = flow
        try:
            first = await flow.peek(_FIRST_WORD_SECONDS)
            streamed = not isinstance(first, Response)
            yield Reply(200, streamed=streamed, messages=_up_to_response(flow))
        finally:
            self._under_way.pop(request.id, None)
            await flow.stop()

    async def _rounds(self, outgoing: Outgoing[Request]) -> AsyncGenerator[Message]:
        """The call, as often as the server wants it made, each time with the client's answers."""
        request, round_ = outgoing.message, _Round()
        uri = (request.params or {}).get("uri")
        for _ in range(self._limits.rounds + 1):
            response: Response | None = None
            async with self._asked(outgoing, round_) as reply:
                async for message in reply.messages:
                    if isinstance(message, Response):
                        response = message
                        break
                    if isinstance(message, Notification):
                        yield message
            if response is None:
                raise UpstreamError("the server ended the stream without an answer")
            if self._mirror.lacks(request, response) and not round_.with_headers:
                round_.with_headers = True
                await self._learn_tools(outgoing)
                continue
            result = response.result or {}
            if result.get("resultType") != "input_required":
                if request.method == "tools/list":
                    self._mirror.learn(response)
                yield legacy_response(response, request.method, uri)
                return
            questions = self._questions(result)
            with self._answers.expected(questions.values()):
                for question in questions.values():
                    yield as_question(question)
                try:
                    round_.answers = await self._answers.of(questions)
                except NotAnsweredError as unanswered:
                    yield Response(request.id, error=unanswered.error)
                    return
            round_.state = result.get("requestState")
        raise UpstreamError("the server asks without end")

    def _questions(self, result: JsonObject) -> dict[str, Request]:
        """What the server asks, under ids of ours.

        Raises:
            UpstreamError: it asks what is no question, or what the client cannot answer.
        """
        asked = result.get("inputRequests")
        capabilities = self._client.get("capabilities")
        declared = capabilities if isinstance(capabilities, dict) else {}
        questions: dict[str, Request] = {}
        for name, one in (asked if isinstance(asked, dict) else {}).items():
            question = input_of(one, new_secret("ask_"))
            if question is None or undeclared(question, declared) is not None:
                raise UpstreamError("the server asks what the client has not declared to answer")
            questions[name] = question
        return questions

    @asynccontextmanager
    async def _asked(self, outgoing: Outgoing[Request], round_: _Round) -> AsyncIterator[Reply]:
        request = outgoing.message
        params: JsonObject = {**(request.params or {})}
        if round_.answers is not None:
            params["inputResponses"] = round_.answers
        if round_.state is not None:
            params["requestState"] = round_.state
        asking = self._stamped(outgoing, Request(request.id, request.method, params))
        try:
            async with self._behind.ask(asking) as reply:
                yield reply
        except RejectedError as rejected:
            # The server has changed: the client begins anew, and so do we.
            raise UpstreamError(
                "the server has ended the session", session_ended=True, cause=rejected
            ) from rejected

    def _stamped(self, outgoing: Outgoing[Request], request: Request) -> Outgoing[Request]:
        params = modern_meta(request.params, self._client, level=self._level)
        message = Request(request.id, request.method, params)
        return replace(
            outgoing,
            message=message,
            version=MODERN_VERSIONS[-1],
            headers=(*outgoing.headers, *self._mirror.headers(message)),
        )

    async def _once(self, outgoing: Outgoing[Request], request: Request) -> Response:
        """Ask something of the gateway's own.

        Raises:
            RejectedError: the server does not speak this era.
            UpstreamError: there is no answer.
        """
        async with self._behind.ask(self._stamped(outgoing, request)) as reply:
            async for message in reply.messages:
                if isinstance(message, Response):
                    return message
        raise UpstreamError("the server ended the stream without an answer")

    async def _learn_tools(self, outgoing: Outgoing[Request]) -> None:
        cursor: Json = None
        for page in range(_PAGES):
            params: JsonObject = {} if cursor is None else {"cursor": cursor}
            request = Request(f"tools-{page}", "tools/list", params)
            response = await self._once(outgoing, request)
            self._mirror.learn(response)
            cursor = (response.result or {}).get("nextCursor")
            if not isinstance(cursor, str):
                return

    def _listening(
        self, outgoing: Outgoing[Request], wished: JsonObject
    ) -> AbstractAsyncContextManager[Reply]:
        params: JsonObject = {"notifications": wished}
        request = Request(new_secret("listen_"), "subscriptions/listen", params)
        return self._behind.ask(self._stamped(outgoing, request))

    async def _cancel(self, request_id: Json) -> None:
        for known, flow in tuple(self._under_way.items()):
            if known == request_id and type(known) is type(request_id):
                await flow.stop()
                flow.offer(error_response(known, INTERNAL_ERROR, "the client cancelled the call"))


async def _up_to_response(flow: Flow) -> AsyncIterator[Message]:
    while True:
        message = await flow.next()
        yield message
        if isinstance(message, Response):
            return


def _whole(response: Response) -> Reply:
    async def just() -> AsyncIterator[Message]:
        yield response

    return Reply(200, streamed=False, messages=just())
