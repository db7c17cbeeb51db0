"""A plug-in in a thread and an event loop of its own: what it waits for like that, and what it does wrong, is its own.

Nothing that a plug-in does keeps a call waiting or ends the process: it may block its loop, never come back, or raise what
would end a program. One that does not let itself be cancelled is left where it is; what is sent then waits for it,
and is said to have timed out.

Source: AUDIT §1.5 ("never block").
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from functools import partial
from threading import Thread
from typing import Any, Final, TypeVar

from remit.errors import Error
from remit.sinks.port import AuditSink, BatchRules, SinkDownError
from remit.sinks.receivers.options import SinkMisdeclaredError
from remit.sinks.shipment import Shipment

__all__ = ["Apart", "beside"]

T = TypeVar("T")
_CLOSING: Final = 2.0


class Apart:
    """The sink that `make` makes. Implements `AuditSink`."""

    def __init__(self, make: Callable[[], AuditSink], name: str) -> None:
        """Make it. Blocks, for as long as `make` does: call it `beside` what must not wait.

        Raises:
            SinkMisdeclaredError: what is made is no sink.
            Exception: what `make` raises.
        """
        self._loop = asyncio.new_event_loop()
        # Nobody waits for it at the end of the process.
        self._thread = Thread(target=self._live, name=f"sink-{name}", daemon=True)
        self._thread.start()
        self._turn = asyncio.Lock()
        with ExitStack() as undo:
            undo.callback(self._end)
            self._sink, self._batch = self._there(_made(make)).result()
            undo.pop_all()

    @property
    def batch(self) -> BatchRules:
        return self._batch

    async def send(self, shipments: Sequence[Shipment]) -> None:
        """As the port says; whatever else it raises is that it did not take them."""
        try:
            await asyncio.wrap_future(self._there(self._sent(shipments)))
        except Error:
            raise
        except Exception as error:
            raise SinkDownError(type(error).__name__, cause=error) from error

    async def close(self) -> None:
        """Ask it to close; who does not is left."""
        with suppress(Exception):
            async with asyncio.timeout(_CLOSING):
                await asyncio.wrap_future(self._there(_mild(self._sink.close)))
        self._end()

    async def _sent(self, shipments: Sequence[Shipment]) -> None:
        async with self._turn:
            # One at a time, though whoever asked before may have gone.
            await _mild(partial(self._sink.send, shipments))

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        left = asyncio.all_tasks(self._loop)
        for one in left:
            one.cancel()
        if left:
            self._loop.run_until_complete(asyncio.wait(left, timeout=_CLOSING))
        self._loop.close()

    def _there(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError as error:
            work.close()
            raise SinkDownError("plug_in_closed", cause=error) from error

    def _end(self) -> None:
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._loop.stop)


def beside(work: Callable[[], T]) -> "Future[T]":
    """What `work` comes to in a thread that nobody waits for, not even at the end of the process."""
    done: Future[T] = Future()
    Thread(target=_told, args=(work, done), name="sink-opening", daemon=True).start()
    return done


def _told(work: Callable[[], T], done: "Future[T]") -> None:
    try:
        done.set_result(work())
    except BaseException as error:  # noqa: BLE001  whoever asked gets to hear it
        done.set_exception(error)


async def _made(make: Callable[[], AuditSink]) -> tuple[AuditSink, BatchRules]:
    async def made() -> tuple[AuditSink, BatchRules]:
        # Here, where its loop runs already.
        sink = make()
        batch = getattr(sink, "batch", None)
        if not callable(getattr(sink, "send", None)) or not isinstance(batch, BatchRules):
            raise SinkMisdeclaredError("what the plug-in makes is no sink")
        return sink, batch

    return await _mild(made)


async def _mild(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What `work` comes to; what would end a program is a failure like another."""
    try:
        return await work()
    except (SystemExit, KeyboardInterrupt) as error:
        raise SinkDownError("plug_in_gave_up", cause=error) from error
