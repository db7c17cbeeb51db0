"""Who answers in whose place: named by whoever is absent, or, at the socket, by the operator for somebody who cannot."""

from typing import Annotated, Final

from pydantic import Field

from remit.api.answerer import person_named
from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Reason, Shape, Text
from remit.approvals.deputy import Deputy
from remit.approvals.deputyship import require_second_factor
from remit.clock import EpochSeconds

__all__ = ["DEPUTY_OPERATIONS"]


class DeputyShown(Shape):
    """`deputy` answers for `absent` where that role is asked, until then."""

    absent: str
    deputy: str
    role: str
    named_at: int
    expires_at: int


class DeputyList(Shape):
    """Who answers in the person's place, and in whose place they answer."""

    deputies: list[DeputyShown]


class PersonQuery(Shape):
    """At the socket alone: whose."""

    person: Text | None = None


class Named(Shape):
    """Whom, in which role, until when, and why."""

    deputy: Text
    role: Text
    expires_at: Annotated[int, Field(ge=1, lt=2**53)]
    reason: Reason = ""
    person: Text | None = None
    """At the socket alone: in whose place, a user's name or id."""


class Removed(Shape):
    """Whom, and in which role."""

    deputy: Text
    role: Text
    person: Text | None = None
    """At the socket alone: in whose place."""


async def _list(deps: ApiDeps, asked: Asked[PersonQuery, Nothing]) -> DeputyList:
    person = await person_named(deps, asked.by, asked.query.person)
    found = await deps.approvals.deputies(person)
    return DeputyList(deputies=[_shown(one) for one in found])


async def _name(deps: ApiDeps, asked: Asked[Nothing, Named]) -> DeputyShown:
    body = asked.body
    person = await person_named(deps, asked.by, body.person)
    if asked.by.token is not None:
        require_second_factor(person)
    named = await deps.approvals.name_deputy(
        person,
        body.deputy,
        role=body.role,
        expires_at=EpochSeconds(body.expires_at),
        reason=body.reason,
        context=asked.context,
    )
    return _shown(named)


async def _remove(deps: ApiDeps, asked: Asked[Nothing, Removed]) -> DeputyList:
    body = asked.body
    person = await person_named(deps, asked.by, body.person)
    await deps.approvals.remove_deputy(person, body.deputy, role=body.role, context=asked.context)
    left = await deps.approvals.deputies(person)
    return DeputyList(deputies=[_shown(one) for one in left])


def _shown(one: Deputy) -> DeputyShown:
    return DeputyShown(
        absent=one.absent,
        deputy=one.deputy,
        role=one.role,
        named_at=one.named_at,
        expires_at=one.expires_at,
    )


DEPUTY_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="deputies.list", run=_list, query=PersonQuery, body=Nothing, answer=DeputyList),
    Operation(name="deputies.name", run=_name, query=Nothing, body=Named, answer=DeputyShown),
    Operation(name="deputies.remove", run=_remove, query=Nothing, body=Removed, answer=DeputyList),
)  # fmt: skip
