"""The steps of a decision, in their order. Pure: reads two snapshots, writes nothing.

Refuses, in this order: a malformed `Authorization`; no token; a bad token; a token whose
key is not proved; a standing too old to rely on; a token no longer backed; an agent or a server outside the
token's tenant and environment; more calls a minute than they may have; a thing the catalog does not
have, or that this caller could never use; scopes the token lacks; a thing whose definition is not the
one that was admitted, or arguments that its schema does not take; arguments of another type; what
the token's authorization details do not allow; whatever policy does not permit, or permits under a condition that is
not met. Where the server or the organisation observes, what policies refuse goes on, and is recorded.

A caller's lists hold what this very token may use. Called directly, a thing that another token of the same agent and
person could use is answered with the scopes it takes; anything further is answered as if it did not exist. Lists and
refusals ask the same two questions about that: is it out of reach for good, and might policy ever allow it.

Source: MISSION B6; RFC 6750 §3.1; docs/reference/refusals.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

from remit.canonical import Json
from remit.guard.account import Account, PastUnavailableError, unknown_past
from remit.guard.acquaintance import Acquaintance
from remit.guard.call import Call
from remit.guard.caller import Caller
from remit.guard.denial import denied, refusal_of, truth_of
from remit.guard.details import is_named_in_details, what_exceeds_details
from remit.guard.facts import InvalidArgumentError, typed_arguments
from remit.guard.lasting import lapsed
from remit.guard.observing import as_listed, as_observed, goes_on
from remit.guard.outcome import RefusalReason
from remit.guard.ports import Directory, Standing
from remit.guard.presented_token import PresentedTokens
from remit.guard.question import Moment, question
from remit.guard.quota import Excess, Quota
from remit.guard.refusal import (
    Refusal,
    hidden,
    hidden_server,
    no_longer_good,
    quarantined,
    refused,
    stale,
)
from remit.guard.rule_limits import RuleLimits
from remit.guard.settings import GuardSettings
from remit.guard.standing import agent_of, is_backed, is_fresh
from remit.guard.target import Target
from remit.guard.use import Entry, Use, amount_in, entries_of, remembering
from remit.guard.verdict import Allowance, Shown, as_declared, undecided_among
from remit.guard.world import Trial, World
from remit.policy.decision import DecisionReason
from remit.policy.decision_point import DecisionPoint
from remit.policy.evaluation import ArgumentValue, Evaluation, Phase, ResourceKind
from remit.policy.history import History
from remit.policy.vocabulary import URI_ARGUMENT
from remit.tokens.access_token import AccessToken
from remit.tokens.verify import TokenVerifier

__all__ = ["Allowance", "Ladder", "Shown", "Trial"]

_Verdict = TypeVar("_Verdict", Allowance, Shown)


class Ladder:
    """Decides calls against the snapshots and the policies in force."""

    __slots__ = (
        "_acquaintance",
        "_decisions",
        "_directory",
        "_past",
        "_presented",
        "_quota",
        "_rule_limits",
        "_settings",
        "_trial",
        "_tried",
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
        self._acquaintance = Acquaintance()
        self._tried = Acquaintance()
        self._trial = settings.trial
        self._quota = Quota()
        self._rule_limits = RuleLimits()
        self._past = settings.past
        self._verifier = verifier
        self._directory = directory
        self._decisions = decisions
        self._settings = settings
        self._presented = PresentedTokens(verifier, settings)

    def backs(self, token: AccessToken) -> bool:
        """Whether everything that `token` rests on still stands."""
        catalog = self._directory.catalog
        return agent_of(token, catalog) is not None and is_backed(
            token, self._directory.standing, catalog
        )

    def authenticate(self, call: Call) -> Caller | Refusal:
        """Who calls, and that they may speak with this server at all."""
        # Each snapshot is read once, so that every step of a call sees the same world.
        catalog, standing = self._directory.catalog, self._directory.standing
        token = self._presented.token(call, catalog)
        if isinstance(token, Refusal):
            return token
        if not is_fresh(standing, self._verifier.clock.now(), self._settings.standing_max_age):
            return stale(token)
        trial = self._trial(token.agent_id)
        world = trial or World(catalog, self._decisions.in_force)
        caller = self._admitted(call, token, standing=standing, world=world)
        return replace(caller, world=world) if isinstance(caller, Refusal) else caller

    def _admitted(
        self, call: Call, token: AccessToken, *, standing: Standing, world: World
    ) -> Caller | Refusal:
        """Whether the agent of `token` may speak with the server at all, as `world` has it."""
        catalog = world.catalog
        agent = agent_of(token, catalog)
        if agent is None or not is_backed(token, standing, catalog):
            return no_longer_good(token)
        server = catalog.server_named(call.server)
        if server is None:
            return hidden_server(RefusalReason.NOT_FOUND, token)
        tenant = token.organization_id
        if tenant not in agent.tenants or server.tenant not in {None, tenant}:
            return hidden_server(RefusalReason.WRONG_TENANT, token)
        if server.environment not in agent.environments or server.environment != token.environment:
            return hidden_server(RefusalReason.WRONG_ENVIRONMENT, token)
        if token.jkt is None and (server.dpop_required or agent.dpop_required):
            detail = "only a token that is bound to a key is good here"
            unbound = refused(RefusalReason.INVALID_TOKEN, detail, token=token)
            return replace(unbound, dpop=True)
        known = self._tried if world.on_trial else self._acquaintance
        return known.caller(token, agent, server=server, world=world)

    def _known(self, caller: Caller) -> Acquaintance:
        """What was worked out before in the caller's own world."""
        return self._tried if caller.world.on_trial else self._acquaintance

    async def decide(self, call: Call, decision_id: str = "") -> Allowance | Refusal:
        """Whether this very call may happen. Of one that is refused nothing counts in what was done before."""
        account = Account(self._past)
        try:
            verdict = self._still(await self._decided(call, account, decision_id))
        except BaseException:
            await account.take_back()
            raise
        if isinstance(verdict, Refusal):
            await account.take_back()
            return verdict if account.told is None else replace(verdict, told=account.told)
        return verdict

    async def _decided(self, call: Call, account: Account, decision_id: str) -> Allowance | Refusal:
        caller = self.counted(call)
        if isinstance(caller, Refusal):
            return caller
        verdict = await self._climbed(call, caller, account, decision_id)
        return replace(verdict, world=caller.world) if isinstance(verdict, Refusal) else verdict

    async def _climbed(
        self, call: Call, caller: Caller, account: Account, decision_id: str
    ) -> Allowance | Refusal:
        if call.kind is None and call.method in caller.server.allowed_methods:
            return Allowance(caller=caller, target=None, required=(), decision=as_declared(caller))
        target = self._known(caller).target(caller.server, call.kind, call.name)
        if target is None:
            return hidden(call.kind, RefusalReason.NOT_FOUND, token=caller.token)
        moment = self._moment(call, caller)
        refusal = await self._within_limits(caller, target, moment, replaces=call.replaces_scopes)
        if refusal is not None:
            return refusal
        refusal = self._as_admitted(call, caller, target)
        if refusal is not None:
            return await self._if_known(refusal, caller, target=target, moment=moment)
        try:
            arguments = typed_arguments(_given(call), target.arguments)
            entries = self._entries(call, caller, target, arguments)
        except InvalidArgumentError as error:
            refusal = refused(RefusalReason.INVALID_ARGUMENTS, error.detail, token=caller.token)
            return await self._if_known(refusal, caller, target=target, moment=moment)
        excess = what_exceeds_details(caller.token, target, arguments, now=moment.now)
        if excess is not None:
            refusal = refused(RefusalReason.OUTSIDE_DETAILS, excess, token=caller.token)
            return await self._if_known(refusal, caller, target=target, moment=moment)
        history: History | None = None
        if entries:
            use = Use(id=decision_id, at=moment.now, call=call, entries=entries)
            try:
                history = await account.open(use)
            except PastUnavailableError as error:
                unknown = denied(unknown_past(error, caller.world.decisions.version), caller.token)
                return await self._if_known(unknown, caller, target=target, moment=moment)
        asked = question(
            Phase.CALL,
            caller,
            target=target,
            scopes=caller.effective,
            arguments=arguments,
            moment=moment,
        )
        asked = remembering(asked, history)
        decision = await caller.world.decisions.adjudicate(asked)
        # A use of a task is no other call than the one it began with.
        limits = self._rule_limits if call.task_of is None else None
        refusal = refusal_of(
            decision, asked, caller.token, limits=limits, at=self._verifier.clock.monotonic()
        )
        if refusal is not None and goes_on(refusal, caller):
            decision, refusal = as_observed(decision, refusal), None
        if refusal is not None:
            return await self._if_known(refusal, caller, target=target, moment=moment)
        required = self._known(caller).reach(caller, target).required
        return Allowance(
            caller=caller,
            target=target,
            required=required,
            decision=decision,
            account=account if entries else None,
        )

    def counted(self, call: Call) -> Caller | Refusal:
        """Who calls, and that it is not one time too many."""
        caller = self.authenticate(call)
        if isinstance(caller, Refusal):
            return caller
        excess = self._quota.count(caller, self._verifier.clock.monotonic())
        return (
            caller if excess is None else self._excess(RefusalReason.RATE_LIMITED, caller, excess)
        )

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
        caller = self.counted(call)
        if isinstance(caller, Refusal):
            return caller
        moment = self._moment(call, caller)
        near = [
            target
            for target in self._known(caller).targets(caller.server, call.kind)
            if self._is_near(caller, target, moment)
        ]
        questions = [self._asked_of_list(caller, target, moment) for target in near]
        answers = await caller.world.decisions.adjudicate_all(questions)
        undecided = undecided_among(answers)
        if undecided is not None:
            return denied(undecided, caller.token)
        listed = [as_listed(answer, caller) for answer in answers]
        targets = (target for target, answer in zip(near, listed, strict=True) if answer.allowed)
        return self._still(Shown(caller=caller, targets=tuple(targets)))

    def _still(self, verdict: _Verdict | Refusal) -> _Verdict | Refusal:
        """`verdict`, unless what it was begun on is gone by now: it may have been waited for."""
        return verdict if isinstance(verdict, Refusal) else self.lapsed(verdict) or verdict

    def lapsed(self, verdict: Allowance | Shown) -> Refusal | None:
        """What `verdict` was begun on and is gone by now; `None`: nothing."""
        max_age = self._settings.standing_max_age
        return lapsed(verdict, self._directory, verifier=self._verifier, max_age=max_age)

    async def _within_limits(
        self, caller: Caller, target: Target, moment: Moment, *, replaces: bool
    ) -> Refusal | None:
        """What stands in the way before policy is asked about the call: clearance, scopes."""
        reach = self._known(caller).reach(caller, target)
        if reach.beyond is not None:
            return reach.beyond
        if not reach.missing:
            return None
        # Policy is asked first whether it would let the call be, with the scopes: else the
        # client would step up and come back for nothing.
        held = caller.effective if replaces else ()
        challenge = Refusal(
            reason=RefusalReason.INSUFFICIENT_SCOPE,
            detail="the token lacks scopes that this call needs",
            truth=RefusalReason.INSUFFICIENT_SCOPE,
            scopes=tuple(dict.fromkeys((*held, *reach.required))),
            token=caller.token,
            missing=reach.missing,
        )
        return await self._if_known(challenge, caller, target=target, moment=moment)

    def _as_admitted(self, call: Call, caller: Caller, target: Target) -> Refusal | None:
        """What is wrong with the thing's definition, or with arguments that it does not allow."""
        definitions = self._directory.definitions
        thing = (target.facts.server, target.facts.kind, target.facts.name)
        if thing in definitions.quarantined:
            return quarantined(caller.token)
        if thing in definitions.unseen:
            detail = "its definition is not known yet"
            return refused(RefusalReason.QUARANTINED, detail, token=caller.token)
        check = definitions.argument_checks.get(thing)
        # Of a task's arguments only those are kept that policies read; they were checked when it began.
        problem = None if check is None or call.task_of is not None else check(call.arguments)
        if problem is None:
            return None
        return refused(RefusalReason.INVALID_ARGUMENTS, problem, token=caller.token)

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
        reach = self._known(caller).reach(caller, target)
        facts = target.facts
        quarantined = self._directory.definitions.quarantined
        return (
            (facts.server, facts.kind, facts.name) not in quarantined
            and reach.beyond is None
            and is_named_in_details(caller.token, target, moment.now)
            and not reach.missing
        )

    def _asked_of_list(self, caller: Caller, target: Target, moment: Moment) -> Evaluation:
        """Might policy allow it, if the token had the scopes it can have?"""
        return question(
            Phase.LIST,
            caller,
            target=target,
            scopes=self._known(caller).reach(caller, target).with_required,
            arguments=target.known_arguments,
            moment=moment,
        )

    @staticmethod
    def _entries(
        call: Call, caller: Caller, target: Target, arguments: Mapping[str, ArgumentValue]
    ) -> tuple[Entry, ...]:
        """The facts of history that have to do with the call; not looked for where none is declared."""
        if not caller.catalog.history:
            return ()
        return entries_of(
            caller.token,
            target,
            history=caller.catalog.history,
            reads=caller.world.decisions.history_read(target.facts),
            amount_of=partial(amount_in, arguments),
            again=call.task_of is not None,
        )

    def _moment(self, call: Call, caller: Caller) -> Moment:
        ip = call.context.network.ip
        networks = self._known(caller).networks(ip)
        return Moment(self._verifier.clock.now(), ip, networks, call.justification)


def _given(call: Call) -> Json:
    """The arguments of a call; of reading a resource, its URI."""
    if call.kind is ResourceKind.RESOURCE:
        return {URI_ARGUMENT.name: call.name}
    return call.arguments
