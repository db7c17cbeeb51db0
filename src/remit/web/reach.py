"""Which hosts a request of ours may go to: the ones a stranger names, and the ones an operator does.

Decides by the URL as it is written and by every address that its name has. A stranger's
URL is https with a DNS name whose addresses are all public. An operator may say of an
address of their own that it is private: then it may be a private address or loopback, and
http for loopback alone. Nobody reaches link-local, multicast or reserved addresses, behind
which clouds keep their credentials.

Source: CIMD §8.6; RFC 6890 and IANA's special-purpose registries; MCP SBP26 SSRF.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import ClassVar

from remit.errors import Error

__all__ = [
    "Address",
    "Destination",
    "FetchRefusedError",
    "Reach",
    "destination_of",
    "is_public_address",
    "may_be_dialled",
]

Address = IPv4Address | IPv6Address

_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:]{2,39}\])"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<target>[/?](?:[A-Za-z0-9\-._~:/?@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)?"
)
_MAX_URL = 2_048
_DEFAULT_PORTS = (("https", 443), ("http", 80))

# IANA IPv4 special-purpose registry, whole, and 168.63.129.16, behind which Azure keeps
# its host's metadata although the address is public.
_SPECIAL_V4 = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32",
        "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24",
        "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
# IPv6 has one block of public unicast addresses. What lies outside it (loopback, mapped and
# translated IPv4, 5f00::/16, fc00::/7, fe80::/10, fec0::/10, ff00::/8) needs no list.
_PUBLIC_V6 = ip_network("2000::/3")
# IANA IPv6 special-purpose registry, as far as it lies inside: IETF protocol assignments
# with Teredo, documentation, 6to4, AS112.
_SPECIAL_V6 = tuple(
    ip_network(block)
    for block in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)
# What networks of one's own are made of (RFC 1918, RFC 6598, RFC 4193), and loopback.
_PRIVATE = tuple(
    ip_network(block)
    for block in (
        "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
        "::1/128", "fc00::/7",
    )
)  # fmt: skip
# Metadata hosts of clouds that lie inside those: Alibaba's, and Amazon's over IPv6.
_METADATA = tuple(ip_network(block) for block in ("100.100.100.200/32", "fd00:ec2::/32"))


class FetchRefusedError(Error):
    """Remit will not ask this URL, or not take what it answered. Asking again changes nothing."""

    code: ClassVar[str] = "fetch_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far a request may go beyond the public internet. Only an operator's own words widen it."""

    private: bool = False
    """Private addresses and loopback too; and http, where every address is loopback."""
    ca_file: str | None = None
    """PEM file of the only authority believed; `None`: those of the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A URL in its parts. `literal` is the address when the URL names one instead of a host."""

    scheme: str
    host: str
    port: int
    target: str
    literal: Address | None = None

    @property
    def authority(self) -> str:
        """Host and port as the Host field has them (RFC 9110 §7.2)."""
        shown = f"[{self.host}]" if isinstance(self.literal, IPv6Address) else self.host
        known = (self.scheme, self.port) in _DEFAULT_PORTS
        return shown if known else f"{shown}:{self.port}"


def destination_of(url: str, reach: Reach) -> Destination:
    """Where `url` leads, read by our own grammar.

    Raises:
        FetchRefusedError: it is not a URL that may be asked within `reach`.
    """
    match = _URL.fullmatch(url) if len(url) <= _MAX_URL else None
    if match is None or ".." in match["host"]:
        raise _not_plain(reach)
    host, scheme = match["host"].lower().strip("[]"), match["scheme"]
    port = int(match["port"] or dict(_DEFAULT_PORTS)[scheme])
    literal = _literal(host, bracketed=match["host"].startswith("["), reach=reach)
    if port > 65535 or (scheme == "http" and not reach.private):
        raise _not_plain(reach)
    target = match["target"] or "/"
    if not target.startswith("/"):
        target = "/" + target
    return Destination(scheme=scheme, host=host, port=port, target=target, literal=literal)


def may_be_dialled(address: Address, destination: Destination, reach: Reach) -> bool:
    """Whether `address`, which the destination has, may be connected to."""
    if destination.scheme == "http":
        # Without TLS nothing says who answers: only what never leaves the machine may.
        return reach.private and address.is_loopback and _is_private_address(address)
    return is_public_address(address) or (reach.private and _is_private_address(address))


def is_public_address(address: Address) -> bool:
    """Whether `address` is a public unicast one, by the registries and not by the standard library.

    The tables of Python 3.11 let fec0::/10, 192.88.99.0/24, 5f00::/16 and 3fff::/20 pass.
    """
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _SPECIAL_V4)
    return address in _PUBLIC_V6 and not any(address in block for block in _SPECIAL_V6)


def _is_private_address(address: Address) -> bool:
    return any(address in block for block in _PRIVATE) and not any(
        address in block for block in _METADATA
    )


def _literal(host: str, *, bracketed: bool, reach: Reach) -> Address | None:
    """The address that `host` is; `None` for a name.

    An IPv4 address in one of its many spellings ends in a number (or hexadecimal); only the
    plain one is read, and only where an operator may name addresses.
    """
    last_label = host.rpartition(".")[2]
    if not bracketed and not last_label.isdigit() and not last_label.startswith("0x"):
        return None
    if not reach.private:
        raise _not_plain(reach)
    try:
        return ip_address(host)
    except ValueError as error:
        raise FetchRefusedError("the URL names an address in an unusual way") from error


def _not_plain(reach: Reach) -> FetchRefusedError:
    if reach.private:
        return FetchRefusedError("the URL is not an http or https URL with a plain host")
    return FetchRefusedError("the URL is not an https URL with a plain host name")
