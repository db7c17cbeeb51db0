"""An OAuth client of our own making: registers itself, listens on loopback, redeems what arrives.

Not the SDK: a test can leave any step out, or do it wrong.
"""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2

from remit.demo.stage import Stage

SCOPE = "crm:accounts.read crm:accounts.write"


@dataclass(slots=True)
class Application:
    """A registered public client, and what came back to it."""

    stage: Stage
    redirect_uri: str
    client_id: str = ""
    state: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    arrived: asyncio.Queue[dict[str, str]] = field(default_factory=asyncio.Queue)

    async def register(self) -> None:
        async with httpx2.AsyncClient(timeout=60) as http:
            answer = await http.post(
                f"{self.stage.url}/register",
                json={
                    "client_name": "An application",
                    "redirect_uris": [self.redirect_uri],
                    "token_endpoint_auth_method": "none",
                    "grant_types": ["authorization_code", "refresh_token"],
                },
            )
        assert answer.status_code == 201, answer.text
        self.client_id = answer.json()["client_id"]

    def parameters(self, **changes: str | None) -> dict[str, str]:
        """The parameters of a good authorization request; `None` leaves one out."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        good = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": SCOPE,
            "state": self.state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            "resource": self.stage.server("crm"),
        }
        return {k: v for k, v in {**good, **changes}.items() if v is not None}

    def request(self, **changes: str | None) -> str:
        return f"{self.stage.url}/authorize?{urlencode(self.parameters(**changes))}"

    async def redeem(self, code: str, **changes: str | None) -> dict[str, Any]:
        good = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
            "resource": self.stage.server("crm"),
        }
        form = {k: v for k, v in {**good, **changes}.items() if v is not None}
        async with httpx2.AsyncClient(timeout=60) as http:
            answer = await http.post(f"{self.stage.url}/token", data=form)
        return answer.json()


@asynccontextmanager
async def application(stage: Stage) -> AsyncIterator[Application]:
    """An application that listens, for as long as the context lasts."""
    arrived: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    async with listening(lambda target: _arrive(arrived, target)) as port:
        made = Application(stage, f"http://127.0.0.1:{port}/callback", arrived=arrived)
        await made.register()
        yield made


def _arrive(arrived: asyncio.Queue[dict[str, str]], target: str) -> str:
    parts = urlsplit(target)
    if parts.path == "/callback":
        arrived.put_nowait({name: values[0] for name, values in parse_qs(parts.query).items()})
    return "<!doctype html><title>Back</title><link rel=icon href='data:,'><h1>Back</h1>"


@asynccontextmanager
async def listening(answer: Any) -> AsyncIterator[int]:
    """A web server on a free port that answers each path with the page `answer(path)`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request_line = (await reader.readline()).decode("latin-1").split(" ")
        if len(request_line) == 3:
            page = answer(request_line[1]).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n"
                b"content-length: %d\r\n\r\n%b" % (len(page), page)
            )
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
