"""Which extensions of the protocol are spoken of through the gateway, in either direction.

Tasks are carried. What a server may offer besides, and a client ask for, its declaration names;
anything else is taken out of what the client says it can, and of what the server says it offers.
The extensions on authorization are Remit's own to offer: it is the authorization server, and not
the server behind.

Source: MCP 2026-07-28 base protocol (extensions); MCP extensions oauth-client-credentials,
enterprise-managed-authorization.
"""

from dataclasses import dataclass
from typing import Final

from remit.canonical import Json, JsonObject
from remit.model import Catalog

__all__ = [
    "CLIENT_CREDENTIALS",
    "ENTERPRISE_MANAGED",
    "ONLY_TASKS",
    "TASKS",
    "Offered",
    "authorization_extensions",
    "declares_tasks",
    "with_carried",
]

TASKS: Final = "io.modelcontextprotocol/tasks"
CLIENT_CREDENTIALS: Final = "io.modelcontextprotocol/oauth-client-credentials"
ENTERPRISE_MANAGED: Final = "io.modelcontextprotocol/enterprise-managed-authorization"


@dataclass(frozen=True, slots=True)
class Offered:
    """`carried` pass through; `ours` are offered besides, to modern clients, whatever the server says."""

    carried: frozenset[str] = frozenset({TASKS})
    ours: tuple[str, ...] = ()

    @classmethod
    def by(cls, allowed: tuple[str, ...], ours: tuple[str, ...] = ()) -> "Offered":
        """What a server offers whose declaration allows `allowed`."""
        return cls(frozenset({TASKS, *allowed}) - {CLIENT_CREDENTIALS, ENTERPRISE_MANAGED}, ours)


ONLY_TASKS: Final = Offered()


def authorization_extensions(catalog: Catalog) -> tuple[str, ...]:
    """Those that the authorization server of this catalog supports.

    Client credentials always; the other once an identity provider is trusted to say for whom a client acts.
    """
    if any(issuer.id_jag for issuer in catalog.trust.issuers.values()):
        return CLIENT_CREDENTIALS, ENTERPRISE_MANAGED
    return (CLIENT_CREDENTIALS,)


def with_carried(
    capabilities: JsonObject, offered: Offered, *, to_client: bool = False
) -> JsonObject:
    """`capabilities` with only the extensions that are carried and, to a client, with our own."""
    told = capabilities.get("extensions")
    kept: dict[str, Json] = (
        {name: value for name, value in told.items() if name in offered.carried}
        if isinstance(told, dict)
        else {}
    )
    if to_client:
        kept.update({name: {} for name in offered.ours})
    rest = {name: value for name, value in capabilities.items() if name != "extensions"}
    return {**rest, "extensions": kept} if kept or isinstance(told, dict) else rest


def declares_tasks(capabilities: Json) -> bool:
    """Whether whoever has these capabilities understands tasks."""
    extensions = capabilities.get("extensions") if isinstance(capabilities, dict) else None
    return isinstance(extensions, dict) and isinstance(extensions.get(TASKS), dict)
