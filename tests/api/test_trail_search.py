"""Asking the log through the management API of a whole Remit."""

import json

import pytest

from remit.app import build


async def ask(management, verb, **body):
    answer = await management.post(f"/api/v1/audit/{verb}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def kinds(answer):
    return [one["record"]["kind"] for one in answer["events"]]


async def test_events_are_found_newest_first_with_what_was_looked_at(management, dana):
    await management.post("/api/v1/users", json=dana)
    found = await ask(management, "search", limit=2)
    assert kinds(found) == ["audit.queried", "account.created"]
    (looked,) = found["ranges"]
    assert (looked["log"], looked["first"]) == ("remit/main", 0)
    assert looked["to"] == found["events"][0]["seq"] + 1
    assert found["behind"] == 0
    older = await ask(management, "search", limit=100, cursor=found["next"])
    assert kinds(older) == ["policy.loaded", "audit.started"]
    assert older["next"] is None
    # What was written between the pages is in neither, and both say so.
    assert older["ranges"][0]["to"] == looked["to"]


async def test_asking_is_recorded_before_it_is_answered_and_a_value_never(management, app):
    await ask(management, "search", value="4111 1111 1111 1111", tenant="acme", limit=3)
    (asked,) = (await ask(management, "search", kind="audit.queried", limit=1, cursor=None))[
        "events"
    ][:1]
    told = await ask(management, "search", kind="audit.queried", limit=2)
    query = told["events"][1]["record"]["body"]["query"]
    assert asked["record"]["body"]["query"] == {"kind": "audit.queried", "limit": 1}
    assert query == {"kind": "audit.queried", "limit": 1}
    everything = json.dumps((await ask(management, "search", limit=100))["events"])
    assert "4111" not in everything


TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJxeiJ9.c2lnbmF0dXJlLW9mLW5vYm9keQ"


@pytest.mark.parametrize("field", ["jti", "agent", "grant", "reason", "text", "name", "about"])
async def test_a_secret_that_is_looked_for_by_the_wrong_name_is_not_recorded(management, field):
    await ask(management, "search", **{field: TOKEN})
    await ask(management, "timeline", subject="trace", id=TOKEN, **{field: TOKEN})
    await management.get("/api/v1/audit/tail", params={"agent": TOKEN})
    await management.post("/api/v1/audit/export", json={"form": "csv", field: TOKEN})
    await management.get("/api/v1/audit/record", params={"log": TOKEN, "seq": 0})
    told = await ask(management, "search", limit=100)
    assert kinds(told).count("audit.queried") == 5
    assert TOKEN[:20] not in json.dumps(told["events"])


async def test_nothing_is_answered_when_asking_cannot_be_recorded(management, app):
    app.database.close()
    app.audit._log._log.close()
    for verb, body in (
        ("search", {}),
        ("timeline", {"subject": "agent", "id": "billing-job"}),
    ):
        answer = await management.post(f"/api/v1/audit/{verb}", json=body)
        assert answer.status_code == 503
        assert "audit.started" not in answer.text


async def test_a_grants_story_begins_with_its_token_and_ends_with_its_revocation(
    management, grant, app
):
    (granted,) = (await management.get("/api/v1/grants")).json()["grants"]
    await management.post(f"/api/v1/grants/{granted['id']}/revoke", json={"reason": "enough"})
    told = await ask(management, "timeline", subject="grant", id=granted["id"])
    assert kinds(told) == ["token.issued", "grant.revoked"]
    assert told["events"][0]["why"] == [f"grant {granted['id']}"]
    assert told["cut"] is False
    assert await ask(management, "timeline", subject="grant", id="grt_none") | {
        "events": [], "ranges": told["ranges"]} != {}  # fmt: skip
    assert kinds(await ask(management, "timeline", subject="grant", id="grt_none")) == []


async def test_a_persons_story_is_told_by_their_name(management, dana):
    await management.post("/api/v1/users", json=dana)
    told = await ask(management, "timeline", subject="user", id="Dana")
    assert kinds(told) == ["account.created"]
    missing = await management.post(
        "/api/v1/audit/timeline", json={"subject": "user", "id": "nobody"}
    )
    assert missing.status_code == 404


async def test_one_record_is_shown_by_its_number(management):
    answer = await management.get("/api/v1/audit/record", params={"log": "remit/main", "seq": 0})
    (shown,) = answer.json()["events"]
    assert shown["record"]["kind"] == "audit.started"
    assert len(shown["leaf"]) == 64
    for log, seq, status in (("remit/main", 999, 404), ("remit/none", 0, 404), ("x", -1, 400)):
        answer = await management.get("/api/v1/audit/record", params={"log": log, "seq": seq})
        assert answer.status_code == status


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"whom": "x"}, {"cursor": "x"}, {"cursor": "W10="},
        {"kind": "nothing"}, {"since": "yesterday"}, {"value": ""}, {"value": "a\nb"},
    ],
)  # fmt: skip
async def test_a_question_that_could_be_misread_is_refused(management, body):
    assert (await management.post("/api/v1/audit/search", json=body)).status_code == 400


@pytest.mark.parametrize(
    "body", [{}, {"subject": "agent"}, {"id": "x"}, {"subject": "planet", "id": "x"}]
)
async def test_a_story_of_nothing_is_refused(management, body):
    assert (await management.post("/api/v1/audit/timeline", json=body)).status_code == 400


async def test_the_index_is_beside_the_database_and_made_again_when_it_is_gone(settings, environ):
    async with build(settings, environ=environ) as app:
        assert app.trail.index.advance(at_once=True) > 0
    (settings.data / "trail.sqlite3").write_bytes(b"no database")
    async with build(settings, environ=environ) as app:
        assert app.trail.index.advance(at_once=True) > 0
