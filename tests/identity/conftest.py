"""A catalog with two tenants, cheap passwords, and a browser in front of the log-in pages."""

import html
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace

import httpx2
import pyotp
import pytest
from starlette.applications import Starlette

from remit.audit.context import Actor, ActorType, Context
from remit.clock import Seconds
from remit.guard.ports import Standing
from remit.identity import IdentityDeps, Passwords, User, UserDetails, create_user, routes
from remit.ids import AgentId, TenantId
from remit.model import (
    Agent,
    AgentClass,
    AgentClients,
    AttributeRule,
    Catalog,
    Guardrails,
    Issuer,
    Registration,
    Role,
    SecondFactor,
    SignIn,
    Tenant,
)
from remit.registry import RegistryDirectory
from remit.secrets import MasterKey, SecretBox
from remit.testing.clock import FixedClock
from remit.web import site_at, static_routes
from tests.identity.authenticator import Authenticator

PASSWORD = "correct horse battery staple"
ADMIN = Context(actor=Actor(ActorType.ADMIN, "root"))


@pytest.fixture
def catalog() -> Catalog:
    unregistered = Agent(
        id=AgentId("unregistered"),
        name="Unregistered",
        owner="nobody",
        agent_class=AgentClass.UNREGISTERED,
        scopes=(),
        environments=(),
        tenants=(),
        clients=AgentClients(),
    )
    return Catalog(
        version="0" * 64,
        issuer=Issuer(name="Acme", session_idle=Seconds(3600), session_lifetime=Seconds(43_200)),
        tenants={
            TenantId(name): Tenant(id=TenantId(name), name=name.title(), time_zone="UTC")
            for name in ("acme", "globex")
        },
        environments=(),
        guardrails=Guardrails(),
        registration=Registration(),
        servers={},
        scopes={},
        hierarchy={},
        roles={name: Role(name=name, scopes=()) for name in ("support", "finance", "manager")},
        attribute_rules=(
            AttributeRule(attributes={"department": "finance"}, roles=("finance",)),
            AttributeRule(
                attributes={"department": "finance", "grade": "lead"}, roles=("manager", "ghost")
            ),
        ),
        agents={},
        unregistered=unregistered,
    )


@pytest.fixture
def passwords():
    """One pass over 8 MiB would still be slow here: these are for tests alone."""
    made = Passwords(passes=1, memory_kib=8, lanes=1)
    yield made
    made.close()


@pytest.fixture
def asked() -> dict[str, str]:
    """The `acr` that waits at a path, as the authorization endpoint would say it."""
    return {}


@pytest.fixture
def deps(database, catalog, clock, passwords, asked) -> IdentityDeps:
    async def required_acr(return_to: str) -> str | None:
        return asked.get(return_to)

    return IdentityDeps(
        database=database,
        directory=RegistryDirectory(catalog, Standing(as_of=clock.now())),
        clock=clock,
        site=site_at("http://localhost:8000"),
        passwords=passwords,
        box=SecretBox(MasterKey(b"k" * 32)),
        required_acr=required_acr,
    )


@pytest.fixture
def policy(deps, catalog) -> Callable[..., None]:
    """Puts another `sign_in` of the policy repository into force."""

    def change(second_factor: str = "optional", **changes: object) -> None:
        sign_in = SignIn(second_factor=SecondFactor(second_factor), **changes)
        deps.directory.replace_catalog(replace(catalog, sign_in=sign_in))

    return change


@pytest.fixture
def add_user(deps, catalog, clock, events) -> Callable[..., User]:
    """Creates an account with `PASSWORD`; `ada` at acme unless told otherwise."""

    async def add(username: str = "ada", **details: object) -> User:
        hashed = await deps.passwords.hash_new(PASSWORD, username=username)
        described = UserDetails(**{"username": username, "tenant": "acme", **details})
        return await deps.database.run(
            lambda tx: create_user(
                tx,
                described,
                password_hash=hashed,
                catalog=catalog,
                now=clock.now(),
                context=ADMIN,
            )
        )

    return add


@dataclass
class Browser:
    """Fills in forms as a person does."""

    client: httpx2.AsyncClient
    headers: dict[str, str] = field(
        default_factory=lambda: {
            "origin": "http://localhost:8000",
            "sec-fetch-site": "same-origin",
        }
    )

    async def open(self, path: str = "/login") -> httpx2.Response:
        return await self.client.get(path)

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> httpx2.Response:
        return await self.client.post(path, data=fields, headers={**self.headers, **headers})

    async def log_in(
        self, username: str = "ada", password: str = PASSWORD, path: str = "/login"
    ) -> httpx2.Response:
        """Open the form, fill it in, send it."""
        fields = hidden_fields((await self.open(path)).text)
        return await self.post("/login", {**fields, "username": username, "password": password})

    def carry_session(self, secret: str) -> None:
        """Carry that session cookie and no other."""
        if self._has_session():
            self.client.cookies.delete("remit_session")
        self.client.cookies.set("remit_session", secret, domain="localhost.local")

    def _has_session(self) -> bool:
        return any(cookie.name == "remit_session" for cookie in self.client.cookies.jar)

    async def answer(self, page: httpx2.Response, action: str, **fields: str) -> httpx2.Response:
        """Fill in the form of `page` that leads to `action`, and send it."""
        forms = re.findall(rf'<form[^>]* action="{action}".*?</form>', page.text, re.DOTALL)
        return await self.post(action, {**hidden_fields((forms or [page.text])[0]), **fields})

    async def follow(self, answer: httpx2.Response) -> httpx2.Response:
        """Go where a redirect leads."""
        assert answer.status_code == 303, answer.text
        return await self.open(answer.headers["location"])

    async def set_up_app(self, clock: FixedClock) -> tuple[str, tuple[str, ...]]:
        """Set up one-time passwords on the account page; the secret, and the recovery codes."""
        form = await self.open("/account/one-time-password")
        secret = secret_in(form)
        done = await self.answer(
            form, "/account/one-time-password", code=code_of(secret, clock.now())
        )
        return secret, recovery_codes_in(done)

    async def add_passkey(self, key: Authenticator, name: str = "laptop") -> httpx2.Response:
        """Make a passkey on the account page."""
        form = await self.open("/account/passkeys/new")
        made = key.create(options_in(form))
        return await self.answer(form, "/account/passkeys", credential=made, name=name)

    async def log_out(self) -> httpx2.Response:
        return await self.answer(await self.open("/account"), "/logout")


def options_in(page: httpx2.Response) -> dict:
    """What the page asks of a passkey."""
    (found,) = re.findall(r'data-options="([^"]*)"', page.text)
    options: dict = json.loads(html.unescape(found))
    return options


def secret_in(page: httpx2.Response) -> str:
    """The key of one-time passwords that the page offers."""
    return re.findall(r'<code class="key">([^<]*)</code>', page.text)[0].replace(" ", "")


def recovery_codes_in(page: httpx2.Response) -> tuple[str, ...]:
    """The recovery codes that the page shows."""
    return tuple(re.findall(r"<li><code>([0-9a-z-]+)</code>", page.text))


def code_of(secret: str, at: int, *, later: int = 0) -> str:
    """What an app shows at that time, `later` steps on."""
    return pyotp.TOTP(secret).generate_otp(at // 30 + later)


def hidden_fields(text: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', text)
    return {name: value.replace("&amp;", "&") for name, value in found}


@pytest.fixture
async def new_browser(deps) -> AsyncIterator[Callable[..., Browser]]:
    """Makes browsers, each with its own cookies; `ip` is where they are."""
    application = Starlette(routes=[*routes(deps), *static_routes()])
    clients: list[httpx2.AsyncClient] = []

    def make(ip: str = "203.0.113.7") -> Browser:
        transport = httpx2.ASGITransport(app=application, client=(ip, 40_000))
        clients.append(
            httpx2.AsyncClient(transport=transport, base_url=deps.site.origin, timeout=20)
        )
        return Browser(clients[-1])

    yield make
    for client in clients:
        await client.aclose()


@pytest.fixture
def browser(new_browser) -> Browser:
    return new_browser()
