"""Who calls, and that they may speak with the server at all.

Refuses, in this order: what `presented_token` refuses; a standing too old to rely on; a token no longer backed; a server
that the catalog has not; an agent or a server outside the token's tenant and environment; a token without a key, where
one is asked for.

An agent that another bundle is on trial for is held against that one, whole: here, and when it is asked whether a
token is still backed.

Source: MISSION B6, E2; RFC 6750 §3.1; docs/reference/refusals.md.
"""

from dataclasses import replace

from remit.guard.acquaintance import Acquaintance
from remit.guard.call import Call
from remit.guard.caller import Caller
from remit.guard.footing import Footing
from remit.guard.outcome import RefusalReason
from remit.guard.ports import Directory
from remit.guard.presented_token import PresentedTokens
from remit.guard.refusal import Refusal, hidden_server, no_longer_good, refused, stale
from remit.guard.settings import GuardSettings
from remit.guard.standing import agent_of, is_backed, is_fresh
from remit.guard.world import World
from remit.policy.decision_point import DecisionPoint
from remit.tokens.access_token import AccessToken
from remit.tokens.verify import TokenVerifier

__all__ = ["Authentication"]


class Authentication:
    """Tells callers, and remembers what was worked out about them."""

    __slots__ = (
        "_acquaintance",
        "_decisions",
        "_presented",
        "_settings",
        "_trial",
        "_tried",
        "_world",
    )

    def __init__(
        self, verifier: TokenVerifier, *, decisions: DecisionPoint, settings: GuardSettings
    ) -> None:
        self._acquaintance = Acquaintance()
        self._tried = Acquaintance()
        self._decisions = decisions
        self._presented = PresentedTokens(verifier, settings)
        self._settings = settings
        self._trial = settings.trial
        self._world: World | None = None

    def acquaintance(self, caller: Caller) -> Acquaintance:
        """What was worked out before in the caller's own world."""
        return self._tried if caller.world.on_trial else self._acquaintance

    def backs(self, token: AccessToken, directory: Directory) -> bool:
        """Whether everything that `token` rests on still stands, in the world that decides its agent's calls."""
        trial = self._trial(token.agent_id)
        catalog = directory.catalog if trial is None else trial.catalog
        return agent_of(token, catalog) is not None and is_backed(
            token, directory.standing, catalog
        )

    def caller(self, call: Call, footing: Footing) -> Caller | Refusal:
        """Who calls, on `footing`."""
        token = self._presented.token(call, footing.catalog)
        if isinstance(token, Refusal):
            return token
        if not is_fresh(footing.standing, footing.now, self._settings.standing_max_age):
            return stale(token)
        world = self._trial(token.agent_id) or self._in_force(footing)
        caller = self._admitted(call, token, footing=footing, world=world)
        return replace(caller, world=world) if isinstance(caller, Refusal) else caller

    def _admitted(
        self, call: Call, token: AccessToken, *, footing: Footing, world: World
    ) -> Caller | Refusal:
        """Whether the agent of `token` may speak with the server at all, as `world` has it."""
        catalog = world.catalog
        agent = agent_of(token, catalog)
        if agent is None or not is_backed(token, footing.standing, catalog):
            return no_longer_good(token)
        server = catalog.server_named(call.server)
        if server is None:
            return hidden_server(RefusalReason.NOT_FOUND, token)
        tenant = token.organization_id
        if tenant not in agent.tenants or server.tenant not in {None, tenant}:
            return hidden_server(RefusalReason.WRONG_TENANT, token)
        if server.environment not in agent.environments or server.environment != token.environment:
            return hidden_server(RefusalReason.WRONG_ENVIRONMENT, token)
        if token.jkt is None and (server.dpop_required or agent.dpop_required):
            detail = "only a token that is bound to a key is good here"
            unbound = refused(RefusalReason.INVALID_TOKEN, detail, token=token)
            return replace(unbound, dpop=True)
        known = self._tried if world.on_trial else self._acquaintance
        return known.caller(token, agent, server=server, world=world)

    def _in_force(self, footing: Footing) -> World:
        """What decides whoever nothing is on trial for; made anew when either half of it is another."""
        world, decisions = self._world, self._decisions.in_force
        if (
            world is None
            or world.catalog is not footing.catalog
            or world.decisions is not decisions
        ):
            world = self._world = World(footing.catalog, decisions)
        return world
