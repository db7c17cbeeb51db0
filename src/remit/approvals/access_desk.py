"""Where access for a while is asked for, given back, ended and reviewed: the only way in, for pages, API, tools and CLI.

What an offer gives without an approver is given at once; else people are asked, in their inbox, and the answer gives it.
Emergency access is given at once to the few who are named, is told to everybody, and waits for somebody else's review.
Whatever a door says of whoever asks, an account is read anew in the transaction.

Source: docs/adr/0025-cures.md; MISSION C4, C5.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from remit.approvals import access_store
from remit.approvals.access import (
    Access,
    AccessEnd,
    AccessHeldError,
    AccessKind,
    AccessState,
    Holder,
    HolderKind,
    Offered,
    Review,
    Wish,
    emergencies_for,
    no_such_offer,
    offers_for,
    require_wish,
    with_ticket,
)
from remit.approvals.access_granting import about_access, end_access, give_access, holder_name
from remit.approvals.access_review import Said, note_overdue, review_emergency
from remit.approvals.access_store import AccessFilter
from remit.approvals.access_token_store import forget_tokens
from remit.approvals.person import Person
from remit.audit.approval_events import AccessRequested, EmergencyTaken
from remit.audit.context import Actor, ActorType, Context
from remit.canonical import canonical_text
from remit.clock import Clock, EpochSeconds, Seconds
from remit.db import Database, Transaction
from remit.errors import NotFoundError, UnavailableError
from remit.guard.ports import Directory
from remit.identity import find_user, subject_of
from remit.ids import AgentId, UserId, new_id
from remit.model import AccessOffer, EmergencyAccess

__all__ = ["AccessDeps", "AccessDesk", "AskForAccess", "TellOfEmergency"]

_REQUEST_LAPSES: Final = 3_600
"""How long a request is kept that no rule says more of."""


class AskForAccess(Protocol):
    """How people are asked: what waits in their inbox is about `access`."""

    def __call__(
        self,
        tx: Transaction,
        access: Access,
        offer: AccessOffer,
        holder: Holder,
        *,
        context: Context,
    ) -> tuple[str, EpochSeconds]:
        """The id of the request, and when it lapses."""
        ...

    def withdraw(self, tx: Transaction, approval: str, *, context: Context) -> None:
        """Take it out of their inbox: nobody wants it any more."""
        ...


TellOfEmergency = Callable[[Transaction, Access, EmergencyAccess], None]
"""Have its notifiers tell people, from the transaction in which it is taken, or in which its review is found overdue."""


async def _publishes_nothing() -> None:
    """Rely on the half-second poll."""


def _tells_nobody(tx: Transaction, access: Access, emergency: EmergencyAccess) -> None:
    """The log and the banner say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessDeps:
    """`ask` is how offers with an approver are put to people; without it they cannot be had. `publish` re-reads standing."""

    database: Database
    directory: Directory
    clock: Clock
    ask: AskForAccess | None = None
    publish: Callable[[], Awaitable[None]] = _publishes_nothing
    tell: TellOfEmergency = _tells_nobody


class AccessDesk:
    """Asks, gives, ends, reviews. `context` is where each event comes from: the door's, with its network and trace."""

    __slots__ = ("_deps",)

    def __init__(self, deps: AccessDeps) -> None:
        self._deps = deps

    # -- what there is --------------------------------------------------------

    def offers_for(self, holder: Holder) -> tuple[AccessOffer, ...]:
        """What they may ask for, by name."""
        return offers_for(holder, self._deps.directory.catalog.approvals)

    def emergencies_for(self, holder: Holder) -> tuple[EmergencyAccess, ...]:
        """What they may take in an emergency, by name."""
        return emergencies_for(holder, self._deps.directory.catalog.approvals)

    async def held_by(self, holder: Holder) -> tuple[Access, ...]:
        """What they asked for, have and had, the latest first."""
        wanted = AccessFilter(tenant=holder.tenant, holder=holder.id)
        return await self.listed(wanted)

    async def listed(self, wanted: AccessFilter) -> tuple[Access, ...]:
        """What matches, the latest first: for administrators."""
        return await self._deps.database.read(lambda tx: access_store.select_access(tx, wanted))

    async def read(
        self, access_id: str, *, tenant: str | None = None, holder: str | None = None
    ) -> Access:
        """One of them.

        Raises:
            NotFoundError: there is none, or it is another tenant's or holder's.
        """
        found = await self._deps.database.read(lambda tx: access_store.find_access(tx, access_id))
        return _theirs(found, tenant=tenant, holder=holder)

    async def unreviewed(self, tenant: str | None) -> tuple[Access, ...]:
        """The emergency access that nobody else has looked at yet: the banner on every page."""
        every = await self.listed(AccessFilter(unreviewed=True))
        return tuple(one for one in every if tenant is None or one.tenant == tenant)

    # -- asking ---------------------------------------------------------------

    async def request(self, holder: Holder, wish: Wish, *, context: Context) -> Access:
        """Ask for what an offer gives: it is active at once, or waits for people.

        Raises:
            NotFoundError: there is no such offer, or it is not for them.
            AccessStrengthError: they have to log in more strongly.
            UnacceptableWishError: too long, or not justified as it must be.
            AccessHeldError: they have it, or wait for it.
        """
        catalog = self._deps.directory.catalog
        offer = catalog.approvals.access.get(wish.offer)
        if offer is None:
            raise no_such_offer()

        def ask(tx: Transaction) -> Access:
            return self._request(tx, holder, wish, offer, context=context)

        return await self._deps.database.run(ask)

    async def take(self, holder: Holder, wish: Wish, *, context: Context) -> Access:
        """Take emergency access: `wish.offer` is its name.

        Raises:
            As `request`.
        """
        emergency = self._deps.directory.catalog.approvals.emergency.get(wish.offer)
        if emergency is None:
            raise no_such_offer()

        def take(tx: Transaction) -> Access:
            return self._take(tx, holder, wish, emergency, context=context)

        return await self._deps.database.run(take)

    # -- ending and reviewing -------------------------------------------------

    async def end(
        self,
        access_id: str,
        *,
        holder: Holder | None,
        tenant: str | None = None,
        reason: str = "",
        context: Context,
    ) -> Access:
        """Give back one's own, or as an administrator (`holder` is `None`) take away somebody's, at once.

        Raises:
            NotFoundError: there is none, or it is not theirs.
            AccessHeldError: it is over already.
        """
        how = AccessEnd.REVOKED if holder is None else AccessEnd.RETURNED
        whose = None if holder is None else holder.id
        where = tenant if holder is None else holder.tenant

        def end(tx: Transaction) -> Access:
            found = _theirs(access_store.find_access(tx, access_id), tenant=where, holder=whose)
            now = self._deps.clock.now()
            ended = end_access(tx, found.id, how=how, reason=reason, now=now, context=context)
            if ended is None:
                raise AccessHeldError("it is over already")
            if found.state is AccessState.WAITING and found.approval and self._deps.ask is not None:
                self._deps.ask.withdraw(tx, found.approval, context=context)
            return ended

        ended = await self._deps.database.run(end)
        await self._deps.publish()
        return ended

    async def review(
        self, access_id: str, reviewer: Person, verdict: Review, *, reason: str, context: Context
    ) -> Access:
        """Say what was done with emergency access: of the reviewers' role, and not whoever used it.

        Raises:
            NotFoundError: there is none of their tenant.
            NotYourReviewError: it is not for them to say.
            AccessHeldError: there is nothing to review, or somebody did.
        """

        def review(tx: Transaction) -> Access:
            return review_emergency(
                tx,
                access_id,
                reviewer,
                Said(verdict=verdict, reason=reason, at=self._deps.clock.now()),
                catalog=self._deps.directory.catalog,
                context=context,
            )

        return await self._deps.database.run(review)

    async def expire_due(self) -> int:
        """Note what is over, tell whose review is overdue, forget expired tokens; how many of the first."""
        now = self._deps.clock.now()

        def expire(tx: Transaction) -> int:
            ended = self._expire(tx, access_store.due(tx, now=now), now=now)
            for late in note_overdue(tx, now=now):
                emergency = self._deps.directory.catalog.approvals.emergency.get(late.offer)
                if emergency is not None:
                    self._deps.tell(tx, late, emergency)
            forget_tokens(tx, before=now)
            return ended

        return await self._deps.database.run(expire)

    # -- in a transaction -----------------------------------------------------

    def _request(
        self, tx: Transaction, holder: Holder, wish: Wish, offer: AccessOffer, *, context: Context
    ) -> Access:
        made = self._made(tx, holder, wish, offer)
        if offer.approver is None:
            self._add(tx, made, wish, waits_for=(), context=context)
            return _given(
                give_access(tx, made.id, approved_by=(), now=made.requested_at, context=context)
            )
        if self._deps.ask is None:
            raise UnavailableError("nobody can be asked to approve it here")
        self._add(tx, made, wish, waits_for=(offer.approver,), context=context)
        approval, lapses = self._deps.ask(tx, made, offer, holder, context=context)
        access_store.wait_for(tx, made.id, approval=approval, until=lapses)
        return replace(made, approval=approval, expires_at=lapses)

    def _take(
        self,
        tx: Transaction,
        holder: Holder,
        wish: Wish,
        emergency: EmergencyAccess,
        *,
        context: Context,
    ) -> Access:
        now = self._deps.clock.now()
        review_by = EpochSeconds(now + emergency.review_within)
        made = replace(self._made(tx, holder, wish, emergency), review_by=review_by)
        self._add(tx, made, wish, waits_for=(), context=context)
        given = _given(give_access(tx, made.id, approved_by=(), now=now, context=context))
        tx.record(
            EmergencyTaken(
                context=about_access(context, given),
                access=given.id,
                name=emergency.name,
                holder=holder_name(given),
                justification=canonical_text(dict(given.justification)),
                acr=given.acr or "",
                expires_at=given.expires_at,
                review_by=review_by,
            )
        )
        self._deps.tell(tx, given, emergency)
        return given

    def _made(self, tx: Transaction, holder: Holder, wish: Wish, offered: Offered) -> Access:
        """The row that the wish of `holder` would be, as they are now.

        Raises:
            As `AccessDesk.request`.
        """
        catalog, now = self._deps.directory.catalog, self._deps.clock.now()
        known, wish = self._as_known(tx, holder), _timed(with_ticket(wish, offered), now)
        require_wish(wish, offered, known, catalog, now=now)
        self._expire(tx, access_store.due(tx, now=now, holder=known.id), now=now)
        is_offer = isinstance(offered, AccessOffer)
        return Access(
            id=new_id("acc"),
            offer=offered.name,
            kind=AccessKind.OFFER if is_offer else AccessKind.EMERGENCY,
            state=AccessState.WAITING,
            tenant=known.tenant,
            holder_kind=known.kind,
            holder=known.id,
            agent_id=known.agent_id,
            role=offered.role,
            scopes=offered.scopes,
            justification={name: text.strip() for name, text in wish.justification.items()},
            ticket=wish.ticket,
            acr=known.acr,
            seconds=wish.seconds,
            until=wish.until,
            requested_at=now,
            expires_at=EpochSeconds(now + _REQUEST_LAPSES),
        )

    def _add(
        self,
        tx: Transaction,
        made: Access,
        wish: Wish,
        *,
        waits_for: tuple[str, ...],
        context: Context,
    ) -> None:
        if not access_store.add_access(tx, made):
            raise AccessHeldError("you have it, or asked for it, already; it is not prolonged")
        if made.kind is AccessKind.OFFER:
            tx.record(
                AccessRequested(
                    context=about_access(context, made),
                    access=made.id,
                    offer=made.offer,
                    holder=holder_name(made),
                    seconds=made.seconds,
                    justification=canonical_text(dict(made.justification)),
                    ticket=made.ticket,
                    waits_for=waits_for,
                )
            )

    def _as_known(self, tx: Transaction, holder: Holder) -> Holder:
        """`holder` with the roles that their account has now, whatever the door said."""
        catalog = self._deps.directory.catalog
        if holder.kind is HolderKind.AGENT:
            agent = catalog.agents.get(AgentId(holder.id))
            if agent is None or holder.tenant not in agent.tenants:
                raise no_such_offer()
            return holder
        user = find_user(tx, UserId(holder.id))
        if user is None or user.disabled_at is not None:
            raise no_such_offer()
        roles = subject_of(user, catalog).roles
        return replace(holder, tenant=user.tenant, username=user.username, roles=roles)

    def _expire(self, tx: Transaction, ids: tuple[str, ...], *, now: EpochSeconds) -> int:
        context = Context(actor=Actor(ActorType.SYSTEM))
        ended = [
            end_access(tx, one, how=AccessEnd.EXPIRED, reason="", now=now, context=context)
            for one in ids
        ]
        return sum(one is not None for one in ended)


def _timed(wish: Wish, now: EpochSeconds) -> Wish:
    """`wish` with how long that is, where it says until when."""
    if wish.until is None:
        return wish
    return replace(wish, seconds=Seconds(wish.until - now))


def _given(access: Access | None) -> Access:
    if access is None:  # pragma: no cover  it was made in this transaction
        raise AccessHeldError("it is over already")
    return access


def _theirs(
    found: Access | None, *, tenant: str | None = None, holder: str | None = None
) -> Access:
    if (
        found is None
        or (tenant is not None and found.tenant != tenant)
        or (holder is not None and found.holder != holder)
    ):
        raise NotFoundError("there is no such access")
    return found
