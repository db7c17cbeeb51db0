"""What the gateway needs from the rest of Remit, written beside their caller."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from remit.audit.port import Receipt
from remit.clock import Clock
from remit.gateway.definitions import DefinitionWatch
from remit.gateway.sealed import new_seal_key
from remit.gateway.settings import GatewaySettings
from remit.gateway.upstream.roster import Upstreams
from remit.guard.call import Call, CallResult
from remit.guard.outcome import Challenge, Deny, Permit
from remit.guard.ports import Directory
from remit.guard.visible import Visible
from remit.tokens.access_token import AccessToken

__all__ = ["Answers", "Enforcement", "GatewayDeps", "HandleKeys"]


class Enforcement(Protocol):
    """The guard, as a door uses it. Every refusal it returns has been recorded."""

    async def authenticate(
        self, call: Call, *, counted: bool = False
    ) -> AccessToken | Challenge | Deny:
        """Who calls; for what uses nothing of a server. `counted`: against their limits all the same."""
        ...

    def backs(self, token: AccessToken) -> bool:
        """Whether everything that `token` rests on still stands, whatever the time."""
        ...

    async def decide(self, call: Call) -> Permit | Challenge | Deny:
        """Whether this very call may happen; recorded when this returns."""
        ...

    async def visible(self, call: Call) -> Visible | Challenge | Deny:
        """What may stand in a list."""
        ...

    async def complete(self, permit: Permit, call: Call, *, result: CallResult) -> Receipt | None:
        """Record what became of a permitted call; where the record stands, if that is known.

        Raises:
            AuditUnavailableError: it is not recorded.
        """
        ...


class Answers(Protocol):
    """What `approvals` is to whoever waits here for people."""

    async def answered(self, requests: frozenset[str]) -> frozenset[str]:
        """Those of `requests` that wait no longer: approved, refused, expired, withdrawn, or unknown.

        Raises:
            UnavailableError: it cannot be told at present.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HandleKeys:
    """Under what the gateway seals what clients keep for it: 32 bytes each.

    Those of one installation outlive a restart and are shared by its processes; left to
    themselves they end with the process.
    """

    tasks: bytes = field(default_factory=new_seal_key, repr=False)
    states: bytes = field(default_factory=new_seal_key, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayDeps:
    """What `app` hands to the gateway. `issuer` is the authorization server's identifier.

    `definitions` keeps account of what servers offer; without it nothing is pinned.
    """

    guard: Enforcement
    directory: Directory
    upstreams: Upstreams
    settings: GatewaySettings
    clock: Clock
    issuer: str
    keys: HandleKeys = field(default_factory=HandleKeys)
    authorization_extensions: Callable[[], tuple[str, ...]] = tuple
    """The extensions on authorization that the authorization server supports at present."""
    definitions: DefinitionWatch | None = None
    answers: Answers | None = None
    """Who is asked whether people have answered; without it nobody waits for that here."""
