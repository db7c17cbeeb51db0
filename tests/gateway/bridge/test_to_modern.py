"""Words of the legacy era as a modern client, or server, may have them."""

import pytest

from remit.gateway.bridge.to_modern import (
    discover_result,
    modern_meta,
    modern_notification,
    modern_response,
)
from remit.gateway.jsonrpc import Notification, Response

KEY = "io.modelcontextprotocol/"


@pytest.mark.parametrize(
    ("said", "level", "heard"),
    [
        ("error", "warning", True), ("warning", "warning", True), ("info", "warning", False),
        ("error", None, False), ("error", "loud", False), ("loud", "debug", False), (None, "debug", False),
    ],
)  # fmt: skip
def test_a_log_line_is_heard_by_who_asked_for_its_level(said, level, heard):
    line = Notification("notifications/message", {"level": said, "data": "x"})
    assert (modern_notification(line, level) is line) is heard


@pytest.mark.parametrize(
    "method",
    ["notifications/tools/list_changed", "notifications/resources/updated", "notifications/cancelled",
     "notifications/elicitation/complete", "notifications/tasks/status"],
)  # fmt: skip
def test_what_this_era_tells_elsewhere_does_not_stand_on_the_stream_of_a_call(method):
    assert modern_notification(Notification(method, {}), "debug") is None


def test_a_server_that_says_little_is_described_all_the_same():
    assert discover_result({"capabilities": {"tasks": {}, "tools": {}}}) == {
        "resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}},
        "ttlMs": 0, "cacheScope": "private",
    }  # fmt: skip


def test_what_the_client_said_when_it_initialised_goes_along():
    client = {"capabilities": {"roots": {}, "tasks": {}}}
    meta = modern_meta({"_meta": {"progressToken": 1}}, client, level=None)["_meta"]
    assert meta == {
        "progressToken": 1, f"{KEY}protocolVersion": "2026-07-28", f"{KEY}clientCapabilities": {"roots": {}},
    }  # fmt: skip


def test_a_server_cannot_say_that_its_answer_asks_for_input():
    told = Response(1, result={"resultType": "input_required", "requestState": "s", "content": []})
    assert modern_response(told, "tools/call", {}).result["resultType"] == "complete"
