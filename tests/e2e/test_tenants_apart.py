"""A tenant never sees, affects or infers another's: over every operation, endpoint and door.

The operations come from the table itself, so that one that is added is held to it without a line here.
Each is asked about what is ours, what is another organisation's, and what nobody has: the second and the
third must be answered alike, no mark of the other organisation may come out, and nothing of it change.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from remit.api.operation import AnyOperation
from remit.api.table import OPERATIONS
from remit.app import build
from remit.ids import new_id
from remit.model import ALL_TENANTS, MANAGEMENT_OPERATIONS
from remit.settings import Settings
from remit.trail import Cursor
from remit.trail.question import Rest
from tests.e2e.tenant_world import MARK, OURS, SECRET, THEIRS, URL, Ids, World, basic, write_world

pytestmark = pytest.mark.asyncio(loop_scope="module")

BY_NAME = {one.name: one for one in OPERATIONS}
MISSING = Ids(
    tenant="nobody", stem="zqxnone", user=new_id("usr"), username="zqxnone-user", grant=new_id("gnt"),
    session=new_id("ses"), decision=f"dec_{'7' * 26}", client="zqxnone-client", subject="zqxnone-subject",
)  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("apart")
    write_world(folder / "policy")
    environ = {
        "REMIT_BILLING_JOB_SECRET": SECRET, "REMIT_JOB_SECRET": SECRET,
        "REMIT_ZQXOURS_SECRET": f"{SECRET}-1", "REMIT_ZQXMARK_SECRET": f"{SECRET}-2",
    }  # fmt: skip
    settings = Settings(repo=folder / "policy", data=folder / "data")
    async with build(settings, environ=environ) as app:
        public = httpx2.ASGITransport(app.asgi, raise_app_exceptions=False)
        local = httpx2.ASGITransport(app.management)
        async with (
            httpx2.AsyncClient(transport=public, base_url=URL) as http,
            httpx2.AsyncClient(transport=local, base_url="http://remit") as socket,
        ):
            yield World(app, http, socket)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ours(world) -> Ids:
    return await world.plant(OURS)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def theirs(world, ours) -> Ids:
    return await world.plant(THEIRS)


def value_of(name: str, ids: Ids) -> Any:
    """What a member of that name would be if it spoke of `ids`; `None` for what speaks of nothing of theirs."""
    return {
        "agent": f"{ids.stem}-agent", "agent_id": f"{ids.stem}-agent", "user": ids.user, "user_id": ids.user,
        "username": ids.username, "tenant": ids.tenant, "grant": ids.grant, "grant_id": ids.grant,
        "session": ids.session, "decision": ids.decision, "client": ids.client, "client_id": ids.client,
        "server": ids.stem, "thing": f"{ids.stem}/{ids.stem}_tool", "subject": ids.subject,
        "issuer": f"https://{ids.stem}.example", "provider": ids.stem, "resource": f"{URL}/mcp/{ids.stem}",
        "roles": [f"{ids.stem}-role"], "add_roles": [f"{ids.stem}-role"], "role": f"{ids.stem}-role",
        "name": f"{ids.stem}_tool",
    }.get(name)  # fmt: skip


def plain(name: str, schema: dict[str, Any]) -> Any:
    """Something that a required member of no organisation may be."""
    if "enum" in schema:
        return schema["enum"][0]
    pattern = schema.get("pattern", "")
    if "64" in pattern:
        return "0" * 64
    if pattern.startswith("^("):
        return pattern[2:].split("|")[0].split(")")[0]
    kind = schema.get("type", "string")
    if name == "password":
        return "correct horse battery staple"
    return {"integer": 1, "number": 1, "boolean": False, "array": [], "object": {}}.get(
        kind, "words"
    )


def filled(shape: Any, ids: Ids, *, optional: bool) -> dict[str, Any]:
    """A value of `shape` that speaks of `ids`, with all or none of what may be left out."""
    schema = shape.model_json_schema()
    found: dict[str, Any] = {}
    for name, about in schema.get("properties", {}).items():
        required = name in schema.get("required", ())
        value = value_of(name, ids)
        if name == "thing" and "pattern" in about:
            value = "tool"
        texts = about.get("type") == "string" or any(
            one.get("type") == "string" for one in about.get("anyOf", ())
        )
        if isinstance(value, list) and texts:
            value = value[0]
        if value is not None and (required or optional):
            found[name] = value
        elif required:
            found[name] = plain(name, about)
    return found


def requests(operation: AnyOperation, ids: Ids) -> Iterator[tuple[str, str, dict, dict | None]]:
    """Everything that is asked of an operation about `ids`."""
    entry = operation.entry
    plain = entry.path.replace(":path}", "}")
    names = re.findall(r"{(\w+)}", plain)
    path = plain.format(**{one: value_of(one, ids) or f"{ids.stem}-{one}" for one in names})
    for optional in (False, True):
        query = filled(operation.query, ids, optional=optional)
        body = filled(operation.body, ids, optional=optional) if entry.method != "GET" else None
        yield entry.method, path, {name: str(value) for name, value in query.items()}, body
    # Each optional member of a query by itself: a filter for another organisation's.
    schema = operation.query.model_json_schema()
    for name in schema.get("properties", {}):
        value = value_of(name, ids)
        if value is not None and name not in schema.get("required", ()):
            required = filled(operation.query, ids, optional=False)
            shown = value[0] if isinstance(value, list) else value
            yield entry.method, path, {**{k: str(v) for k, v in required.items()}, name: shown}, {}


def neutral(answer: httpx2.Response, ids: Ids) -> tuple[int, str]:
    """The answer, with what was asked about taken out, and what is another each time."""
    text = answer.text
    for one in ids.texts:
        text = text.replace(one, "THAT")
    text = re.sub(r"\b\d{10}\b", "TIME", text)
    text = re.sub(r"\bhld_[0-9a-z]{26}\b", "HOLD", text)
    return answer.status_code, text


def leaked(answer: httpx2.Response, asked: Any, theirs: Ids) -> list[str]:
    """What of the other organisation stands in an answer and was not in the question."""
    said = json.dumps(asked)
    secrets = [MARK, theirs.user, theirs.grant, theirs.session, theirs.decision]
    text = answer.text + json.dumps(dict(answer.headers))
    for one in sorted(theirs.texts, key=len, reverse=True):
        if one in said and one != theirs.tenant:
            text = text.replace(one, "")
    return [one for one in secrets if one in text]


READ_ONLY = [one for one in BY_NAME if MANAGEMENT_OPERATIONS[one].method == "GET"]
CHANGES = [one for one in BY_NAME if MANAGEMENT_OPERATIONS[one].method != "GET"]


LOOKS = {"audit.tail", "audit.search", "audit.timeline", "audit.export"}


async def test_every_operation_of_the_table_is_asked():
    assert set(BY_NAME) == set(MANAGEMENT_OPERATIONS)


@pytest.mark.parametrize("name", READ_ONLY)
async def test_nothing_that_is_read_has_anything_of_theirs(world, ours, theirs, name):
    operation, before = BY_NAME[name], await world.state_of(theirs)
    for request in requests(operation, ours):
        method, path, query, body = request
        answer = await world.administer(method, path, query=query, body=body)
        assert answer.status_code < 500, answer.text
        assert leaked(answer, request, theirs) == [], (request, answer.text[:2_000])
        if ALL_TENANTS in operation.entry.scopes:
            assert answer.status_code == 403, answer.text
    assert await world.state_of(theirs) == before


@pytest.mark.parametrize("name", [*READ_ONLY, *CHANGES])
async def test_what_is_theirs_is_answered_like_what_nobody_has(world, ours, theirs, name):
    operation, before = BY_NAME[name], await world.state_of(theirs)
    log = len([one for one in world.events() if one.get("tenant") == THEIRS])
    for foreign, missing in zip(
        requests(operation, theirs), requests(operation, MISSING), strict=True
    ):
        told = await _ask(world, foreign)
        none = await _ask(world, missing)
        assert told.status_code < 500, told.text
        assert leaked(told, foreign, theirs) == [], (foreign, told.text[:2_000])
        if name not in LOOKS:  # They have the questions before them, of our own administrator.
            assert neutral(told, theirs) == neutral(none, MISSING), foreign
    assert await world.state_of(theirs) == before
    after = [one for one in world.events() if one.get("tenant") == THEIRS]
    assert len(after) == log, after[log:]


@pytest.mark.parametrize("name", CHANGES)
async def test_what_belongs_to_several_is_not_changed_by_one(world, ours, theirs, name):
    """The agent that acts in both, the server that both use."""
    operation = BY_NAME[name]
    both = {"agent": "support-assistant", "server": "crm"}
    names = re.findall(r"{(\w+)}", operation.entry.path)
    if not set(names) & set(both):
        return
    path = operation.entry.path.format(
        **{one: both.get(one) or value_of(one, ours) or "x" for one in names}
    )
    standing = world.app.directory.standing.suspended_agents
    body = filled(operation.body, ours, optional=False)
    answer = await world.administer(operation.entry.method, path, query={}, body=body)
    assert answer.status_code in {400, 403, 404}, answer.text
    assert world.app.directory.standing.suspended_agents == standing


async def _ask(world: World, request: tuple[str, str, dict, dict | None]) -> httpx2.Response:
    method, path, query, body = request
    return await world.administer(method, path, query=query, body=body)


METHODS: list[tuple[str, dict[str, Any]]] = [
    ("tools/list", {}),
    ("tools/call", {"name": "x", "arguments": {}}),
    ("resources/list", {}),
    ("resources/templates/list", {}),
    ("resources/read", {"uri": "x://y"}),
    ("prompts/list", {}),
    ("prompts/get", {"name": "x"}),
    ("completion/complete", {"ref": {"type": "ref/prompt", "name": "x"}, "argument": {"name": "a", "value": ""}}),
    ("server/discover", {}),
    ("ping", {}),
    ("unknown/method", {}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "params"), METHODS, ids=[one for one, _ in METHODS])
async def test_a_token_of_ours_says_nothing_of_their_server(world, ours, theirs, method, params):
    """That a server of that name is here, everybody may know who knows the name (RFC 9728 §3): no more than that."""
    answer = await world.call(OURS, theirs.stem, method, params)
    stranger = await world.call(OURS, theirs.stem, method, params, raw="no.such.token")
    assert leaked(answer, [theirs.stem], theirs) == [], answer.text
    assert answer.status_code == stranger.status_code == 401


@pytest.mark.parametrize(("method", "params"), METHODS, ids=[one for one, _ in METHODS])
async def test_the_gateway_knows_no_server_of_theirs(world, ours, theirs, method, params):
    """Not even with a token that claims to be for it: it is answered as one that is not there."""
    answers = []
    for ids in (theirs, MISSING):
        raw = world.token(
            ids.stem, sub=ours.user, agent_id=f"{ours.stem}-agent", client_id=ours.client,
            scopes=(f"{ours.stem}:things.read",), roles=(f"{ours.stem}-role",),
        )  # fmt: skip
        answer = await world.call(OURS, ids.stem, method, params, raw=raw)
        assert leaked(answer, [ids.stem], theirs) == [], answer.text
        answers.append(answer.status_code)
    assert answers == [404, 404]


def _without_ids(answer: tuple[int, str]) -> tuple[int, str]:
    return answer[0], re.sub(r"dec_[0-9a-z]{26}", "DEC", answer[1])


@pytest.mark.parametrize("grant", ["client_credentials", "refresh_token", "authorization_code"])
async def test_nobody_gets_a_token_for_a_server_of_theirs(world, ours, theirs, grant):
    answers = []
    for ids in (theirs, MISSING):
        answer = await world.http.post(
            "/token",
            headers=basic(f"{ours.stem}-job-client", SECRET),
            data={
                "grant_type": grant, "resource": f"{URL}/mcp/{ids.stem}", "refresh_token": "rmt_rt_x",
                "code": "x", "code_verifier": "v" * 43, "redirect_uri": "http://127.0.0.1/x",
            },
        )  # fmt: skip
        assert answer.status_code in {400, 401}, answer.text
        assert leaked(answer, [ids.stem], theirs) == [], answer.text
        answers.append(neutral(answer, ids))
    if (
        grant != "client_credentials"
    ):  # There the name is known to be of a server, as it is to everybody.
        assert answers[0] == answers[1]


async def test_one_organisations_client_ends_no_token_of_anothers(world, ours, theirs):
    raw = world.tokens[THEIRS]
    before = await world.state_of(theirs)
    answer = await world.http.post(
        "/revoke", headers=basic(f"{ours.stem}-job-client", SECRET), data={"token": raw}
    )
    assert answer.status_code in {200, 400, 401}
    assert MARK not in answer.text
    assert await world.state_of(theirs) == before
    still = await world.call(THEIRS, theirs.stem, "ping", {})
    assert still.status_code != 401


async def test_a_server_learns_nothing_of_a_token_for_anothers(world, ours, theirs):
    found = []
    for raw in (world.tokens[THEIRS], "no.such.token"):
        answer = await world.http.post(
            "/introspect",
            headers=basic(f"{URL}/mcp/{ours.stem}", f"{SECRET}-1"),
            data={"token": raw},
        )
        found.append((answer.status_code, answer.text))
    assert found[0] == found[1]
    assert MARK not in found[0][1]


async def test_the_decision_endpoint_answers_a_server_about_itself_alone(world, ours, theirs):
    answers = []
    for ids in (theirs, MISSING):
        answer = await world.http.post(
            "/access/v1/evaluation",
            headers=basic(f"{URL}/mcp/{ours.stem}", f"{SECRET}-1"),
            json={
                "subject": {"type": "user", "id": ids.user, "properties": {}},
                "action": {"name": "tools/call"},
                "resource": {"type": "tool", "id": f"{ids.stem}_tool", "properties": {"server": ids.stem}},
                "context": {"token": world.tokens[THEIRS]},
            },
        )  # fmt: skip
        assert leaked(answer, [ids.user, f"{ids.stem}_tool"], theirs) == [], answer.text
        answers.append(_without_ids(neutral(answer, ids)))
    assert answers[0] == answers[1]


async def test_the_guards_door_opens_for_no_other_server(world, ours, theirs):
    for path in ("/guard/snapshot", "/guard/records", "/guard/history"):
        answers = []
        for ids in (theirs, MISSING):
            answer = await world.http.post(
                path, headers=basic(f"{URL}/mcp/{ids.stem}", f"{SECRET}-1"), json={}
            )
            assert MARK not in answer.text.replace(theirs.stem, "") or answer.status_code == 404
            answers.append(neutral(answer, ids))
        assert answers[0] == answers[1]


async def test_public_documents_tell_nothing_of_anybodys_people_or_agents(world, ours, theirs):
    for path in (
        "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration",
        "/.well-known/jwks.json", "/jwks", "/.well-known/authzen-configuration",
        "/.well-known/oauth-protected-resource/api/v1", "/api/v1/openapi.json", "/readyz", "/healthz", "/livez",
    ):  # fmt: skip
        answer = await world.http.get(path)
        found = [one for one in (theirs.user, theirs.grant, f"{MARK}-agent", f"{MARK}-user", f"{MARK} Person") if one in answer.text]  # fmt: skip
        assert found == [], path


async def test_what_is_ours_shows_that_the_test_asks_the_right_things(world, ours, theirs):
    """Else all of the above would be answered alike because nothing is ever answered."""
    for path, words in (
        (f"/api/v1/users/{ours.user}", ours.username),
        (f"/api/v1/grants/{ours.grant}", ours.grant),
        (f"/api/v1/agents/{ours.stem}-agent", ours.stem),
        (f"/api/v1/servers/{ours.stem}", ours.stem),
        (f"/api/v1/users/{ours.user}/sessions", ours.session),
        (f"/api/v1/users/{ours.user}/consents", ours.client),
        (f"/api/v1/audit/decisions/{ours.decision}", ours.decision),
        (f"/api/v1/access/who-can?thing={ours.stem}/{ours.stem}_tool", f"{ours.stem}-role"),
    ):
        raw = world.token("remit", environment="management")
        await world.app.standing.now()
        answer = await world.http.get(path, headers={"Authorization": f"Bearer {raw}"})
        assert answer.status_code == 200, (path, answer.text)
        assert words in answer.text, path


async def test_a_cursor_that_says_everything_opens_nothing(world, ours, theirs):
    """One of whoever sees all, handed on; one that was changed to begin anywhere; and each record by its number."""
    path = "/api/v1/audit/search"
    whole = (await world.socket.post(path, json={"limit": 1})).json()["next"]
    answer = await world.administer("POST", path, query={}, body={"cursor": whole})
    assert answer.status_code == 400, answer.text
    own = (await world.administer("POST", path, query={}, body={"limit": 1})).json()["next"]
    given = Cursor.parse(own)
    (log,) = {*world.app.trail.index.source.logs()}
    first, size = world.app.trail.index.source.bounds(log)
    world.app.trail.index.advance(at_once=True)
    for cursor in (
        replace(given, rest=(Rest(log, first, size),)),
        replace(given, below=dict.fromkeys(range(9), 2**62), bound=2**62, opened={}),
    ):
        body = {"cursor": cursor.text(), "limit": 1000}
        answer = await world.administer("POST", path, query={}, body=body)
        assert answer.status_code == 200, answer.text
        # Of the events it is whose they are: ours say what somebody of ours asked about, and may name anything.
        shown = answer.json()
        assert {one["record"]["tenant"] for one in shown.pop("events")} == {OURS}
        assert [one for one in theirs.texts if one in json.dumps(shown)] == []


async def test_no_record_of_theirs_is_shown_by_its_number_or_its_id(world, ours, theirs):
    source = world.app.trail.index.source
    (log,) = source.logs()
    first, size = source.bounds(log)
    missing = await world.administer(
        "GET", "/api/v1/audit/record", query={"log": log, "seq": "99999999"}, body=None
    )
    others = [one for one in source.read(log, first, limit=size) if one.entry()["tenant"] != OURS]
    assert {one.entry()["tenant"] for one in others} >= {THEIRS, None}
    for record in [*others[:20], *others[-20:]]:
        query = {"log": log, "seq": str(record.sequence)}
        answer = await world.administer("GET", "/api/v1/audit/record", query=query, body=None)
        assert (answer.status_code, answer.text) == (404, missing.text)
        body = {"event": record.entry()["id"]}
        found = await world.administer("POST", "/api/v1/audit/search", query={}, body=body)
        assert found.json()["events"] == []
