"""What another room shows on a person's account page: a list, each with a button that takes it away.

The room says what the list is and what the button does; this room asks who is logged in,
guards the form and draws it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from remit.audit.context import Context
from remit.identity.user import User

__all__ = ["AccountEntry", "AccountOffer", "AccountSection"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEntry:
    """One line: `id` comes back when its button is pressed; `facts` are short texts under `title`."""

    id: str
    title: str
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOffer:
    """Something that can be added: the word on its button, and the path that the form is sent to."""

    title: str
    path: str


def _nothing_more() -> Sequence[AccountOffer]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSection:
    """A list on the account page. `key` stands in a URL; `button` is the word on each entry.

    `remove` is called with an id that may be anybody's or nobody's: it must act on what is
    the user's own, in one transaction with its event, and do nothing otherwise.
    """

    key: str
    title: str
    about: str
    empty: str
    button: str
    entries: Callable[[User], Awaitable[Sequence[AccountEntry]]]
    remove: Callable[[User, str, Context], Awaitable[None]]
    offers: Callable[[], Sequence[AccountOffer]] = _nothing_more
    """What can be added; its path answers a form of the account page."""
