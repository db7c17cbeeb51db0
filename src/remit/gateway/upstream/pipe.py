"""A running child process as something that can be asked. Source: MCP transports (stdio)."""

import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from remit.canonical import JsonObject, canonical_bytes
from remit.gateway.jsonrpc import Message, Notification, Request, Response
from remit.gateway.rejection import UpstreamError
from remit.gateway.upstream.answer import parse_answer
from remit.gateway.upstream.child import Child, Launch
from remit.gateway.upstream.correlation import Correlation, Pending
from remit.gateway.upstream.credentials import NO_CREDENTIALS, Credentials
from remit.gateway.upstream.port import Limits, Reply

__all__ = ["Pipe"]

_ENDED = "the server's process has ended"
_IDS = re.compile(rb'"id"\s*:\s*([0-9]{1,16})(?![0-9])')


class Pipe:
    """One child process and the requests in flight with it.

    `on_unasked` gets what answers no request; without it that is dropped.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        credentials: Credentials = NO_CREDENTIALS,
        on_exit: Callable[[], None],
        on_unasked: Callable[[Message], None] | None = None,
    ) -> None:
        self._limits = limits
        self._credentials = credentials
        self._on_exit = on_exit
        self._on_unasked = on_unasked
        self._closing = False
        self._ended = False
        self._child: Child | None = None
        self.correlation = Correlation()

    @classmethod
    async def open(
        cls,
        launch: Launch,
        limits: Limits,
        *,
        on_exit: Callable[[], None],
        on_unasked: Callable[[Message], None] | None = None,
    ) -> "Pipe":
        """Start the process.

        Raises:
            UpstreamError: it cannot be started.
        """
        pipe = cls(limits, credentials=launch.credentials, on_exit=on_exit, on_unasked=on_unasked)
        pipe._child = await Child.start(launch, on_line=pipe._take, on_exit=pipe._exited)
        return pipe

    @property
    def running(self) -> bool:
        return (
            self._child is not None and self._child.running and not (self._ended or self._closing)
        )

    @property
    def why_ended(self) -> str:
        """In what way the process ended, fit for a caller."""
        return _ENDED if self._child is None else self._child.why_ended

    @asynccontextmanager
    async def ask(
        self,
        request: Request,
        *,
        cancel: bool = False,
        seconds: float | None = None,
        patient: bool = False,
    ) -> AsyncIterator[Reply]:
        """Send `request`. With `cancel`, the server is told when the answer is no longer waited for.

        What comes after the first message may take as long as it will, where the asker is `patient`.
        """
        patience = self._limits.seconds if seconds is None else seconds
        pending, numbered = self.correlation.begin(request)
        try:
            await self.send(numbered)
            first = await pending.next(patience)
            whole = isinstance(first, Response)
            rest = None if patient else patience
            yield Reply(200, streamed=not whole, messages=_from(first, pending, rest))
        finally:
            self.correlation.end(pending)
            if cancel and not pending.answered:
                self._cancel(pending)

    async def send(self, message: Message) -> None:
        """Write one message.

        Raises:
            UpstreamError: the process has ended, or does not read in time.
        """
        if self._child is None or not self.running:
            raise UpstreamError(self.why_ended)
        await self._child.write(canonical_bytes(message.to_json()), seconds=self._limits.seconds)

    async def close(self) -> None:
        """Stop the process; requests in flight fail."""
        self._closing = True
        self.correlation.fail(UpstreamError("the gateway is stopping the server"))
        if self._child is not None:
            await self._child.stop()

    def _cancel(self, pending: Pending) -> None:
        if self._child is not None and self.running:
            params: JsonObject = {"requestId": pending.number, "reason": "the caller went away"}
            notice = Notification("notifications/cancelled", params)
            self._child.write_now(canonical_bytes(notice.to_json()))

    def _take(self, line: bytes) -> None:
        if not line.startswith((b"{", b"[")):
            # Many servers greet whoever reads; that is noise, and no message.
            logging.getLogger("remit.gateway.upstream").warning(
                "an upstream wrote a line that is no message to its standard output"
            )
            return
        try:
            message = parse_answer(line)
        except UpstreamError as error:
            self._unreadable(line, error)
            return
        try:
            self._credentials.refuse_in(message)
        except UpstreamError as error:
            self.correlation.refuse(message.id if isinstance(message, Response) else None, error)
            return
        if not self.correlation.deliver(message) and self._on_unasked is not None:
            self._on_unasked(message)

    def _unreadable(self, line: bytes, error: UpstreamError) -> None:
        """Fail the request that `line` was to answer, if it can be told; one caller's line is not another's loss."""
        named = {int(number) for number in _IDS.findall(line)}
        failed = [number for number in named if self.correlation.refuse(number, error)]
        if not failed:
            logging.getLogger("remit.gateway.upstream").warning(
                "an upstream wrote a line that cannot be read, in answer to nobody knows what"
            )

    def _exited(self) -> None:
        self._ended = True
        self.correlation.fail(UpstreamError(self.why_ended))
        if not self._closing:
            self._on_exit()


async def _from(first: Message, pending: Pending, seconds: float | None) -> AsyncIterator[Message]:
    yield first
    while not pending.answered:
        yield await pending.next(seconds)
