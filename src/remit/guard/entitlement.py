"""Every limit on what may be granted, its placeholders filled, and the first that is in the way of a scope.

A scope that something forbidden, elevated or on request is below is as little granted as that itself: to hold a scope
is to hold everything below it.

Source: MISSION B6, B8, C4; O21 §1.4.1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from remit.guard.temporary_access import TemporaryAccess, not_given, on_request, scopes_of
from remit.ids import ScopeName
from remit.model import Agent, Catalog, ClientBounds, Server
from remit.policy import Subject, SubjectKind
from remit.scopes import Hierarchy, covers, fill, fill_hierarchy

__all__ = ["Bounded", "Bounds", "WithheldReason", "bounds_of", "obstacle"]


class WithheldReason(StrEnum):
    """Why a scope that was asked for cannot be granted. Shown to the person."""

    NOT_ON_SERVER = "not_on_server"
    AGENT = "agent"
    CLIENT = "client"
    PERSON = "person"
    UNFILLED = "unfilled"
    ENVIRONMENT = "environment"
    FORBIDDEN = "forbidden"
    ELEVATED = "elevated"
    """People give it to one call at a time; no token says it."""
    TOO_MANY = "too_many"
    ON_REQUEST = "on_request"
    """The agent has it only while it was given it for a time."""


class Bounded(Protocol):
    """Whom the limits are of: `guard.issuance.Applicant`."""

    @property
    def subject(self) -> Subject: ...
    @property
    def agent(self) -> Agent: ...
    @property
    def bounds(self) -> ClientBounds: ...
    @property
    def temporary(self) -> tuple[TemporaryAccess, ...]: ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """Every limit, its placeholders filled for this subject."""

    server: frozenset[ScopeName]
    agent: frozenset[ScopeName]
    client: frozenset[ScopeName] | None
    person: frozenset[ScopeName] | None
    forbidden: frozenset[ScopeName]
    elevated: frozenset[ScopeName]
    on_request: frozenset[ScopeName]
    hierarchy: Hierarchy


def bounds_of(held: Bounded, server: Server, catalog: Catalog, claims: Mapping[str, str]) -> Bounds:
    """The limits for `held` on `server`; `claims` are what placeholders are filled from."""

    def filled(scopes: Sequence[ScopeName]) -> frozenset[ScopeName]:
        return frozenset(one for scope in scopes if (one := fill(scope, claims)) is not None)

    hierarchy, given = fill_hierarchy(catalog.hierarchy, claims), filled(scopes_of(held.temporary))
    person: frozenset[ScopeName] | None = None
    if held.subject.kind is SubjectKind.USER:
        roles = (catalog.roles.get(name) for name in held.subject.roles)
        brought = [scope for role in roles if role is not None for scope in role.scopes]
        person = filled(brought) | given
    return Bounds(
        server=filled(server.scopes),
        agent=filled(held.agent.scopes),
        client=filled(held.bounds.scopes) if held.bounds.scopes else None,
        person=person,
        forbidden=filled(catalog.guardrails.forbidden_scopes),
        elevated=filled([name for name, one in catalog.scopes.items() if one.elevated]),
        on_request=not_given(filled(on_request(held.agent.id, catalog)), given, hierarchy),
        hierarchy=hierarchy,
    )


def obstacle(scope: ScopeName, bounds: Bounds) -> WithheldReason | None:
    """The first limit that `scope` goes beyond."""
    hierarchy = bounds.hierarchy
    if any(covers(scope, one, hierarchy) for one in bounds.forbidden):
        return WithheldReason.FORBIDDEN
    # A scope that covers an elevated one would be it by another name.
    if any(covers(scope, one, hierarchy) for one in bounds.elevated):
        return WithheldReason.ELEVATED
    if not any(
        covers(scope, one, hierarchy) or covers(one, scope, hierarchy) for one in bounds.server
    ):
        return WithheldReason.NOT_ON_SERVER
    if not any(covers(held, scope, hierarchy) for held in bounds.agent):
        return WithheldReason.AGENT
    if any(covers(scope, one, hierarchy) for one in bounds.on_request):
        return WithheldReason.ON_REQUEST
    if bounds.client is not None and not any(
        covers(held, scope, hierarchy) for held in bounds.client
    ):
        return WithheldReason.CLIENT
    if bounds.person is not None and not any(
        covers(held, scope, hierarchy) for held in bounds.person
    ):
        return WithheldReason.PERSON
    return None
