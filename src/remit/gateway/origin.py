"""Whom a request was addressed to, and which page sent it.

A browser that was lured to a foreign page, or whose name resolution was turned,
must not reach the gateway: the `Host` must be one of ours, and an `Origin`, where
there is one, must be on the list. Both are compared whole; there is no pattern.

Source: MCP 2026-07-28 transports (Origin validation, DNS rebinding); WHATWG Fetch (CORS).
"""

from urllib.parse import urlsplit

from remit.gateway.http import HeaderLine, Headers
from remit.gateway.rejection import RejectedError

__all__ = [
    "check_host",
    "check_origin",
    "cors_headers",
    "hosts_of",
    "origin_of",
    "preflight_headers",
]

_ALLOWED = (
    b"authorization, dpop, content-type, accept, mcp-protocol-version, mcp-method, mcp-name, "
    b"mcp-session-id, last-event-id, traceparent, tracestate"
)
_EXPOSED = b"www-authenticate, dpop-nonce, mcp-session-id, mcp-protocol-version"
_DEFAULT_PORTS = {"http": 80, "https": 443}


def hosts_of(public_url: str) -> frozenset[str]:
    """The `Host` values that mean `public_url`: with its port, and without where it is the default."""
    parts = urlsplit(public_url)
    host, default = (parts.hostname or "").lower(), _DEFAULT_PORTS.get(parts.scheme)
    name = f"[{host}]" if ":" in host else host
    port = parts.port or default
    return frozenset({f"{name}:{port}", name} if port == default else {f"{name}:{port}"})


def origin_of(public_url: str) -> str:
    """The origin of `public_url` as a browser writes it."""
    parts = urlsplit(public_url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def check_host(headers: Headers, allowed: frozenset[str]) -> None:
    """Refuse a request that was addressed to another host.

    Raises:
        RejectedError: 400 unless there is exactly one `Host`; 421 if it is not ours.
    """
    hosts = headers.all(b"host")
    if len(hosts) != 1:
        raise RejectedError(400, "there must be exactly one header `host`")
    if hosts[0].lower() not in allowed:
        raise RejectedError(421, "header `host` names no host of this gateway")


def check_origin(headers: Headers, allowed: frozenset[str]) -> str | None:
    """The `Origin` of the request, if it has one.

    Raises:
        RejectedError: 403, the origin is not on the list or comes twice (RS-30).
    """
    origins = headers.all(b"origin")
    if not origins:
        return None
    if len(origins) > 1 or origins[0] not in allowed:
        raise RejectedError(403, "header `origin` is not allowed")
    return origins[0]


def cors_headers(origin: str | None) -> tuple[HeaderLine, ...]:
    """What lets an allowed page read the answer."""
    if origin is None:
        return ()
    return (
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", _EXPOSED),
        (b"vary", b"origin"),
    )


def preflight_headers(methods: bytes) -> tuple[HeaderLine, ...]:
    """What a browser asks before it sends the request itself."""
    return (
        (b"access-control-allow-methods", methods),
        (b"access-control-allow-headers", _ALLOWED),
        (b"access-control-max-age", b"600"),
    )
