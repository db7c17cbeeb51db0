"""Words of the modern era as a legacy server, or client, may have them."""

import pytest

from remit.gateway.bridge.to_legacy import (
    legacy_capabilities,
    legacy_headers,
    legacy_initialize_result,
    legacy_params,
    opening_params,
)

KEY = "io.modelcontextprotocol/"


def test_of_the_parameters_only_the_words_of_both_eras_stay():
    meta = {f"{KEY}protocolVersion": "1", f"{KEY}clientCapabilities": {}, f"{KEY}clientInfo": {},
            f"{KEY}logLevel": "info", "progressToken": 1, "traceparent": "t"}  # fmt: skip
    params = {"name": "a", "inputResponses": {}, "requestState": "s", "_meta": meta}
    assert legacy_params(params) == {"name": "a", "_meta": {"progressToken": 1, "traceparent": "t"}}
    assert legacy_params({"_meta": {f"{KEY}logLevel": "info"}}) is None
    assert legacy_params(None) is None


def test_headers_of_the_modern_era_stay_here():
    assert legacy_headers((("Mcp-Param-A", "1"), ("traceparent", "t"))) == (("traceparent", "t"),)


@pytest.mark.parametrize("info", [None, "me", {"name": "me"}, {"name": 1, "version": "1"}])
def test_a_client_that_says_nothing_of_itself_has_our_name(info):
    opened = opening_params({f"{KEY}clientInfo": info}, {})
    assert opened["clientInfo"]["name"] == "remit"
    assert opened["protocolVersion"] == "2025-11-25"


def test_capabilities_that_the_legacy_era_knows_are_declared():
    said = {
        "elicitation": {"form": {}},
        "roots": {"listChanged": True},
        "extensions": {},
        "tasks": {},
        "sampling": 1,
    }
    assert legacy_capabilities(said) == {"elicitation": {"form": {}}, "roots": {}}
    assert legacy_capabilities(None) == {}


def test_a_server_that_does_not_name_itself_has_some_name():
    result = legacy_initialize_result({"capabilities": 1, "instructions": 2}, "2024-11-05")
    assert result == {
        "protocolVersion": "2024-11-05", "capabilities": {}, "serverInfo": {"name": "remit", "version": "1"},
    }  # fmt: skip
