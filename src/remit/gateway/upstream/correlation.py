"""Whose answer is this? Ids, progress tokens and subscriptions of many callers on one pipe.

Two callers may choose the same id; each request goes up under a number of ours and
its answer comes back under the caller's own. What belongs to no request in flight
belongs to nobody, and is never guessed to be somebody's. The numbers are drawn at
random from 2^53 (what every JSON parser keeps exact): a caller who can make a server
write what they like could otherwise answer the next caller's request.

Source: JSON-RPC 2.0 §4; MCP 2026-07-28 progress, cancellation.
"""

import asyncio
import secrets

from remit.canonical import Json, JsonObject
from remit.gateway.jsonrpc import JsonRpcId, Message, Notification, Request, Response
from remit.gateway.protocol import SUBSCRIPTION_KEY
from remit.gateway.rejection import UpstreamError

__all__ = ["Correlation", "Pending"]

_QUEUE = 256
_NUMBERS = 2**53


class Pending:
    """A request in flight. Messages wait here for the caller, who may be slow, but not for ever."""

    def __init__(self, number: int, request: Request) -> None:
        self.number = number
        self.id = request.id
        self.progress_token = _progress_token(request.params)
        self.answered = False
        self._waiting: asyncio.Queue[Message | UpstreamError] = asyncio.Queue(_QUEUE)

    def put(self, message: Message | UpstreamError) -> None:
        """Take in what came for this request; a caller who lets too much pile up loses the call."""
        if self._waiting.full():
            self._waiting.get_nowait()
            message = UpstreamError("the caller does not read what the server sends")
        self._waiting.put_nowait(message)

    async def next(self, seconds: float | None) -> Message:
        """The next message, however long it takes where `seconds` is `None`.

        Raises:
            UpstreamError: the process ended, or nothing came for `seconds`.
        """
        try:
            async with asyncio.timeout(seconds):
                message = await self._waiting.get()
        except TimeoutError as error:
            raise UpstreamError("the server did not answer in time", timed_out=True) from error
        if isinstance(message, UpstreamError):
            self.answered = True
            raise message
        self.answered = isinstance(message, Response)
        return message


class Correlation:
    """The requests in flight on one pipe."""

    def __init__(self) -> None:
        self._pending: dict[int, Pending] = {}

    def begin(self, request: Request) -> tuple[Pending, Request]:
        """Take in `request`; what goes up in its place."""
        pending = Pending(self._unguessable(), request)
        self._pending[pending.number] = pending
        params = request.params
        if pending.progress_token is not None and params is not None:
            params = _with_progress_token(params, pending.number)
        return pending, Request(pending.number, request.method, params)

    def end(self, pending: Pending) -> None:
        """Forget `pending`; what still comes for it is dropped."""
        self._pending.pop(pending.number, None)

    def latest(self) -> Pending | None:
        """The request that was sent last, of those in flight."""
        return next(reversed(self._pending.values()), None)

    def number_of(self, caller_id: JsonRpcId) -> int | None:
        """The number under which the caller's `caller_id` is in flight. For one caller's pipe only."""
        for pending in self._pending.values():
            if pending.id == caller_id and type(pending.id) is type(caller_id):
                return pending.number
        return None

    def deliver(self, message: Message) -> bool:
        """Give `message` to the request it belongs to; whether there is one."""
        if isinstance(message, Response):
            pending = self._find(message.id)
            if pending is not None:
                # What comes right behind its answer is no longer about this request.
                self.end(pending)
                pending.put(Response(pending.id, message.result, message.error))
            return True
        if not isinstance(message, Notification):
            return False
        if (subscription := _subscription(message)) is not None:
            pending = self._find(subscription)
            if pending is not None:
                pending.put(_renamed(message, pending.id))
            return True
        if message.method != "notifications/progress":
            return False
        pending = self._find(message.params.get("progressToken") if message.params else None)
        if pending is not None and message.params is not None:
            params = {**message.params, "progressToken": pending.progress_token}
            pending.put(Notification(message.method, params))
        return True

    def fail(self, error: UpstreamError) -> None:
        """Every request in flight ends with `error`."""
        for pending in self._pending.values():
            pending.put(error)
        self._pending.clear()

    def refuse(self, number: Json, error: UpstreamError) -> bool:
        """Let the request in flight under `number` end with `error`; whether there is one."""
        pending = self._find(number)
        if pending is None:
            return False
        self.end(pending)
        pending.put(error)
        return True

    def _unguessable(self) -> int:
        """A number that is in use nowhere here; zero is the number of no request."""
        while not (number := secrets.randbelow(_NUMBERS)) or number in self._pending:
            continue
        return number

    def _find(self, number: Json) -> Pending | None:
        if isinstance(number, bool) or not isinstance(number, int):
            return None
        return self._pending.get(number)


def _progress_token(params: "JsonObject | None") -> Json:
    meta = params.get("_meta") if params else None
    token = meta.get("progressToken") if isinstance(meta, dict) else None
    return token if isinstance(token, str | int) and not isinstance(token, bool) else None


def _subscription(message: Notification) -> Json:
    """The subscription that a notification says it belongs to: the number of the request that opened it."""
    meta = message.params.get("_meta") if message.params else None
    return meta.get(SUBSCRIPTION_KEY) if isinstance(meta, dict) else None


def _renamed(message: Notification, subscription: JsonRpcId) -> Notification:
    params = message.params or {}
    meta = params.get("_meta")
    known: JsonObject = meta if isinstance(meta, dict) else {}
    return Notification(
        message.method, {**params, "_meta": {**known, SUBSCRIPTION_KEY: subscription}}
    )


def _with_progress_token(params: JsonObject, token: int) -> JsonObject:
    meta = params.get("_meta")
    return {**params, "_meta": {**(meta if isinstance(meta, dict) else {}), "progressToken": token}}
