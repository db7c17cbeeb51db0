"""Who is logged in: sessions of one person listed, ended one by one or all at once."""

from typing import Final

from remit.api.administrator import require_authority_over
from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Shape, Why
from remit.api.users import named_user
from remit.db import Transaction
from remit.errors import NotFoundError
from remit.identity import Session, end_all_sessions, end_session, list_sessions

__all__ = ["SESSION_OPERATIONS"]


class SessionShown(Shape):
    """A session that may still be used: since when, how strong, from where."""

    id: str
    created_at: int
    last_seen_at: int
    expires_at: int
    auth_time: int
    acr: str
    amr: list[str]
    provider: str | None
    ip: str | None
    user_agent: str | None


class SessionList(Shape):
    """The sessions of one person, the one used last first."""

    sessions: list[SessionShown]


class SessionsEnded(Shape):
    """How many ended."""

    ended: int


async def _list(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> SessionList:
    idle = deps.directory.catalog.issuer.session_idle

    def find(tx: Transaction) -> tuple[Session, ...]:
        user = named_user(tx, asked.by, asked.path["user"])
        return list_sessions(tx, user.id, now=asked.at, idle=idle)

    return SessionList(sessions=[_shown(one) for one in await deps.database.read(find)])


async def _end(deps: ApiDeps, asked: Asked[Nothing, Why]) -> SessionsEnded:
    idle, catalog = deps.directory.catalog.issuer.session_idle, deps.directory.catalog

    def end(tx: Transaction) -> SessionsEnded:
        user = named_user(tx, asked.by, asked.path["user"])
        require_authority_over(asked.by, user, catalog)
        wanted = asked.path["session"]
        theirs = list_sessions(tx, user.id, now=asked.at, idle=idle)
        if all(one.id != wanted for one in theirs):
            raise NotFoundError("this person has no such session")
        reason = asked.body.reason or "ended_by_administrator"
        end_session(tx, wanted, at=asked.at, reason=reason, context=asked.context)
        return SessionsEnded(ended=1)

    return await deps.database.run(end)


async def _end_all(deps: ApiDeps, asked: Asked[Nothing, Why]) -> SessionsEnded:
    def end(tx: Transaction) -> SessionsEnded:
        user = named_user(tx, asked.by, asked.path["user"])
        require_authority_over(asked.by, user, deps.directory.catalog)
        reason = asked.body.reason or "ended_by_administrator"
        return SessionsEnded(
            ended=end_all_sessions(tx, user.id, at=asked.at, reason=reason, context=asked.context)
        )

    return await deps.database.run(end)


def _shown(session: Session) -> SessionShown:
    return SessionShown(
        id=session.id,
        created_at=session.created_at,
        last_seen_at=session.last_seen_at,
        expires_at=session.expires_at,
        auth_time=session.auth_time,
        acr=session.acr,
        amr=list(session.amr),
        provider=session.provider,
        ip=session.ip,
        user_agent=session.user_agent,
    )


SESSION_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="sessions.list", run=_list, query=Nothing, body=Nothing, answer=SessionList),
    Operation(name="sessions.end", run=_end, query=Nothing, body=Why, answer=SessionsEnded),
    Operation(name="sessions.end-all", run=_end_all, query=Nothing, body=Why, answer=SessionsEnded),
)
