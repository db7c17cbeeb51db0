import asyncio
import json
import shutil
import sys

import pytest

from remit.api import trail
from remit.api.administrator import Administrator
from remit.api.trail import _latest, _lines, _written_since
from remit.audit import Context, Query
from remit.audit.events import AuditQueried
from remit.audit.file_source import FileSource
from remit.db import DatabaseUnavailableError
from remit.trail import Question, search

BY = Administrator(context=Context())


async def events(management, **query: object) -> list[dict[str, object]]:
    answer = await management.get("/api/v1/audit/tail", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_the_latest_events_come_oldest_first_and_looking_is_one(management):
    kinds = [event["kind"] for event in await events(management)]
    assert kinds == ["audit.started", "policy.loaded", "audit.queried"]
    (looked,) = await events(management, kind="audit.queried", count=1)
    assert looked["actor"] == {"type": "admin", "id": None}
    assert looked["body"]["query"] == {"count": 1, "follow": False, "kind": "audit.queried"}


async def test_events_are_chosen_by_what_they_are_about(management, dana):
    await management.post("/api/v1/users", json=dana)
    await management.post("/api/v1/agents/billing-job/suspend", json={"reason": "odd"})
    (suspended,) = await events(management, agent="billing-job")
    assert suspended["kind"] == "agent.suspended"
    assert suspended["body"]["reason"] == "odd"
    assert [event["kind"] for event in await events(management, kind="account.*")] == [
        "account.created"
    ]
    assert await events(management, kind="token.issued") == []


@pytest.mark.parametrize(
    "query", ["count=0", "count=1001", "count=-1", "count=x", "count=1e3", "follow=1", "whom=x"]
)
async def test_a_query_that_could_be_misread_is_refused(management, query):
    assert (await management.get(f"/api/v1/audit/tail?{query}")).status_code == 400


async def test_nothing_is_shown_when_looking_cannot_be_recorded(management, app):
    # The log is given up under the application: whatever it says now was not recorded.
    app.database.close()
    app_log = app.audit._log._log
    app_log.close()
    answer = await management.get("/api/v1/audit/tail")
    assert answer.status_code == 503
    assert "audit.started" not in answer.text


async def test_following_shows_what_comes_and_ends_when_the_process_stops(
    management, app, settings, monkeypatch
):
    monkeypatch.setattr(trail, "_POLL", 0.01)
    deps = _Deps(app.trail, app.stopping)
    seen: list[str] = []
    came = asyncio.Event()

    async def follow() -> None:
        latest = await asyncio.to_thread(_latest, deps, Question(query=Query(), limit=1))
        async for line in _lines(deps, latest, Query(), by=BY, goes_on=True):
            seen.append(json.loads(line)["kind"])
            if seen[-1] == "agent.suspended":
                came.set()

    task = asyncio.create_task(follow())
    async with asyncio.timeout(60):
        while not seen:  # noqa: ASYNC110  the first line says that it follows
            await asyncio.sleep(0.01)
        await management.post("/api/v1/agents/billing-job/suspend", json={})
        await came.wait()
        app.stopping.set()
        await task
    assert seen == ["policy.loaded", "agent.suspended"]


class _Deps:
    """What following reads of the room's dependencies."""

    def __init__(self, trail, stopping) -> None:
        self.source = trail.index.source
        self.trail = trail
        self.stopping = stopping


@pytest.mark.usefixtures("app")
async def test_a_line_that_is_still_being_written_is_left_for_later(settings, tmp_path):
    # A copy: the log itself stops as soon as somebody else writes into it.
    stream = shutil.copytree(settings.data / "audit" / "main", tmp_path / "copy")
    source, place = FileSource(stream), {"remit/main": 2}
    (segment,) = stream.glob("*.jsonl")
    whole = segment.read_bytes().splitlines()[-1]
    with segment.open("ab") as file:
        file.write(whole[:10])
        file.flush()
        assert _written_since(source, place) == []
        file.write(whole[10:] + b"\n")
    assert [found.entry["kind"] for found in _written_since(source, place)] == ["policy.loaded"]
    assert _written_since(source, place) == []


async def test_what_is_rare_is_looked_for_beyond_the_first_answer(management, app, monkeypatch):
    monkeypatch.setattr(sys.modules[search.__module__], "_RECORDS", 3)
    for number in range(40):
        await app.audit.append(AuditQueried(query={"number": number}))
    assert [one["kind"] for one in await events(management, kind="policy.*")] == ["policy.loaded"]
    app.trail.index.advance(at_once=True)
    monkeypatch.setattr(trail, "_PAGES", 2)
    answer = await management.get("/api/v1/audit/tail", params={"tenant": "nobody", "count": 5})
    assert (answer.text, answer.headers["remit-more"]) == ("", "false")
    answer = await management.get("/api/v1/audit/tail", params={"until": "2001", "count": 1000})
    assert answer.text == ""


async def test_what_cannot_be_read_is_an_error_and_no_answer_that_ends_early(
    management, app, monkeypatch
):
    def broken(*_):
        raise DatabaseUnavailableError("the database does not answer")

    monkeypatch.setattr(trail, "search", broken)
    answer = await management.get("/api/v1/audit/tail", params={"follow": "true"})
    assert answer.status_code == 503
