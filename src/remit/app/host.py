"""Whom a request to the pages and endpoints was addressed to: only us, by a name of ours.

DNS rebinding: a page in somebody's browser resolves its own name to our address, and then
reads what it likes, for to the browser we are that page's own origin. The browser still
says the page's name in `Host`. So `Host` must be the public URL's; on a machine of one's own
(a loopback public URL) it may also be a loopback name with the port that is listened on.

Two exceptions. The probes tell nothing, and whoever probes knows an address at most.
Who reads the metrics may use an address too: no name was resolved, so none was turned.

Source: RFC 9110 §7.2, §7.4, §15.5.20; MCP 2026-07-28 transports (DNS rebinding).
"""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from remit.gateway.origin import hosts_of
from remit.settings import Settings
from remit.settings.addresses import is_loopback_host
from remit.web import problem

__all__ = ["OwnHost", "own_hosts"]

_PROBES = frozenset({b"/healthz", b"/readyz"})
_METRICS = b"/metrics"
_ADDRESS = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<v4>[0-9.]+))(?::[0-9]+)?")
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def own_hosts(settings: Settings) -> frozenset[str]:
    """The values of `Host` that mean this Remit."""
    hosts = hosts_of(settings.issuer)
    if not is_loopback_host(urlsplit(settings.issuer).hostname or ""):
        return hosts
    return hosts | {f"{name}:{settings.port}" for name in _LOOPBACK}


class OwnHost:
    """Raw ASGI: `application`, for requests that were addressed to one of `hosts`."""

    def __init__(self, application: ASGIApp, hosts: frozenset[str]) -> None:
        self._application = application
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = self._refusal(scope)
        if status is None:
            await self._application(scope, receive, send)
        elif status == 400:
            answer = problem(400, "invalid_request", detail="there must be exactly one `host`")
            await answer(scope, receive, send)
        else:
            answer = problem(421, "misdirected_request", detail="`host` names no host of remit's")
            await answer(scope, receive, send)

    def _refusal(self, scope: Scope) -> int | None:
        path = scope["raw_path"]
        if path in _PROBES:
            return None
        named = [value for name, value in scope["headers"] if name == b"host"]
        if len(named) != 1:
            return 400
        host = named[0].decode("latin-1").strip(" \t").lower()
        if host in self._hosts or (path == _METRICS and _is_address(host)):
            return None
        return 421


def _is_address(host: str) -> bool:
    """Whether `host` is an IP address, with or without a port."""
    match = _ADDRESS.fullmatch(host)
    if match is None:
        return False
    try:
        ip_address(match["v6"] or match["v4"])
    except ValueError:
        return False
    return True
