"""Records posted to a machine of one's own, many at once, signed as notifications are.

The id of a message follows from the records in it, so that a message sent again is known by it. A receiver that wants to
be believed answers with the header `remit-taken`: the leaf hash of the last record that it keeps. With the option
`confirm` that is waited for, and a status of success alone counts as nothing.

Source: Standard Webhooks specification 1.0.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

import orjson

from remit.clock import rfc3339_ms
from remit.errors import Error
from remit.sinks.declared import DECLARED
from remit.sinks.port import BatchRules, SinkDownError, SinkSettings
from remit.sinks.receivers.http_receiver import HttpReceiver
from remit.sinks.receivers.options import SinkMisdeclaredError, check_options, choice
from remit.sinks.shipment import Shipment
from remit.web.webhook_signature import webhook_signature

__all__ = ["WebhookSink"]

_OPTIONS: Final = DECLARED["webhook"].options
_CONFIRMATIONS: Final = {
    "false": "a status of success will do",
    "true": "`remit-taken` has to be there",
}


class WebhookSink:
    """The machine at the URL of the sink. Implements `AuditSink`."""

    def __init__(self, settings: SinkSettings) -> None:
        check_options(settings, _OPTIONS)
        self._settings = settings
        self._confirmed = choice(settings, "confirm", "false", _CONFIRMATIONS) == "true"
        self._endpoint = HttpReceiver(settings)

    @property
    def batch(self) -> BatchRules:
        return BatchRules()

    async def send(self, shipments: Sequence[Shipment]) -> None:
        now = self._settings.clock.now()
        first, last = shipments[0], shipments[-1]
        message = {
            "data": {
                "first": first.sequence,
                "last": last.sequence,
                "log": first.log,
                "records": [self._content(one) for one in shipments],
            },
            "timestamp": rfc3339_ms(now * 1000),
            "type": "audit.records",
        }
        content = orjson.dumps(message)
        message_id = _id_of(shipments)
        said = await self._endpoint.post(
            content,
            [
                ("content-type", "application/json"),
                ("webhook-id", message_id),
                ("webhook-timestamp", str(now)),
                (
                    "webhook-signature",
                    webhook_signature(content, message_id, now=now, secrets=self._secret()),
                ),
            ],
        )
        if self._confirmed and said.taken != last.leaf:
            raise SinkDownError("not_confirmed")

    async def close(self) -> None:
        self._endpoint.close()

    def _content(self, one: Shipment) -> object:
        return orjson.Fragment(one.content) if self._settings.form.is_json else one.content.decode()

    def _secret(self) -> str:
        name = self._settings.name
        try:
            secret = self._settings.read_secret()
        except Error as error:
            raise SinkMisdeclaredError(
                f"the secret of the sink `{name}` cannot be had", cause=error
            ) from error
        if secret is None:
            raise SinkMisdeclaredError(f"the sink `{name}` has no secret")
        return secret


def _id_of(shipments: Sequence[Shipment]) -> str:
    digest = hashlib.sha256()
    for one in shipments:
        digest.update(one.leaf.encode())
    return f"aud_{digest.hexdigest()[:32]}"
