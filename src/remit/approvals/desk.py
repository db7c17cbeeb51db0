"""Where people read what they are asked, and answer it: the only way in, for pages, API and command line.

Whoever may not know of a request is told what they are told of one that does not exist. Whatever a door says of a
person, whether they may answer is read anew in the transaction of their answer.

Source: docs/adr/0025-cures.md.
"""

from typing import Final

from remit.approvals.answering import Reply, answer, open_capacities, withdraw
from remit.approvals.deps import ApprovalDeps
from remit.approvals.deputy import Deputy
from remit.approvals.deputy_store import deputies_of
from remit.approvals.deputyship import Absence, end_deputyship, name_deputy
from remit.approvals.elevation import Elevation
from remit.approvals.elevation_store import ElevationFilter, select_live
from remit.approvals.figures import Figures, figures_of
from remit.approvals.looking import inbox_of, look, open_request, own_requests
from remit.approvals.person import Person
from remit.approvals.request import Request, RequestState, Verdict
from remit.approvals.request_store import RequestFilter, select_requests
from remit.approvals.revoking import revoke_elevation
from remit.approvals.upkeep import escalate_due, expire_due
from remit.approvals.who_may import Demand, demand_of
from remit.audit.context import Context
from remit.clock import EpochSeconds
from remit.ids import GrantId, TenantId

__all__ = ["Desk"]

_MOST_COUNTED: Final = 5_000


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
        deps = self._deps
        return (await deps.database.read(lambda tx: look(tx, deps, request_id, person))).request

    async def inbox(self, person: Person) -> tuple[Request, ...]:
        """What waits for an answer that they may give, oldest first."""
        deps = self._deps
        return await deps.database.read(lambda tx: inbox_of(tx, deps, person))

    async def own(self, person: Person, *, limit: int) -> tuple[Request, ...]:
        """What waits of what they or their agents asked, whoever is to answer it, newest first."""
        deps = self._deps
        return await deps.database.read(lambda tx: own_requests(tx, deps, person, limit=limit))

    async def demand(self, request_id: str, person: Person) -> Demand | None:
        """How they have to prove who they are before they may answer; `None`: as they did.

        Raises:
            NotYoursError: there is none, or none that they may know of.
            NotAskedError: it is not for them to say.
            AlreadyAnsweredError: they, or somebody in their place, have answered.
            RequestExpiredError: it is too late.
            RequestEndedError: it is decided.
        """
        deps = self._deps
        view = await deps.database.read(lambda tx: look(tx, deps, request_id, person))
        parts = [view.request.parts[one.part] for one in open_capacities(view)]
        return demand_of(view.request, parts, person, now=view.now)

    async def requests(
        self,
        tenant: TenantId | None,
        *,
        state: RequestState | None = None,
        before: tuple[EpochSeconds, str] | None = None,
        limit: int = 100,
    ) -> tuple[Request, ...]:
        """All of a tenant's, newest first, without arguments: for administrators. `None`: of every tenant."""
        wanted = RequestFilter(tenant=tenant, state=state, before=before, limit=limit)
        found = await self._deps.database.read(lambda tx: select_requests(tx, wanted))
        return tuple(one.request for one in found)

    async def opened(
        self, request_id: str, person: Person, *, shown: str, context: Context
    ) -> Request:
        """Note that they were shown it, in the words of that digest. Has to come before an answer.

        Raises:
            NotYoursError: there is none, or none that they may know of.
        """
        deps = self._deps
        return await deps.database.run(
            lambda tx: open_request(tx, deps, request_id, person, shown=shown, context=context)
        )

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
        deps = self._deps
        # A word that only looks like a no must not pass for a yes.
        reply = Reply(verdict=Verdict(verdict), shown=shown, reason=reason)
        return await deps.database.run(
            lambda tx: answer(tx, deps, request_id, person, reply=reply, context=context)
        )

    async def withdraw(
        self, request_id: str, person: Person, *, reason: str = "", context: Context
    ) -> Request:
        """Take back what one's own agent asked.

        Raises:
            NotYoursError: there is none, or none that they may know of.
            NotAskedError: it is somebody else's.
            RequestEndedError: it is decided.
        """
        deps = self._deps
        return await deps.database.run(
            lambda tx: withdraw(tx, deps, request_id, person, reason=reason, context=context)
        )

    async def expire_due(self) -> int:
        """End what nobody answered in time, and escalate what waited long enough; how many of both."""
        deps = self._deps
        return await deps.database.run(lambda tx: expire_due(tx, deps) + escalate_due(tx, deps))

    async def figures(self, tenant: TenantId | None, *, since: EpochSeconds) -> tuple[Figures, ...]:
        """How people answered since then: over all first, then by person, then by rule."""
        wanted = RequestFilter(tenant=tenant, since=since, limit=_MOST_COUNTED)
        found = await self._deps.database.read(lambda tx: select_requests(tx, wanted))
        return figures_of([one.request for one in found])

    # -- elevations -----------------------------------------------------------

    async def elevations(
        self,
        *,
        tenant: TenantId | None = None,
        person: Person | None = None,
        grant_id: GrantId | None = None,
    ) -> tuple[Elevation, ...]:
        """Those that can still be used, newest first: of one person's agents, below one grant, of one tenant."""
        wanted = ElevationFilter(
            tenant=tenant, user_id=None if person is None else person.user_id, grant_id=grant_id
        )
        now = self._deps.clock.now()
        return await self._deps.database.read(lambda tx: select_live(tx, wanted, now=now))

    async def revoke_elevation(
        self, elevation_id: str, *, person: Person | None, reason: str, context: Context
    ) -> Elevation:
        """End it before it is used. `person`: only one of theirs; `None`: an administrator's word.

        Raises:
            NotYoursError: there is none, or it is not theirs.
            RequestEndedError: it was used, or has ended.
        """
        deps = self._deps
        return await deps.database.run(
            lambda tx: revoke_elevation(
                tx, deps, elevation_id, person, reason=reason, context=context
            )
        )

    # -- deputies -------------------------------------------------------------

    async def name_deputy(
        self,
        person: Person,
        deputy: str,
        *,
        role: str,
        expires_at: EpochSeconds,
        context: Context,
        reason: str = "",
    ) -> Deputy:
        """Have somebody (a user name or id) answer in one's own place until then.

        Raises:
            NotADeputyError: they cannot: it is oneself, somebody of another tenant or disabled, a role one does
                not hold, or a time that is past or too far away.
        """
        deps = self._deps
        absence = Absence(deputy=deputy, role=role, expires_at=expires_at, reason=reason)
        catalog, now = deps.directory.catalog, deps.clock.now()
        return await deps.database.run(
            lambda tx: name_deputy(tx, person, absence, catalog, now=now, context=context)
        )

    async def remove_deputy(
        self, person: Person, deputy: str, *, role: str, context: Context
    ) -> None:
        """Have them do so no longer.

        Raises:
            NotADeputyError: they do not.
        """
        await self._deps.database.run(
            lambda tx: end_deputyship(tx, person, deputy, role=role, context=context)
        )

    async def deputies(self, person: Person) -> tuple[Deputy, ...]:
        """Who answers in their place, and in whose place they answer, at present."""
        now = self._deps.clock.now()
        return await self._deps.database.read(lambda tx: deputies_of(tx, person.user_id, now=now))
