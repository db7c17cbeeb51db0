"""`networks` of `remit.yaml`: names for ranges of addresses, by which policies ask where a call came from.

Refused: a range that is none, or whose address is not its first (`10.0.0.5/8` is a mistake more often than it
is meant), IPv4 written as IPv6, every address there is under one name, a name with no range at all.

Source: RFC 4632 (CIDR); RFC 4291 §2.3, §2.5.5.2.
"""

from collections.abc import Mapping
from ipaddress import IPv6Network, ip_network
from types import MappingProxyType
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field, WithJsonSchema

from remit.documents import mistake, quoted
from remit.repository.fields import Name

__all__ = ["Networks", "networks_of"]


_MAPPED = IPv6Network("::ffff:0:0/96")


def _check_range(text: str) -> str:
    try:
        found = ip_network(text)
    except ValueError:
        try:
            loose = ip_network(text, strict=False)
        except ValueError:
            raise mistake(
                f"{quoted(text)} is no range of addresses",
                expected="a range such as `10.0.0.0/8` or `2001:db8::/32`",
            ) from None
        raise mistake(
            f"{quoted(text)} does not begin with the first address of its range",
            expected=quoted(loose),
        ) from None
    if isinstance(found, IPv6Network):
        _check_family(text, found)
    if found.prefixlen == 0:
        raise mistake(
            f"{quoted(text)} is every address there is",
            expected="a range that somebody answers for",
        )
    return str(found)


def _check_family(text: str, found: IPv6Network) -> None:
    """An address that came as IPv6 and is IPv4 is looked for among IPv4: a range of such would hold nobody."""
    if found.network_address.scope_id is not None:
        raise mistake(
            f"{quoted(text)} is no range of addresses",
            expected="a range without the name of a zone",
        )
    if found.subnet_of(_MAPPED):
        first = found.network_address.ipv4_mapped
        raise mistake(
            f"{quoted(text)} is IPv4 written as IPv6",
            expected=quoted(f"{first}/{found.prefixlen - _MAPPED.prefixlen}"),
        )


AddressRange = Annotated[
    str,
    AfterValidator(_check_range),
    WithJsonSchema({"type": "string", "examples": ["10.0.0.0/8", "2001:db8::/32"]}),
]

Networks: TypeAlias = dict[Name, Annotated[tuple[AddressRange, ...], Field(min_length=1)]]
"""Ranges by the name of their network."""


def networks_of(section: Networks) -> Mapping[str, tuple[str, ...]]:
    """What `section` declares."""
    return MappingProxyType(dict(section))
