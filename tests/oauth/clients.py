"""A small world for the clients half: a catalog made by hand, a log, keys, a host of metadata documents."""

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType

import httpx2
from starlette.applications import Starlette

from remit.audit.events import Event
from remit.clock import EpochSeconds, Seconds
from remit.db import Database
from remit.guard.ports import Standing
from remit.ids import (
    AgentId,
    ClientId,
    GrantId,
    ScopeName,
    ServerName,
    TenantId,
    digest,
    new_id,
    new_secret,
)
from remit.model import (
    Agent,
    AgentClass,
    AgentClients,
    Catalog,
    Environment,
    Guardrails,
    HttpUpstream,
    Issuer,
    Operation,
    Registration,
    Role,
    ScopeDefinition,
    Sensitivity,
    Server,
    StaticClient,
    Tenant,
    Tool,
)
from remit.oauth import OAuthDeps, credential_store, grant_store, routes
from remit.oauth.grant import Grant, GrantKind, RefreshToken
from remit.policy import CedarEngine, DecisionPoint, PolicySource
from remit.registry import RegistryDirectory
from remit.testing import FixedClock, InMemoryAuditLog
from remit.testing.document_host import DocumentHost
from remit.tokens import AccessToken, KeySet, SigningKey, TokenVerifier, mint
from remit.tokens.published_keys import PublishedKeys
from remit.web import site_at

PUBLIC_URL = "https://remit.example"
ACME = TenantId("acme")
PROD = Environment("prod")
READ, WRITE, PURGE = (ScopeName(f"crm:accounts.{name}") for name in ("read", "write", "purge"))
PLACEHOLDER = ScopeName("tenant:read:{organization_id}")
SECRETS = {"env:BILLING_SECRET": "billing's secret: 100% + more", "env:REPORTS_SECRET": "reports"}
_PERMIT_ALL = PolicySource(
    text='@id("all") permit(principal, action, resource);', filename="all.cedar"
)


def _tool(scope: ScopeName) -> Tool:
    return Tool(
        name=scope.rpartition(".")[2],
        operation=Operation.READ,
        scopes=(scope,),
        sensitivity=Sensitivity.LOW,
    )


def _server() -> Server:
    return Server(
        name=ServerName("crm"),
        title="Customers",
        owner="crm@acme.example",
        tenant=None,
        environment=PROD,
        upstream=HttpUpstream(url="http://127.0.0.1:1/mcp"),
        tools=MappingProxyType({tool.name: tool for tool in (_tool(READ), _tool(WRITE))}),
        baseline_scopes=(READ,),
    )


def _agent(name: str, agent_class: AgentClass, clients: AgentClients) -> Agent:
    return Agent(
        id=AgentId(name),
        name=name,
        owner="owner@acme.example",
        agent_class=agent_class,
        scopes=(READ, WRITE),
        environments=(PROD,),
        tenants=(ACME,),
        clients=clients,
    )


def _job(name: str, client_id: str, secret: str) -> Agent:
    client = StaticClient(
        client_id=client_id,
        name=name,
        grant_types=("client_credentials", "refresh_token"),
        secret=secret,
    )
    return _agent(name, AgentClass.WORKLOAD, AgentClients(static=(client,)))


def _agents() -> dict[AgentId, Agent]:
    desk = StaticClient(client_id="desk", name="Desk", redirect_uris=("https://desk.example/cb",))
    assistant = AgentClients(
        static=(desk,),
        metadata_documents=("https://client.example/meta",),
        dynamic_redirect_uris=("http://localhost/callback",),
    )
    agents = (
        _agent("support-assistant", AgentClass.ASSISTANT, assistant),
        _job("billing-job", "billing:job", "env:BILLING_SECRET"),
        _job("reports-job", "reports", "env:REPORTS_SECRET"),
    )
    return {agent.id: agent for agent in agents}


def small_catalog() -> Catalog:
    """One server, one organisation, three agents; registration open, `cursor:` admitted."""
    return Catalog(
        version="0" * 64,
        issuer=Issuer(name="Remit", access_token_lifetime=Seconds(600)),
        tenants=MappingProxyType({ACME: Tenant(id=ACME, name="Acme", time_zone="UTC")}),
        environments=(PROD,),
        guardrails=Guardrails(forbidden_scopes=(PURGE,)),
        registration=Registration(redirect_uri_schemes=("cursor",)),
        servers=MappingProxyType({ServerName("crm"): _server()}),
        scopes=MappingProxyType(
            {
                name: ScopeDefinition(name=name, title=name, description=f"what {name} allows")
                for name in (WRITE, READ, PURGE, PLACEHOLDER)
            }
        ),
        hierarchy=MappingProxyType({}),
        roles=MappingProxyType({"support": Role(name="support", scopes=(READ, WRITE))}),
        attribute_rules=(),
        agents=MappingProxyType(_agents()),
        unregistered=_agent("unregistered", AgentClass.UNREGISTERED, AgentClients()),
    )


@dataclass
class World:
    """The authorization server over one database, and what stands around it."""

    deps: OAuthDeps
    database: Database
    audit: InMemoryAuditLog
    clock: FixedClock
    directory: RegistryDirectory
    documents: DocumentHost
    http: httpx2.AsyncClient
    published: list[EpochSeconds]

    def admit(self, **registration) -> None:
        """Put another `registration` section in force."""
        catalog = self.directory.catalog
        self.directory.replace_catalog(
            replace(catalog, registration=replace(catalog.registration, **registration))
        )

    def declare(self, **catalog) -> None:
        """Put another catalog in force."""
        self.directory.replace_catalog(replace(self.directory.catalog, **catalog))

    def stand(self, **standing) -> None:
        """Put another standing in force."""
        self.directory.publish(replace(self.directory.standing, **standing))

    def grant(self, client_id: str = "billing:job", **changes) -> Grant:
        """Store a live grant of `client_id`."""
        return plant_grant(self, client_id, **changes)

    def access_token(self, grant: Grant, **changes) -> str:
        """A signed access token of `grant`, good for ten minutes."""
        return access_token(self, grant, **changes)

    def refresh_token(self, grant: Grant, **changes) -> str:
        """A stored refresh token of `grant`, good for an hour."""
        return refresh_token(self, grant, **changes)

    def kinds(self) -> list[str]:
        """What the log holds, in order."""
        return [event.kind for event in self.audit.events]

    def only(self, kind: type[Event]) -> Event:
        """The one event of a class."""
        (event,) = self.audit.of(kind)
        return event


@asynccontextmanager
async def small_world(database_url: str, clock: FixedClock):
    """The authorization server at `PUBLIC_URL`, spoken to through `world.http`."""
    catalog, audit = small_catalog(), InMemoryAuditLog()
    directory = RegistryDirectory(catalog, Standing(as_of=clock.now()))
    keys = KeySet([SigningKey.generate(clock.now())])
    published: list[EpochSeconds] = []

    async def publish() -> None:
        published.append(clock.now())

    async def read_session(request):
        return None

    database = Database.open(database_url, recorder=audit)
    try:
        async with DocumentHost() as documents:
            deps = OAuthDeps(
                database=database,
                audit=audit,
                directory=directory,
                keys=keys,
                verifier=TokenVerifier(keys, PUBLIC_URL, clock),
                decisions=DecisionPoint(CedarEngine.load([_PERMIT_ALL], catalog), clock),
                clock=clock,
                site=site_at(PUBLIC_URL),
                read_session=read_session,
                resolve_secret=lambda reference: SECRETS[reference],
                fetch=documents.fetcher().fetch,
                client_keys=PublishedKeys(documents.fetcher().fetch, clock),
                issuer_keys=PublishedKeys(documents.fetcher().fetch, clock),
                publish=publish,
            )
            transport = httpx2.ASGITransport(
                Starlette(routes=routes(deps)), client=("198.51.100.7", 4711)
            )
            async with httpx2.AsyncClient(transport=transport, base_url=PUBLIC_URL) as http:
                yield World(deps, database, audit, clock, directory, documents, http, published)
    finally:
        database.close()


def plant_grant(world: World, client_id: str, **changes) -> Grant:
    """Store a live grant of `client_id`, a workload's unless told otherwise."""
    now = world.clock.now()
    grant = Grant(
        **{
            "id": GrantId(new_id("grt")),
            "kind": GrantKind.WORKLOAD,
            "user_id": None,
            "client_id": ClientId(client_id),
            "agent_id": AgentId("billing-job"),
            "tenant": ACME,
            "environment": PROD,
            "resource": f"{PUBLIC_URL}/mcp/crm",
            "scopes": (READ, WRITE),
            "purpose": "",
            "auth_time": None,
            "acr": None,
            "amr": (),
            "created_at": now,
            "last_used_at": now,
            "expires_at": EpochSeconds(now + 86_400),
        }
        | changes
    )
    world.database.run_now(lambda tx: grant_store.add_grant(tx, grant))
    return grant


def access_token(world: World, grant: Grant, **changes) -> str:
    """A signed access token of `grant`, good for ten minutes."""
    now = world.clock.now()
    claims = {
        "iss": PUBLIC_URL,
        "sub": "billing-job",
        "aud": grant.resource,
        "client_id": grant.client_id,
        "jti": new_id("at"),
        "iat": now,
        "exp": EpochSeconds(now + 600),
        "scopes": (READ,),
        "grant_id": grant.id,
        "agent_id": grant.agent_id,
        "organization_id": grant.tenant,
        "environment": grant.environment,
        "sensitivity": Sensitivity.LOW,
    }
    return mint(world.deps.keys, AccessToken(**(claims | changes)))


def refresh_token(world: World, grant: Grant, **changes) -> str:
    """A refresh token of `grant`, good for an hour."""
    now, secret = world.clock.now(), new_secret("rmt_rt_")
    fields = {
        "digest": digest(secret),
        "grant_id": grant.id,
        "issued_at": now,
        "expires_at": EpochSeconds(now + 3_600),
    }
    token = RefreshToken(**(fields | changes))
    world.database.run_now(lambda tx: credential_store.add_refresh_token(tx, token))
    return secret
