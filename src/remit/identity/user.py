"""A person with an account here, and the roles that the catalog gives them.

An account belongs to one tenant. Roles are the account's own and those that attribute
rules add; a role that the catalog does not declare is not held, whatever the account says.
Refused: a name, role or tenant that could be mistaken for another or does not exist.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import ClassVar

from remit.clock import EpochSeconds
from remit.errors import Error
from remit.ids import TenantId, UserId
from remit.model import Catalog
from remit.policy import Subject, SubjectKind

__all__ = [
    "InvalidAccountError",
    "User",
    "UserChanges",
    "UserDetails",
    "changed_user",
    "check_details",
    "normalized_username",
    "subject_of",
]

_USERNAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_MAX_TEXT = 200


class InvalidAccountError(Error):
    """The account cannot be as described; `detail` says what to change."""

    code: ClassVar[str] = "invalid_account"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDetails:
    """What an administrator says of a new account."""

    username: str
    tenant: TenantId
    display_name: str = ""
    roles: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account as stored. `username` is in its normal form; `disabled_at` says it may not act."""

    id: UserId
    tenant: TenantId
    username: str
    display_name: str
    roles: tuple[str, ...]
    attributes: Mapping[str, str]
    created_at: EpochSeconds
    disabled_at: EpochSeconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanges:
    """What becomes of an account. `None`: as it was; an attribute of `None` goes."""

    display_name: str | None = None
    add_roles: tuple[str, ...] = ()
    remove_roles: tuple[str, ...] = ()
    attributes: Mapping[str, str | None] = field(default_factory=lambda: MappingProxyType({}))


def normalized_username(text: str) -> str:
    """`text` as names are stored and compared: without outer blanks, case folded."""
    return text.strip().casefold()


def check_details(details: UserDetails, catalog: Catalog) -> UserDetails:
    """`details` in normal form.

    Raises:
        InvalidAccountError: see the module.
    """
    username = normalized_username(details.username)
    if not _USERNAME.fullmatch(username):
        raise InvalidAccountError(
            "a user name has 1 to 64 letters, digits or `.` `_` `@` `+` `-` in ascii,"
            " and starts with a letter or digit"
        )
    if details.tenant not in catalog.tenants:
        raise InvalidAccountError(f"the tenant `{_shown(details.tenant)}` is not in the repository")
    for role in details.roles:
        if role not in catalog.roles:
            raise InvalidAccountError(f"the role `{_shown(role)}` is not in the repository")
    for name, value in details.attributes.items():
        if not _ATTRIBUTE.fullmatch(name) or not _is_plain(value):
            raise InvalidAccountError(f"the attribute `{_shown(name)}` cannot be kept")
    display_name = details.display_name.strip() or username
    if not _is_plain(display_name):
        raise InvalidAccountError("the display name is too long or has control characters")
    return UserDetails(
        username=username,
        tenant=details.tenant,
        display_name=display_name,
        roles=tuple(dict.fromkeys(details.roles)),
        attributes=MappingProxyType(dict(details.attributes)),
    )


def changed_user(user: User, changes: UserChanges, catalog: Catalog) -> User:
    """`user` with `changes`. What is taken away need not be in the catalog any more.

    Raises:
        InvalidAccountError: what is added cannot be; a role or attribute is taken away that is
            not there; a role is both given and taken away.
    """
    given = check_details(
        UserDetails(
            username=user.username,
            tenant=user.tenant,
            display_name=user.display_name
            if changes.display_name is None
            else changes.display_name,
            roles=changes.add_roles,
            attributes={
                name: value for name, value in changes.attributes.items() if value is not None
            },
        ),
        catalog,
    )
    for role in changes.remove_roles:
        if role not in user.roles or role in given.roles:
            raise InvalidAccountError(f"the role `{_shown(role)}` is not there to be taken away")
    gone = {name for name, value in changes.attributes.items() if value is None}
    for name in sorted(gone - set(user.attributes)):
        raise InvalidAccountError(f"the attribute `{_shown(name)}` is not there to be taken away")
    kept = (role for role in user.roles if role not in changes.remove_roles)
    attributes = {name: value for name, value in user.attributes.items() if name not in gone}
    return replace(
        user,
        display_name=given.display_name,
        roles=tuple(dict.fromkeys((*kept, *given.roles))),
        attributes=MappingProxyType({**attributes, **given.attributes}),
    )


def subject_of(user: User, catalog: Catalog) -> Subject:
    """`user` as policies see them, with every role that `catalog` lets them hold."""
    return Subject(
        kind=SubjectKind.USER,
        id=user.id,
        tenant=user.tenant,
        roles=catalog.held_roles(user.roles, user.attributes),
        attributes=user.attributes,
    )


def _is_plain(text: str) -> bool:
    return len(text) <= _MAX_TEXT and text.isprintable()


def _shown(text: str) -> str:
    return "".join(one if one.isprintable() and one != "`" else "?" for one in text)[:64]
