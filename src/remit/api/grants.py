"""Grants: listed by whom they are for, shown with what descends from them, revoked one by one or many at once."""

from typing import Final

from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Flag, Nothing, Operation, Shape, Text, Why
from remit.api.paging import Page, Paged, cursor_of, place_of
from remit.api.problems import BadRequestError
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.errors import ConflictError, NotFoundError
from remit.identity import find_user, require_user
from remit.ids import AgentId, ClientId, GrantId, UserId
from remit.oauth import Grant, GrantFilter, find_grant, list_grants, revoke_grant, revoke_grants

__all__ = ["GRANT_OPERATIONS"]

_DEEPEST = 16
"""Levels of descendants that are shown; guardrails allow far fewer."""


class GrantShown(Shape):
    """A grant: who allowed whom what, and whether it still holds."""

    id: str
    kind: str
    user_id: str | None
    username: str | None
    client_id: str
    agent_id: str
    tenant: str
    environment: str
    resource: str
    scopes: list[str]
    purpose: str
    parent_id: str | None
    origin: str | None
    is_key_bound: bool
    created_at: int
    last_used_at: int
    expires_at: int
    revoked_at: int | None
    revoke_reason: str | None
    state: str


class GrantPage(Page):
    """Grants, newest first."""

    grants: list[GrantShown]


class GrantWithDescendants(Shape):
    """A grant, and every one that a token of it was exchanged for, nearest first."""

    grant: GrantShown
    descendants: list[GrantShown]


class GrantsWanted(Paged):
    """Which grants. Live ones, unless `all` is true."""

    user: Text | None = None
    agent: Text | None = None
    client: Text | None = None
    tenant: Text | None = None
    all: Flag = False


class Ending(Why):
    """Whose grants end: at least one of these, and those that match all that are given."""

    user: Text | None = None
    agent: Text | None = None
    client: Text | None = None
    tenant: Text | None = None


class Ended(Shape):
    """How many ended."""

    revoked: int


async def _list(deps: ApiDeps, asked: Asked[GrantsWanted, Nothing]) -> GrantPage:
    query = asked.query

    def find(tx: Transaction) -> GrantPage:
        wanted = GrantFilter(
            user_id=None if query.user is None else _user_id(tx, asked, query.user),
            agent_id=None if query.agent is None else AgentId(query.agent),
            client_id=None if query.client is None else ClientId(query.client),
            tenant=asked.by.narrowed(query.tenant),
            live_at=None if query.all else asked.at,
            before=None if query.cursor is None else _before(query.cursor),
            limit=query.limit + 1,
        )
        found = list_grants(tx, wanted)
        shown = found[: query.limit]
        more = len(found) > len(shown)
        return GrantPage(
            grants=[_shown(tx, grant, now=asked.at) for grant in shown],
            next=cursor_of((shown[-1].created_at, shown[-1].id)) if more else None,
        )

    return await deps.database.read(find)


async def _show(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> GrantWithDescendants:
    def find(tx: Transaction) -> GrantWithDescendants:
        grant = _named(tx, asked)
        return GrantWithDescendants(
            grant=_shown(tx, grant, now=asked.at),
            descendants=[_shown(tx, one, now=asked.at) for one in _descendants(tx, grant)],
        )

    return await deps.database.read(find)


async def _revoke(deps: ApiDeps, asked: Asked[Nothing, Why]) -> GrantShown:
    def end(tx: Transaction) -> GrantShown:
        grant = _named(tx, asked)
        ended = revoke_grant(
            tx, grant.id, reason=asked.body.reason, at=asked.at, context=asked.context
        )
        if ended is None:
            raise ConflictError("the grant is revoked already")
        return _shown(tx, ended, now=asked.at)

    shown = await deps.database.run(end)
    await deps.publish()
    return shown


async def _revoke_all(deps: ApiDeps, asked: Asked[Nothing, Ending]) -> Ended:
    body = asked.body
    if (body.user, body.agent, body.client, body.tenant) == (None, None, None, None):
        raise BadRequestError("say whose: `user`, `agent`, `client` or `tenant`")

    def end(tx: Transaction) -> Ended:
        wanted = GrantFilter(
            user_id=None if body.user is None else _user_id(tx, asked, body.user),
            agent_id=None if body.agent is None else AgentId(body.agent),
            client_id=None if body.client is None else ClientId(body.client),
            tenant=asked.by.narrowed(body.tenant),
        )
        ended = revoke_grants(tx, wanted, reason=body.reason, at=asked.at, context=asked.context)
        return Ended(revoked=len(ended))

    ended = await deps.database.run(end)
    await deps.publish()
    return ended


def _before(cursor: str) -> tuple[EpochSeconds, GrantId]:
    at, grant_id = place_of(cursor, like=(0, ""))
    return EpochSeconds(int(at)), GrantId(str(grant_id))


def _user_id(
    tx: Transaction, asked: Asked[GrantsWanted, Nothing] | Asked[Nothing, Ending], name: str
) -> UserId:
    user = require_user(tx, name)
    if not asked.by.sees(user.tenant):
        raise NotFoundError("there is no such account")
    return user.id


def _named(tx: Transaction, asked: Asked[Nothing, Nothing] | Asked[Nothing, Why]) -> Grant:
    grant = find_grant(tx, GrantId(asked.path["grant"]))
    if grant is None or not asked.by.sees(grant.tenant):
        raise NotFoundError("there is no such grant")
    return grant


def _descendants(tx: Transaction, grant: Grant) -> list[Grant]:
    found: list[Grant] = []
    level = [grant]
    for _ in range(_DEEPEST):
        level = [child for one in level for child in list_grants(tx, GrantFilter(parent_id=one.id))]
        found += level
    return found


def _shown(tx: Transaction, grant: Grant, *, now: EpochSeconds) -> GrantShown:
    user = None if grant.user_id is None else find_user(tx, grant.user_id)
    return GrantShown(
        id=grant.id,
        kind=grant.kind.value,
        user_id=grant.user_id,
        username=None if user is None else user.username,
        client_id=grant.client_id,
        agent_id=grant.agent_id,
        tenant=grant.tenant,
        environment=grant.environment,
        resource=grant.resource,
        scopes=list(grant.scopes),
        purpose=grant.purpose,
        parent_id=grant.parent_id,
        origin=grant.origin,
        is_key_bound=grant.jkt is not None,
        created_at=grant.created_at,
        last_used_at=grant.last_used_at,
        expires_at=grant.expires_at,
        revoked_at=grant.revoked_at,
        revoke_reason=grant.revoke_reason,
        state=_state(grant, now),
    )


def _state(grant: Grant, now: EpochSeconds) -> str:
    if grant.revoked_at is not None:
        return "revoked"
    return "active" if grant.is_live(now) else "expired"


GRANT_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="grants.list", run=_list, query=GrantsWanted, body=Nothing, answer=GrantPage),
    Operation(name="grants.revoke-all", run=_revoke_all, query=Nothing, body=Ending, answer=Ended),
    Operation(
        name="grants.show", run=_show, query=Nothing, body=Nothing, answer=GrantWithDescendants
    ),
    Operation(name="grants.revoke", run=_revoke, query=Nothing, body=Why, answer=GrantShown),
)
