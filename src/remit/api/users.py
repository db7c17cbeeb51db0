"""People: listed, shown, created, changed, disabled, enabled.

Refused, besides what identity refuses: another organisation's, as if it did not exist; and a change
after which, or before which, the account may administer more than who asks.
"""

from typing import Annotated, Final

from pydantic import Field

from remit.api.administrator import (
    Administrator,
    ForbiddenError,
    require_authority_over,
    require_within,
)
from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Reason, Shape, Text, Why
from remit.api.paging import Page, Paged, page_of
from remit.db import Transaction
from remit.errors import NotFoundError
from remit.identity import (
    User,
    UserChanges,
    UserDetails,
    change_user,
    create_user,
    disable_user,
    enable_user,
    list_users,
    require_user,
    reset_factors,
    set_password,
    subject_of,
)
from remit.ids import TenantId
from remit.oauth import GrantFilter, revoke_grants

__all__ = ["USER_OPERATIONS", "named_user"]


class UserShown(Shape):
    """A person's account."""

    id: str
    username: str
    display_name: str
    tenant: str
    roles: list[str]
    attributes: dict[str, str]
    created_at: int
    disabled_at: int | None
    state: str


class UserPage(Page):
    """People by name."""

    users: list[UserShown]


class UsersWanted(Paged):
    """Which people."""

    tenant: Text | None = None


class NewPassword(Shape):
    """A password in place of a lost one. Sessions end."""

    password: Annotated[str, Field(min_length=1, max_length=2_000)]


class NewUser(Shape):
    """An account to be made."""

    username: Text
    tenant: Text
    password: Annotated[str, Field(min_length=1, max_length=2_000)]
    display_name: Reason = ""
    roles: tuple[Text, ...] = ()
    attributes: dict[Text, Text] = Field(default_factory=dict)


class UserChange(Why):
    """What becomes of an account. Left out: as it was; an attribute of `null` goes."""

    display_name: Text | None = None
    add_roles: tuple[Text, ...] = ()
    remove_roles: tuple[Text, ...] = ()
    attributes: dict[Text, Text | None] = Field(default_factory=dict)


async def _list(deps: ApiDeps, asked: Asked[UsersWanted, Nothing]) -> UserPage:
    tenant = asked.by.narrowed(asked.query.tenant)
    found = await deps.database.read(list_users)
    seen = [user for user in found if tenant in {None, user.tenant}]
    shown, after = page_of(seen, asked.query, place=lambda user: (user.username,))
    return UserPage(users=[_shown(user) for user in shown], next=after)


async def _show(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> UserShown:
    return _shown(await deps.database.read(lambda tx: _named(tx, asked)))


async def _add(deps: ApiDeps, asked: Asked[Nothing, NewUser]) -> UserShown:
    body, catalog = asked.body, deps.directory.catalog
    details = UserDetails(
        username=body.username,
        tenant=TenantId(body.tenant),
        display_name=body.display_name,
        roles=body.roles,
        attributes=dict(body.attributes),
    )
    if not asked.by.sees(details.tenant):
        raise ForbiddenError("an account is made in your own organisation")
    # Before the transaction: hashing takes a tenth of a second.
    password_hash = await deps.passwords.hash_new(body.password, username=details.username)

    def work(tx: Transaction) -> User:
        user = create_user(
            tx,
            details,
            password_hash=password_hash,
            catalog=catalog,
            now=asked.at,
            context=asked.context,
        )
        # After it, for attributes may bring roles, too. A refusal undoes all of it.
        require_within(asked.by, subject_of(user, catalog).roles, catalog)
        return user

    return _shown(await deps.database.run(work))


async def _change(deps: ApiDeps, asked: Asked[Nothing, UserChange]) -> UserShown:
    body, catalog = asked.body, deps.directory.catalog
    changes = UserChanges(
        display_name=body.display_name,
        add_roles=body.add_roles,
        remove_roles=body.remove_roles,
        attributes=dict(body.attributes),
    )

    def work(tx: Transaction) -> User:
        found = named_user(tx, asked.by, asked.path["user"])
        require_authority_over(asked.by, found, catalog)
        user = change_user(
            tx, found.id, changes, reason=body.reason, catalog=catalog, context=asked.context
        )
        # After it, for attributes may bring roles, too. A refusal undoes all of it.
        require_authority_over(asked.by, user, catalog)
        return user

    return _shown(await deps.database.run(work))


async def _disable(deps: ApiDeps, asked: Asked[Nothing, Why]) -> UserShown:
    reason, now, context = asked.body.reason, asked.at, asked.context

    def work(tx: Transaction) -> User:
        found = _named(tx, asked)
        require_authority_over(asked.by, found, deps.directory.catalog)
        user = disable_user(tx, found.id, reason=reason, now=now, context=context)
        # What they granted ends with them; enabling the account does not bring it back.
        theirs = GrantFilter(user_id=user.id)
        revoke_grants(tx, theirs, reason="account_disabled", at=now, context=context)
        return user

    user = await deps.database.run(work)
    await deps.publish()
    return _shown(user)


async def _enable(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> UserShown:
    def work(tx: Transaction) -> User:
        found = _named(tx, asked)
        require_authority_over(asked.by, found, deps.directory.catalog)
        return enable_user(tx, found.id, context=asked.context)

    user = await deps.database.run(work)
    await deps.publish()
    return _shown(user)


async def _reset_password(deps: ApiDeps, asked: Asked[Nothing, NewPassword]) -> UserShown:
    user = await deps.database.read(lambda tx: _named(tx, asked))
    # Before the transaction: hashing takes a tenth of a second.
    password_hash = await deps.passwords.hash_new(asked.body.password, username=user.username)

    def work(tx: Transaction) -> User:
        found = _named(tx, asked)
        require_authority_over(asked.by, found, deps.directory.catalog)
        return set_password(
            tx, found.id, password_hash=password_hash, now=asked.at, context=asked.context
        )

    return _shown(await deps.database.run(work))


async def _reset_factors(deps: ApiDeps, asked: Asked[Nothing, Why]) -> UserShown:
    reason, now, context = asked.body.reason, asked.at, asked.context

    def work(tx: Transaction) -> User:
        found = _named(tx, asked)
        require_authority_over(asked.by, found, deps.directory.catalog)
        return reset_factors(tx, found.id, reason=reason, now=now, context=context)

    return _shown(await deps.database.run(work))


def named_user(tx: Transaction, by: Administrator, name: str) -> User:
    """The account with that id or user name.

    Raises:
        NotFoundError: there is none, or it is of another organisation than theirs.
    """
    user = require_user(tx, name)
    if not by.sees(user.tenant):
        raise NotFoundError("there is no such account")
    return user


def _named(
    tx: Transaction,
    asked: Asked[Nothing, Nothing] | Asked[Nothing, Why] | Asked[Nothing, NewPassword],
) -> User:
    return named_user(tx, asked.by, asked.path["user"])


def _shown(user: User) -> UserShown:
    return UserShown(
        id=user.id,
        username=user.username,
        display_name=user.display_name,
        tenant=user.tenant,
        roles=list(user.roles),
        attributes=dict(user.attributes),
        created_at=user.created_at,
        disabled_at=user.disabled_at,
        state="active" if user.disabled_at is None else "disabled",
    )


USER_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="users.list", run=_list, query=UsersWanted, body=Nothing, answer=UserPage),
    Operation(name="users.show", run=_show, query=Nothing, body=Nothing, answer=UserShown),
    Operation(name="users.add", run=_add, query=Nothing, body=NewUser, answer=UserShown),
    Operation(name="users.change", run=_change, query=Nothing, body=UserChange, answer=UserShown),
    Operation(name="users.disable", run=_disable, query=Nothing, body=Why, answer=UserShown),
    Operation(name="users.enable", run=_enable, query=Nothing, body=Nothing, answer=UserShown),
    Operation(
        name="users.reset-password",
        run=_reset_password,
        query=Nothing,
        body=NewPassword,
        answer=UserShown,
    ),
    Operation(
        name="users.reset-factors", run=_reset_factors, query=Nothing, body=Why, answer=UserShown
    ),
)
