"""Stand-ins for those whom the guard asks: a guard that people can be asked about, and what they have answered."""

from dataclasses import dataclass, field, replace

from remit.clock import EpochSeconds
from remit.guard.call import Call
from remit.guard.elevations import Asked, AskedState, Elevated
from remit.guard.outcome import Challenge, Deny, Permit, RefusalReason
from remit.policy.obligation import Obligation, ObligationKind
from tests.gateway.doubles import ListGuard

PAGE = "https://remit.example/approvals/apr_1"
CONFIRM = Obligation(kind=ObligationKind.CONFIRM, value="urn:remit:acr:mfa", rule="high")
APPROVE = Obligation(kind=ObligationKind.REQUIRE_APPROVAL, value="manager", rule="highest")
SCOPE = Obligation(
    kind=ObligationKind.REQUIRE_SCOPE, value="payments.refund.high_value", rule="high"
)
WHY = Obligation(kind=ObligationKind.REQUIRE_JUSTIFICATION, value="reason", rule="why")


@dataclass
class Answered:
    """Which requests wait no longer."""

    requests: set[str] = field(default_factory=set)
    looks: int = 0

    async def answered(self, requests: frozenset[str]) -> frozenset[str]:
        self.looks += 1
        return requests & self.requests


class PeopleGuard(ListGuard):
    """Refuses every call of a thing whose needs are not met, and asks for them; what was approved is spent once."""

    def __init__(self, *needs: Obligation, alone: bool = True, page: str = PAGE) -> None:
        super().__init__()
        self.page = page
        self.needs = needs
        self.alone = alone
        self.state = AskedState.WAITING
        self.reason = ""
        self.asked = 0
        self.approved = False
        self.request_id = "apr_1"
        self.spent_for: str | None = None
        self.said_why: list[object] = []

    async def decide(self, call: Call) -> Permit | Challenge | Deny:
        permit = await super().decide(call)
        if not isinstance(permit, Permit):
            return permit
        if call.justification is not None:
            self.said_why.append(call.justification)
        wanting = tuple(one for one in self.needs if one is not WHY or call.justification is None)
        if WHY in wanting:
            return self._denied(wanting, None)
        if not wanting or self.spent_for in {call.task_of, self._earlier(call)} - {None}:
            return self._spent(permit) if wanting and call.task_of is None else permit
        if self.approved:
            self.approved, self.request_id = False, f"{self.request_id}_again"
            return self._spent(permit)
        self.asked += 1
        asked = Asked(
            id=self.request_id,
            state=self.state,
            url=self.page,
            expires_at=EpochSeconds(1_800_000_000),
            alone=self.alone,
            reason=self.reason,
        )
        return self._denied(wanting, asked)

    @staticmethod
    def _earlier(call: Call) -> str | None:
        return None if call.earlier is None else call.earlier.decision_id

    def _spent(self, permit: Permit) -> Permit:
        self.spent_for = f"dec_{len(self.decided)}"
        elevated = Elevated(id="elv_1", grant_id="g2", acr="urn:remit:acr:mfa")
        return replace(permit, decision_id=self.spent_for, elevated=elevated)

    @staticmethod
    def _denied(needs: tuple[Obligation, ...], asked: Asked | None) -> Deny:
        reasons = {
            CONFIRM: RefusalReason.CONFIRMATION_NEEDED,
            APPROVE: RefusalReason.APPROVAL_NEEDED,
            SCOPE: RefusalReason.ELEVATION_NEEDED,
            WHY: RefusalReason.JUSTIFICATION_NEEDED,
        }
        return Deny(
            decision_id="dec_1",
            reason=reasons[needs[0]],
            detail="the person has to confirm this very call",
            needs=needs,
            asked=asked,
        )


__all__ = ["APPROVE", "CONFIRM", "PAGE", "SCOPE", "WHY", "Answered", "PeopleGuard"]
