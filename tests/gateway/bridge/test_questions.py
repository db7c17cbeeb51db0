"""Questions of servers, in the words of either era."""

import pytest

from remit.gateway.bridge.questions import (
    as_input,
    as_question,
    cancelled_answer,
    input_of,
    undeclared,
)
from remit.gateway.jsonrpc import Request

FORM = Request("q", "elicitation/create", {"message": "?", "requestedSchema": {}})
PAGE = Request(
    "q", "elicitation/create", {"mode": "url", "url": "https://a.example", "message": "?"}
)
MODEL = Request("q", "sampling/createMessage", {"messages": [], "maxTokens": 1})
TOOLS = Request("q", "sampling/createMessage", {"messages": [], "maxTokens": 1, "tools": []})
ROOTS = Request("q", "roots/list")


@pytest.mark.parametrize(
    ("question", "declared"),
    [
        (FORM, {"elicitation": {}}), (FORM, {"elicitation": {"form": {}}}),
        (PAGE, {"elicitation": {"url": {}}}), (MODEL, {"sampling": {}}),
        (TOOLS, {"sampling": {"tools": {}}}), (ROOTS, {"roots": {}}),
    ],
    ids=["form", "form-named", "page", "model", "model-with-tools", "roots"],
)  # fmt: skip
def test_what_was_declared_may_be_asked(question, declared):
    assert undeclared(question, declared) is None


@pytest.mark.parametrize(
    ("question", "declared", "code"),
    [
        (FORM, {}, -32601), (FORM, {"elicitation": {"url": {}}}, -32602),
        (PAGE, {"elicitation": {}}, -32602), (MODEL, {"elicitation": {}}, -32601),
        (TOOLS, {"sampling": {}}, -32602), (ROOTS, {"roots": True}, -32602),
        (Request("q", "tools/call", {}), {"elicitation": {}}, -32601),
    ],
    ids=["form", "only-pages", "page", "model", "model-with-tools", "roots", "call"],
)  # fmt: skip
def test_what_was_not_declared_is_refused_to_the_server(question, declared, code):
    refused = undeclared(question, declared)
    assert refused.id == "q"
    assert refused.error["code"] == code


def test_what_only_a_legacy_server_says_is_left_out_of_an_input():
    params = {**PAGE.params, "elicitationId": "e1", "task": {}, "_meta": {"progressToken": 1}}
    assert as_input(Request("q", PAGE.method, params)) == {
        "method": PAGE.method,
        "params": PAGE.params,
    }
    assert as_input(ROOTS) == {"method": "roots/list"}


@pytest.mark.parametrize(
    "asked", [None, [], {}, {"method": "tools/call"}, {"method": "roots/list", "params": []}]
)
def test_what_is_no_question_is_none(asked):
    assert input_of(asked, "a") is None


def test_an_input_becomes_a_question_under_an_id_of_ours():
    assert input_of({"method": "roots/list"}, "a") == Request("a", "roots/list")
    assert as_question(FORM) == FORM
    assert as_question(PAGE).params["elicitationId"]


def test_only_a_person_can_be_said_not_to_have_decided():
    assert cancelled_answer(FORM) == {"action": "cancel"}
    assert cancelled_answer(MODEL) is None
