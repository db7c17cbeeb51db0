"""What of the engines elsewhere a guard inside a server is told: what it can ask, and no name of a secret."""

from dataclasses import replace
from types import MappingProxyType

from remit.api.guards.excerpt import ExcerptDeps, Ingredients, snapshot_of
from remit.embedded.directory import Heard, HeardDirectory
from remit.guard import Standing
from remit.guard.snapshot import WITHHELD, read_snapshot, snapshot_bytes
from remit.model import (
    ApprovalRule,
    Approvals,
    AuditRules,
    AuditTreatment,
    DeploymentRules,
    EngineKind,
    ExternalEngine,
    JustificationField,
    RedactionRule,
    SinkRules,
)
from remit.policy import CedarEngine, PolicySource, ResourceKind
from remit.testing.catalog import ACME, CRM, GLOBEX, PAYMENTS, small_catalog
from remit.testing.clock import FixedClock

DEPS = ExcerptDeps(issuer="https://r.example", public_url="https://r.example", lease=30)
TICKET = JustificationField(name="ticket", pattern="[A-Z]+-[0-9]+")
APPROVALS = Approvals(
    rules=(ApprovalRule(name="refunds", role="manager"),), justifications={"ticket": TICKET}
)
PERMIT = PolicySource('@id("all") permit(principal, action, resource);', "policies/all.cedar")


def engine(name, **fields):
    return ExternalEngine(
        name=name, kind=EngineKind.CERBOS, url=f"https://{name}.example", **fields
    )


def excerpt(server, **engines):
    """The snapshot of `server`, as it is read at the other end; `engines` by who names them."""
    catalog = small_catalog()
    tenants = {
        name: replace(one, engine=engines.get(str(name))) for name, one in catalog.tenants.items()
    }
    servers = {
        name: replace(one, engine=engines.get(str(name))) for name, one in catalog.servers.items()
    }
    catalog = replace(
        catalog,
        approvals=APPROVALS,
        deployment=DeploymentRules(privileged_scopes=("payments:refund.create",), replay_days=3),
        tenants=MappingProxyType(tenants),
        servers=MappingProxyType(servers),
        engines=MappingProxyType(
            {
                "open": engine("open", options=MappingProxyType({"scope": "{tenant}"})),
                "secret": engine("secret", secret="env:NAME_OF_A_SECRET"),
                "idle": engine("idle", secret="env:NAME_OF_ANOTHER"),
            }
        ),
    )
    made_of = Ingredients(
        catalog, CedarEngine.load([PERMIT], catalog), Standing(as_of=0), frozenset(), ()
    )
    made = snapshot_of(catalog.servers[server], made_of, DEPS, redaction_key="ab" * 32)
    content = snapshot_bytes(made)
    assert b"NAME_OF" not in content
    return read_snapshot(content).catalog


def test_of_engines_there_are_those_that_may_permit_its_calls():
    catalog = excerpt(CRM, crm="open")
    assert dict(catalog.engines) == {
        "open": engine("open", options=MappingProxyType({"scope": "{tenant}"}))
    }
    assert catalog.engine_for(catalog.servers[CRM], ACME).name == "open"


def test_of_one_that_wants_a_secret_it_is_told_that_it_does():
    catalog = excerpt(CRM, acme="secret", globex="open")
    assert catalog.engine_for(catalog.servers[CRM], ACME).secret == WITHHELD
    assert catalog.engine_for(catalog.servers[CRM], GLOBEX).secret is None


def test_the_engine_of_another_tenant_is_nobody_s_business_here():
    assert dict(excerpt(PAYMENTS, globex="secret").engines) == {}


def test_how_bundles_come_into_force_is_no_business_of_a_server():
    assert excerpt(CRM).deployment == DeploymentRules()


def test_what_a_justification_looks_like_is_told_and_who_approves_is_not():
    """Without it, what is no ticket would pass for one there."""
    assert excerpt(CRM).approvals == Approvals(justifications={"ticket": TICKET})


def test_of_the_log_it_is_told_what_to_keep_of_its_calls_and_not_who_gets_a_copy():
    catalog = small_catalog()
    rules = (
        RedactionRule(path="$..ssn", treatment=AuditTreatment.DROP),
        RedactionRule(path="$.a", treatment=AuditTreatment.KEEP, servers=(CRM, PAYMENTS)),
        RedactionRule(path="$.b", treatment=AuditTreatment.KEEP, servers=(PAYMENTS,)),
        RedactionRule(path="$.c", treatment=AuditTreatment.KEEP, tools=("payments/refund",)),
        RedactionRule(
            path="$.d", treatment=AuditTreatment.KEEP, tools=("crm/get_account", "payments/refund")
        ),
    )
    sink = SinkRules(name="siem", kind="splunk", url="https://siem.example", secret="env:SIEM")
    audit = AuditRules(
        redaction=rules, detectors_off=frozenset({"phone"}), sinks=MappingProxyType({"siem": sink})
    )
    catalog = replace(catalog, audit=audit)
    key = (CRM, ResourceKind.TOOL, "get_account")
    schemas = {
        key: {"properties": {"account": {"x-remit-audit": "keep"}}},
        (CRM, ResourceKind.TOOL, "update_account"): {"properties": {}},
        (PAYMENTS, ResourceKind.TOOL, "refund"): {"x-remit-class": "pan"},
    }
    made_of = Ingredients(
        catalog, CedarEngine.load([PERMIT], catalog), Standing(as_of=0), frozenset(), (), schemas
    )
    content = snapshot_bytes(
        snapshot_of(catalog.servers[CRM], made_of, DEPS, redaction_key="ab" * 32)
    )
    assert b"siem" not in content
    assert b"payments/refund" not in content
    made = read_snapshot(content)
    told = made.catalog.audit
    assert [(rule.path, rule.servers, rule.tools) for rule in told.redaction] == [
        ("$..ssn", (), ()), ("$.a", (CRM,), ()), ("$.d", (), ("crm/get_account",))
    ]  # fmt: skip
    assert told.detectors_off == {"phone"}
    assert list(made.schemas) == ["get_account"]
    clock = FixedClock()
    assert HeardDirectory(made, Heard(clock), clock).definitions.schemas == {key: schemas[key]}
