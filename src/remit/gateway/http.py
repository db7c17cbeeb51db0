"""HTTP as the gateway reads and writes it: raw ASGI, headers as they came, bodies within a limit.

Refused: a body beyond the limit, before it is read to its end; one that is not there in
time; a request that ends before its body does. Nothing is held in memory that was not bounded first.

Source: ASGI 3.0 HTTP; RFC 9110 §5.3, §15.5.9, §15.5.14.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from remit.canonical import canonical_bytes
from remit.gateway.rejection import RejectedError
from remit.guard.call import RequestProof

__all__ = [
    "ClientGoneError",
    "Exchange",
    "HeaderLine",
    "Headers",
    "Receive",
    "Scope",
    "Send",
    "read_body",
    "run_until_disconnect",
]

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
HeaderLine: TypeAlias = tuple[bytes, bytes]

_JSON: HeaderLine = (b"content-type", b"application/json")
_NO_STORE: HeaderLine = (b"cache-control", b"no-store")


class ClientGoneError(Exception):
    """The client closed the connection before its request was complete."""


class Headers:
    """Request headers, repeats and all. Names are lower case, as ASGI gives them."""

    __slots__ = ("_repeats", "_values")

    def __init__(self, lines: Iterable[HeaderLine]) -> None:
        fields = tuple(lines)
        self._values = {name.lower(): value for name, value in fields}
        self._repeats: dict[bytes, list[bytes]] | None = None
        if len(self._values) < len(fields):
            self._repeats = {}
            for name, value in fields:
                self._repeats.setdefault(name.lower(), []).append(value)

    @property
    def any_repeated(self) -> bool:
        """Whether some name comes more than once."""
        return self._repeats is not None

    def one(self, name: bytes) -> str | None:
        """The first value; whoever may not be repeated was checked before."""
        if self._repeats is not None:
            values = self._repeats.get(name)
            return _text(values[0]) if values else None
        value = self._values.get(name)
        return None if value is None else _text(value)

    def all(self, name: bytes) -> tuple[str, ...]:
        """Every value, in order."""
        if self._repeats is not None:
            return tuple(map(_text, self._repeats.get(name, ())))
        value = self._values.get(name)
        return () if value is None else (_text(value),)

    def names_with_prefix(self, prefix: bytes) -> tuple[bytes, ...]:
        """The names that start with `prefix`, in order of first appearance."""
        return tuple([name for name in self._values if name.startswith(prefix)])


@dataclass(slots=True)
class Exchange:
    """One HTTP request and the answer to it, written once."""

    scope: Scope
    receive: Receive
    transmit: Send
    headers: Headers
    extra: tuple[HeaderLine, ...] = ()
    """Headers that every answer to this request carries, such as CORS."""
    started: bool = False
    ended: bool = False
    """Whether the answer is whole, or will be without another word."""
    proof: RequestProof | None = None
    """What the request proved; the answer offers what the guard noted for the next proof."""

    @property
    def method(self) -> str:
        return str(self.scope["method"])

    async def answer(
        self, status: int, body: bytes = b"", headers: Iterable[HeaderLine] = ()
    ) -> None:
        """Send a whole answer."""
        self.ended = True
        lines = [*headers, (b"content-length", b"%d" % len(body))]
        if not any([name == b"cache-control" for name, _ in lines]):  # noqa: C419  of two or three
            lines.append(_NO_STORE)
        await self.start(status, lines)
        await self.transmit({"type": "http.response.body", "body": body, "more_body": False})

    async def answer_json(
        self, status: int, value: object, headers: Iterable[HeaderLine] = ()
    ) -> None:
        """Send a whole answer in canonical JSON; bytes are that already."""
        body = value if isinstance(value, bytes) else canonical_bytes(value)
        await self.answer(status, body, (_JSON, *headers))

    async def start(self, status: int, headers: Iterable[HeaderLine]) -> None:
        """Send status and headers; the body follows by `write`."""
        self.started = True
        lines = [*headers, *self.extra, (b"x-content-type-options", b"nosniff")]
        if self.proof is not None and self.proof.next_nonce is not None:
            lines.append((b"dpop-nonce", self.proof.next_nonce.encode()))
        await self.transmit({"type": "http.response.start", "status": status, "headers": lines})

    async def write(self, chunk: bytes) -> None:
        """Send a part of the body. Waits while the client does not read."""
        await self.transmit({"type": "http.response.body", "body": chunk, "more_body": True})

    async def finish(self) -> None:
        """End the body."""
        self.ended = True
        await self.transmit({"type": "http.response.body", "body": b"", "more_body": False})


async def read_body(exchange: Exchange, limit: int, *, seconds: float) -> bytes:
    """The request's body, of at most `limit` bytes, all of which come within `seconds`.

    Raises:
        RejectedError: 413, as soon as the length is known to be beyond `limit`; 408, it
            comes too slowly; 415 for a content coding, which no two readers need agree on.
        ClientGoneError: the client went away first.
    """
    coding = exchange.headers.one(b"content-encoding")
    if coding not in {None, "", "identity"}:
        raise RejectedError(415, "a content coding is not accepted")
    declared = exchange.headers.one(b"content-length")
    if declared is not None and declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(seconds):
            return await _received(exchange, limit)
    except TimeoutError as error:
        late = RejectedError(408, f"the body did not come within {seconds:g} s")
        raise late.with_header(b"connection", b"close") from error


async def _received(exchange: Exchange, limit: int) -> bytes:
    body = bytearray()
    while True:
        event = await exchange.receive()
        if event["type"] == "http.disconnect":
            raise ClientGoneError
        body += event.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit)
        if not event.get("more_body", False):
            return bytes(body)


async def run_until_disconnect(receive: Receive, work: Coroutine[Any, Any, None]) -> None:
    """Run `work`; cancel it as soon as the client closes the connection (RS-40)."""
    running = asyncio.create_task(work)
    watching = asyncio.create_task(_disconnected(receive))
    try:
        await asyncio.wait((running, watching), return_when=asyncio.FIRST_COMPLETED)
    finally:
        running.cancel()
        watching.cancel()
        await asyncio.wait((running, watching))
    if not running.cancelled():
        running.result()
    if not watching.cancelled():
        watching.result()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _text(value: bytes) -> str:
    return value.decode("latin-1").strip(" \t")


def _too_large(limit: int) -> RejectedError:
    # The rest of the body is not read, so the connection cannot be used again.
    refusal = RejectedError(413, f"the body is larger than {limit} bytes")
    return refusal.with_header(b"connection", b"close")
