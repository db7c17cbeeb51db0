"""Which servers an agent could ever use, as far as its file and theirs say. Source: MISSION B8."""

from collections.abc import Iterator
from dataclasses import dataclass

from remit.documents import ANY, Document, quoted
from remit.ids import ScopeName
from remit.repository.draft import strings_at

__all__ = ["Reach", "reach_of", "unreachable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What an agent's file keeps it to. Nothing in `regions`: all of them."""

    scopes: tuple[ScopeName, ...]
    tenants: frozenset[str]
    environments: frozenset[str]
    regions: frozenset[str]


def reach_of(agent: Document) -> Reach:
    """What the file `agent` keeps its agent to."""
    return Reach(
        scopes=tuple(ScopeName(one) for one in _texts(agent, "scopes")),
        tenants=frozenset(_texts(agent, "tenants")),
        environments=frozenset(_texts(agent, "environments")),
        regions=frozenset(_texts(agent, "regions")),
    )


def unreachable(reach: Reach, server: Document) -> str | None:
    """Why an agent of this reach can never use `server`; `None` when it might, or nobody can tell."""
    for key, kept_to in (("tenant", reach.tenants), ("environment", reach.environments)):
        for _, name in strings_at(server, (key,)):
            if kept_to and name not in kept_to:
                return f"it is of {key} {quoted(name)}"
    region = next((text for _, text in strings_at(server, ("region",))), None)
    if reach.regions and region not in reach.regions:
        return "it is in no region" if region is None else f"it is in region {quoted(region)}"
    return None


def _texts(document: Document, key: str) -> Iterator[str]:
    return (text for _, text in strings_at(document, (key, ANY)))
