"""What an answer says of its call, in a word."""

import pytest

from remit.gateway.jsonrpc import Response, error_response
from remit.gateway.outcome import outcome_of

CASES = {
    "a result": ("tools/call", {"content": []}, "ok"),
    "a tool's own error": ("tools/call", {"isError": True}, "tool_error"),
    "a task": ("tools/call", {"resultType": "task"}, "task"),
    "a task of before": ("tools/call", {"task": {"taskId": "t"}}, "task"),
    "a result that speaks of a task": (
        "tools/call",
        {"content": [], "task": {"taskId": "t"}},
        "ok",
    ),
    "working": ("tasks/get", {"status": "working"}, "task"),
    "asking": ("tasks/get", {"status": "input_required"}, "task"),
    "done": ("tasks/get", {"status": "completed", "result": {}}, "ok"),
    "done, of before": ("tasks/get", {"status": "completed"}, "ok"),
    "done with an error": (
        "tasks/get",
        {"status": "completed", "result": {"isError": True}},
        "tool_error",
    ),
    "failed": ("tasks/get", {"status": "failed"}, "error"),
    "cancelled": ("tasks/cancel", {"status": "cancelled"}, "cancelled"),
    "acknowledged": ("tasks/cancel", {}, "ok"),
    "fetched": ("tasks/result", {"isError": True}, "tool_error"),
    "of no known form": ("tasks/get", {"status": 7, "result": []}, "ok"),
}


@pytest.mark.parametrize(("method", "result", "outcome"), CASES.values(), ids=CASES)
def test_each_answer_has_one_outcome(method, result, outcome):
    assert outcome_of(method, Response(1, result=result)) == outcome
    assert outcome_of(method, error_response(1, -32603, "no")) == "error"
