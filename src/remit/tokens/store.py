"""The SQL of signing keys: public parts in clear, private parts sealed.

Refuses a key whose seal is broken, or whose private part is not the key of its name.
"""

from sqlalchemy import BigInteger, Column, Table, Text, insert, select, text, update

from remit.canonical import canonical_text
from remit.clock import Clock, EpochSeconds
from remit.db import Database, Transaction, metadata
from remit.secrets import SecretBox
from remit.tokens.keys import ALGORITHM, KeySet, SigningKey

__all__ = ["add_key", "open_keys", "read_keys", "reread_keys", "retire_key"]

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("alg", Text, nullable=False),
    Column("public_jwk", Text, nullable=False),
    Column("sealed_private", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("retired_at", BigInteger),
    Column("signs_from", BigInteger),
    Column("retires_at", BigInteger),
)


async def open_keys(database: Database, box: SecretBox, clock: Clock) -> KeySet:
    """The keys in force; the first start makes one.

    Raises:
        SealBrokenError: a key was sealed with another master key.
        UnusableKeyError: a sealed key is not the one its name says.
    """

    def read_or_make(tx: Transaction) -> tuple[SigningKey, ...]:
        _alone(tx)
        keys = read_keys(tx, box)
        return keys or (add_key(tx, box, now=clock.now()),)

    return KeySet(await database.run(read_or_make))


async def reread_keys(database: Database, box: SecretBox, keys: KeySet) -> None:
    """Publish in `keys` what is stored now: how a process learns of a rotation in another."""
    keys.publish(await database.read(lambda tx: read_keys(tx, box)))


def read_keys(tx: Transaction, box: SecretBox) -> tuple[SigningKey, ...]:
    """Every key that is not retired, newest first. Raises as `open_keys`."""
    rows = tx.connection.execute(
        select(signing_keys)
        .where(signing_keys.c.retired_at.is_(None))
        .order_by(signing_keys.c.created_at.desc(), signing_keys.c.kid.desc())
    )
    return tuple(
        SigningKey.from_private_pem(
            box.open(_seal_name(row.kid), row.sealed_private),
            kid=row.kid,
            created_at=EpochSeconds(row.created_at),
        )
        for row in rows
    )


def add_key(tx: Transaction, box: SecretBox, *, now: EpochSeconds) -> SigningKey:
    """Make a key, which signs from the next `publish` on; those before it go on verifying."""
    key = SigningKey.generate(now)
    tx.connection.execute(
        insert(signing_keys).values(
            kid=key.kid,
            alg=ALGORITHM,
            public_jwk=canonical_text(key.public_jwk),
            sealed_private=box.seal(_seal_name(key.kid), key.private_pem),
            created_at=key.created_at,
        )
    )
    return key


def retire_key(tx: Transaction, kid: str, *, now: EpochSeconds) -> bool:
    """Let nothing that `kid` signed be believed any more; whether it was in force until now."""
    statement = (
        update(signing_keys)
        .where(signing_keys.c.kid == kid, signing_keys.c.retired_at.is_(None))
        .values(retired_at=now)
    )
    return tx.connection.execute(statement).rowcount == 1


def _alone(tx: Transaction) -> None:
    """Let two processes that start at once agree on one first key. SQLite has one writer anyway."""
    if tx.connection.dialect.name == "postgresql":
        tx.connection.execute(text("LOCK TABLE signing_keys IN EXCLUSIVE MODE"))


def _seal_name(kid: str) -> str:
    return f"signing_key:{kid}"
