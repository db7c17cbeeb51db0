"""Enforces one call, in any process: token, standing, catalog, scopes, arguments, policy, record.

Refuses whatever it cannot decide or cannot record. Reads two snapshots in memory;
knows no database, no page and no door.

Whoever writes an MCP server needs one name, and it costs them next to nothing until the server starts::

    from remit.guard import protect

    app = protect(server, remit="https://remit.example", name="crm", secret=secret)

Everything else is loaded when it is asked for.
"""

import importlib
import types
import typing

from remit.guard.protect import Protected, protect

if typing.TYPE_CHECKING:
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
    "Protected",
    "Redactor",
    "RefusalReason",
    "RefusalResponse",
    "Standing",
    "Visible",
    "protect",
    "refusal_response",
    "www_authenticate",
]

_STANDS_IN = types.MappingProxyType(
    {
        "Call": "call",
        "CallResult": "call",
        "Challenge": "outcome",
        "Deny": "outcome",
        "Directory": "ports",
        "Guard": "enforce",
        "GuardSettings": "settings",
        "Outcome": "outcome",
        "Permit": "outcome",
        "Redactor": "ports",
        "RefusalReason": "outcome",
        "RefusalResponse": "challenge",
        "Standing": "ports",
        "Visible": "visible",
        "refusal_response": "challenge",
        "www_authenticate": "challenge",
    }
)


def __getattr__(name: str) -> object:
    """What is asked for by `name`, and loaded by that (PEP 562)."""
    module = _STANDS_IN.get(name)
    if module is None:
        raise AttributeError(f"module `remit.guard` has no `{name}`")
    return getattr(importlib.import_module(f"remit.guard.{module}"), name)
