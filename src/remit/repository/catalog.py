"""The models of the files, made into the nouns that everything else knows.

A catalog takes every file. What policies are typed by takes only the tools,
resources and prompts of the servers: `TypedServers` is that part of a catalog.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from remit.ids import AgentId, ScopeName, ServerName, TenantId
from remit.model import (
    MANAGEMENT_SCOPES,
    Agent,
    AgentClass,
    AgentClients,
    Argument,
    AttributeRule,
    AuditTreatment,
    Catalog,
    Environment,
    Guardrails,
    HistoryFact,
    Issuer,
    Prompt,
    Resource,
    Role,
    ScopeDefinition,
    Server,
    StaticClient,
    Tenant,
    Tool,
)
from remit.repository.agent_file import AgentFile, StaticClientSection
from remit.repository.approvals_file import ApprovalsFile, approvals_of
from remit.repository.audit_file import AuditFile, audit_of
from remit.repository.deployment_section import deployment_of
from remit.repository.engines_section import engines_of
from remit.repository.grant_types import grant_type_values
from remit.repository.hierarchy import close
from remit.repository.history_section import HistoryFacts, history_of
from remit.repository.limits_section import limits_of
from remit.repository.networks_section import networks_of
from remit.repository.people_file import PeopleFile, sign_in_of
from remit.repository.public_keys import jwks_of
from remit.repository.registration_section import registration_of
from remit.repository.roles_file import RolesFile
from remit.repository.root_file import RootFile
from remit.repository.scopes_file import ScopesFile
from remit.repository.server_file import (
    ArgumentSection,
    PromptSection,
    ResourceSection,
    ServerFile,
    Things,
    ToolSection,
)
from remit.repository.trust_file import TrustFile, trust_of
from remit.repository.upstream_section import connection_of, upstream_of

__all__ = [
    "UNREGISTERED",
    "Models",
    "TypedServer",
    "TypedServers",
    "build_catalog",
    "typed_servers",
]

UNREGISTERED = AgentId("unregistered")
"""The id of the agent that nobody's clients are; no file may have this name."""

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """Every file of a repository as its model; servers and agents by the stem of their file."""

    root: RootFile
    scopes: ScopesFile
    roles: RolesFile
    people: PeopleFile
    trust: TrustFile
    approvals: ApprovalsFile
    audit: AuditFile
    servers: Mapping[str, ServerFile]
    agents: Mapping[str, AgentFile]


@dataclass(frozen=True, slots=True)
class TypedServer:
    """The part of a server that policies speak of."""

    name: ServerName
    tools: Mapping[str, Tool]
    resources: tuple[Resource, ...]
    prompts: Mapping[str, Prompt]


@dataclass(frozen=True, slots=True)
class TypedServers:
    """The part of a catalog that types policies. `None`: what names there are cannot be told yet."""

    servers: Mapping[ServerName, TypedServer]
    history: Mapping[str, HistoryFact]
    told: frozenset[str]
    networks: frozenset[str] | None
    roles: frozenset[str] | None


def typed_servers(
    things: Mapping[str, Things],
    *,
    history: HistoryFacts,
    told: frozenset[str],
    networks: frozenset[str] | None,
    roles: frozenset[str] | None,
) -> TypedServers:
    """What policies are typed by; `things` by the stem of their file."""
    servers = {ServerName(name): _typed_server(name, one) for name, one in things.items()}
    return TypedServers(_frozen(servers), history_of(history), told, networks, roles)


def build_catalog(models: Models, *, version: str) -> Catalog:
    """The catalog that `models` declare."""
    root = models.root
    scopes = {ScopeName(name): scope for name, scope in models.scopes.root.items()}
    covers = {name: _scopes(scope.covers) for name, scope in scopes.items()}
    return Catalog(
        version=version,
        issuer=Issuer(**dict(root.issuer) | {"default_scopes": _scopes(root.issuer.default_scopes)}),
        tenants=_frozen({
            TenantId(name): Tenant(id=TenantId(name), name=one.name, time_zone=one.time_zone, engine=one.engine, mode=one.mode)
            for name, one in root.tenants.items()
        }),
        environments=_environments(root.environments),
        guardrails=Guardrails(
            max_scopes_per_agent=root.guardrails.max_scopes_per_agent,
            max_scopes_per_token=root.guardrails.max_scopes_per_token,
            forbidden_scopes=_scopes(root.guardrails.forbidden_scopes),
            max_delegation_depth=root.guardrails.max_delegation_depth,
            limits_per_agent=limits_of(root.guardrails.limits_per_agent),
            limits_per_user=limits_of(root.guardrails.limits_per_user),
        ),
        registration=registration_of(root.registration),
        servers=_frozen({ServerName(name): _server(name, one) for name, one in models.servers.items()}),
        scopes=_frozen(dict(MANAGEMENT_SCOPES) | {
            name: ScopeDefinition(
                name=name,
                title=one.title,
                description=one.description,
                covers=covers[name],
                data_categories=one.data_categories,
                sensitivity=one.sensitivity,
                elevated=one.elevated,
            )
            for name, one in scopes.items()
        }),
        hierarchy=_frozen(close(covers)),
        roles=_frozen({
            name: Role(name=name, scopes=_scopes(one.scopes), description=one.description)
            for name, one in models.roles.roles.items()
        }),
        attribute_rules=tuple(
            AttributeRule(attributes=_frozen(one.when), roles=one.roles)
            for one in models.roles.attributes
        ),
        agents=_frozen({AgentId(name): _agent(name, one) for name, one in models.agents.items()}),
        unregistered=_unregistered(root),
        sign_in=sign_in_of(models.people),
        trust=trust_of(models.trust),
        engines=engines_of(root.engines),
        history=history_of(root.history),
        deployment=deployment_of(root.deployment),
        networks=networks_of(root.networks),
        approvals=approvals_of(models.approvals),
        audit=audit_of(models.audit),
    )  # fmt: skip


def _server(name: str, file: ServerFile) -> Server:
    return Server(
        name=ServerName(name),
        title=file.title,
        description=file.description,
        owner=file.owner,
        tenant=None if file.tenant is None else TenantId(file.tenant),
        environment=Environment(file.environment),
        region=file.region,
        dpop_required=file.dpop == "required",
        pinning=file.pinning,
        engine=file.engine,
        mode=file.mode,
        justification=AuditTreatment(file.justification),
        limits=limits_of(file.limits),
        max_request_bytes=file.max_request,
        max_response_bytes=file.max_response,
        allowed_methods=file.allowed_methods,
        allowed_extensions=file.allowed_extensions,
        introspection_secret=file.introspection_secret,
        guard_secret=file.guard_secret,
        resource_identifier=file.resource_identifier,
        connection=connection_of(file.connection),
        upstream=upstream_of(file.upstream),
        tools=_frozen({name: _tool(name, one) for name, one in file.tools.items()}),
        resources=tuple(_resource(uri, one) for uri, one in file.resources.items()),
        prompts=_frozen({name: _prompt(name, one) for name, one in file.prompts.items()}),
        baseline_scopes=_scopes(file.baseline_scopes),
    )


def _typed_server(name: str, things: Things) -> TypedServer:
    return TypedServer(
        name=ServerName(name),
        tools=_frozen({name: _tool(name, one) for name, one in things.tools.items()}),
        resources=tuple(_resource(uri, one) for uri, one in things.resources.items()),
        prompts=_frozen({name: _prompt(name, one) for name, one in things.prompts.items()}),
    )


def _tool(name: str, section: ToolSection) -> Tool:
    return Tool(
        name=name,
        operation=section.operation,
        scopes=_scopes(section.scopes),
        sensitivity=section.sensitivity,
        description=section.description,
        data_categories=section.data_categories,
        arguments=tuple(_argument(name, one) for name, one in section.arguments.items()),
    )


def _argument(name: str, section: ArgumentSection) -> Argument:
    return Argument(
        name=name,
        type=section.type,
        pointer=section.pointer or f"/{name}",
        required=section.required,
        currency=section.currency,
        currency_pointer=section.currency_from,
        audit=section.audit,
    )


def _resource(uri: str, section: ResourceSection) -> Resource:
    return Resource(
        uri=uri,
        is_template="{" in uri,
        operation=section.operation,
        scopes=_scopes(section.scopes),
        sensitivity=section.sensitivity,
        description=section.description,
        data_categories=section.data_categories,
    )


def _prompt(name: str, section: PromptSection) -> Prompt:
    return Prompt(
        name=name,
        scopes=_scopes(section.scopes),
        sensitivity=section.sensitivity,
        description=section.description,
        data_categories=section.data_categories,
    )


def _agent(name: str, file: AgentFile) -> Agent:
    return Agent(
        id=AgentId(name),
        name=file.name,
        owner=file.owner,
        agent_class=file.agent_class,
        scopes=_scopes(file.scopes),
        environments=_environments(file.environments),
        tenants=_tenants(file.tenants),
        clients=AgentClients(
            static=tuple(_client(one) for one in file.clients.static),
            metadata_documents=file.clients.metadata_documents,
            dynamic_redirect_uris=file.clients.dynamic_redirect_uris,
        ),
        max_sensitivity=file.max_sensitivity,
        purpose=file.purpose,
        regions=file.regions,
        delegates=tuple(AgentId(one) for one in file.delegates),
        exchange_servers=tuple(ServerName(one) for one in file.exchange_servers),
        dpop_required=file.dpop == "required",
        limits=limits_of(file.limits),
    )


def _client(section: StaticClientSection) -> StaticClient:
    return StaticClient(
        client_id=section.client_id,
        name=section.name,
        redirect_uris=section.redirect_uris,
        grant_types=grant_type_values(section.grant_types),
        secret=section.secret,
        jwks=None if section.jwks is None else jwks_of(section.jwks),
        jwks_uri=section.jwks_uri,
        dpop_bound_access_tokens=section.dpop_bound_access_tokens,
    )


def _unregistered(root: RootFile) -> Agent:
    section = root.unregistered
    return Agent(
        id=UNREGISTERED,
        name=section.name,
        owner=section.owner,
        agent_class=AgentClass.UNREGISTERED,
        scopes=_scopes(section.scopes),
        environments=_environments(section.environments),
        tenants=_tenants(section.tenants),
        clients=AgentClients(),
        max_sensitivity=section.max_sensitivity,
        purpose=section.purpose,
        limits=limits_of(section.limits),
    )


def _scopes(names: tuple[str, ...]) -> tuple[ScopeName, ...]:
    return tuple(ScopeName(name) for name in names)


def _tenants(names: tuple[str, ...]) -> tuple[TenantId, ...]:
    return tuple(TenantId(name) for name in names)


def _environments(names: tuple[str, ...]) -> tuple[Environment, ...]:
    return tuple(Environment(name) for name in names)


def _frozen(mapping: Mapping[_Key, _Value]) -> Mapping[_Key, _Value]:
    return MappingProxyType(dict(mapping))
