"""Which scopes count now: what the token says, and what its agent may still hold.

Refuses nothing by itself. A scope can be had if the agent's file covers it, for a person one
of their roles does, and no guardrail forbids it; it counts if the token covers it and it
could still be had. Placeholders are filled from the verified token, so
`tenant:read:{organization_id}` is only ever the caller's own; and `prod:payments.refund` counts in `prod` alone.

Source: MISSION B2, B8, E2; MCP 2026-07-28 authorization, step-up (hierarchies).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from remit.guard.temporary_access import not_given, on_request
from remit.ids import ScopeName
from remit.model import Agent, Catalog
from remit.scopes import Hierarchy, covers, environment_named_by, fill, fill_hierarchy
from remit.tokens.access_token import AccessToken

__all__ = ["ScopeLimits", "is_workload", "scope_limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeLimits:
    """Every limit, its placeholders filled for one caller. `person` is `None` for a workload."""

    token: tuple[ScopeName, ...]
    agent: frozenset[ScopeName]
    person: frozenset[ScopeName] | None
    forbidden: frozenset[ScopeName]
    hierarchy: Hierarchy
    claims: Mapping[str, str]
    on_request: frozenset[ScopeName] = frozenset()
    """What the agent would have to be given for a while first."""
    environments: frozenset[str] = frozenset()
    """Those that are declared: a scope whose name begins with one is good there alone."""

    @property
    def effective(self) -> tuple[ScopeName, ...]:
        """The token's scopes as they count now; where only a part may be held, that part."""
        parts = sorted(self.agent | (self.person or frozenset()))
        return tuple(dict.fromkeys(one for one in (*self.token, *parts) if self.holds(one)))

    def required(self, scopes: Iterable[ScopeName]) -> tuple[ScopeName, ...] | None:
        """`scopes` filled for this caller; `None` when one cannot be, and so never be held."""
        filled = tuple(fill(scope, self.claims) for scope in scopes)
        named = tuple(scope for scope in filled if scope is not None and self._is_good_here(scope))
        return named if len(named) == len(filled) else None

    def holds(self, scope: ScopeName) -> bool:
        """Whether the caller may use `scope` now."""
        return self._covered(scope, self.token) and self.may_obtain(scope)

    def may_obtain(self, scope: ScopeName) -> bool:
        """Whether a token could bring `scope`, with what is declared now."""
        return (
            self._covered(scope, self.agent)
            and (self.person is None or self._covered(scope, self.person))
            and not self._is_below(scope, self.forbidden)
            and not self._is_below(scope, self.on_request)
            and self._is_good_here(scope)
        )

    def _covered(self, scope: ScopeName, by: Iterable[ScopeName]) -> bool:
        return any(covers(held, scope, self.hierarchy) for held in by)

    def _is_good_here(self, scope: ScopeName) -> bool:
        named = environment_named_by(scope, self.environments)
        return named is None or named == self.claims.get("environment")

    def _is_below(self, scope: ScopeName, parts: Iterable[ScopeName]) -> bool:
        """To hold a scope is to hold everything below it, so one forbidden part forbids it."""
        return any(covers(scope, part, self.hierarchy) for part in parts)


def scope_limits(token: AccessToken, agent: Agent, catalog: Catalog) -> ScopeLimits:
    """The limits for the holder of `token`, as `catalog` declares them now."""
    # The same claims that filled the scopes at issuance; our own words win over attributes.
    claims = {
        **token.attributes,
        "agent_id": token.agent_id,
        "environment": token.environment,
        "organization_id": token.organization_id,
    }

    def filled(scopes: Iterable[ScopeName]) -> frozenset[ScopeName]:
        return frozenset(one for scope in scopes if (one := fill(scope, claims)) is not None)

    hierarchy, given = fill_hierarchy(catalog.hierarchy, claims), frozenset(token.temporary)
    person: frozenset[ScopeName] | None = None
    if not is_workload(token):
        roles = (catalog.roles.get(name) for name in token.roles)
        person = filled(scope for role in roles if role is not None for scope in role.scopes)
        person |= given
    return ScopeLimits(
        token=token.scopes,
        agent=filled(agent.scopes),
        person=person,
        forbidden=filled(catalog.guardrails.forbidden_scopes),
        hierarchy=hierarchy,
        on_request=not_given(filled(on_request(agent.id, catalog)), given, hierarchy),
        claims=claims,
        environments=frozenset(catalog.environments),
    )


def is_workload(token: AccessToken) -> bool:
    """Whether an agent acts for itself, or another for it, and not for a person.

    The last of the actors is the agent that the token was first issued to (RFC 8693 §4.1).
    """
    first = token.actors[-1].agent_id if token.actors else token.agent_id
    return token.sub == first
