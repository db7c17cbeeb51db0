"""Who somebody is at this moment: read anew in the transaction in which what they say counts.

What a door says of a person was true when they logged in. An account that is disabled since, a role that is gone, a
deputyship that ended: none of them counts any more.
"""

from dataclasses import replace

from remit.approvals.deputy import Deputy
from remit.approvals.deputy_store import seats_of
from remit.approvals.errors import NotYoursError
from remit.approvals.person import Person, names_of
from remit.approvals.request import Request
from remit.approvals.who_may import Seat, Standpoint, View
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.identity import find_user, subject_of
from remit.model import Catalog

__all__ = ["requester_names", "standpoint_of", "view_of"]


def standpoint_of(
    tx: Transaction, person: Person, catalog: Catalog, *, now: EpochSeconds
) -> Standpoint:
    """All that is known of `person`, but for how they logged in, which the door knows.

    Raises:
        NotYoursError: the account is gone or disabled.
    """
    user = find_user(tx, person.user_id)
    if user is None or user.disabled_at is not None:
        raise NotYoursError
    present = replace(
        person,
        username=user.username,
        tenant=user.tenant,
        roles=subject_of(user, catalog).roles,
    )
    seats = (_seat(tx, one, catalog) for one in seats_of(tx, user.id, now=now))
    return Standpoint(
        person=present,
        known_as=names_of(tx, user),
        seats=tuple(one for one in seats if one is not None),
    )


def view_of(
    tx: Transaction,
    request: Request,
    standpoint: Standpoint,
    catalog: Catalog,
    *,
    now: EpochSeconds,
) -> View:
    """`request` as they look at it, with all names of whoever it is asked for."""
    return View(
        request=request,
        standpoint=standpoint,
        catalog=catalog,
        requester=requester_names(tx, request),
        now=now,
    )


def requester_names(tx: Transaction, request: Request) -> tuple[str, ...]:
    """All names of the person of the call; none of a workload's."""
    requester = None if request.user_id is None else find_user(tx, request.user_id)
    return () if requester is None else names_of(tx, requester)


def _seat(tx: Transaction, deputy: Deputy, catalog: Catalog) -> Seat | None:
    """The place of whoever is absent, as far as they have it themselves; `None` where they have none any more."""
    absent = find_user(tx, deputy.absent)
    if absent is None or absent.disabled_at is not None or absent.tenant != deputy.tenant:
        return None
    roles = subject_of(absent, catalog).roles
    return Seat(deputy=deputy, roles=roles, known_as=names_of(tx, absent))
