"""The SQL of what a grant's tokens become: the key they are bound to, and the grants made by exchanging them."""

from sqlalchemy import case, select, update

from remit.canonical import canonical_text
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.ids import GrantId
from remit.oauth.grant import Grant
from remit.oauth.grant_store import find_grant, grants

__all__ = ["bind_grant", "extend_grant", "find_equal_exchanged_grant"]


def bind_grant(tx: Transaction, grant_id: GrantId, *, jkt: str) -> None:
    """Bind the refresh tokens of a grant to a key. Whoever calls has just spent its only code."""
    tx.connection.execute(update(grants).where(grants.c.id == grant_id).values(jkt=jkt))


def extend_grant(
    tx: Transaction, grant_id: GrantId, *, until: EpochSeconds, now: EpochSeconds
) -> Grant | None:
    """The grant, used `now` and lasting `until` at least; `None` if it has ended or never was."""
    statement = (
        update(grants)
        .where(grants.c.id == grant_id, grants.c.revoked_at.is_(None), grants.c.expires_at > now)
        .values(
            last_used_at=now,
            expires_at=case((grants.c.expires_at < until, until), else_=grants.c.expires_at),
        )
    )
    if tx.connection.execute(statement).rowcount == 0:
        return None
    return find_grant(tx, grant_id)


def find_equal_exchanged_grant(
    tx: Transaction, wanted: Grant, *, now: EpochSeconds
) -> Grant | None:
    """The oldest live grant that was made by an exchange and says the same as `wanted`."""
    found = tx.connection.execute(
        select(grants.c.id)
        .where(
            grants.c.kind == wanted.kind.value,
            grants.c.user_id.is_not_distinct_from(wanted.user_id),
            grants.c.parent_id.is_not_distinct_from(wanted.parent_id),
            grants.c.origin.is_not_distinct_from(wanted.origin),
            grants.c.client_id == wanted.client_id,
            grants.c.agent_id == wanted.agent_id,
            grants.c.tenant == wanted.tenant,
            grants.c.environment == wanted.environment,
            grants.c.resource == wanted.resource,
            grants.c.scopes == canonical_text(list(wanted.scopes)),
            grants.c.purpose == wanted.purpose,
            grants.c.authorization_details == canonical_text(list(wanted.authorization_details)),
            grants.c.actors
            == canonical_text([[one.agent_id, one.client_id] for one in wanted.actors]),
            grants.c.revoked_at.is_(None),
            grants.c.expires_at > now,
        )
        .order_by(grants.c.created_at, grants.c.id)
        .limit(1)
    ).scalar()
    return None if found is None else find_grant(tx, GrantId(found))
