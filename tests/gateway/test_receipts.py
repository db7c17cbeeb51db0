import json

import pytest

from remit.audit.context import Context
from remit.audit.port import Receipt
from remit.gateway.jsonrpc import Response
from remit.gateway.receipts import RECEIPT_KEY, with_receipt, without_receipt
from remit.gateway.settlement import Settlement
from remit.guard.call import Call
from remit.guard.outcome import Permit, Told
from remit.testing import FixedClock
from remit_audit_verify.receipts import read_receipts
from tests.gateway.doubles import DECISION, ListGuard, token_of

TOLD = Told("remit/main", Receipt(7, "a" * 64))
OUTCOME = Receipt(8, "b" * 64)
SAID = {
    "log": "remit/main",
    "decision": {"seq": 7, "leaf": "a" * 64},
    "outcome": {"seq": 8, "leaf": "b" * 64},
    "size": 9,
}


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"content": [{"type": "text", "text": "x"}], "isError": True},
        {"content": [], "_meta": {"theirs": 1}},
        {"content": [], "_meta": "no object"},
        {"UPPER": 1, "content": []},
    ],
    ids=["empty", "error", "meta", "bad-meta", "upper"],
)
@pytest.mark.parametrize("written", [True, False], ids=["written", "unwritten"])
def test_a_result_carries_its_receipt_beside_everything_it_had(result, written):
    response = Response(1, result=result)
    if written:
        response.payload()
    told = with_receipt(response, TOLD, OUTCOME)
    sent = json.loads(told.to_bytes())["result"]
    assert sent["_meta"][RECEIPT_KEY] == SAID
    assert sent == told.result
    meta = result.get("_meta")
    kept = {**result, "_meta": meta} if isinstance(meta, dict) else result
    assert {key: sent[key] for key in kept if key != "_meta"} == {
        key: kept[key] for key in kept if key != "_meta"
    }
    if isinstance(meta, dict):
        assert sent["_meta"] == {**meta, RECEIPT_KEY: SAID}


def test_an_error_has_no_receipt():
    error = Response(1, error={"code": -32603, "message": "no"})
    assert with_receipt(error, TOLD, OUTCOME) is error


def test_what_a_server_writes_in_our_place_is_left_out():
    forged = Response(1, result={"content": [], "_meta": {RECEIPT_KEY: {"seq": 0}, "x": 1}})
    assert without_receipt(forged).result == {"content": [], "_meta": {"x": 1}}
    for kept in (
        Response(1, result={"_meta": {"x": 1}}),
        Response(1, result={}),
        Response(1, error={}),
    ):
        assert without_receipt(kept) is kept


def test_the_verifier_reads_the_receipts_of_an_answer():
    told = with_receipt(Response(1, result={"content": []}), TOLD, OUTCOME)
    found = read_receipts(told.to_bytes().decode())
    assert [(one.log, one.sequence, one.leaf.hex()) for one in found] == [
        ("remit/main", 7, "a" * 64),
        ("remit/main", 8, "b" * 64),
    ]


@pytest.mark.parametrize(
    ("method", "told", "has"),
    [
        ("tools/call", TOLD, True),
        ("tools/call", None, False),
        ("resources/read", TOLD, False),
    ],
    ids=["tool", "nobody-is-told", "resource"],
)
async def test_only_a_tools_answer_has_one_and_only_where_it_may(method, told, has):
    call = Call(server="crm", method=method, authorization=(), context=Context())
    permit = Permit(decision_id="dec_1", token=token_of("dana"), decision=DECISION, told=told)
    settlement = Settlement(ListGuard(), call, permit, clock=FixedClock())
    response = Response(1, result={"content": []})
    assert settlement.receipted(response) is response
    await settlement.answered(response, upstream_status=200)
    meta = (settlement.receipted(response).result or {}).get("_meta", {})
    assert (RECEIPT_KEY in meta) is has
