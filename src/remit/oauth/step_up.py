"""What the authorization server asks about calls that wait for a person, and what it tells of a new grant.

A client that was refused until its person steps up comes back with an ordinary authorization request, and most
forget to say why. So what was asked of whom is looked up here, and not taken from what the client says.

Source: RFC 9470 §3, §4; MCP 2026-07-28 authorization (step-up); docs/adr/0025-cures.md.
"""

from dataclasses import dataclass
from typing import Protocol

from remit.clock import Seconds
from remit.db import Transaction
from remit.ids import ClientId, ScopeName, UserId
from remit.oauth.grant import Grant

__all__ = ["NO_STEP_UPS", "NoStepUps", "StepUps", "WaitingRequest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRequest:
    """A call that waits for its own person. `url` is their page for it, on this origin."""

    id: str
    url: str
    acr: str | None = None
    """How strongly they have to be logged in; `None` for any way."""
    max_age: Seconds | None = None
    """How long ago they may have logged in at most."""
    scopes: tuple[ScopeName, ...] = ()
    """The elevated scopes that it would be given."""


class StepUps(Protocol):
    """What `approvals` is to the authorization server."""

    async def waiting_for(
        self, client_id: ClientId, user_id: UserId, resource: str
    ) -> WaitingRequest | None:
        """The oldest request that this person themselves can answer and has not; `None` for none.

        Only about a call of theirs, by that client, at the server of that resource indicator. One that waits
        for others alone is none.

        Raises:
            UnavailableError: it cannot be told.
        """
        ...

    def rebind(self, tx: Transaction, grant: Grant) -> None:
        """Let what waits, and what was allowed and not yet spent, count for `grant` from now on.

        Only what is of the same client, person, agent, tenant, environment and resource. Called in the
        transaction in which `grant` comes into being; the elevations among `grants` have moved already.
        """
        ...


class NoStepUps:
    """Where no call waits for anybody."""

    async def waiting_for(
        self, client_id: ClientId, user_id: UserId, resource: str
    ) -> WaitingRequest | None:
        """Nothing."""
        return None

    def rebind(self, tx: Transaction, grant: Grant) -> None:
        """Nothing to do."""


NO_STEP_UPS: StepUps = NoStepUps()
