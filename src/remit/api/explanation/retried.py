"""The decision taken again with what is in force, and with single changes of that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from remit.api.deps import ApiDeps
from remit.api.explanation.past import less_past
from remit.api.explanation.rebuilt import NotRebuilt, Rebuilt
from remit.canonical import JsonObject
from remit.guard.definitions import Definitions
from remit.guard.ladder import Allowance
from remit.guard.nearest import Window, nearest_changes, open_hours
from remit.guard.outcome import RefusalReason
from remit.guard.reconsider import Scenario, UnansweredError, may_be_allowed, reconsider
from remit.identity.session import ACR_VALUES
from remit.model import Catalog
from remit.policy import CedarEngine, DecisionPoint, PolicySource
from remit.policy.places import without

__all__ = ["Retried", "retried"]

_MOST_POLICIES = 8
_OTHER_VERSIONS = "the policies or the catalog have changed since; what is in force now was asked"
_ARGUMENTS = (
    "arguments are not held against their schema again; the caller was told which of them is wrong"
)
_DIFFERS = "decided again, it comes out differently, so something that is not in the log mattered"

_UNTOLD = "what was done before is recorded as far as it was looked at: not where a call is refused before, nor what no policy read then"
_WAIT = "wait, and call again"
_PASSING: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        RefusalReason.RATE_LIMITED: ("wait", "the limit leaves room for another call", _WAIT),
        RefusalReason.TOO_MANY_CALLS: ("wait", "another call has ended", _WAIT),
        RefusalReason.LIMIT_REACHED: ("wait", "the rule leaves room for another call", _WAIT),
        RefusalReason.TOO_MANY_PROOFS: ("wait", "there is room for another proof", _WAIT),
        RefusalReason.STALE_SNAPSHOT: ("wait", "it is known again who may act", _WAIT),
        RefusalReason.AUDIT_UNAVAILABLE: ("wait", "the log takes records again", _WAIT),
        RefusalReason.INVALID_TOKEN: (
            "authorize",
            "the token is good",
            "the client refreshes it, or authorizes again",
        ),
        RefusalReason.INVALID_PROOF: (
            "prove",
            "the proof of possession is good",
            "the client makes a new one",
        ),
        RefusalReason.NONCE_NEEDED: (
            "prove",
            "the proof carries the nonce",
            "the client makes a new one",
        ),
        RefusalReason.OUTSIDE_DETAILS: (
            "authorize",
            "the token has no authorization details, or some that allow this call",
            "the client authorizes again for it",
        ),
    }
)
"""What was in the way of a call that is allowed when it is left out; nobody can decide these again."""


@dataclass(slots=True, kw_only=True)
class Retried:
    """`now`: what would be decided with what is in force; `nearest`: the changes that were tried and would do."""

    in_force: bool
    now: dict[str, Any] | None = None
    nearest: list[dict[str, Any]] = field(default_factory=list)
    tried: int = 0
    notes: list[str] = field(default_factory=list)


def retried(
    deps: ApiDeps,
    entry: JsonObject,
    rebuilt: Rebuilt | NotRebuilt,
    *,
    engine: CedarEngine,
    sources: Sequence[PolicySource],
) -> Retried:
    """Decide `entry` again by `engine`, which holds `sources`, and whatever is near it."""
    body: Any = entry["body"]
    catalog = deps.directory.catalog
    versions = (engine.version, catalog.version)
    again = Retried(in_force=versions == (body["policy_version"], body["catalog_version"]))
    if not again.in_force:
        again.notes.append(_OTHER_VERSIONS)
    if isinstance(rebuilt, NotRebuilt):
        again.notes.append(rebuilt.why)
        return again
    scenario = _scenario(deps, rebuilt, DecisionPoint(engine, deps.clock))
    elsewhere = _elsewhere(catalog, rebuilt)
    if elsewhere is not None:
        again.notes.append(
            f"the engine `{elsewhere}` permits such calls, and is not asked again: no change was tried"
        )
        return again
    _decide_now(again, scenario, rebuilt)
    if body["outcome"] == "allow" or rebuilt.target is None:
        if rebuilt.target is None:
            again.notes.append("the catalog has nothing of that name")
        return again
    if body["reason"] == RefusalReason.INVALID_ARGUMENTS:
        again.now = None
        again.notes.append(_ARGUMENTS)
        return again
    _note_missing(again, rebuilt)
    allows = may_be_allowed if rebuilt.unknown else _allows
    if allows(scenario):
        change = _PASSING.get(body["reason"])
        if change is not None:
            again.tried = 1
            again.nearest.append(dict(zip(("kind", "what", "how"), change, strict=True)))
        elif not rebuilt.unknown:
            again.notes.append(_DIFFERS if again.in_force else "it would be allowed now")
        return again
    lifted = {
        rule["id"]: DecisionPoint(
            CedarEngine.load(without(sources, rule["id"]), catalog), deps.clock
        )
        for rule in body["rules"][:_MOST_POLICIES]
        if rule["effect"] == "forbid"
    }
    changes, again.tried = nearest_changes(
        scenario, rebuilt.target, allows=allows, lifted=lifted, strengths=ACR_VALUES
    )
    waits, tries = less_past(scenario, rebuilt.target, allows=allows)
    again.tried += tries
    again.nearest = [
        {"kind": one.kind, "what": one.what, "how": one.how} for one in (*changes, *waits)
    ]
    window = open_hours(scenario, allows=allows)
    again.tried += 1
    if window is not None:
        again.nearest.append(_told(window, scenario, catalog))
    return again


def _scenario(deps: ApiDeps, rebuilt: Rebuilt, decisions: DecisionPoint) -> Scenario:
    """As it was, with what is in force. The key of a bound token is not proved again."""
    catalog, token = deps.directory.catalog, rebuilt.token
    definitions = deps.directory.definitions
    agents = dict(catalog.agents)
    if token.agent_id in agents:
        agents[token.agent_id] = replace(agents[token.agent_id], dpop_required=False)
    servers = dict(catalog.servers)
    name = rebuilt.call.server
    if name in servers:
        servers[name] = replace(servers[name], dpop_required=False)
    return Scenario(
        call=rebuilt.call,
        token=token,
        catalog=replace(
            catalog, agents=MappingProxyType(agents), servers=MappingProxyType(servers)
        ),
        standing=deps.directory.standing,
        # What stands in the place of an argument is not held against a schema.
        definitions=Definitions(quarantined=definitions.quarantined),
        decisions=decisions,
        now=rebuilt.now,
        history=rebuilt.history,
        elevated=rebuilt.elevated,
    )


def _elsewhere(catalog: Catalog, rebuilt: Rebuilt) -> str | None:
    """The engine in another process that permits such calls now."""
    server, tenant = catalog.server_named(rebuilt.call.server), rebuilt.token.organization_id
    if server is None or tenant not in catalog.tenants:
        return None
    engine = catalog.engine_for(server, tenant)
    return None if engine is None else engine.name


def _allows(scenario: Scenario) -> bool:
    try:
        return isinstance(reconsider(scenario), Allowance)
    except UnansweredError:
        return False


def _decide_now(again: Retried, scenario: Scenario, rebuilt: Rebuilt) -> None:
    if rebuilt.unknown:
        listed = may_be_allowed(scenario)
        again.now = {
            "outcome": "depends" if listed else "deny",
            "reason": "arguments" if listed else "listing",
        }
        return
    try:
        verdict = reconsider(scenario)
    except UnansweredError as error:
        again.notes.append(error.detail)
        return
    if isinstance(verdict, Allowance):
        again.now = {"outcome": "allow", "reason": verdict.decision.reason.value}
    else:
        again.now = {"outcome": "deny", "reason": verdict.truth.value}


def _note_missing(again: Retried, rebuilt: Rebuilt) -> None:
    if rebuilt.unknown:
        names = ", ".join(f"`{name}`" for name in rebuilt.unknown)
        again.notes.append(
            f"policies read {names}, which the log does not hold; changes are said to allow some call, not this very one"
        )
    if any(name.startswith("context.history.") for name in rebuilt.unknown):
        again.notes.append(_UNTOLD)
    if not rebuilt.attributes_known:
        again.notes.append(
            "the person's attributes are taken as they are now; the log has their names alone"
        )


def _told(window: Window, scenario: Scenario, catalog: Catalog) -> dict[str, Any]:
    zone = catalog.tenants[scenario.token.organization_id].time_zone

    def local(instant: int) -> str:
        at = datetime.fromtimestamp(instant, tz=UTC).astimezone(ZoneInfo(zone))
        return f"{at:%a %d %b, %H:%M}"

    what = f"the call comes between {local(window.since)} and {local(window.until)} ({zone})"
    return {"kind": "time", "what": what, "how": "wait, and call again"}
