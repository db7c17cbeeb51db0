"""A record as an OCSF 1.8.0 event. What the schema has no place for stands in `unmapped`, so that nothing is left out.

Released 1.8.0 knows neither agents nor MCP: the agent is the application that acts (`actor.app_name`), the tool is the
operation of an API (`api.operation`), and what policies said is `actor.authorizations`. The leaf hash stands in
`unmapped.leaf`, for OCSF's own fingerprints are of raw data alone.

Source: OCSF 1.8.0; AUDIT §1.3.
"""

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any, Final

from remit.sinks.forms.envelope import (
    body_of,
    instant_ms,
    is_failure,
    part,
    severity_of,
    text,
    texts,
    trace_of,
)
from remit.sinks.forms.ocsf_kinds import (
    ACCOUNT,
    API_ACTIVITY,
    AUTHENTICATION,
    AUTHORIZE_SESSION,
    CLASSES,
    DETECTION,
    ENTITY,
    EVENT_LOG,
    OTHER,
    USER_ACCESS,
    meaning_of,
)
from remit.sinks.shipment import Entry, Told

__all__ = ["PROFILES", "VERSION", "ocsf_of"]

VERSION: Final = "1.8.0"
PROFILES: Final[Mapping[int, tuple[str, ...]]] = MappingProxyType({API_ACTIVITY: ("trace",)})
"""Which profiles an event of a class has."""
_UNKNOWN: Final = "unknown"
_SEVERITIES: Final = {2: 5, 4: 4, 5: 2, 6: 1}
"""OCSF's severities by syslog's: critical, high, low, informational."""
_USER_TYPES: Final = {"user": 1, "admin": 2, "system": 3, "agent": 4, "client": 4}
_OPERATIONS: Final = {"read": 2, "export": 2, "write": 3, "delete": 4}
_ENTITY_TYPES: Final = {"bundle": 5, "policy": 5, "deputy": 2, "emergency": 2}
_RULES: Final = 64


def ocsf_of(told: Told) -> dict[str, Any]:
    """The event."""
    entry = told.entry
    kind = text(entry.get("kind")) or _UNKNOWN
    uid, activity = meaning_of(kind)
    body = body_of(entry)
    if uid == API_ACTIVITY:
        activity = _OPERATIONS.get(str(body.get("operation")), OTHER)
    severity = _SEVERITIES[severity_of(entry)]
    event: dict[str, Any] = {
        "activity_id": activity,
        "activity_name": kind,
        "category_uid": CLASSES[uid].category,
        "class_uid": uid,
        "class_name": CLASSES[uid].caption,
        "message": _message(kind, body),
        "metadata": _metadata(told, kind, uid),
        "severity_id": severity,
        "status_id": 2 if is_failure(entry) else 1,
        "time": instant_ms(entry.get("time")),
        "type_uid": uid * 100 + activity,
        "unmapped": {"leaf": told.leaf, **{name: one for name, one in entry.items() if name not in _PLACED}},
    }  # fmt: skip
    _say(event, "status_code", text(body.get("reason")) or text(body.get("error")))
    _say(event, "status_detail", text(body.get("detail")))
    _SPECIFIC[uid](event, entry, body)
    return event


_PLACED: Final = frozenset({"v", "id", "seq", "kind", "time", "observed"})


def _metadata(told: Told, kind: str, uid: int) -> dict[str, Any]:
    entry = told.entry
    producer = part(entry, "producer")
    metadata: dict[str, Any] = {
        "event_code": kind,
        "log_name": told.log,
        "log_provider": text(producer.get("instance")) or _UNKNOWN,
        "logged_time": instant_ms(entry.get("observed")),
        "original_time": text(entry.get("time")) or _UNKNOWN,
        "product": {
            "name": "Remit",
            "vendor_name": "Remit",
            "version": text(producer.get("version")) or _UNKNOWN,
        },
        "sequence": told.sequence,
        "uid": text(entry.get("id")) or _UNKNOWN,
        "version": VERSION,
    }
    profiles = PROFILES.get(uid)
    if profiles is not None:
        metadata["profiles"] = list(profiles)
    _say(metadata, "tenant_uid", text(entry.get("tenant")))
    trace = trace_of(entry)
    _say(metadata, "correlation_uid", trace[0] if trace else text(entry.get("flow")))
    return metadata


def _message(kind: str, body: Mapping[str, Any]) -> str:
    said = (text(body.get(name)) for name in ("server", "name", "outcome", "reason"))
    return " ".join([kind, *(one for one in said if one is not None)])


def _say(where: dict[str, Any], name: str, value: object) -> None:
    """Put it there, if it is known."""
    if value is not None:
        where[name] = value


def _actor(entry: Entry, body: Mapping[str, Any]) -> dict[str, Any]:
    """Who acted, through which agent and client, and what policies said of it."""
    actor: dict[str, Any] = {"user": _acting(entry)}
    _say(actor, "app_name", text(entry.get("agent")))
    _say(actor, "app_uid", text(entry.get("client")))
    session = text(entry.get("grant")) or text(body.get("session_id"))
    if session is not None:
        actor["session"] = {"uid": session}
    rules = body.get("rules")
    if type(rules) is list and rules:
        version = text(body.get("policy_version"))
        actor["authorizations"] = [_authorization(one, body, version) for one in rules[:_RULES]]
    return actor


def _authorization(rule: object, body: Mapping[str, Any], version: str | None) -> dict[str, Any]:
    """One rule that decided: named alone, or with its effect."""
    found: Mapping[str, Any] = rule if isinstance(rule, dict) else {"id": rule}
    policy: dict[str, Any] = {"uid": str(found.get("id") or _UNKNOWN)}
    _say(policy, "version", version)
    decision = text(found.get("effect")) or text(body.get("outcome")) or _UNKNOWN
    return {"decision": decision, "policy": policy}


def _acting(entry: Entry) -> dict[str, Any]:
    actor = part(entry, "actor")
    kind = text(actor.get("type"))
    uid = text(actor.get("id")) or text(entry.get("user")) or kind or _UNKNOWN
    return {"type_id": _USER_TYPES.get(kind or "", 0), "uid": uid}


def _user(entry: Entry, body: Mapping[str, Any]) -> dict[str, Any]:
    """Whom it is about: the account, the holder, the person on whose behalf; else who acted."""
    for one in (body.get("account_id"), body.get("holder"), entry.get("user")):
        uid = text(one)
        if uid is not None:
            return {"type_id": 1, "uid": uid}
    return _acting(entry)


def _endpoint(entry: Entry) -> dict[str, Any]:
    """Where it came from; what does not come over the network comes from Remit."""
    ip = text(part(entry, "net").get("ip"))
    if ip is None:
        return {"svc_name": "remit"}
    try:
        return {"ip": str(ip_address(ip))}
    except ValueError:
        return {"name": ip}


def _privileges(body: Mapping[str, Any]) -> list[str]:
    """What was given or taken: scopes, or a role, or what is named instead."""
    for name in ("granted", "scopes", "scopes_token", "requested"):
        found = texts(body.get(name))
        if found:
            return found
    return [text(body.get("role")) or text(body.get("offer")) or text(body.get("name")) or _UNKNOWN]


def _api_activity(event: dict[str, Any], entry: Entry, body: Mapping[str, Any]) -> None:
    event["actor"] = _actor(entry, body)
    server = text(body.get("server"))
    method = text(body.get("method")) or text(body.get("where"))
    api: dict[str, Any] = {"operation": text(body.get("name")) or method or _UNKNOWN}
    _say(api, "version", text(body.get("protocol_version")))
    if server is not None:
        api["service"] = {"name": server}
    decision = text(body.get("decision_id"))
    if decision is not None:
        api["request"] = {"uid": decision}
    if event["activity_name"] == "call.completed":
        api["response"] = _response(body)
    event["api"] = api
    event["src_endpoint"] = _endpoint(entry)
    agent = text(part(entry, "net").get("ua"))
    if agent is not None:
        event["http_request"] = {"user_agent": agent}
    name = text(body.get("name"))
    if name is not None:
        resource: dict[str, Any] = {"name": name, "type": method or _UNKNOWN}
        _say(resource, "namespace", server)
        _say(resource, "criticality", text(body.get("sensitivity")))
        event["resources"] = [resource]
    trace = trace_of(entry)
    if trace is not None:
        event["trace"] = {"uid": trace[0]}
    count = body.get("count")
    if type(count) is int:
        event["count"] = count
    micros = body.get("micros")
    if type(micros) is int:
        event["duration"] = micros // 1_000


def _response(body: Mapping[str, Any]) -> dict[str, Any]:
    response: dict[str, Any] = {"message": text(body.get("outcome")) or _UNKNOWN}
    code = body.get("upstream_status")
    if type(code) is int:
        response["code"] = code
    return response


def _authentication(event: dict[str, Any], entry: Entry, body: Mapping[str, Any]) -> None:
    event["user"] = _user(entry, body)
    event["service"] = {"name": "Remit", "uid": text(body.get("provider")) or "remit"}
    event["src_endpoint"] = _endpoint(entry)
    session = text(body.get("session_id"))
    if session is not None:
        event["session"] = {"uid": session}
    amr = texts(body.get("amr"))
    if amr:
        event["is_mfa"] = "mfa" in amr or len(amr) > 1


def _authorize_session(event: dict[str, Any], entry: Entry, body: Mapping[str, Any]) -> None:
    event["actor"] = _actor(entry, body)
    event["user"] = _user(entry, body)
    event["privileges"] = _privileges(body)
    event["src_endpoint"] = _endpoint(entry)
    session = text(entry.get("grant"))
    if session is not None:
        event["session"] = {"uid": session}


def _user_access(event: dict[str, Any], entry: Entry, body: Mapping[str, Any]) -> None:
    event["actor"] = _actor(entry, body)
    event["user"] = _user(entry, body)
    event["privileges"] = _privileges(body)
    event["src_endpoint"] = _endpoint(entry)


def _account(event: dict[str, Any], entry: Entry, body: Mapping[str, Any]) -> None:
    event["actor"] = _actor(entry, body)
    event["user"] = _user(entry, body)
    event["src_endpoint"] = _endpoint(entry)


def _entity(event: dict[str, Any], entry: Entry, body: Mapping[str, Any]) -> None:
    event["actor"] = _actor(entry, body)
    event["src_endpoint"] = _endpoint(entry)
    noun = event["activity_name"].partition(".")[0]
    event["entity"] = {
        "name": text(body.get("name")) or text(body.get("client_name")) or noun,
        "type": noun,
        "type_id": _ENTITY_TYPES.get(noun, OTHER),
        "uid": _entity_uid(noun, entry, body),
    }


_IDS: Final = (
    "access",
    "hold",
    "proposal",
    "key_id",
    "token_id",
    "digest",
    "bundle",
    "policy_version",
    "server",
)


def _entity_uid(noun: str, entry: Entry, body: Mapping[str, Any]) -> str:
    """What it is called: by a field of its own name, by the envelope, or by what else is there."""
    for found in (body.get(noun), entry.get(noun), *(body.get(name) for name in _IDS)):
        uid = text(found)
        if uid is not None:
            return uid
    return noun


def _detection(event: dict[str, Any], entry: Entry, body: Mapping[str, Any]) -> None:
    kind = event["activity_name"]
    event["finding_info"] = {
        "analytic": {"name": kind, "type_id": 1},
        "title": event["message"],
        "types": [kind],
        "uid": event["metadata"]["uid"],
    }
    resource = text(body.get("server")) or text(body.get("resource")) or text(entry.get("grant"))
    if resource is not None:
        event["resources"] = [{"name": resource}]
    event["is_alert"] = True


def _event_log(event: dict[str, Any], entry: Entry, body: Mapping[str, Any]) -> None:
    event["actor"] = _actor(entry, body)
    event["log_name"] = event["metadata"]["log_name"]
    event["log_provider"] = "Remit"
    event["log_type_id"] = 2


_SPECIFIC: Final[Mapping[int, Callable[[dict[str, Any], Entry, Mapping[str, Any]], None]]] = (
    MappingProxyType(
        {
            ACCOUNT: _account,
            API_ACTIVITY: _api_activity,
            AUTHENTICATION: _authentication,
            AUTHORIZE_SESSION: _authorize_session,
            DETECTION: _detection,
            ENTITY: _entity,
            EVENT_LOG: _event_log,
            USER_ACCESS: _user_access,
        }
    )
)
