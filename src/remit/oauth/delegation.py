"""Who may act with a token that was issued to somebody else, and how long the chain may get.

An agent may narrow its own token. Another agent may act with it only if the token names
that agent (`may_act`) and the repository still says so; and only if it proves to be that
agent, by authenticating its client or by a token of its own. The chain of actors names
everybody since the agent the token was first issued to, the one that acts now first. Each of
them let the next act, and has to let it still; what one may hold no longer, none passes on.

Refuses a client that is no registered agent, an agent that was not named, an actor token
of somebody else, a chain of which a link is gone, and one longer than the guardrail allows.

Source: RFC 8693 §1.1, §2.1, §4.1, §4.4; MISSION B8.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from remit.guard.issuance import Guardrail, Ruling, Violation
from remit.guard.limits import scope_limits
from remit.ids import ScopeName
from remit.model import Agent, Catalog
from remit.oauth.client import Client
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidRequestError, UnauthorizedClientError
from remit.oauth.grant_holder import agent_of
from remit.oauth.refusal import TokenRefusalError
from remit.oauth.token_request import TokenRequest
from remit.tokens import AccessToken, Delegate

__all__ = ["Acting", "acting_party", "chain_of", "held_by_chain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """The client that asks and the agent it is; `proved` says it is not merely a name anybody could give."""

    client: Client
    agent: Agent
    proved: bool

    @property
    def delegate(self) -> Delegate:
        return Delegate(self.agent.id, self.client.client_id)


def acting_party(deps: OAuthDeps, request: TokenRequest, actor_token: AccessToken | None) -> Acting:
    """Who wants to act. `actor_token` is verified, and its key proved.

    Raises:
        UnauthorizedClientError: the client is no agent.
        InvalidRequestError: the actor token is another's.
    """
    client = request.known_client
    agent = agent_of(client, deps)
    if agent is None:
        raise UnauthorizedClientError("the client is no agent")
    if actor_token is not None and (actor_token.agent_id, actor_token.client_id) != (
        agent.id,
        client.client_id,
    ):
        raise InvalidRequestError("the actor token was issued to another client")
    return Acting(
        client=client, agent=agent, proved=client.is_confidential or actor_token is not None
    )


def chain_of(
    deps: OAuthDeps, request: TokenRequest, token: AccessToken, acting: Acting
) -> tuple[Delegate, ...]:
    """The actors of what `token` is exchanged for.

    Raises:
        InvalidRequestError: `acting` may not act with it, or who acted before may no longer.
        TokenRefusalError: the chain would get too long.
    """
    _require_links(deps, token)
    if (token.agent_id, token.client_id) == (acting.agent.id, acting.client.client_id):
        return token.actors
    _require_named(deps, token, acting)
    before = token.actors or (Delegate(token.agent_id, token.client_id),)
    chain = (acting.delegate, *before)
    most = deps.directory.catalog.guardrails.max_delegation_depth
    if len(chain) > most:
        words = f"a token may name {most} actors at most"
        violation = Violation(Guardrail.DELEGATION_DEPTH, words)
        raise TokenRefusalError(
            InvalidRequestError(words),
            context=request.context,
            ruling=Ruling(refusal=words, violations=(violation,)),
        )
    return chain


def held_by_chain(token: AccessToken, catalog: Catalog) -> Callable[[ScopeName], bool]:
    """Whether a scope may be had still by each of those behind `token`, as they are declared now."""
    chain = tuple(
        scope_limits(replace(token, agent_id=actor.agent_id), agent, catalog)
        for actor in token.actors
        if (agent := catalog.agents.get(actor.agent_id)) is not None
    )
    # One who is not declared any more may have nothing.
    complete = len(chain) == len(token.actors)
    return lambda scope: complete and all(limits.may_obtain(scope) for limits in chain)


def _require_links(deps: OAuthDeps, token: AccessToken) -> None:
    agents = deps.directory.catalog.agents
    for actor, source in pairwise(one.agent_id for one in token.actors):
        declared = agents.get(source)
        if declared is None or actor not in declared.delegates:
            raise InvalidRequestError("an agent behind the token may no longer act for another")


def _require_named(deps: OAuthDeps, token: AccessToken, acting: Acting) -> None:
    catalog = deps.directory.catalog
    source = catalog.agents.get(token.agent_id)
    named = (
        source is not None
        and acting.agent.id in token.may_act
        # What was taken out of the repository meanwhile is not waited out.
        and acting.agent.id in source.delegates
        # Anybody can be the agent that nobody registered.
        and acting.agent.id != catalog.unregistered.id
    )
    if not named:
        raise InvalidRequestError("the subject token does not let this agent act")
    if not acting.proved:
        raise InvalidRequestError("an agent that acts for another proves who it is: authenticate")
