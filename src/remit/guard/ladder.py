"""The steps of a decision, in their order. Pure: reads two snapshots, writes nothing.

Refuses, in this order: a malformed `Authorization`; no token; a bad token; a token whose
key is not proved; a standing too old to rely on; a token no longer backed; an agent or a server outside the
token's tenant and environment; more calls a minute than they may have; a thing the catalog does not
have, or that this caller could never use; scopes the token lacks; a thing whose definition is not the
one that was admitted, or arguments that its schema does not take; arguments of another type; what
the token's authorization details do not allow; whatever policy does not permit, or permits under a condition that is
not met, unless people said yes to this very call, and policies with them. Where the server or the organisation observes, what policies refuse goes on, and is recorded.

A caller's lists hold what this very token may use. Called directly, a thing that another token of the same agent and
person could use is answered with the scopes it takes; anything further is answered as if it did not exist. Lists and
refusals ask the same two questions about that: is it out of reach for good, and might policy ever allow it.

Source: MISSION B6; RFC 6750 §3.1; docs/reference/refusals.md.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from remit.clock import EpochSeconds
from remit.guard.account import Account, PastUnavailableError, unknown_past
from remit.guard.authentication import Authentication
from remit.guard.bounds import as_admitted, read_arguments, within_limits
from remit.guard.call import Call
from remit.guard.caller import Caller
from remit.guard.definitions import Definitions
from remit.guard.denial import denied, is_for_people, refusal_of, truth_of
from remit.guard.details import is_named_in_details, told_in_details
from remit.guard.elevations import ElevationsUnavailableError, Wanted, elevating, wanted_of
from remit.guard.footing import Footing, footing_of
from remit.guard.justification import told_to_policies
from remit.guard.lasting import lapsed
from remit.guard.observing import as_listed, as_observed, goes_on
from remit.guard.outcome import RefusalReason
from remit.guard.ports import Directory
from remit.guard.question import Moment, question
from remit.guard.quota import Excess, Quota
from remit.guard.refusal import Refusal, hidden, refused
from remit.guard.rule_limits import RuleLimits
from remit.guard.settings import GuardSettings
from remit.guard.target import Target
from remit.guard.use import remembering
from remit.guard.verdict import Allowance, Resting, Shown, as_declared, rests, undecided_among
from remit.guard.world import Trial
from remit.policy.decision import Decision, DecisionReason
from remit.policy.decision_point import DecisionPoint
from remit.policy.evaluation import Evaluation, Phase
from remit.tokens.access_token import AccessToken
from remit.tokens.verify import TokenVerifier

__all__ = ["Allowance", "Ladder", "Shown", "Trial"]

_Verdict = TypeVar("_Verdict", Allowance, Shown)


class Ladder:
    """Decides calls against the snapshots and the policies in force."""

    __slots__ = (
        "_authentication",
        "_directory",
        "_elevations",
        "_past",
        "_quota",
        "_rule_limits",
        "_settings",
        "_verifier",
    )

    def __init__(
        self,
        verifier: TokenVerifier,
        directory: Directory,
        *,
        decisions: DecisionPoint,
        settings: GuardSettings,
    ) -> None:
        self._authentication = Authentication(verifier, decisions=decisions, settings=settings)
        self._quota = Quota()
        self._rule_limits = RuleLimits()
        self._past = settings.past
        self._elevations = settings.elevations
        self._verifier = verifier
        self._directory = directory
        self._settings = settings

    def backs(self, token: AccessToken) -> bool:
        """Whether everything that `token` rests on still stands, in the world that decides its agent's calls."""
        return self._authentication.backs(token, self._directory)

    def authenticate(self, call: Call) -> Caller | Refusal:
        """Who calls, and that they may speak with this server at all."""
        footing = footing_of(self._directory, self._verifier.clock)
        return self._authentication.caller(call, footing)

    def counted(self, call: Call) -> Caller | Refusal:
        """Who calls, and that it is not one time too many."""
        return self._counted(call, footing_of(self._directory, self._verifier.clock))

    def _counted(self, call: Call, footing: Footing) -> Caller | Refusal:
        caller = self._authentication.caller(call, footing)
        if isinstance(caller, Refusal):
            return caller
        excess = self._quota.count(caller, self._verifier.clock.monotonic())
        if excess is None:
            return caller
        return self._excess(RefusalReason.RATE_LIMITED, caller, excess)

    async def decide(self, call: Call, decision_id: str = "") -> Allowance | Refusal:
        """Whether this very call may happen. Of one that is refused nothing counts in what was done before."""
        footing = footing_of(self._directory, self._verifier.clock)
        caller = self._counted(call, footing)
        if isinstance(caller, Refusal):
            return caller
        # Where no fact is declared nothing is counted, and nothing has to be taken back.
        account = Account(self._past, decision_id) if caller.catalog.history else None
        try:
            verdict = await self._climbed(
                call, caller, footing=footing, account=account, decision_id=decision_id
            )
            if caller.engine is not None or account is not None or rests(verdict):
                # Else nothing was waited for since the footing was taken, which the same step of the loop did.
                verdict = self._still(verdict)
        except BaseException:
            if account is not None:
                await account.take_back()
            raise
        if not isinstance(verdict, Refusal):
            return verdict
        if account is None:
            return replace(verdict, world=caller.world)
        await account.take_back()
        return replace(verdict, world=caller.world, told=account.told)

    async def _climbed(
        self,
        call: Call,
        caller: Caller,
        *,
        footing: Footing,
        account: Account | None,
        decision_id: str,
    ) -> Allowance | Refusal:
        if call.kind is None and call.method in caller.server.allowed_methods:
            return as_declared(caller, footing)
        known = self._authentication.acquaintance(caller)
        target = known.target(caller.server, call.kind, call.name)
        if target is None:
            return hidden(call.kind, RefusalReason.NOT_FOUND, token=caller.token)
        moment = self._moment(call, caller, footing.now, target)
        reach = known.reach(caller, target)
        refusal = within_limits(call, caller, reach)
        if refusal is not None and refusal is reach.beyond:
            return refusal
        refusal = refusal or as_admitted(call, caller, target, footing.definitions)
        if refusal is not None:
            return await self._if_known(refusal, caller, target=target, moment=moment)
        read = read_arguments(call, caller, target, now=moment.now)
        if isinstance(read, Refusal):
            return await self._if_known(read, caller, target=target, moment=moment)
        arguments, entries = read
        held = caller.effective
        asked = question(
            Phase.CALL, caller, target=target, scopes=held, arguments=arguments, moment=moment
        )
        if account is not None and entries:
            try:
                asked = remembering(asked, await account.open(call, entries, at=moment.now))
            except PastUnavailableError as error:
                unknown = denied(unknown_past(error, caller.world.decisions.version), caller.token)
                return await self._if_known(unknown, caller, target=target, moment=moment)
        decisions = caller.world.decisions
        # Cedar is in this process and answers at once; who asks it waits for nothing.
        here = asked.engine is None
        decision = decisions.decide(asked) if here else await decisions.adjudicate(asked)
        resting: Resting | None = None
        if decision.obligations or not decision.allowed:
            put = _Put(call, caller, asked, target, footing.definitions, decision_id)
            decision, refusal, resting = await self._settled(put, decision)
            if refusal is not None:
                return await self._if_known(refusal, caller, target=target, moment=moment)
        return Allowance(
            caller=caller,
            target=target,
            required=reach.required,
            decision=decision,
            account=account if entries else None,
            footing=footing,
            resting=resting,
        )

    async def _settled(
        self, put: "_Put", decision: Decision
    ) -> tuple[Decision, Refusal | None, Resting | None]:
        """What stands in the way of what was put to policies, or what people said of this very call, on which it rests."""
        decision, refusal = self._judged(put.call, put.caller, put.asked, decision)
        if refusal is None or put.call.looks_ahead or not is_for_people(refusal):
            return decision, refusal, None
        wanted = put.wanted(refusal)
        try:
            elevated = await self._elevations.found(wanted)
        except ElevationsUnavailableError:
            # Nobody is asked again about what they may have answered.
            return decision, refusal, None
        refusal = replace(refusal, wanted=wanted)
        if elevated is None:
            return decision, refusal, None
        asked = elevating(put.asked, elevated)
        decision = await put.caller.world.decisions.adjudicate(asked)
        decision, still = self._judged(put.call, put.caller, asked, decision)
        if still is not None:
            again = replace(wanted, held=elevated, needs=still.needs)
            return decision, replace(still, wanted=again), None
        # What may be called may be known of: whoever is refused after all is told why.
        otherwise = replace(
            refusal, world=put.caller.world, target=put.target, required=put.target.scopes
        )
        return decision, None, Resting(elevated=elevated, wanted=wanted, otherwise=otherwise)

    def _judged(
        self, call: Call, caller: Caller, asked: Evaluation, decision: Decision
    ) -> tuple[Decision, Refusal | None]:
        """What stands in the way of `asked` now that it is decided; where it is observed, nothing that policies say does."""
        # A use of a task is no other call than the one it began with.
        limits = self._rule_limits if call.task_of is None else None
        at = self._verifier.clock.monotonic()
        refusal = refusal_of(decision, asked, caller.token, limits=limits, at=at)
        if refusal is not None and goes_on(refusal, caller):
            return as_observed(decision, refusal), None
        return decision, refusal

    def forget_counts(self) -> None:
        """Forget how much was asked so far."""
        self._quota.forget()
        self._rule_limits.forget()

    def place(self, caller: Caller) -> Callable[[], None] | Refusal:
        """A place among the calls under way; what gives it back, to be called once."""
        place = self._quota.enter(caller)
        if isinstance(place, Excess):
            return self._excess(RefusalReason.TOO_MANY_CALLS, caller, place)
        return place

    @staticmethod
    def _excess(reason: RefusalReason, caller: Caller, excess: Excess) -> Refusal:
        refusal = refused(reason, excess.detail, token=caller.token)
        return replace(refusal, retry_after=excess.retry_after, world=caller.world)

    async def shown(self, call: Call) -> Shown | Refusal:
        """What of `call.kind` the caller may use with this very token, arguments permitting."""
        footing = footing_of(self._directory, self._verifier.clock)
        caller = self._counted(call, footing)
        if isinstance(caller, Refusal):
            return caller
        moment = self._moment(call, caller, footing.now)
        things = self._authentication.acquaintance(caller).targets(caller.server, call.kind)
        quarantined = footing.definitions.quarantined
        near = [
            target
            for target in things
            if (target.facts.server, target.facts.kind, target.facts.name) not in quarantined
            and self._is_near(caller, target, moment)
        ]
        questions = [self._asked_of_list(caller, target, moment) for target in near]
        answers = await caller.world.decisions.adjudicate_all(questions)
        undecided = undecided_among(answers)
        if undecided is not None:
            return denied(undecided, caller.token)
        listed = [as_listed(answer, caller) for answer in answers]
        targets = (target for target, answer in zip(near, listed, strict=True) if answer.allowed)
        return self._still(Shown(caller=caller, targets=tuple(targets), footing=footing))

    def _still(self, verdict: _Verdict | Refusal) -> _Verdict | Refusal:
        """`verdict`, unless what it was begun on is gone by now: it may have been waited for."""
        return verdict if isinstance(verdict, Refusal) else self.lapsed(verdict) or verdict

    def lapsed(self, verdict: Allowance | Shown) -> Refusal | None:
        """What `verdict` was begun on and is gone by now; `None`: nothing."""
        max_age = self._settings.standing_max_age
        return lapsed(verdict, self._directory, verifier=self._verifier, max_age=max_age)

    async def _if_known(
        self, refusal: Refusal, caller: Caller, *, target: Target, moment: Moment
    ) -> Refusal:
        """`refusal`, if the caller may know of `target`; else what is said of a missing thing."""
        if self._settings.unheard and refusal.decision is not None:
            return replace(refusal, target=target, required=target.scopes)
        asked = self._asked_of_list(caller, target, moment)
        listing = as_listed(await caller.world.decisions.adjudicate(asked), caller)
        if listing.allowed:
            return replace(refusal, target=target, required=target.scopes)
        if listing.reason is DecisionReason.ENGINE_ERROR and refusal.decision is None:
            return replace(denied(listing, caller.token), target=target, required=target.scopes)
        if refusal.truth is RefusalReason.ENGINE_ERROR:
            # An engine that fails hides nothing worth hiding; say that it failed.
            return replace(refusal, target=target, required=target.scopes)
        return hidden(
            target.facts.kind,
            refusal.truth if refusal.decision else truth_of(listing),
            token=caller.token,
            target=target,
            missing=refusal.missing,
            decision=refusal.decision or listing,
        )

    def _is_near(self, caller: Caller, target: Target, moment: Moment) -> bool:
        """Whether nothing but policy keeps `target` out of this caller's lists: in reach, its scopes held, its details willing."""
        reach = self._authentication.acquaintance(caller).reach(caller, target)
        return (
            reach.beyond is None
            and is_named_in_details(caller.token, target, moment.now)
            and not reach.missing
        )

    def _asked_of_list(self, caller: Caller, target: Target, moment: Moment) -> Evaluation:
        """Might policy allow it, if the token had the scopes it can have?"""
        return question(
            Phase.LIST,
            caller,
            target=target,
            scopes=self._authentication.acquaintance(caller).reach(caller, target).with_required,
            arguments=target.known_arguments,
            moment=moment,
        )

    def _moment(
        self, call: Call, caller: Caller, now: EpochSeconds, target: Target | None = None
    ) -> Moment:
        ip = call.context.network.ip
        consented = None if target is None else told_in_details(caller.token, target, now)
        why = told_to_policies(
            call.justification, consented, caller.catalog.approvals.justifications
        )
        if not caller.catalog.networks:
            return Moment(now, ip, (), why)
        networks = self._authentication.acquaintance(caller).networks(ip)
        return Moment(now, ip, networks, why)


@dataclass(frozen=True, slots=True)
class _Put:
    """A question that was put to policies, and the call that it is of."""

    call: Call
    caller: Caller
    asked: Evaluation
    target: Target
    definitions: Definitions
    decision_id: str

    def wanted(self, refusal: Refusal) -> Wanted:
        """The very call, for people to cure `refusal` of."""
        return wanted_of(
            self.call,
            self.asked,
            refusal.needs,
            token=self.caller.token,
            digests=self.definitions.digests,
            decision_id=self.decision_id,
        )
