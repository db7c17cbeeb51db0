"""What a caller is told whose person has to connect an account. The doors that tell them are in test_presented.py."""

import pytest

from remit.gateway.connection_answer import connection_answer
from remit.gateway.jsonrpc import Request
from remit.gateway.protocol import Era
from remit.gateway.upstream.presented import ConnectionNeededError

ERROR = ConnectionNeededError("Books", "https://remit.example/account")
URL = {"elicitation": {"url": {}}}


def _answer(method, *, era=Era.LEGACY, version="2025-11-25", capabilities=None, meta=None):
    request = Request(1, method, {"_meta": meta} if meta else {})
    return connection_answer(
        request, ERROR, era=era, version=version, capabilities=capabilities or {}
    )


def test_before_its_revision_the_error_with_addresses_is_not_used():
    assert _answer("tools/call", version="2025-06-18", capabilities=URL).error is None
    assert _answer("tools/call", version=None, capabilities=URL).error is None
    assert _answer("tools/call", capabilities=URL).error["code"] == -32042


@pytest.mark.parametrize("method", ["tools/list", "initialize", "server/discover", "ping"])
def test_a_modern_client_is_asked_only_where_a_server_may_ask(method):
    meta = {"io.modelcontextprotocol/clientCapabilities": URL}
    error = _answer(method, era=Era.MODERN, version="2026-07-28", meta=meta).error
    assert error["code"] == -32603  # RS-41: never -32042
    assert error["data"]["reason"] == "connection_needed"


@pytest.mark.parametrize(
    "capabilities", [{"elicitation": True}, {"elicitation": {"url": True}}, {"elicitation": []}]
)
def test_what_declares_nothing_in_its_place_declares_nothing(capabilities):
    answer = _answer("tools/call", capabilities=capabilities)
    assert (answer.error, answer.result["isError"]) == (None, True)
