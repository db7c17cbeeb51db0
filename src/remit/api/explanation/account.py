"""What is told of a decision beside the record: scopes and where each ends, limits, and what was done before.

Values are those of the log, or of the catalog in force; whatever the log does not hold is not told from
elsewhere.
"""

from collections.abc import Iterable

from remit.api.explanation.rebuilt import Rebuilt
from remit.canonical import Json, JsonObject
from remit.guard.limits import ScopeLimits, scope_limits
from remit.guard.standing import agent_of
from remit.ids import ScopeName
from remit.model import Agent, CallLimits, Catalog, Server
from remit.scopes import covers, fill

__all__ = ["history_told", "limits_told", "scopes_told"]


def scopes_told(rebuilt: Rebuilt, catalog: Catalog) -> list[JsonObject]:
    """Each scope the call takes: who covers it, and who does not."""
    agent, target = agent_of(rebuilt.token, catalog), rebuilt.target
    if agent is None or target is None:
        return []
    limits = scope_limits(rebuilt.token, agent, catalog)
    return [_scope_told(scope, limits, rebuilt, catalog) for scope in target.scopes]


def _scope_told(
    declared: ScopeName, limits: ScopeLimits, rebuilt: Rebuilt, catalog: Catalog
) -> JsonObject:
    scope = fill(declared, limits.claims)
    if scope is None:
        return {"scope": declared, "held": False, "unfilled": True}

    def by(scopes: Iterable[ScopeName]) -> list[Json]:
        return [*sorted(one for one in scopes if covers(one, scope, limits.hierarchy))]

    roles: list[Json] | None = None
    if limits.person is not None:
        roles = [
            name
            for name in rebuilt.token.roles
            if (role := catalog.roles.get(name)) is not None
            and by(one for raw in role.scopes if (one := fill(raw, limits.claims)) is not None)
        ]
    forbidden = [one for one in limits.forbidden if covers(scope, one, limits.hierarchy)]
    return {
        "scope": scope,
        "held": limits.holds(scope),
        "token": by(limits.token),
        "agent": by(limits.agent),
        "roles": roles,
        "forbidden": [*sorted(forbidden)],
    }


def limits_told(agent: Agent, server: Server, catalog: Catalog) -> list[JsonObject]:
    """The limits that hold for such a call, and where each is declared."""
    guardrails = catalog.guardrails
    declared: list[tuple[str, str, CallLimits]] = [
        ("agent", f"agents/{agent.id}.yaml", agent.limits),
        ("agent", "remit.yaml: guardrails.limits_per_agent", guardrails.limits_per_agent),
        ("person", "remit.yaml: guardrails.limits_per_user", guardrails.limits_per_user),
        ("server", f"servers/{server.name}.yaml", server.limits),
    ]
    return [
        {"of": of, "declared": where, "calls_per_minute": limits.calls_per_minute,
         "concurrent_calls": limits.concurrent_calls}
        for of, where, limits in declared
        if limits.calls_per_minute is not None or limits.concurrent_calls is not None
    ]  # fmt: skip


def history_told(entry: JsonObject, catalog: Catalog) -> list[JsonObject]:
    """What policies were told of what was done before; what is measured, as it is declared now."""
    told: list[JsonObject] = []
    for name, value in _told(entry).items():
        fact = catalog.history.get(name)
        declared: JsonObject = {}
        if fact is not None:
            declared = {
                "measure": fact.measure.value,
                "of": fact.of.value,
                "window": fact.reach,
                "currency": fact.currency or None,
            }
        told.append({"name": name, "value": value, **declared})
    return told


def _told(entry: JsonObject) -> JsonObject:
    body = entry.get("body")
    history = body.get("history") if isinstance(body, dict) else None
    return history if isinstance(history, dict) else {}
