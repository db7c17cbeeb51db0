"""Splunk's HTTP Event Collector. A 200 says that it was read, not that it was indexed: where acknowledgement is offered, it is waited for.

Source: Splunk, "Set up and use HTTP Event Collector", "HTTP Event Collector indexer acknowledgment".
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final
from uuid import uuid4

import orjson

from remit.sinks.declared import DECLARED
from remit.sinks.port import BatchRules, SinkDownError, SinkSettings
from remit.sinks.receivers.http_receiver import HttpReceiver
from remit.sinks.receivers.options import (
    SinkMisdeclaredError,
    check_options,
    choice,
    header_secret,
    seconds,
)
from remit.sinks.shipment import Shipment

__all__ = ["SplunkSink"]

_OPTIONS: Final = DECLARED["splunk"].options
_ACKS: Final = {"auto": "where the collector gives an id", "required": "in any case"}
_ACK_TIMEOUT: Final = 60.0
_PAUSES: Final = (0.1, 0.2, 0.5, 1.0, 2.0)


class SplunkSink:
    """The collector at a URL such as `https://splunk.example:8088`. Implements `AuditSink`."""

    def __init__(self, settings: SinkSettings) -> None:
        check_options(settings, _OPTIONS)
        self._ack = choice(settings, "ack", "auto", _ACKS)
        self._ack_timeout = seconds(settings, "ack_timeout", _ACK_TIMEOUT)
        self._settings = settings
        self._channel = str(uuid4())
        self._events = HttpReceiver(settings, "/services/collector/event")
        self._acks = HttpReceiver(settings, f"/services/collector/ack?channel={self._channel}")

    @property
    def batch(self) -> BatchRules:
        return BatchRules()

    async def send(self, shipments: Sequence[Shipment]) -> None:
        said = await self._events.post(
            b"".join(self._event(one) for one in shipments), self._headers()
        )
        answer = said.parsed()
        if answer.get("code") != 0:
            raise SinkDownError(f"answered_code_{answer.get('code')}")
        number = answer.get("ackId")
        if type(number) is int:
            await self._acknowledged(number)
        elif self._ack == "required":
            raise SinkDownError("not_acknowledged")

    async def close(self) -> None:
        self._events.close()
        self._acks.close()

    async def _acknowledged(self, number: int) -> None:
        """Return when what has that number is indexed."""
        question = orjson.dumps({"acks": [number]})
        due = time.monotonic() + self._ack_timeout
        for attempt in range(10_000):
            answer = (await self._acks.post(question, self._headers())).parsed()
            acks = answer.get("acks")
            if isinstance(acks, dict) and acks.get(str(number)) is True:
                return
            if time.monotonic() >= due:
                break
            await asyncio.sleep(_PAUSES[min(attempt, len(_PAUSES) - 1)])
        raise SinkDownError("not_acknowledged")

    def _headers(self) -> list[tuple[str, str]]:
        secret = header_secret(self._settings)
        if secret is None:
            raise SinkMisdeclaredError(f"the sink `{self._settings.name}` has no secret")
        return [
            ("authorization", f"Splunk {secret}"),
            ("content-type", "application/json"),
            ("x-splunk-request-channel", self._channel),
        ]

    def _event(self, one: Shipment) -> bytes:
        options = self._settings.options
        event: dict[str, object] = {
            "event": orjson.Fragment(one.content)
            if self._settings.form.is_json
            else one.content.decode(),
            "fields": {"id": one.id, "leaf": one.leaf, "seq": one.sequence},
            "source": one.log,
            "sourcetype": options.get("source_type", f"remit:audit:{self._settings.form.name}"),
            "time": f"{one.milliseconds // 1_000}.{one.milliseconds % 1_000:03d}",
        }
        for name in ("host", "index"):
            if name in options:
                event[name] = options[name]
        return orjson.dumps(event) + b"\n"
