"""What people allowed and nobody used yet: listed, and ended before it is used. What is another organisation's is not there."""

from typing import Final

from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Shape, Text, Why
from remit.approvals.elevation import Elevation
from remit.approvals.elevation_store import find_elevation
from remit.approvals.errors import NotYoursError
from remit.approvals.request_store import find_request
from remit.db import Transaction
from remit.ids import GrantId

__all__ = ["ELEVATION_OPERATIONS"]


class ElevationShown(Shape):
    """What one call may be, once, until then: below `grant`, by what was said of `approval`."""

    id: str
    approval: str
    grant: str
    roles: list[str]
    acr: str | None
    scopes: list[str]
    given_at: int
    expires_at: int
    revoked_at: int | None


class ElevationList(Shape):
    """Those that can still be used, the latest first."""

    elevations: list[ElevationShown]


class ElevationQuery(Shape):
    """Which: of one organisation, or below one grant; without anything, all."""

    tenant: Text | None = None
    grant: Text | None = None


async def _list(deps: ApiDeps, asked: Asked[ElevationQuery, Nothing]) -> ElevationList:
    grant = asked.query.grant
    found = await deps.approvals.elevations(
        tenant=asked.by.narrowed(asked.query.tenant),
        grant_id=None if grant is None else GrantId(grant),
    )
    return ElevationList(elevations=[_shown(one) for one in found])


async def _revoke(deps: ApiDeps, asked: Asked[Nothing, Why]) -> ElevationShown:
    name = asked.path["elevation"]

    def find(tx: Transaction) -> str | None:
        found = find_elevation(tx, name)
        of = None if found is None else find_request(tx, found.approval)
        return None if of is None else of.request.tenant

    tenant = await deps.database.read(find)
    if tenant is None or not asked.by.sees(tenant):
        raise NotYoursError
    ended = await deps.approvals.revoke_elevation(
        name, person=None, reason=asked.body.reason or "administrator", context=asked.context
    )
    return _shown(ended)


def _shown(one: Elevation) -> ElevationShown:
    return ElevationShown(
        id=one.id,
        approval=one.approval,
        grant=one.grant_id,
        roles=list(one.roles),
        acr=one.acr,
        scopes=list(one.scopes),
        given_at=one.given_at,
        expires_at=one.expires_at,
        revoked_at=one.revoked_at,
    )


ELEVATION_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="elevations.list", run=_list, query=ElevationQuery, body=Nothing, answer=ElevationList),
    Operation(name="elevations.revoke", run=_revoke, query=Nothing, body=Why, answer=ElevationShown),
)  # fmt: skip
