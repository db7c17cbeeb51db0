"""Who can, and what can: the answers as they are shown, over one catalog and its policies.

Pure but for the clock: the management API asks it of what is in force, the command line of a folder.
What another organisation than those asked about has does not come into it.

Source: docs/guides/who-can.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from remit.api.reachable.cohort import Cohort
from remit.api.reachable.hours import WEEKLY, in_words, open_steps
from remit.canonical import JsonObject
from remit.guard.issuance import Applicant
from remit.guard.prospect import Obstacle, Prospect, Surroundings, Verdict, prospect
from remit.guard.target import Target, targets_of
from remit.ids import ClientId, TenantId
from remit.model import Agent, AgentClass, Server
from remit.policy import Subject, SubjectKind
from remit.policy.evaluation import Evaluation, Phase
from remit.policy.places import PolicyPlace
from remit.policy.unsettled import OpenPolicy
from remit.scopes import covers

__all__ = [
    "MOST_ANSWERS",
    "Asking",
    "agents_of",
    "thing_told",
    "what_can",
    "who_can",
]

MOST_ANSWERS: Final = 5_000
_SAMPLES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What is the same for a whole question. `tenants` are those it is about; `weeks` what was worked out of hours.

    `names` says whether accounts and attributes may be told, and not only how many there are.
    """

    within: Surroundings
    places: Mapping[str, PolicyPlace]
    tenants: Sequence[TenantId]
    names: bool
    weeks: dict[tuple[str, str, str], Sequence[bool]] = field(default_factory=dict)
    questions: list[Evaluation] | None = None
    """What there is to ask engines, in the order of the answers that await a word; `None`: they are not asked."""


def who_can(
    server: Server, target: Target, cohorts: Sequence[Cohort], *, asking: Asking
) -> Iterator[JsonObject]:
    """For each agent and each sort of people: whether they can use `target`, on what it depends, or why not."""
    for agent in agents_of(asking):
        for cohort in _users_of(agent, cohorts, asking):
            if server.tenant in {None, cohort.tenant}:
                told = _told(agent, cohort, server, target, asking=asking)
                yield {"agent": agent.id, "agent_name": agent.name, "owner": agent.owner,
                       "class": agent.agent_class.value, **told}  # fmt: skip


def what_can(agent: Agent, cohort: Cohort, *, asking: Asking) -> Iterator[JsonObject]:
    """For everything that the organisation has or shares: whether `agent` can use it for `cohort`."""
    catalog = asking.within.catalog
    for server in catalog.servers.values():
        if server.tenant not in {None, cohort.tenant}:
            continue
        for target in targets_of(server, None):
            yield {
                **thing_told(server, target),
                **_told(agent, cohort, server, target, asking=asking),
            }


def agents_of(asking: Asking) -> Iterator[Agent]:
    """The agents that act in an organisation that is asked about, by name; last, those nobody registered."""
    catalog = asking.within.catalog
    wanted = set(asking.tenants)
    for agent in (*sorted(catalog.agents.values(), key=lambda one: one.id), catalog.unregistered):
        if wanted & set(agent.tenants):
            yield agent


def workload_of(agent: Agent) -> Cohort | None:
    """A workload as who it acts for: itself, in its one organisation."""
    if agent.agent_class is not AgentClass.WORKLOAD or len(agent.tenants) != 1:
        return None
    return Cohort(subject=Subject(kind=SubjectKind.WORKLOAD, id=agent.id, tenant=agent.tenants[0]))


def thing_told(server: Server, target: Target) -> JsonObject:
    """A thing as the catalog has it."""
    facts = target.facts
    return {
        "server": server.name,
        "name": facts.name,
        "kind": facts.kind.value,
        "operation": facts.operation.value,
        "sensitivity": facts.sensitivity.value,
        "environment": facts.environment,
        "scopes": [*target.scopes],
    }


def _users_of(agent: Agent, cohorts: Sequence[Cohort], asking: Asking) -> Iterator[Cohort]:
    if agent.agent_class is AgentClass.WORKLOAD:
        own = workload_of(agent)
        if own is not None and own.tenant in asking.tenants:
            yield own
        return
    for cohort in cohorts:
        if cohort.tenant in agent.tenants and cohort.tenant in asking.tenants:
            yield cohort


def _told(
    agent: Agent, cohort: Cohort, server: Server, target: Target, *, asking: Asking
) -> JsonObject:
    found = prospect(_applicant(agent, cohort, asking), server, target, within=asking.within)
    conditions = [_condition(one, None, phase="issue", asking=asking) for one in found.issue]
    for one in found.conditions:
        steps = _week(one, found, target, asking)
        if steps is not None and all(steps) and _is_weekly(one):
            continue  # Cedar could not tell, but there is no hour at which it stands in the way.
        hours = None if steps is None or found.asked is None else in_words(steps, _zone(found))
        conditions.append(_condition(one, hours, phase="call", asking=asking))
    settled = found.verdict is Verdict.DEPENDS and not conditions and found.engine is None
    return {
        "tenant": cohort.tenant,
        "people": _people(cohort, asking),
        "verdict": Verdict.ALWAYS.value if settled else found.verdict.value,
        "conditions": [*conditions],
        "why": [_why(one, asking) for one in found.obstacles],
        "step_up": [*_step_up(server, target, asking)],
        "engine": found.engine,
        "engine_says": _awaited(found, target, asking),
        "observed": found.observed,
    }


def _awaited(found: Prospect, target: Target, asking: Asking) -> JsonObject | None:
    """The place of what the engine says, where it is asked: unknown until it is."""
    if asking.questions is None or found.engine is None or found.asked is None:
        return None
    question = _to_engine(found.asked, found.engine, target, asking)
    asking.questions.append(question)
    return {
        "answer": "unknown",
        "asked": question.phase.value,
        "rules": [],
        "needs": [],
        "why": None,
    }


def _to_engine(asked: Evaluation, engine: str, target: Target, asking: Asking) -> Evaluation:
    """What a call would ask it, if all its arguments are known; else whether some call may be."""
    known = {**(target.known_arguments or {}), **(asking.within.known or {})}
    is_whole = {one.name for one in target.arguments} <= known.keys()
    return replace(
        asked,
        phase=Phase.CALL if is_whole else Phase.LIST,
        engine=asking.within.catalog.engines[engine],
        context=replace(asked.context, arguments=known if is_whole else None),
    )


def _applicant(agent: Agent, cohort: Cohort, asking: Asking) -> Applicant:
    static = agent.clients.static
    client = static[0].client_id if static else "any-client"
    return Applicant(
        subject=cohort.subject,
        agent=agent,
        client_id=ClientId(client),
        suspended=agent.id in asking.within.standing.suspended_agents,
        ip=asking.within.ip,
    )


def _people(cohort: Cohort, asking: Asking) -> JsonObject:
    if cohort.subject.kind is SubjectKind.WORKLOAD:
        return {"kind": "workload"}
    told: JsonObject = {
        "kind": "accounts" if cohort.names else "role",
        "roles": [*cohort.subject.roles],
        "count": len(cohort.names),
    }
    if asking.names:
        told["names"] = [*cohort.names[:_SAMPLES]]
        told["attributes"] = {**cohort.attributes}
    return told


def _condition(policy: OpenPolicy, hours: str | None, *, phase: str, asking: Asking) -> JsonObject:
    place = asking.places.get(policy.id)
    return {
        "policy": policy.id,
        "effect": policy.effect.value,
        "phase": phase,
        "file": None if place is None else place.file,
        "line": None if place is None else place.line,
        "says": None if place is None else place.refusal,
        "reads": [*policy.reads],
        "hours": hours,
    }


def _week(
    policy: OpenPolicy, found: Prospect, target: Target, asking: Asking
) -> Sequence[bool] | None:
    """When in a week the policy is not in the way; `None` when no week would tell."""
    times = {one for one in policy.reads if one.startswith("context.time")}
    if not times or not times <= WEEKLY or found.asked is None:
        return None
    name = (policy.id, policy.left, _zone(found))
    if name not in asking.weeks:
        within = asking.within
        asking.weeks[name] = open_steps(
            within.policies,
            policy,
            found.asked,
            open_to=within.open_to,
            declared=[one.name for one in target.arguments],
        )
    return asking.weeks[name]


def _is_weekly(policy: OpenPolicy) -> bool:
    return set(policy.reads) <= WEEKLY


def _zone(found: Prospect) -> str:
    return "" if found.asked is None else found.asked.context.time_zone


def _why(obstacle: Obstacle, asking: Asking) -> JsonObject:
    if obstacle.kind != "policy":
        return {"kind": obstacle.kind, "what": obstacle.what}
    place = asking.places.get(obstacle.what)
    said: dict[str, Any] = {
        "kind": "policy",
        "what": f"`{obstacle.what}` forbids it",
        "policy": obstacle.what,
    }
    if place is not None:
        said |= {"file": place.file, "line": place.line, "says": place.refusal}
    return said


def _step_up(server: Server, target: Target, asking: Asking) -> Iterator[str]:
    """The scopes that a client has to ask for besides what the server says is enough to begin with."""
    hierarchy = asking.within.catalog.hierarchy
    if server.baseline_scopes:
        for scope in target.scopes:
            if not any(covers(one, scope, hierarchy) for one in server.baseline_scopes):
                yield scope
