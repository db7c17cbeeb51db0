"""Who answers, under whatever account: when two people are one.

Two accounts are one person when they share a name: the account itself, an identity elsewhere that both log in to,
the address by which agents and servers name their owner. Read from the database and the catalog in force, never from
what a client says.

Source: NIST SP 800-53 AC-5 (separation of duties).
"""

from dataclasses import dataclass

from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.identity import Session, User, subject_of
from remit.identity.provider_store import identities_of
from remit.ids import TenantId, UserId
from remit.model import Catalog

__all__ = ["Person", "names_of", "owner_name", "person_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who is logged in. `roles`, `tenant` and `known_as` are read anew before anything they say counts."""

    user_id: UserId
    username: str
    tenant: TenantId
    roles: tuple[str, ...]
    acr: str
    auth_time: EpochSeconds
    owner: tuple[str, ...] = ()
    """The addresses by which an agent or a server may name them as its owner."""


def person_of(user: User, session: Session, catalog: Catalog) -> Person:
    """`user`, as strongly and as lately as `session` says that they proved who they are."""
    return Person(
        user_id=user.id,
        username=user.username,
        tenant=user.tenant,
        roles=subject_of(user, catalog).roles,
        acr=session.acr,
        auth_time=session.auth_time,
        owner=_owner_names(user),
    )


def names_of(tx: Transaction, user: User) -> tuple[str, ...]:
    """Every name that the person with this account has here."""
    linked = (f"identity:{one.issuer}#{one.subject}" for one in identities_of(tx, user.id))
    return tuple(dict.fromkeys((f"user:{user.id}", *linked, *_owner_names(user))))


def owner_name(owner: str) -> str:
    """The name of whoever the catalog says owns something; empty for nobody."""
    text = owner.strip().casefold()
    return f"owner:{text}" if text else ""


def _owner_names(user: User) -> tuple[str, ...]:
    # An agent names its owner as people are written to, or as they log in.
    found = (owner_name(text) for text in (user.username, user.attributes.get("email", "")))
    return tuple(dict.fromkeys(name for name in found if name))
