"""One HTTP request to an application in this process, marked as the self-test's own, and what was answered.

Source: ASGI 3.0, HTTP connection scope.
"""

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Scope

from remit.canonical import Json, parse_json
from remit.errors import Error
from remit.guard.records import SELF_TEST, SELF_TEST_KEY

__all__ = ["Answer", "Request", "ask"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`url` is where this Remit says that it is."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """`reason` is the word of a refusal, of JSON-RPC or of a problem; `None` for anything else."""

    status: int
    reason: str | None


async def ask(application: ASGIApp, request: Request) -> Answer:
    """Put `request` to `application`; whatever is no refusal has no reason."""
    status, body = 0, bytearray()
    given = False

    async def receive() -> Message:
        nonlocal given
        if given:
            await asyncio.Event().wait()  # whoever asks stays until it is answered
        given = True
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body":
            body.extend(message.get("body", b""))

    await application(_scope(request), receive, send)
    return Answer(status, _reason(bytes(body)))


def _scope(request: Request) -> Scope:
    parts = urlsplit(request.url)
    host = parts.netloc.encode()
    path = parts.path
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": parts.scheme,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", host),
            (b"content-length", str(len(request.body)).encode()),
            *((name.encode(), value.encode()) for name, value in request.headers),
        ],
        "client": None,
        "server": (parts.hostname or "", parts.port or 443),
        SELF_TEST_KEY: SELF_TEST,
    }
    return scope


def _reason(body: bytes) -> str | None:
    try:
        value: Json = parse_json(body)
    except Error:
        return None
    if not isinstance(value, dict):
        return None
    error = value.get("error")
    data = error.get("data") if isinstance(error, dict) else None
    reason = data.get("reason") if isinstance(data, dict) else value.get("code")
    return reason if isinstance(reason, str) else None
