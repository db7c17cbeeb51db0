"""Secrets that an administrator hands to Remit to keep: `stored:NAME`, sealed in the database.

Refused: a name that could not stand in a policy repository, an empty value, one that is too
large or holds a null character. What is kept is never shown again; it can be replaced
or removed, and each change is an event with its actor and reason.
"""

import re
from dataclasses import dataclass, field
from typing import ClassVar

from remit.audit.context import Context
from remit.audit.events import SecretRemoved, SecretStored
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.errors import Error, NotFoundError
from remit.secrets import stored_store
from remit.secrets.box import SecretBox
from remit.secrets.stored_store import StoredSecret

__all__ = [
    "STORED_NAME",
    "NewSecret",
    "UnfitSecretError",
    "drop_secret",
    "seal_name",
    "store_secret",
]

STORED_NAME = r"[a-z0-9][a-z0-9._-]{0,62}"
"""How a stored secret may be named, as a pattern."""

_LONGEST = 65_536


class UnfitSecretError(Error):
    """The name or the value is nothing that can be kept. The value is not repeated."""

    code: ClassVar[str] = "unfit_secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSecret:
    """What is to be kept under which name, and why."""

    name: str
    value: str = field(repr=False)
    reason: str = ""


def store_secret(
    tx: Transaction, box: SecretBox, secret: NewSecret, *, now: EpochSeconds, context: Context
) -> StoredSecret:
    """Seal `secret` under its name, in the place of what was there.

    Raises:
        UnfitSecretError: see the module.
    """
    name, value = secret.name, secret.value
    if re.fullmatch(STORED_NAME, name) is None:
        raise UnfitSecretError(
            "a secret is named in lower-case letters, digits, `.`, `_` and `-`, at most 63"
        )
    if not value or "\0" in value or len(value.encode()) > _LONGEST:
        raise UnfitSecretError("the secret is empty, too large, or holds a null character")
    before = stored_store.find_stored_secret(tx, name)
    stored_store.put_stored_secret(
        tx,
        name,
        ciphertext=box.seal(seal_name(name), value.encode()),
        now=now,
        changed_by=context.actor.id,
    )
    tx.record(
        SecretStored(context=context, name=name, replaced=before is not None, reason=secret.reason)
    )
    return StoredSecret(
        name=name,
        created_at=now if before is None else before.created_at,
        changed_at=now,
        changed_by=context.actor.id,
    )


def drop_secret(tx: Transaction, name: str, *, reason: str, context: Context) -> None:
    """Forget the secret of that name.

    Raises:
        NotFoundError: there is none.
    """
    if not stored_store.remove_stored_secret(tx, name):
        raise NotFoundError("there is no such secret")
    tx.record(SecretRemoved(context=context, name=name, reason=reason))


def seal_name(name: str) -> str:
    """Under which name it is sealed: a row that is moved to another name does not open."""
    return f"stored:{name}"
