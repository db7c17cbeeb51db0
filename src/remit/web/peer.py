"""Who is at the other end of a request, as far as the network tells.

`X-Forwarded-For` counts only from a trusted proxy, and is read from the right: the
first address that is not itself a trusted proxy is the peer. A trace context is taken
over if it is well formed. Neither is proof of anything.

Source: W3C Trace Context §3.2.
"""

import random
import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.types import Scope

from remit.web.site import IpNetwork

__all__ = ["Peer", "peer_of", "trace_in"]

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_MAX_USER_AGENT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """`ip` is `None` on a Unix socket. `user_agent` is printable and at most 256 characters."""

    ip: str | None
    user_agent: str | None
    trace_id: str
    span_id: str
    flags: str = "01"
    hops: int = 0
    """How many trusted proxies were looked through."""


def peer_of(scope: Scope, trusted_proxies: tuple[IpNetwork, ...] = ()) -> Peer:
    """The peer of an ASGI request, looking through `trusted_proxies`."""
    traceparent, user_agent, forwarded = "", None, []
    for name, value in scope["headers"]:
        if name == b"traceparent":
            traceparent = traceparent or value.decode("latin-1")
        elif name == b"user-agent":
            user_agent = value.decode("latin-1") if user_agent is None else user_agent
        elif name == b"x-forwarded-for":
            forwarded.append(value.decode("latin-1"))
    trace_id, span_id, flags = trace_in(traceparent) or _minted()
    ip, hops = _address(scope, forwarded, trusted_proxies)
    return Peer(
        ip=ip,
        user_agent=_printable(user_agent),
        trace_id=trace_id,
        span_id=span_id,
        flags=flags,
        hops=hops,
    )


def trace_in(traceparent: str) -> tuple[str, str, str] | None:
    """Trace, span and flags of a `traceparent`; `None` if it is none."""
    match = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if match is None or not int(match[1], 16) or not int(match[2], 16):
        return None
    return match[1], match[2], match[3]


def _address(
    scope: Scope, forwarded: list[str], trusted: tuple[IpNetwork, ...]
) -> tuple[str | None, int]:
    client = scope.get("client")
    peer = _parsed(client[0]) if client else None
    if peer is None:
        return None, 0
    if not trusted:
        return str(peer), 0
    hops = 0
    for text in reversed(",".join(forwarded).split(",")):
        if not any(peer in network for network in trusted):
            break
        further = _parsed(text.strip())
        if further is None:
            break  # whatever stands before what nobody can read is not to be believed
        peer = further
        hops += 1
    return str(peer), hops


@lru_cache(maxsize=1_024)
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def _minted() -> tuple[str, str, str]:
    # They tell requests apart and guard nothing, so the system's source need not be asked.
    return f"{_number(128):032x}", f"{_number(64):016x}", "01"


def _number(bits: int) -> int:
    """At least 1: a trace of zeros is none (W3C Trace Context §3.2.2.3)."""
    return random.getrandbits(bits) or 1


def _printable(text: str | None) -> str | None:
    if text is None:
        return None
    if not (text.isascii() and text.isprintable()):
        text = "".join(one for one in text if " " <= one <= "~")
    return text[:_MAX_USER_AGENT]
