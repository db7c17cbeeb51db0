"""What the tests of the authorization server drive: a whole server in process, and browsers in front.

The catalog is the packaged example, with clients and scopes added that a test needs.
"""

import base64
import hashlib
import re
from dataclasses import dataclass, field, replace
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
from starlette.applications import Starlette

from remit.approvals.access_book import AccessBook
from remit.approvals.access_desk import AccessDeps, AccessDesk
from remit.audit.context import Actor, ActorType, Context
from remit.db import Database
from remit.guard.ports import Standing
from remit.identity import (
    IdentityDeps,
    Passwords,
    User,
    UserDetails,
    create_user,
    disabled_users,
    session_reader,
)
from remit.identity import routes as identity_routes
from remit.model import Catalog
from remit.oauth import (
    OAuthDeps,
    disabled_clients,
    login_form_sources,
    login_requirements,
    revoked,
    revoked_tokens,
    routes,
)
from remit.policy import CedarEngine, DecisionPoint, PolicySource
from remit.registry import RegistryDirectory, suspended_agents
from remit.repository import load_repository, write_example
from remit.secrets import MasterKey, SecretBox
from remit.testing.audit import InMemoryAuditLog
from remit.testing.clock import FixedClock
from remit.tokens import KeySet, SigningKey, TokenVerifier
from remit.tokens.published_keys import PublishedKeys
from remit.web import site_at, static_routes

ORIGIN = "https://remit.example"
CRM = f"{ORIGIN}/mcp/crm"
PAYMENTS = f"{ORIGIN}/mcp/payments"
PASSWORD = "correct horse battery staple"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CALLBACK = "https://app.example/callback"
ADMIN = Context(actor=Actor(ActorType.ADMIN, "root"))

_PORTAL = """
name: Customer portal
owner: portal-team@acme.example
class: assistant
purpose: Shows customers their own accounts.
scopes:
  - crm:accounts.read
  - crm:accounts.write
  - crm:accounts.export
  - payments:invoices.read
  - "tenant:reports.read.{organization_id}"
environments: [prod]
tenants: [acme, globex]
max_sensitivity: high
clients:
  static:
    - client_id: portal
      name: Customer portal
      redirect_uris: ["https://app.example/callback"]
    - client_id: back-office
      name: Back office
      redirect_uris: ["https://back.example/cb", "https://back.example/other"]
      secret: env:BACK_OFFICE_SECRET
    - client_id: one-shot
      name: One shot
      redirect_uris: ["https://one.example/cb"]
      grant_types: [authorization_code]
"""

_EXTRA_SCOPE = """
"tenant:reports.read.{organization_id}":
  title: Read your organisation's reports
  description: See the monthly reports of your organisation.
  sensitivity: low
"""

_EXTRA_TOOL = """
  read_report:
    description: Read the monthly report.
    operation: read
    scopes: ["tenant:reports.read.{organization_id}"]
    sensitivity: low
"""


def challenge(verifier: str = VERIFIER) -> str:
    return (
        base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    )


def repository_at(folder: Path) -> tuple[Catalog, tuple[PolicySource, ...]]:
    """The example, with a portal whose clients stand in the repository."""
    write_example(folder)
    (folder / "agents" / "portal.yaml").write_text(_PORTAL)
    with (folder / "scopes.yaml").open("a") as scopes:
        scopes.write(_EXTRA_SCOPE)
    crm = folder / "servers" / "crm.yaml"
    crm.write_text(crm.read_text().replace("\ntools:\n", f"\ntools:{_EXTRA_TOOL}", 1))
    # What happens to a stranger who was let in is told here; who is let in, in test_admission.
    root = folder / "remit.yaml"
    root.write_text(root.read_text().replace("otherwise: approve", "otherwise: admit", 1))
    roles = folder / "roles.yaml"
    roles.write_text(
        roles.read_text().replace(
            "      - payments:refunds.create\n",
            '      - payments:refunds.create\n      - "tenant:reports.read.{organization_id}"\n',
            1,
        )
    )
    loaded = load_repository(folder)
    return loaded.catalog, loaded.policies


@dataclass
class World:
    """One authorization server, its log, and everything a test may change about it."""

    database: Database
    audit: InMemoryAuditLog
    clock: FixedClock
    directory: RegistryDirectory
    decisions: DecisionPoint
    policies: tuple[PolicySource, ...]
    deps: OAuthDeps
    identity: IdentityDeps
    application: Starlette
    access: AccessDesk
    clients: list[httpx2.AsyncClient] = field(default_factory=list)
    published: int = 0

    @property
    def catalog(self) -> Catalog:
        return self.directory.catalog

    def change_catalog(self, **changes: object) -> None:
        """Put another version of the repository in force."""
        catalog = replace(self.catalog, **changes)
        self.directory.replace_catalog(catalog)
        self.decisions.publish(CedarEngine.load(self.policies, catalog))

    def change_agent(self, name: str, **changes: object) -> None:
        agents = {**self.catalog.agents, name: replace(self.catalog.agents[name], **changes)}
        self.change_catalog(agents=agents)

    def change_policies(self, *texts: str) -> None:
        """Add policies to those in force."""
        extra = tuple(
            PolicySource(text, f"policies/extra{n}.cedar") for n, text in enumerate(texts)
        )
        self.decisions.publish(CedarEngine.load((*self.policies, *extra), self.catalog))

    async def publish(self) -> None:
        """Read standing from the database, as the application does after a revocation."""
        self.published += 1
        now = self.clock.now()
        standing = await self.database.read(
            lambda tx: Standing(
                as_of=now,
                suspended_agents=suspended_agents(tx),
                disabled_users=disabled_users(tx),
                disabled_clients=disabled_clients(tx),
                revoked_grants=revoked(tx, 0),
                revoked_tokens=revoked_tokens(tx, now),
            )
        )
        self.directory.publish(standing)

    async def add_user(
        self, username: str = "ada", *, tenant: str = "acme", roles: tuple[str, ...] = ("support",)
    ) -> User:
        hashed = await self.identity.passwords.hash_new(PASSWORD, username=username)
        details = UserDetails(username=username, tenant=tenant, roles=roles, display_name="Ada L.")
        return await self.database.run(
            lambda tx: create_user(
                tx,
                details,
                password_hash=hashed,
                catalog=self.catalog,
                now=self.clock.now(),
                context=ADMIN,
            )
        )

    async def register(self, *redirect_uris: str, name: str = "Inspector", **more: object) -> str:
        """The identifier of a client that introduced itself."""
        response = await self.browser().client.post(
            "/register",
            json={
                "client_name": name,
                "redirect_uris": list(redirect_uris),
                "grant_types": ["authorization_code", "refresh_token"],
                "token_endpoint_auth_method": "none",
                **more,
            },
        )
        assert response.status_code == 201, response.text
        self.audit.events.clear()
        return response.json()["client_id"]

    def browser(
        self, ip: str = "203.0.113.7", *, application: Starlette | None = None
    ) -> "Browser":
        served = application or self.application
        transport = httpx2.ASGITransport(app=served, client=(ip, 40_000))
        client = httpx2.AsyncClient(transport=transport, base_url=ORIGIN, timeout=20)
        self.clients.append(client)
        return Browser(client)

    def events(self, kind: type) -> list:
        return self.audit.of(kind)

    async def token(self, **fields: object) -> httpx2.Response:
        """`POST /token` as a public client."""
        return await self.browser().client.post("/token", data=fields)

    async def redeem(self, code: str, **changes: object) -> httpx2.Response:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": "portal",
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            "resource": CRM,
        }
        return await self.token(**given(fields, changes))

    async def refresh(self, refresh_token: str, **changes: object) -> httpx2.Response:
        fields = {
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "client_id": "portal",
        }
        return await self.token(**given(fields, changes))

    async def granted(self, **changes: object) -> dict:
        """The tokens of a person who allowed everything."""
        if not self.audit.events:
            await self.add_user()
        code = await self.code(**changes)
        response = await self.redeem(code)
        assert response.status_code == 200, response.text
        return response.json()

    async def code(self, **changes: object) -> str:
        """A code for a person who allowed everything that was asked."""
        browser = self.browser()
        page = await browser.to_consent(**changes)
        if page.status_code == 303:  # an earlier consent still holds
            return answer(page)["code"]
        return answer(await browser.decide(page))["code"]


@dataclass
class Browser:
    """A browser: cookies, redirects it is told to follow, forms it fills in."""

    client: httpx2.AsyncClient

    async def authorize(self, **changes: object) -> httpx2.Response:
        """`GET /authorize` with a good request, but for `changes`; `None` leaves one out."""
        return await self.client.get("/authorize", params=given(request_fields(), changes))

    async def follow(self, response: httpx2.Response) -> httpx2.Response:
        """Go where it leads, as long as that is here."""
        while response.status_code == 303:
            location = response.headers["location"]
            if urlsplit(location).netloc not in {"", urlsplit(ORIGIN).netloc}:
                return response
            response = await self.client.get(location)
        return response

    async def log_in(
        self, page: httpx2.Response, username: str = "ada", password: str = PASSWORD
    ) -> httpx2.Response:
        fields = hidden_fields(page.text)
        assert 'name="password"' in page.text, page.text
        return await self.follow(
            await self.post("/login", {**fields, "username": username, "password": password})
        )

    async def to_consent(self, username: str = "ada", **changes: object) -> httpx2.Response:
        """Through `/authorize` and the log-in to the consent page, or wherever it leads."""
        page = await self.follow(await self.authorize(**changes))
        return await self.log_in(page, username) if "/login" in str(page.url) else page

    async def decide(
        self,
        page: httpx2.Response,
        decision: str | None = "allow",
        *,
        scopes: list[str] | None = None,
        headers: dict[str, str] | None = None,
        **changes: str,
    ) -> httpx2.Response:
        """Press a button of the consent page, with all boxes ticked unless told otherwise."""
        fields = {**hidden_fields(page.text), **changes}
        ticked = offered(page.text) if scopes is None else scopes
        if decision is not None:
            fields["decision"] = decision
        return await self.post("/authorize/consent", {**fields, "scope": ticked}, headers)

    async def post(
        self, path: str, fields: dict, headers: dict[str, str] | None = None
    ) -> httpx2.Response:
        own = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
        return await self.client.post(path, data=fields, headers={**own, **(headers or {})})


def request_fields() -> dict[str, object]:
    return {
        "response_type": "code",
        "client_id": "portal",
        "redirect_uri": CALLBACK,
        "scope": "crm:accounts.read crm:accounts.write",
        "state": "st-1 ä&=%",
        "code_challenge": challenge(),
        "code_challenge_method": "S256",
        "resource": CRM,
    }


def given(fields: dict, changes: dict) -> dict:
    return {name: value for name, value in {**fields, **changes}.items() if value is not None}


def answer(response: httpx2.Response) -> dict[str, str]:
    """The parameters of an authorization response."""
    assert response.status_code == 303, (response.status_code, response.text)
    query = urlsplit(response.headers["location"]).query
    return {name: values[0] for name, values in parse_qs(query, strict_parsing=True).items()}


def hidden_fields(html: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', html)
    return {name: unescape(value) for name, value in found}


def offered(html: str) -> list[str]:
    """The scopes that the page offers."""
    return [unescape(one) for one in re.findall(r'name="scope" value="([^"]+)"', html)]


def build_world(
    database: Database,
    audit: InMemoryAuditLog,
    clock: FixedClock,
    *,
    repository: tuple[Catalog, tuple[PolicySource, ...]],
    passwords: Passwords,
    origin: str = ORIGIN,
) -> World:
    catalog, policies = repository
    site = site_at(origin)
    directory = RegistryDirectory(catalog, Standing(as_of=clock.now()))
    decisions = DecisionPoint(CedarEngine.load(policies, catalog), clock)
    keys = KeySet([SigningKey.generate(clock.now())])
    identity = IdentityDeps(
        database=database,
        directory=directory,
        clock=clock,
        site=site,
        passwords=passwords,
        box=SecretBox(MasterKey(b"k" * 32)),
        form_sources=login_form_sources(database, clock),
        required_acr=login_requirements(database, clock),
    )
    holder: list[World] = []

    async def publish() -> None:
        await holder[0].publish()

    async def no_fetch(url: str, **_: object) -> object:
        raise AssertionError(f"nothing may be fetched: {url}")

    deps = OAuthDeps(
        database=database,
        audit=audit,
        directory=directory,
        keys=keys,
        verifier=TokenVerifier(keys, origin, clock),
        decisions=decisions,
        clock=clock,
        site=site,
        read_session=session_reader(identity),
        resolve_secret={
            "env:BACK_OFFICE_SECRET": "back-office-secret-of-tests",
            "env:REMIT_BILLING_JOB_SECRET": "billing-secret-of-tests",
        }.__getitem__,
        fetch=no_fetch,
        client_keys=PublishedKeys(no_fetch, clock),
        issuer_keys=PublishedKeys(no_fetch, clock),
        publish=publish,
        temporary=AccessBook(directory, clock),
    )
    application = Starlette(routes=[*routes(deps), *identity_routes(identity), *static_routes()])
    world = World(
        database=database,
        audit=audit,
        clock=clock,
        directory=directory,
        decisions=decisions,
        policies=policies,
        deps=deps,
        identity=identity,
        application=application,
        access=AccessDesk(
            AccessDeps(database=database, directory=directory, clock=clock, publish=publish)
        ),
    )
    holder.append(world)
    return world
