"""What passes on a stream of changes: what was acknowledged, and may be known of now.

The server's acknowledgement comes first and is cut down to what was decided. Then come
notifications that changes are made of, each of something acknowledged; anything else that a server
writes there is dropped. At its end the stream says that it has ended.

Source: MCP 2026-07-28 subscriptions; MCP extension tasks (task status notifications).
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from remit.canonical import Json, JsonObject
from remit.gateway.jsonrpc import JsonRpcId, Message, Notification, Response
from remit.gateway.protocol import SUBSCRIPTION_KEY
from remit.gateway.questions import check_inputs
from remit.gateway.rejection import RejectedError, UpstreamError
from remit.gateway.sight import Sight
from remit.gateway.subscription_filter import CHANGES, Wanted, is_within
from remit.gateway.task_handle import Task
from remit.policy.evaluation import ResourceKind

__all__ = ["Changes", "ended_result"]

_ACKNOWLEDGED: Final = "notifications/subscriptions/acknowledged"
_UPDATED: Final = "notifications/resources/updated"
_TASK: Final = "notifications/tasks"
_FLAG_OF: Final[Mapping[str, str]] = {method: flag for flag, (method, _) in CHANGES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The filter of one stream. `tasks`: those decided, by the server's names for them, with their handles."""

    id: JsonRpcId
    decided: Wanted
    tasks: Mapping[str, tuple[Task, str]]
    capabilities: JsonObject
    sight: Sight
    heard: Callable[[Message], None]

    async def of(self, messages: AsyncIterator[Message]) -> AsyncIterator[Message]:
        """What of `messages` goes down, in the words of whoever listens.

        Raises:
            UpstreamError: the server does not begin with an acknowledgement.
        """
        acknowledged: Wanted | None = None
        async for message in messages:
            if isinstance(message, Response):
                yield self._ended(message)
                return
            if not isinstance(message, Notification):
                continue
            self.heard(message)
            if acknowledged is None:
                if message.method != _ACKNOWLEDGED:
                    raise UpstreamError(
                        "the server sends changes before it acknowledges that it will"
                    )
                acknowledged = self._acknowledged(message)
                yield self._stamped(message.method, {"notifications": self._named(acknowledged)})
                continue
            passing = await self._passing(message, acknowledged)
            if passing is not None:
                yield passing
        raise UpstreamError("the server ended the stream without a word")

    def _acknowledged(self, message: Notification) -> Wanted:
        """What the server will send, of what was decided."""
        try:
            said = Wanted.read(message.params)
        except RejectedError as rejected:
            raise UpstreamError("the server acknowledges in no known form") from rejected
        return Wanted(
            flags=said.flags & self.decided.flags,
            uris=tuple(uri for uri in self.decided.uris if uri in said.uris),
            tasks=tuple(task for task in self.decided.tasks if task in said.tasks),
        )

    def _named(self, wanted: Wanted) -> JsonObject:
        """`wanted`, with tasks by their handles."""
        return replace(wanted, tasks=tuple(self.tasks[one][1] for one in wanted.tasks)).to_json()

    async def _passing(self, message: Notification, acknowledged: Wanted) -> Notification | None:
        params = message.params or {}
        flag = _FLAG_OF.get(message.method)
        if flag is not None:
            kind = CHANGES[flag][1]
            told = flag in acknowledged.flags and await self.sight.offers(kind)
            return self._stamped(message.method, {}) if told else None
        if message.method == _UPDATED:
            uri = params.get("uri")
            if not isinstance(uri, str) or not is_within(uri, acknowledged.uris):
                return None
            readable = await self.sight.admits(ResourceKind.RESOURCE, uri)
            return self._stamped(message.method, {"uri": uri}) if readable else None
        if message.method == _TASK:
            return await self._of_task(params, acknowledged)
        return None

    async def _of_task(self, params: JsonObject, acknowledged: Wanted) -> Notification | None:
        name = params.get("taskId")
        if not isinstance(name, str) or name not in acknowledged.tasks:
            return None
        task, handle = self.tasks[name]
        if not await self.sight.admits(ResourceKind.TOOL, task.tool):
            return None
        check_inputs(params, self.capabilities)
        rest: dict[str, Json] = {key: value for key, value in params.items() if key != "_meta"}
        return self._stamped(_TASK, {**rest, "taskId": handle})

    def _stamped(self, method: str, params: JsonObject) -> Notification:
        return Notification(method, {**params, "_meta": {SUBSCRIPTION_KEY: self.id}})

    def _ended(self, response: Response) -> Response:
        if response.error is not None:
            return Response(self.id, error=response.error)
        return Response(self.id, result=ended_result(self.id))


def ended_result(request_id: JsonRpcId) -> JsonObject:
    """What a stream ends with when it is ended on purpose."""
    return {"resultType": "complete", "_meta": {SUBSCRIPTION_KEY: request_id}}
