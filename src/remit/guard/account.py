"""What one call was counted in as before it was decided, until it is known whether it stands.

Counted first and decided then: of two calls that together go beyond a limit, one is told of the other. Whoever is
refused is taken back; who is allowed stays, whatever becomes of the call. What cannot be taken back counts.

Source: docs/adr/0020-history.md.
"""

from dataclasses import replace
from typing import ClassVar

from remit.clock import EpochSeconds
from remit.errors import UnavailableError
from remit.guard.call import Call, Earlier
from remit.guard.ports import Past
from remit.guard.use import Entry, Use
from remit.policy.decision import Decision, DecisionOutcome, DecisionReason
from remit.policy.history import History

__all__ = ["Account", "NoPast", "PastUnavailableError", "unknown_past"]


class PastUnavailableError(UnavailableError):
    """What was done before is not known at present, so that nothing that depends on it is decided."""

    code: ClassVar[str] = "history_unavailable"


class Account:
    """One call's. Empty for a call that nothing counts and nobody asks about."""

    __slots__ = ("_id", "_past", "_use", "told")

    def __init__(self, past: Past, decision_id: str) -> None:
        self._past = past
        self._id = decision_id
        self._use: Use | None = None
        self.told: History | None = None
        """What policies were told; `None` when no fact was read."""

    async def open(
        self, call: Call, entries: tuple[Entry, ...], *, at: EpochSeconds
    ) -> History | None:
        """Count `call` in, and say what it comes to; `None` when it is counted and nobody asks.

        Raises:
            PastUnavailableError: it is not known; whatever was counted stays so.
        """
        use = self._use = Use(id=self._id, at=at, call=call, entries=entries)
        try:
            history = await self._past.come_to(use)
        except PastUnavailableError:
            self._use = None
            raise
        self.told = history or None
        return self.told

    @property
    def counted(self) -> Earlier | None:
        """As what the call counts, for when it comes again; `None` where nothing counts it."""
        use = self._use
        return Earlier(use.id, use.at) if use is not None and use.is_counted else None

    async def take_back(self) -> None:
        """Let the call count no longer. Never raises; a second time does nothing."""
        use, self._use = self._use, None
        if use is not None and use.is_counted:
            await self._past.take_back(use)

    async def stand(self) -> None:
        """The call has happened: what it was counted as when its server asked first counts no longer in numbers and sums.

        Not before: whoever never comes again may have had the effect all the same. Never raises.
        """
        use = self._use
        earlier = None if use is None else use.call.earlier
        if use is not None and earlier is not None and use.is_counted:
            before = replace(use, id=earlier.decision_id, at=earlier.at, comes_again=True)
            await self._past.take_back(before)


class NoPast:
    """Where nothing is remembered. Refuses whatever would have to be."""

    async def come_to(self, use: Use) -> History:
        """Refuse.

        Raises:
            PastUnavailableError: always.
        """
        raise PastUnavailableError("nothing is remembered here")

    async def take_back(self, use: Use) -> None:
        """Nothing was counted."""


def unknown_past(error: PastUnavailableError, policy_version: str) -> Decision:
    """What depends on what was done before, and cannot be decided without."""
    return Decision(
        outcome=DecisionOutcome.DENY,
        reason=DecisionReason.ENGINE_ERROR,
        rules=(),
        policy_version=policy_version,
        engine="history",
        errors=(error.detail,),
    )
