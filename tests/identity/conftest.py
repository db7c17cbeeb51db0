"""A catalog with two tenants, cheap passwords, and a browser in front of the log-in pages."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import httpx2
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
    Tenant,
)
from remit.registry import RegistryDirectory
from remit.secrets import MasterKey, SecretBox
from remit.web import site_at, static_routes

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
def deps(database, catalog, clock, passwords) -> IdentityDeps:
    return IdentityDeps(
        database=database,
        directory=RegistryDirectory(catalog, Standing(as_of=clock.now())),
        clock=clock,
        site=site_at("http://localhost:8000"),
        passwords=passwords,
        box=SecretBox(MasterKey(b"k" * 32)),
    )


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

    async def log_out(self) -> httpx2.Response:
        return await self.post("/logout", hidden_fields((await self.open("/account")).text))


def hidden_fields(html: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', html)
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
