"""The nearest change that would let a refused call through: single ones, each of them tried.

Nothing is inferred. A change is named only when the call, decided once more with that change and
nothing else, is allowed. What is tried is bounded: every role, every policy that forbade it, three
strengths of log-in, a day of quarter hours. Two changes at once are not tried, but for the one that the
first makes necessary: whoever gets a role or a scope in a file has to authorize again.

Source: MISSION H3.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from remit.clock import EpochSeconds
from remit.guard.denial import is_for_people
from remit.guard.elevations import Elevated
from remit.guard.justification import JUSTIFICATION_KEY
from remit.guard.limits import ScopeLimits, is_workload, scope_limits
from remit.guard.reconsider import Scenario, UnansweredError, reconsider
from remit.guard.refusal import Refusal
from remit.guard.standing import agent_of
from remit.guard.target import Target
from remit.ids import ScopeName, UserId
from remit.model import ACR_PHISHING_RESISTANT, Agent, Catalog, Role
from remit.policy.decision_point import DecisionPoint
from remit.policy.obligation import ObligationKind

__all__ = ["Change", "Window", "nearest_changes", "open_hours"]

_QUARTER: Final = 900
_DAY: Final = 86_400
_MINUTE: Final = 60
_SOME_REASON: Final = "some reason"
"""For policies that only want one. Whoever compares it with words of their own is not met by this."""

_AFTER_AUTHORIZING: Final = frozenset({"agent", "role", "role-file"})

Allows = Callable[[Scenario], bool]


@dataclass(frozen=True, slots=True)
class Change:
    """`kind` for programs; `what` would have to be otherwise; `how` it comes about."""

    kind: str
    what: str
    how: str


@dataclass(frozen=True, slots=True)
class Window:
    """From one instant until another, to the minute; `until` is not in it any more."""

    since: EpochSeconds
    until: EpochSeconds


def nearest_changes(
    scenario: Scenario,
    target: Target,
    *,
    allows: Allows,
    lifted: Mapping[str, DecisionPoint],
    strengths: Sequence[str],
) -> tuple[list[Change], int]:
    """The single changes after which `allows` says yes, the gentlest first, and how many were tried.

    `lifted` are the policies in force, each time without the one of that id; `strengths` the `acr` values,
    weakest first.
    """
    found: list[Change] = []
    tried = 0
    for change, changed in _candidates(scenario, target, lifted=lifted, strengths=strengths):
        # Where to authorize again is enough, nothing else that also takes it is nearer.
        if change.kind in _AFTER_AUTHORIZING and any(one.kind == "authorize" for one in found):
            continue
        tried += 1
        if allows(changed):
            found.append(change)
    return found, tried


def open_hours(scenario: Scenario, *, allows: Allows) -> Window | None:
    """When, in the day after the call, it would first have been allowed at another time alone."""

    def at(now: int) -> bool:
        return allows(replace(scenario, now=EpochSeconds(now)))

    start = scenario.now - scenario.now % _MINUTE
    instants = range(start + _QUARTER, start + _DAY + 1, _QUARTER)
    first = next((one for one in instants if at(one)), None)
    if first is None:
        return None
    last = next((one for one in range(first, start + _DAY + 1, _QUARTER) if not at(one)), None)
    since = _edge(first - _QUARTER, first, at)
    until = start + _DAY if last is None else _edge(last - _QUARTER, last, lambda now: not at(now))
    return Window(EpochSeconds(since), EpochSeconds(until))


def _edge(before: int, after: int, holds: Callable[[int], bool]) -> int:
    """The first whole minute after `before` at which `holds`, which it does at `after`."""
    while after - before > _MINUTE:
        middle = (before + after) // 2 // _MINUTE * _MINUTE
        if holds(middle):
            after = middle
        else:
            before = middle
    return after


def _candidates(
    scenario: Scenario,
    target: Target,
    *,
    lifted: Mapping[str, DecisionPoint],
    strengths: Sequence[str],
) -> Iterator[tuple[Change, Scenario]]:
    agent = agent_of(scenario.token, scenario.catalog)
    if agent is None:
        return
    limits = scope_limits(scenario.token, agent, scenario.catalog)
    required = limits.required(target.scopes) or ()
    missing = tuple(scope for scope in required if not limits.holds(scope))
    yield from _of_standing(scenario)
    if missing:
        words = " ".join(missing)
        what = f"the token also covers `{words}`"
        how = "the client authorizes again for it, and the person consents"
        yield Change("authorize", what, how), _with_scopes(scenario, missing)
    if scenario.call.justification is None:
        how = f'the agent says it in `_meta["{JUSTIFICATION_KEY}"]` of the request'
        said = replace(scenario.call, justification=_SOME_REASON)
        yield Change("justification", "the call says why", how), replace(scenario, call=said)
    yield from _of_people(scenario)
    yield from _of_log_in(scenario, strengths)
    yield from _of_roles(scenario, missing)
    yield from _of_files(scenario, agent, target, missing=missing, limits=limits)
    key = (target.facts.server, target.facts.kind, target.facts.name)
    if key in scenario.definitions.quarantined:
        admitted = replace(
            scenario.definitions, quarantined=scenario.definitions.quarantined - {key}
        )
        what = "its changed definition is admitted"
        yield (
            Change("review", what, "look at the change: remit servers review"),
            replace(scenario, definitions=admitted),
        )
    for policy, decisions in lifted.items():
        what = f"the policy `{policy}` does not forbid it"
        yield (
            Change("policy", what, "change the policy, with a second person's review"),
            replace(scenario, decisions=decisions),
        )


def _of_standing(scenario: Scenario) -> Iterator[tuple[Change, Scenario]]:
    """What was stopped or revoked, and still is."""
    token, standing = scenario.token, scenario.standing
    user = UserId(token.sub)
    if token.agent_id in standing.suspended_agents:
        agents = standing.suspended_agents - {token.agent_id}
        yield (
            Change("resume", f"the agent `{token.agent_id}` is not suspended", f"remit agents resume {token.agent_id}"),
            replace(scenario, standing=replace(standing, suspended_agents=agents)),
        )  # fmt: skip
    if user in standing.disabled_users:
        users = standing.disabled_users - {user}
        yield (
            Change("enable", "the person is not locked out", f"remit users enable {token.sub}"),
            replace(scenario, standing=replace(standing, disabled_users=users)),
        )
    if token.client_id in standing.disabled_clients:
        clients = standing.disabled_clients - {token.client_id}
        yield (
            Change("enable", f"the client `{token.client_id}` is not disabled", f"remit clients enable {token.client_id}"),
            replace(scenario, standing=replace(standing, disabled_clients=clients)),
        )  # fmt: skip
    if token.grant_id in standing.revoked_grants:
        grants = standing.revoked_grants - {token.grant_id}
        yield (
            Change("authorize", "the grant is not revoked", "the client authorizes anew"),
            replace(scenario, standing=replace(standing, revoked_grants=grants)),
        )


def _of_people(scenario: Scenario) -> Iterator[tuple[Change, Scenario]]:
    """That people say yes to all that is wanting."""
    try:
        verdict = reconsider(scenario)
    except UnansweredError:
        return
    if not isinstance(verdict, Refusal) or not is_for_people(verdict):
        return
    needed = {
        kind: tuple(one.value for one in verdict.needs if one.kind is kind)
        for kind in ObligationKind
    }
    roles = needed[ObligationKind.REQUIRE_APPROVAL]
    alone = len(roles) < len(verdict.needs)
    elevated = Elevated(
        id="",
        grant_id="",
        roles=roles,
        acr=ACR_PHISHING_RESISTANT if alone else None,
        confirmed_at=scenario.now if alone else None,
        scopes=tuple(map(ScopeName, needed[ObligationKind.REQUIRE_SCOPE])),
    )
    parts = ["the person confirms this very call"] if alone else []
    parts += [f"somebody with the role `{role}` approves it" for role in dict.fromkeys(roles)]
    how = "the agent repeats the call, and they are asked"
    yield Change("people", ", and ".join(parts), how), replace(scenario, elevated=elevated)


def _of_log_in(scenario: Scenario, strengths: Sequence[str]) -> Iterator[tuple[Change, Scenario]]:
    """The person logs in again, as they did or more strongly."""
    token = scenario.token
    if is_workload(token):
        return
    how = "the client authorizes again, and asks for it with `acr_values`"
    stronger = strengths[strengths.index(token.acr) + 1 :] if token.acr in strengths else strengths
    fresh = replace(token, auth_time=scenario.now)
    if token.auth_time != scenario.now:
        what = "the person has just logged in"
        yield Change("log-in", what, "the client authorizes again, with `max_age`"), replace(scenario, token=fresh)  # fmt: skip
    for acr in stronger:
        amr = tuple(dict.fromkeys((*token.amr, "mfa")))
        proved = replace(fresh, acr=acr, amr=amr)
        yield (
            Change("acr", f"the person logged in with `{acr}`", how),
            replace(scenario, token=proved),
        )


def _of_roles(
    scenario: Scenario, missing: tuple[ScopeName, ...]
) -> Iterator[tuple[Change, Scenario]]:
    """The person holds one role more."""
    token = scenario.token
    if is_workload(token):
        return
    for name in sorted(set(scenario.catalog.roles) - set(token.roles)):
        widened = _with_scopes(scenario, missing)
        held = replace(widened.token, roles=(*token.roles, name))
        how = f"remit users change {token.sub} --role {name}, and authorize again"
        yield (
            Change("role", f"the person holds the role `{name}`", how),
            replace(widened, token=held),
        )


def _of_files(
    scenario: Scenario,
    agent: Agent,
    target: Target,
    *,
    missing: tuple[ScopeName, ...],
    limits: ScopeLimits,
) -> Iterator[tuple[Change, Scenario]]:
    """One thing more in a file of the policy repository; the token is issued anew."""
    catalog, token = scenario.catalog, scenario.token
    file = f"agents/{agent.id}.yaml"
    widened = _with_scopes(scenario, missing)
    if missing:
        words = " ".join(f"`{scope}`" for scope in missing)
        more = replace(agent, scopes=(*agent.scopes, *missing))
        what = f"{file} lists {words} among its `scopes`"
        yield (
            Change("agent", what, "change the file, reload, and authorize again"),
            replace(widened, catalog=_with_agent(catalog, more)),
        )
        for name in token.roles:
            role = catalog.roles.get(name)
            if role is not None and limits.person is not None:
                yield (
                    Change("role-file", f"the role `{name}` covers {words}", "change roles.yaml, reload, and authorize again"),
                    replace(widened, catalog=_with_role(catalog, replace(role, scopes=(*role.scopes, *missing)))),
                )  # fmt: skip
    level = target.sensitivity
    if level.rank > min(agent.max_sensitivity.rank, token.sensitivity.rank):
        cleared = replace(agent, max_sensitivity=level)
        yield (
            Change("clearance", f"{file} says `max_sensitivity: {level.value}`", "change the file, reload, and authorize again"),
            replace(scenario, catalog=_with_agent(catalog, cleared), token=replace(token, sensitivity=level)),
        )  # fmt: skip
    environment = target.facts.environment
    if environment not in agent.environments:
        there = replace(agent, environments=(*agent.environments, environment))
        yield (
            Change("environment", f"{file} lists `{environment}` among its `environments`", "change the file, reload, and authorize again"),
            replace(scenario, catalog=_with_agent(catalog, there), token=replace(token, environment=environment)),
        )  # fmt: skip


def _with_scopes(scenario: Scenario, scopes: tuple[ScopeName, ...]) -> Scenario:
    token = scenario.token
    return replace(scenario, token=replace(token, scopes=(*token.scopes, *scopes)))


def _with_agent(catalog: Catalog, agent: Agent) -> Catalog:
    if agent.id == catalog.unregistered.id:
        return replace(catalog, unregistered=agent)
    return replace(catalog, agents=MappingProxyType({**catalog.agents, agent.id: agent}))


def _with_role(catalog: Catalog, role: Role) -> Catalog:
    return replace(catalog, roles=MappingProxyType({**catalog.roles, role.name: role}))
