"""Tokens a second at `POST /token`, against a bare Starlette endpoint that answers JSON.

Both are called as ASGI applications in this process, so that what is compared is the work
of an answer and not a socket. A token costs a transaction, an event on stable storage, and
a signature; the bare endpoint reads a form and writes JSON. The disk's floor is measured in
the same run: two `fdatasync` a token, the log's and the database's, one after another.
"""

import asyncio
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from remit.audit import Actor, ActorType, Context, FileAuditLog, StreamSettings
from remit.clock import EpochSeconds, SystemClock
from remit.db import Database, migrate
from remit.guard.ports import Standing
from remit.identity import User, UserDetails, create_user
from remit.ids import AgentId, ClientId, GrantId, ServerName, TenantId, digest, new_id, new_secret
from remit.model import Catalog, Environment
from remit.oauth import Grant, GrantKind, OAuthDeps, credential_store, grant_store, routes
from remit.oauth.grant import RefreshToken
from remit.policy import CedarEngine, DecisionPoint
from remit.registry import RegistryDirectory
from remit.repository import load_repository, write_example
from remit.tokens import KeySet, SigningKey, TokenVerifier, audience_of
from remit.tokens.published_keys import PublishedKeys
from remit.web import read_form, site_at

SECONDS = 2.0
RUNS = 3
URL = "https://remit.example"
CONCURRENCY = (1, 16, 64)
SECRET = "a-secret-for-measuring"

Post = Callable[[bytes], Awaitable[dict[str, str]]]
Work = Callable[[int], Awaitable[None]]


def poster(application: Starlette, path: str, media_type: str) -> Post:
    """Posts a body to `path` of an ASGI application; the JSON of its answer."""
    headers = [(b"content-type", media_type.encode()), (b"host", b"remit.example")]

    async def post(body: bytes) -> dict[str, str]:
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
            "scheme": "https", "path": path, "raw_path": path.encode(), "query_string": b"",
            "root_path": "", "headers": headers, "client": ("127.0.0.1", 40000),
            "server": ("remit.example", 443),
        }  # fmt: skip
        status, answered = 0, b""

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            nonlocal status, answered
            status = message.get("status", status)
            answered += message.get("body", b"")

        await application(scope, receive, send)
        if status >= 300:
            raise RuntimeError(answered.decode())
        return json.loads(answered)

    return post


FORM = "application/x-www-form-urlencoded"


class Bench:
    """An authorization server over a real log and a real SQLite file."""

    def __init__(self, folder: Path) -> None:
        url = f"sqlite:///{folder / 'remit.sqlite3'}"
        migrate(url)
        settings = StreamSettings(folder=folder / "audit" / "main", origin="bench/main")
        self.log = FileAuditLog(settings, Ed25519PrivateKey.generate())
        self.database = Database.open(url, recorder=self.log)
        self.clock = SystemClock()
        write_example(folder / "policy")
        loaded = load_repository(folder / "policy")
        self.catalog: Catalog = loaded.catalog
        directory = RegistryDirectory(loaded.catalog, Standing(as_of=self.clock.now()))
        keys = KeySet([SigningKey.generate(self.clock.now())])

        async def nobody(_: Request):
            return None

        async def nothing(url: str, **_: object):
            raise RuntimeError(url)

        deps = OAuthDeps(
            database=self.database,
            audit=self.log,
            directory=directory,
            keys=keys,
            verifier=TokenVerifier(keys, URL, self.clock),
            decisions=DecisionPoint(CedarEngine.load(loaded.policies, loaded.catalog), self.clock),
            clock=self.clock,
            site=site_at(URL),
            read_session=nobody,
            resolve_secret=lambda _: SECRET,
            fetch=nothing,
            client_keys=PublishedKeys(nothing, self.clock),
            issuer_keys=PublishedKeys(nothing, self.clock),
        )
        self.application = Starlette(routes=routes(deps))
        self.token = poster(self.application, "/token", FORM)

    async def workload(self, _: int) -> None:
        """One token by client credentials."""
        await self.token(
            urlencode(
                {
                    "grant_type": "client_credentials",
                    "client_id": "billing-job",
                    "client_secret": SECRET,
                    "resource": audience_of(URL, ServerName("payments")),
                }
            ).encode()
        )

    async def seed(self, count: int) -> None:
        """`count` grants of one person to one client, each with a refresh token."""
        register = poster(self.application, "/register", "application/json")
        client = await register(
            json.dumps(
                {
                    "redirect_uris": ["http://127.0.0.1/callback"],
                    "grant_types": ["authorization_code", "refresh_token"],
                    "token_endpoint_auth_method": "none",
                }
            ).encode()
        )
        self.client_id = client["client_id"]
        now = self.clock.now()
        user = await self.database.run(
            lambda tx: create_user(
                tx,
                UserDetails(username="ada", tenant=TenantId("acme"), roles=("support",)),
                password_hash="x",
                catalog=self.catalog,
                now=now,
                context=Context(actor=Actor(ActorType.SYSTEM)),
            )
        )
        self.refresh_tokens = [await self._grant(user, now) for _ in range(count)]

    async def refresh(self, worker: int) -> None:
        """One refresh: each worker goes along its own chain."""
        answer = await self.token(
            urlencode(
                {
                    "grant_type": "refresh_token",
                    "client_id": self.client_id,
                    "refresh_token": self.refresh_tokens[worker],
                }
            ).encode()
        )
        self.refresh_tokens[worker] = answer["refresh_token"]

    async def _grant(self, user: User, now: EpochSeconds) -> str:
        secret = new_secret()
        grant = Grant(
            id=GrantId(new_id("grt")),
            kind=GrantKind.USER,
            user_id=user.id,
            client_id=ClientId(self.client_id),
            agent_id=AgentId("support-assistant"),
            tenant=user.tenant,
            environment=Environment("prod"),
            resource=audience_of(URL, ServerName("crm")),
            scopes=self.catalog.servers[ServerName("crm")].baseline_scopes,
            purpose="",
            auth_time=now,
            acr=None,
            amr=(),
            created_at=now,
            last_used_at=now,
            expires_at=EpochSeconds(now + 86_400),
        )
        token = RefreshToken(
            digest=digest(secret),
            grant_id=grant.id,
            issued_at=now,
            expires_at=grant.expires_at,
        )

        def store(tx):
            grant_store.add_grant(tx, grant)
            credential_store.add_refresh_token(tx, token)

        await self.database.run(store)
        return secret

    def close(self) -> None:
        self.database.close()
        self.log.close()


def bare() -> Work:
    """The endpoint that only reads a form and writes JSON."""

    async def answer(request: Request) -> Response:
        form = await read_form(request)
        return JSONResponse({"access_token": "x" * 900, "scope": form.one("grant_type")})

    application = Starlette(routes=[Route("/token", answer, methods=["POST"])])
    post = poster(application, "/token", FORM)
    body = urlencode({"grant_type": "refresh_token", "refresh_token": "x" * 50}).encode()

    async def work(_: int) -> None:
        await post(body)

    return work


async def measure(work: Work, workers: int) -> tuple[float, float]:
    """Requests a second with `workers` at once, and the median wait in milliseconds."""
    waits: list[float] = []
    end = time.perf_counter() + SECONDS

    async def run(worker: int) -> None:
        while (begun := time.perf_counter()) < end:
            await work(worker)
            waits.append((time.perf_counter() - begun) * 1000)

    begun = time.perf_counter()
    await asyncio.gather(*(run(worker) for worker in range(workers)))
    return len(waits) / (time.perf_counter() - begun), statistics.median(waits)


def synced(folder: Path) -> float:
    """Pairs of 1.5 KB written and `fdatasync`ed a second: what one token after another cannot beat."""
    descriptor = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    count, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < SECONDS / 2:
        for _ in range(2):
            os.write(descriptor, b"x" * 1500)
            os.fdatasync(descriptor)
        count += 1
    elapsed = time.perf_counter() - begun
    os.close(descriptor)
    (folder / "bare").unlink()
    return count / elapsed


async def _tables(folder: Path, bench: Bench) -> None:
    await bench.seed(max(CONCURRENCY))
    cases = {
        "client_credentials": bench.workload,
        "refresh_token": bench.refresh,
        "bare endpoint": bare(),
    }
    floor = statistics.median(synced(folder) for _ in range(RUNS))
    print(f"two fdatasync, one pair after another: {floor:,.0f}/s; medians of {RUNS} runs\n")
    print("| at once | request | a second | p50 ms |")
    print("|---|---|---|---|")
    for workers in CONCURRENCY:
        results: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
        for _ in range(RUNS):  # alternating, so that all meet the same machine
            for name, work in cases.items():
                results[name].append(await measure(work, workers))
        for name, runs in results.items():
            rate, wait = (statistics.median(column) for column in zip(*runs, strict=True))
            print(f"| {workers} | {name} | {rate:,.0f} | {wait:.2f} |", flush=True)


def main() -> None:
    """Print the table."""
    folder = Path(tempfile.mkdtemp(dir=os.environ.get("BENCH_DIR", ".")))
    try:
        bench = Bench(folder)
        asyncio.run(_tables(folder, bench))
        bench.close()
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
