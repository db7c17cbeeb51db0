"""A token of our own for a server behind that trusts Remit: the caller's remit there, and no more of it.

Made out of the token that a call came with, when the guard has permitted the call. For another
audience, so that it opens nothing here; with those of the declared scopes that the caller holds at
this time; for a minute at most and never longer than the caller's; not to be exchanged further. It names
the same person, agent and grant, and Remit as the one that acts now. It is not bound to the caller's
key, which Remit does not have. Its event is in the log before it leaves.

Refused: an audience that is a server of this Remit, and a caller who holds none of the scopes.

Source: RFC 8693 §1.1, §4.1; RFC 9068 §2.2; MCP 2026-07-28 authorization (token passthrough).
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Final

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import TokenIssued
from remit.clock import EpochSeconds
from remit.errors import Error
from remit.guard.limits import is_workload, scope_limits
from remit.guard.standing import agent_of
from remit.ids import AgentId, ClientId, ScopeName, new_id
from remit.model import Catalog, ExchangedCredential
from remit.oauth.client import GrantType
from remit.oauth.delegation import held_by_chain
from remit.oauth.deps import OAuthDeps
from remit.oauth.issued_tokens import claims_for_log
from remit.scopes import covers, fill_hierarchy
from remit.tokens import AccessToken, Delegate, jti_digest, mint

__all__ = ["ACTOR", "NoOnwardTokenError", "OnwardToken", "issue_onward_token"]

ACTOR: Final = AgentId("remit")
"""What Remit is called where it acts; no agent of a repository may have the name of the management API."""

_LONGEST = 60


class NoOnwardTokenError(Error):
    """There is no token for this caller there."""

    code: ClassVar[str] = "no_onward_token"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnwardToken:
    """A token, signed. `expires_at` is when it ends."""

    signed: str
    expires_at: EpochSeconds


async def issue_onward_token(
    deps: OAuthDeps, credential: ExchangedCredential, token: AccessToken
) -> OnwardToken:
    """A token for `credential.audience`, out of the verified `token` of the caller.

    Raises:
        NoOnwardTokenError: see the module.
        AuditUnavailableError: it is not recorded, so there is none.
        NoSigningKeyError: there is no key to sign with.
    """
    now, audience = deps.clock.now(), credential.audience
    own = deps.public_url
    if audience == own or audience.startswith(f"{own}/"):
        raise NoOnwardTokenError("the audience of the exchange is this Remit itself")
    scopes = _scopes(credential, token, deps.directory.catalog)
    expires_at = EpochSeconds(min(now + _LONGEST, token.exp))
    if not scopes or expires_at <= now:
        raise NoOnwardTokenError("the caller holds none of the scopes that the exchange allows")
    before = token.actors or (Delegate(token.agent_id, token.client_id),)
    onward = replace(
        token,
        iss=own,
        aud=audience,
        jti=new_id("at"),
        iat=now,
        exp=expires_at,
        scopes=scopes,
        jkt=None,
        actors=(Delegate(ACTOR, ClientId(own)), *before),
        may_act=(),
    )
    signed = mint(deps.keys, onward)
    await deps.audit.append(_event(onward, credential))
    return OnwardToken(signed=signed, expires_at=expires_at)


def _scopes(
    credential: ExchangedCredential, token: AccessToken, catalog: Catalog
) -> tuple[ScopeName, ...]:
    """What the caller holds now and the server may be shown: neither side is widened by the other."""
    agent = agent_of(token, catalog)
    if agent is None:
        return ()
    limits = scope_limits(token, agent, catalog)
    passed_on = held_by_chain(token, catalog)
    hierarchy = fill_hierarchy(catalog.hierarchy, limits.claims)
    allowed = [one for scope in credential.scopes for one in limits.required((scope,)) or ()]
    narrower = [
        held for held in limits.effective if any(covers(most, held, hierarchy) for most in allowed)
    ]
    found = [one for one in (*allowed, *narrower) if limits.holds(one) and passed_on(one)]
    return tuple(dict.fromkeys(found))


def _event(token: AccessToken, credential: ExchangedCredential) -> TokenIssued:
    return TokenIssued(
        context=Context(
            actor=Actor(ActorType.SYSTEM),
            tenant=token.organization_id,
            environment=token.environment,
            user_id=None if is_workload(token) else token.sub,
            agent_id=token.agent_id,
            client_id=token.client_id,
            grant_id=token.grant_id,
        ),
        grant_type=GrantType.TOKEN_EXCHANGE.value,
        jti_digest=jti_digest(token.jti),
        resource=token.aud,
        requested=credential.scopes,
        granted=token.scopes,
        expires=token.exp,
        claims=claims_for_log(token),
        authorization_details=token.authorization_details,
        parent_grant_id=token.grant_id,
        actors=tuple(one.agent_id for one in token.actors),
    )
