"""Whether a good token is still backed: by its grant, its agent, its user, its client.

Refuses a token that was revoked, whose grant was revoked, whose agent is suspended
or no longer declared, whose user or client is disabled, whose tenant is gone, or
that holds more scopes than a token may. What holds for the agent and its client holds
for each of those on whose behalf it acts: a chain is as good as its weakest link.

Source: MISSION A13, E2, G2; RFC 7009 §2; RFC 8693 §4.1.
"""

from remit.clock import EpochSeconds, Seconds
from remit.guard.ports import Standing
from remit.ids import AgentId, UserId
from remit.model import Agent, Catalog
from remit.tokens.access_token import AccessToken

__all__ = ["agent_of", "is_backed", "is_fresh"]

_SKEW = 2


def is_fresh(standing: Standing, now: EpochSeconds, max_age: Seconds) -> bool:
    """Whether the snapshot is recent enough to say who is not revoked.

    One from the future is not: the clock was set back, and its age cannot be told.
    """
    return -_SKEW <= now - standing.as_of <= max_age


def is_backed(token: AccessToken, standing: Standing, catalog: Catalog) -> bool:
    """Whether everything the token rests on still stands."""
    return not (
        token.grant_id in standing.revoked_grants
        or token.jti in standing.revoked_tokens
        or token.agent_id in standing.suspended_agents
        or UserId(token.sub) in standing.disabled_users
        or token.client_id in standing.disabled_clients
        or (
            token.actors
            and any(
                actor.agent_id in standing.suspended_agents
                or actor.client_id in standing.disabled_clients
                or _declared(actor.agent_id, catalog) is None
                for actor in token.actors
            )
        )
        or token.organization_id not in catalog.tenants
        or len(token.scopes) > catalog.guardrails.max_scopes_per_token
    )


def agent_of(token: AccessToken, catalog: Catalog) -> Agent | None:
    """The agent as it is declared now; `None` when it is declared no more."""
    return _declared(token.agent_id, catalog)


def _declared(agent_id: AgentId, catalog: Catalog) -> Agent | None:
    if agent_id == catalog.unregistered.id:
        return catalog.unregistered
    return catalog.agents.get(agent_id)
