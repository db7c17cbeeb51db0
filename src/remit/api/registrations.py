"""Applications that wait for an administrator's word, and the tokens that let others register some.

Who may register is a matter of the whole installation: a client that introduces itself belongs
to no organisation until its agent says so. The tokens are shown once, when they are made.
"""

from typing import Annotated, Final

from pydantic import Field

from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Reason, Shape, Text, Why
from remit.api.paging import Page, Paged, page_of
from remit.clock import Seconds
from remit.db import Transaction
from remit.errors import NotFoundError
from remit.model import Environment
from remit.oauth import (
    InitialAccessToken,
    InitialAccessWanted,
    StoredClient,
    approve_client,
    create_initial_access_token,
    list_initial_access_tokens,
    list_pending,
    reject_client,
    revoke_initial_access_token,
)

__all__ = ["REGISTRATION_OPERATIONS"]


class RegistrationShown(Shape):
    """A client that waits. Name and addresses are its own words; `fingerprint` names them as read."""

    client_id: str
    kind: str
    name: str
    redirect_uris: list[str]
    agent_id: str
    owner: str
    rule: str | None
    created_at: int
    waits_since: int | None
    fingerprint: str


class RegistrationPage(Page):
    """Clients that wait, the longest first."""

    registrations: list[RegistrationShown]


class Approval(Shape):
    """Which client comes in. With `fingerprint`, only if it is still what was read."""

    client_id: Text
    fingerprint: Text | None = None
    reason: Reason = ""


class Rejection(Shape):
    """Which client is turned away."""

    client_id: Text
    reason: Reason = ""


class Decided(Shape):
    """What was decided of a client."""

    client_id: str
    state: str


class TokenShown(Shape):
    """A token that lets somebody register clients, without its secret."""

    id: str
    owner: str
    environment: str | None
    note: str
    created_by: str
    created_at: int
    expires_at: int
    uses_left: int
    revoked_at: int | None
    state: str


class TokenMade(TokenShown):
    """The token with its secret, which is shown here and never again."""

    token: str


class TokenPage(Page):
    """Tokens, newest first."""

    tokens: list[TokenShown]


class NewToken(Shape):
    """A token to be made. `owner` answers for the clients; `lifetime` in seconds."""

    owner: Text
    environment: Text | None = None
    note: Reason = ""
    uses: Annotated[int, Field(ge=1, le=10_000)] = 1
    lifetime: Annotated[int, Field(ge=60, le=366 * 86_400)] = 86_400


async def _list(deps: ApiDeps, asked: Asked[Paged, Nothing]) -> RegistrationPage:
    found = await deps.database.read(list_pending)
    shown, after = page_of(found, asked.query, place=lambda one: (_since(one), one.client_id))
    return RegistrationPage(registrations=[_shown(one) for one in shown], next=after)


async def _approve(deps: ApiDeps, asked: Asked[Nothing, Approval]) -> Decided:
    body = asked.body
    await deps.database.run(
        lambda tx: approve_client(
            tx,
            body.client_id,
            reason=body.reason,
            now=asked.at,
            context=asked.context,
            fingerprint=body.fingerprint,
        )
    )
    await deps.publish()
    return Decided(client_id=body.client_id, state="active")


async def _reject(deps: ApiDeps, asked: Asked[Nothing, Rejection]) -> Decided:
    body = asked.body
    await deps.database.run(
        lambda tx: reject_client(
            tx, body.client_id, reason=body.reason, now=asked.at, context=asked.context
        )
    )
    await deps.publish()
    return Decided(client_id=body.client_id, state="rejected")


async def _tokens(deps: ApiDeps, asked: Asked[Paged, Nothing]) -> TokenPage:
    found = await deps.database.read(list_initial_access_tokens)
    shown, after = page_of(found, asked.query, place=lambda one: (-one.created_at, one.id))
    return TokenPage(tokens=[_token(one, asked.at) for one in shown], next=after)


async def _create(deps: ApiDeps, asked: Asked[Nothing, NewToken]) -> TokenMade:
    body = asked.body
    wanted = InitialAccessWanted(
        owner=body.owner,
        environment=None if body.environment is None else Environment(body.environment),
        note=body.note,
        uses=body.uses,
        lifetime=Seconds(body.lifetime),
    )
    token, secret = await deps.database.run(
        lambda tx: create_initial_access_token(
            tx, wanted, catalog=deps.directory.catalog, now=asked.at, context=asked.context
        )
    )
    return TokenMade(**_token(token, asked.at).model_dump(), token=secret)


async def _revoke(deps: ApiDeps, asked: Asked[Nothing, Why]) -> TokenShown:
    def end(tx: Transaction) -> InitialAccessToken:
        token_id, reason = asked.path["token"], asked.body.reason
        return revoke_initial_access_token(
            tx, token_id, reason=reason, now=asked.at, context=asked.context
        )

    return _token(await deps.database.run(end), asked.at)


def _since(client: StoredClient) -> int:
    return client.created_at if client.queued_at is None else client.queued_at


def _shown(client: StoredClient) -> RegistrationShown:
    if client.metadata is None:
        raise NotFoundError("there is no such client")
    return RegistrationShown(
        client_id=client.client_id,
        kind=client.kind.value,
        name=client.name,
        redirect_uris=list(client.metadata.redirect_uris),
        agent_id=client.agent_id,
        owner=client.owner,
        rule=client.rule,
        created_at=client.created_at,
        waits_since=client.queued_at,
        fingerprint=client.fingerprint,
    )


def _token(token: InitialAccessToken, now: int) -> TokenShown:
    return TokenShown(
        id=token.id,
        owner=token.owner,
        environment=token.environment,
        note=token.note,
        created_by=token.created_by,
        created_at=token.created_at,
        expires_at=token.expires_at,
        uses_left=token.uses_left,
        revoked_at=token.revoked_at,
        state=_state(token, now),
    )


def _state(token: InitialAccessToken, now: int) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "active" if token.uses_left > 0 and now < token.expires_at else "expired"


REGISTRATION_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(
        name="registrations.list", run=_list, query=Paged, body=Nothing, answer=RegistrationPage
    ),
    Operation(
        name="registrations.approve", run=_approve, query=Nothing, body=Approval, answer=Decided
    ),
    Operation(
        name="registrations.reject", run=_reject, query=Nothing, body=Rejection, answer=Decided
    ),
    Operation(
        name="registration-tokens.list", run=_tokens, query=Paged, body=Nothing, answer=TokenPage
    ),
    Operation(
        name="registration-tokens.create",
        run=_create,
        query=Nothing,
        body=NewToken,
        answer=TokenMade,
    ),
    Operation(
        name="registration-tokens.revoke", run=_revoke, query=Nothing, body=Why, answer=TokenShown
    ),
)
