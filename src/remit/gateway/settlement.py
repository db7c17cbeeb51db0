"""What became of a permitted call, recorded before its answer ends.

Every permit is settled exactly once, whether the call was answered, failed or was
given up. If the log does not take the outcome, the caller gets no result.

Source: docs/architecture.md, "what fails closed".
"""

import hashlib
from typing import Final

from remit.audit.port import AuditUnavailableError, Receipt
from remit.clock import Clock
from remit.gateway.jsonrpc import Response
from remit.gateway.outcome import outcome_of
from remit.gateway.ports import Enforcement
from remit.gateway.receipts import with_receipt
from remit.guard.call import Call, CallResult
from remit.guard.outcome import Deny, Permit, RefusalReason

__all__ = ["Settlement"]

_TOOL: Final = "tools/call"


class Settlement:
    """The account of one call. `permit` is `None` for a call that nothing decided."""

    def __init__(
        self, guard: Enforcement, call: Call, permit: Permit | None, *, clock: Clock
    ) -> None:
        self._guard = guard
        self._call = call
        self._permit = permit
        self._clock = clock
        self._started = clock.monotonic()
        self._settled = permit is None
        self._outcome: Receipt | None = None

    async def answered(self, response: Response, *, upstream_status: int | None) -> Deny | None:
        """Record the server's answer as it goes to the caller; a refusal if it cannot be recorded."""
        if self._settled:
            return None
        body = response.payload()
        code = None if response.error is None else response.error["code"]
        return await self._settle(
            CallResult(
                outcome=outcome_of(self._call.method, response),
                error_code=code if isinstance(code, int) else None,
                upstream_status=upstream_status,
                size=len(body),
                output_digest=hashlib.sha256(body).hexdigest(),
                micros=self._micros(),
            )
        )

    def receipted(self, response: Response) -> Response:
        """`response`, and where the records of its call stand, if it is a tool's and its caller may be told."""
        permit, outcome = self._permit, self._outcome
        if permit is None or permit.told is None or outcome is None or self._call.method != _TOOL:
            return response
        return with_receipt(response, permit.told, outcome)

    async def failed(
        self, *, upstream_status: int | None = None, outcome: str = "upstream_failed"
    ) -> Deny | None:
        """Record that the server did not answer as the protocol asks, or in what other way the call came to nothing."""
        return await self._settle(
            CallResult(outcome=outcome, upstream_status=upstream_status, micros=self._micros())
        )

    async def given_up(self) -> None:
        """Record that nobody waits for the answer any more; nothing, if it is settled already."""
        await self._settle(CallResult(outcome="cancelled", micros=self._micros()))

    async def _settle(self, result: CallResult) -> Deny | None:
        if self._settled or self._permit is None:
            return None
        self._settled = True
        try:
            self._outcome = await self._guard.complete(self._permit, self._call, result=result)
        except AuditUnavailableError:
            return Deny(
                decision_id=self._permit.decision_id,
                reason=RefusalReason.AUDIT_UNAVAILABLE,
                detail="the outcome of the call could not be recorded",
            )
        return None

    def _micros(self) -> int:
        return int((self._clock.monotonic() - self._started) * 1_000_000)
