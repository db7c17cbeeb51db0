"""A request is granted: the grant, its code, the consent that is remembered and the events, at once.

What waits for the person about calls of this client, and what they allowed of them, moves to the new grant: a
client that was sent here to have its person step up comes back with another token than the one it was refused with.

The request is answered in the same transaction, so that two answers to one request
make one code. The code lives 60 seconds unless the repository says less, is bound to
client, redirect URI and challenge, and only its digest is kept.

Source: O21 §4.1.2; RFC 9396 §5, §7; RFC 6749 §10.10; AS-17, AS-29.
"""

from dataclasses import dataclass

from starlette.responses import Response

from remit.audit.events import AuthorizationCodeIssued, ConsentGranted
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.guard.issuance import Ruling
from remit.ids import GrantId, ScopeName, digest, new_id, new_secret
from remit.oauth import credential_store, grant_store, request_store
from remit.oauth.authorization_response import code_response
from remit.oauth.deps import OAuthDeps
from remit.oauth.elevation_grant import move_elevation_grants
from remit.oauth.grant import AuthorizationCode, Grant, GrantKind
from remit.oauth.grant_revocation import about_grant
from remit.oauth.guardrail_alert import record_alerts
from remit.oauth.pending_request import NotWaitingError
from remit.oauth.request_store import Consent
from remit.oauth.stepping_up import record_stepped_up
from remit.oauth.waiting_request import Person, Waiting
from remit.tokens import resource_of
from remit.tokens.authorization_details import details_json

__all__ = ["Assent", "issue_code"]

_CODE_PREFIX = "rmt_ac_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assent:
    """Who granted which scopes. `shown_digest` is `None` where an earlier consent still holds."""

    person: Person
    scopes: tuple[ScopeName, ...]
    shown_digest: str | None
    ruling: Ruling
    """What of the request could be had, whatever was then ticked."""


async def issue_code(deps: OAuthDeps, waiting: Waiting, assent: Assent) -> Response:
    """Grant `waiting` as `assent` says, and redirect to the client with a code.

    Raises:
        NotWaitingError: it was answered in the meantime.
    """
    code, now = new_secret(_CODE_PREFIX), deps.clock.now()
    grant = _grant(deps, waiting, assent, now=now)

    def commit(tx: Transaction) -> None:
        if not request_store.finish_request(tx, waiting.pending.digest, now=now):
            raise NotWaitingError
        grant_store.add_grant(tx, grant)
        # What its person was asked about the client's calls is asked, and was allowed, in the name of this grant.
        move_elevation_grants(tx, grant, at=now)
        deps.step_ups.rebind(tx, grant)
        credential_store.add_authorization_code(tx, _code(deps, waiting, grant, code=code))
        known = about_grant(assent.person.context, grant)
        record_stepped_up(
            tx, waiting, assent.person.session, context=known, resource=grant.resource
        )
        if assent.shown_digest is not None:
            if not grant.authorization_details:
                # With details it was for these words alone, and not for the scopes without them.
                request_store.remember_consent(tx, _consent(waiting, grant, assent))
            tx.record(
                ConsentGranted(
                    context=known,
                    resource=grant.resource,
                    requested=waiting.request.scopes,
                    granted=grant.scopes,
                    shown_digest=assent.shown_digest,
                    authorization_details=grant.authorization_details,
                    withheld=assent.ruling.cut,
                )
            )
        tx.record(
            AuthorizationCodeIssued(
                context=known,
                resource=grant.resource,
                scopes=grant.scopes,
                withheld=assent.ruling.cut,
            )
        )
        record_alerts(tx, assent.ruling, context=known, resource=grant.resource)

    await deps.database.run(commit)
    return code_response(deps, code, waiting.requester)


def _grant(deps: OAuthDeps, waiting: Waiting, assent: Assent, *, now: EpochSeconds) -> Grant:
    agent, session = waiting.requester.agent, assent.person.session
    lifetime = deps.directory.catalog.issuer.grant_lifetime
    return Grant(
        id=GrantId(new_id("grt")),
        kind=GrantKind.USER,
        user_id=assent.person.user.id,
        client_id=waiting.requester.client.client_id,
        agent_id=agent.id,
        tenant=assent.person.user.tenant,
        environment=waiting.request.server.environment,
        resource=resource_of(deps.public_url, waiting.request.server),
        scopes=assent.scopes,
        purpose=agent.purpose,
        auth_time=session.auth_time,
        acr=session.acr,
        amr=session.amr,
        created_at=now,
        last_used_at=now,
        expires_at=EpochSeconds(now + lifetime),
        authorization_details=details_json(waiting.request.details),
    )


def _code(deps: OAuthDeps, waiting: Waiting, grant: Grant, *, code: str) -> AuthorizationCode:
    lifetime = deps.directory.catalog.issuer.code_lifetime
    return AuthorizationCode(
        digest=digest(code),
        grant_id=grant.id,
        client_id=grant.client_id,
        redirect_uri=waiting.requester.back.redirect_uri,
        code_challenge=waiting.request.code_challenge,
        expires_at=EpochSeconds(grant.created_at + lifetime),
        jkt=waiting.request.dpop_jkt,
    )


def _consent(waiting: Waiting, grant: Grant, assent: Assent) -> Consent:
    return Consent(
        user_id=assent.person.user.id,
        client_id=grant.client_id,
        resource=grant.resource,
        scopes=grant.scopes,
        fingerprint=waiting.requester.client.consented,
        granted_at=grant.created_at,
    )
