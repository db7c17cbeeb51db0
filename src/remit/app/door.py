"""The outermost application: every request gets an id, is counted, logged and, if all else fails, refused.

Dispatch is on the raw path, before anything decodes it: `/mcp/` and its metadata go to
the gateway without any middleware between, the rest to the pages and endpoints. There, a
request whose body is too large is refused before it is read. What escapes from an
application becomes 500 as problem+json with the request's id; the traceback stays
in the operator's log.

Source: RFC 9457; RFC 9110 §15.5.14.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from remit.app.metrics import Metrics
from remit.canonical import canonical_bytes
from remit.guard.records import SELF_TEST, SELF_TEST_KEY

__all__ = ["Door"]

_log = structlog.stdlib.get_logger("remit.http")
_levels = logging.getLogger("remit.http")

_GATEWAY = (b"/mcp/", b"/.well-known/oauth-protected-resource/mcp/")
_REQUEST_ID = b"x-request-id"
_DISCARD_BYTES = 8 * 1024 * 1024
_DISCARD_SECONDS = 1.0


class _BodyTooLargeError(Exception):
    """A body without a declared length went beyond the limit."""


class Door:
    """Raw ASGI. `name` is what `site` is called in the metrics; without a `gateway` it answers everything."""

    def __init__(
        self, *, gateway: ASGIApp | None, site: ASGIApp, name: str, metrics: Metrics, max_body: int
    ) -> None:
        self._gateway = gateway
        self._site = site
        self._name = name
        self._metrics = metrics
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # uvicorn is told to offer nothing else
        gateway = self._gateway
        if gateway is not None and scope["raw_path"].startswith(_GATEWAY):
            # The gateway holds bodies to the same limit, and says so in its own protocol.
            await self._answer(_Exchange(scope, receive, send, None), gateway, "gateway")
        else:
            exchange = _Exchange(scope, receive, send, self._max_body)
            await self._answer(exchange, self._site, self._name)

    async def _answer(self, exchange: "_Exchange", application: ASGIApp, door: str) -> None:
        self._metrics.request_began(door)
        began = time.perf_counter()
        try:
            if exchange.declares_too_much():
                await exchange.refuse(413, "content_too_large", "the request's body is too large")
            else:
                await application(exchange.scope, exchange.receive, exchange.send)
        except _BodyTooLargeError:
            await exchange.refuse(413, "content_too_large", "the request's body is too large")
        except ClientDisconnect:
            # Whoever hangs up in the middle of a body is owed nothing, least of all a traceback.
            _log.debug("hung_up", request_id=exchange.id, path=exchange.path)
        except Exception:  # noqa: BLE001  the outermost door: logged, counted, answered with 500
            _log.exception(
                "unhandled", request_id=exchange.id, method=exchange.method, path=exchange.path
            )
            await exchange.refuse(500, "internal_error", "something went wrong inside remit")
        finally:
            seconds = time.perf_counter() - began
            # 499: the caller went away before there was an answer.
            status = exchange.status or 499
            self._metrics.request_ended(
                door, method=exchange.method, status=status, seconds=seconds
            )
            exchange.log(door, seconds)


class _Exchange:
    """One request and its answer, watched as they pass."""

    __slots__ = ("_limit", "_receive", "_received", "_send", "id", "receive", "scope", "status")

    def __init__(self, scope: Scope, receive: Receive, send: Send, limit: int | None) -> None:
        # It tells requests apart and guards nothing, so the system's source need not be asked.
        self.id = f"{random.getrandbits(64):016x}"
        self.scope = scope
        self.status = 0
        self._receive = receive
        self._send = send
        self._limit = limit
        self._received = 0
        counts = limit is not None and self._declared() is None
        self.receive: Receive = self._counted if counts else receive
        scope.setdefault("state", {})["request_id"] = self.id

    @property
    def method(self) -> str:
        return str(self.scope["method"])

    @property
    def path(self) -> str:
        """The path as it came, without its query, cut to a bearable length."""
        raw: bytes = self.scope["raw_path"]
        return raw[:200].decode("ascii", "backslashreplace")

    def declares_too_much(self) -> bool:
        if self._limit is None:
            return False
        declared = self._declared()
        if declared is None:
            return False
        return not declared.isdigit() or int(declared) > self._limit

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            if not any(name.lower() == _REQUEST_ID for name, _ in headers):
                # A standard may ask for the one that the client sent; then that stands there already.
                headers.append((_REQUEST_ID, self.id.encode()))
            message["headers"] = headers
        elif self.status == 413 and not message.get("more_body", False):
            await self._discard_body()
        await self._send(message)

    async def refuse(self, status: int, code: str, detail: str) -> None:
        """Answer with a problem, unless an answer has begun; then the connection is closed on it."""
        if self.status:
            return
        problem = {
            "type": f"urn:remit:error:{code}",
            "status": status,
            "code": code,
            "detail": detail,
            "request_id": self.id,
        }
        body = canonical_bytes(problem)
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            (b"connection", b"close"),
        ]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

    def log(self, door: str, seconds: float) -> None:
        # The audit log holds every call and every token, refused ones too; a line for each here would
        # only double the work of whoever is busy.
        audited = door == "gateway" or self.path in _AUDITED
        tried = self.scope.get(SELF_TEST_KEY) is SELF_TEST
        quiet = tried or (audited and self.status < 500) or self.path in _PROBES
        level = logging.DEBUG if quiet else logging.INFO
        if not _levels.isEnabledFor(level):
            return
        write: Callable[..., object] = _log.debug if quiet else _log.info
        client = self.scope.get("client")
        write(
            "request",
            request_id=self.id,
            method=self.method,
            path=self.path,
            status=self.status,
            ms=round(seconds * 1000, 2),
            peer=client[0] if client else None,
        )

    async def _discard_body(self) -> None:
        """Take in what is still on its way, within limits.

        Closing on unread bytes resets the connection, and the answer with it (RFC 9112 §9.6).
        """
        discarded = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DISCARD_SECONDS):
                while discarded < _DISCARD_BYTES:
                    message = await self._receive()
                    discarded += len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return

    async def _counted(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._limit is not None and self._received > self._limit:
            raise _BodyTooLargeError
        return message

    def _declared(self) -> bytes | None:
        for name, value in self.scope["headers"]:
            if name == b"content-length":
                return bytes(value)
        return None


_AUDITED = frozenset({"/token"})
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
