"""What the log keeps of a token: who acts, and the claims a policy may have used.

Attributes by name: their values are personal data. Of the `jti` its digest.

Source: AUDIT §1.2; `audit.events.Decided`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from remit.audit.context import Actor, ActorType, Context, authenticated, chain_of
from remit.canonical import Json, JsonObject
from remit.guard.limits import is_workload
from remit.tokens.access_token import AccessToken
from remit.tokens.audience import jti_digest

__all__ = ["TokenRecord", "record_of_token"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRecord:
    """The part of each record that follows from the token alone."""

    token: AccessToken
    actor: Actor
    user_id: str | None
    jti_digest: str
    claims: Mapping[str, Json]
    auth: Mapping[str, Json] | None = None
    act: tuple[Mapping[str, Json], ...] = ()

    def context(self, context: Context) -> Context:
        """The door's circumstances, and who the token says acts. Spelt out: `replace` takes three times as long."""
        token = self.token
        return Context(
            actor=self.actor,
            tenant=token.organization_id,
            environment=token.environment,
            user_id=self.user_id,
            agent_id=token.agent_id,
            client_id=token.client_id,
            grant_id=token.grant_id,
            flow_id=context.flow_id,
            network=context.network,
            trace=context.trace,
            auth=self.auth,
            act=self.act,
            caused_by=context.caused_by,
        )


def record_of_token(token: AccessToken) -> TokenRecord:
    """What is kept of `token`, which is verified."""
    return TokenRecord(
        token=token,
        actor=Actor(ActorType.AGENT, token.agent_id),
        user_id=None if is_workload(token) else token.sub,
        jti_digest=jti_digest(token.jti),
        claims=_claims(token),
        auth=None if token.acr is None else authenticated(token.acr, token.amr, token.auth_time),
        act=chain_of((one.agent_id, one.client_id) for one in token.actors),
    )


def _claims(token: AccessToken) -> JsonObject:
    claims: JsonObject = {
        "roles": list(token.roles),
        "attributes": [*sorted(token.attributes)],
        "purpose": token.purpose,
        "sensitivity": token.sensitivity.value,
        "amr": list(token.amr),
    }
    if token.acr is not None:
        claims["acr"] = token.acr
    if token.auth_time is not None:
        claims["auth_time"] = token.auth_time
    if token.authorization_details:
        claims["details"] = len(token.authorization_details)
    if token.temporary:
        claims["temporary"] = list(token.temporary)
    if token.actors:
        claims["actors"] = [[one.agent_id, one.client_id] for one in token.actors]
    return claims
