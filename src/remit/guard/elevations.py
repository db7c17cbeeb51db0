"""What people allowed beyond what policies allow by themselves: how the guard asks for it, finds it, and spends it.

The guard asks only about calls that policies refuse and that something would cure. Refused when it cannot be
known: an elevation that may have been spent is spent.

Source: docs/adr/0025-cures.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol

from remit.canonical import JsonObject
from remit.clock import EpochSeconds
from remit.errors import UnavailableError
from remit.guard.definitions import ThingKey
from remit.ids import ScopeName
from remit.policy.evaluation import ArgumentValue
from remit.policy.obligation import Obligation
from remit.tokens.access_token import AccessToken

__all__ = ["Asked", "AskedState", "Elevated", "Elevations", "ElevationsUnavailableError", "Wanted"]


class ElevationsUnavailableError(UnavailableError):
    """Whether people allowed it cannot be told at present, so that it counts as not allowed."""

    code: ClassVar[str] = "elevations_unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One call, as exactly as it has to come again. Everything but `arguments` and `justification` is verified."""

    token: AccessToken
    thing: ThingKey
    definition: str | None
    """The digest of the definition that was admitted; `None` where none is pinned."""
    arguments: JsonObject
    typed: Mapping[str, ArgumentValue]
    """The arguments that the catalog declares."""
    needs: tuple[Obligation, ...]
    justification: str | None
    decision_id: str
    at: EpochSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Elevated:
    """What people said yes to, not yet spent. The facts of it are what policies are told."""

    id: str
    grant_id: str
    """The elevation as a grant, below the caller's own."""
    roles: tuple[str, ...] = ()
    """The roles in whose name it was approved."""
    acr: str | None = None
    confirmed_at: EpochSeconds | None = None
    scopes: tuple[ScopeName, ...] = ()


class AskedState(StrEnum):
    """How far a request to people is."""

    WAITING = "waiting"
    REFUSED = "refused"
    """Somebody said no; the same call is not asked about again until the request would have expired."""
    EXHAUSTED = "exhausted"
    """It was asked too often without anything having happened: no way is named any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request to people, new or not. `url` is the page for the person whom the agent acts for."""

    id: str
    state: AskedState
    url: str
    expires_at: EpochSeconds
    alone: bool
    """Whether the person can meet all that is needed by themselves."""
    reason: str = ""
    """Why it was refused, in the words of whoever refused it."""


class Elevations(Protocol):
    """What `approvals` is to the guard."""

    async def found(self, wanted: Wanted) -> Elevated | None:
        """The elevation for this very call that can still be spent; `None` for none.

        Raises:
            ElevationsUnavailableError: it cannot be told.
        """
        ...

    async def spend(self, elevated: Elevated, wanted: Wanted) -> bool:
        """Spend it for this decision; whether this was the one that could. Recorded in the same step.

        Raises:
            ElevationsUnavailableError: it may be spent, and is not to be relied upon.
        """
        ...

    async def give_back(self, elevated: Elevated, wanted: Wanted) -> None:
        """Let it be spent once more, by the retry that the server asked for. Never raises."""
        ...

    async def ask(self, wanted: Wanted) -> Asked | None:
        """The request for this very call, made if there is none; `None` where nobody could meet the needs.

        Raises:
            ElevationsUnavailableError: nobody can be asked at present.
        """
        ...
