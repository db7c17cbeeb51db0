"""One server's part of what is in force, for the guard inside it.

Left out: every other server; how this one is reached from the gateway, and the names of its secrets, and of those
of engines, which the guard asks itself and cannot ask if they want one; agents of other tenants; the clients of agents; how people log in, whom we
trust, how bundles come into force, and who gets copies of the log. Whoever has that
server has the snapshot, and needs to know no more than what it decides by. Ids of revoked grants and
of disabled people and clients are in it, whoever they belong to: they are names that say nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from remit.audit.ruling import ANNOTATED
from remit.canonical import Json, canonical_text
from remit.clock import EpochSeconds, Seconds
from remit.guard import Standing
from remit.guard.definitions import ThingKey
from remit.guard.ports import Directory
from remit.guard.snapshot import WITHHELD, PublicKey, Snapshot
from remit.guard.target import targets_of
from remit.guard.use import is_counted
from remit.ids import ServerName
from remit.model import (
    Agent,
    AgentClients,
    Approvals,
    AuditRules,
    Catalog,
    DeploymentRules,
    ExternalEngine,
    HistoryFact,
    HttpUpstream,
    Registration,
    Server,
    SignIn,
    Trust,
)
from remit.policy import CedarEngine, PolicyEngine, ResourceKind
from remit.policy.vocabulary import action_name
from remit.tokens import KeySet

__all__ = ["ExcerptDeps", "Ingredients", "ingredients", "snapshot_of"]

_NO_CLIENTS = AgentClients()
_NOWHERE = (ServerName(""),)
"""A server that there is not: nothing here counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcerptDeps:
    """What is the same in every snapshot."""

    issuer: str
    public_url: str
    lease: Seconds


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What a snapshot is made of; equal ones make equal snapshots."""

    catalog: Catalog
    engine: PolicyEngine
    standing: Standing
    quarantined: frozenset[object]
    keys: tuple[PublicKey, ...]
    schemas: Mapping[ThingKey, Json] = field(default_factory=dict)

    def is_same(self, other: "Ingredients | None") -> bool:
        """Whether nothing has changed, told without comparing what is replaced whole."""
        return (
            other is not None
            and self.catalog is other.catalog
            and self.engine is other.engine
            and self.standing == other.standing
            and self.quarantined == other.quarantined
            and self.keys == other.keys
            and self.schemas == other.schemas
        )


def ingredients(directory: Directory, engine: PolicyEngine, keys: KeySet) -> Ingredients:
    """What is in force now. How old the standing is, is not part of it."""
    return Ingredients(
        catalog=directory.catalog,
        engine=engine,
        standing=replace(directory.standing, as_of=EpochSeconds(0)),
        quarantined=frozenset(directory.definitions.quarantined),
        keys=tuple(PublicKey(kid=one["kid"], x=one["x"], y=one["y"]) for one in _jwks(keys)),
        schemas=directory.definitions.schemas,
    )


def snapshot_of(
    server: Server,
    made_of: Ingredients,
    deps: ExcerptDeps,
    *,
    redaction_key: str,
    seal_key: str = "",
) -> Snapshot:
    """What the guard inside `server` decides by.

    Raises:
        TypeError: the engine in force holds no policies that could be handed over.
    """
    engine, catalog = made_of.engine, made_of.catalog
    if not isinstance(engine, CedarEngine):
        raise TypeError("the policies in force cannot be handed over")
    excerpt = _catalog(catalog, server)
    return Snapshot(
        server=server.name,
        issuer=deps.issuer,
        public_url=deps.public_url,
        catalog=excerpt,
        policies=engine.excerpt(server.name, excerpt),
        policy_version=engine.version,
        standing=_standing(made_of.standing, excerpt),
        quarantined=frozenset(
            thing
            for thing in made_of.quarantined
            if isinstance(thing, tuple) and thing[0] == server.name
        ),
        keys=made_of.keys,
        redaction_key=redaction_key,
        seal_key=seal_key,
        schemas=_schemas(made_of.schemas, server),
        lease=deps.lease,
    )


def _catalog(catalog: Catalog, server: Server) -> Catalog:
    bare = replace(
        server,
        # A guard forwards nothing, and asks nobody else.
        upstream=HttpUpstream(url="about:blank", timeout=server.upstream.timeout),
        introspection_secret=None,
        guard_secret=None,
        connection=None,
    )
    tenants = {name: one for name, one in catalog.tenants.items() if server.tenant in {None, name}}
    return replace(
        catalog,
        servers=MappingProxyType({server.name: bare}),
        tenants=MappingProxyType(tenants),
        engines=_engines(catalog, {server.engine, *(one.engine for one in tenants.values())}),
        agents=MappingProxyType(
            {
                name: replace(agent, clients=_NO_CLIENTS)
                for name, agent in catalog.agents.items()
                if _may_come(agent, server)
            }
        ),
        unregistered=replace(catalog.unregistered, clients=_NO_CLIENTS),
        registration=Registration(),
        sign_in=SignIn(),
        trust=Trust(),
        attribute_rules=(),
        deployment=DeploymentRules(),
        # By these a justification is judged; who answers whom is no business of the server.
        approvals=Approvals(justifications=catalog.approvals.justifications),
        history=_history(catalog, server),
        audit=_audit(catalog, server),
    )


def _audit(catalog: Catalog, server: Server) -> AuditRules:
    """What the records of its calls may hold. Who gets a copy of the log is no business of the server."""
    own = {
        f"{server.name}/{name}"
        for name in (*server.tools, *server.prompts, *(one.uri for one in server.resources))
    }
    rules = (
        replace(
            rule,
            servers=(server.name,) if rule.servers else (),
            tools=tuple(name for name in rule.tools if name in own),
        )
        for rule in catalog.audit.redaction
        if (not rule.servers or server.name in rule.servers)
        and (not rule.tools or not own.isdisjoint(rule.tools))
        and (not rule.tenants or server.tenant is None or server.tenant in rule.tenants)
    )
    return AuditRules(
        receipts=catalog.audit.receipts,
        redaction=tuple(rules),
        detectors_off=catalog.audit.detectors_off,
    )


def _schemas(schemas: Mapping[ThingKey, Json], server: Server) -> Mapping[str, str]:
    """Those of its tools that say what the log may keep."""
    texts = {
        name: canonical_text(schema)
        for (owner, kind, name), schema in schemas.items()
        if owner == server.name and kind is ResourceKind.TOOL
    }
    return MappingProxyType({name: text for name, text in texts.items() if ANNOTATED in text})


def _history(catalog: Catalog, server: Server) -> Mapping[str, HistoryFact]:
    """Every fact, by which policies are typed; but of what else counts in one, nothing is told."""
    things = {
        action_name(one.facts.kind, server.name, one.facts.name): one
        for one in targets_of(server, None)
    }
    return MappingProxyType({
        name: replace(
            fact,
            servers=(server.name,) if any(is_counted(fact, one) for one in things.values()) else _NOWHERE,
            things=tuple(one for one in fact.things if one in things),
        )
        for name, fact in catalog.history.items()
    })  # fmt: skip


def _engines(catalog: Catalog, named: set[str | None]) -> Mapping[str, ExternalEngine]:
    """The engines that may permit calls of the server. That one wants a secret is told, and not which."""
    return MappingProxyType(
        {
            name: one if one.secret is None else replace(one, secret=WITHHELD)
            for name, one in catalog.engines.items()
            if name in named
        }
    )


def _may_come(agent: Agent, server: Server) -> bool:
    """Whether a token here may name it, be it as one of those on whose behalf another acts."""
    return server.tenant is None or server.tenant in agent.tenants


def _standing(standing: Standing, catalog: Catalog) -> Standing:
    known = {*catalog.agents, catalog.unregistered.id}
    return replace(
        standing,
        suspended_agents=frozenset(one for one in standing.suspended_agents if one in known),
    )


def _jwks(keys: KeySet) -> list[dict[str, str]]:
    published = keys.public_jwks()["keys"]
    if not isinstance(published, list):
        raise TypeError("a key set is a list")
    return [
        {name: str(one[name]) for name in ("kid", "x", "y")}
        for one in published
        if isinstance(one, dict)
    ]
