"""A revocation bites everywhere within a second, in streams that are open, too: real processes, real sockets."""

import asyncio
import secrets
import time
from base64 import b64encode
from contextlib import ExitStack, asynccontextmanager

import httpx2
import pytest

from remit.demo.stage import free_port
from tests.app.conftest import SECRET, Remit

pytestmark = [pytest.mark.e2e]

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
ACCEPT = {"Accept": "application/json, text/event-stream"}
WITHIN = 30.0
"""Seconds to wait for what is expected within one: a busy machine is no failing test."""


class Processes:
    """Where tokens are issued and ended, and where they are used: one process, or two on one database."""

    def __init__(self, issuer: str, remit: Remit, home: str, away: str) -> None:
        self.issuer = issuer
        self.remit = remit
        self.home = home
        self.away = away

    async def token(self, http) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": "billing-job",
            "client_secret": SECRET,
            "resource": f"{self.issuer}/mcp/payments",
        }
        answer = await http.post(f"{self.home}/token", data=form)
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    async def end(self, http, token: str) -> float:
        """Revoke `token` at home; when that was answered."""
        form = {"client_id": "billing-job", "client_secret": SECRET, "token": token}
        answer = await http.post(f"{self.home}/revoke", data=form)
        assert answer.status_code == 200, answer.text
        return time.monotonic()

    @asynccontextmanager
    async def stream(self, http, token: str):
        """A session's open stream, away; a task that ends with it, and says when."""
        headers = ACCEPT | {
            "Authorization": f"Bearer {token}",
            "Host": self.issuer.removeprefix("http://"),
        }
        url = f"{self.away}/mcp/payments"
        opened = await http.post(url, json=INITIALIZE, headers=headers)
        assert opened.status_code == 200, opened.text
        session = headers | {"Mcp-Session-Id": opened.headers["mcp-session-id"]}
        begun: asyncio.Event = asyncio.Event()

        async def listen() -> float:
            async with http.stream("GET", url, headers=session) as answer:
                assert answer.status_code == 200
                async for _ in answer.aiter_raw():
                    begun.set()
            return time.monotonic()

        listening = asyncio.create_task(listen())
        try:
            async with asyncio.timeout(WITHIN):
                await begun.wait()
            yield listening
        finally:
            listening.cancel()


@pytest.fixture(params=["one process on sqlite", "two processes on postgresql"])
def processes(request, tmp_path, tmp_path_factory):
    remit = Remit(tmp_path, tmp_path_factory.getbasetemp() / "pycache")
    remit.ok("init", str(remit.repo))
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    environ = {"REMIT_PUBLIC_URL": issuer}
    with ExitStack() as stack:
        if request.param.startswith("one"):
            home = stack.enter_context(remit.serving("--port", str(port), environ=environ))
            yield Processes(issuer, remit, home.url, home.url)
            return
        server = request.getfixturevalue("postgres")
        name = f"revocation_{secrets.token_hex(4)}"
        environ |= {
            "REMIT_DATABASE_URL": server.create(name),
            "REMIT_MASTER_KEY": b64encode(secrets.token_bytes(32)).decode(),
        }
        home = stack.enter_context(
            remit.serving("--port", str(port), environ=environ | {"REMIT_INSTANCE": "home"})
        )
        away = stack.enter_context(
            remit.serving(data=remit.folder / "away", environ=environ | {"REMIT_INSTANCE": "away"})
        )
        yield Processes(issuer, remit, home.url, away.url)


async def test_a_revoked_token_closes_its_streams_in_every_process(processes, capsys):
    async with httpx2.AsyncClient(timeout=WITHIN) as http:
        first, second = await processes.token(http), await processes.token(http)
        async with (
            processes.stream(http, first) as revoked,
            processes.stream(http, second) as other,
        ):
            answered = await processes.end(http, first)
            closed = await asyncio.wait_for(revoked, WITHIN)
            assert not other.done()
            with capsys.disabled():
                print(f"\na stream closed {(closed - answered) * 1000:.0f} ms after the answer")  # noqa: T201  for whoever runs it
            again = await http.post(
                f"{processes.away}/mcp/payments",
                json=INITIALIZE,
                headers=ACCEPT
                | {
                    "Authorization": f"Bearer {first}",
                    "Host": processes.issuer.removeprefix("http://"),
                },
            )
            assert again.status_code == 401


async def test_a_suspended_agent_loses_every_stream_in_every_process(processes, capsys):
    async with httpx2.AsyncClient(timeout=WITHIN) as http:
        token = await processes.token(http)
        async with processes.stream(http, token) as stream:
            done = await asyncio.to_thread(
                processes.remit.ok, "agents", "suspend", "billing-job", "--reason", "a drill"
            )
            answered = time.monotonic()
            closed = await asyncio.wait_for(stream, WITHIN)
            with capsys.disabled():
                print(f"\na stream closed {(closed - answered) * 1000:.0f} ms after the command")  # noqa: T201
            assert done
