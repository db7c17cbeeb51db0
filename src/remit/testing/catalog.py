"""A small catalog for tests: two servers, two tenants, two agents, and facts about them."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from remit.ids import AgentId, ScopeName, ServerName, TenantId
from remit.model import (
    Agent,
    AgentClass,
    AgentClients,
    Argument,
    ArgumentType,
    AuditTreatment,
    Catalog,
    Environment,
    Guardrails,
    HttpUpstream,
    Issuer,
    Operation,
    Prompt,
    Registration,
    Resource,
    Role,
    ScopeDefinition,
    Sensitivity,
    Server,
    Tenant,
    Tool,
)

__all__ = [
    "ACME",
    "CRM",
    "GLOBEX",
    "PAYMENTS",
    "PROD",
    "small_catalog",
    "with_agent",
    "with_server",
]

ACME = TenantId("acme")
GLOBEX = TenantId("globex")
CRM = ServerName("crm")
PAYMENTS = ServerName("payments")
PROD = Environment("prod")

K = TypeVar("K")
V = TypeVar("V")

_READ = ScopeName("crm:accounts.read")
_READ_NAME = ScopeName("crm:accounts.read.name")
_WRITE = ScopeName("crm:accounts.write")
_EXPORT = ScopeName("crm:accounts.export")
_TENANT = ScopeName("tenant:read:{organization_id}")
_PAY = ScopeName("payments:refund.create")


def small_catalog() -> Catalog:
    """`crm` (shared) and `payments` (of `acme`); agents `assistant` and `job`; roles `support`, `finance`."""
    scopes = (_READ, _READ_NAME, _WRITE, _EXPORT, _TENANT, _PAY)
    return Catalog(
        version="c" * 64,
        issuer=Issuer(name="Remit"),
        tenants=_frozen({t.id: t for t in (_tenant(ACME), _tenant(GLOBEX))}),
        environments=(PROD, Environment("staging")),
        guardrails=Guardrails(),
        registration=Registration(),
        servers=_frozen({server.name: server for server in (_crm(), _payments())}),
        scopes=_frozen(
            {name: ScopeDefinition(name=name, title=name, description=name) for name in scopes}
        ),
        hierarchy=_frozen({_READ: frozenset({_READ_NAME})}),
        roles=_frozen(
            {
                "support": Role(name="support", scopes=(_READ, _WRITE, _TENANT)),
                "finance": Role(name="finance", scopes=(_READ, _EXPORT, _PAY)),
            }
        ),
        attribute_rules=(),
        agents=_frozen({agent.id: agent for agent in (_assistant(), _job())}),
        unregistered=_agent("unregistered", AgentClass.UNREGISTERED, (_READ_NAME,)),
    )


def with_agent(catalog: Catalog, agent: Agent) -> Catalog:
    """`catalog` with `agent` in the place of the one of its name."""
    return replace(catalog, agents=_frozen({**catalog.agents, agent.id: agent}))


def with_server(catalog: Catalog, server: Server) -> Catalog:
    """`catalog` with `server` in the place of the one of its name."""
    return replace(catalog, servers=_frozen({**catalog.servers, server.name: server}))


def _frozen(values: Mapping[K, V]) -> Mapping[K, V]:
    return MappingProxyType(dict(values))


def _tenant(name: TenantId) -> Tenant:
    return Tenant(id=name, name=name.title(), time_zone="Europe/Berlin")


def _crm() -> Server:
    return Server(
        name=CRM,
        title="CRM",
        owner="sales",
        tenant=None,
        environment=PROD,
        upstream=HttpUpstream(url="http://127.0.0.1:9/mcp"),
        tools=_frozen({tool.name: tool for tool in _crm_tools()}),
        resources=(
            Resource(
                uri="crm://schema",
                is_template=False,
                operation=Operation.READ,
                scopes=(_READ_NAME,),
                sensitivity=Sensitivity.LOW,
            ),
            Resource(
                uri="crm://accounts/{id}",
                is_template=True,
                operation=Operation.READ,
                scopes=(_READ,),
                sensitivity=Sensitivity.MEDIUM,
            ),
        ),
        prompts=_frozen(
            {"summary": Prompt(name="summary", scopes=(_READ_NAME,), sensitivity=Sensitivity.LOW)}
        ),
        baseline_scopes=(_READ,),
    )


def _crm_tools() -> tuple[Tool, ...]:
    return (
        Tool(
            name="get_account",
            operation=Operation.READ,
            scopes=(_READ_NAME,),
            sensitivity=Sensitivity.LOW,
            arguments=(_argument("account", ArgumentType.STRING, required=True),),
        ),
        Tool(
            name="update_account",
            operation=Operation.WRITE,
            scopes=(_READ, _WRITE),
            sensitivity=Sensitivity.MEDIUM,
            data_categories=("contact",),
            arguments=(
                _argument("account", ArgumentType.STRING, required=True),
                _argument("score", ArgumentType.INTEGER),
                _argument("tags", ArgumentType.STRINGS),
            ),
        ),
        Tool(
            name="export_accounts",
            operation=Operation.EXPORT,
            scopes=(_EXPORT,),
            sensitivity=Sensitivity.HIGH,
        ),
        Tool(
            name="read_tenant",
            operation=Operation.READ,
            scopes=(_TENANT,),
            sensitivity=Sensitivity.LOW,
        ),
    )


def _payments() -> Server:
    refund = Tool(
        name="refund",
        operation=Operation.WRITE,
        scopes=(_PAY,),
        sensitivity=Sensitivity.HIGH,
        arguments=(
            Argument(
                name="amount",
                type=ArgumentType.MONEY,
                pointer="/amount/value",
                required=True,
                currency_pointer="/amount/currency",
                audit=AuditTreatment.KEEP,
            ),
            _argument("urgent", ArgumentType.BOOLEAN),
        ),
    )
    return Server(
        name=PAYMENTS,
        title="Payments",
        owner="finance",
        tenant=ACME,
        environment=PROD,
        upstream=HttpUpstream(url="http://127.0.0.1:9/mcp"),
        tools=_frozen({refund.name: refund}),
    )


def _argument(name: str, kind: ArgumentType, *, required: bool = False) -> Argument:
    return Argument(name=name, type=kind, pointer=f"/{name}", required=required)


def _assistant() -> Agent:
    scopes = (_READ, _WRITE, _EXPORT, _TENANT, _PAY)
    return _agent("assistant", AgentClass.ASSISTANT, scopes, Sensitivity.HIGH)


def _job() -> Agent:
    return _agent("job", AgentClass.WORKLOAD, (_READ, _PAY), Sensitivity.HIGH)


def _agent(
    name: str,
    agent_class: AgentClass,
    scopes: tuple[ScopeName, ...],
    max_sensitivity: Sensitivity = Sensitivity.LOW,
) -> Agent:
    return Agent(
        id=AgentId(name),
        name=name,
        owner="platform",
        agent_class=agent_class,
        scopes=scopes,
        environments=(PROD,),
        tenants=(ACME, GLOBEX),
        clients=AgentClients(),
        max_sensitivity=max_sensitivity,
    )
