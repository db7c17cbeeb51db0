"""Which of the declared networks an address is in.

The address is that of the peer, as the door verified it; an address that cannot be read is in none. IPv4 that
came as IPv6 is IPv4, as it is for policies.

Source: RFC 4291 §2.5.5.2; docs/reference/policy-repository.md, `networks`.
"""

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Protocol

from remit.model import Catalog

__all__ = ["NetworkNames", "Zones"]

_MOST = 8_192
_SAID = 16


class NetworkNames:
    """The networks of one catalog. What was found of an address is remembered, for so many."""

    __slots__ = ("_known", "_ranges")

    def __init__(self, networks: Mapping[str, tuple[str, ...]]) -> None:
        self._ranges = [
            (name, tuple(ip_network(one) for one in ranges))
            for name, ranges in sorted(networks.items())
        ]
        self._known: dict[str, tuple[str, ...]] = {}

    def of(self, ip: str | None) -> tuple[str, ...]:
        """The names of the networks that `ip` is in, in their order."""
        if ip is None or not self._ranges:
            return ()
        known = self._known.get(ip)
        if known is None:
            known = self._found(ip)
            if len(self._known) >= _MOST:
                self._known = {}
            self._known[ip] = known
        return known

    def _found(self, ip: str) -> tuple[str, ...]:
        try:
            address = ip_address(ip.split("%", 1)[0])
        except ValueError:
            return ()
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return tuple(name for name, ranges in self._ranges if any(address in one for one in ranges))


class CatalogInForce(Protocol):
    """Where the catalog in force is."""

    @property
    def catalog(self) -> Catalog:
        """What the policy repository in force declares."""
        ...


class Zones:
    """The networks of whatever catalog is in force, for what the log says of an address."""

    __slots__ = ("_catalog", "_directory", "_names")

    def __init__(self, directory: CatalogInForce) -> None:
        self._directory = directory
        self._catalog: Catalog | None = None
        self._names = NetworkNames({})

    def of(self, ip: str | None) -> tuple[str, ...]:
        """As `NetworkNames.of`, but no more than a record has room for."""
        catalog = self._directory.catalog
        if not catalog.networks:
            return ()
        if catalog is not self._catalog:
            self._names, self._catalog = NetworkNames(catalog.networks), catalog
        return self._names.of(ip)[:_SAID]
