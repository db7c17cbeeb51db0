r"""A record in the Common Event Format: one line, whatever is in it.

In the head `\` and `|` are escaped, in values `\`, `=` and line breaks. Control, format and separating characters become
U+FFFD, so that nothing can break a line, colour a terminal or reverse what is read, whoever wrote the record. What
the format has no key for stands whole in `remitRecord`, as JSON.

Source: ArcSight Common Event Format, version 26, "Character Encoding".
"""

import unicodedata
from ipaddress import ip_address
from typing import Any, Final

import orjson

from remit.sinks.forms.envelope import body_of, instant_ms, part, severity_of, text
from remit.sinks.shipment import Told

__all__ = ["cef_of"]

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SEVERITIES: Final = {2: 10, 4: 8, 5: 5, 6: 2}
_LONGEST: Final = 1_023
_IPV6: Final = 6


def cef_of(told: Told) -> str:
    """The line."""
    entry = told.entry
    body = body_of(entry)
    producer, actor, net = part(entry, "producer"), part(entry, "actor"), part(entry, "net")
    kind = text(entry.get("kind")) or "unknown"
    name = " ".join(
        one for one in (kind, text(body.get("outcome")), text(body.get("reason"))) if one
    )
    head = "|".join(
        _head(one)
        for one in (
            "CEF:0",
            "Remit",
            "Remit",
            text(producer.get("version")) or "0",
            kind,
            name,
            str(_SEVERITIES[severity_of(entry)]),
        )
    )
    fields: tuple[tuple[str, Any], ...] = (
        ("rt", instant_ms(entry.get("time"))),
        ("externalId", entry.get("id")),
        ("cat", kind.partition(".")[0]),
        ("act", body.get("method")),
        ("outcome", body.get("outcome")),
        ("reason", body.get("reason")),
        ("suid", entry.get("user") or actor.get("id")),
        ("spriv", actor.get("type")),
        *_source(net.get("ip")),
        ("requestClientApplication", net.get("ua")),
        ("destinationServiceName", body.get("server")),
        ("sproc", entry.get("agent")),
        ("deviceExternalId", told.log),
        ("cn1Label=sequence cn1", told.sequence),
        ("cs1Label=leaf cs1", told.leaf),
        ("cs2Label=tenant cs2", entry.get("tenant")),
        ("cs3Label=grant cs3", entry.get("grant")),
        ("cs4Label=name cs4", body.get("name")),
        ("cs5Label=policyVersion cs5", body.get("policy_version")),
        ("cs6Label=trace cs6", part(entry, "trace").get("trace_id")),
    )
    said = [f"{key}={_value(_cut(value))}" for key, value in fields if _is_said(value)]
    said.append(f"remitRecord={_value(orjson.dumps(entry).decode())}")
    return f"{head}|{' '.join(said)}"


def _source(value: object) -> tuple[tuple[str, Any], ...]:
    """Where it came from: `src` is for IPv4 alone, and what is no address stands in `remitRecord`."""
    try:
        address = ip_address(str(value))
    except ValueError:
        return ()
    if address.version == _IPV6:
        return (("c6a2Label=Source IPv6 Address c6a2", str(address)),)
    return (("src", str(address)),)


def _is_said(value: object) -> bool:
    return value is not None and value != "" and not isinstance(value, (dict, list))


def _cut(value: object) -> str:
    """As long as the keys of the format may be; the whole is in `remitRecord`."""
    return str(value)[:_LONGEST]


def _head(value: str) -> str:
    return _inert(value).replace("\\", "\\\\").replace("|", "\\|")


def _value(value: str) -> str:
    if value.isprintable() and "=" not in value and "\\" not in value:
        return value
    return _inert(value).replace("\\", "\\\\").replace("=", "\\=")


def _inert(value: str) -> str:
    if value.isprintable():
        return value
    return "".join("\ufffd" if unicodedata.category(one) in _HIDDEN else one for one in value)
