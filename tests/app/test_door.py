import io
import logging

import httpx2
import pytest
import structlog
from starlette.responses import PlainTextResponse

from remit.app.door import Door
from remit.app.logs import configure_logs
from remit.app.metrics import Metrics
from remit.settings import LogFormat, LogLevel


async def echo_site(scope, receive, send):
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await PlainTextResponse(f"site {len(body)}")(scope, receive, send)


async def gateway(scope, receive, send):
    await PlainTextResponse("gateway")(scope, receive, send)


async def broken(scope, receive, send):
    raise RuntimeError("a secret inside")


async def broken_halfway(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise RuntimeError("too late")


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(version="0", is_server=lambda _: False)


@pytest.fixture
def log():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logs(LogLevel.DEBUG, LogFormat.JSON, stream=stream)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def client(metrics, log):
    def open_(site=echo_site, *, through=gateway):
        door = Door(gateway=through, site=site, name="site", metrics=metrics, max_body=2048)
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(door), base_url="http://remit")

    return open_


@pytest.mark.parametrize("path", ["/mcp/crm", "/mcp/", "/mcp/a/b"])
async def test_what_is_below_mcp_goes_to_the_gateway(client, path):
    async with client() as http:
        assert (await http.get(path)).text == "gateway"


@pytest.mark.parametrize(
    "path", ["/", "/mcp", "/%6dcp/crm", "/mcp%2fcrm", "//mcp/crm", "/MCP/crm", "/x/../mcp"]
)
async def test_nothing_else_does(client, path):
    async with client() as http:
        assert (await http.get(path)).text == "site 0"


async def test_every_answer_carries_an_id_of_ours(client):
    async with client() as http:
        first = await http.get("/", headers={"x-request-id": "theirs"})
        second = await http.get("/mcp/crm")
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert "theirs" not in first.headers["x-request-id"]


async def test_what_escapes_is_told_to_the_log_and_not_to_the_client(client, log):
    async with client(broken) as http:
        answer = await http.get("/")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "internal_error"
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert "secret" not in answer.text
    assert "RuntimeError: a secret inside" in log.getvalue()
    assert problem["request_id"] in log.getvalue()


async def test_an_answer_that_breaks_off_is_not_answered_twice(metrics, log):
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.disconnect"}

    door = Door(gateway=None, site=broken_halfway, name="site", metrics=metrics, max_body=2048)
    scope = {
        "type": "http", "method": "GET", "path": "/", "raw_path": b"/", "headers": [], "client": None,
    }  # fmt: skip
    await door(scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert "too late" in log.getvalue()


async def test_a_body_that_says_it_is_too_large_is_not_read(client):
    async with client() as http:
        assert (await http.post("/", content=b"x" * 2048)).text == "site 2048"
        answer = await http.post("/", content=b"x" * 2049)
    assert answer.status_code == 413
    assert answer.json()["code"] == "content_too_large"


async def test_a_body_that_does_not_say_is_read_no_further_than_the_limit(client):
    async def endless():
        for _ in range(100):
            yield b"x" * 1000

    async with client() as http:
        assert (await http.post("/", content=endless())).status_code == 413


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "+5", "٣"])
async def test_a_length_that_is_no_number_is_refused(metrics, length):
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b""}

    door = Door(gateway=None, site=echo_site, name="site", metrics=metrics, max_body=2048)
    headers = [(b"content-length", length.encode())]
    scope = {
        "type": "http", "method": "POST", "path": "/", "raw_path": b"/", "headers": headers, "client": None,
    }  # fmt: skip
    await door(scope, receive, send)
    assert sent[0]["status"] == 413


async def test_the_gateway_itself_says_what_is_too_large_for_it(client):
    """In JSON-RPC, which a problem document is not."""
    async with client() as http:
        answer = await http.post("/mcp/crm", content=b"x" * 5000)
    assert answer.status_code == 200
    assert answer.text == "gateway"


async def test_the_log_has_the_path_but_no_query_and_no_calls_of_the_gateway(client, log):
    async with client() as http:
        await http.get("/authorize?state=abcdefgh&code_challenge=x")
    line = log.getvalue()
    assert '"path": "/authorize"' in line
    assert "abcdefgh" not in line
    assert '"level": "info"' in line


async def test_calls_and_probes_are_logged_for_those_who_debug_only(client, log):
    async with client() as http:
        await http.get("/mcp/crm")
        await http.get("/healthz")
    assert log.getvalue().count('"level": "debug"') == 2
    assert '"level": "info"' not in log.getvalue()


async def test_tokens_are_in_the_audit_log_and_not_in_this_one_unless_something_broke(client, log):
    async with client() as http:
        await http.post("/token")
    assert '"level": "info"' not in log.getvalue()
    async with client(broken) as http:
        await http.post("/token")
    assert '"level": "info"' in log.getvalue()


async def test_requests_are_counted_by_door_and_status(client, metrics):
    async with client() as http:
        await http.get("/")
        await http.get("/mcp/crm")
    get = metrics.registry.get_sample_value
    for door in ("site", "gateway"):
        labels = {"door": door, "method": "GET", "status": "200"}
        assert get("remit_http_requests_total", labels) == 1
        assert get("remit_http_requests_open", {"door": door}) == 0


async def test_a_door_without_a_gateway_has_one_application(client):
    async with client(through=None) as http:
        assert (await http.get("/mcp/crm")).text == "site 0"


async def test_websockets_are_not_spoken(metrics):
    door = Door(gateway=gateway, site=echo_site, name="site", metrics=metrics, max_body=2048)
    sent = []

    async def send(message):
        sent.append(message)

    await door({"type": "websocket", "raw_path": b"/mcp/crm"}, None, send)
    assert sent == []
