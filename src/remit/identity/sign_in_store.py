"""The SQL of log-ins that are under way, and of the challenges that passkeys have answered."""

from sqlalchemy import BigInteger, Column, Integer, Row, Table, Text, delete, insert, select, update

from remit.clock import EpochSeconds
from remit.db import Transaction, conflict_insert, metadata
from remit.identity.sign_in import MAX_FAILURES, Purpose, SignIn
from remit.ids import UserId

__all__ = [
    "add_sign_in",
    "end_sign_ins",
    "find_sign_in",
    "note_failure",
    "purge_sign_ins",
    "spend_challenge",
    "use_sign_in",
]

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("browser_digest", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("amr", Text, nullable=False),
    Column("return_to", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("failures", Integer, nullable=False),
    Column("used_at", BigInteger),
)

spent_challenges = Table(
    "spent_challenges",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("expires_at", BigInteger, nullable=False, index=True),
)


def add_sign_in(tx: Transaction, sign_in: SignIn) -> None:
    """Keep a log-in that begins."""
    tx.connection.execute(
        insert(sign_ins).values(
            digest=sign_in.digest,
            browser_digest=sign_in.browser_digest,
            purpose=sign_in.purpose.value,
            user_id=sign_in.user_id,
            amr=" ".join(sign_in.amr),
            return_to=sign_in.return_to,
            created_at=sign_in.created_at,
            expires_at=sign_in.expires_at,
            failures=sign_in.failures,
            used_at=sign_in.used_at,
        )
    )


def find_sign_in(
    tx: Transaction, digest: str, *, browser_digest: str, now: EpochSeconds
) -> SignIn | None:
    """The log-in with that digest, if it is under way in that browser."""
    row = tx.connection.execute(
        select(sign_ins).where(
            sign_ins.c.digest == digest,
            sign_ins.c.browser_digest == browser_digest,
            sign_ins.c.used_at.is_(None),
            sign_ins.c.expires_at > now,
            sign_ins.c.failures < MAX_FAILURES,
        )
    ).one_or_none()
    return None if row is None else _sign_in(row)


def use_sign_in(tx: Transaction, digest: str, *, at: EpochSeconds) -> bool:
    """Spend the log-in; `False` where somebody else did."""
    unused = (sign_ins.c.digest == digest, sign_ins.c.used_at.is_(None))
    return tx.connection.execute(update(sign_ins).where(*unused).values(used_at=at)).rowcount == 1


def note_failure(tx: Transaction, digest: str) -> None:
    """Count one more failure; after `MAX_FAILURES` the log-in is over."""
    tx.connection.execute(
        update(sign_ins).where(sign_ins.c.digest == digest).values(failures=sign_ins.c.failures + 1)
    )


def end_sign_ins(tx: Transaction, user_id: UserId, *, at: EpochSeconds) -> None:
    """End every log-in of that account that is under way."""
    whose = (sign_ins.c.user_id == user_id, sign_ins.c.used_at.is_(None))
    tx.connection.execute(update(sign_ins).where(*whose).values(used_at=at))


def spend_challenge(tx: Transaction, digest: str, *, expires_at: EpochSeconds) -> bool:
    """Spend a challenge; `False` where it was answered before."""
    statement = conflict_insert(tx, spent_challenges).values(digest=digest, expires_at=expires_at)
    new = statement.on_conflict_do_nothing(index_elements=[spent_challenges.c.digest])
    return tx.connection.execute(new.returning(spent_challenges.c.digest)).scalar() is not None


def purge_sign_ins(tx: Transaction, *, before: EpochSeconds) -> int:
    """Delete log-ins and challenges that expired before then; how many."""
    return sum(
        tx.connection.execute(delete(table).where(table.c.expires_at < before)).rowcount
        for table in (sign_ins, spent_challenges)
    )


def _sign_in(row: Row[*tuple[object, ...]]) -> SignIn:
    found = row._mapping  # noqa: SLF001  the documented way to read a row by column
    return SignIn(
        digest=found[sign_ins.c.digest],
        browser_digest=found[sign_ins.c.browser_digest],
        purpose=Purpose(found[sign_ins.c.purpose]),
        user_id=UserId(found[sign_ins.c.user_id]),
        amr=tuple(found[sign_ins.c.amr].split()),
        return_to=found[sign_ins.c.return_to],
        created_at=found[sign_ins.c.created_at],
        expires_at=found[sign_ins.c.expires_at],
        failures=found[sign_ins.c.failures],
        used_at=found[sign_ins.c.used_at],
    )
