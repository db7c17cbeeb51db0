"""The SQL of second factors: passkeys, one-time-password secrets, recovery codes."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    Row,
    Table,
    Text,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from remit.clock import EpochSeconds
from remit.db import Transaction, conflict_insert, metadata
from remit.ids import UserId

__all__ = [
    "Factors",
    "Passkey",
    "add_one_time_password",
    "add_passkey",
    "factors_of",
    "find_passkey",
    "list_passkeys",
    "note_passkey",
    "note_step",
    "remove_factors",
    "remove_one_time_password",
    "remove_passkey",
    "replace_recovery_codes",
    "sealed_one_time_password",
    "use_recovery_code",
]

passkeys = Table(
    "passkeys",
    metadata,
    Column("credential_id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("public_key", Text, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("transports", Text, nullable=False),
    Column("backed_up", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger),
)

one_time_passwords = Table(
    "one_time_passwords",
    metadata,
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    Column("sealed_secret", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_step", BigInteger, nullable=False),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """A public key of a person's; `credential_id` and `public_key` (COSE) are base64url.

    `backed_up` says that its provider copies it to other devices of the same person.
    """

    credential_id: str
    user_id: UserId
    public_key: str
    sign_count: int
    name: str
    transports: tuple[str, ...]
    backed_up: bool
    created_at: EpochSeconds
    last_used_at: EpochSeconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """What an account has besides its password. Recovery codes are no factor by themselves."""

    passkeys: int
    one_time_password_since: EpochSeconds | None
    recovery_codes: int
    """How many are left."""

    @property
    def count(self) -> int:
        """How many second factors these are."""
        return self.passkeys + (self.one_time_password_since is not None)


def factors_of(tx: Transaction, user_id: UserId) -> Factors:
    """What the account has."""
    keys = select(func.count()).select_from(passkeys).where(passkeys.c.user_id == user_id)
    since = select(one_time_passwords.c.created_at).where(one_time_passwords.c.user_id == user_id)
    left = (
        select(func.count())
        .select_from(recovery_codes)
        .where(recovery_codes.c.user_id == user_id, recovery_codes.c.used_at.is_(None))
    )
    return Factors(
        passkeys=tx.connection.execute(keys).scalar_one(),
        one_time_password_since=tx.connection.execute(since).scalar_one_or_none(),
        recovery_codes=tx.connection.execute(left).scalar_one(),
    )


def add_passkey(tx: Transaction, passkey: Passkey) -> bool:
    """Keep a passkey; `False` where its credential id is known already, whoever has it."""
    statement = conflict_insert(tx, passkeys).values(
        credential_id=passkey.credential_id,
        user_id=passkey.user_id,
        public_key=passkey.public_key,
        sign_count=passkey.sign_count,
        name=passkey.name,
        transports=" ".join(passkey.transports),
        backed_up=int(passkey.backed_up),
        created_at=passkey.created_at,
        last_used_at=passkey.last_used_at,
    )
    new = statement.on_conflict_do_nothing(index_elements=[passkeys.c.credential_id])
    return tx.connection.execute(new.returning(passkeys.c.credential_id)).scalar() is not None


def find_passkey(tx: Transaction, credential_id: str) -> Passkey | None:
    """The passkey with that id, whoever has it."""
    row = tx.connection.execute(
        select(passkeys).where(passkeys.c.credential_id == credential_id)
    ).one_or_none()
    return None if row is None else _passkey(row)


def list_passkeys(tx: Transaction, user_id: UserId) -> tuple[Passkey, ...]:
    """The passkeys of the account, oldest first."""
    whose = select(passkeys).where(passkeys.c.user_id == user_id)
    rows = tx.connection.execute(whose.order_by(passkeys.c.created_at, passkeys.c.credential_id))
    return tuple(_passkey(row) for row in rows)


def note_passkey(
    tx: Transaction, credential_id: str, *, sign_count: int, backed_up: bool, at: EpochSeconds
) -> bool:
    """Keep that the passkey was used; `False` where its count did not grow: a copy of it is about.

    A count of 0 says that the authenticator does not count (WebAuthn L3 §6.1.1).
    """
    grows = passkeys.c.sign_count < sign_count
    if sign_count == 0:
        grows = or_(grows, passkeys.c.sign_count == 0)
    changed = tx.connection.execute(
        update(passkeys)
        .where(passkeys.c.credential_id == credential_id, grows)
        .values(sign_count=sign_count, backed_up=int(backed_up), last_used_at=at)
    )
    return changed.rowcount == 1


def remove_passkey(tx: Transaction, user_id: UserId, credential_id: str) -> bool:
    """Forget a passkey of that account; whether there was one."""
    whose = (passkeys.c.user_id == user_id, passkeys.c.credential_id == credential_id)
    return tx.connection.execute(delete(passkeys).where(*whose)).rowcount == 1


def add_one_time_password(
    tx: Transaction, user_id: UserId, *, sealed_secret: str, step: int, at: EpochSeconds
) -> bool:
    """Keep a secret whose code of `step` was just used; `False` where the account has one."""
    statement = conflict_insert(tx, one_time_passwords).values(
        user_id=user_id, sealed_secret=sealed_secret, created_at=at, last_step=step
    )
    new = statement.on_conflict_do_nothing(index_elements=[one_time_passwords.c.user_id])
    return tx.connection.execute(new.returning(one_time_passwords.c.user_id)).scalar() is not None


def sealed_one_time_password(tx: Transaction, user_id: UserId) -> str | None:
    """The sealed secret of the account's codes."""
    whose = one_time_passwords.c.user_id == user_id
    return tx.connection.execute(
        select(one_time_passwords.c.sealed_secret).where(whose)
    ).scalar_one_or_none()


def note_step(tx: Transaction, user_id: UserId, *, step: int) -> bool:
    """Spend the code of `step`; `False` where it, or a later one, was spent before."""
    whose = one_time_passwords.c.user_id == user_id
    changed = tx.connection.execute(
        update(one_time_passwords)
        .where(whose, one_time_passwords.c.last_step < step)
        .values(last_step=step)
    )
    return changed.rowcount == 1


def remove_one_time_password(tx: Transaction, user_id: UserId) -> bool:
    """Forget the secret of the account's codes; whether there was one."""
    whose = one_time_passwords.c.user_id == user_id
    return tx.connection.execute(delete(one_time_passwords).where(whose)).rowcount == 1


def replace_recovery_codes(
    tx: Transaction, user_id: UserId, *, digests: Sequence[str], at: EpochSeconds
) -> None:
    """Keep new recovery codes, none included; the old ones are gone."""
    tx.connection.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
    if digests:
        tx.connection.execute(
            insert(recovery_codes),
            [{"digest": one, "user_id": user_id, "created_at": at} for one in digests],
        )


def use_recovery_code(tx: Transaction, user_id: UserId, *, digest: str, at: EpochSeconds) -> bool:
    """Spend the code with that digest; `False` where the account has none, or has spent it."""
    used = tx.connection.execute(
        update(recovery_codes)
        .where(
            recovery_codes.c.digest == digest,
            recovery_codes.c.user_id == user_id,
            recovery_codes.c.used_at.is_(None),
        )
        .values(used_at=at)
    )
    return used.rowcount == 1


def remove_factors(tx: Transaction, user_id: UserId) -> int:
    """Forget every factor of the account, recovery codes included; how many rows that were."""
    return sum(
        tx.connection.execute(delete(table).where(table.c.user_id == user_id)).rowcount
        for table in (passkeys, one_time_passwords, recovery_codes)
    )


def _passkey(row: Row[*tuple[object, ...]]) -> Passkey:
    found = row._mapping  # noqa: SLF001  the documented way to read a row by column
    return Passkey(
        credential_id=found[passkeys.c.credential_id],
        user_id=UserId(found[passkeys.c.user_id]),
        public_key=found[passkeys.c.public_key],
        sign_count=found[passkeys.c.sign_count],
        name=found[passkeys.c.name],
        transports=tuple(found[passkeys.c.transports].split()),
        backed_up=bool(found[passkeys.c.backed_up]),
        created_at=found[passkeys.c.created_at],
        last_used_at=found[passkeys.c.last_used_at],
    )
