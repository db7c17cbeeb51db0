"""How often a rule lets the same agent call for the same person: what `@limit` says.

A limit is so many calls at once, refilled evenly over its window (the generic cell rate algorithm). Counted are calls
that are let through, in this process alone: several processes each let through what the rule says. What is
full again is forgotten; when an organisation has no room to count yet another caller, that caller is refused. Each has its
own, for what a rule is called and how long its window is may be said by an engine that somebody else runs.

Source: ITU-T I.371 (GCRA); RFC 6585 §4; docs/reference/policies.md, annotations.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from remit.ids import TenantId
from remit.policy.duties import limit_of
from remit.policy.obligation import Obligation, ObligationKind
from remit.tokens.access_token import AccessToken

__all__ = ["RuleLimits"]

_SLACK: Final = 1e-6
# Sums of fractions of a window are not exact; so far they may be wrong.
_MOST: Final = 100_000

_Key = tuple[str, str, str, str]


class RuleLimits:
    """Everybody's calls under every rule that limits them. `most`: how many are told apart in one organisation."""

    __slots__ = ("_most", "_spent")

    def __init__(self, *, most: int = _MOST) -> None:
        self._most = most
        self._spent: dict[TenantId, dict[_Key, float]] = {}

    def wait(self, obligations: Sequence[Obligation], token: AccessToken, at: float) -> int:
        """Count one call, at so many seconds of a clock that never goes back: 0; or so many seconds to wait.

        A call that has to wait is not counted.
        """
        spent = self._spent.get(token.organization_id, {})
        counted: list[tuple[_Key, float]] = []
        longest = 0.0
        for one in obligations:
            limit = limit_of(one.value) if one.kind is ObligationKind.LIMIT else None
            if limit is None:
                continue
            key = (one.rule, one.value, token.agent_id, token.sub)
            after = max(at, spent.get(key, at)) + limit.window / limit.calls
            longest = max(longest, after - at - limit.window - _SLACK)
            counted.append((key, after))
        if longest > 0:
            return max(1, math.ceil(longest))
        if not counted:
            return 0
        if not self._has_room(spent, counted):
            spent = {key: until for key, until in spent.items() if until > at}
            if not self._has_room(spent, counted):
                return 1
        spent.update(counted)
        self._spent[token.organization_id] = spent
        return 0

    def forget(self) -> None:
        """Forget what was counted."""
        self._spent = {}

    def _has_room(self, spent: Mapping[_Key, float], counted: Sequence[tuple[_Key, float]]) -> bool:
        return len(spent) + sum(key not in spent for key, _ in counted) <= self._most
