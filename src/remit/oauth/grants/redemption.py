"""A stored credential, spent once for tokens: what a code and a refresh token have in common.

In this order, in one transaction: the credential is spent; one that was spent before
ends its grant; it must not have expired, its grant must be live and this client's; then
what is peculiar to its kind is checked; then what may be had now is asked anew, and the
tokens are made and recorded. A refusal leaves the credential to its owner, unspent.

Source: O21 §4.1.3, §4.3.1; RFC 9700 §4.14.2; RFC 8707 §2.2; RFC 9396 §6; RFC 9449 §5.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

import structlog

from remit.audit.event import Event
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.guard.issuance import Ruling
from remit.ids import GrantId, ScopeName, digest
from remit.oauth import grant_store
from remit.oauth.client_standing import note_client_use
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidGrantError, InvalidRequestError
from remit.oauth.grant import Grant, RevokeReason
from remit.oauth.grant_holder import server_of
from remit.oauth.grant_issuance import rule_on_grant
from remit.oauth.grant_revocation import about_grant
from remit.oauth.issued_tokens import IssuedTokens, issue_access_token, issue_refresh_token
from remit.oauth.proof_of_possession import refuse_used_proof
from remit.oauth.refusal import ReuseDetectedError, refusals_in
from remit.oauth.requested_details import narrowed_details
from remit.oauth.resource_indicators import require_same_resource
from remit.oauth.reuse import end_reused
from remit.oauth.token_request import TokenRequest
from remit.tokens import AccessToken

__all__ = ["Credential", "Redemption", "redeem"]

_log = structlog.get_logger("remit.oauth")


class Stored(Protocol):
    """What every stored credential says of itself."""

    @property
    def grant_id(self) -> GrantId: ...
    @property
    def expires_at(self) -> EpochSeconds: ...


S = TypeVar("S", bound=Stored)
S_co = TypeVar("S_co", bound=Stored, covariant=True)


class _Spend(Protocol[S_co]):
    def __call__(self, tx: Transaction, digest: str, /, *, now: EpochSeconds) -> S_co | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """What was made of a credential, for the event that records it."""

    request: TokenRequest
    grant: Grant
    token: AccessToken
    ruling: Ruling


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential(Generic[S]):
    """One kind of stored credential: where it stands in a request, and what is peculiar to it.

    `spend` is one atomic statement. `check` refuses by raising; it returns the grant as it is
    to be from now on. `asked` are the scopes a request wants, within those of the grant.
    """

    parameter: str
    title: str
    reuse: RevokeReason
    spend: _Spend[S]
    find: Callable[[Transaction, str], S | None]
    check: Callable[[Transaction, S, Grant, TokenRequest], Grant]
    asked: Callable[[Grant, TokenRequest, OAuthDeps], tuple[ScopeName, ...]]
    event: Callable[[Redemption], Event]

    @property
    def unusable(self) -> InvalidGrantError:
        return InvalidGrantError(f"the {self.title} is unknown, expired or spent")


async def redeem(deps: OAuthDeps, request: TokenRequest, kind: Credential[S]) -> IssuedTokens:
    """The tokens for the credential of `kind` in the request's form.

    Raises:
        OAuthError, TokenRefusalError: refused; nothing changed.
        ReuseDetectedError: it was spent before; its grant has ended.
    """
    client, secret = request.known_client, request.form.one(kind.parameter)
    if secret is None:
        raise InvalidRequestError(f"`{kind.parameter}` is required")
    presented, now = digest(secret), deps.clock.now()

    def spend(tx: Transaction) -> IssuedTokens | None:
        spent = kind.spend(tx, presented, now=now)
        if spent is None:
            refuse_used_proof(tx, request.proof)  # the very same request again
            _end_if_reused(tx, presented, kind, request=request, now=now)
            return None
        with refusals_in(request.context.with_(grant_id=spent.grant_id)):
            grant = _live_grant(tx, spent, kind, request=request, now=now)
        known = replace(request, context=about_grant(request.context, grant))
        with refusals_in(known.context):
            require_same_resource(request.form.all("resource"), grant.resource)
            grant = kind.check(tx, spent, grant, known)
            return _issue(tx, grant, kind, request=known, deps=deps)

    issued = await deps.database.run(spend)
    if issued is None:
        # An alert: one of the two who sent it is not whom it was given to.
        _log.warning("credential reused", credential=kind.parameter, client_id=client.client_id)
        await deps.publish()
        raise ReuseDetectedError(kind.unusable)
    return issued


def _end_if_reused(
    tx: Transaction,
    presented: str,
    kind: Credential[S],
    *,
    request: TokenRequest,
    now: EpochSeconds,
) -> None:
    """End the grant of a credential that was spent before; refuse one that never was."""
    known = kind.find(tx, presented)
    if known is None:
        raise kind.unusable
    end_reused(tx, known.grant_id, reason=kind.reuse, at=now, context=request.context)


def _live_grant(
    tx: Transaction, spent: S, kind: Credential[S], *, request: TokenRequest, now: EpochSeconds
) -> Grant:
    """The grant of a credential that still holds, and is this client's."""
    if spent.expires_at <= now:
        raise kind.unusable
    grant = grant_store.use_grant(tx, spent.grant_id, now=now)
    if grant is None:
        raise InvalidGrantError("what was granted has ended")
    if grant.client_id != request.known_client.client_id:
        raise InvalidGrantError(f"the {kind.title} was issued to another client")
    return grant


def _issue(
    tx: Transaction,
    grant: Grant,
    kind: Credential[S],
    *,
    request: TokenRequest,
    deps: OAuthDeps,
) -> IssuedTokens:
    """The tokens, recorded. A narrower token leaves the grant, and the next one, as they were."""
    asked, now = kind.asked(grant, request, deps), deps.clock.now()
    applicant, ruling = rule_on_grant(tx, grant, request, asked=asked, deps=deps)
    details = narrowed_details(
        grant.authorization_details,
        request.form,
        server_of(grant, deps),
        resource=grant.resource,
        now=now,
    )
    shown = replace(grant, authorization_details=details)
    signed, token = issue_access_token(
        tx, shown, applicant, ruling.scopes, deps=deps, proof=request.proof
    )
    note_client_use(tx, request.known_client, now=now)
    refresh_token = issue_refresh_token(tx, grant, request.known_client, deps=deps, now=now)
    tx.record(kind.event(Redemption(request=request, grant=grant, token=token, ruling=ruling)))
    return IssuedTokens.from_token(signed, token, refresh_token=refresh_token)
