"""With what the gateway goes to a server on somebody's behalf: their connection, or a token of our own.

What was had is kept in memory for a few seconds, so that a call asks no database; whoever loses
a connection loses the grants for its server too, which the guard knows within half a second; what
was kept for one grant serves no other.

Refused: a workload where a person's account is needed; a caller without a connection, who is told
where to make one; anything that cannot be had now.

Source: RFC 8693; MCP 2026-07-28 authorization (token passthrough).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from remit.clock import Clock, Seconds
from remit.errors import Error
from remit.gateway import ConnectionNeededError, bearer
from remit.gateway.rejection import UpstreamError
from remit.gateway.upstream.port import NOTHING_PRESENTED, Presented
from remit.guard.limits import is_workload
from remit.model import ConnectionCredential, ExchangedCredential, HttpUpstream, Server
from remit.oauth import (
    ConnectionTokens,
    NoOnwardTokenError,
    NotConnectedError,
    OAuthDeps,
    OnwardToken,
    issue_onward_token,
)
from remit.tokens import AccessToken
from remit.turns import Turns

__all__ = ["OwnCallerCredentials"]

_KEPT: Final = Seconds(5)
"""How long the token of a connection is used before it is looked up again."""
_SPARE: Final = Seconds(10)
"""A token of our own that ends sooner is not begun with."""
_MOST: Final = 4_096

_Key = tuple[str, ...]
_Made = tuple[Presented, float]
_Issue = Callable[[OAuthDeps, ExchangedCredential, AccessToken], Awaitable[OnwardToken]]


@dataclass(slots=True)
class _Kept:
    """What is presented, until when by the clock that never goes back."""

    presented: Presented
    until: float


class OwnCallerCredentials:
    """The credentials of callers, for the gateway of this process."""

    def __init__(
        self,
        deps: OAuthDeps,
        clock: Clock,
        *,
        connections: ConnectionTokens | None = None,
        issue: _Issue = issue_onward_token,
    ) -> None:
        self._deps = deps
        self._clock = clock
        self._connections = connections or ConnectionTokens(deps)
        self._issue = issue
        self._kept: dict[_Key, _Kept] = {}
        self._making = Turns[_Key]()

    async def of(self, server: Server, token: AccessToken) -> Presented:
        """As `remit.gateway.CallerCredentials` says."""
        match _credential(server):
            case ConnectionCredential():
                key = _connection_key(server, token)
                return await self._once(key, lambda: self._connected(server, token))
            case ExchangedCredential() as credential:
                version = self._deps.directory.catalog.version
                key = ("exchange", token.jti, str(server.name), version)
                return await self._once(key, lambda: self._exchanged(credential, token))
            case _:
                return NOTHING_PRESENTED

    async def renewed(
        self, server: Server, token: AccessToken, refused: Presented
    ) -> Presented | None:
        """As `remit.gateway.CallerCredentials` says. A token of our own is not made a second time: nothing about it would be new."""
        if not isinstance(_credential(server), ConnectionCredential) or not refused.secrets:
            return None
        key = _connection_key(server, token)
        known = self._kept.get(key)
        if known is not None and known.presented == refused:
            del self._kept[key]
        try:
            fresh = await self._connections.renewed_token(
                token.sub, server, refused=refused.secrets[0]
            )
        except NotConnectedError as error:
            raise self._not_connected(server, error) from error
        except Error as error:
            raise _unavailable(error) from error
        return None if fresh is None else bearer(fresh)

    async def _once(self, key: _Key, make: Callable[[], Awaitable[_Made]]) -> Presented:
        """What is kept under `key`, else what `make` makes: once, however many ask."""
        known = self._kept.get(key)
        if known is not None and self._clock.monotonic() < known.until:
            return known.presented
        async with self._making.of(key):
            known = self._kept.get(key)
            if known is not None and self._clock.monotonic() < known.until:
                return known.presented
            presented, lifetime = await make()
            self._make_room()
            self._kept[key] = _Kept(presented, self._clock.monotonic() + lifetime)
            return presented

    def _make_room(self) -> None:
        if len(self._kept) < _MOST:
            return
        now = self._clock.monotonic()
        self._kept = {key: one for key, one in self._kept.items() if now < one.until}
        while len(self._kept) >= _MOST:
            del self._kept[next(iter(self._kept))]

    async def _connected(self, server: Server, token: AccessToken) -> _Made:
        if is_workload(token):
            raise UpstreamError(
                "the server is used with a person's account, and nobody is behind this call"
            )
        try:
            found = await self._connections.connection_token(token.sub, server)
        except NotConnectedError as error:
            raise self._not_connected(server, error) from error
        except Error as error:
            raise _unavailable(error) from error
        return bearer(found), float(_KEPT)

    async def _exchanged(self, credential: ExchangedCredential, token: AccessToken) -> _Made:
        try:
            onward = await self._issue(self._deps, credential, token)
        except NoOnwardTokenError as error:
            raise UpstreamError(error.detail, cause=error) from error
        except Error as error:
            raise _unavailable(error) from error
        lifetime = onward.expires_at - self._deps.clock.now() - _SPARE
        return bearer(onward.signed), float(max(0, lifetime))

    def _not_connected(self, server: Server, cause: NotConnectedError) -> ConnectionNeededError:
        title = server.title if server.connection is None else server.connection.title
        return ConnectionNeededError(title, f"{self._deps.public_url}/account", cause=cause)


def _credential(server: Server) -> object:
    upstream = server.upstream
    return upstream.presents if isinstance(upstream, HttpUpstream) else None


def _connection_key(server: Server, token: AccessToken) -> _Key:
    party = server.connection
    issuer = "" if party is None else party.issuer
    # INVARIANT: with a connection end the grants that used it. Under a later grant nothing is used of what was
    # kept before: the person may have connected another account.
    return ("connection", token.sub, token.grant_id, str(server.name), issuer)


def _unavailable(cause: Error) -> UpstreamError:
    return UpstreamError("the gateway has no credential for this call at present", cause=cause)
