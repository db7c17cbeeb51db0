"""Which of a person's attributes a catalog writes into its scopes, such as `{department}`."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from remit.ids import ScopeName
from remit.model import Catalog

__all__ = ["placeholders_of"]

_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
_OURS: Final = frozenset({"agent_id", "environment", "organization_id"})


def placeholders_of(catalog: Catalog) -> frozenset[str]:
    """The names of all of them, but for what a token says in words of our own."""
    named = {name for scope in _scopes(catalog) for name in _PLACEHOLDER.findall(scope)}
    return frozenset(named) - _OURS


def _scopes(catalog: Catalog) -> Iterator[ScopeName]:
    parts: Iterable[Iterable[ScopeName]] = (
        catalog.scopes,
        catalog.guardrails.forbidden_scopes,
        catalog.unregistered.scopes,
        *(below for below in catalog.hierarchy.values()),
        *(agent.scopes for agent in catalog.agents.values()),
        *(role.scopes for role in catalog.roles.values()),
        *(server.scopes for server in catalog.servers.values()),
    )
    for part in parts:
        yield from part
