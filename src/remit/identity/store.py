"""The SQL of accounts and sessions."""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    and_,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from remit.canonical import canonical_text, parse_json
from remit.clock import EpochSeconds
from remit.db import Prepared, Transaction, conflict_insert, metadata
from remit.errors import ConflictError
from remit.identity.session import Session
from remit.identity.user import User
from remit.ids import TenantId, UserId

__all__ = [
    "Credentials",
    "add_session",
    "add_user",
    "credentials_of",
    "disabled_users",
    "end_sessions",
    "find_user",
    "find_user_by_name",
    "has_password_hash",
    "list_users",
    "note_session",
    "open_sessions",
    "password_hash_of",
    "purge_sessions",
    "replace_password",
    "session_with_digest",
    "set_disabled",
    "set_failures",
    "set_password_hash",
]

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("username", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("attributes", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger, nullable=True),
    Column("failed_logins", Integer, nullable=False),
    Column("locked_until", BigInteger, nullable=True),
    Column("password_changed_at", BigInteger, nullable=True),
    UniqueConstraint("username"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    Column("auth_time", BigInteger, nullable=False),
    Column("acr", Text, nullable=False),
    Column("amr", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=True),
    Column("provider", Text, nullable=True),
    Column("ip", Text, nullable=True),
    Column("user_agent", Text, nullable=True),
    UniqueConstraint("digest"),
    Index(None, "user_id"),
    Index(None, "expires_at"),
)


# At every token of a person, and at every page.
_FIND_USER = Prepared(select(users).where(users.c.id == bindparam("wanted")))
_FIND_SESSION = Prepared(select(sessions).where(sessions.c.digest == bindparam("wanted")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """An account with what a log-in needs; it never leaves this room."""

    user: User
    password_hash: str = field(repr=False)
    failed_logins: int
    locked_until: EpochSeconds | None


def add_user(tx: Transaction, user: User, *, password_hash: str) -> None:
    """Insert an account.

    Raises:
        ConflictError: the name is taken.
    """
    statement = conflict_insert(tx, users).values(
        id=user.id,
        tenant=user.tenant,
        username=user.username,
        display_name=user.display_name,
        password_hash=password_hash,
        roles=canonical_text(list(user.roles)),
        attributes=canonical_text(dict(user.attributes)),
        created_at=user.created_at,
        disabled_at=user.disabled_at,
        failed_logins=0,
    )
    taken = statement.on_conflict_do_nothing(index_elements=[users.c.username])
    if tx.connection.execute(taken.returning(users.c.id)).scalar() is None:
        raise ConflictError(f"the user name `{user.username}` is taken")


def find_user(tx: Transaction, user_id: str) -> User | None:
    """The account with that id."""
    row = _FIND_USER.one_or_none(tx, wanted=user_id)
    return None if row is None else _user(row)


def find_user_by_name(tx: Transaction, username: str) -> User | None:
    """The account with that name, in its normal form."""
    row = tx.connection.execute(select(users).where(users.c.username == username)).one_or_none()
    return None if row is None else _user(row)


def list_users(tx: Transaction) -> tuple[User, ...]:
    """All accounts, by name."""
    return tuple(
        _user(row) for row in tx.connection.execute(select(users).order_by(users.c.username))
    )


def disabled_users(tx: Transaction) -> frozenset[UserId]:
    """The accounts that may not act."""
    disabled = select(users.c.id).where(users.c.disabled_at.is_not(None))
    return frozenset(UserId(found) for found in tx.connection.execute(disabled).scalars())


def set_disabled(tx: Transaction, user_id: UserId, *, at: EpochSeconds | None) -> bool:
    """Disable the account `at` that time, or enable it; whether that changed anything."""
    changes = users.c.disabled_at.is_(None) if at is not None else users.c.disabled_at.is_not(None)
    statement = update(users).where(users.c.id == user_id, changes).values(disabled_at=at)
    return tx.connection.execute(statement).rowcount == 1


def credentials_of(tx: Transaction, username: str) -> Credentials | None:
    """What a log-in as `username` must match. In PostgreSQL, holds the row for this transaction."""
    row = tx.connection.execute(
        select(users).where(users.c.username == username).with_for_update()
    ).one_or_none()
    if row is None:
        return None
    return Credentials(
        user=_user(row),
        password_hash=row.password_hash,
        failed_logins=row.failed_logins,
        locked_until=row.locked_until,
    )


def set_failures(
    tx: Transaction, user_id: UserId, *, failures: int, locked_until: EpochSeconds | None
) -> None:
    """Keep how many log-ins failed in a row, and until when the account rests."""
    tx.connection.execute(
        update(users)
        .where(users.c.id == user_id)
        .values(failed_logins=failures, locked_until=locked_until)
    )


def set_password_hash(tx: Transaction, user_id: UserId, *, was: str, now: str) -> None:
    """Replace the hash `was`; nothing happens if somebody changed the password meanwhile."""
    tx.connection.execute(
        update(users)
        .where(users.c.id == user_id, users.c.password_hash == was)
        .values(password_hash=now)
    )


def replace_password(
    tx: Transaction, user_id: UserId, *, password_hash: str, at: EpochSeconds
) -> None:
    """Keep a new password, and forget the wrong ones that were tried."""
    tx.connection.execute(
        update(users)
        .where(users.c.id == user_id)
        .values(
            password_hash=password_hash,
            password_changed_at=at,
            failed_logins=0,
            locked_until=None,
        )
    )


def password_hash_of(tx: Transaction, user_id: UserId) -> str:
    """What the account's password is kept as."""
    stored = select(users.c.password_hash).where(users.c.id == user_id)
    return str(tx.connection.execute(stored).scalar_one())


def has_password_hash(tx: Transaction, user_id: UserId, password_hash: str) -> bool:
    """Whether this is still how the password is kept. In PostgreSQL, holds the row for this transaction."""
    stored = select(users.c.password_hash).where(users.c.id == user_id).with_for_update()
    return tx.connection.execute(stored).scalar() == password_hash


def add_session(tx: Transaction, session: Session, *, digest: str) -> None:
    """Insert a session under the digest of its secret."""
    tx.connection.execute(
        insert(sessions).values(
            id=session.id,
            digest=digest,
            user_id=session.user_id,
            auth_time=session.auth_time,
            acr=session.acr,
            amr=canonical_text(list(session.amr)),
            created_at=session.created_at,
            last_seen_at=session.last_seen_at,
            expires_at=session.expires_at,
            ended_at=session.ended_at,
            provider=session.provider,
            ip=session.ip,
            user_agent=session.user_agent,
        )
    )


def session_with_digest(tx: Transaction, digest: str) -> Session | None:
    """The session whose secret has that digest, ended or not."""
    row = _FIND_SESSION.one_or_none(tx, wanted=digest)
    return None if row is None else _session(row)


def note_session(tx: Transaction, session_id: str, *, seen_at: EpochSeconds) -> None:
    """Keep that the session was used; an earlier time than the one kept changes nothing."""
    tx.connection.execute(
        update(sessions)
        .where(sessions.c.id == session_id, sessions.c.last_seen_at < seen_at)
        .values(last_seen_at=seen_at)
    )


def end_sessions(
    tx: Transaction,
    *,
    at: EpochSeconds,
    user_id: UserId | None = None,
    digest: str | None = None,
    session_id: str | None = None,
    but: str | None = None,
) -> tuple[Session, ...]:
    """End the open sessions of an account, `but` one, or the one of that digest or id; those this ended."""
    if digest is not None:
        whose = sessions.c.digest == digest
    elif session_id is not None:
        whose = sessions.c.id == session_id
    else:
        whose = and_(sessions.c.user_id == user_id, sessions.c.id != (but or ""))
    ended = tx.connection.execute(
        update(sessions)
        .where(whose, sessions.c.ended_at.is_(None), sessions.c.expires_at > at)
        .values(ended_at=at)
        .returning(*sessions.c)
    )
    return tuple(sorted((_session(row) for row in ended), key=lambda session: session.id))


def open_sessions(tx: Transaction, user_id: UserId, *, now: EpochSeconds) -> tuple[Session, ...]:
    """The sessions of the account that have not ended, the one used last first."""
    whose = (
        sessions.c.user_id == user_id,
        sessions.c.ended_at.is_(None),
        sessions.c.expires_at > now,
    )
    latest_first = (sessions.c.last_seen_at.desc(), sessions.c.id.desc())
    rows = tx.connection.execute(select(sessions).where(*whose).order_by(*latest_first))
    return tuple(_session(row) for row in rows)


def purge_sessions(tx: Transaction, *, before: EpochSeconds) -> int:
    """Delete the sessions whose absolute limit passed before then; how many."""
    return tx.connection.execute(delete(sessions).where(sessions.c.expires_at < before)).rowcount


def _user(row: Any) -> User:
    return User(
        id=UserId(row.id),
        tenant=TenantId(row.tenant),
        username=row.username,
        display_name=row.display_name,
        roles=_texts(row.roles),
        attributes=MappingProxyType(_pairs(row.attributes)),
        created_at=row.created_at,
        disabled_at=row.disabled_at,
    )


def _session(row: Any) -> Session:
    return Session(
        id=row.id,
        user_id=UserId(row.user_id),
        auth_time=row.auth_time,
        acr=row.acr,
        amr=_texts(row.amr),
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
        provider=row.provider,
        ip=row.ip,
        user_agent=row.user_agent,
    )


def _texts(stored: str) -> tuple[str, ...]:
    value = parse_json(stored.encode())
    assert isinstance(value, list)  # noqa: S101  for the type checker: we wrote it
    return tuple(str(item) for item in value)


def _pairs(stored: str) -> dict[str, str]:
    value = parse_json(stored.encode())
    assert isinstance(value, dict)  # noqa: S101
    return {name: str(item) for name, item in value.items()}
