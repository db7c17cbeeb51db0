"""`audit.explain`: one decision, why it was taken so, and the nearest change that would allow it.

The log is read for it, and that is recorded before anything is answered. A decision of another
organisation is answered like one that does not exist. What is claimed beside the record has been
decided again with exactly that change, against the catalog and the policies in force; when those are
others than the decision's own, that is said.

Source: MISSION H3; docs/adr/0016-explanations.md.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from remit.api.administrator import Administrator
from remit.api.deps import ApiDeps
from remit.api.explanation.account import history_told, limits_told, scopes_told
from remit.api.explanation.policies import policies_told
from remit.api.explanation.readings import evaluation_of, justification_told
from remit.api.explanation.reason import sentence_of
from remit.api.explanation.rebuilt import NotRebuilt, Rebuilt, rebuild
from remit.api.explanation.record import Recorded, find_record, is_decision_id
from remit.api.explanation.retried import retried
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Shape
from remit.api.problems import BadRequestError
from remit.audit.events import AuditQueried
from remit.canonical import Json, JsonObject
from remit.errors import NotFoundError
from remit.guard.standing import agent_of
from remit.identity import require_user
from remit.ids import ServerName
from remit.model import Catalog
from remit.policy import CedarEngine, DecisionPoint
from remit.policy.check import checked_policies

__all__ = ["EXPLANATION_OPERATIONS"]

_EXCESSES: Final = frozenset({"rate_limited", "too_many_calls"})
_ALONE: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="explanation")
"""One at a time: to decide again all policies are loaded anew, several times, at the cost of everybody's calls."""


class Explained(Shape):
    """A decision, explained. `nearest` is empty for what was allowed; `notes` say what could not be told."""

    decision: str
    at: str
    outcome: str
    reason: str
    because: str
    who: dict[str, Any]
    what: dict[str, Any]
    scopes: list[dict[str, Any]]
    policies: list[dict[str, Any]]
    engine: str | None
    limits: list[dict[str, Any]]
    arguments: dict[str, Any]
    justification: dict[str, Any]
    history: list[dict[str, Any]]
    errors: list[str]
    became: dict[str, Any] | None
    versions: dict[str, Any]
    now: dict[str, Any] | None
    nearest: list[dict[str, Any]]
    tried: int
    notes: list[str]


async def _explain(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> Explained:
    decision = asked.path["decision"]
    if not is_decision_id(decision):
        raise BadRequestError("a decision has an id such as `dec_06h006k76s71brxzmqgtq6g0fx`")
    await deps.audit.append(AuditQueried(context=asked.context, query={"decision": decision}))
    found = await asyncio.to_thread(find_record, deps.source, decision)
    if found is None or not _may_see(found, asked.by):
        raise NotFoundError("there is no such decision in the log")
    attributes = await _attributes(deps, found.decision.get("user"))
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_ALONE, _explained, deps, found, attributes)


def _may_see(found: Recorded, by: Administrator) -> bool:
    """What belongs to no organisation, such as a call without a token, is for those who see all."""
    tenant = found.decision.get("tenant")
    return by.tenant is None or (isinstance(tenant, str) and by.sees(tenant))


async def _attributes(deps: ApiDeps, user: Json) -> Mapping[str, str]:
    """The person's attributes as they are now; the log holds their names alone."""
    if not isinstance(user, str):
        return {}
    try:
        found = await deps.database.read(lambda tx: require_user(tx, user))
    except NotFoundError:
        return {}
    return found.attributes


def _explained(deps: ApiDeps, found: Recorded, attributes: Mapping[str, str]) -> Explained:
    """In a thread: policies are loaded anew, so that nothing of this is in the way of a call."""
    entry, catalog, sources = found.decision, deps.directory.catalog, deps.policies()
    body: Any = entry["body"]
    policies, _ = checked_policies(sources, None)
    question = rebuild(
        entry,
        catalog,
        policies,
        attributes,
        record_key=deps.custody.record_keys(str(entry["tenant"])),
    )
    engine = CedarEngine.load(sources, catalog)
    again = retried(deps, entry, question, engine=engine, sources=sources)
    rebuilt = None if isinstance(question, NotRebuilt) else question
    asked = None
    if rebuilt is not None:
        asked = evaluation_of(rebuilt, catalog, DecisionPoint(engine, deps.clock))
    return Explained(
        decision=body["decision_id"],
        at=str(entry["time"]),
        outcome=body["outcome"],
        reason=body["reason"],
        because=sentence_of(body),
        who=_who(entry, catalog),
        what=_what(entry),
        scopes=_scopes(body, rebuilt, catalog),
        policies=policies_told(entry, rebuilt, asked, policies=policies, sources=sources),
        engine=body["engine"],
        limits=_limits(body, rebuilt, catalog),
        arguments=body["input"],
        justification=justification_told(entry, rebuilt),
        history=[dict(one) for one in history_told(entry, catalog)],
        errors=list(body["engine_errors"]),
        became=_became(found),
        versions={
            "policies": body["policy_version"],
            "catalog": body["catalog_version"],
            "in_force": again.in_force,
        },
        now=again.now,
        nearest=again.nearest,
        tried=again.tried,
        notes=[*_word_of(body), *again.notes],
    )


def _who(entry: JsonObject, catalog: Catalog) -> JsonObject:
    names = ("agent", "user", "client", "grant", "tenant", "env")
    who: JsonObject = {name: entry.get(name) for name in names}
    body: Any = entry["body"]
    network: Any = entry.get("net") or {}
    claims: Any = body.get("claims") or {}
    agent = catalog.agents.get(str(entry.get("agent")))  # type: ignore[call-overload]  # any text will do
    return {
        **who,
        "actor": entry.get("actor"),
        "agent_owner": None if agent is None else agent.owner,
        "ip": network.get("ip"),
        "roles": claims.get("roles"),
        "acr": claims.get("acr"),
        "purpose": claims.get("purpose"),
    }


def _what(entry: JsonObject) -> JsonObject:
    body: Any = entry["body"]
    names = ("server", "method", "name", "operation", "sensitivity", "protocol_version")
    return {name: body.get(name) for name in names}


def _scopes(body: Any, rebuilt: Rebuilt | None, catalog: Catalog) -> list[dict[str, Any]]:
    if rebuilt is not None and rebuilt.target is not None:
        return [dict(one) for one in scopes_told(rebuilt, catalog)]
    missing = set(body["scopes_missing"])
    return [{"scope": one, "held": one not in missing} for one in body["scopes_required"]]


def _limits(body: Any, rebuilt: Rebuilt | None, catalog: Catalog) -> list[dict[str, Any]]:
    if rebuilt is None or body["reason"] not in _EXCESSES:
        return []
    agent = agent_of(rebuilt.token, catalog)
    server = catalog.server_named(ServerName(body["server"]))
    if agent is None or server is None:
        return []
    return [dict(one) for one in limits_told(agent, server, catalog)]


def _word_of(body: Any) -> list[str]:
    """That it is a guard's word, where it is: Remit did not decide it."""
    instance = (body.get("guard") or {}).get("instance")
    if instance is None:
        return []
    return [
        f"decided inside the server, and told by its guard `{instance}`; Remit saw nothing of it"
    ]


def _became(found: Recorded) -> dict[str, Any] | None:
    if found.completed is None:
        return None
    body: Any = found.completed["body"]
    return {name: body.get(name) for name in ("outcome", "error_code", "upstream_status", "size")}


EXPLANATION_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="audit.explain", run=_explain, query=Nothing, body=Nothing, answer=Explained),
)
