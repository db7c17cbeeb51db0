"""A connection is taken away, by its person or by an administrator: gone here at once, then revoked there.

With it end the person's grants for its server: they said yes to both on one page, and an agent that
goes on without the account is not what they said yes to. The third party is told where it says that it listens (RFC 7009); that it does not answer changes
nothing here, for what is not kept is not used.

Source: RFC 7009 §2.1; MISSION A10.
"""

from collections.abc import Sequence

import structlog

from remit.audit.context import Context
from remit.audit.events import ConnectionRemoved
from remit.db import Transaction
from remit.errors import NotFoundError
from remit.identity import AccountEntry, AccountSection, User
from remit.identity.providers import TokenRequestError, authorized, secret_of
from remit.ids import ServerName, UserId
from remit.oauth import connection_store
from remit.oauth.connection_store import Connection, connections_of
from remit.oauth.connections.sealed import open_tokens
from remit.oauth.connections.shown import third_party_shown
from remit.oauth.connections.standing import metadata_of
from remit.oauth.deps import OAuthDeps
from remit.oauth.grant import GrantFilter, RevokeReason
from remit.oauth.grant_revocation import revoke_grants
from remit.tokens import audience_of, resource_of
from remit.tokens.published import IssuerUnavailableError
from remit.web.fetch import FetchFailedError, FetchRefusedError, Reach

__all__ = ["connection_section", "list_connections", "withdraw_connection"]

_log = structlog.get_logger("remit.oauth.connections")


async def withdraw_connection(
    deps: OAuthDeps, user_id: str, server: str, *, reason: str, context: Context
) -> None:
    """Forget what the third party issued to that person for that server, end the grants, and tell the third party.

    Raises:
        NotFoundError: there is no such connection.
    """

    def remove(tx: Transaction) -> Connection:
        gone = connection_store.remove_connection(tx, user_id=user_id, server=server)
        if gone is None:
            raise NotFoundError("there is no such connection")
        tx.record(
            ConnectionRemoved(
                context=context.with_(user_id=gone.user_id),
                server=gone.server,
                issuer=gone.issuer,
                reason=reason,
            )
        )
        revoke_grants(
            tx,
            GrantFilter(
                user_id=UserId(gone.user_id),
                resource=_resource_of(deps, ServerName(gone.server)),
            ),
            reason=RevokeReason.CONNECTION_WITHDRAWN.value,
            at=deps.clock.now(),
            context=context,
        )
        return gone

    gone = await deps.database.run(remove)
    await deps.publish()
    await _revoke(deps, gone)


def list_connections(tx: Transaction, user_id: str) -> tuple[Connection, ...]:
    """Every connection of that person, by server; their tokens stay sealed."""
    return connections_of(tx, user_id)


def connection_section(deps: OAuthDeps) -> AccountSection:
    """The connections of a person, on their account page."""

    async def entries(user: User) -> Sequence[AccountEntry]:
        found = await deps.database.read(lambda tx: connections_of(tx, user.id))
        return [_entry(deps, one) for one in found]

    async def remove(user: User, entry: str, context: Context) -> None:
        try:
            await withdraw_connection(deps, user.id, entry, reason="person", context=context)
        except NotFoundError:
            return  # pressed twice

    return AccountSection(
        key="connections",
        title="Other services",
        about="Services elsewhere that servers here use for you.",
        empty="None.",
        button="Disconnect",
        entries=entries,
        remove=remove,
    )


def _entry(deps: OAuthDeps, connection: Connection) -> AccountEntry:
    server = deps.directory.catalog.servers.get(connection.server)
    shown = None if server is None else third_party_shown(server)
    title = connection.issuer if shown is None else shown.title
    used_by = connection.server if server is None else server.title
    return AccountEntry(
        id=connection.server,
        title=title,
        facts=(
            f"For {used_by}",
            *(("Allows: " + " ".join(connection.scopes),) if connection.scopes else ()),
        ),
    )


async def _revoke(deps: OAuthDeps, gone: Connection) -> None:
    """Tell the third party, if it is still the one that issued them and says where to."""
    access = deps.third_parties
    server = deps.directory.catalog.servers.get(ServerName(gone.server))
    party = None if server is None else server.connection
    if access is None or party is None or party.issuer != gone.issuer:
        return
    tokens = open_tokens(access.box, gone)
    if tokens is None:
        return
    try:
        metadata = await metadata_of(deps, party)
        if metadata.revocation_endpoint is None:
            return
        own = secret_of(party.client_id, party.secret, deps.resolve_secret)
        for token, hint in (
            (tokens.refresh_token, "refresh_token"),
            (tokens.access_token, "access_token"),
        ):
            if token is None:
                continue
            fields, authorization = authorized(
                {"token": token, "token_type_hint": hint}, own, metadata.revocation_methods
            )
            await access.post_form(
                metadata.revocation_endpoint,
                fields,
                authorization=authorization,
                reach=Reach(private=party.private_network),
            )
    except (
        IssuerUnavailableError,
        TokenRequestError,
        FetchFailedError,
        FetchRefusedError,
    ) as error:
        _log.warning("connection_not_revoked", server=gone.server, error=error.code)


def _resource_of(deps: OAuthDeps, name: ServerName) -> str:
    """What grants for the server are for; it may be declared no more."""
    server = deps.directory.catalog.servers.get(name)
    return (
        audience_of(deps.public_url, name)
        if server is None
        else resource_of(deps.public_url, server)
    )
