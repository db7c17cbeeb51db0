"""Which grants there are, and how one ends before its time: state and event together, once.

With a grant ends every grant that was made from it by exchange, at any depth, and every elevation of
calls made with it. Codes, refresh
tokens and access tokens need no mark of their own: a code and a refresh token are redeemed from a
live grant only, and the guard refuses every access token whose `sid` is a revoked grant.
Whoever revokes publishes standing (`OAuthDeps.publish`) after the transaction committed.

Source: O21 §4.1.3, §4.3.1; RFC 7009 §2.1; RFC 8693 §6 (what was exchanged); EMA §7.5.4.
"""

from collections.abc import Mapping, Sequence

from remit.audit.approval_events import ElevationRevoked
from remit.audit.context import Context, authenticated, chain_of
from remit.audit.event import Event
from remit.audit.events import GrantRevoked
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.ids import GrantId
from remit.oauth import credential_store, grant_store, request_store
from remit.oauth.grant import Grant, GrantFilter, GrantKind, RevokeReason

__all__ = [
    "about_grant",
    "list_grants",
    "revoke_descendants",
    "revoke_grant",
    "revoke_grants",
    "revoked",
    "revoked_tokens",
]

_AT_ONCE = 1_000
"""Grants named in one statement: databases take only so many parameters."""


def list_grants(tx: Transaction, wanted: GrantFilter) -> tuple[Grant, ...]:
    """The grants that match, newest first."""
    return grant_store.select_grants(tx, wanted)


def revoke_grant(
    tx: Transaction, grant_id: GrantId, *, reason: str, at: EpochSeconds, context: Context
) -> Grant | None:
    """End the grant and all that descends from it; `None` when it is unknown or was revoked before.

    The consent behind it is forgotten: the person is asked before there is another.
    """
    ended = _end(tx, grant_id, reason=reason, at=at, context=context)
    if ended is not None:
        revoke_descendants(tx, (grant_id,), at=at, context=context)
    return ended


def revoke_grants(
    tx: Transaction, wanted: GrantFilter, *, reason: str, at: EpochSeconds, context: Context
) -> tuple[Grant, ...]:
    """End every live grant that matches, and all that descends from them.

    Those that ended now: first those that matched, newest first, then the others, whose
    reason is that the grant they were made from ended.
    """
    live = grant_store.select_grants(tx, wanted.live(at))
    matched = [_end(tx, grant.id, reason=reason, at=at, context=context) for grant in live]
    ended = tuple(grant for grant in matched if grant is not None)
    below = revoke_descendants(tx, [grant.id for grant in ended], at=at, context=context)
    return (*ended, *below)


def revoke_descendants(
    tx: Transaction, grant_ids: Sequence[GrantId], *, at: EpochSeconds, context: Context
) -> tuple[Grant, ...]:
    """End what was made from these by exchange, at any depth, and leave these as they are."""
    ended: list[Grant] = []
    for first in range(0, len(grant_ids), _AT_ONCE):
        some = grant_ids[first : first + _AT_ONCE]
        ended += grant_store.mark_descendants_revoked(
            tx, some, at=at, reason=RevokeReason.PARENT_ENDED.value
        )
    for grant in ended:
        reason = RevokeReason.PARENT_ENDED.value
        tx.record(_event(grant, reason=reason, context=context))
    return tuple(ended)


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
        auth=None if grant.acr is None else authenticated(grant.acr, grant.amr, grant.auth_time),
        act=chain_of((one.agent_id, one.client_id) for one in grant.actors),
    )


def _end(
    tx: Transaction, grant_id: GrantId, *, reason: str, at: EpochSeconds, context: Context
) -> Grant | None:
    """End this one grant, before anything that descends from it.

    INVARIANT: whoever makes tokens from a grant holds its row (`use_grant`). So either that is
    over when this returns, and what was made is found below, or it finds the grant ended.
    """
    ended = grant_store.mark_revoked(tx, grant_id, at=at, reason=reason)
    if ended is not None:
        if ended.user_id is not None and ended.kind is not GrantKind.ELEVATION:
            request_store.forget_consent(
                tx, user_id=ended.user_id, client_id=ended.client_id, resource=ended.resource
            )
        tx.record(_event(ended, reason=reason, context=context))
    return ended


def _event(ended: Grant, *, reason: str, context: Context) -> Event:
    known = about_grant(context, ended)
    if ended.kind is GrantKind.ELEVATION:
        return ElevationRevoked(context=known, elevation=ended.id, reason=reason)
    return GrantRevoked(context=known, reason=reason)
