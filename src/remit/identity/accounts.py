"""Accounts as an administrator changes them: created, disabled, enabled, each with its event.

A disabled account has no session left and is in `disabled_users`, which stops its
tokens at the next call. Refused: a name that is taken, a change that was already made,
an account that does not exist.
"""

from remit.audit.context import Context
from remit.audit.events import AccountCreated, AccountDisabled, AccountEnabled, LoggedOut
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.errors import ConflictError, NotFoundError
from remit.identity import store
from remit.identity.user import User, UserDetails, check_details, normalized_username
from remit.ids import UserId, new_id
from remit.model import Catalog

__all__ = ["create_user", "disable_user", "enable_user", "require_user"]


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
    for session in store.end_sessions(tx, at=now, user_id=found.id):
        tx.record(
            LoggedOut(
                context=context.with_(user_id=found.id),
                session_id=session.id,
                reason="account_disabled",
            )
        )
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


def require_user(tx: Transaction, user: str) -> User:
    """The account with that id or user name.

    Raises:
        NotFoundError: there is none.
    """
    found = store.find_user(tx, user) or store.find_user_by_name(tx, normalized_username(user))
    if found is None:
        raise NotFoundError("there is no such account")
    return found
