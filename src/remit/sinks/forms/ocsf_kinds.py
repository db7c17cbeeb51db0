"""Which OCSF class and activity each kind of event is.

A kind that stands in no table, of a later version or of a plug-in, is an Entity Management event of its noun, with
the activity of its verb; so nothing is left out for being new.

Source: OCSF 1.8.0, categories Findings, Identity & Access Management, System and Application Activity.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = ["ACTIVITIES", "CLASSES", "KINDS", "OcsfClass", "meaning_of"]


@dataclass(frozen=True, slots=True)
class OcsfClass:
    """A class of OCSF: its number, its category's, and its names, the second as the schema has it."""

    uid: int
    category: int
    caption: str
    name: str


EVENT_LOG: Final = 1008
DETECTION: Final = 2004
ACCOUNT: Final = 3001
AUTHENTICATION: Final = 3002
AUTHORIZE_SESSION: Final = 3003
ENTITY: Final = 3004
USER_ACCESS: Final = 3005
API_ACTIVITY: Final = 6003

CLASSES: Final[Mapping[int, OcsfClass]] = MappingProxyType(
    {
        one.uid: one
        for one in (
            # The name is misspelt in the schema, and has to be.
            OcsfClass(EVENT_LOG, 1, "Event Log Activity", "event_log_actvity"),
            OcsfClass(DETECTION, 2, "Detection Finding", "detection_finding"),
            OcsfClass(ACCOUNT, 3, "Account Change", "account_change"),
            OcsfClass(AUTHENTICATION, 3, "Authentication", "authentication"),
            OcsfClass(AUTHORIZE_SESSION, 3, "Authorize Session", "authorize_session"),
            OcsfClass(ENTITY, 3, "Entity Management", "entity_management"),
            OcsfClass(USER_ACCESS, 3, "User Access Management", "user_access"),
            OcsfClass(API_ACTIVITY, 6, "API Activity", "api_activity"),
        )
    }
)
OTHER: Final = 99

_EVENT_LOG = {"clear": 1, "delete": 2, "export": 3, "archive": 4, "rotate": 5, "start": 6, "stop": 7,
              "restart": 8, "enable": 9, "disable": 10, "other": OTHER}  # fmt: skip
_ACCOUNT = {"create": 1, "enable": 2, "password": 3, "reset": 4, "disable": 5, "delete": 6,
            "factor_on": 10, "factor_off": 11, "other": OTHER}  # fmt: skip
_ENTITY = {"create": 1, "read": 2, "update": 3, "delete": 4, "enroll": 6, "enable": 8, "disable": 9,
           "activate": 10, "deactivate": 11, "suspend": 12, "resume": 13, "other": OTHER}  # fmt: skip

_TABLE: Final[Mapping[int, Mapping[str, int]]] = {
    EVENT_LOG: {
        "audit.erased": _EVENT_LOG["delete"],
        "audit.exported": _EVENT_LOG["export"],
        "audit.gap": _EVENT_LOG["other"],
        "audit.key_changed": _EVENT_LOG["other"],
        "audit.pruned": _EVENT_LOG["delete"],
        "audit.queried": _EVENT_LOG["other"],
        "audit.recovered": _EVENT_LOG["restart"],
        "audit.rules_changed": _EVENT_LOG["other"],
        "audit.started": _EVENT_LOG["start"],
        "audit.stopped": _EVENT_LOG["stop"],
        "clock.jumped": _EVENT_LOG["other"],
        "disk.filling": _EVENT_LOG["other"],
        "effect.failed": _EVENT_LOG["other"],
        "logs.joined": _EVENT_LOG["other"],
        "record.unreadable": _EVENT_LOG["other"],
        "signer.lost": _EVENT_LOG["disable"],
        "signer.recovered": _EVENT_LOG["enable"],
        "sink.lagging": _EVENT_LOG["disable"],
        "sink.recovered": _EVENT_LOG["enable"],
        "sink.reset": _EVENT_LOG["other"],
        "sink.tested": _EVENT_LOG["other"],
        "witness.lost": _EVENT_LOG["disable"],
        "witness.recovered": _EVENT_LOG["enable"],
    },
    DETECTION: {
        "definition.quarantined": 1,
        "emergency.overdue": 1,
        "guardrail.violated": 1,
        "token.reuse_detected": 1,
    },
    ACCOUNT: {
        "account.created": _ACCOUNT["create"],
        "account.disabled": _ACCOUNT["disable"],
        "account.enabled": _ACCOUNT["enable"],
        "account.password_changed": _ACCOUNT["password"],
        "account.updated": _ACCOUNT["other"],
        "authn.factors_reset": _ACCOUNT["factor_off"],
        "authn.passkey_added": _ACCOUNT["factor_on"],
        "authn.passkey_removed": _ACCOUNT["factor_off"],
        "authn.recovery_codes_issued": _ACCOUNT["factor_on"],
        "authn.totp_disabled": _ACCOUNT["factor_off"],
        "authn.totp_enabled": _ACCOUNT["factor_on"],
        "identity.linked": _ACCOUNT["other"],
        "identity.unlinked": _ACCOUNT["other"],
    },
    AUTHENTICATION: {
        "authn.failed": 1,
        "authn.login": 1,
        "authn.logout": 2,
        "authn.provider_refused": 1,
        "authn.recovery_code_used": 1,
        "stepup.completed": 1,
        "stepup.expired": OTHER,
        "stepup.failed": 1,
        "stepup.required": OTHER,
    },
    AUTHORIZE_SESSION: {
        "authorization.refused": 1,
        "code.issued": 1,
        "token.exchanged": 1,
        "token.issued": 1,
        "token.refreshed": 1,
        "token.refused": 1,
    },
    ENTITY: {
        "access.requested": _ENTITY["create"],
        "agent.resumed": _ENTITY["resume"],
        "agent.suspended": _ENTITY["suspend"],
        "approval.answered": _ENTITY["update"],
        "approval.escalated": _ENTITY["update"],
        "approval.expired": _ENTITY["deactivate"],
        "approval.moved": _ENTITY["update"],
        "approval.opened": _ENTITY["read"],
        "approval.requested": _ENTITY["create"],
        "bundle.activated": _ENTITY["activate"],
        "bundle.approved": _ENTITY["enable"],
        "bundle.proposed": _ENTITY["create"],
        "bundle.refused": _ENTITY["create"],
        "bundle.rejected": _ENTITY["disable"],
        "bundle.trial_ended": _ENTITY["deactivate"],
        "bundle.trial_started": _ENTITY["activate"],
        "client.approved": _ENTITY["activate"],
        "client.cimd_fetched": _ENTITY["read"],
        "client.disabled": _ENTITY["disable"],
        "client.enabled": _ENTITY["enable"],
        "client.queued": _ENTITY["create"],
        "client.refused": _ENTITY["create"],
        "client.registered": _ENTITY["enroll"],
        "client.rejected": _ENTITY["deactivate"],
        "client.removed": _ENTITY["delete"],
        "client.updated": _ENTITY["update"],
        "connection.made": _ENTITY["create"],
        "connection.refused": _ENTITY["create"],
        "connection.removed": _ENTITY["delete"],
        "definition.admitted": _ENTITY["enable"],
        "definition.pinned": _ENTITY["create"],
        "definition.rejected": _ENTITY["disable"],
        "deputy.named": _ENTITY["create"],
        "deputy.removed": _ENTITY["delete"],
        "emergency.reviewed": _ENTITY["update"],
        "guard.seen": _ENTITY["enroll"],
        "history.forgotten": _ENTITY["delete"],
        "hold.lift_requested": _ENTITY["update"],
        "hold.lifted": _ENTITY["deactivate"],
        "hold.requested": _ENTITY["create"],
        "hold.set": _ENTITY["activate"],
        "key.added": _ENTITY["create"],
        "key.retired": _ENTITY["deactivate"],
        "notification.failed": _ENTITY["other"],
        "policy.disabled": _ENTITY["disable"],
        "policy.loaded": _ENTITY["activate"],
        "registration.token_created": _ENTITY["create"],
        "registration.token_revoked": _ENTITY["delete"],
        "secret.removed": _ENTITY["delete"],
        "secret.stored": _ENTITY["update"],
        "selftest.finished": _ENTITY["read"],
    },
    USER_ACCESS: {
        "access.ended": 2,
        "access.granted": 1,
        "consent.denied": OTHER,
        "consent.granted": 1,
        "consent.presented": OTHER,
        "consent.withdrawn": 2,
        "elevation.given": 1,
        "elevation.revoked": 2,
        "elevation.used": OTHER,
        "emergency.taken": 1,
        "grant.revoked": 2,
        "token.revoked": 2,
    },
    API_ACTIVITY: {
        "call.completed": OTHER,
        "decision": OTHER,
        "refusals.counted": OTHER,
        "server.discovered": _ENTITY["read"],
    },
}
ACTIVITIES: Final[Mapping[int, Mapping[int, str]]] = MappingProxyType(
    {
        EVENT_LOG: {1: "Clear", 2: "Delete", 3: "Export", 4: "Archive", 5: "Rotate", 6: "Start", 7: "Stop",
                    8: "Restart", 9: "Enable", 10: "Disable"},
        DETECTION: {1: "Create", 2: "Update", 3: "Close"},
        ACCOUNT: {1: "Create", 2: "Enable", 3: "Password Change", 4: "Password Reset", 5: "Disable", 6: "Delete",
                  10: "MFA Factor Enable", 11: "MFA Factor Disable"},
        AUTHENTICATION: {1: "Logon", 2: "Logoff"},
        AUTHORIZE_SESSION: {1: "Assign Privileges"},
        ENTITY: {1: "Create", 2: "Read", 3: "Update", 4: "Delete", 6: "Enroll", 8: "Enable", 9: "Disable",
                 10: "Activate", 11: "Deactivate", 12: "Suspend", 13: "Resume"},
        USER_ACCESS: {1: "Assign Privileges", 2: "Revoke Privileges"},
        API_ACTIVITY: {1: "Create", 2: "Read", 3: "Update", 4: "Delete"},
    }
)  # fmt: skip
"""What the activities are called; 99 is Other in every class."""
KINDS: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {kind: (uid, one) for uid, rows in _TABLE.items() for kind, one in rows.items()}
)
"""Class and activity by kind. The activity of what an agent does follows from the operation of the tool."""

_NOUNS: Final[Mapping[str, int]] = {
    "account": ACCOUNT,
    "audit": EVENT_LOG,
    "authn": AUTHENTICATION,
    "call": API_ACTIVITY,
    "consent": USER_ACCESS,
    "decision": API_ACTIVITY,
    "discover": API_ACTIVITY,
    "list": API_ACTIVITY,
    "token": AUTHORIZE_SESSION,
    "tool": API_ACTIVITY,
}
_VERBS: Final[Mapping[str, str]] = {
    "activated": "activate", "added": "create", "approved": "enable", "created": "create",
    "deleted": "delete", "disabled": "disable", "enabled": "enable", "expired": "deactivate",
    "lifted": "resume", "opened": "read", "published": "activate", "proposed": "create",
    "registered": "enroll", "rejected": "disable", "removed": "delete", "requested": "create",
    "resumed": "resume", "revoked": "delete", "rotated": "update", "set": "activate",
    "suspended": "suspend", "updated": "update",
}  # fmt: skip


def meaning_of(kind: str) -> tuple[int, int]:
    """Class and activity of an event of that kind."""
    found = KINDS.get(kind)
    if found is not None:
        return found
    noun, _, verb = kind.partition(".")
    uid = _NOUNS.get(noun, ENTITY)
    return uid, _ENTITY[_VERBS.get(verb, "other")] if uid == ENTITY else OTHER
