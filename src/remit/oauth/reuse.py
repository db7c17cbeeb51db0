"""What follows when a code or a refresh token is shown a second time: its whole grant ends.

Nobody can tell the thief from the owner, so neither keeps anything. There is no
grace for a client that sends the same refresh token twice at once: the second
sender might be the thief.

Source: O21 §4.1.3, §4.3.1; RFC 9700 §4.14.2.
"""

from remit.audit.context import Context
from remit.audit.events import RefreshTokenReused
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.ids import GrantId
from remit.oauth import grant_store
from remit.oauth.grant import RevokeReason
from remit.oauth.grant_revocation import about_grant, revoke_grant

__all__ = ["end_reused"]

_CREDENTIAL = {
    RevokeReason.CODE_REUSED: "authorization_code",
    RevokeReason.REFRESH_TOKEN_REUSED: "refresh_token",
}


def end_reused(
    tx: Transaction,
    grant_id: GrantId,
    *,
    reason: RevokeReason,
    at: EpochSeconds,
    context: Context,
) -> None:
    """Record the reuse and end the grant, if it had not ended before."""
    grant = grant_store.find_grant(tx, grant_id)
    known = context if grant is None else about_grant(context, grant)
    tx.record(RefreshTokenReused(context=known, credential=_CREDENTIAL[reason]))
    revoke_grant(tx, grant_id, reason=reason.value, at=at, context=context)
