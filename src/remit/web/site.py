"""Where this Remit is reached, as its operator says: the one origin its forms and cookies are for.

The public URL is an origin: https, or http on a loopback host for trying things out; nothing
is ever read from the `Host` header. Refused: another scheme, a path, a query, a user name.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import ClassVar
from urllib.parse import urlsplit

from remit.errors import Error

__all__ = ["IpNetwork", "Site", "UnusablePublicUrlError", "nowhere", "site_at"]

IpNetwork = IPv4Network | IPv6Network


class UnusablePublicUrlError(Error):
    """The public URL is not one that Remit can be served at."""

    code: ClassVar[str] = "unusable_public_url"


def nowhere(_ip: str | None) -> tuple[str, ...]:
    """No network has a name."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """`public_url` is the origin, without a trailing slash. `trusted_proxies` may say who the peer is."""

    public_url: str
    origin: str
    secure: bool
    """Whether it is https: cookies are then `Secure` and carry the `__Host-` prefix."""
    trusted_proxies: tuple[IpNetwork, ...] = ()
    zones: Callable[[str | None], tuple[str, ...]] = field(default=nowhere, compare=False)
    """The names of the networks that an address is in, for the log."""


def site_at(
    public_url: str,
    *,
    trusted_proxies: tuple[IpNetwork, ...] = (),
    zones: Callable[[str | None], tuple[str, ...]] = nowhere,
) -> Site:
    """The site served at `public_url`, behind `trusted_proxies`.

    Raises:
        UnusablePublicUrlError: see the module.
    """
    try:
        parts = urlsplit(public_url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UnusablePublicUrlError(f"`{public_url}` is not a url", cause=error) from error
    if parts.scheme not in {"http", "https"} or not host:
        raise UnusablePublicUrlError(f"`{public_url}` is neither https nor http")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        raise UnusablePublicUrlError("the public url has more than a scheme, a host and a port")
    if parts.scheme == "http" and not _is_loopback(host):
        raise UnusablePublicUrlError(f"`{public_url}` needs https: only loopback hosts may be http")
    authority = f"[{host}]" if ":" in host else host
    default = 443 if parts.scheme == "https" else 80
    if port not in {None, default}:
        authority = f"{authority}:{port}"
    origin = f"{parts.scheme}://{authority}"
    return Site(
        public_url=origin,
        origin=origin,
        secure=parts.scheme == "https",
        trusted_proxies=trusted_proxies,
        zones=zones,
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
