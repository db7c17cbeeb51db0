"""What somebody has for a while, where it is asked what a token may say and what it is good for.

A role counts as one of its holder's. A scope widens what their roles bring, never what the agent, the client, the
server or a guardrail allow. A scope that an offer of the repository gives to an agent is that agent's on request alone:
its file names what it may at most hold, and without access in force a token does not have it, nor anything above it.

Source: docs/adr/0025-cures.md; MISSION C4.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from remit.clock import EpochSeconds
from remit.ids import AgentId, ScopeName
from remit.model import Catalog
from remit.policy import Subject
from remit.scopes import Hierarchy, covers

__all__ = ["TemporaryAccess", "not_given", "on_request", "resting_on", "scopes_of", "with_roles"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporaryAccess:
    """One access that is in force at the server in question."""

    id: str
    role: str | None
    scopes: tuple[ScopeName, ...]
    until: EpochSeconds


def on_request(agent_id: AgentId, catalog: Catalog) -> tuple[ScopeName, ...]:
    """The scopes that this agent has only while it was given them."""
    offers = catalog.approvals.access.values()
    return tuple(
        dict.fromkeys(one for offer in offers if agent_id in offer.agents for one in offer.scopes)
    )


def not_given(
    wanted: Iterable[ScopeName], given: Iterable[ScopeName], hierarchy: Hierarchy
) -> frozenset[ScopeName]:
    """Those of `wanted` that nothing of `given` covers."""
    held = tuple(given)
    return frozenset(
        one for one in wanted if not any(covers(mine, one, hierarchy) for mine in held)
    )


def scopes_of(held: Iterable[TemporaryAccess]) -> tuple[ScopeName, ...]:
    """The scopes that they bring by themselves, each once. What a role brings, its role says."""
    return tuple(dict.fromkeys(scope for one in held for scope in one.scopes))


def with_roles(subject: Subject, held: Iterable[TemporaryAccess], catalog: Catalog) -> Subject:
    """`subject` with the roles that it has for a while, as far as they are declared."""
    roles = (one.role for one in held if one.role is not None and one.role in catalog.roles)
    return replace(subject, roles=tuple(dict.fromkeys((*subject.roles, *roles))))


def resting_on(
    held: Iterable[TemporaryAccess], granted: Iterable[ScopeName], hierarchy: Hierarchy
) -> tuple[TemporaryAccess, ...]:
    """Those by which a token of `granted` says something: all with a role, and those that bring one of its scopes."""
    said = tuple(granted)
    return tuple(
        one
        for one in held
        if one.role is not None
        or any(covers(mine, scope, hierarchy) for mine in one.scopes for scope in said)
    )
