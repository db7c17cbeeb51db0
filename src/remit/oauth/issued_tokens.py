"""What the token endpoint hands out: one access token, perhaps a refresh token, and what the log keeps.

An access token is signed inside the transaction that records it, so that a token
exists exactly when its event does and what it descends from was spent. It leaves
the process only after the commit. It never outlives its grant.

Source: RFC 9068 §2.2; O21 §3.2.3, §4.3.1; RFC 6749 §5.1; RFC 8693 §2.2.1, §4; RFC 9396 §7; RFC 9449 §5.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from remit.canonical import Json, JsonObject
from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction
from remit.guard.issuance import Applicant
from remit.guard.temporary_access import TemporaryAccess, scopes_of
from remit.ids import ScopeName, digest, new_id, new_secret
from remit.oauth import credential_store
from remit.oauth.client import Client, GrantType
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidGrantError
from remit.oauth.grant import Grant, RefreshToken
from remit.oauth.grant_holder import server_of
from remit.oauth.proof_of_possession import spend_proof
from remit.oauth.temporary_access import rests_on
from remit.tokens import AccessToken, mint
from remit.tokens.dpop import Proof

__all__ = ["IssuedTokens", "claims_for_log", "issue_access_token", "issue_refresh_token"]

_REFRESH_PREFIX = "rmt_rt_"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedTokens:
    """The answer of the token endpoint (RFC 6749 §5.1)."""

    access_token: str
    expires_in: Seconds
    scopes: tuple[ScopeName, ...]
    refresh_token: str | None
    token_type: str = "Bearer"  # noqa: S105  a type
    authorization_details: tuple[JsonObject, ...] = ()
    issued_token_type: str | None = None
    """Of an exchange alone (RFC 8693 §2.2.1)."""

    @classmethod
    def from_token(
        cls, signed: str, token: AccessToken, *, refresh_token: str | None
    ) -> "IssuedTokens":
        """The answer that hands out `token` in its signed form."""
        return cls(
            access_token=signed,
            expires_in=Seconds(token.exp - token.iat),
            scopes=token.scopes,
            refresh_token=refresh_token,
            token_type=token.token_type,
            authorization_details=token.authorization_details,
        )

    def parameters(self) -> dict[str, Json]:
        """The members of the JSON answer. `scope` is always there (AS-22)."""
        members: dict[str, Json] = {
            "access_token": self.access_token,
            "token_type": self.token_type,
            "expires_in": int(self.expires_in),
            "scope": " ".join(self.scopes),
        }
        if self.refresh_token is not None:
            members["refresh_token"] = self.refresh_token
        if self.authorization_details:
            members["authorization_details"] = list(self.authorization_details)
        if self.issued_token_type is not None:
            members["issued_token_type"] = self.issued_token_type
        return members


def issue_access_token(
    tx: Transaction,
    grant: Grant,
    applicant: Applicant,
    scopes: tuple[ScopeName, ...],
    *,
    deps: OAuthDeps,
    proof: Proof | None,
) -> tuple[str, AccessToken]:
    """A signed access token from `grant` for `scopes`, bound to the key of `proof` if there is one, and what it says.

    `grant` is what the token shows of it: whoever narrows a token passes a narrower copy. The
    proof is used up.

    Raises:
        InvalidDpopProofError: it was used before.
        InvalidGrantError: what somebody had for a while ended before it could rest on it.
    """
    now, catalog = deps.clock.now(), deps.directory.catalog
    spend_proof(tx, proof, now=now)
    subject = applicant.subject
    resting = _resting(applicant, scopes, grant, deps)
    latest = min([grant.expires_at, *(one.until for one in resting)])
    token = AccessToken(
        iss=deps.public_url,
        sub=subject.id,
        aud=grant.resource,
        client_id=grant.client_id,
        jti=new_id("at"),
        iat=now,
        exp=EpochSeconds(min(now + catalog.issuer.access_token_lifetime, latest)),
        scopes=scopes,
        grant_id=grant.id,
        agent_id=grant.agent_id,
        organization_id=subject.tenant,
        environment=grant.environment,
        sensitivity=applicant.agent.max_sensitivity,
        roles=subject.roles,
        attributes=subject.attributes,
        purpose=grant.purpose,
        auth_time=grant.auth_time,
        acr=grant.acr,
        amr=grant.amr,
        jkt=None if proof is None else proof.jkt,
        actors=grant.actors,
        may_act=applicant.agent.delegates,
        authorization_details=grant.authorization_details,
        temporary=scopes_of(resting),
    )
    if resting:
        resting_ids = [one.id for one in resting]
        if not deps.temporary.note(
            tx, resting_ids, jti=token.jti, grant_id=grant.id, expires_at=token.exp
        ):
            raise InvalidGrantError("what the token would rest on has just ended; ask again")
    return mint(deps.keys, token), token


def _resting(
    applicant: Applicant, scopes: tuple[ScopeName, ...], grant: Grant, deps: OAuthDeps
) -> tuple[TemporaryAccess, ...]:
    """What the token ends with besides its grant."""
    if not applicant.temporary:
        return ()
    return rests_on(applicant, scopes, server_of(grant, deps), deps.directory.catalog)


def issue_refresh_token(
    tx: Transaction, grant: Grant, client: Client, *, deps: OAuthDeps, now: EpochSeconds
) -> str | None:
    """The next refresh token of the grant's family; `None` for a client that did not register for any.

    It dies of idleness, or with its grant, whichever comes first.
    """
    if not client.may_use(GrantType.REFRESH_TOKEN):
        return None
    idle = deps.directory.catalog.issuer.refresh_token_idle
    secret = new_secret(_REFRESH_PREFIX)
    credential_store.add_refresh_token(
        tx,
        RefreshToken(
            digest=digest(secret),
            grant_id=grant.id,
            issued_at=now,
            expires_at=EpochSeconds(min(now + idle, grant.expires_at)),
        ),
    )
    return secret


def claims_for_log(token: AccessToken) -> Mapping[str, Json]:
    """The claims that decisions will rest on, as the log keeps them: ASCII keys, no secret."""
    return {
        "sub": token.sub,
        "organization_id": token.organization_id,
        "environment": token.environment,
        "agent_id": token.agent_id,
        "sensitivity": token.sensitivity.value,
        "roles": list(token.roles),
        "attributes": {
            name: value for name, value in sorted(token.attributes.items()) if name.isascii()
        },
        "auth_time": token.auth_time,
        "acr": token.acr,
        "amr": list(token.amr),
    }
