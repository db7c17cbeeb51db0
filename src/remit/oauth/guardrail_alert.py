"""Alerts for whoever asked beyond a guardrail: an event, a line in the operator's log, a number.

What was asked is refused or narrowed by `issuance`; this only says so. Anybody may be refused
as often as they like, so the events of refusals pass the same flood control as those of
strangers: beyond it they are counted exactly. Where something was granted all the same, the
alert stands in the transaction that grants it.

Source: MISSION B8; AUDIT §1.5.
"""

import structlog

from remit.audit.context import Context
from remit.audit.events import GuardrailViolated
from remit.db import Transaction
from remit.guard.issuance import Ruling, Violation
from remit.oauth.deps import OAuthDeps

__all__ = ["WHERE", "raise_alerts", "record_alerts"]

WHERE = "guardrail"
"""Where such a refusal was counted, when it was."""

_log = structlog.stdlib.get_logger("remit.oauth")


def record_alerts(
    tx: Transaction, ruling: Ruling, *, context: Context, resource: str | None
) -> None:
    """Record in `tx` what `ruling` calls for, beside the event of what was granted all the same."""
    for violation in ruling.violations:
        tx.record(_alert(violation, ruling, context=context, resource=resource))


async def raise_alerts(
    deps: OAuthDeps, ruling: Ruling | None, *, context: Context, resource: str | None
) -> None:
    """Record what `ruling` calls for, where nothing was granted: or count it."""
    if ruling is None:
        return
    for violation in ruling.violations:
        if not deps.audit.count_refusal(context, where=WHERE, error=violation.guardrail.value):
            await deps.audit.append(_alert(violation, ruling, context=context, resource=resource))


def _alert(
    violation: Violation, ruling: Ruling, *, context: Context, resource: str | None
) -> GuardrailViolated:
    """The event; the operator is warned."""
    guardrail = violation.guardrail.value
    _log.warning(
        "guardrail_violated",
        guardrail=guardrail,
        detail=violation.detail,
        client_id=context.client_id,
        agent_id=context.agent_id,
    )
    return GuardrailViolated(
        context=context,
        guardrail=guardrail,
        detail=violation.detail,
        resource=resource,
        requested=(*ruling.scopes, *(one.scope for one in ruling.withheld)),
    )
