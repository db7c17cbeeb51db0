"""Refusals of callers whom nobody knows, held to what a log can bear: the first are events, the rest a number.

Anybody can be refused as often as they like, and it costs them nothing. If each refusal were
an event, one client could fill the disk, and a full disk closes every door. So of each
network so many are recorded one by one in a window, and so many altogether; beyond
that they are counted, exactly, and the counts are events when the window ends.
A counted refusal is answered like any other. What is allowed never passes here, nor what is
refused to somebody who proved who they are, but for one thing: calls beyond a limit (`LIMITS`).
Of those the first of a window is an event for each caller and reason, and the rest a number. And whoever is refused the
very same thing for the same reason again and again (`DENIED`) has so many events a second, and then a number.

Source: AUDIT §1.5 (deny flood: one aggregated record with its exact count; never drop).
"""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from remit.audit.context import Actor, ActorType, Context
from remit.audit.event import Event
from remit.audit.log_events import RefusalsCounted
from remit.audit.port import AuditLog, AuditUnavailableError, Receipt
from remit.clock import Clock, EpochSeconds

__all__ = ["DENIED", "LIMITS", "WINDOW", "FloodLimits", "TallyingAuditLog"]

LIMITS: Final = "limits"
"""Where somebody who is known is refused for asking too much; `context` says who."""

DENIED: Final = "denied"
"""Where somebody who is known is refused anything else; `about` says what."""

WINDOW: Final = 60.0
"""Seconds after which whoever keeps the log calls `record_counts`."""

_OTHERS = "others"
_ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodLimits:
    """How many refusals a window may turn into events."""

    per_network: int = 30
    altogether: int = 600
    """Of all networks: whoever has many addresses gains nothing by it."""
    denied_per_second: int = 20
    """Of one caller, of one thing, for one reason."""
    tokens: int = 1_000
    """Different tokens that one count tells apart; beyond, it says that many."""
    counts: int = 1_000
    """Different counts; beyond, networks are counted together as `others`, by place and error alone."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is counted together."""

    where: str
    error: str
    network: str
    client_id: str | None
    tenant: str | None = None
    agent_id: str | None = None
    user_id: str | None = None
    about: str = ""


@dataclass(slots=True)
class _Count:
    count: int
    first: EpochSeconds
    last: EpochSeconds
    tokens: set[str] = field(default_factory=set)


class _Tally:
    """One window after another. `close` ends a window and begins the next."""

    __slots__ = ("_bursts", "_counts", "_limits", "_recorded", "_said")

    def __init__(self, limits: FloodLimits) -> None:
        self._limits = limits
        self._recorded: Counter[str] = Counter()
        self._said: set[_Kind] = set()
        self._counts: dict[_Kind, _Count] = {}
        self._bursts: dict[_Kind, tuple[EpochSeconds, int]] = {}

    def count(self, kind: _Kind, now: EpochSeconds, token: str | None = None) -> bool:
        """Whether `kind` has been counted here; else there is room for an event of its own."""
        if self._has_room(kind, now):
            return False
        limits = self._limits
        if kind not in self._counts and len(self._counts) >= limits.counts:
            kind = _Kind(kind.where, kind.error, _OTHERS, None)
        found = self._counts.setdefault(kind, _Count(0, now, now))
        found.count += 1
        found.last = now
        if token is not None and len(found.tokens) < limits.tokens:
            found.tokens.add(token)
        return True

    def _has_room(self, kind: _Kind, now: EpochSeconds) -> bool:
        """Whether the window bears one more event of `kind`; if so, that is taken."""
        limits, recorded, said = self._limits, self._recorded, self._said
        # INVARIANT: all of these are bounded, whatever comes from however many networks and callers.
        if kind.where == DENIED:
            return self._is_no_burst(kind, now)
        if kind.where == LIMITS:
            if kind in said or len(said) >= limits.altogether:
                return False
            said.add(kind)
            return True
        if recorded[kind.network] >= limits.per_network or recorded.total() >= limits.altogether:
            return False
        recorded[kind.network] += 1
        return True

    def _is_no_burst(self, kind: _Kind, now: EpochSeconds) -> bool:
        second, many = self._bursts.get(kind, (now, 0))
        if second != now:
            many = 0
        if kind not in self._bursts and len(self._bursts) >= self._limits.counts:
            # What was refused in other seconds is no burst now. What is left are so many at once: the oldest goes.
            current = {one: at for one, at in self._bursts.items() if at[0] == now}
            self._bursts = current
            if len(current) >= self._limits.counts:
                current.pop(next(iter(current)))
        self._bursts[kind] = (now, many + 1)
        return many < self._limits.denied_per_second

    def close(self) -> tuple[RefusalsCounted, ...]:
        """What was counted since the last time, as events."""
        counts, self._counts, self._recorded, self._said = self._counts, {}, Counter(), set()
        return tuple(_event(kind, found) for kind, found in counts.items())


class TallyingAuditLog:
    """An audit log in which refusals of nobody in particular may be counted.

    `network_of` says which addresses are one network. Used from the event loop's
    thread, but for `record` and `abandon`.
    """

    def __init__(
        self,
        log: AuditLog,
        clock: Clock,
        *,
        network_of: Callable[[str | None], str],
        limits: FloodLimits | None = None,
    ) -> None:
        self._log = log
        self._clock = clock
        self._network_of = network_of
        self._tally = _Tally(limits or FloodLimits())
        self._waiting: deque[RefusalsCounted] = deque()

    def count_refusal(
        self, context: Context, *, where: str, error: str, about: str = "", token: str | None = None
    ) -> bool:
        """As the port says."""
        if where in {LIMITS, DENIED}:
            kind = _Kind(
                where,
                error,
                _ANY,
                context.client_id,
                tenant=context.tenant,
                agent_id=context.agent_id,
                user_id=context.user_id,
                about=about,
            )
        else:
            network = self._network_of(context.network.ip)
            kind = _Kind(where, error, network, context.client_id)
        return self._tally.count(kind, self._clock.now(), token)

    async def record_counts(self) -> None:
        """Record what was counted, and begin a new window. What cannot be recorded is kept.

        Raises:
            AuditUnavailableError: not all of it is recorded; the window stays open meanwhile.
        """
        if not self._waiting:
            self._waiting.extend(self._tally.close())
        while self._waiting:
            event = self._waiting.popleft()
            try:
                await self._log.append(event)
            except AuditUnavailableError:
                self._waiting.appendleft(event)
                raise

    async def append(self, event: Event) -> Receipt:
        return await self._log.append(event)

    def append_soon(self, event: Event) -> None:
        self._log.append_soon(event)

    def record(self, events: Sequence[object]) -> None:
        self._log.record(events)

    def abandon(self, events: Sequence[object], cause: BaseException) -> None:
        self._log.abandon(events, cause)


def _event(kind: _Kind, found: _Count) -> RefusalsCounted:
    return RefusalsCounted(
        context=Context(
            actor=_actor(kind),
            tenant=kind.tenant,
            user_id=kind.user_id,
            agent_id=kind.agent_id,
            client_id=kind.client_id,
        ),
        where=kind.where,
        error=kind.error,
        count=found.count,
        first=found.first,
        last=found.last,
        network=kind.network,
        about=kind.about,
        tokens=len(found.tokens),
    )


def _actor(kind: _Kind) -> Actor:
    if kind.agent_id is None:
        return Actor(ActorType.ANONYMOUS)
    return Actor(ActorType.AGENT, kind.agent_id)
