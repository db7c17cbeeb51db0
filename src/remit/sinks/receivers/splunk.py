"""Splunk's HTTP Event Collector. A 200 says that it was read, not that it was indexed: where acknowledgement is offered, it is waited for.

Indexing takes seconds. So several requests go out before their acknowledgements are waited for, all together: each no
longer than a collector takes, and the records that are on their way at once as many as seconds ask for.

Source: Splunk, "Set up and use HTTP Event Collector", "HTTP Event Collector indexer acknowledgment".
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
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
_RECORDS: Final = 5_000
_CONTENT: Final = 8_000_000
_REQUEST: Final = 1_000_000
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
        return BatchRules(records=_RECORDS, content=_CONTENT)

    async def send(self, shipments: Sequence[Shipment]) -> None:
        waited_for: list[int] = []
        for content in self._requests(shipments):
            number = await self._posted(content)
            if number is not None:
                waited_for.append(number)
        if waited_for:
            await self._acknowledged(waited_for)

    async def _posted(self, content: bytes) -> int | None:
        """The number that says when it is indexed, if the collector gives one."""
        said = await self._events.post(content, self._headers())
        answer = said.parsed()
        if answer.get("code") != 0:
            code = answer.get("code")
            raise SinkDownError(f"answered_code_{code if type(code) is int else 'unknown'}")
        number = answer.get("ackId")
        if type(number) is int:
            return number
        if self._ack == "required":
            raise SinkDownError("not_acknowledged")
        return None

    def _requests(self, shipments: Sequence[Shipment]) -> Iterator[bytes]:
        """The events, in requests that are no longer than a collector takes."""
        held: list[bytes] = []
        size = 0
        for one in shipments:
            event = self._event(one)
            if held and size + len(event) > _REQUEST:
                yield b"".join(held)
                held, size = [], 0
            held.append(event)
            size += len(event)
        yield b"".join(held)

    async def close(self) -> None:
        self._events.close()
        self._acks.close()

    async def _acknowledged(self, numbers: list[int]) -> None:
        """Return when what has these numbers is indexed."""
        left = numbers
        due = time.monotonic() + self._ack_timeout
        for attempt in range(10_000):
            question = orjson.dumps({"acks": left})
            acks = (await self._acks.post(question, self._headers())).parsed().get("acks")
            if isinstance(acks, dict):
                # What is said once is not said again.
                left = [one for one in left if acks.get(str(one)) is not True]
            if not left:
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
