"""Tasks are not carried, and nobody behind the gateway is told that a caller could."""

import pytest

from remit.gateway.jsonrpc import Request
from remit.gateway.tasks import without_tasks
from tests.gateway.doubles import META

CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
TASKS = "io.modelcontextprotocol/tasks"


def test_a_call_that_would_become_a_task_stays_a_call():
    asked = Request(
        1, "tools/call", {"name": "x", "task": {"ttl": 60_000}, "arguments": {"task": 1}}
    )
    assert without_tasks(asked).params == {"name": "x", "arguments": {"task": 1}}


def test_the_promise_to_understand_them_goes_no_further():
    told = {**META, CAPABILITIES: {"extensions": {TASKS: {}, "x/y": {}}, "sampling": {}}}
    kept = {**META, CAPABILITIES: {"extensions": {"x/y": {}}, "sampling": {}}}
    assert without_tasks(Request(1, "x", {"_meta": told})).params == {"_meta": kept}
    opening = Request(0, "initialize", {"capabilities": {"tasks": {}, "roots": {}}})
    assert without_tasks(opening).params == {"capabilities": {"roots": {}}}


@pytest.mark.parametrize(
    "params",
    [
        None,
        {},
        {"capabilities": {"tasks": {}}},
        {"_meta": None},
        {"_meta": {CAPABILITIES: None}},
        {"_meta": {CAPABILITIES: {"extensions": []}}},
    ],
)
def test_everything_else_stays_as_it_is(params):
    assert without_tasks(Request(1, "tools/call", params)).params == params
