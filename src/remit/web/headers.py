"""Headers that every response carries, and those that let other origins in.

`SecurityHeaders` goes around everything. `Cors` goes around the few endpoints that
clients in browsers call by script (metadata, keys, token, registration, revocation);
it admits every origin and no credentials. The authorization endpoint must never have it.

Source: RFC 9700 §2.6, §4.16; MCP 2026-07-28 authorization (clients send `MCP-Protocol-Version`).
"""

from collections.abc import Callable, Sequence
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Cors", "SecurityHeaders", "cors_route"]

_ALLOWED_HEADERS = "Authorization, Content-Type, DPoP, MCP-Protocol-Version"
_EXPOSED_HEADERS = "WWW-Authenticate, Retry-After, DPoP-Nonce"
_ONE_YEAR = 31_536_000


class SecurityHeaders:
    """Adds, where a response does not say otherwise, what no response should lack.

    `secure`: the site is https, and browsers may remember that.
    """

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._defaults = {
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            # Not `no-referrer`: browsers would then send `Origin: null` with our own forms.
            "Referrer-Policy": "same-origin",
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        }
        if secure:
            self._defaults["Strict-Transport-Security"] = f"max-age={_ONE_YEAR}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._defaults.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class Cors:
    """Lets scripts of every origin read the responses of `app`, without cookies."""

    def __init__(self, app: ASGIApp, *, methods: Sequence[str]) -> None:
        self._app = app
        self._methods = ", ".join(methods)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS" and "origin" in Headers(scope=scope):
            await self._preflight()(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Access-Control-Allow-Origin"] = "*"
                headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _preflight(self) -> Response:
        return Response(
            status_code=204,
            headers={
                "Access-Control-Allow-Origin": "*",
                "Access-Control-Allow-Methods": self._methods,
                "Access-Control-Allow-Headers": _ALLOWED_HEADERS,
                "Access-Control-Max-Age": "86400",
            },
        )


def cors_route(path: str, endpoint: Callable[..., Any], *, methods: Sequence[str]) -> Route:
    """A route that scripts of every origin may call with `methods`."""
    return Route(
        path,
        endpoint,
        methods=[*methods, "OPTIONS"],
        middleware=[Middleware(Cors, methods=tuple(methods))],
    )
