"""Who proposes and who approves, and when two of them are one person.

A second person is somebody who shares no name with the first: not the same account, not another account that the
same identity elsewhere logs in to, not the owner of the agent that proposed it for nobody, not the same user of the
operating system at the management socket. An agent that acts for nobody is no person at all, and approves nothing that
takes a second one. Which names somebody has is read from the database and the catalog in force, and not from what the
client says; and whether they may still approve, whatever their token says.

What this cannot tell: that somebody has an account here and, besides, the machine. Whoever may open the management
socket holds the master key and the database; who that is, is the operator's to keep few.

Source: NIST SP 800-53 AC-5 (separation of duties); docs/guides/deploying-policies.md, "a second person".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final

from remit.db import Transaction
from remit.errors import Error
from remit.identity import find_user, subject_of
from remit.identity.provider_store import identities_of
from remit.ids import AgentId, ScopeName, UserId
from remit.model import Catalog
from remit.scopes import covers

__all__ = [
    "NotASecondPersonError",
    "Person",
    "may_approve",
    "person_named",
    "require_second_person",
]

_SYSTEM_USER: Final = "uid:"
_USER: Final = "usr_"
_AGENT: Final = "agent:"
_APPROVES: Final = ScopeName("remit:policy.approve")


class NotASecondPersonError(Error):
    """Whoever proposed it may not approve it."""

    code: ClassVar[str] = "not_a_second_person"


@dataclass(frozen=True, slots=True)
class Person:
    """`name` is what the log calls them; `known_as` are all names, with what kind of name it is before a colon."""

    name: str
    known_as: tuple[str, ...]


def person_named(tx: Transaction, name: str | None, catalog: Catalog) -> Person:
    """Whoever the door says acts: `uid:1000` at the socket, a user id, or the id of an agent that acts for itself."""
    if not name:
        return Person("unknown", ())
    if name.startswith(_SYSTEM_USER):
        return Person(name, (name,))
    if not name.startswith(_USER):
        agent = catalog.agents.get(AgentId(name))
        owner = () if agent is None else _owner(agent.owner)
        return Person(name, (f"{_AGENT}{name}", *owner))
    user = find_user(tx, name)
    # An agent names its owner as people are written to, or as they log in.
    own = () if user is None else (user.username, user.attributes.get("email", ""))
    owners = (found for text in own for found in _owner(text))
    linked = (f"identity:{one.issuer}#{one.subject}" for one in identities_of(tx, UserId(name)))
    return Person(name, tuple(dict.fromkeys((f"user:{name}", *linked, *owners))))


def may_approve(tx: Transaction, name: str, catalog: Catalog) -> bool:
    """Whether the account `name` is there, not disabled, and has by `catalog` a role that approves, at this moment.

    Of whoever has no account here the door knows all that there is to know.
    """
    if not name.startswith(_USER):
        return True
    user = find_user(tx, name)
    if user is None or user.disabled_at is not None:
        return False
    roles = subject_of(user, catalog).roles
    return any(
        covers(scope, _APPROVES, catalog.hierarchy)
        for role in roles
        for scope in catalog.roles[role].scopes
    )


def require_second_person(approver: Person, others: Iterable[str]) -> None:
    """Pass when `approver` is none of those that `others` are names of.

    Raises:
        NotASecondPersonError: they are the same, or nobody knows who they are.
    """
    if not approver.known_as:
        raise NotASecondPersonError("it is not known who approves; somebody who is known has to")
    if approver.known_as[0].startswith(_AGENT):
        raise NotASecondPersonError("an agent that acts for nobody is no second person")
    if set(approver.known_as) & set(others):
        raise NotASecondPersonError(
            "you proposed it, so that somebody else has to approve it, under whatever account or client"
        )


def _owner(text: str) -> tuple[str, ...]:
    return (f"owner:{text.strip().casefold()}",) if text.strip() else ()
