"""Who calls, on which server, and within which limits: everything but what they call."""

from dataclasses import dataclass

from remit.guard.limits import ScopeLimits
from remit.model import Agent, Catalog, Sensitivity, Server
from remit.tokens.access_token import AccessToken

__all__ = ["Caller"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A verified token, with what the catalog says now of its agent and its server."""

    token: AccessToken
    agent: Agent
    server: Server
    catalog: Catalog
    limits: ScopeLimits

    @property
    def clearance(self) -> Sensitivity:
        """The most sensitive thing this caller may use: the token's word, or less if the agent's file says less."""
        return min(self.token.sensitivity, self.agent.max_sensitivity, key=lambda level: level.rank)
