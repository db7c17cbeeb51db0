"""What somebody could do with a thing, before anybody calls: always, or depending on what, or never and why.

Nothing is tried at a server and nothing is recorded. A token is made as issuance would make it, for
the scopes the thing takes (`issuance.rule`), and the guard's own ladder is asked what it would show
(`reconsider`). Only policies are asked otherwise than in a call: with everything open that nobody
knows before one comes, so that each of them permits for sure, forbids for sure, or depends.

Where an external engine permits, whether it does is not told here: this repository's `forbid`s are.

Source: MISSION B6, H3; docs/guides/who-can.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from remit.audit.context import Context, Network
from remit.clock import Clock, EpochSeconds
from remit.guard.call import Call
from remit.guard.definitions import Definitions
from remit.guard.issuance import Applicant, Ruling, WithheldReason, rule
from remit.guard.ladder import Shown
from remit.guard.observing import is_observed
from remit.guard.outcome import RefusalReason
from remit.guard.ports import Standing
from remit.guard.reconsider import Scenario, listing
from remit.guard.refusal import Refusal
from remit.guard.target import Target
from remit.ids import GrantId, ScopeName
from remit.model import MANAGEMENT, Catalog, Sensitivity, Server
from remit.policy.decision import Decision, DecisionOutcome, DecisionReason, MatchedRule, RuleEffect
from remit.policy.decision_point import DecisionPoint
from remit.policy.evaluation import ArgumentValue, Evaluation, ResourceFacts
from remit.policy.unsettled import Attribute, OpenPolicies, OpenPolicy, Unsettled
from remit.tokens.access_token import AccessToken

__all__ = ["Obstacle", "Prospect", "Surroundings", "Verdict", "external_engine", "prospect"]

_LIFETIME: Final = 600
_WITHHELD: Final[Mapping[WithheldReason, str]] = MappingProxyType(
    {
        WithheldReason.NOT_ON_SERVER: "nothing on the server takes it",
        WithheldReason.AGENT: "the agent's file does not have it",
        WithheldReason.CLIENT: "the client was not admitted to it",
        WithheldReason.PERSON: "no role of theirs brings it",
        WithheldReason.UNFILLED: "nothing is known that would fill it",
        WithheldReason.ENVIRONMENT: "it is for another environment",
        WithheldReason.FORBIDDEN: "a guardrail forbids it",
        WithheldReason.ELEVATED: "it is given to one call at a time",
        WithheldReason.TOO_MANY: "a token may not say so many",
        WithheldReason.ON_REQUEST: "the agent would have to ask for it first, for a while",
    }
)


class Verdict(StrEnum):
    """`DEPENDS`: on what nobody knows before the call comes."""

    ALWAYS = "always"
    DEPENDS = "depends"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why not: `kind` is a stable word, `what` says it; no secret."""

    kind: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What may become of calls of one thing.

    `conditions` are the policies that might still refuse; `issue` those of them that might refuse the
    token already. `engine` is what has to permit it besides. `observed`: policies refuse nothing, by `mode`.
    `asked` is what policies were asked last; `None` when they were not come to.
    """

    verdict: Verdict
    obstacles: tuple[Obstacle, ...] = ()
    conditions: tuple[OpenPolicy, ...] = ()
    issue: tuple[OpenPolicy, ...] = ()
    engine: str | None = None
    observed: bool = False
    asked: Evaluation | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """All that is the same for everybody who is asked about.

    `open_to` is what is not known; of the arguments, `known` are. `now` counts where the time is known.
    """

    catalog: Catalog
    policies: OpenPolicies
    version: str
    standing: Standing
    definitions: Definitions
    clock: Clock
    now: EpochSeconds
    open_to: frozenset[Attribute]
    ip: str | None = None
    known: Mapping[str, ArgumentValue] | None = None


def prospect(
    applicant: Applicant, server: Server, target: Target, *, within: Surroundings
) -> Prospect:
    """What may become of calls of `target` by whoever `applicant` is."""
    issuing = _Open(within)
    ruling = rule(
        target.scopes or server.scopes,
        applicant,
        server=server,
        catalog=within.catalog,
        decisions=DecisionPoint(issuing, within.clock),
        now=within.now,
    )
    refused = _refused_token(ruling, target, issuing)
    engine = external_engine(applicant, server, within.catalog)
    if refused:
        return Prospect(verdict=Verdict.NEVER, obstacles=refused, engine=engine)
    calling = _Open(within, permits=engine is None, target=target)
    scenario = _scenario(applicant, server, target, scopes=ruling.scopes, within=within)
    shown = listing(replace(scenario, decisions=DecisionPoint(calling, within.clock)))
    said = calling.latest
    listed = isinstance(shown, Shown) and any(one.facts == target.facts for one in shown.targets)
    if not listed:
        obstacles = _obstacles(applicant, target, shown, said=said, within=within)
        return Prospect(verdict=Verdict.NEVER, obstacles=obstacles, engine=engine)
    issue = () if issuing.latest is None else issuing.latest.in_the_way
    conditions = () if said is None else _in_the_way(said, permits=engine is None)
    observed = is_observed(server, applicant.subject.tenant, within.catalog)
    sure = not issue and not engine and (observed or not conditions)
    return Prospect(
        verdict=Verdict.ALWAYS if sure else Verdict.DEPENDS,
        conditions=conditions,
        issue=issue,
        engine=engine,
        observed=observed,
        asked=calling.asked,
    )


def external_engine(applicant: Applicant, server: Server, catalog: Catalog) -> str | None:
    """The engine elsewhere that permits such calls; `None` when this repository's policies do."""
    if server.name == MANAGEMENT.name:
        return None
    tenant = catalog.tenants.get(applicant.subject.tenant)
    return server.engine or (None if tenant is None else tenant.engine)


class _Open:
    """A policy engine that refuses only what is refused whatever is not known, and keeps what it found.

    `permits` says whether these policies are what permits; else they only forbid. With a `target` it
    answers of that alone: of everything else it says no.
    """

    def __init__(
        self, within: Surroundings, *, permits: bool = True, target: Target | None = None
    ) -> None:
        self._within = within
        self._permits = permits
        self._target = target
        self.latest: Unsettled | None = None
        """What was found; `None` when policies were not come to."""
        self.asked: Evaluation | None = None

    @property
    def version(self) -> str:
        return self._within.version

    def history_read(self, resource: ResourceFacts) -> frozenset[str]:
        """None: what was done before is among what nobody knows."""
        del resource
        return frozenset()

    def evaluate(self, evaluation: Evaluation) -> Decision:
        within, target = self._within, self._target
        if target is not None and evaluation.resource != target.facts:
            return self._decision(RuleEffect.FORBID, ())
        self.asked = evaluation
        said = self.latest = within.policies.settle(
            evaluation,
            open_to=within.open_to,
            known=None if target is None else within.known,
            declared=None if target is None else [one.name for one in target.arguments],
        )
        if said.errors:
            return self._decision(RuleEffect.FORBID, (), errors=said.errors)
        if said.forbids or (self._permits and said.refused):
            return self._decision(RuleEffect.FORBID, said.forbids)
        might = tuple(one.id for one in said.might if one.effect is RuleEffect.PERMIT)
        return self._decision(RuleEffect.PERMIT, (*said.permits, *might) or ("elsewhere",))

    def _decision(
        self, effect: RuleEffect, rules: Sequence[str], errors: tuple[str, ...] = ()
    ) -> Decision:
        permits = effect is RuleEffect.PERMIT
        if permits:
            reason = DecisionReason.PERMITTED
        elif errors:
            reason = DecisionReason.ENGINE_ERROR
        else:
            reason = DecisionReason.FORBIDDEN if rules else DecisionReason.NO_PERMIT
        return Decision(
            outcome=DecisionOutcome.ALLOW if permits else DecisionOutcome.DENY,
            reason=reason,
            rules=tuple(MatchedRule(id=name, effect=effect) for name in rules),
            policy_version=self.version,
            engine="cedar",
            errors=errors,
        )


def _in_the_way(said: Unsettled, *, permits: bool) -> tuple[OpenPolicy, ...]:
    if permits:
        return said.in_the_way
    return tuple(one for one in said.might if one.effect is RuleEffect.FORBID)


def _refused_token(ruling: Ruling, target: Target, issuing: _Open) -> tuple[Obstacle, ...]:
    """Why no token would be issued for what `target` takes; nothing when one would."""
    held = [one for one in ruling.withheld if one.scope in target.scopes]
    if held:
        return tuple(
            Obstacle(one.reason.value, f"`{one.scope}`: {_WITHHELD[one.reason]}") for one in held
        )
    if ruling.decision is not None and not ruling.decision.allowed:
        return _of_policies(issuing.latest, "no policy permits a token for this server")
    if ruling.refusal is not None:
        kind = ruling.violations[0].guardrail.value if ruling.violations else "refused"
        return (Obstacle(kind, ruling.refusal),)
    return ()


def _obstacles(
    applicant: Applicant,
    target: Target,
    shown: Shown | Refusal,
    *,
    said: Unsettled | None,
    within: Surroundings,
) -> tuple[Obstacle, ...]:
    """Why the ladder does not show `target` to whoever has the token for it."""
    if isinstance(shown, Refusal):
        return (Obstacle(shown.truth.value, shown.detail),)
    facts, clearance = target.facts, applicant.agent.max_sensitivity
    if (facts.server, facts.kind, facts.name) in within.definitions.quarantined:
        what = "its definition was changed and waits for review"
        return (Obstacle(RefusalReason.QUARANTINED.value, what),)
    if _is_above(target.sensitivity, clearance):
        what = f"it is {target.sensitivity.value}, and the agent may use what is {clearance.value} at most"
        return (Obstacle(RefusalReason.ABOVE_CLEARANCE.value, what),)
    if said is None:
        return (Obstacle(RefusalReason.INSUFFICIENT_SCOPE.value, "no token of theirs reaches it"),)
    return _of_policies(said, "no policy permits it")


def _of_policies(said: Unsettled | None, otherwise: str) -> tuple[Obstacle, ...]:
    if said is not None and said.errors:
        return (Obstacle(RefusalReason.ENGINE_ERROR.value, "a policy fails, which refuses it"),)
    if said is not None and said.forbids:
        return tuple(Obstacle("policy", name) for name in said.forbids)
    return (Obstacle("no_permit", otherwise),)


def _is_above(sensitivity: Sensitivity, clearance: Sensitivity) -> bool:
    return sensitivity.rank > clearance.rank


def _scenario(
    applicant: Applicant,
    server: Server,
    target: Target,
    *,
    scopes: tuple[ScopeName, ...],
    within: Surroundings,
) -> Scenario:
    """A list of the thing's kind, asked for with the token that issuance would give."""
    return Scenario(
        call=Call(
            server=server.name,
            method="",
            authorization=(),
            context=Context(network=Network(ip=within.ip)),
            kind=target.facts.kind,
        ),
        token=_token(applicant, server, scopes, within.now),
        catalog=_by_itself(within.catalog, applicant, server),
        standing=within.standing,
        definitions=within.definitions,
        decisions=DecisionPoint(_Open(within), within.clock),
        now=within.now,
    )


def _token(
    applicant: Applicant, server: Server, scopes: tuple[ScopeName, ...], now: EpochSeconds
) -> AccessToken:
    subject, agent = applicant.subject, applicant.agent
    return AccessToken(
        iss="",
        sub=subject.id,
        aud="",
        client_id=applicant.client_id,
        jti="",
        iat=now,
        exp=EpochSeconds(now + _LIFETIME),
        scopes=scopes,
        grant_id=GrantId(""),
        agent_id=agent.id,
        organization_id=subject.tenant,
        environment=server.environment,
        sensitivity=agent.max_sensitivity,
        roles=subject.roles,
        attributes=subject.attributes,
        purpose=agent.purpose,
        acr=applicant.acr,
        amr=applicant.amr,
        auth_time=applicant.auth_time,
    )


def _by_itself(catalog: Catalog, applicant: Applicant, server: Server) -> Catalog:
    """`catalog` in which nobody proves a key and no engine elsewhere is asked: both show when a call comes."""
    agent, tenant = applicant.agent, catalog.tenants[applicant.subject.tenant]
    agents, servers = dict(catalog.agents), dict(catalog.servers)
    unregistered = catalog.unregistered
    if agent.id in agents:
        agents[agent.id] = replace(agent, dpop_required=False)
    else:
        unregistered = replace(agent, dpop_required=False)
    if server.name in servers:
        servers[server.name] = replace(server, dpop_required=False, engine=None)
    return replace(
        catalog,
        agents=MappingProxyType(agents),
        servers=MappingProxyType(servers),
        tenants=MappingProxyType({**catalog.tenants, tenant.id: replace(tenant, engine=None)}),
        unregistered=unregistered,
    )
