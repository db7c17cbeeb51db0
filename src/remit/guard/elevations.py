"""What people allowed beyond what policies allow by themselves: how the guard asks for it, finds it, and spends it.

The guard asks only about calls that policies refuse and that something would cure. Refused when it cannot be
known: an elevation that may have been spent is spent.

Source: docs/adr/0025-cures.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from remit.canonical import JsonObject
from remit.clock import EpochSeconds
from remit.errors import UnavailableError
from remit.guard.call import Call
from remit.guard.definitions import ThingKey
from remit.ids import ScopeName
from remit.policy.evaluation import ArgumentValue, Elevation, Evaluation, ResourceKind
from remit.policy.obligation import Obligation
from remit.policy.vocabulary import URI_ARGUMENT
from remit.tokens.access_token import AccessToken

__all__ = [
    "NO_ELEVATIONS",
    "Asked",
    "AskedState",
    "Elevated",
    "Elevations",
    "ElevationsUnavailableError",
    "NoElevations",
    "Recorded",
    "Wanted",
    "elevated_in",
    "elevating",
    "elevation_json",
    "wanted_of",
]


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
    """What is wanting still, `held` counted in."""
    justification: str | None
    decision_id: str
    at: EpochSeconds
    earlier: str | None = None
    """The decision about this call when it came before, and its server asked something first: what was spent for
    that one may be spent for this."""
    task_of: str | None = None
    """The decision under which the task began that this is a use of: what was spent for that one holds."""
    held: "Elevated | None" = None
    """What was found for it, and does not suffice: what is asked for now comes on top."""
    authorization: tuple[str, ...] = field(default=(), repr=False)
    """As it came, for a guard that has to show elsewhere who calls. Never kept, and no part of which call it is."""


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
        """Spend it for `wanted.decision_id`; whether this was the one that could. Recorded in the same step.

        Of what was spent already: by the retry of that very decision, once, and by no other.

        Raises:
            ElevationsUnavailableError: it may be spent, and is not to be relied upon.
        """
        ...

    async def ask(self, wanted: Wanted) -> Asked | None:
        """The request for this very call, made if there is none; `None` where nobody could meet the needs.

        Raises:
            ElevationsUnavailableError: nobody can be asked at present.
        """
        ...


class NoElevations:
    """Where nobody is asked, and nothing was allowed beyond what policies allow by themselves."""

    async def found(self, wanted: Wanted) -> Elevated | None:
        """Nothing."""
        return None

    async def spend(self, elevated: Elevated, wanted: Wanted) -> bool:
        """Nothing can be."""
        return False

    async def ask(self, wanted: Wanted) -> Asked | None:
        """Nobody."""
        return None


NO_ELEVATIONS: Elevations = NoElevations()


@dataclass(slots=True)
class Recorded(NoElevations):
    """What was found when a call was decided, for deciding it again. Nothing is spent, and nobody asked."""

    elevated: Elevated | None = None

    async def found(self, wanted: Wanted) -> Elevated | None:
        """What the record says."""
        return self.elevated


def wanted_of(
    call: Call,
    asked: Evaluation,
    needs: tuple[Obligation, ...],
    *,
    token: AccessToken,
    digests: Mapping[ThingKey, str],
    decision_id: str,
) -> Wanted:
    """`call`, as exactly as it has to come again."""
    thing = (asked.resource.server, asked.resource.kind, asked.resource.name)
    return Wanted(
        token=token,
        thing=thing,
        definition=digests.get(thing),
        arguments=_given(call),
        typed=asked.context.arguments or {},
        needs=needs,
        justification=call.justification,
        decision_id=decision_id,
        at=asked.context.now,
        earlier=None if call.earlier is None else call.earlier.decision_id,
        task_of=call.task_of,
        authorization=call.authorization,
    )


def _given(call: Call) -> JsonObject:
    """All that tells one call of a thing from another: a template has many resources."""
    if call.kind is ResourceKind.RESOURCE:
        return {URI_ARGUMENT.name: call.name}
    return call.arguments or {}


def elevating(asked: Evaluation, elevated: Elevated) -> Evaluation:
    """The same question, with what people said of the call."""
    facts = Elevation(
        roles=elevated.roles,
        acr=elevated.acr,
        confirmed_at=elevated.confirmed_at,
        scopes=elevated.scopes,
    )
    return replace(asked, context=replace(asked.context, elevation=facts))


def elevation_json(elevated: Elevated) -> JsonObject:
    """What the record of a decision says of it."""
    return {
        "id": elevated.id,
        "roles": list(elevated.roles),
        "acr": elevated.acr,
        "confirmed_at": elevated.confirmed_at,
        "scopes": list(elevated.scopes),
    }


def elevated_in(recorded: Mapping[str, Any]) -> Elevated | None:
    """What the record of a decision says of it, as it was found; `None` where it rested on nothing.

    Raises:
        KeyError, TypeError, ValueError: it is no record that this version reads.
    """
    if not recorded:
        return None
    confirmed = recorded["confirmed_at"]
    return Elevated(
        id=str(recorded["id"]),
        grant_id="",
        roles=tuple(map(str, recorded["roles"])),
        acr=None if recorded["acr"] is None else str(recorded["acr"]),
        confirmed_at=None if confirmed is None else EpochSeconds(int(confirmed)),
        scopes=tuple(ScopeName(str(one)) for one in recorded["scopes"]),
    )
