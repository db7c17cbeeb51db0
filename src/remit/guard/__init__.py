"""Enforces one call, in any process: token, standing, catalog, scopes, arguments, policy, record.

Refuses whatever it cannot decide or cannot record. Reads two snapshots in memory;
knows no database, no page and no door.
"""

from remit.guard.call import Call, CallResult
from remit.guard.challenge import RefusalResponse, refusal_response, www_authenticate
from remit.guard.enforce import Guard
from remit.guard.outcome import Challenge, Deny, Outcome, Permit, RefusalReason
from remit.guard.ports import Directory, Redactor, Standing
from remit.guard.settings import GuardSettings
from remit.guard.visible import Visible

__all__ = [
    "Call",
    "CallResult",
    "Challenge",
    "Deny",
    "Directory",
    "Guard",
    "GuardSettings",
    "Outcome",
    "Permit",
    "Redactor",
    "RefusalReason",
    "RefusalResponse",
    "Standing",
    "Visible",
    "refusal_response",
    "www_authenticate",
]
