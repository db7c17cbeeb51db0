"""The agent in the story: the official Python client, doing the whole OAuth dance by itself.

Nothing is faked: discovery, registration, PKCE, the token request and every call
are the SDK's own. We only listen to what goes over the wire, to tell it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth.oauth2 import OAuthClientProvider
from mcp.client.session import ElicitationFnT
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)
from pydantic import AnyUrl

__all__ = ["AgentSession", "AuthorizationRefusedError", "Exchange", "Keyring", "connect"]

Browse = Callable[[str], Awaitable[str]]
"""Takes the authorization URL, returns the redirect that came back."""


class AuthorizationRefusedError(Exception):
    """The authorization server sent the person back with an error instead of a code."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP request and its answer, as far as the story needs it."""

    method: str
    path: str
    status: int
    challenge: str
    body: bytes


class Keyring:
    """What the agent remembers between runs: its registration and its tokens, in memory."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@dataclass(slots=True)
class AgentSession:
    """A connected agent: the SDK's client, its keyring, and what went over the wire so far."""

    client: Client
    keyring: Keyring
    exchanges: list[Exchange] = field(default_factory=list)

    def last(self, path: str) -> Exchange | None:
        """The newest exchange with `path`."""
        return next((one for one in reversed(self.exchanges) if one.path == path), None)

    async def call(self, tool: str, arguments: dict[str, Any]) -> Any:
        """Call a tool; protocol errors are raised, as the SDK does."""
        return await self.client.call_tool(tool, arguments)


@asynccontextmanager
async def connect(
    url: str,
    *,
    redirect_uri: str,
    browse: Browse,
    keyring: Keyring | None = None,
    mode: str = "auto",
    elicit: ElicitationFnT | None = None,
) -> AsyncIterator[AgentSession]:
    """Connect to the MCP server at `url`, authorizing through `browse` when asked to.

    `keyring` holds an earlier registration and its tokens. A refused authorization
    ends the whole connection, as the SDK has it: it leaves in an exception group.
    `elicit` shows the person what a server asks; without it the agent can show nothing.
    """
    keyring = keyring or Keyring()
    exchanges: list[Exchange] = []
    answers: list[str] = []

    async def redirect(authorization_url: str) -> None:
        answers.append(await browse(authorization_url))

    async def callback() -> AuthorizationCodeResult:
        return _read_callback(answers.pop())

    provider = OAuthClientProvider(
        server_url=url,
        client_metadata=OAuthClientMetadata(
            client_name="Support assistant", redirect_uris=[AnyUrl(redirect_uri)]
        ),
        storage=keyring,
        redirect_handler=redirect,
        callback_handler=callback,
    )

    async def listen(response: httpx2.Response) -> None:
        exchanges.append(await _exchange_of(response))

    http = httpx2.AsyncClient(auth=provider, timeout=30, event_hooks={"response": [listen]})
    transport = streamable_http_client(url, http_client=http)
    async with http, Client(transport, mode=mode, elicitation_callback=elicit) as client:
        yield AgentSession(client=client, keyring=keyring, exchanges=exchanges)


async def _exchange_of(response: httpx2.Response) -> Exchange:
    streamed = response.headers.get("content-type", "").startswith("text/event-stream")
    return Exchange(
        method=response.request.method,
        path=response.url.path,
        status=response.status_code,
        challenge=response.headers.get("www-authenticate", ""),
        body=b"" if streamed else await response.aread(),
    )


def _read_callback(redirect: str) -> AuthorizationCodeResult:
    values = dict(parse_qsl(urlsplit(redirect).query))
    if "error" in values:
        raise AuthorizationRefusedError(values["error"], values.get("error_description", ""))
    return AuthorizationCodeResult(
        code=values["code"], state=values.get("state"), iss=values.get("iss")
    )
