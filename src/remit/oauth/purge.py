"""What the authorization server forgets, and when: nothing that a reuse or a review could still need.

Spent codes and refresh tokens stay a day beyond their expiry, so that their reuse is
seen. Assertions that were used go with their own expiry, for which they are refused then.
Requests that waited go as soon as they expire: anybody can make one. Grants stay: an access
review needs them.

Source: O21 §4.1.3; MISSION A3 (what is unused is removed).
"""

from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction
from remit.oauth.assertion_store import purge_expired_assertions
from remit.oauth.connection_store import purge_connection_requests
from remit.oauth.credential_store import purge_expired_credentials
from remit.oauth.request_store import purge_expired_requests
from remit.oauth.stepping_up import purge_unanswered

__all__ = ["purge_expired"]

_KEPT: Seconds = Seconds(86_400)


def purge_expired(tx: Transaction, now: EpochSeconds) -> int:
    """Delete what expired, and is not needed any more; how many rows."""
    unanswered = purge_unanswered(tx, now)
    credentials = purge_expired_credentials(tx, before=EpochSeconds(now - _KEPT))
    assertions = purge_expired_assertions(tx, before=now)
    forwarded = purge_connection_requests(tx, before=now)
    requests = unanswered + purge_expired_requests(tx, before=now)
    return credentials + assertions + forwarded + requests
