import json

import pytest

from remit_audit_verify.receipts import BadReceiptError, Receipt, read_receipts

LEAF = "ab" * 32
META = {
    "log": "remit/main",
    "decision": {"seq": 7, "leaf": LEAF},
    "outcome": {"seq": 9, "leaf": LEAF},
    "size": 10,
}
BOTH = (
    Receipt("remit/main", 7, bytes.fromhex(LEAF)),
    Receipt("remit/main", 9, bytes.fromhex(LEAF)),
)


def test_what_an_answer_carries_is_read():
    assert read_receipts(json.dumps(META)) == BOTH
    answer = {"jsonrpc": "2.0", "result": {"content": [], "_meta": {"dev.remit/audit": META}}}
    assert read_receipts(json.dumps(answer)) == BOTH
    assert read_receipts(json.dumps([answer, answer], indent=2)) == BOTH


def test_what_a_siem_holds_is_read_from_json_lines():
    lines = [{"log": "remit/main", "seq": n, "leaf": LEAF, "kind": "decision"} for n in (9, 7)]
    assert read_receipts("\n".join(json.dumps(line) for line in [*lines, {"other": 1}])) == BOTH


def test_the_nearest_log_counts():
    inner = {"log": "remit/b", "seq": 1, "leaf": LEAF}
    (found,) = read_receipts(json.dumps({"log": "remit/a", "all": [inner]}))
    assert found.log == "remit/b"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "{}",
        "[]",
        "[" * 100_000,
        json.dumps({"seq": 1, "leaf": LEAF}),
        json.dumps({"log": "", "seq": 1, "leaf": LEAF}),
        json.dumps({"log": "a", "seq": -1, "leaf": LEAF}),
        json.dumps({"log": "a", "seq": True, "leaf": LEAF}),
        json.dumps({"log": "a", "seq": "1", "leaf": LEAF}),
        json.dumps({"log": "a", "seq": 1, "leaf": LEAF[:-1]}),
        json.dumps({"log": "a", "seq": 1, "leaf": LEAF.upper()}),
        json.dumps({"log": "a", "seq": 2**53, "leaf": LEAF}),
        '{"log":"a","seq":1}\n{"leaf"',
    ],
)
def test_what_holds_no_receipt_is_refused(text):
    with pytest.raises(BadReceiptError):
        read_receipts(text)
