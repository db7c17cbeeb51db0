"""A whole world in memory: catalog, policies, keys, log, and calls into it."""

from dataclasses import replace

import pytest

from remit.audit.context import Context, Network
from remit.audit.events import Decided
from remit.audit.redact import Redactor
from remit.guard import Call, Guard, GuardSettings, Standing
from remit.guard.definitions import NO_DEFINITIONS
from remit.ids import ClientId, GrantId, ScopeName
from remit.model import Sensitivity
from remit.policy import CedarEngine, DecisionPoint, PolicySource, ResourceKind
from remit.testing.audit import InMemoryAuditLog
from remit.testing.catalog import ACME, CRM, PAYMENTS, PROD, small_catalog
from remit.testing.clock import FixedClock
from remit.tokens import AccessToken, KeySet, SigningKey, TokenVerifier, audience_of, mint

URL = "https://remit.example"
MODERN = "2026-07-28"
LEGACY = "2025-11-25"

POLICIES = """
@id("everyone")
permit(principal, action in Remit::Action::"call", resource);

@id("large-refunds")
@refusal("a refund above 500 needs a person")
forbid(principal, action == Remit::Action::"payments/refund", resource)
when { context.arguments.amount.value.greaterThan(decimal("500.0")) };

@id("interns")
@refusal("interns do not write")
forbid(principal, action in [Remit::Action::"write"], resource)
when { principal.roles.contains("intern") };

@id("night")
forbid(principal, action == Remit::Action::"crm/export_accounts", resource)
when { context.time.hour < 6 };
"""


class Snapshots:
    def __init__(self, catalog, standing):
        self.catalog = catalog
        self.standing = standing
        self.definitions = NO_DEFINITIONS


class World:
    def __init__(self, clock: FixedClock) -> None:
        self.clock = clock
        self.keys = KeySet([SigningKey.generate(clock.now())])
        self.verifier = TokenVerifier(self.keys, URL, clock)
        self.directory = Snapshots(small_catalog(), Standing(as_of=clock.now()))
        self.audit = InMemoryAuditLog()
        self.decisions = DecisionPoint(self.engine(POLICIES), clock)
        self.redactor = Redactor(b"k" * 32)
        self.guard = self.new_guard()

    def new_guard(self, **parts) -> Guard:
        return Guard(
            parts.get("verifier", self.verifier),
            parts.get("directory", self.directory),
            decisions=parts.get("decisions", self.decisions),
            audit=parts.get("audit", self.audit),
            redactor=parts.get("redactor", self.redactor),
            settings=parts.get("settings", GuardSettings(public_url=URL)),
        )

    def engine(self, text):
        return CedarEngine.load([PolicySource(text, "policies/test.cedar")], small_catalog())

    def use_policies(self, text) -> None:
        self.decisions.publish(self.engine(text))

    def stand(self, **changes) -> None:
        self.directory.standing = Standing(as_of=self.clock.now(), **changes)

    def token(self, server=CRM, **changes) -> AccessToken:
        now = self.clock.now()
        token = AccessToken(
            iss=URL,
            sub="usr_1",
            aud=audience_of(URL, server),
            client_id=ClientId("cli_1"),
            jti="jti_1",
            iat=now,
            exp=now + 600,
            scopes=tuple(
                ScopeName(name)
                for name in ("crm:accounts.read", "crm:accounts.write", "payments:refund.create")
            ),
            grant_id=GrantId("gnt_1"),
            agent_id="assistant",
            organization_id=ACME,
            environment=PROD,
            sensitivity=Sensitivity.HIGH,
            roles=("support", "finance"),
        )
        return replace(token, **changes)

    def raw(self, server=CRM, **changes) -> str:
        return mint(self.keys, self.token(server, **changes))

    def call(self, name="get_account", arguments=None, **changes) -> Call:
        """A call of a tool on `crm` by the assistant; `token` are changes to its claims."""
        server = changes.pop("server", CRM)
        raw = changes.pop("raw", None) or self.raw(server, **changes.pop("token", {}))
        if arguments is None:
            arguments = {"account": "acc_1"}
        fields = {
            "server": server,
            "method": "tools/call",
            "authorization": (f"Bearer {raw}",),
            "context": Context(network=Network("192.0.2.1", "agent/1")),
            "kind": ResourceKind.TOOL,
            "name": name,
            "arguments": arguments,
            "jsonrpc_id": 7,
            "protocol_version": MODERN,
        }
        return Call(**{**fields, **changes})

    def refund(self, value, currency="EUR", **changes) -> Call:
        arguments = {"amount": {"value": value, "currency": currency}}
        return self.call("refund", arguments, server=PAYMENTS, **changes)

    def read(self, uri, **changes) -> Call:
        return self.call(uri, {}, method="resources/read", kind=ResourceKind.RESOURCE, **changes)

    def list(self, kind=ResourceKind.TOOL, **changes) -> Call:
        return self.call(None, {}, method="tools/list", kind=kind, **changes)

    @property
    def recorded(self) -> Decided:
        """The one decision in the log."""
        (event,) = self.audit.of(Decided)
        return event


@pytest.fixture
def world(clock: FixedClock) -> World:
    return World(clock)
