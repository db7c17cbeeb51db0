"""Whether two repositories cannot but decide a call alike: all that a decision about it can come from is the same.

A decision is a function of the question, of what the catalog says about the caller, the tenant, the server and the
thing, and of the policies that can matter to the thing's action. Where none of it differs, the one ruling is the
other, whatever was recorded of the question. Anything that is not known to be elsewhere counts as different.

INVARIANT: a property of the catalog that is not named here as having no part in a decision makes the ground another.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from remit.guard.standing import agent_of
from remit.guard.target import Target
from remit.ids import AgentId, ServerName, TenantId
from remit.model import Catalog, Role, Server
from remit.policy.buckets import could_matter
from remit.policy.check import CheckedPolicy
from remit.policy.evaluation import ResourceFacts
from remit.policy.vocabulary import action_name, group_names
from remit.replay.court import Court
from remit.replay.rebuilt import Rebuilt
from remit.tokens.access_token import AccessToken

__all__ = ["SameGround"]

_APART: Final = frozenset(
    {
        # What has no part in whether a call may be made, or is compared for the caller alone.
        "version", "issuer", "environments", "registration", "servers", "scopes", "roles",
        "attribute_rules", "agents", "unregistered", "sign_in", "trust", "deployment", "tenants",
    }
)  # fmt: skip
_MOST: Final = 65_536
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})

_Who: TypeAlias = tuple[object, ...]


class SameGround:
    """Tells for the calls before two courts. For one thread."""

    __slots__ = ("_callers", "_everywhere", "_new", "_old", "_servers", "_things")

    def __init__(self, old: Court, new: Court) -> None:
        self._old = old
        self._new = new
        self._everywhere = all(
            getattr(old.catalog, one.name) == getattr(new.catalog, one.name)
            for one in fields(Catalog)
            if one.name not in _APART
        )
        self._callers: dict[_Who, bool] = {}
        self._servers: dict[ServerName, bool] = {}
        self._things: dict[tuple[object, ...], bool] = {}

    def holds(self, rebuilt: Rebuilt) -> bool:
        """Whether `rebuilt` is decided alike by both."""
        return (
            self._everywhere
            and self._is_same_caller(rebuilt.token)
            and self._is_same_server(rebuilt.server)
            and self._is_same_thing(rebuilt)
        )

    def _is_same_caller(self, token: AccessToken) -> bool:
        """The agent and all it acts for, the tenant, and the person's roles."""
        name = (token.agent_id, token.organization_id, token.roles, token.actors)
        known = self._callers.get(name)
        if known is None:
            if len(self._callers) >= _MOST:
                self._callers = {}
            known = self._callers[name] = _caller(token, self._old.catalog) == _caller(
                token, self._new.catalog
            )
        return known

    def _is_same_server(self, name: ServerName) -> bool:
        """The server, but for what is on it."""
        known = self._servers.get(name)
        if known is None:
            old, new = (one.catalog.server_named(name) for one in (self._old, self._new))
            known = self._servers[name] = _bare(old) == _bare(new)
        return known

    def _is_same_thing(self, rebuilt: Rebuilt) -> bool:
        """What is called, and the policies that can matter to it."""
        name = (rebuilt.server, rebuilt.kind, rebuilt.name)
        known = self._things.get(name)
        if known is None:
            if len(self._things) >= _MOST:
                self._things = {}
            old, new = self._old.target(rebuilt), self._new.target(rebuilt)
            known = self._things[name] = old == new and self._has_same_policies(old)
        return known

    def _has_same_policies(self, target: Target | None) -> bool:
        if target is None:
            return True
        old, new = (
            [one.text for one in _about(target.facts, court.policies)]
            for court in (self._old, self._new)
        )
        return old == new


def _caller(token: AccessToken, catalog: Catalog) -> tuple[object, ...]:
    """All that the catalog says of who calls."""
    roles: list[Role | None] = [catalog.roles.get(name) for name in token.roles]
    behind: list[AgentId | None] = [
        None if actor.agent_id not in catalog.agents else actor.agent_id for actor in token.actors
    ]
    tenant = catalog.tenants.get(TenantId(token.organization_id))
    agent = agent_of(token, catalog)
    return (agent, catalog.unregistered.id, tenant, roles, behind)


def _bare(server: Server | None) -> Server | None:
    if server is None:
        return None
    return replace(server, tools=_NOTHING, resources=(), prompts=_NOTHING)


def _about(facts: ResourceFacts, policies: "tuple[CheckedPolicy, ...]") -> list[CheckedPolicy]:
    action = action_name(facts.kind, facts.server, facts.name)
    groups = group_names(facts.server, facts.operation)
    return [policies[place] for place in could_matter(policies, action, groups)]
