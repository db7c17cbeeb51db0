"""Which grants there are, and how one ends before its time: state and event together, once.

What descends from a grant needs no further mark: refresh asks for a live grant,
and the guard refuses every access token whose `sid` is a revoked grant. Whoever
revokes publishes standing (`OAuthDeps.publish`) after the transaction committed.

Source: O21 §4.1.3, §4.3.1; RFC 7009 §2.1; EMA §7.5.4.
"""

from collections.abc import Mapping

from remit.audit.context import Context
from remit.audit.events import GrantRevoked
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.ids import GrantId
from remit.oauth import credential_store, grant_store, request_store
from remit.oauth.grant import Grant, GrantFilter

__all__ = [
    "about_grant",
    "list_grants",
    "revoke_grant",
    "revoke_grants",
    "revoked",
    "revoked_tokens",
]


def list_grants(tx: Transaction, wanted: GrantFilter) -> tuple[Grant, ...]:
    """The grants that match, newest first."""
    return grant_store.select_grants(tx, wanted)


def revoke_grant(
    tx: Transaction, grant_id: GrantId, *, reason: str, at: EpochSeconds, context: Context
) -> Grant | None:
    """End the grant and all that descends from it; `None` when it is unknown or was revoked before.

    The consent behind it is forgotten: the person is asked before there is another.
    """
    ended = grant_store.mark_revoked(tx, grant_id, at=at, reason=reason)
    if ended is not None:
        if ended.user_id is not None:
            request_store.forget_consent(
                tx, user_id=ended.user_id, client_id=ended.client_id, resource=ended.resource
            )
        tx.record(GrantRevoked(context=about_grant(context, ended), reason=reason))
    return ended


def revoke_grants(
    tx: Transaction, wanted: GrantFilter, *, reason: str, at: EpochSeconds, context: Context
) -> tuple[Grant, ...]:
    """End every live grant that matches; those that ended now, newest first."""
    live = grant_store.select_grants(tx, wanted.live(at))
    ended = (revoke_grant(tx, grant.id, reason=reason, at=at, context=context) for grant in live)
    return tuple(grant for grant in ended if grant is not None)


def revoked(tx: Transaction, since: EpochSeconds) -> frozenset[GrantId]:
    """The grants revoked at `since` or later, for `Standing.revoked_grants`.

    `since` must reach back at least the longest lifetime of an access token.
    """
    return grant_store.revoked_grants(tx, since)


def revoked_tokens(tx: Transaction, now: EpochSeconds) -> Mapping[str, EpochSeconds]:
    """The access tokens revoked one by one that would still hold, for `Standing.revoked_tokens`."""
    return credential_store.revoked_tokens(tx, now)


def about_grant(context: Context, grant: Grant) -> Context:
    """`context`, with what is known of the grant."""
    return context.with_(
        tenant=grant.tenant,
        environment=grant.environment,
        user_id=grant.user_id,
        agent_id=grant.agent_id,
        client_id=grant.client_id,
        grant_id=grant.id,
    )
