"""The guard in one call, for whoever writes an MCP server: `app = protect(server, …)`.

What is returned is an ASGI application that takes the server's place. Loading this module loads nothing:
what decides is loaded when the application starts, so that a server that is only imported (by its tests, by a
tool that lists what it offers) does not pay for it. The part that starts lives on a floor above, with the
gateway whose doors it has, and is therefore found by its name.

Source: docs/adr/0017-guard-in-process.md; docs/guides/guard.md.
"""

import os
import re
from collections.abc import Awaitable, Callable, MutableMapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias, cast

__all__ = ["AsgiApplication", "Protected", "protect"]

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_ABOVE: Final = "remit.embedded"
_SAFE: Final = re.compile(
    r"https://[^@]|http://(?:127\.0\.0\.1|localhost|\[::1\])(?:[:/]|$)(?!.*@)"
)


class AsgiApplication(Protocol):
    """Any ASGI 3 application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


class _Running(Protocol):
    """`remit.embedded.GuardedApplication`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...
    async def serve_stdio(self, token: str | None) -> None: ...


class Protected:
    """A server that lets nothing be done without a decision. An ASGI application; `serve_stdio` for pipes."""

    __slots__ = ("_make", "_running")

    def __init__(self, make: Callable[[], _Running]) -> None:
        self._make = make
        self._running: _Running | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._started()(scope, receive, send)

    async def serve_stdio(self, *, token: str | None = None) -> None:
        """Speak MCP over standard input and output until the input ends.

        `token` is the access token of whoever started this process; without it, what the environment variable
        `REMIT_TOKEN` holds. A process without one is refused everything.
        """
        await self._started().serve_stdio(token or os.environ.get("REMIT_TOKEN") or None)

    def _started(self) -> _Running:
        if self._running is None:
            self._running = self._make()
        return self._running


def protect(
    server: object,
    *,
    remit: str,
    name: str,
    secret: str,
    path: str = "/mcp",
    folder: str | Path | None = None,
) -> Protected:
    """`server`, with the guard of `name` in front of it.

    `server`: one of the official SDK's (`MCPServer`, or the low-level `Server`), one of FastMCP, or any ASGI
    application that answers MCP at `path`. `remit` is the URL at which Remit is reached, https or on loopback;
    `name` is what the policy repository calls this server, `secret` its `guard_secret`. `folder` is where records
    are kept until Remit has them: without it, a folder of that name under `$XDG_STATE_HOME/remit-guard`.

    Nothing is opened before the application starts. Until it has heard from Remit it refuses everything.

    Raises:
        TypeError: `server` is none of these.
        ValueError: an empty secret, or a `remit` that is neither https nor on loopback.
    """
    application = _application(server)
    if not secret:
        raise ValueError("the secret of the guard is empty")
    # Who parses a URL drops line breaks and tabs, and then its host is another.
    if _SAFE.match(remit) is None or not remit.isprintable():
        raise ValueError(f"`{remit}` is neither https nor on loopback")

    def make() -> _Running:
        guarded = import_module(_ABOVE).guarded_application
        return cast(
            "_Running",
            guarded(application, remit=remit, name=name, secret=secret, path=path, folder=folder),
        )

    return Protected(make)


def _application(server: object) -> AsgiApplication:
    """What answers MCP over HTTP. By what it can do, not by its class: neither library need be here."""
    for maker in ("streamable_http_app", "http_app"):
        make = getattr(server, maker, None)
        if callable(make):
            return cast("AsgiApplication", make())
    if callable(server):
        return cast("AsgiApplication", server)
    raise TypeError(f"a {type(server).__name__} is neither an MCP server nor an ASGI application")
