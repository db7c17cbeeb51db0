"""Receipts: whoever called a tool is told where the records of its call stand.

`_meta["dev.remit/audit"]` of a tool's result names the log, the number and leaf hash of the decision and of the
outcome, and how many records a checkpoint must have to cover both. Who keeps it can show later that the log lost or
changed them, also those that no checkpoint had covered yet. What a server itself writes under that name is left out.

Source: AUDIT §1.4 (receipts); MCP 2026-07-28 base protocol, `_meta`.
"""

from typing import Final

from remit.audit.port import Receipt
from remit.canonical import Json, JsonObject
from remit.gateway.jsonrpc import Response
from remit.guard.outcome import Told

__all__ = ["RECEIPT_KEY", "with_receipt", "without_receipt"]

RECEIPT_KEY: Final = "dev.remit/audit"
_META: Final = "_meta"


def with_receipt(response: Response, told: Told, outcome: Receipt) -> Response:
    """`response`, and where its decision and its outcome stand. The id, and every other member, are as they were."""
    result = response.result
    if result is None:
        return response
    decision = told.receipt
    said: JsonObject = {
        "log": told.log,
        "decision": {"seq": decision.sequence, "leaf": decision.leaf},
        "outcome": {"seq": outcome.sequence, "leaf": outcome.leaf},
        "size": max(decision.sequence, outcome.sequence) + 1,
    }
    if _META in result:
        meta = result[_META]
        kept: dict[str, Json] = {**meta} if isinstance(meta, dict) else {}
        return Response(response.id, {**result, _META: {**kept, RECEIPT_KEY: said}})
    return response.with_member(_META, {RECEIPT_KEY: said})


def without_receipt(response: Response) -> Response:
    """`response` without what a server wrote in our place."""
    meta = None if response.result is None else response.result.get(_META)
    if response.result is None or not isinstance(meta, dict) or RECEIPT_KEY not in meta:
        return response
    kept: dict[str, Json] = {key: one for key, one in meta.items() if key != RECEIPT_KEY}
    return Response(response.id, {**response.result, _META: kept})
