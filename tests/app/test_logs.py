import io
import json
import logging

import pytest
import structlog

from remit.app.logs import configure_logs, redact
from remit.ids import new_secret
from remit.settings import LogFormat, LogLevel

JWT = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsifQ.eyJzdWIiOiJ1c3JfMSJ9.c2lnbmF0dXJl"


@pytest.fixture
def stream():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield io.StringIO()
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def redacted(**event: object) -> dict[str, object]:
    return dict(redact(None, "info", dict(event)))


@pytest.mark.parametrize(
    "key",
    [
        "authorization", "Authorization", "cookie", "set-cookie", "password", "client_secret",
        "access_token", "refresh_token", "code", "code_verifier", "client_assertion", "state",
        "query_string", "body", "private_key", "api_key", "DPoP",
    ],
)  # fmt: skip
def test_the_value_of_a_telling_key_is_dropped_whole(key):
    assert redacted(**{key: "anything at all"}) == {key: "[redacted]"}


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {JWT}",
        f"token {JWT} refused",
        "authorization: Basic cmVtaXQ6aHVudGVyMg==",
        f"code {new_secret('code_')} was used",
        f"secret {new_secret()}",
        f"GET /authorize?client_id=x&state={new_secret()} failed",
        "http://127.0.0.1:9/callback?code=abc&state=def",
        "postgresql://remit:hunter2@db/remit refused",
        "refresh_token=abc&grant_type=refresh_token",
        "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----",
    ],
    ids=range(10),  # some are random, and parallel runs must agree on their names
)
def test_secrets_are_cut_out_of_any_text(text):
    cut = str(redacted(event=text)["event"])
    assert "[redacted]" in cut
    for secret in (JWT, "hunter2", "cmVtaXQ", "abc", "def", "MIGH"):
        if secret in text:
            assert secret not in cut
    assert len([word for word in cut.replace("[redacted]", "").split() if len(word) > 42]) == 0


def test_what_is_nested_is_redacted_too():
    assert redacted(request={"headers": [{"cookie": "a"}, f"Bearer {JWT}"]}) == {
        "request": {"headers": [{"cookie": "[redacted]"}, "Bearer [redacted]"]}
    }


def test_what_opens_nothing_stays():
    event = {
        "event": "request",
        "path": "/mcp/crm",
        "status": 401,
        "token_type": "access",
        "ms": 0.5,
    }
    assert redacted(**event) == event


def test_a_library_and_remit_write_the_same_json_to_the_same_place(stream):
    configure_logs(LogLevel.INFO, LogFormat.JSON, stream=stream)
    structlog.stdlib.get_logger("remit.http").info("request", path="/healthz", password="hunter2")
    logging.getLogger("some.library").warning("gave up on %s", f"Bearer {JWT}")
    ours, theirs = lines(stream)
    assert (ours["event"], ours["path"], ours["password"]) == ("request", "/healthz", "[redacted]")
    assert theirs["event"] == "gave up on Bearer [redacted]"
    assert ours["level"] == "info"
    assert str(ours["timestamp"]).endswith("Z")


def test_a_traceback_is_redacted(stream):
    configure_logs(LogLevel.INFO, LogFormat.JSON, stream=stream)
    error = RuntimeError(f"upstream said Bearer {JWT}")
    structlog.stdlib.get_logger("remit").error("unhandled", exc_info=error)
    (line,) = lines(stream)
    assert "RuntimeError" in str(line["exception"])
    assert JWT not in stream.getvalue()


def test_what_is_below_the_level_is_not_written(stream):
    configure_logs(LogLevel.WARNING, LogFormat.JSON, stream=stream)
    structlog.stdlib.get_logger("remit").info("chatter")
    logging.getLogger("uvicorn.access").error("never")
    assert stream.getvalue() == ""


def test_http_clients_do_not_say_every_url(stream):
    configure_logs(LogLevel.INFO, LogFormat.JSON, stream=stream)
    for name in ("httpx2", "httpcore2.http11", "uvicorn.error"):
        logging.getLogger(name).info("HTTP Request: GET https://client.example/metadata")
    assert stream.getvalue() == ""


def test_the_console_format_is_for_people(stream):
    configure_logs(LogLevel.INFO, LogFormat.CONSOLE, stream=stream)
    structlog.stdlib.get_logger("remit").info("listening", url="http://127.0.0.1:1")
    assert "listening" in stream.getvalue()
    assert "{" not in stream.getvalue()
