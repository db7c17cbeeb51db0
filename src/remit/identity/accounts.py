"""Accounts as they are changed: created, described anew, disabled, enabled, given a password, each with its event.

A disabled account has no session left and is in `disabled_users`, which stops its
tokens at the next call. Refused: a name that is taken, a change that was already made,
an account that does not exist.
"""

from remit.audit.context import Context
from remit.audit.events import (
    AccountCreated,
    AccountDisabled,
    AccountEnabled,
    AccountUpdated,
    PasswordChanged,
)
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.errors import ConflictError, NotFoundError
from remit.identity import provider_store, store
from remit.identity.sessions import end_all_sessions
from remit.identity.sign_in_store import end_sign_ins
from remit.identity.user import (
    User,
    UserChanges,
    UserDetails,
    changed_user,
    check_details,
    normalized_username,
)
from remit.ids import UserId, new_id
from remit.model import Catalog

__all__ = [
    "change_password",
    "change_user",
    "create_user",
    "disable_user",
    "enable_user",
    "require_user",
    "set_password",
]


def create_user(
    tx: Transaction,
    details: UserDetails,
    *,
    password_hash: str,
    catalog: Catalog,
    now: EpochSeconds,
    context: Context,
) -> User:
    """Add an account; `password_hash` comes from `Passwords.hash_new`, before the transaction.

    Raises:
        InvalidAccountError: name, tenant, role or attribute cannot be.
        ConflictError: the name is taken.
    """
    checked = check_details(details, catalog)
    user = User(
        id=UserId(new_id("usr")),
        tenant=checked.tenant,
        username=checked.username,
        display_name=checked.display_name,
        roles=checked.roles,
        attributes=checked.attributes,
        created_at=now,
    )
    store.add_user(tx, user, password_hash=password_hash)
    tx.record(
        AccountCreated(
            context=context.with_(tenant=user.tenant), account_id=user.id, roles=user.roles
        )
    )
    return user


def change_user(
    tx: Transaction,
    user: str,
    changes: UserChanges,
    *,
    reason: str = "",
    catalog: Catalog,
    context: Context,
) -> User:
    """Give an account, named by id or user name, other roles, attributes or another name to show.

    It counts from the next token on. What the claims of an identity provider give
    comes back at the next log-in there.

    Raises:
        NotFoundError: there is no such account.
        InvalidAccountError: see `changed_user`.
        ConflictError: it is so already.
    """
    known = store.credentials_of(tx, require_user(tx, user).username)
    if known is None:
        raise NotFoundError("there is no such account")
    # Read again with the row held: of two changes at once, the second builds on the first.
    before = known.user
    after = changed_user(before, changes, catalog)
    changed = tuple(
        name
        for name, was, now in (
            ("display_name", before.display_name, after.display_name),
            ("roles", before.roles, after.roles),
            ("attributes", dict(before.attributes), dict(after.attributes)),
        )
        if was != now
    )
    if not changed:
        raise ConflictError(f"the account `{before.username}` is so already")
    provider_store.set_profile(
        tx,
        after.id,
        display_name=after.display_name,
        roles=after.roles,
        attributes=after.attributes,
    )
    tx.record(
        AccountUpdated(
            context=context.with_(tenant=after.tenant),
            account_id=after.id,
            changed=changed,
            reason=reason,
        )
    )
    return after


def disable_user(
    tx: Transaction, user: str, *, reason: str, now: EpochSeconds, context: Context
) -> User:
    """Stop an account, named by id or user name, and end its sessions.

    Raises:
        NotFoundError: there is no such account.
        ConflictError: it is disabled already.
    """
    found = require_user(tx, user)
    if not store.set_disabled(tx, found.id, at=now):
        raise ConflictError(f"the account `{found.username}` is disabled already")
    context = context.with_(tenant=found.tenant)
    tx.record(AccountDisabled(context=context, account_id=found.id, reason=reason))
    end_sign_ins(tx, found.id, at=now)
    end_all_sessions(tx, found.id, at=now, reason="account_disabled", context=context)
    return require_user(tx, found.id)


def enable_user(tx: Transaction, user: str, *, context: Context) -> User:
    """Let an account, named by id or user name, act again. Its sessions stay ended.

    Raises:
        NotFoundError: there is no such account.
        ConflictError: it is not disabled.
    """
    found = require_user(tx, user)
    if not store.set_disabled(tx, found.id, at=None):
        raise ConflictError(f"the account `{found.username}` is not disabled")
    store.set_failures(tx, found.id, failures=0, locked_until=None)
    tx.record(AccountEnabled(context=context.with_(tenant=found.tenant), account_id=found.id))
    return require_user(tx, found.id)


def set_password(
    tx: Transaction, user: str, *, password_hash: str, now: EpochSeconds, context: Context
) -> User:
    """Give an account, named by id or user name, a new password, and end its sessions.

    For an administrator; `password_hash` comes from `Passwords.hash_new`, before the transaction.

    Raises:
        NotFoundError: there is no such account.
    """
    found = require_user(tx, user)
    context = context.with_(tenant=found.tenant)
    store.replace_password(tx, found.id, password_hash=password_hash, at=now)
    end_sign_ins(tx, found.id, at=now)
    tx.record(PasswordChanged(context=context, account_id=found.id, by="administrator"))
    end_all_sessions(tx, found.id, at=now, reason="password_changed", context=context)
    return found


def change_password(
    tx: Transaction,
    user: User,
    *,
    password_hash: str,
    keep: str,
    now: EpochSeconds,
    context: Context,
) -> None:
    """Give a person the new password they chose; their sessions end but `keep`, the one they use."""
    store.replace_password(tx, user.id, password_hash=password_hash, at=now)
    end_sign_ins(tx, user.id, at=now)
    tx.record(PasswordChanged(context=context, account_id=user.id, by="person"))
    end_all_sessions(tx, user.id, at=now, reason="password_changed", context=context, keep=keep)


def require_user(tx: Transaction, user: str) -> User:
    """The account with that id or user name.

    Raises:
        NotFoundError: there is none.
    """
    found = store.find_user(tx, user) or store.find_user_by_name(tx, normalized_username(user))
    if found is None:
        raise NotFoundError("there is no such account")
    return found
