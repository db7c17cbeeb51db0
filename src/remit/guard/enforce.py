"""The policy enforcement point: one call in, one outcome out, one record in the log."""

from remit.audit.port import AuditLog
from remit.guard.call import Call, CallResult
from remit.guard.outcome import Challenge, Deny, Permit
from remit.guard.ports import Directory, Redactor
from remit.guard.settings import GuardSettings
from remit.guard.visible import Visible
from remit.policy.decision_point import DecisionPoint
from remit.tokens.access_token import AccessToken
from remit.tokens.verify import TokenVerifier

__all__ = ["Guard"]


class Guard:
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
        raise NotImplementedError

    @property
    def closed(self) -> bool:
        """Whether every call is refused because an outcome could not be recorded."""
        raise NotImplementedError

    async def authenticate(self, call: Call) -> AccessToken | Challenge | Deny:
        """Who calls; for what uses nothing of a server. Only refusals are recorded."""
        raise NotImplementedError

    async def decide(self, call: Call) -> Permit | Challenge | Deny:
        """Whether this very call may happen; the decision is on stable storage when this returns."""
        raise NotImplementedError

    async def visible(self, call: Call) -> Visible | Challenge | Deny:
        """What may stand in a list of `call.kind` (of every kind when `None`). Recorded once, SOON."""
        raise NotImplementedError

    async def complete(self, permit: Permit, call: Call, *, result: CallResult) -> None:
        """Record what became of a permitted call.

        Raises:
            AuditUnavailableError: it is not recorded; the guard is closed until it is.
        """
        raise NotImplementedError
