"""The calls that have to be refused: without a token, with every sort of wrong one, and beyond what a good one allows.

Tokens are minted here, with the keys that sign those of everybody else, for an agent that is
declared and with no scope at all; they leave the process with nobody.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from remit.app.self_test.request import Request
from remit.canonical import JsonObject, canonical_bytes
from remit.clock import EpochSeconds
from remit.guard import RefusalReason
from remit.ids import ClientId, GrantId, ServerName
from remit.model import MANAGEMENT, MANAGEMENT_OPERATIONS, Agent, Catalog, Server, Tenant
from remit.tokens import AccessToken, KeySet, audience_of, mint

__all__ = ["REVOKED", "Attempt", "Issuing", "attempts_on", "management_attempts"]

REVOKED: Final = GrantId("gnt_self-test-revoked")
"""The grant of a token that is as good as any, but for having been revoked."""

_VERSION: Final = "2026-07-28"
_LEGACY: Final = "2025-11-25"
_UNKNOWN: Final = "remit.self-test/no-such-tool"
_LIFETIME: Final = 60
_NO_TOKEN: Final = frozenset({RefusalReason.MISSING_TOKEN.value})
_BAD_TOKEN: Final = frozenset({RefusalReason.INVALID_TOKEN.value})
_BEYOND: Final = frozenset(
    one.value
    for one in (
        RefusalReason.NOT_FOUND,
        RefusalReason.INSUFFICIENT_SCOPE,
        RefusalReason.FORBIDDEN,
        RefusalReason.ENGINE_ERROR,
        # An unbound token where only bound ones are good, or an agent that is suspended.
        RefusalReason.INVALID_TOKEN,
    )
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request, and with which of these words it has to be refused."""

    name: str
    server: ServerName
    request: Request
    reasons: frozenset[str]

    @property
    def is_known(self) -> bool:
        """Whether it comes with a good token, so that limits count it."""
        return self.reasons == _BEYOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuing:
    """What tokens are made with: the keys in force, some that are not ours, where this Remit is, and the time."""

    keys: KeySet
    foreign: KeySet
    url: str
    now: EpochSeconds


def attempts_on(server: Server, catalog: Catalog, issuing: Issuing) -> list[Attempt]:
    """What has to be refused at `server`, in both eras."""
    call = partial(_call, f"{issuing.url}/mcp/{server.name}")
    tool = call("tools/call", "name", _UNKNOWN)
    found = [
        Attempt("a legacy call without a token", server.name, _initialize(issuing.url, server), _NO_TOKEN),
        *_wrong_tokens(server, catalog, issuing, request=tool),
    ]  # fmt: skip
    good = mint(issuing.keys, _token(server, catalog, issuing))
    found.append(Attempt("a call of an unknown tool", server.name, tool(good), _BEYOND))
    thing = _thing(server)
    if thing is not None:
        beyond = call(*thing)(good)
        found.append(Attempt("a call without the scopes it takes", server.name, beyond, _BEYOND))
    return [replace(one, name=f"{one.name} to {server.name}") for one in found]


def management_attempts(catalog: Catalog, issuing: Issuing) -> list[Attempt]:
    """What has to be refused by the management API over HTTP."""
    operation = MANAGEMENT_OPERATIONS["status"]
    url = f"{issuing.url}{operation.path}"

    def request(token: str | None) -> Request:
        return Request(method=operation.method, url=url, headers=_authorization(token))

    found = _wrong_tokens(MANAGEMENT, catalog, issuing, request=request)
    good = mint(issuing.keys, _token(MANAGEMENT, catalog, issuing))
    found.append(
        Attempt("a call without the scopes it takes", MANAGEMENT.name, request(good), _BEYOND)
    )
    return [replace(one, name=f"{one.name} to the management api") for one in found]


def _wrong_tokens(
    server: Server,
    catalog: Catalog,
    issuing: Issuing,
    *,
    request: Callable[[str | None], Request],
) -> list[Attempt]:
    """Without a token, and with tokens that are all in order but for one thing."""
    token = _token(server, catalog, issuing)
    foreign = mint(issuing.foreign, token)
    elsewhere = replace(token, aud=audience_of(issuing.url, ServerName("remit-self-test")))
    expired = replace(
        token, iat=EpochSeconds(issuing.now - 7_200), exp=EpochSeconds(issuing.now - 3_600)
    )
    revoked = replace(token, grant_id=REVOKED)
    wrong = {
        "a token of a foreign key": foreign,
        "a token for another server": mint(issuing.keys, elsewhere),
        "an expired token": mint(issuing.keys, expired),
        "a revoked token": mint(issuing.keys, revoked),
    }
    return [
        Attempt("a call without a token", server.name, request(None), _NO_TOKEN),
        *(
            Attempt(f"a call with {name}", server.name, request(raw), _BAD_TOKEN)
            for name, raw in wrong.items()
        ),
    ]


def _token(server: Server, catalog: Catalog, issuing: Issuing) -> AccessToken:
    """A token for `server` that is good, and allows nothing."""
    agent, tenant = _bearer(server, catalog)
    return AccessToken(
        iss=issuing.url,
        sub=agent.id,
        aud=audience_of(issuing.url, server.name),
        client_id=ClientId("self-test"),
        jti="self-test",
        iat=issuing.now,
        exp=EpochSeconds(issuing.now + _LIFETIME),
        scopes=(),
        grant_id=GrantId("gnt_self-test"),
        agent_id=agent.id,
        organization_id=tenant.id,
        environment=server.environment,
        sensitivity=agent.max_sensitivity,
    )


def _bearer(server: Server, catalog: Catalog) -> tuple[Agent, Tenant]:
    """An agent that gets as far as possible at `server`, and a tenant that it acts in there."""
    tenants = [one for one in catalog.tenants if server.tenant in {None, one}]
    for agent in (*catalog.agents.values(), catalog.unregistered):
        shared = [one for one in tenants if one in agent.tenants]
        if shared and server.environment in agent.environments and not agent.dpop_required:
            return agent, catalog.tenants[shared[0]]
    return catalog.unregistered, next(iter(catalog.tenants.values()))


def _thing(server: Server) -> tuple[str, str, str] | None:
    """Something that `server` has: the method that uses it, the parameter that names it, and its name."""
    if server.tools:
        return "tools/call", "name", next(iter(server.tools))
    if server.prompts:
        return "prompts/get", "name", next(iter(server.prompts))
    uris = [one.uri for one in server.resources if not one.is_template]
    return ("resources/read", "uri", uris[0]) if uris else None


def _call(url: str, method: str, parameter: str, name: str) -> Callable[[str | None], Request]:
    params: JsonObject = {
        parameter: name,
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": _VERSION,
            "io.modelcontextprotocol/clientInfo": {"name": "remit-self-test", "version": "0"},
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    }
    if method != "resources/read":
        params["arguments"] = {}
    headers = (
        ("mcp-protocol-version", _VERSION),
        ("mcp-method", method),
        ("mcp-name", name),
    )

    def request(token: str | None) -> Request:
        return _posted(url, method, params, headers=(*headers, *_authorization(token)))

    return request


def _initialize(url: str, server: Server) -> Request:
    params: JsonObject = {
        "protocolVersion": _LEGACY,
        "capabilities": {},
        "clientInfo": {"name": "remit-self-test", "version": "0"},
    }
    return _posted(f"{url}/mcp/{server.name}", "initialize", params)


def _posted(
    url: str, method: str, params: JsonObject, *, headers: tuple[tuple[str, str], ...] = ()
) -> Request:
    message: JsonObject = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return Request(
        method="POST",
        url=url,
        headers=(
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
            *headers,
        ),
        body=canonical_bytes(message),
    )


def _authorization(token: str | None) -> tuple[tuple[str, str], ...]:
    return () if token is None else (("authorization", f"Bearer {token}"),)
