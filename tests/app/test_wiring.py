import json
from collections import Counter

import httpx2
import pytest
from structlog.testing import capture_logs

from remit.app import build
from remit.repository import RepositoryInvalidError


@pytest.fixture
async def public(app):
    transport = httpx2.ASGITransport(app.asgi)
    async with httpx2.AsyncClient(transport=transport, base_url=app.settings.issuer) as client:
        yield client


@pytest.mark.parametrize(
    "path",
    [
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/jwks",
        "/.well-known/oauth-protected-resource/mcp/crm",
        "/login?return_to=/authorize/continue?request=x",
        "/healthz",
        "/readyz",
    ],
)
async def test_every_room_has_its_place(public, path):
    answer = await public.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-request-id"]
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_refused_call_is_in_the_log_and_in_the_metrics(app, public, settings):
    params = {"name": "find_account", "arguments": {}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = {"Accept": "application/json, text/event-stream"}
    answer = await public.post("/mcp/crm", json=message, headers=headers)
    assert answer.status_code == 401
    # Nobody waits for the record of a call without a token; the record of this one comes after it.
    again = {**headers, "Authorization": "Bearer nonsense"}
    assert (await public.post("/mcp/crm", json=message, headers=again)).status_code == 401
    records = next((settings.data / "audit" / "main").glob("*.jsonl")).read_text().splitlines()
    decided = [json.loads(line) for line in records if '"kind":"decision"' in line]
    assert [one["body"]["reason"] for one in decided] == ["missing_token", "invalid_token"]
    metrics = app.reload._metrics.registry
    labels = {"server": "crm", "outcome": "challenge", "reason": "missing_token"}
    assert metrics.get_sample_value("remit_decisions_total", labels) == 1


async def test_keys_survive_a_restart(settings, clock):
    seen = []
    for _ in range(2):
        async with build(settings, environ={}, clock=clock) as app:
            transport = httpx2.ASGITransport(app.asgi)
            async with httpx2.AsyncClient(transport=transport, base_url=settings.issuer) as http:
                seen.append((await http.get("/jwks")).json())
    assert seen[0] == seen[1]
    assert "d" not in seen[0]["keys"][0]


async def test_a_repository_with_a_mistake_opens_nothing(settings):
    (settings.repo / "remit.yaml").write_text("nonsense: [")
    before = sorted(settings.data.iterdir())
    with pytest.raises(RepositoryInvalidError):
        async with build(settings, environ={}):
            pytest.fail("it opened")
    assert sorted(settings.data.iterdir()) == before


async def test_the_start_records_what_is_in_force(app, settings):
    records = next((settings.data / "audit" / "main").glob("*.jsonl")).read_text().splitlines()
    kinds = [json.loads(line)["kind"] for line in records]
    assert kinds == ["audit.started", "policy.loaded"]
    started = json.loads(records[0])
    assert started["body"]["settings_digest"] == settings.digest()


FLOODS = {
    "register": ("POST", "/register", {"json": {"redirect_uris": ["javascript:alert(1)"]}}),
    "not json": ("POST", "/register", {"content": b"x", "headers": {"Content-Type": "text/plain"}}),
    "authorize": ("GET", "/authorize?client_id=nope", {}),
    "consent": ("POST", "/authorize/consent", {"data": {"request": "unknown"}}),
    "token": ("POST", "/token", {"data": {"grant_type": "refresh_token", "client_id": "nope"}}),
    "no token": ("POST", "/mcp/crm", {"json": {"jsonrpc": "2.0", "id": 1, "method": "ping"}}),
    "bad token": (
        "POST",
        "/mcp/crm",
        {
            "json": {"jsonrpc": "2.0", "id": 1, "method": "ping"},
            "headers": {"Authorization": "Bearer nonsense"},
        },
    ),
}


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_flood_of_refusals_becomes_one_exact_count_in_the_log(settings, clock, flood):
    method, path, options = FLOODS[flood]
    headers = {
        "Accept": "application/json, text/event-stream",
        **options.get("headers", {}),
    }
    async with build(settings, environ={}, clock=clock) as app:
        transport = httpx2.ASGITransport(app.asgi)
        async with httpx2.AsyncClient(transport=transport, base_url=settings.issuer) as http:
            statuses = {
                (await http.request(method, path, **{**options, "headers": headers})).status_code
                for _ in range(45)
            }
    assert len(statuses) == 1
    lines = next((settings.data / "audit" / "main").glob("*.jsonl")).read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    kinds = Counter(one["kind"] for one in entries)
    alone = kinds["client.refused"] + kinds["authorization.refused"] + kinds["token.refused"]
    assert alone + kinds["decision"] == 30
    (count,) = [one["body"] for one in entries if one["kind"] == "refusals.counted"]
    assert (count["count"], count["network"]) == (15, "127.0.0.1")


async def test_who_names_a_client_without_a_secret_is_nobody_yet(public, app, settings):
    metadata = {"redirect_uris": ["http://127.0.0.1/cb"], "token_endpoint_auth_method": "none"}
    client = (await public.post("/register", json=metadata)).json()["client_id"]
    form = {"grant_type": "refresh_token", "client_id": client, "refresh_token": "nonsense"}
    for _ in range(40):
        assert (await public.post("/token", data=form)).json()["error"] == "unauthorized_client"
        await public.get(f"/authorize?client_id={client}&response_type=token")
    await app.audit.record_counts()
    lines = next((settings.data / "audit" / "main").glob("*.jsonl")).read_text().splitlines()
    counts = [json.loads(one) for one in lines if '"kind":"refusals.counted"' in one]
    assert {one["body"]["where"]: one["body"]["count"] for one in counts} == {
        "token": 25,
        "authorize": 25,
    }
    assert {one["client"] for one in counts} == {client}


@pytest.mark.parametrize("path", ["/login", "/metrics", "/jwks", "/nothing"])
async def test_a_rebound_name_reads_nothing_of_the_site(public, path):
    answer = await public.get(path, headers={"Host": "rebound.example:8600"})
    assert answer.status_code == 421
    assert answer.json()["code"] == "misdirected_request"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/token", "/revoke", "/introspect", "/register", "/authorize", "/login"]
)
async def test_who_hangs_up_in_the_middle_of_a_body_leaves_no_trace_to_read(app, settings, path):
    coming = iter([{"type": "http.request", "body": b"grant_", "more_body": True}])
    sent = []

    async def receive():
        return next(coming, {"type": "http.disconnect"})

    async def send(message):
        sent.append(message)

    kind = b"application/json" if path == "/register" else b"application/x-www-form-urlencoded"
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "client": ("192.0.2.1", 1),
        "headers": [
            (b"host", app.settings.issuer.removeprefix("http://").encode()),
            (b"content-type", kind),
        ],
    }
    stream = next((settings.data / "audit" / "main").glob("*.jsonl"))
    before = stream.read_bytes()
    with capture_logs() as lines:
        await app.asgi(scope, receive, send)
    assert [one for one in lines if one["log_level"] in {"warning", "error"}] == []
    assert sent == []
    assert stream.read_bytes() == before
