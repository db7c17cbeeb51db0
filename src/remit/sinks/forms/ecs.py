"""A record in the Elastic Common Schema, version 9. What the schema has no field for stands under `remit`.

`event.hash` is the leaf hash and `event.sequence` the number in the log. Map `remit.body` as `flattened`: of one field
the kinds of events may make different things.

Source: Elastic Common Schema 9.2, fields `event`, `user`, `organization`, `rule`, `trace`.
"""

from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any, Final

from remit.sinks.forms.envelope import (
    body_of,
    is_failure,
    part,
    severity_of,
    text,
    trace_of,
)
from remit.sinks.forms.ocsf_kinds import (
    ACCOUNT,
    API_ACTIVITY,
    AUTHENTICATION,
    AUTHORIZE_SESSION,
    DETECTION,
    ENTITY,
    EVENT_LOG,
    USER_ACCESS,
    meaning_of,
)
from remit.sinks.shipment import Entry, Told

__all__ = ["CATEGORIES", "VERSION", "ecs_of"]

VERSION: Final = "9.2.0"
CATEGORIES: Final[Mapping[int, tuple[str, str]]] = MappingProxyType(
    {
        ACCOUNT: ("iam", "user"),
        API_ACTIVITY: ("api", "access"),
        AUTHENTICATION: ("authentication", "info"),
        AUTHORIZE_SESSION: ("iam", "info"),
        DETECTION: ("intrusion_detection", "info"),
        ENTITY: ("configuration", "change"),
        EVENT_LOG: ("configuration", "info"),
        USER_ACCESS: ("iam", "change"),
    }
)
"""`event.category` and `event.type` by the class in OCSF: of each category a type that it is expected to have."""
_TYPES: Final = {"deny": "denied", "challenge": "denied", "allow": "allowed"}
"""What policies say of a call. Of other categories these are no types."""
_PLACED: Final = frozenset(
    {"id", "kind", "net", "observed", "seq", "tenant", "time", "trace", "user"}
)
_ALERT: Final = 4


def ecs_of(told: Told) -> dict[str, Any]:
    """The document."""
    entry = told.entry
    body = body_of(entry)
    document: dict[str, Any] = {
        "@timestamp": text(entry.get("time")) or "1970-01-01T00:00:00.000Z",
        "ecs": {"version": VERSION},
        "event": _event(told, body),
        "log": {"logger": told.log},
        "message": _message(entry, body),
        "remit": {
            name: one for name, one in entry.items() if name not in _PLACED and one is not None
        },
        "service": _service(entry),
    }
    user = text(entry.get("user")) or text(part(entry, "actor").get("id"))
    if user is not None:
        document["user"] = {"id": user}
    tenant = text(entry.get("tenant"))
    if tenant is not None:
        document["organization"] = {"id": tenant}
    _network(document, entry)
    _rule(document, body)
    trace = trace_of(entry)
    if trace is not None:
        document["trace"], document["span"] = {"id": trace[0]}, {"id": trace[1]}
    return document


def _event(told: Told, body: Mapping[str, Any]) -> dict[str, Any]:
    entry = told.entry
    kind = text(entry.get("kind")) or "unknown"
    uid, _ = meaning_of(kind)
    category, sort = CATEGORIES[uid]
    if uid == API_ACTIVITY:
        sort = _TYPES.get(str(body.get("outcome")), sort)
    severity = severity_of(entry)
    event: dict[str, Any] = {
        "action": kind,
        "category": [category],
        "dataset": "remit.audit",
        "hash": told.leaf,
        "kind": "alert" if severity <= _ALERT else "event",
        "module": "remit",
        "outcome": "failure" if is_failure(entry) else "success",
        "provider": "remit",
        "sequence": told.sequence,
        "severity": severity,
        "type": [sort],
    }
    identity = text(entry.get("id"))
    if identity is not None:
        event["id"] = identity
    observed = text(entry.get("observed"))
    if observed is not None:
        event["created"] = observed
    reason = text(body.get("reason"))
    if reason is not None:
        event["reason"] = reason
    micros = body.get("micros")
    if type(micros) is int:
        event["duration"] = micros * 1_000
    return event


def _message(entry: Entry, body: Mapping[str, Any]) -> str:
    said = (
        text(one)
        for one in (entry.get("kind"), body.get("server"), body.get("name"), body.get("outcome"))
    )
    return " ".join(one for one in said if one is not None)


def _service(entry: Entry) -> dict[str, Any]:
    producer = part(entry, "producer")
    service: dict[str, Any] = {"name": text(producer.get("service")) or "remit", "type": "remit"}
    instance, version = text(producer.get("instance")), text(producer.get("version"))
    if instance is not None:
        service["node"] = {"name": instance}
    if version is not None:
        service["version"] = version
    environment = text(entry.get("env"))
    if environment is not None:
        service["environment"] = environment
    return service


def _network(document: dict[str, Any], entry: Entry) -> None:
    net = part(entry, "net")
    address, agent = text(net.get("ip")), text(net.get("ua"))
    if address is not None:
        document["source"] = {"address": address}
        with suppress(ValueError):
            document["source"]["ip"] = str(ip_address(address))
    if agent is not None:
        document["user_agent"] = {"original": agent}


def _rule(document: dict[str, Any], body: Mapping[str, Any]) -> None:
    """The rules that decided; a field of ECS may have several values."""
    rules = body.get("rules")
    if type(rules) is not list or not rules:
        return
    document["rule"] = {
        "id": [
            str(one["id"]) if isinstance(one, dict) and "id" in one else str(one) for one in rules
        ]
    }
    version = text(body.get("policy_version"))
    if version is not None:
        document["rule"]["version"] = version
