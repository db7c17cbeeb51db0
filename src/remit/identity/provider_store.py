"""The SQL of log-ins through an identity provider, and of whom each of its subjects is here.

A log-in that is under way is taken in one `UPDATE … RETURNING`: of two answers to it, one counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Row,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from remit.canonical import canonical_text
from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction, conflict_insert, metadata
from remit.identity.store import users
from remit.ids import UserId

__all__ = [
    "ExternalIdentity",
    "PendingLogin",
    "add_identity",
    "add_login",
    "external_identities",
    "find_identity",
    "forget_identity",
    "identities_of",
    "note_answer",
    "note_login",
    "provider_logins",
    "purge_provider_logins",
    "replace_refresh_token",
    "set_profile",
    "take_login",
]

external_identities = Table(
    "external_identities",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("roles", Text, nullable=False),
    Column("attributes", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_login_at", BigInteger),
    Column("asked_at", BigInteger),
    Column("sealed_refresh_token", Text),
)

provider_logins = Table(
    "provider_logins",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("browser_digest", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("nonce_digest", Text, nullable=False),
    Column("sealed_verifier", Text, nullable=False),
    Column("return_to", Text, nullable=False),
    Column("user_id", Text),
    Column("max_age", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("used_at", BigInteger),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingLogin:
    """A log-in that went to a provider: `digest` is of its `state`, `browser_digest` of its browser.

    `user_id` is the account that the identity is to be linked to, when that is what it is for.
    `max_age` is set where the answer must say that the person proved themselves so lately.
    """

    digest: str
    browser_digest: str
    provider: str
    issuer: str
    nonce_digest: str
    sealed_verifier: str
    return_to: str
    user_id: UserId | None
    max_age: Seconds | None
    created_at: EpochSeconds
    expires_at: EpochSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalIdentity:
    """Whom a provider's subject is here, and which roles and attributes its claims gave last.

    `asked_at` is when it gave them; `None` where nobody came in by it yet. `sealed_refresh_token`
    is what it is asked again with.
    """

    issuer: str
    subject: str
    provider: str
    user_id: UserId
    roles: tuple[str, ...]
    attributes: Mapping[str, str]
    created_at: EpochSeconds
    last_login_at: EpochSeconds | None
    asked_at: EpochSeconds | None = None
    sealed_refresh_token: str | None = field(default=None, repr=False)


def add_login(tx: Transaction, login: PendingLogin, *, per_browser: int) -> None:
    """Store a log-in that is under way; of its browser, the newest `per_browser` are."""
    table = provider_logins
    open_ones = (table.c.browser_digest == login.browser_digest, table.c.used_at.is_(None))
    newest = select(table.c.digest).where(*open_ones).order_by(table.c.created_at.desc())
    kept = newest.limit(per_browser - 1)
    tx.connection.execute(delete(table).where(*open_ones, table.c.digest.not_in(kept)))
    tx.connection.execute(
        insert(table).values(
            digest=login.digest,
            browser_digest=login.browser_digest,
            provider=login.provider,
            issuer=login.issuer,
            nonce_digest=login.nonce_digest,
            sealed_verifier=login.sealed_verifier,
            return_to=login.return_to,
            user_id=login.user_id,
            max_age=login.max_age,
            created_at=login.created_at,
            expires_at=login.expires_at,
        )
    )


def take_login(
    tx: Transaction, state_digest: str, *, browser_digest: str, provider: str, now: EpochSeconds
) -> PendingLogin | None:
    """The log-in with that state in that browser with that provider, once."""
    table = provider_logins
    row = tx.connection.execute(
        update(table)
        .where(
            table.c.digest == state_digest,
            table.c.browser_digest == browser_digest,
            table.c.provider == provider,
            table.c.used_at.is_(None),
            table.c.expires_at > now,
        )
        .values(used_at=now)
        .returning(*table.c)
    ).one_or_none()
    if row is None:
        return None
    return PendingLogin(
        digest=row.digest,
        browser_digest=row.browser_digest,
        provider=row.provider,
        issuer=row.issuer,
        nonce_digest=row.nonce_digest,
        sealed_verifier=row.sealed_verifier,
        return_to=row.return_to,
        user_id=None if row.user_id is None else UserId(row.user_id),
        max_age=None if row.max_age is None else Seconds(row.max_age),
        created_at=EpochSeconds(row.created_at),
        expires_at=EpochSeconds(row.expires_at),
    )


def purge_provider_logins(tx: Transaction, *, before: EpochSeconds) -> int:
    """Delete the log-ins that expired before then, answered or not; how many."""
    table = provider_logins
    return tx.connection.execute(delete(table).where(table.c.expires_at < before)).rowcount


def find_identity(tx: Transaction, *, issuer: str, subject: str) -> ExternalIdentity | None:
    """Whom that subject of that issuer is here. In PostgreSQL, holds the row for this transaction."""
    table = external_identities
    row = tx.connection.execute(
        select(table).where(table.c.issuer == issuer, table.c.subject == subject).with_for_update()
    ).one_or_none()
    return None if row is None else _identity(row)


def identities_of(tx: Transaction, user_id: UserId) -> tuple[ExternalIdentity, ...]:
    """Every identity that logs in as that account, oldest first."""
    table = external_identities
    rows = tx.connection.execute(
        select(table)
        .where(table.c.user_id == user_id)
        .order_by(table.c.created_at, table.c.issuer, table.c.subject)
    )
    return tuple(_identity(row) for row in rows)


def add_identity(tx: Transaction, identity: ExternalIdentity) -> bool:
    """Insert an identity; `False` where that subject is somebody here already."""
    table = external_identities
    statement = conflict_insert(tx, table).values(
        issuer=identity.issuer,
        subject=identity.subject,
        provider=identity.provider,
        user_id=identity.user_id,
        roles=canonical_text(list(identity.roles)),
        attributes=canonical_text(dict(identity.attributes)),
        created_at=identity.created_at,
        last_login_at=identity.last_login_at,
        asked_at=identity.asked_at,
        sealed_refresh_token=identity.sealed_refresh_token,
    )
    added = statement.on_conflict_do_nothing().returning(table.c.issuer)
    return tx.connection.execute(added).scalar() is not None


def note_login(
    tx: Transaction,
    identity: ExternalIdentity,
    *,
    roles: tuple[str, ...],
    attributes: Mapping[str, str],
    sealed_refresh_token: str | None,
    at: EpochSeconds,
) -> None:
    """Keep what the claims gave at this log-in, when it was, and what came to ask again with.

    Where none came, the one from before stays.
    """
    table = external_identities
    tx.connection.execute(
        update(table)
        .where(table.c.issuer == identity.issuer, table.c.subject == identity.subject)
        .values(
            roles=canonical_text(list(roles)),
            attributes=canonical_text(dict(attributes)),
            last_login_at=at,
            asked_at=at,
            sealed_refresh_token=sealed_refresh_token or table.c.sealed_refresh_token,
        )
    )


def note_answer(
    tx: Transaction,
    identity: ExternalIdentity,
    *,
    roles: tuple[str, ...],
    attributes: Mapping[str, str],
    at: EpochSeconds,
) -> None:
    """Keep what the claims gave when the provider was asked again without the person."""
    table = external_identities
    tx.connection.execute(
        update(table)
        .where(table.c.issuer == identity.issuer, table.c.subject == identity.subject)
        .values(
            roles=canonical_text(list(roles)),
            attributes=canonical_text(dict(attributes)),
            asked_at=at,
        )
    )


def replace_refresh_token(
    tx: Transaction, identity: ExternalIdentity, *, sealed: str | None
) -> bool:
    """Keep `sealed` instead of what `identity` was read with; `False` where that is there no more."""
    table = external_identities
    replaced = (
        update(table)
        .where(
            table.c.issuer == identity.issuer,
            table.c.subject == identity.subject,
            table.c.sealed_refresh_token == identity.sealed_refresh_token,
        )
        .values(sealed_refresh_token=sealed)
        .returning(table.c.issuer)
    )
    return tx.connection.execute(replaced).scalar() is not None


def forget_identity(
    tx: Transaction, *, issuer: str, subject: str, user_id: UserId
) -> ExternalIdentity | None:
    """Delete the identity if it is that account's; what it was."""
    table = external_identities
    row = tx.connection.execute(
        delete(table)
        .where(table.c.issuer == issuer, table.c.subject == subject, table.c.user_id == user_id)
        .returning(*table.c)
    ).one_or_none()
    return None if row is None else _identity(row)


def set_profile(
    tx: Transaction,
    user_id: UserId,
    *,
    display_name: str,
    roles: tuple[str, ...],
    attributes: Mapping[str, str],
) -> None:
    """Let the account have these and no others."""
    tx.connection.execute(
        update(users)
        .where(users.c.id == user_id)
        .values(
            display_name=display_name,
            roles=canonical_text(list(roles)),
            attributes=canonical_text(dict(attributes)),
        )
    )


def _identity(row: Row[Any]) -> ExternalIdentity:
    return ExternalIdentity(
        issuer=row.issuer,
        subject=row.subject,
        provider=row.provider,
        user_id=UserId(row.user_id),
        roles=tuple(orjson.loads(row.roles)),
        attributes=MappingProxyType(orjson.loads(row.attributes)),
        created_at=EpochSeconds(row.created_at),
        last_login_at=None if row.last_login_at is None else EpochSeconds(row.last_login_at),
        asked_at=None if row.asked_at is None else EpochSeconds(row.asked_at),
        sealed_refresh_token=row.sealed_refresh_token,
    )
