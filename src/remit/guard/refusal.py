"""A refusal while it is being decided: what is said to the caller, and what is true.

The two differ where the truth would tell a caller that something exists which they
may not know of. What is true goes to the log alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from remit.guard.elevations import Asked, Elevated, Wanted
from remit.guard.outcome import Challenge, Deny, RefusalReason
from remit.guard.target import Target
from remit.guard.world import World
from remit.ids import ScopeName
from remit.policy.decision import Decision, RuleEffect
from remit.policy.evaluation import ResourceKind
from remit.policy.history import History
from remit.policy.obligation import Obligation
from remit.tokens.access_token import AccessToken

__all__ = [
    "Refusal",
    "forbidden_detail",
    "hidden",
    "hidden_server",
    "no_longer_good",
    "quarantined",
    "refused",
    "stale",
]

_CHALLENGES: Final = frozenset(
    {
        RefusalReason.MISSING_TOKEN,
        RefusalReason.INVALID_TOKEN,
        RefusalReason.INVALID_PROOF,
        RefusalReason.NONCE_NEEDED,
        RefusalReason.INSUFFICIENT_SCOPE,
    }
)
_ABOUT_ARGUMENTS: Final = frozenset(
    {RefusalReason.INVALID_ARGUMENTS, RefusalReason.OUTSIDE_DETAILS}
)
_NAMED: Final = re.compile(r"`([^`]+)`")
_MISSING_THING: Final[Mapping[ResourceKind | None, str]] = MappingProxyType(
    {
        ResourceKind.TOOL: "unknown tool",
        ResourceKind.RESOURCE: "resource not found",
        ResourceKind.PROMPT: "unknown prompt",
    }
)
_MISSING_NAME: Final = "nothing of that name"
_NO_WORDS: Final = "a policy forbids this call"
_NO_PERMIT: Final = "no policy permits this call"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """`reason`, `detail` and `scopes` are said; `truth` and the rest are recorded."""

    reason: RefusalReason
    detail: str
    truth: RefusalReason
    scopes: tuple[ScopeName, ...] = ()
    token: AccessToken | None = None
    target: Target | None = None
    required: tuple[ScopeName, ...] = ()
    missing: tuple[ScopeName, ...] = ()
    decision: Decision | None = None
    about_server: bool = False
    retry_after: int | None = None
    dpop: bool = False
    """Whether another token would have to be bound to a key; one that was bound is so anyway."""
    needs: tuple[Obligation, ...] = ()
    """What would cure it, where policies say so."""
    wanted: Wanted | None = None
    """The very call, where people could cure it."""
    asked: Asked | None = None
    """Who was asked for the cure; `None` where nobody was."""
    told: History | None = None
    """What policies were told of what was done before."""
    world: World | None = None
    """By what it was decided; `None` when it was refused before that mattered."""

    def outcome(self, decision_id: str) -> Challenge | Deny:
        """What the caller is told."""
        if self.reason in _CHALLENGES:
            return Challenge(
                decision_id=decision_id,
                reason=self.reason,
                detail=self.detail,
                scopes=self.scopes,
                missing=self.missing,
                dpop=self.dpop or (self.token is not None and self.token.jkt is not None),
            )
        return Deny(
            decision_id=decision_id,
            reason=self.reason,
            detail=self.detail,
            about_server=self.about_server,
            retry_after=self.retry_after,
            argument=self._argument(),
            needs=self.needs,
            asked=self.asked,
        )

    @property
    def elevated(self) -> Elevated | None:
        """What people said yes to, and what did not suffice."""
        return None if self.wanted is None else self.wanted.held

    def _argument(self) -> str | None:
        """The argument that `detail` names, where an argument is what is wrong."""
        if self.reason not in _ABOUT_ARGUMENTS:
            return None
        named = _NAMED.search(self.detail)
        return None if named is None else named[1]


def refused(reason: RefusalReason, detail: str, *, token: AccessToken | None = None) -> Refusal:
    """A refusal that says the truth."""
    return Refusal(reason=reason, detail=detail, truth=reason, token=token)


def hidden(
    kind: ResourceKind | None,
    truth: RefusalReason,
    *,
    token: AccessToken,
    target: Target | None = None,
    missing: tuple[ScopeName, ...] = (),
    decision: Decision | None = None,
) -> Refusal:
    """A thing that does not exist, or may not be known to exist: one answer for both, word for word."""
    return Refusal(
        reason=RefusalReason.NOT_FOUND,
        detail=_MISSING_THING.get(kind, _MISSING_NAME),
        truth=truth,
        token=token,
        target=target,
        required=target.scopes if target else (),
        missing=missing,
        decision=decision,
    )


def hidden_server(truth: RefusalReason, token: AccessToken) -> Refusal:
    """A server that does not exist, or not for this tenant, environment or agent."""
    return Refusal(
        reason=RefusalReason.NOT_FOUND,
        detail="unknown server",
        truth=truth,
        token=token,
        about_server=True,
    )


def no_longer_good(token: AccessToken) -> Refusal:
    """A token that was good and is not any more; whether it was revoked or who was suspended is not said."""
    return Refusal(
        reason=RefusalReason.INVALID_TOKEN,
        detail="the token is no longer good",
        truth=RefusalReason.INVALID_TOKEN,
        token=token,
    )


def stale(token: AccessToken) -> Refusal:
    """A token of which nobody can tell at present whether it still stands."""
    detail = "it is not known at present who may act"
    return refused(RefusalReason.STALE_SNAPSHOT, detail, token=token)


def quarantined(token: AccessToken) -> Refusal:
    """A thing that is another one than was admitted."""
    detail = "its definition was changed and waits for review"
    return refused(RefusalReason.QUARANTINED, detail, token=token)


def forbidden_detail(decision: Decision) -> str:
    """The words of the policies that forbid, as their authors wrote them for the caller."""
    forbids = [rule for rule in decision.rules if rule.effect is RuleEffect.FORBID]
    words = list(dict.fromkeys(rule.message for rule in forbids if rule.message))
    if words:
        return "; ".join(words)
    return _NO_WORDS if forbids else _NO_PERMIT
