"""Who proposes and who approves, and when two of them are one person.

A second person is somebody who shares no name with the first: not the same account, not another account that the
same identity elsewhere logs in to, not another client of the same agent that acts for nobody, not the same user of the
operating system at the management socket. Which names somebody has is read from the database, and not from what the
client says.

What this cannot tell: that somebody has an account here and, besides, the machine. Whoever may open the management
socket holds the master key and the database; who that is, is the operator's to keep few.

Source: NIST SP 800-53 AC-5 (separation of duties); docs/guides/deploying-policies.md, "a second person".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from remit.db import Transaction
from remit.errors import Error
from remit.identity.provider_store import identities_of
from remit.ids import UserId

__all__ = ["NotASecondPersonError", "Person", "person_named", "require_second_person"]

_SYSTEM_USER = "uid:"
_USER = "usr_"


class NotASecondPersonError(Error):
    """Whoever proposed it may not approve it."""

    code: ClassVar[str] = "not_a_second_person"


@dataclass(frozen=True, slots=True)
class Person:
    """`name` is what the log calls them; `known_as` are all names, with what kind of name it is before a colon."""

    name: str
    known_as: tuple[str, ...]


def person_named(tx: Transaction, name: str | None) -> Person:
    """Whoever the door says acts: `uid:1000` at the socket, a user id, or the id of an agent that acts for itself."""
    if not name:
        return Person("unknown", ())
    if name.startswith(_SYSTEM_USER):
        return Person(name, (name,))
    if not name.startswith(_USER):
        return Person(name, (f"agent:{name}",))
    linked = (f"identity:{one.issuer}#{one.subject}" for one in identities_of(tx, UserId(name)))
    return Person(name, (f"user:{name}", *linked))


def require_second_person(approver: Person, others: Iterable[str]) -> None:
    """Pass when `approver` is none of those that `others` are names of.

    Raises:
        NotASecondPersonError: they are the same, or nobody knows who they are.
    """
    if not approver.known_as:
        raise NotASecondPersonError("it is not known who approves; somebody who is known has to")
    if set(approver.known_as) & set(others):
        raise NotASecondPersonError(
            "you proposed it, so that somebody else has to approve it, under whatever account or client"
        )
