"""The SQL of elevations, as far as they are grants: spent, moved to another grant, and listed below one."""

from sqlalchemy import update

from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.ids import GrantId
from remit.oauth.grant import Grant, GrantFilter, GrantKind
from remit.oauth.grant_store import grants, select_grants

__all__ = ["live_elevations", "move", "spend"]

_IS_ELEVATION = grants.c.kind == GrantKind.ELEVATION.value


def spend(tx: Transaction, grant_id: GrantId, *, at: EpochSeconds, last: bool) -> bool:
    """Note the use of a live one, and end it with its `last`; whether it was live."""
    ends = {"expires_at": at} if last else {}
    statement = (
        update(grants)
        .where(
            grants.c.id == grant_id,
            _IS_ELEVATION,
            grants.c.revoked_at.is_(None),
            grants.c.expires_at > at,
        )
        .values(last_used_at=at, **ends)
    )
    return tx.connection.execute(statement).rowcount == 1


def move(tx: Transaction, to: Grant, *, at: EpochSeconds) -> tuple[GrantId, ...]:
    """Hang what is live of the same client, person, agent and resource below `to`; what moved."""
    statement = (
        update(grants)
        .where(
            _IS_ELEVATION,
            grants.c.user_id == to.user_id,
            grants.c.client_id == to.client_id,
            grants.c.agent_id == to.agent_id,
            grants.c.tenant == to.tenant,
            grants.c.environment == to.environment,
            grants.c.resource == to.resource,
            grants.c.revoked_at.is_(None),
            grants.c.expires_at > at,
        )
        .values(parent_id=to.id)
        .returning(grants.c.id)
    )
    return tuple(GrantId(row.id) for row in tx.connection.execute(statement))


def live_elevations(tx: Transaction, parent: GrantId, *, at: EpochSeconds) -> tuple[Grant, ...]:
    """What was allowed below `parent` and can still be used, newest first."""
    return select_grants(tx, GrantFilter(parent_id=parent, kind=GrantKind.ELEVATION, live_at=at))
