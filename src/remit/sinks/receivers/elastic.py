"""Elasticsearch, and what speaks its bulk interface. Each record is created under its own id: sent twice, it is there once.

What is answered is read record by record: a bulk request succeeds although some of it failed.

Source: Elasticsearch 9, "Bulk API"; Elastic Common Schema, "Data stream fields".
"""

import base64
from collections.abc import Sequence
from typing import Any, Final

import orjson

from remit.sinks.declared import DECLARED
from remit.sinks.port import BatchRules, SinkDownError, SinkRefusedError, SinkSettings
from remit.sinks.receivers.http_receiver import HttpReceiver
from remit.sinks.receivers.options import (
    SinkMisdeclaredError,
    check_options,
    choice,
    header_secret,
)
from remit.sinks.shipment import Shipment

__all__ = ["ElasticSink"]

_OPTIONS: Final = DECLARED["elastic"].options
_AUTHENTICATIONS: Final = {"api_key": "ApiKey", "basic": "Basic", "bearer": "Bearer"}
_INDEX: Final = "logs-remit.audit-default"
_THERE_ALREADY: Final = 409
_TOO_MANY: Final = 429


class ElasticSink:
    """The cluster at a URL such as `https://elastic.example:9200`. Implements `AuditSink`."""

    def __init__(self, settings: SinkSettings) -> None:
        check_options(settings, _OPTIONS)
        if not settings.form.is_json:
            raise SinkMisdeclaredError(f"the sink `{settings.name}` takes no form but JSON")
        self._settings = settings
        self._authentication = choice(settings, "auth", "api_key", _AUTHENTICATIONS)
        self._index = settings.options.get("index", _INDEX)
        self._bulk = HttpReceiver(settings, "/_bulk")

    @property
    def batch(self) -> BatchRules:
        return BatchRules()

    async def send(self, shipments: Sequence[Shipment]) -> None:
        lines = []
        for one in shipments:
            lines.append(orjson.dumps({"create": {"_id": one.id, "_index": self._index}}))
            lines.append(one.content)
        content = b"\n".join((*lines, b""))
        answer = (await self._bulk.post(content, self._headers())).parsed()
        items = answer.get("items")
        if not isinstance(items, list) or len(items) != len(shipments):
            raise SinkDownError("answer_incomplete")
        for one, item in zip(shipments, items, strict=True):
            _check(one, item)

    async def close(self) -> None:
        self._bulk.close()

    def _headers(self) -> list[tuple[str, str]]:
        headers = [("content-type", "application/x-ndjson")]
        secret = header_secret(self._settings)
        if secret is not None:
            if self._authentication == "basic":
                secret = base64.b64encode(secret.encode()).decode()
            headers.append(("authorization", f"{_AUTHENTICATIONS[self._authentication]} {secret}"))
        return headers


def _check(one: Shipment, item: Any) -> None:
    """Return if that record is in the index."""
    said = item.get("create") if isinstance(item, dict) else None
    if not isinstance(said, dict) or said.get("_id", one.id) != one.id:
        raise SinkDownError("answer_unreadable")
    status = said.get("status")
    if status == _THERE_ALREADY or (type(status) is int and 200 <= status < 300):
        return
    if type(status) is int and 400 <= status < 500 and status != _TOO_MANY:
        raise SinkRefusedError(f"refused_{status}")
    raise SinkDownError(f"refused_{status}" if type(status) is int else "answer_unreadable")
