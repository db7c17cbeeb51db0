"""Where people read what they are asked, and answer it: the only way in, for pages, API and command line.

Whoever may not know of a request is told what they are told of one that does not exist. Whatever a door says of a
person, whether they may answer is read anew in the transaction of their answer.

Source: docs/adr/0025-cures.md.
"""

from remit.approvals.deps import ApprovalDeps
from remit.approvals.deputy import Deputy
from remit.approvals.elevation import Elevation
from remit.approvals.figures import Figures
from remit.approvals.person import Person
from remit.approvals.request import Request, RequestState, Verdict
from remit.approvals.who_may import Demand
from remit.audit.context import Context
from remit.clock import EpochSeconds
from remit.ids import GrantId, TenantId

__all__ = ["Desk"]


class Desk:
    """Reads and answers. `context` is where each event comes from: the door's, with its network and trace."""

    __slots__ = ("_deps",)

    def __init__(self, deps: ApprovalDeps) -> None:
        self._deps = deps

    # -- requests -------------------------------------------------------------

    async def read(self, request_id: str, person: Person) -> Request:
        """The request, with its arguments while it waits.

        Raises:
            NotYoursError: there is none, or none that they may know of.
        """
        raise NotImplementedError

    async def inbox(self, person: Person) -> tuple[Request, ...]:
        """What waits for an answer that they may give, oldest first."""
        raise NotImplementedError

    async def demand(self, request_id: str, person: Person) -> Demand | None:
        """How they have to prove who they are before they may answer; `None`: as they did.

        Raises:
            NotYoursError: there is none, or none that they may know of.
            NotAskedError: it is not for them to say.
        """
        raise NotImplementedError

    async def requests(
        self,
        tenant: TenantId | None,
        *,
        state: RequestState | None = None,
        before: tuple[EpochSeconds, str] | None = None,
        limit: int = 100,
    ) -> tuple[Request, ...]:
        """All of a tenant's, newest first, without arguments: for administrators. `None`: of every tenant."""
        raise NotImplementedError

    async def opened(
        self, request_id: str, person: Person, *, shown: str, context: Context
    ) -> Request:
        """Note that they were shown it, in the words of that digest. Has to come before an answer.

        Raises:
            NotYoursError: there is none, or none that they may know of.
        """
        raise NotImplementedError

    async def answer(
        self,
        request_id: str,
        person: Person,
        verdict: Verdict,
        *,
        shown: str,
        context: Context,
        reason: str = "",
    ) -> Request:
        """Say yes (`CONFIRMED` and `APPROVED` alike) or no to what was shown last; the request as it is then.

        Raises:
            NotYoursError: there is none, or none that they may know of.
            NotAskedError: it is not for them to say.
            StrongerAuthenticationNeededError: they have to log in more strongly, or anew.
            AlreadyAnsweredError: they, or somebody in their place, have answered.
            RequestExpiredError: it is too late.
            RequestEndedError: it is decided.
            ShownChangedError: `shown` is not what `opened` was told last.
        """
        raise NotImplementedError

    async def withdraw(
        self, request_id: str, person: Person, *, reason: str = "", context: Context
    ) -> Request:
        """Take back what one's own agent asked.

        Raises:
            NotYoursError: there is none, or none that they may know of.
            NotAskedError: it is somebody else's.
            RequestEndedError: it is decided.
        """
        raise NotImplementedError

    async def expire_due(self) -> int:
        """End what nobody answered in time, and escalate what waited long enough; how many of both."""
        raise NotImplementedError

    async def figures(self, tenant: TenantId | None, *, since: EpochSeconds) -> tuple[Figures, ...]:
        """How people answered since then: over all first, then by person, then by rule."""
        raise NotImplementedError

    # -- elevations -----------------------------------------------------------

    async def elevations(
        self,
        *,
        tenant: TenantId | None = None,
        person: Person | None = None,
        grant_id: GrantId | None = None,
    ) -> tuple[Elevation, ...]:
        """Those that can still be used, newest first: of one person's agents, below one grant, of one tenant."""
        raise NotImplementedError

    async def revoke_elevation(
        self, elevation_id: str, *, person: Person | None, reason: str, context: Context
    ) -> Elevation:
        """End it before it is used. `person`: only one of theirs; `None`: an administrator's word.

        Raises:
            NotYoursError: there is none, or it is not theirs.
            RequestEndedError: it was used, or has ended.
        """
        raise NotImplementedError

    # -- deputies -------------------------------------------------------------

    async def name_deputy(
        self,
        person: Person,
        deputy: str,
        *,
        role: str,
        expires_at: EpochSeconds,
        reason: str = "",
        context: Context,
    ) -> Deputy:
        """Have somebody (a user name or id) answer in one's own place until then.

        Raises:
            NotADeputyError: they cannot: it is oneself, somebody of another tenant or disabled, a role one does
                not hold, or a time that is past or too far away.
        """
        raise NotImplementedError

    async def remove_deputy(
        self, person: Person, deputy: str, *, role: str, context: Context
    ) -> None:
        """Have them do so no longer.

        Raises:
            NotADeputyError: they do not.
        """
        raise NotImplementedError

    async def deputies(self, person: Person) -> tuple[Deputy, ...]:
        """Who answers in their place, and in whose place they answer, at present."""
        raise NotImplementedError
