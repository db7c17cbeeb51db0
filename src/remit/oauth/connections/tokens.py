"""The token with which a server may use a third party for a person: given out, renewed, or refused.

A token that is about to expire is renewed first, once however many ask: who asks meanwhile waits for
that one answer, and of two processes that renewed, both use what was kept. A third party that refuses
to renew ends the connection, and so does time where nothing was given to renew it with; one that does
not answer does not. With a connection end the person's grants for its server, as when it is withdrawn: their
clients authorize anew, and so the person is sent to the third party again.

Source: RFC 6749 §6; O21 §4.3; RFC 9700 §4.14 (rotation: a refresh token is sent once).
"""

from typing import ClassVar, Final

from remit.audit.context import Context
from remit.audit.events import ConnectionRemoved
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.errors import Error
from remit.identity import find_user
from remit.identity.providers import (
    ForeignTokens,
    TokenRequestError,
    request_tokens,
    secret_of,
)
from remit.model import Server, ThirdParty
from remit.oauth import connection_store
from remit.oauth.connection_store import Connection
from remit.oauth.connections.sealed import KeptTokens, open_tokens, seal_tokens
from remit.oauth.connections.standing import metadata_of
from remit.oauth.deps import OAuthDeps
from remit.oauth.grant import GrantFilter, RevokeReason
from remit.oauth.grant_revocation import revoke_grants
from remit.tokens import resource_of
from remit.tokens.published import IssuerUnavailableError
from remit.turns import Turns
from remit.web.fetch import Reach

__all__ = ["ConnectionTokens", "ConnectionUnavailableError", "NotConnectedError"]

_RENEWED_BEFORE: Final = 60
"""Seconds before its expiry from which a token is renewed: a call takes time."""
_REFUSED = frozenset({"invalid_grant", "invalid_client", "unauthorized_client", "invalid_scope"})


class NotConnectedError(Error):
    """The person has no connection for this server: they have to authorize it anew."""

    code: ClassVar[str] = "not_connected"


class ConnectionUnavailableError(Error):
    """The third party cannot be asked now; the connection stays."""

    code: ClassVar[str] = "connection_unavailable"


class ConnectionTokens:
    """Gives out the tokens of connections. One for a process, which is what makes renewals single."""

    __slots__ = ("_deps", "_renewals")

    def __init__(self, deps: OAuthDeps) -> None:
        self._deps = deps
        self._renewals = Turns[tuple[str, str]]()

    async def connection_token(self, user_id: str, server: Server) -> str:
        """The access token of that person for the third party of `server`, good for a while yet.

        Raises:
            NotConnectedError: there is none, and none can be had without the person.
            ConnectionUnavailableError: it has to be renewed, and the third party does not answer.
        """
        connection, tokens = await self._current(user_id, server)
        if self._holds(connection):
            return tokens.access_token
        async with self._renewals.of((user_id, str(server.name))):
            connection, tokens = await self._current(user_id, server)
            if self._holds(connection):  # somebody renewed it while this waited
                return tokens.access_token
            return await self._renewed(server, connection, tokens)

    async def renewed_token(self, user_id: str, server: Server, *, refused: str) -> str | None:
        """What to use instead of `refused`, which somebody turned down though its time is not over.

        `None` where it was renewed a moment ago: whoever refuses a new token refuses every one. A
        connection that cannot be renewed ends, so that its person can make another.

        Raises:
            NotConnectedError, ConnectionUnavailableError: as `connection_token`.
        """
        async with self._renewals.of((user_id, str(server.name))):
            connection, tokens = await self._current(user_id, server)
            if tokens.access_token != refused:  # somebody renewed it meanwhile
                return tokens.access_token
            if connection.updated_at + _RENEWED_BEFORE > self._deps.clock.now():
                return None
            return await self._renewed(server, connection, tokens)

    def _holds(self, connection: Connection) -> bool:
        expires = connection.expires_at
        return expires is None or self._deps.clock.now() + _RENEWED_BEFORE < expires

    async def _current(self, user_id: str, server: Server) -> tuple[Connection, KeptTokens]:
        party, access = server.connection, self._deps.third_parties

        def read(tx: Transaction) -> Connection | None:
            user = find_user(tx, user_id)
            if user is None or user.disabled_at is not None:
                return None
            return connection_store.find_connection(tx, user_id=user_id, server=server.name)

        found = await self._deps.database.read(read)
        if party is None or access is None or found is None or found.issuer != party.issuer:
            raise NotConnectedError("there is no connection for this person and server")
        tokens = open_tokens(access.box, found)
        if tokens is None:
            raise NotConnectedError("the connection cannot be opened")
        return found, tokens

    async def _renewed(self, server: Server, connection: Connection, tokens: KeptTokens) -> str:
        party = server.connection
        if tokens.refresh_token is None or party is None:
            await self._end(server, connection, reason="run_out")
            raise NotConnectedError("the connection has run out")
        try:
            issued = await self._ask(party, tokens.refresh_token)
        except (IssuerUnavailableError, TokenRequestError) as error:
            if isinstance(error, TokenRequestError) and error.reason in _REFUSED:
                await self._end(server, connection, reason="refused_by_third_party")
                raise NotConnectedError("the connection was refused", cause=error) from error
            raise ConnectionUnavailableError(
                "the third party cannot be asked now", cause=error
            ) from error
        return await self._keep(server, connection, tokens, issued)

    async def _end(self, server: Server, connection: Connection, *, reason: str) -> None:
        """Forget it, and with it the person's grants for its server: who authorizes anew is sent there again."""
        deps = self._deps
        resource = resource_of(deps.public_url, server)
        now = deps.clock.now()

        def end(tx: Transaction) -> bool:
            return _end(tx, connection, reason=reason, resource=resource, now=now)

        if await deps.database.run(end):
            await deps.publish()

    async def _ask(self, party: ThirdParty, refresh_token: str) -> ForeignTokens:
        deps, access = self._deps, self._deps.third_parties
        if access is None:
            raise IssuerUnavailableError("this server knows no way to third parties")
        metadata = await metadata_of(deps, party)
        own = secret_of(party.client_id, party.secret, deps.resolve_secret)
        fields = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        if party.resource is not None:
            fields["resource"] = party.resource
        reach = Reach(private=party.private_network)
        return await request_tokens(access.post_form, metadata, own, fields=fields, reach=reach)

    async def _keep(
        self, server: Server, connection: Connection, tokens: KeptTokens, issued: ForeignTokens
    ) -> str:
        deps, access = self._deps, self._deps.third_parties
        now, lifetime = deps.clock.now(), issued.expires_in
        assert access is not None  # noqa: S101  for the type checker: it was asked
        owner = (connection.user_id, connection.server, connection.issuer)
        sealed = seal_tokens(access.box, issued, owner=owner, refresh_token=tokens.refresh_token)
        expires_at = None if lifetime is None else EpochSeconds(now + lifetime)
        kept = await deps.database.run(
            lambda tx: connection_store.replace_tokens(
                tx, connection, sealed_tokens=sealed, expires_at=expires_at, now=now
            )
        )
        if kept:
            return issued.access_token
        # Another process renewed it, or the person took it away: what is kept now is what counts.
        _, present = await self._current(connection.user_id, server)
        return present.access_token


def _end(
    tx: Transaction, connection: Connection, *, reason: str, resource: str, now: EpochSeconds
) -> bool:
    gone = connection_store.remove_connection(
        tx,
        user_id=connection.user_id,
        server=connection.server,
        sealed_tokens=connection.sealed_tokens,
    )
    if gone is None:
        return False
    context = Context(user_id=gone.user_id)
    tx.record(
        ConnectionRemoved(context=context, server=gone.server, issuer=gone.issuer, reason=reason)
    )
    revoke_grants(
        tx,
        GrantFilter(user_id=gone.user_id, resource=resource),
        reason=RevokeReason.CONNECTION_WITHDRAWN.value,
        at=now,
        context=context,
    )
    return True
