"""What a person allowed: consents to clients, and connections with third parties; listed and taken back.

What was granted under it ends with it, and that is enforced when the answer comes. Taking back only
lessens what others may do, so it asks for no more than revoking a grant. Refused: what is another
organisation's person's, or nobody's.

Source: SBP26 consent registry; RFC 7009 §2.1; AS-52 to AS-57.
"""

from typing import Final

from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Shape, Text, Why
from remit.api.users import named_user
from remit.db import Transaction
from remit.errors import NotFoundError
from remit.identity import User
from remit.oauth import (
    Connection,
    Consent,
    RememberedConsent,
    list_connections,
    list_consents,
    withdraw_consent,
)

__all__ = ["ALLOWED_OPERATIONS"]


class ConsentShown(Shape):
    """What a person allowed a client on a server."""

    client_id: str
    resource: str
    scopes: list[str]
    granted_at: int


class ConsentList(Shape):
    """The consents of one person, newest first."""

    consents: list[ConsentShown]


class Withdrawal(Shape):
    """Which consents: those to that client, on that resource if one is named."""

    client_id: Text
    resource: Text | None = None


class ConsentsWithdrawn(Shape):
    """How many were withdrawn, and how many grants ended with them."""

    withdrawn: int
    grants: int


class ConnectionShown(Shape):
    """What a third party lets a server do for the person; never its tokens."""

    server: str
    issuer: str
    scopes: list[str]
    created_at: int
    updated_at: int
    expires_at: int | None


class ConnectionList(Shape):
    """The connections of one person, by server."""

    connections: list[ConnectionShown]


class ConnectionWithdrawn(Shape):
    """Which connection is gone."""

    server: str


async def _consents(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> ConsentList:
    def find(tx: Transaction) -> tuple[Consent, ...]:
        return list_consents(tx, named_user(tx, asked.by, asked.path["user"]).id)

    return ConsentList(consents=[_consent(one) for one in await deps.database.read(find)])


async def _withdraw_consents(deps: ApiDeps, asked: Asked[Nothing, Withdrawal]) -> ConsentsWithdrawn:
    body = asked.body

    def work(tx: Transaction) -> ConsentsWithdrawn:
        user = named_user(tx, asked.by, asked.path["user"])
        meant = [
            one
            for one in list_consents(tx, user.id)
            if one.client_id == body.client_id and body.resource in {None, one.resource}
        ]
        if not meant:
            raise NotFoundError("this person has no such consent")
        context = asked.context.with_(tenant=user.tenant)
        ended = 0
        for one in meant:
            wanted = RememberedConsent(user.id, one.client_id, one.resource)
            ended += len(withdraw_consent(tx, wanted, at=asked.at, context=context))
        return ConsentsWithdrawn(withdrawn=len(meant), grants=ended)

    done = await deps.database.run(work)
    await deps.publish()
    return done


async def _connections(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> ConnectionList:
    def find(tx: Transaction) -> tuple[Connection, ...]:
        return list_connections(tx, named_user(tx, asked.by, asked.path["user"]).id)

    found = await deps.database.read(find)
    return ConnectionList(connections=[_connection(one) for one in found])


async def _withdraw_connection(deps: ApiDeps, asked: Asked[Nothing, Why]) -> ConnectionWithdrawn:
    def find(tx: Transaction) -> User:
        return named_user(tx, asked.by, asked.path["user"])

    user, server = await deps.database.read(find), asked.path["server"]
    # Not in one transaction with that: the third party is told, too, and may take its time.
    await deps.withdraw_connection(
        user.id,
        server,
        reason=asked.body.reason or "administrator",
        context=asked.context.with_(tenant=user.tenant),
    )
    return ConnectionWithdrawn(server=server)


def _consent(consent: Consent) -> ConsentShown:
    return ConsentShown(
        client_id=consent.client_id,
        resource=consent.resource,
        scopes=list(consent.scopes),
        granted_at=consent.granted_at,
    )


def _connection(connection: Connection) -> ConnectionShown:
    return ConnectionShown(
        server=connection.server,
        issuer=connection.issuer,
        scopes=list(connection.scopes),
        created_at=connection.created_at,
        updated_at=connection.updated_at,
        expires_at=connection.expires_at,
    )


ALLOWED_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="consents.list", run=_consents, query=Nothing, body=Nothing, answer=ConsentList),
    Operation(
        name="consents.withdraw",
        run=_withdraw_consents,
        query=Nothing,
        body=Withdrawal,
        answer=ConsentsWithdrawn,
    ),
    Operation(
        name="connections.list",
        run=_connections,
        query=Nothing,
        body=Nothing,
        answer=ConnectionList,
    ),
    Operation(
        name="connections.withdraw",
        run=_withdraw_connection,
        query=Nothing,
        body=Why,
        answer=ConnectionWithdrawn,
    ),
)
