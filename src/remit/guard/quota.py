"""How much is asked: calls a minute and calls under way, per agent, person and server.

Refuses the call that is one too many, and says when to come back. A limit is a minute's worth of
calls at once, refilled evenly (the generic cell rate algorithm); whoever is refused here has
spent nothing, and whoever is refused further on has: to try things out is bounded, too.
Agents, people and servers are counted within their organisation, so that nobody is
shut out by another organisation, nor learns how busy it is.

Counted in this process alone: several processes each let through what is declared. Limits are read
from the catalog of each call, so new ones hold at once; the share of its minute that a caller
has used stays used. What is full again is forgotten, and when there is no room
to count yet another caller, that caller is refused.

Source: ITU-T I.371 (GCRA); RFC 6585 §4; RFC 9110 §10.2.3.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from remit.guard.caller import Caller
from remit.guard.limits import is_workload

__all__ = ["Excess", "Quota"]

_MINUTE: Final = 60.0
# Sums of fractions of a minute are not exact; so far they may be wrong.
_BURST: Final = _MINUTE + 1e-6
_SOON: Final = 1
_MOST: Final = 100_000
_FIRST_SWEEP: Final = 1_024

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Excess:
    """What is exceeded, in words for the caller, and after how many seconds to try again."""

    detail: str
    retry_after: int


class _Meter:
    """Everybody of one kind: agents, people, or servers.

    `spent` is the instant at which a caller's whole minute is theirs again; one whose
    instant has passed is as good as new, and is forgotten.
    """

    __slots__ = ("most", "spent", "sweep_at", "swept", "under_way", "words")

    def __init__(self, words: str, most: int) -> None:
        self.words = words
        self.most = most
        self.spent: dict[_Key, float] = {}
        self.under_way: dict[_Key, int] = {}
        self.sweep_at = _FIRST_SWEEP
        self.swept = -math.inf

    def wait(self, key: _Key, interval: float, at: float) -> float:
        """Seconds until one more call passes; 0 or less: now."""
        spent = self.spent.get(key)
        if spent is not None:
            return max(at, spent) + interval - at - _BURST
        # Once a second at most: however many callers come, looking through them all stays rare.
        if len(self.spent) >= min(self.sweep_at, self.most) and at - self.swept >= 1:
            self.forget_full(at)
        return 0.0 if len(self.spent) < self.most else float(_SOON)

    def spend(self, key: _Key, interval: float, at: float) -> None:
        """Take one call off the minute of `key`."""
        spent = self.spent.get(key, at)
        self.spent[key] = max(at, spent) + interval

    def forget_full(self, at: float) -> None:
        """Forget whoever has their whole minute again; the next time when twice as many are known."""
        self.spent = {key: spent for key, spent in self.spent.items() if spent > at}
        self.sweep_at = max(_FIRST_SWEEP, 2 * len(self.spent))
        self.swept = at


class _Place:
    """One call among those under way. Given back once, however often and by whomever.

    Also when nobody does: a call that was lost between its decision and its outcome holds no
    place for longer than something refers to it.
    """

    __slots__ = ("_taken",)

    def __init__(self, taken: list[tuple[_Meter, _Key, int]]) -> None:
        self._taken = taken

    def give_back(self) -> None:
        taken, self._taken = self._taken, []
        for meter, key, _ in taken:
            left = meter.under_way[key] - 1
            if left:
                meter.under_way[key] = left
            else:
                del meter.under_way[key]

    def __del__(self) -> None:
        self.give_back()


class Quota:
    """Counts the calls of this process. `most`: callers of each kind that are told apart at one time."""

    __slots__ = ("_agents", "_people", "_servers")

    def __init__(self, *, most: int = _MOST) -> None:
        self._agents = _Meter("this agent", most)
        self._people = _Meter("this person", most)
        self._servers = _Meter("this server", most)

    @property
    def remembered(self) -> int:
        """How many entries there are."""
        return sum(
            len(meter.spent) + len(meter.under_way)
            for meter in (self._agents, self._people, self._servers)
        )

    def count(self, caller: Caller, at: float) -> Excess | None:
        """Count one call, at so many seconds of a clock that never goes back; what it exceeds, if anything."""
        guardrails, agent, server = caller.catalog.guardrails, caller.agent, caller.server
        a_minute = agent.limits.calls_per_minute or guardrails.limits_per_agent.calls_per_minute
        a_person = guardrails.limits_per_user.calls_per_minute
        a_server = server.limits.calls_per_minute
        token = caller.token
        tenant = token.organization_id
        counted: list[tuple[_Meter, _Key, float]] = []
        if a_minute:
            counted.append((self._agents, (tenant, agent.id), _MINUTE / a_minute))
        if a_person and not is_workload(token):
            counted.append((self._people, (tenant, token.sub), _MINUTE / a_person))
        if a_server:
            counted.append((self._servers, (tenant, server.name), _MINUTE / a_server))
        for meter, key, interval in counted:
            if meter.wait(key, interval, at) > 0:
                return _too_often(counted, at)
        for meter, key, interval in counted:
            meter.spend(key, interval, at)
        return None

    def enter(self, caller: Caller) -> "Excess | Callable[[], None]":
        """Take a place among the calls under way; what gives it back."""
        guardrails, agent, server = caller.catalog.guardrails, caller.agent, caller.server
        of_agent = agent.limits.concurrent_calls or guardrails.limits_per_agent.concurrent_calls
        of_person = guardrails.limits_per_user.concurrent_calls
        of_server = server.limits.concurrent_calls
        token = caller.token
        tenant = token.organization_id
        taken: list[tuple[_Meter, _Key, int]] = []
        if of_agent:
            taken.append((self._agents, (tenant, agent.id), of_agent))
        if of_person and not is_workload(token):
            taken.append((self._people, (tenant, token.sub), of_person))
        if of_server:
            taken.append((self._servers, (tenant, server.name), of_server))
        if not taken:
            return _nothing
        for meter, key, most in taken:
            if meter.under_way.get(key, 0) >= most:
                return Excess(f"more calls at one time than {meter.words} may have", _SOON)
        for meter, key, _ in taken:
            meter.under_way[key] = meter.under_way.get(key, 0) + 1
        return _Place(taken).give_back

    def forget(self) -> None:
        """Forget what was counted, but for the calls under way."""
        for meter in (self._agents, self._people, self._servers):
            meter.spent = {}


def _too_often(counted: list[tuple[_Meter, _Key, float]], at: float) -> Excess:
    """Whose limit keeps the caller waiting longest, and how long."""
    waits = [(meter.wait(key, interval, at), meter.words) for meter, key, interval in counted]
    longest, words = max(waits)
    detail = f"more calls a minute than {words} may have"
    return Excess(detail, max(_SOON, math.ceil(longest)))


def _nothing() -> None:
    """No place was taken."""
