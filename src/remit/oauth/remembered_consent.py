"""What a person allowed and is not asked again, and taking it back.

Withdrawing a consent ends every grant under it, and all that descends from them; the next
request of that client is asked anew. Whoever withdraws publishes standing afterwards
(`OAuthDeps.publish`). Refused: a consent that is not remembered, and so another person's.

Source: SBP26 consent registry; RFC 7009 §2.1; AS-53.
"""

from dataclasses import dataclass

from remit.audit.context import Context
from remit.audit.events import ConsentWithdrawn
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.errors import NotFoundError
from remit.ids import ClientId, UserId
from remit.oauth import grant_store, request_store
from remit.oauth.grant import Grant, GrantFilter
from remit.oauth.grant_revocation import revoke_grant
from remit.oauth.request_store import Consent

__all__ = ["WITHDRAWN", "RememberedConsent", "list_consents", "withdraw_consent"]

WITHDRAWN = "consent_withdrawn"
"""The reason its grants end for."""


@dataclass(frozen=True, slots=True)
class RememberedConsent:
    """Which consent is meant: one person's, for one client on one server."""

    user_id: UserId
    client_id: ClientId
    resource: str


def list_consents(tx: Transaction, user_id: UserId) -> tuple[Consent, ...]:
    """Everything that person allowed and that is remembered, newest first."""
    return request_store.consents_of(tx, user_id)


def withdraw_consent(
    tx: Transaction, wanted: RememberedConsent, *, at: EpochSeconds, context: Context
) -> tuple[Grant, ...]:
    """Take the consent back; the grants that ended with it, newest first.

    Raises:
        NotFoundError: no such consent is remembered.
    """
    who, client, resource = wanted.user_id, wanted.client_id, wanted.resource
    consent = request_store.find_consent(tx, user_id=who, client_id=client, resource=resource)
    if consent is None:
        raise NotFoundError("there is no such consent")
    request_store.forget_consent(tx, user_id=who, client_id=client, resource=resource)
    under = GrantFilter(user_id=who, client_id=client).live(at)
    live = [one for one in grant_store.select_grants(tx, under) if one.resource == resource]
    ended = tuple(
        grant
        for one in live
        if (grant := revoke_grant(tx, one.id, reason=WITHDRAWN, at=at, context=context)) is not None
    )
    tx.record(
        ConsentWithdrawn(
            context=context.with_(user_id=who, client_id=client),
            resource=resource,
            scopes=consent.scopes,
            grants=len(ended),
        )
    )
    return ended
