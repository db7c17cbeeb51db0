"""On whose behalf something is held open here: a session, a task, a subscription, what was asked.

Whatever a caller left behind is found again by the same principal alone: user, client and grant.
It never proves who calls; every request brings its own token.

Source: MCP security best practices (session hijacking, state handles).
"""

from dataclasses import dataclass

from remit.canonical import Json
from remit.ids import ClientId, GrantId
from remit.tokens.access_token import AccessToken

__all__ = ["Principal"]


@dataclass(frozen=True, slots=True)
class Principal:
    """On whose behalf a session was opened."""

    tenant: str
    sub: str
    client_id: ClientId
    grant_id: GrantId

    @classmethod
    def of(cls, token: AccessToken) -> "Principal":
        """Who acts with `token`."""
        return cls(token.organization_id, token.sub, token.client_id, token.grant_id)

    def claims(self) -> Json:
        """This principal as it stands in what is sealed for it."""
        return [self.tenant, self.sub, str(self.client_id), str(self.grant_id)]

    @property
    def person(self) -> tuple[str, str]:
        """Who it is, whatever they use."""
        return self.tenant, self.sub
