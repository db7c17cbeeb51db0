"""Where this Remit is reached, as its operator says: the one origin its forms and cookies are for.

`public_url` is https, or http on a loopback host for trying things out; nothing is ever
read from the `Host` header. Refused: another scheme, a query, a fragment, user information.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import ClassVar
from urllib.parse import urlsplit

from remit.errors import Error

__all__ = ["IpNetwork", "Site", "UnusablePublicUrlError", "site_at"]

IpNetwork = IPv4Network | IPv6Network


class UnusablePublicUrlError(Error):
    """The public URL, or a trusted proxy, is not one that Remit can be served at or behind."""

    code: ClassVar[str] = "unusable_public_url"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """`public_url` has no trailing slash. `trusted_proxies` may say who the peer is."""

    public_url: str
    origin: str
    secure: bool
    """Whether it is https: cookies are then `Secure` and carry the `__Host-` prefix."""
    trusted_proxies: tuple[IpNetwork, ...] = ()


def site_at(public_url: str, *, trusted_proxies: tuple[str, ...] = ()) -> Site:
    """The site served at `public_url`, behind `trusted_proxies` (addresses or networks).

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
    if parts.query or parts.fragment or parts.username is not None:
        raise UnusablePublicUrlError("the public url has a query, a fragment or a user name")
    if parts.scheme == "http" and not _is_loopback(host):
        raise UnusablePublicUrlError(f"`{public_url}` needs https: only loopback hosts may be http")
    authority = f"[{host}]" if ":" in host else host
    default = 443 if parts.scheme == "https" else 80
    if port not in {None, default}:
        authority = f"{authority}:{port}"
    origin = f"{parts.scheme}://{authority}"
    return Site(
        public_url=origin + parts.path.rstrip("/"),
        origin=origin,
        secure=parts.scheme == "https",
        trusted_proxies=tuple(_network(text) for text in trusted_proxies),
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _network(text: str) -> IpNetwork:
    try:
        return ip_network(text)
    except ValueError as error:
        raise UnusablePublicUrlError(f"`{text}` is not an address or a network") from error
