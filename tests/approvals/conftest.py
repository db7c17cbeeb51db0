"""People, a grant, policies that something cures, a guard over a real database, and calls into it."""

from dataclasses import replace
from types import MappingProxyType, SimpleNamespace

import pytest

from remit.approvals.deps import ApprovalDeps
from remit.approvals.desk import Desk
from remit.approvals.elevations import DatabaseElevations
from remit.approvals.person import person_of
from remit.approvals.request import Verdict
from remit.audit.context import Actor, ActorType, Context, Network
from remit.audit.redact import Redactor
from remit.guard import Call, Guard, GuardSettings, Standing
from remit.guard.definitions import NO_DEFINITIONS, Definitions
from remit.identity.store import add_user, find_user, set_disabled
from remit.identity.user import User
from remit.ids import AgentId, ClientId, GrantId, ScopeName
from remit.model import (
    ACR_PASSWORD,
    ACR_PHISHING_RESISTANT,
    Approvals,
    Role,
    Sensitivity,
)
from remit.oauth.grant import Grant, GrantKind
from remit.oauth.grant_store import add_grant
from remit.policy import CedarEngine, DecisionPoint, PolicySource, ResourceKind
from remit.secrets import MasterKey, SecretBox
from remit.testing.audit import InMemoryAuditLog
from remit.testing.catalog import ACME, CRM, GLOBEX, PAYMENTS, PROD, small_catalog
from remit.tokens import AccessToken, KeySet, SigningKey, TokenVerifier, audience_of, mint

URL = "https://remit.example"
SHOWN = "sha256-of-the-words"
SCOPES = tuple(
    ScopeName(name)
    for name in ("crm:accounts.read", "crm:accounts.write", "payments:refund.create")
)
LARGE = ScopeName("payments:refund.large")

POLICIES = """
@id("everyone")
permit(principal, action in Remit::Action::"call", resource);

@id("large")
@confirm("urn:remit:acr:phr")
@refusal("a refund above 500 is confirmed")
forbid(principal, action == Remit::Action::"payments/refund", resource)
when { context.arguments.amount.value.greaterThan(decimal("500.0")) };

@id("very-large")
@require_approval("manager")
@refusal("a refund above 5000 takes a manager")
forbid(principal, action == Remit::Action::"payments/refund", resource)
when { context.arguments.amount.value.greaterThan(decimal("5000.0")) };

@id("never")
@refusal("not that much")
forbid(principal, action == Remit::Action::"payments/refund", resource)
when { context.arguments.amount.value.greaterThan(decimal("100000.0")) };

@id("writes")
@require_approval("manager")
forbid(principal, action == Remit::Action::"crm/update_account", resource);
"""


class Snapshots:
    def __init__(self, catalog, standing):
        self.catalog, self.standing, self.definitions = catalog, standing, NO_DEFINITIONS


class Office:
    """`ada` is the person of the call; `bob` and `cyn` are managers, `dora` a director; `eve` is of another tenant."""

    def __init__(self, database, clock):
        self.database, self.clock = database, clock
        self.keys = KeySet([SigningKey.generate(clock.now())])
        self.verifier = TokenVerifier(self.keys, URL, clock)
        self.directory = Snapshots(_catalog(), Standing(as_of=clock.now()))
        self.decisions = DecisionPoint(self._engine(POLICIES), clock)
        self.audit = InMemoryAuditLog()
        self.told = []
        self.given = []
        self.deps = ApprovalDeps(
            database=database,
            directory=self.directory,
            clock=clock,
            box=SecretBox(MasterKey(bytes(range(32)))),
            key=b"d" * 32,
            public_url=URL,
            announce=lambda tx, request, names, at: self.told.append((request, names, at)),
            give_access=self._give_access,
        )
        self.desk = Desk(self.deps)
        self.elevations = DatabaseElevations(self.deps)
        self.guard = self.new_guard()
        self.context = Context(actor=Actor(ActorType.USER), network=Network("192.0.2.9", "browser"))

    def _give_access(self, tx, request, outcome, *, context):
        self.given.append((request.id, outcome))

    def new_guard(self, elevations=None):
        return Guard(
            self.verifier,
            self.directory,
            decisions=self.decisions,
            audit=self.audit,
            redactor=Redactor(b"k" * 32),
            settings=GuardSettings(public_url=URL, elevations=elevations or self.elevations),
        )

    def _engine(self, text):
        catalog = self.directory.catalog
        return CedarEngine.load([PolicySource(text, "policies/test.cedar")], catalog)

    def use_policies(self, text):
        self.decisions.publish(self._engine(text))

    def use_approvals(self, **parts):
        approvals = replace(self.directory.catalog.approvals, **parts)
        self.directory.catalog = replace(self.directory.catalog, approvals=approvals)

    def define(self, digest, name="refund", server=PAYMENTS):
        thing = (server, ResourceKind.TOOL, name)
        self.directory.definitions = Definitions(digests={thing: digest})

    def later(self, seconds):
        self.clock.advance(seconds)
        self.directory.standing = Standing(as_of=self.clock.now())

    # -- calls

    def token(self, server=PAYMENTS, **changes):
        now = self.clock.now()
        token = AccessToken(
            iss=URL,
            sub="usr_ada",
            aud=audience_of(URL, server),
            client_id=ClientId("cli_1"),
            jti="jti_1",
            iat=now,
            exp=now + 600,
            scopes=SCOPES,
            grant_id=GrantId("gnt_1"),
            agent_id=AgentId("assistant"),
            organization_id=ACME,
            environment=PROD,
            sensitivity=Sensitivity.HIGH,
            roles=("support", "finance"),
            auth_time=now,
            acr=ACR_PASSWORD,
        )
        return replace(token, **changes)

    def refund(self, value="600.00", *, currency="EUR", token=None, **changes):
        raw = mint(self.keys, self.token(**(token or {})))
        fields = {
            "server": PAYMENTS,
            "method": "tools/call",
            "authorization": (f"Bearer {raw}",),
            "context": Context(network=Network("192.0.2.1", "agent/1")),
            "kind": ResourceKind.TOOL,
            "name": "refund",
            "arguments": {"amount": {"value": value, "currency": currency}},
            "jsonrpc_id": 7,
            "protocol_version": "2026-07-28",
        }
        return Call(**{**fields, **changes})

    def update(self, **arguments):
        raw = mint(self.keys, self.token(server=CRM))
        return replace(
            self.refund(),
            server=CRM,
            name="update_account",
            authorization=(f"Bearer {raw}",),
            arguments={"account": "acc_1", **arguments},
        )

    async def decide(self, call=None):
        return await self.guard.decide(call or self.refund())

    async def asked(self, call=None):
        """The id of the request that a refused call made."""
        denied = await self.decide(call)
        assert denied.asked is not None, denied
        return denied.asked.id

    # -- people

    async def person(self, name, acr=ACR_PHISHING_RESISTANT, ago=0):
        user = await self.database.read(lambda tx: find_user(tx, f"usr_{name}"))
        session = SimpleNamespace(acr=acr, auth_time=self.clock.now() - ago)
        return person_of(user, session, self.directory.catalog)

    async def answers(self, name, request_id, verdict=Verdict.APPROVED, **how):
        """Open it and say so, as somebody does in their browser."""
        reason = how.pop("reason", "")
        person = await self.person(name, **how)
        await self.desk.opened(request_id, person, shown=SHOWN, context=self.context)
        return await self.desk.answer(
            request_id, person, verdict, shown=SHOWN, reason=reason, context=self.context
        )

    async def disable(self, name):
        at = self.clock.now()
        await self.database.run(lambda tx: set_disabled(tx, f"usr_{name}", at=at))

    async def add(self, name, *, tenant=ACME, roles=(), email=None):
        user = User(
            id=f"usr_{name}",
            tenant=tenant,
            username=name,
            display_name=name.title(),
            roles=roles,
            attributes={} if email is None else {"email": email},
            created_at=self.clock.now(),
        )
        await self.database.run(lambda tx: add_user(tx, user, password_hash="-"))

    async def grant(self, grant_id="gnt_1", **changes):
        now = self.clock.now()
        grant = Grant(
            id=GrantId(grant_id),
            kind=GrantKind.USER,
            user_id="usr_ada",
            client_id=ClientId("cli_1"),
            agent_id=AgentId("assistant"),
            tenant=ACME,
            environment=PROD,
            resource=audience_of(URL, PAYMENTS),
            scopes=SCOPES,
            purpose="",
            auth_time=now,
            acr=ACR_PASSWORD,
            amr=("pwd",),
            created_at=now,
            last_used_at=now,
            expires_at=now + 86_400,
        )
        grant = replace(grant, **changes)
        await self.database.run(lambda tx: add_grant(tx, grant))
        return grant


def _catalog():
    catalog = small_catalog()
    roles = {
        **catalog.roles,
        "manager": Role(name="manager", scopes=()),
        "director": Role(name="director", scopes=()),
    }
    return replace(catalog, roles=MappingProxyType(roles), approvals=Approvals())


@pytest.fixture
async def office(database, clock):
    office = Office(database, clock)
    await office.add("ada", roles=("support", "finance"))
    await office.add("bob", roles=("manager",))
    await office.add("cyn", roles=("manager",))
    await office.add("dora", roles=("director",))
    await office.add("eve", tenant=GLOBEX, roles=("manager",))
    await office.add("fay")
    await office.grant()
    return office
