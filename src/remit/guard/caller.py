"""Who calls, on which server, and within which limits: everything but what they call."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from remit.guard.limits import ScopeLimits, is_workload
from remit.guard.token_record import TokenRecord, record_of_token
from remit.guard.world import World
from remit.ids import ScopeName
from remit.model import Agent, Catalog, ExternalEngine, Sensitivity, Server
from remit.policy.evaluation import AgentFacts, Subject, SubjectKind, TokenFacts
from remit.tokens.access_token import AccessToken

__all__ = ["Caller", "Known"]


@dataclass(slots=True)
class Known:
    """What was worked out about a caller. It follows from token, agent and catalog, which never change."""

    effective: tuple[ScopeName, ...] | None = None
    subject: Subject | None = None
    agent: AgentFacts | None = None
    tokens: dict[tuple[ScopeName, ...], TokenFacts] = field(default_factory=dict)
    record: TokenRecord | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A verified token, with what the catalog says now of its agent and its server."""

    token: AccessToken
    agent: Agent
    server: Server
    world: World
    limits: ScopeLimits
    known: Known = field(default_factory=Known, compare=False, repr=False)
    catalog: Catalog = field(init=False, compare=False, repr=False)
    """The catalog of the bundle that decides this caller's calls."""
    engine: ExternalEngine | None = field(init=False, compare=False, repr=False)
    """Who permits this caller's calls outside this process; `None`: the repository's policies."""
    time_zone: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        # Worked out once: a caller is remembered, and asked for them with every call.
        catalog, tenant = self.world.catalog, self.token.organization_id
        object.__setattr__(self, "catalog", catalog)
        object.__setattr__(self, "engine", catalog.engine_for(self.server, tenant))
        object.__setattr__(self, "time_zone", catalog.tenants[tenant].time_zone)

    @property
    def clearance(self) -> Sensitivity:
        """The most sensitive thing this caller may use: the token's word, or less if the agent's file says less."""
        return min(self.token.sensitivity, self.agent.max_sensitivity, key=lambda level: level.rank)

    @property
    def effective(self) -> tuple[ScopeName, ...]:
        """The token's scopes as they count now."""
        known = self.known
        if known.effective is None:
            known.effective = self.limits.effective
        return known.effective

    @property
    def subject(self) -> Subject:
        """The person or workload as policies see it."""
        known, token = self.known, self.token
        if known.subject is None:
            known.subject = Subject(
                kind=SubjectKind.WORKLOAD if is_workload(token) else SubjectKind.USER,
                id=token.sub,
                tenant=token.organization_id,
                roles=token.roles,
                attributes=token.attributes,
            )
        return known.subject

    @property
    def agent_facts(self) -> AgentFacts:
        """The agent as policies see it."""
        known, agent = self.known, self.agent
        if known.agent is None:
            known.agent = AgentFacts(
                id=agent.id,
                agent_class=agent.agent_class,
                owner=agent.owner,
                max_sensitivity=self.clearance,
            )
        return known.agent

    @property
    def token_record(self) -> TokenRecord:
        """What the log keeps of the token."""
        known = self.known
        if known.record is None:
            known.record = record_of_token(self.token)
        return known.record

    def token_facts(self, scopes: Sequence[ScopeName]) -> TokenFacts:
        """The token as policies see it, if it held `scopes`."""
        known, token, held = self.known, self.token, tuple(scopes)
        facts = known.tokens.get(held)
        if facts is None:
            facts = known.tokens[held] = TokenFacts(
                client_id=token.client_id,
                scopes=held,
                acr=token.acr,
                amr=token.amr,
                auth_time=token.auth_time,
                purpose=token.purpose,
            )
        return facts
