"""Naming who answers in one's own place while one is absent.

Refused: oneself under any account, somebody of another organisation or whose account is disabled, a role that one does
not hold, a time that is over or further away than a long leave. Whether it counts when it is used is looked at again
then: a role that is lost meanwhile is nobody's to hand on.
"""

from dataclasses import dataclass
from typing import Final

from remit.approvals.deputy import Deputy
from remit.approvals.deputy_store import keep_deputy, remove_deputy
from remit.approvals.errors import NotADeputyError, StrongerAuthenticationNeededError
from remit.approvals.person import Person, names_of
from remit.approvals.standpoint import standpoint_of
from remit.audit.approval_events import DeputyNamed, DeputyRemoved
from remit.audit.context import Context
from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction
from remit.errors import NotFoundError
from remit.identity import ACR_MULTI_FACTOR, User, require_user, satisfies
from remit.model import Catalog

__all__ = [
    "LONGEST_ABSENCE",
    "Absence",
    "end_deputyship",
    "name_deputy",
    "require_second_factor",
]

LONGEST_ABSENCE: Final = Seconds(92 * 86_400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """In whose hands, in which role, until when, and why. `deputy` is a user name or an id."""

    deputy: str
    role: str
    expires_at: EpochSeconds
    reason: str = ""


def require_second_factor(person: Person) -> None:
    """Pass when `person`, who names a deputy themselves, logged in with two factors: else a stolen password hands on a role.

    Raises:
        StrongerAuthenticationNeededError: they did not.
    """
    if not satisfies(person.acr, ACR_MULTI_FACTOR):
        raise StrongerAuthenticationNeededError(ACR_MULTI_FACTOR, None)


def name_deputy(
    tx: Transaction,
    person: Person,
    absence: Absence,
    catalog: Catalog,
    *,
    now: EpochSeconds,
    context: Context,
) -> Deputy:
    """Have them answer in the place of `person` from now on.

    Raises:
        NotADeputyError: they cannot; see the module.
        NotYoursError: the account of `person` is gone or disabled.
    """
    standpoint = standpoint_of(tx, person, catalog, now=now)
    deputy = _account(tx, absence.deputy)
    present = standpoint.person
    if deputy.tenant != present.tenant or deputy.disabled_at is not None:
        raise NotADeputyError("there is no such account")
    if not set(names_of(tx, deputy)).isdisjoint(standpoint.known_as):
        raise NotADeputyError("nobody is their own deputy, under whatever account")
    if absence.role not in present.roles:
        raise NotADeputyError("you do not hold that role yourself")
    if not now < absence.expires_at <= now + LONGEST_ABSENCE:
        raise NotADeputyError(
            f"`expires_at` has to be between now and {LONGEST_ABSENCE // 86_400} days from now"
        )
    named = Deputy(
        tenant=present.tenant,
        absent=present.user_id,
        deputy=deputy.id,
        role=absence.role,
        named_at=now,
        expires_at=absence.expires_at,
    )
    keep_deputy(tx, named)
    tx.record(
        DeputyNamed(
            context=context.with_(tenant=present.tenant, user_id=present.user_id),
            absent=named.absent,
            deputy=named.deputy,
            role=named.role,
            expires_at=named.expires_at,
            reason=absence.reason,
        )
    )
    return named


def end_deputyship(
    tx: Transaction, person: Person, deputy: str, *, role: str, context: Context
) -> None:
    """Have them do so no longer.

    Raises:
        NotADeputyError: they do not.
    """
    account = _account(tx, deputy)
    if not remove_deputy(
        tx, tenant=person.tenant, absent=person.user_id, deputy=account.id, role=role
    ):
        raise NotADeputyError("they do not answer in your place in that role")
    tx.record(
        DeputyRemoved(
            context=context.with_(tenant=person.tenant, user_id=person.user_id),
            absent=person.user_id,
            deputy=account.id,
            role=role,
        )
    )


def _account(tx: Transaction, name: str) -> User:
    try:
        return require_user(tx, name)
    except NotFoundError as error:
        raise NotADeputyError("there is no such account", cause=error) from error
