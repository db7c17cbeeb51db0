"""What is told of a decision beside the record: scopes and where each ends, and what the policies read.

Values are those of the log, or of the catalog in force; whatever the log does not hold is not told from
elsewhere.
"""

from collections.abc import Iterable
from typing import Final

from remit.api.explanation.rebuilt import Rebuilt, value_at
from remit.canonical import Json, JsonObject
from remit.guard.limits import ScopeLimits, scope_limits
from remit.guard.standing import agent_of
from remit.ids import ScopeName
from remit.model import Agent, CallLimits, Catalog, Server
from remit.policy.facts import local_time
from remit.policy.places import PolicyPlace
from remit.scopes import covers, fill

__all__ = ["history_told", "limits_told", "readings_of", "scopes_told"]

_REDACTED: Final = ("tok1.", "****")


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


def readings_of(
    place: PolicyPlace, entry: JsonObject, rebuilt: Rebuilt | None, catalog: Catalog
) -> list[JsonObject]:
    """Each attribute that the policy reads, with its value as recorded; `recorded` says whether there is one."""
    facts = _facts(entry, rebuilt, catalog)
    return [_reading(path, entry, rebuilt, facts) for path in place.reads]


def _reading(
    path: str, entry: JsonObject, rebuilt: Rebuilt | None, facts: JsonObject
) -> JsonObject:
    if path.startswith("context.arguments."):
        value = _argument(path.split(".")[2], entry, rebuilt)
        redacted = isinstance(value, str) and value.startswith(_REDACTED)
        return {
            "attribute": path,
            "value": None if redacted else value,
            "recorded": value is not None and not redacted,
        }
    if path.startswith("context.history."):
        told = _told(entry)
        name = path.split(".")[2]
        return {"attribute": path, "value": told.get(name), "recorded": name in told}
    known = path in facts
    return {"attribute": path, "value": facts.get(path), "recorded": known}


def _argument(name: str, entry: JsonObject, rebuilt: Rebuilt | None) -> Json:
    body = entry.get("body")
    kept = body.get("input") if isinstance(body, dict) else None
    if isinstance(body, dict) and body.get("method") == "resources/read":
        return body.get("name")
    declared = () if rebuilt is None or rebuilt.target is None else rebuilt.target.arguments
    pointers = [one.pointer for one in declared if one.name == name]
    return value_at(kept, pointers[0]) if pointers else None


def _facts(entry: JsonObject, rebuilt: Rebuilt | None, catalog: Catalog) -> JsonObject:
    """Everything but arguments and tags, by the path that a policy would write."""
    if rebuilt is None:
        return {}
    token, target = rebuilt.token, rebuilt.target
    agent = agent_of(token, catalog)
    said: JsonObject = {
        "principal.id": token.sub,
        "principal.tenant": token.organization_id,
        "principal.roles": [*token.roles],
        "context.agent.id": token.agent_id,
        "context.token.client_id": token.client_id,
        "context.token.purpose": token.purpose,
        "context.token.scopes": [*token.scopes],
        "context.token.amr": [*token.amr],
        "context.token.acr": token.acr,
        "context.token.auth_time": token.auth_time,
        "context.ip": rebuilt.call.context.network.ip,
    }
    zone = catalog.tenants[token.organization_id].time_zone
    for name, value in local_time(rebuilt.now, zone).items():
        said[f"context.time.{name}"] = value
    if agent is not None:
        said["context.agent.class"] = agent.agent_class.value
        said["context.agent.owner"] = agent.owner
    if target is not None:
        facts = target.facts
        said |= {
            "resource.server": facts.server,
            "resource.name": facts.name,
            "resource.tenant": facts.tenant,
            "resource.environment": facts.environment,
            "resource.owner": facts.owner,
            "resource.operation": facts.operation.value,
            "resource.sensitivity": facts.sensitivity.value,
            "resource.sensitivity_rank": facts.sensitivity.rank,
            "resource.data_categories": [*facts.data_categories],
        }
    del entry
    return said


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
