"""What changes of the messages of a legacy session on their way up and down.

Up: the handle of a task becomes the server's name for it; extensions that are not carried are not
spoken of; the client does not offer to keep tasks of the server's. Down: the other way round. The
server asks of the client only what it declared when it initialised: anything else is answered in
its place, with an error. News of a resource reach whoever subscribed to it and may still read it;
news of a task, whoever it belongs to.

Source: MCP 2025-11-25 lifecycle (capabilities), resources (subscriptions), tasks.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final

from remit.canonical import Json, JsonObject
from remit.gateway.extensions import Offered, with_carried
from remit.gateway.jsonrpc import (
    METHOD_NOT_FOUND,
    Message,
    Notification,
    Request,
    Response,
    error_response,
)
from remit.gateway.judgement import Judgement
from remit.gateway.questions import MAX_QUESTIONS, problem_with
from remit.gateway.rejection import UpstreamError
from remit.gateway.sessions import Session
from remit.gateway.sight import Sight
from remit.gateway.subscription_filter import is_within
from remit.gateway.tasks import RELATED_TASK, Tasks
from remit.gateway.upstream.port import Outgoing, Reply
from remit.model import Server
from remit.policy.evaluation import ResourceKind

__all__ = ["LegacyCrossing"]

_TASKS_SINCE: Final = "2025-11-25"
_PAGE_FIRST: Final = -32042
_STATUS: Final = "notifications/tasks/status"
_UPDATED: Final = "notifications/resources/updated"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyCrossing:
    """One session, between its two ends, as whoever makes this very request may use it."""

    server: Server
    session: Session
    tasks: Tasks
    sight: Sight

    @property
    def offered(self) -> Offered:
        """The extensions that may be spoken of."""
        return Offered.by(self.server.allowed_extensions)

    def up(self, request: Request, judged: Judgement) -> Request:
        """`request` as the server gets it."""
        if request.params is None:
            return request
        params: dict[str, Json] = dict(request.params)
        if request.method != "tools/call" or self.session.version < _TASKS_SINCE:
            params.pop("task", None)
        capabilities = params.get("capabilities")
        if request.method == "initialize" and isinstance(capabilities, dict):
            self.session.capabilities = capabilities
            rest = {name: value for name, value in capabilities.items() if name != "tasks"}
            params["capabilities"] = with_carried(rest, self.offered)
        sent = Request(request.id, request.method, self._up(params))
        return sent if judged.task is None else self.tasks.up(sent, judged.task)

    def told(self, message: Notification | Response) -> Notification | Response:
        """What is owed no answer, as the server gets it."""
        if isinstance(message, Notification):
            return Notification(message.method, _mapped(message.params, self._up))
        return Response(message.id, _mapped(message.result, self._up), message.error)

    def down(self, response: Response, request: Request, judged: Judgement) -> Response:
        """The response as the caller gets it; it has been edited before.

        Raises:
            UpstreamError: the server speaks of a task in no known form, or sends the person where it may not.
        """
        self._check_pages(response)
        result, params = response.result, request.params or {}
        if result is None:
            return response
        match request.method:
            case "tools/call" if isinstance(task := result.get("task"), dict) and "task" in params:
                handle = self.tasks.begun(task.get("taskId"), judged, self.server)
                result = {**result, "task": {**task, "taskId": handle}}
            case "tasks/list" if judged.visible is not None:
                result = self._own(result, judged)
            case "resources/subscribe":
                self.session.subscribe(str(params.get("uri")))
            case "resources/unsubscribe":
                self.session.subscribed.pop(str(params.get("uri")), None)
        if judged.task is not None:
            result = self.tasks.down(result, judged.task, params.get("taskId"))
        return replace(response, result=self._down(result))

    def _check_pages(self, response: Response) -> None:
        """Hold the pages that an error says must be opened first against what the client declared."""
        error = response.error
        if error is None or error["code"] != _PAGE_FIRST:
            return
        data = error.get("data")
        pages = data.get("elicitations") if isinstance(data, dict) else None
        if not isinstance(pages, list) or len(pages) > MAX_QUESTIONS:
            raise UpstreamError("the server sends the person somewhere in no known form")
        for page in pages:
            asked: JsonObject = (
                {**page, "mode": "url"} if isinstance(page, dict) else {"mode": "url"}
            )
            problem = problem_with("elicitation/create", asked, self.session.capabilities)
            if problem is not None:
                raise UpstreamError(problem)

    async def passing(self, message: Message) -> Message | None:
        """What goes down of what the server says unasked, and how; `None` if nothing does."""
        if isinstance(message, Response):
            return message
        params = message.params or {}
        if isinstance(message, Request):
            problem = problem_with(message.method, params, self.session.capabilities)
            if problem is not None and message.method != "ping":
                await self._decline(message, problem)
                return None
            return Request(message.id, message.method, _mapped(message.params, self._down))
        if message.method == _STATUS:
            known = self._known(params.get("taskId"))
            return None if known is None else Notification(_STATUS, {**params, "taskId": known})
        if message.method == _UPDATED:
            uri = params.get("uri")
            if not isinstance(uri, str) or not is_within(uri, self.session.subscribed):
                return None
            if not await self.sight.admits(ResourceKind.RESOURCE, uri):
                return None
        return Notification(message.method, _mapped(message.params, self._down))

    @asynccontextmanager
    async def filtered(self, asked: AbstractAsyncContextManager[Reply]) -> AsyncIterator[Reply]:
        """The reply, with only those messages that may pass."""
        async with asked as reply:
            streamed = reply.streamed
            yield replace(reply, messages=self._passing(reply.messages)) if streamed else reply

    async def _passing(self, messages: AsyncIterator[Message]) -> AsyncIterator[Message]:
        async for message in messages:
            passing = await self.passing(message)
            if passing is not None:
                yield passing

    async def _decline(self, question: Request, problem: str) -> None:
        """Answer what the client is not asked, so that the server does not wait for it."""
        answer = error_response(question.id, METHOD_NOT_FOUND, problem)
        # A server that takes no answer to its question goes without.
        with suppress(UpstreamError):
            session = self.session
            await session.upstream.tell(
                Outgoing(answer, session.version, principal=session.principal, token=session.token)
            )

    def _own(self, result: JsonObject, judged: Judgement) -> JsonObject:
        """A list of tasks, with only those that are the caller's, of tools that they may use."""
        items = result.get("tasks")
        if not isinstance(items, list):
            raise UpstreamError("the server's answer has no list `tasks`")
        own: list[Json] = []
        for item in items:
            name = item.get("taskId") if isinstance(item, dict) else None
            if not isinstance(item, dict) or not isinstance(name, str):
                continue
            known = self.tasks.known.find(name, self.server.name, self.session.principal)
            if (
                known is not None
                and judged.visible is not None
                and judged.visible.admits(ResourceKind.TOOL, known.task.tool)
            ):
                own.append({**item, "taskId": known.handle})
        return {**result, "tasks": own}

    def _known(self, name: Json) -> str | None:
        """The handle of the caller's own task that the server calls `name`."""
        if not isinstance(name, str):
            return None
        known = self.tasks.known.find(name, self.server.name, self.session.principal)
        return None if known is None else known.handle

    def _down(self, values: JsonObject) -> JsonObject:
        return _related(values, self._known)

    def _up(self, values: JsonObject) -> JsonObject:
        return _related(values, self._named)

    def _named(self, handle: Json) -> str | None:
        """What the server calls the task that the caller knows as `handle`."""
        task = self.tasks.handles.find(handle, self.server.name, self.session.principal)
        return None if task is None else task.id


def _mapped(
    values: "JsonObject | None", change: Callable[[JsonObject], JsonObject]
) -> "JsonObject | None":
    return None if values is None else change(values)


def _related(values: JsonObject, names: Callable[[Json], str | None]) -> JsonObject:
    """`values`, in whose `_meta` a task is called by the other end's name for it, or not at all."""
    meta = values.get("_meta")
    if not isinstance(meta, dict) or RELATED_TASK not in meta:
        return values
    related = meta[RELATED_TASK]
    name = names(related.get("taskId")) if isinstance(related, dict) else None
    rest: dict[str, Json] = {key: value for key, value in meta.items() if key != RELATED_TASK}
    if name is not None and isinstance(related, dict):
        rest[RELATED_TASK] = {**related, "taskId": name}
    return {**values, "_meta": rest}
