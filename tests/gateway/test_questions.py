"""What a server asks of the client: what the client can answer, and no page that is not fit to be opened."""

import pytest

from remit.gateway.jsonrpc import Response
from remit.gateway.questions import MAX_QUESTIONS, check_inputs, problem_with
from remit.gateway.rejection import UpstreamError
from tests.gateway.doubles import META, ListGuard, ScriptedServer, gateway, modern, post

FORM = {"mode": "form", "message": "?", "requestedSchema": {}}
PAGE = {"mode": "url", "message": "?", "url": "https://example.com/connect"}
TOOLS = {"messages": [], "maxTokens": 1, "tools": []}
ALLOWED = {
    "a form": ("elicitation/create", FORM, {"elicitation": {"form": {}}}),
    "a form, before there were modes": (
        "elicitation/create",
        {"message": "?"},
        {"elicitation": {}},
    ),
    "a form, with other words": ("elicitation/create", FORM, {"elicitation": {"later": {}}}),
    "a page": ("elicitation/create", PAGE, {"elicitation": {"url": {}}}),
    "a page on this machine": (
        "elicitation/create",
        {**PAGE, "url": "http://127.0.0.1:8080/x"},
        {"elicitation": {"form": {}, "url": {}}},
    ),
    "a model": ("sampling/createMessage", {"messages": []}, {"sampling": {}}),
    "a model with tools": ("sampling/createMessage", TOOLS, {"sampling": {"tools": {}}}),
    "roots": ("roots/list", None, {"roots": {}}),
}
REFUSED = {
    "nothing declared": ("elicitation/create", FORM, {}),
    "declared in no known form": ("elicitation/create", FORM, {"elicitation": True}),
    "a form, to who opens pages": ("elicitation/create", FORM, {"elicitation": {"url": {}}}),
    "a page, to who fills forms": ("elicitation/create", PAGE, {"elicitation": {"form": {}}}),
    "a page, before there were modes": ("elicitation/create", PAGE, {"elicitation": {}}),
    "another mode": ("elicitation/create", {**FORM, "mode": "voice"}, {"elicitation": {}}),
    "a mode that is no word": ("elicitation/create", {**FORM, "mode": 7}, {"elicitation": {}}),
    "a model": ("sampling/createMessage", {}, {"elicitation": {}}),
    "a model with tools": ("sampling/createMessage", TOOLS, {"sampling": {}}),
    "roots": ("roots/list", {}, {"sampling": {}}),
    "tasks of the client": ("tasks/get", {"taskId": "x"}, {"tasks": {}}),
    "anything else": ("x/y", {}, {"x": {}}),
    "too large": ("sampling/createMessage", {"x": "y" * 4_200_000}, {"sampling": {}}),
}
UNFIT = [
    "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://example.com/x",
    "http://example.com/x", "https://dana:secret@example.com/x", "https://dana@example.com/x",
    "https:///x", "//example.com/x", "/x", "", "x", 7, None, "https://example.com/\nx",
    "https://example.com/ x", "https://exa\u200bmple.com/", "https://[::1/x",
    "https://example.com\\@evil.example/", "https://example.com/" + "x" * 2048,
]  # fmt: skip


@pytest.mark.parametrize("case", ALLOWED.values(), ids=ALLOWED)
def test_what_the_client_declared_it_may_be_asked(case):
    assert problem_with(*case) is None


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_what_it_did_not_declare_it_is_not_asked(case):
    assert problem_with(*case) is not None


@pytest.mark.parametrize("url", UNFIT, ids=range(len(UNFIT)))
def test_nobody_is_sent_to_an_address_that_is_not_fit_to_be_opened(url):
    asked = {**PAGE, "url": url}
    problem = problem_with("elicitation/create", asked, {"elicitation": {"url": {}}})
    assert problem is not None
    assert "secret" not in problem


@pytest.mark.parametrize(
    "inputs",
    [
        [],
        7,
        {"q": None},
        {"q": {"params": {}}},
        {"q": {"method": 7}},
        {"k" * 257: {"method": "roots/list"}},
        {str(n): {"method": "roots/list"} for n in range(MAX_QUESTIONS + 1)},
        {str(n): {"method": "roots/list", "x": "y" * 300_000} for n in range(16)},
    ],
    ids=["list", "number", "none", "no method", "no word", "long key", "too many", "too large"],
)
def test_what_is_asked_in_no_known_form_is_refused(inputs):
    with pytest.raises(UpstreamError):
        check_inputs({"inputRequests": inputs}, {"roots": {}})


async def test_a_call_that_asks_what_the_client_cannot_answer_has_failed():
    asks = {"resultType": "input_required", "inputRequests": {"q": {"method": "roots/list"}}}
    server = ScriptedServer(lambda o: [Response(o.message.id, result=asks)])
    guard = ListGuard()
    app = gateway(guard, server)
    answer = await post(app, *modern("tools/call", {"name": "find"}, name="find"))
    assert (answer.status, answer.json["error"]["code"]) == (502, -32603)
    declared = {**META, "io.modelcontextprotocol/clientCapabilities": {"roots": {}}}
    params = {"name": "find", "_meta": declared}
    answer = await post(app, *modern("tools/call", params, name="find"))
    assert answer.json["result"]["inputRequests"] == asks["inputRequests"]
    assert guard.outcomes == ["upstream_failed", "ok"]


async def test_the_level_of_messages_that_a_client_asks_for_goes_up():
    server = ScriptedServer(lambda o: [Response(o.message.id, result={})])
    meta = {**META, "io.modelcontextprotocol/logLevel": "debug"}
    params = {"name": "find", "_meta": meta}
    await post(gateway(ListGuard(), server), *modern("tools/call", params, name="find"))
    assert server.asked[0].message.params["_meta"]["io.modelcontextprotocol/logLevel"] == "debug"


@pytest.mark.parametrize("key", ["remit/approval", "remit/justification", "remit/connect"])
def test_a_server_does_not_ask_in_the_name_of_the_gateway(key):
    asked = {"inputRequests": {key: {"method": "elicitation/create", "params": PAGE}}}
    with pytest.raises(UpstreamError, match="in the gateway's name"):
        check_inputs(asked, {"elicitation": {"url": {}}})
