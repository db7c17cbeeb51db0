"""What may at most be granted: requested ∩ server ∩ agent ∩ client ∩ person ∩ guardrails, then policy.

The same question is put before consent is asked, when consent is given, when a code
is redeemed and at every refresh: a role that was taken away, or a policy that
changed, bites at the next token. Nothing here widens what was asked.

Refused as a whole: an agent that is suspended, a tenant, an environment or a region that is
not the agent's, the client's or the server's, nothing left, a policy that says no.
Everything else narrows, and says why. Whoever asks beyond a guardrail is told apart
(`Ruling.violations`), because somebody should look at it.

Source: O21 §1.4.1 (scope may be narrower than requested); MISSION B6, B8, B9, E2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from remit.clock import EpochSeconds
from remit.guard.entitlement import WithheldReason, bounds_of, obstacle
from remit.guard.networks import NetworkNames
from remit.guard.observing import as_observed, is_observed, is_refused_by_policy
from remit.guard.temporary_access import TemporaryAccess
from remit.ids import AgentId, ClientId, ScopeName
from remit.model import (
    Agent,
    Catalog,
    ClientBounds,
    Operation,
    ScopeDefinition,
    Sensitivity,
    Server,
)
from remit.policy import (
    AgentFacts,
    Context,
    Decision,
    DecisionPoint,
    Evaluation,
    Phase,
    ResourceFacts,
    ResourceKind,
    RuleEffect,
    Subject,
    TokenFacts,
)
from remit.scopes import environment_named_by, fill

__all__ = [
    "Applicant",
    "Guardrail",
    "Ruling",
    "Violation",
    "Withheld",
    "WithheldReason",
    "agent_named",
    "claims_of",
    "narrow",
    "rule",
]

_NOT_PERMITTED = "no policy permits this agent on this server"


@dataclass(frozen=True, slots=True)
class Withheld:
    """A scope that was asked for and cannot be granted."""

    scope: ScopeName
    reason: WithheldReason


class Guardrail(StrEnum):
    """A limit that holds for everybody, whoever grants what."""

    SCOPES_PER_TOKEN = "scopes_per_token"  # noqa: S105  a limit, not a password
    FORBIDDEN_SCOPE = "forbidden_scope"
    REGION = "region"
    ENVIRONMENT = "environment"
    TENANT = "tenant"
    DELEGATION_DEPTH = "delegation_depth"


@dataclass(frozen=True, slots=True)
class Violation:
    """A guardrail that was asked to give way, and did not."""

    guardrail: Guardrail
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """For whom, and through what, something is to be issued."""

    subject: Subject
    agent: Agent
    client_id: ClientId
    bounds: ClientBounds = ClientBounds()
    """What the client itself was admitted to; whoever builds an applicant of a client passes it on."""
    suspended: bool = False
    acr: str | None = None
    amr: tuple[str, ...] = ()
    auth_time: EpochSeconds | None = None
    ip: str | None = None
    temporary: tuple[TemporaryAccess, ...] = ()
    """What they have for a while on the server in question; the roles among it are `subject`'s already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What may be granted, what may not, and who said so.

    When `refusal` is given nothing may be granted; it is safe to show to the person and the client.
    """

    scopes: tuple[ScopeName, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    refusal: str | None = None
    decision: Decision | None = None
    violations: tuple[Violation, ...] = ()

    @property
    def cut(self) -> tuple[str, ...]:
        """What was withheld, for the log: each scope and, in brackets, why."""
        return tuple(f"{one.scope} ({one.reason})" for one in self.withheld)

    @property
    def rules(self) -> tuple[str, ...]:
        """The policies that took part, for the log; marked as such, those that would have refused."""
        if self.decision is None:
            return ()
        observed = (f"{one.id} (observed)" for one in self.decision.observed)
        return (*(one.id for one in self.decision.rules), *observed)

    @property
    def policy_version(self) -> str | None:
        return None if self.decision is None else self.decision.policy_version


def rule(
    asked: Sequence[ScopeName],
    applicant: Applicant,
    *,
    server: Server,
    catalog: Catalog,
    decisions: DecisionPoint,
    now: EpochSeconds,
) -> Ruling:
    """What of `asked` may be granted to `applicant` on `server`, now."""
    if applicant.suspended:
        return Ruling(refusal=f"agent `{applicant.agent.id}` is suspended")
    foreign = _foreign_place(applicant, server, catalog)
    if foreign is not None:
        return Ruling(refusal=foreign.detail, violations=(foreign,))
    scopes, withheld = narrow(asked, applicant, server=server, catalog=catalog)
    violations = _violations_of(withheld)
    if not scopes:
        refusal = _nothing_left(withheld)
        return Ruling(withheld=withheld, refusal=refusal, violations=violations)
    evaluation = _evaluation(scopes, applicant, server=server, catalog=catalog, now=now)
    decision = decisions.decide(evaluation)
    if is_refused_by_policy(decision) and is_observed(server, applicant.subject.tenant, catalog):
        decision = as_observed(decision)
    refused = None if decision.allowed else _words_of(decision)
    return Ruling(
        scopes=() if refused else scopes,
        withheld=withheld,
        refusal=refused,
        decision=decision,
        violations=violations,
    )


def narrow(
    asked: Sequence[ScopeName], applicant: Applicant, *, server: Server, catalog: Catalog
) -> tuple[tuple[ScopeName, ...], tuple[Withheld, ...]]:
    """What of `asked` no limit is in the way of, before any policy is asked; and what is withheld."""
    claims = claims_of(applicant, server)
    bounds = bounds_of(applicant, server, catalog, claims)
    granted: list[ScopeName] = []
    withheld: list[Withheld] = []
    for wanted in dict.fromkeys(asked):
        scope = fill(wanted, claims)
        reason = WithheldReason.UNFILLED if scope is None else obstacle(scope, bounds)
        named = environment_named_by(scope or wanted, catalog.environments)
        if scope is not None and named not in {None, server.environment}:
            reason = WithheldReason.ENVIRONMENT
        if reason is None and len(granted) >= catalog.guardrails.max_scopes_per_token:
            reason = WithheldReason.TOO_MANY
        if scope is None or reason is not None:
            withheld.append(Withheld(wanted, reason or WithheldReason.UNFILLED))
        elif scope not in granted:
            granted.append(scope)
    return tuple(granted), tuple(withheld)


def agent_named(agent_id: AgentId, catalog: Catalog) -> Agent | None:
    """The agent of that id, the unregistered one included; `None` when the catalog has lost it."""
    if agent_id == catalog.unregistered.id:
        return catalog.unregistered
    return catalog.agents.get(agent_id)


def _foreign_place(applicant: Applicant, server: Server, catalog: Catalog) -> Violation | None:
    """Why this applicant gets nothing on this server, whatever it asks for."""
    subject, agent = applicant.subject, applicant.agent
    if subject.tenant not in catalog.tenants or subject.tenant not in agent.tenants:
        words = f"agent `{agent.id}` may not act in this organisation"
        return Violation(Guardrail.TENANT, words)
    if server.tenant is not None and server.tenant != subject.tenant:
        words = f"server `{server.name}` belongs to another organisation"
        return Violation(Guardrail.TENANT, words)
    if server.environment not in agent.environments:
        words = f"agent `{agent.id}` may not act in environment `{server.environment}`"
        return Violation(Guardrail.ENVIRONMENT, words)
    if applicant.bounds.environment not in {None, server.environment}:
        words = f"this client may not act in environment `{server.environment}`"
        return Violation(Guardrail.ENVIRONMENT, words)
    if agent.regions and server.region not in agent.regions:
        # A server that does not say where its data lives is in none of them.
        words = f"agent `{agent.id}` may not use servers of region `{server.region or 'unknown'}`"
        return Violation(Guardrail.REGION, words)
    return None


def _violations_of(withheld: Sequence[Withheld]) -> tuple[Violation, ...]:
    found: list[Violation] = []
    for reason, guardrail, words in (
        (WithheldReason.FORBIDDEN, Guardrail.FORBIDDEN_SCOPE, "no agent may hold"),
        (WithheldReason.TOO_MANY, Guardrail.SCOPES_PER_TOKEN, "more than a token may say"),
    ):
        scopes = [one.scope for one in withheld if one.reason is reason]
        if scopes:
            names = ", ".join(f"`{scope}`" for scope in scopes)
            found.append(Violation(guardrail, f"{words}: {names}"))
    return tuple(found)


def claims_of(applicant: Applicant, server: Server) -> Mapping[str, str]:
    """What placeholders are filled from. Our own words win over a person's attributes."""
    return MappingProxyType(
        {
            **applicant.subject.attributes,
            "agent_id": applicant.agent.id,
            "environment": server.environment,
            "organization_id": applicant.subject.tenant,
        }
    )


def _evaluation(
    scopes: tuple[ScopeName, ...],
    applicant: Applicant,
    *,
    server: Server,
    catalog: Catalog,
    now: EpochSeconds,
) -> Evaluation:
    agent = applicant.agent
    definitions = _definitions(scopes, applicant, server, catalog)
    return Evaluation(
        phase=Phase.ISSUE,
        subject=applicant.subject,
        agent=AgentFacts(
            id=agent.id,
            agent_class=agent.agent_class,
            owner=agent.owner,
            max_sensitivity=agent.max_sensitivity,
        ),
        token=TokenFacts(
            client_id=applicant.client_id,
            scopes=scopes,
            acr=applicant.acr,
            amr=applicant.amr,
            auth_time=applicant.auth_time,
            purpose=agent.purpose,
        ),
        resource=ResourceFacts(
            kind=ResourceKind.SERVER,
            server=server.name,
            name=server.name,
            tenant=server.tenant,
            environment=server.environment,
            operation=Operation.READ,
            sensitivity=max(
                (one.sensitivity for one in definitions),
                key=lambda sensitivity: sensitivity.rank,
                default=Sensitivity.LOW,
            ),
            data_categories=tuple(
                sorted({category for one in definitions for category in one.data_categories})
            ),
            owner=server.owner,
            region=server.region,
        ),
        context=Context(
            now=now,
            time_zone=catalog.tenants[applicant.subject.tenant].time_zone,
            ip=applicant.ip,
            networks=NetworkNames(catalog.networks).of(applicant.ip),
        ),
    )


def _definitions(
    scopes: tuple[ScopeName, ...], applicant: Applicant, server: Server, catalog: Catalog
) -> list[ScopeDefinition]:
    claims = claims_of(applicant, server)
    return [one for name, one in catalog.scopes.items() if fill(name, claims) in scopes]


def _nothing_left(withheld: tuple[Withheld, ...]) -> str:
    reasons = {one.reason for one in withheld}
    if reasons == {WithheldReason.PERSON}:
        return "your roles allow none of the requested scopes"
    if reasons == {WithheldReason.AGENT}:
        return "the agent may hold none of the requested scopes"
    if reasons == {WithheldReason.CLIENT}:
        return "the client was admitted to none of the requested scopes"
    if reasons == {WithheldReason.ELEVATED}:
        return "the requested scopes are given to one call at a time"
    if reasons == {WithheldReason.ON_REQUEST}:
        return "the agent has the requested scopes on request alone"
    return "none of the requested scopes may be granted"


def _words_of(decision: Decision) -> str:
    """The refusal that the determining policies give, in their own words where they have any."""
    spoken = [
        one.message for one in decision.rules if one.effect is RuleEffect.FORBID and one.message
    ]
    return "; ".join(spoken) if spoken else _NOT_PERMITTED
