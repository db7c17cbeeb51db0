"""OpenTelemetry log records over HTTP, in JSON. An export, never the record: a collector behind may sample and drop.

The body is the record in the form asked for; what tools of OpenTelemetry look for stands in the attributes. Never
among them: the arguments of a tool, although the conventions have a name for them.

Protobuf is not spoken: every collector takes JSON at the same place, by its content type.

Source: OTLP 1.9, "OTLP/HTTP", "Partial Success", "JSON Protobuf Encoding"; OpenTelemetry logs data model; semantic conventions `mcp`, `gen_ai`.
"""

from collections.abc import Sequence
from typing import Any, Final

import orjson

from remit.sinks.declared import DECLARED
from remit.sinks.port import BatchRules, SinkRefusedError, SinkSettings
from remit.sinks.receivers.http_receiver import HttpReceiver
from remit.sinks.receivers.options import check_options, header_secret
from remit.sinks.shipment import Shipment

__all__ = ["OtlpSink"]

_OPTIONS: Final = DECLARED["otlp"].options
_SEVERITIES: Final = {2: (21, "FATAL"), 4: (13, "WARN"), 5: (10, "INFO2"), 6: (9, "INFO")}
_TOOL_CALL: Final = "tools/call"


class OtlpSink:
    """The collector whose logs are taken at the URL of the sink, such as `https://otel.example:4318/v1/logs`. Implements `AuditSink`."""

    def __init__(self, settings: SinkSettings) -> None:
        check_options(settings, _OPTIONS)
        self._settings = settings
        self._header = settings.options.get("header", "authorization").lower()
        self._resource = [_attribute("service.name", settings.options.get("service_name", "remit"))]
        self._logs = HttpReceiver(settings)

    @property
    def batch(self) -> BatchRules:
        return BatchRules()

    async def send(self, shipments: Sequence[Shipment]) -> None:
        content = {
            "resourceLogs": [
                {
                    "resource": {"attributes": self._resource},
                    "scopeLogs": [
                        {
                            "scope": {"name": "remit.audit"},
                            "logRecords": [_record(one) for one in shipments],
                        }
                    ],
                }
            ]
        }
        said = await self._logs.post(orjson.dumps(content), self._headers())
        if not said.body:
            return
        partial = said.parsed().get("partialSuccess")
        rejected = partial.get("rejectedLogRecords") if isinstance(partial, dict) else None
        if rejected not in (None, 0, "0"):
            # For good, and which ones is not said: they are looked for by asking for fewer.
            raise SinkRefusedError("rejected_some")

    async def close(self) -> None:
        self._logs.close()

    def _headers(self) -> list[tuple[str, str]]:
        headers = [("content-type", "application/json")]
        secret = header_secret(self._settings)
        if secret is not None:
            value = f"Bearer {secret}" if self._header == "authorization" else secret
            headers.append((self._header, value))
        return headers


def _record(one: Shipment) -> dict[str, Any]:
    number, word = _SEVERITIES[one.severity]
    nanoseconds = str(one.milliseconds * 1_000_000)
    record: dict[str, Any] = {
        "attributes": _attributes(one),
        "body": {"stringValue": one.content.decode()},
        "eventName": f"remit.{one.kind}",
        "observedTimeUnixNano": nanoseconds,
        "severityNumber": number,
        "severityText": word,
        "timeUnixNano": nanoseconds,
    }
    if one.trace is not None:
        record["traceId"], record["spanId"] = one.trace
    return record


def _attributes(one: Shipment) -> list[dict[str, Any]]:
    found = [
        _attribute("log.record.uid", one.id),
        _attribute("remit.audit.leaf", one.leaf),
        _attribute("remit.audit.log", one.log),
        {"key": "remit.audit.sequence", "value": {"intValue": str(one.sequence)}},
    ]
    body = one.entry.get("body")
    body = body if isinstance(body, dict) else {}
    method = body.get("method")
    named = {
        "enduser.id": one.entry.get("user"),
        "error.type": body.get("reason") if body.get("outcome") in {"deny", "challenge"} else None,
        "gen_ai.agent.id": one.entry.get("agent"),
        "gen_ai.operation.name": "execute_tool" if method == _TOOL_CALL else None,
        "gen_ai.tool.name": body.get("name") if method == _TOOL_CALL else None,
        "jsonrpc.request.id": body.get("jsonrpc_id"),
        "mcp.method.name": method,
        "remit.tenant": one.tenant,
        "server.address": body.get("server"),
    }
    found += [_attribute(key, value) for key, value in named.items() if isinstance(value, str)]
    return found


def _attribute(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}
