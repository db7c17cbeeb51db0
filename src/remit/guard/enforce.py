"""The policy enforcement point: one call in, one outcome out, one record in the log.

Refuses what the ladder refuses, what cannot be recorded, and everything while an
earlier outcome is unrecorded. Whatever goes wrong here is a refusal too.

Source: docs/architecture.md, "a call through the gateway", "what fails closed".
"""

from dataclasses import replace
from typing import Final

from remit.audit.events import Decided
from remit.audit.flood import DENIED, LIMITS
from remit.audit.port import AuditLog, AuditUnavailableError, Receipt
from remit.audit.redact import Redaction
from remit.guard.call import Call, CallResult
from remit.guard.closing import Closing
from remit.guard.denial import is_for_people
from remit.guard.elevations import ElevationsUnavailableError
from remit.guard.keeping import NOTHING_KEPT, Keeping
from remit.guard.ladder import Allowance, Ladder, Shown
from remit.guard.outcome import Challenge, Deny, Permit, RefusalReason, Told
from remit.guard.ports import Directory, Redactor
from remit.guard.records import (
    SELF_TEST,
    Finding,
    about,
    completed,
    context_of,
    decided,
    discovered,
    finding_of,
)
from remit.guard.refusal import Refusal
from remit.guard.remote_copy import uncopied
from remit.guard.settings import GuardSettings
from remit.guard.verdict import Resting
from remit.guard.visible import Visible, names_of
from remit.guard.world import World
from remit.ids import IdSource
from remit.policy.decision_point import DecisionPoint
from remit.tokens.access_token import AccessToken
from remit.tokens.audience import jti_digest
from remit.tokens.verify import TokenVerifier

__all__ = ["Guard"]

_NOTHING_SENT: Final = frozenset({"connection_needed"})
"""Outcomes of calls of which the server has not heard; every other counts in what was done."""
_DISCOVERY: Final = frozenset({"initialize", "server/discover"})
_EXCESSES: Final = frozenset({RefusalReason.RATE_LIMITED, RefusalReason.TOO_MANY_CALLS})


class Guard:
    """Enforces every call that a door hands to it. Its clock is the verifier's."""

    __slots__ = (
        "_audit",
        "_closing",
        "_copy_gate",
        "_decisions",
        "_directory",
        "_elevations",
        "_ids",
        "_keeping",
        "_ladder",
        "_log_name",
        "_tally",
    )

    def __init__(
        self,
        verifier: TokenVerifier,
        directory: Directory,
        *,
        decisions: DecisionPoint,
        audit: AuditLog,
        redactor: Redactor,
        settings: GuardSettings,
    ) -> None:
        self._directory = directory
        self._decisions = decisions
        self._audit = audit
        self._keeping = Keeping(redactor, directory)
        self._closing = Closing(audit)
        self._ids = IdSource()
        self._log_name = settings.log_name
        self._tally = settings.tally
        self._elevations = settings.elevations
        self._copy_gate = settings.copy_gate
        self._ladder = Ladder(verifier, directory, decisions=decisions, settings=settings)

    @property
    def closed(self) -> bool:
        """Whether every call is refused because an outcome is not recorded."""
        return self._closing.closed

    def forget_counts(self) -> None:
        """Forget how much was asked: of nobody who is served, but of the self-test before anybody is."""
        self._ladder.forget_counts()

    async def authenticate(
        self, call: Call, *, counted: bool = False
    ) -> AccessToken | Challenge | Deny:
        """Who calls; for what uses nothing of a server. Recorded are refusals, and who asks what a server is.

        `counted`: it goes to the server all the same, and counts as a call of theirs.
        """
        decision_id = self._ids.new_id("dec")
        try:
            await self._closing.settle()
            caller = self._ladder.counted(call) if counted else self._ladder.authenticate(call)
            if isinstance(caller, Refusal):
                return await self._refuse(call, caller, decision_id)
            if counted and call.method in _DISCOVERY:
                self._audit.append_soon(discovered(call, caller.token_record))
        except AuditUnavailableError:
            return _unavailable(decision_id)
        except Exception as error:  # noqa: BLE001  whatever it is, it is a refusal
            return await self._fail(call, decision_id, error)
        return caller.token

    def backs(self, token: AccessToken) -> bool:
        """Whether everything that `token` rests on still stands, whatever the time. Nothing is recorded.

        For what is under way: a call that has begun may outlive its token, but not its grant.
        """
        return self._ladder.backs(token)

    async def decide(self, call: Call) -> Permit | Challenge | Deny:
        """Whether this very call may happen; a permit is on stable storage when this returns."""
        decision_id = self._ids.new_id("dec")
        try:
            await self._closing.settle()
            verdict = await self._ladder.decide(call, decision_id)
            self._count(verdict)
            if isinstance(verdict, Refusal):
                return await self._refuse(call, await self._put(verdict), decision_id)
            closed_from = self._copy_gate.closed_from
            if closed_from is not None and (missing := uncopied(verdict, closed_from)):
                await verdict.take_back()
                return await self._refuse(call, missing, decision_id)
            place = self._ladder.place(verdict.caller)
            if isinstance(place, Refusal):
                await verdict.take_back()
                return await self._refuse(call, place, decision_id)
            try:
                unspent = await self._unspent(verdict.resting)
                event = self._event(call, verdict, decision_id)
                receipt = None if unspent is not None else await self._audit.append(event)
            except BaseException:
                place()
                await verdict.take_back()
                raise
            if unspent is not None:
                place()
                await verdict.take_back()
                return await self._refuse(call, await self._put(unspent), decision_id)
            permit = Permit(
                decision_id=decision_id,
                token=verdict.caller.token,
                decision=verdict.decision,
                release=place,
                context=event.context,
                account=verdict.account,
                told=self._told(receipt),
                elevated=None if verdict.resting is None else verdict.resting.elevated,
            )
            gone = self._ladder.lapsed(verdict)
            if gone is not None:
                # The log was waited for, and it has the permit: so it hears that nothing came of it.
                await verdict.take_back()
                await self.complete(permit, call, result=CallResult(outcome="cancelled"))
                return gone.outcome(decision_id)
        except AuditUnavailableError:
            return _unavailable(decision_id)
        except Exception as error:  # noqa: BLE001  whatever it is, it is a refusal
            return await self._fail(call, decision_id, error)
        return permit

    async def visible(self, call: Call) -> Visible | Challenge | Deny:
        """What may stand in a list of `call.kind`, of every kind when it is `None`. Recorded once."""
        decision_id = self._ids.new_id("dec")
        try:
            await self._closing.settle()
            shown = await self._ladder.shown(call)
            if isinstance(shown, Refusal):
                return await self._refuse(call, shown, decision_id)
            self._audit.append_soon(self._event(call, shown, decision_id))
        except AuditUnavailableError:
            return _unavailable(decision_id)
        except Exception as error:  # noqa: BLE001  whatever it is, it is a refusal
            return await self._fail(call, decision_id, error)
        return Visible(
            decision_id=decision_id,
            token=shown.caller.token,
            names=names_of(shown.targets),
            resources=shown.caller.server.resources,
        )

    async def complete(self, permit: Permit, call: Call, *, result: CallResult) -> Receipt | None:
        """Record what became of a permitted call, and give back its place; where the record stands, if that is known.

        Raises:
            AuditUnavailableError: it is not recorded; the guard is closed until it is.
        """
        permit.release()
        try:
            return await self._closing.record(completed(permit, call, result))
        finally:
            # The record comes first: whoever gives up waiting for the past has the outcome recorded all the same.
            if permit.account is not None:
                if result.outcome in _NOTHING_SENT:
                    await permit.account.take_back()
                else:
                    await permit.account.stand()

    def _told(self, receipt: Receipt | None) -> Told | None:
        """What whoever calls may keep of the record of a decision."""
        if receipt is None or self._log_name is None or not self._directory.catalog.audit.receipts:
            return None
        return Told(self._log_name, receipt)

    async def _unspent(self, resting: Resting | None) -> Refusal | None:
        """The refusal, where what the call rests on cannot be spent for it; `None` once it is."""
        if resting is None or resting.is_spent:
            return None
        spent = await self._elevations.spend(resting.elevated, resting.wanted)
        return None if spent else resting.otherwise

    async def _put(self, refusal: Refusal) -> Refusal:
        """`refusal`, with whom it was put to, where people can cure it and the caller may know of the thing."""
        wanted = refusal.wanted
        if wanted is None or wanted.task_of is not None or not is_for_people(refusal):
            return refusal
        try:
            asked = await self._elevations.ask(wanted)
        except ElevationsUnavailableError:
            return refusal
        return refusal if asked is None else replace(refusal, asked=asked)

    def _count(self, verdict: Allowance | Refusal) -> None:
        """Tell whoever counts how the bundle decided; what it had no say in tells nothing about it."""
        if isinstance(verdict, Allowance):
            caller = verdict.caller
            self._tally(caller.token.agent_id, refused=False, on_trial=caller.world.on_trial)
        elif verdict.world and verdict.token and verdict.truth not in _EXCESSES:
            self._tally(verdict.token.agent_id, refused=True, on_trial=verdict.world.on_trial)

    async def _refuse(self, call: Call, refusal: Refusal, decision_id: str) -> Challenge | Deny:
        """The refusal as the caller hears it. It stands whether or not it can be recorded."""
        if self._is_counted(call, refusal):
            return refusal.outcome(decision_id)
        event = self._event(call, refusal, decision_id)
        try:
            if refusal.truth in {RefusalReason.MISSING_TOKEN, RefusalReason.NONCE_NEEDED}:
                # Every client starts with these; nobody waits for the disk on their account.
                self._audit.append_soon(event)
            else:
                await self._audit.append(event)
        except AuditUnavailableError:
            # INVARIANT: nothing was allowed, so nothing is hidden by the missing record.
            return refusal.outcome(decision_id)
        return refusal.outcome(decision_id)

    def _is_counted(self, call: Call, refusal: Refusal) -> bool:
        """Whether the refusal is one of many that are a number in the log, and no event each."""
        error = refusal.truth.value
        if refusal.token is None:
            if call.context.actor is SELF_TEST:
                return False
            return self._audit.count_refusal(call.context, where="gateway", error=error)
        if call.context.actor is SELF_TEST or refusal.asked is not None:
            return False
        return self._audit.count_refusal(
            context_of(call.context, refusal.token),
            where=LIMITS if refusal.truth in _EXCESSES else DENIED,
            error=error,
            about="" if refusal.truth in _EXCESSES else about(call),
            token=jti_digest(refusal.token.jti),
        )

    async def _fail(self, call: Call, decision_id: str, error: Exception) -> Deny:
        """Refuse because something broke, and say so in the log if it can be said."""
        finding = Finding(
            outcome="deny",
            reason=RefusalReason.ENGINE_ERROR.value,
            errors=(type(error).__name__,),
        )
        try:
            await self._audit.append(
                self._decided(call, finding, decision_id=decision_id, redaction=NOTHING_KEPT)
            )
        except Exception:  # noqa: BLE001  the refusal stands without its record
            return _failed(decision_id)
        return _failed(decision_id)

    def _event(self, call: Call, verdict: Allowance | Shown | Refusal, decision_id: str) -> Decided:
        finding = finding_of(verdict)
        redaction = self._keeping.arguments(call, finding, decision_id)
        return self._decided(call, finding, decision_id=decision_id, redaction=redaction)

    def _decided(
        self, call: Call, finding: Finding, *, decision_id: str, redaction: Redaction
    ) -> Decided:
        return decided(
            call,
            finding,
            decision_id=decision_id,
            redaction=redaction,
            justification=None
            if call.justification is None
            else self._keeping.justification(call, finding),
            present=finding.world or World(self._directory.catalog, self._decisions),
        )


def _unavailable(decision_id: str) -> Deny:
    return Deny(
        decision_id=decision_id,
        reason=RefusalReason.AUDIT_UNAVAILABLE,
        detail="decisions cannot be recorded at present",
    )


def _failed(decision_id: str) -> Deny:
    return Deny(
        decision_id=decision_id,
        reason=RefusalReason.ENGINE_ERROR,
        detail="the call could not be decided",
    )
