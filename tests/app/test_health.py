import asyncio

import httpx2
import pytest

from remit.app.data_folder import DataFolder
from remit.app.wiring import App


@pytest.fixture
async def public(app: App):
    transport = httpx2.ASGITransport(app.asgi, client=("127.0.0.1", 1))
    async with httpx2.AsyncClient(transport=transport, base_url=app.settings.issuer) as client:
        yield client


async def failing(public) -> set[str]:
    answer = await public.get("/readyz")
    checks = answer.json()["checks"]
    bad = {name for name, found in checks.items() if found != "ok"}
    assert answer.status_code == (503 if bad else 200)
    assert answer.json()["status"] == ("not_ready" if bad else "ready")
    return bad


async def test_a_process_that_can_do_its_work_is_ready(public, app: App):
    assert await failing(public) == set()
    assert (await public.get("/healthz")).json() == {"status": "ok"}
    assert isinstance(app.folder, DataFolder)


async def test_without_a_database_it_is_alive_but_not_ready(public, app: App):
    app.database.close()
    assert await failing(public) == {"database"}
    assert (await public.get("/healthz")).status_code == 200


async def test_a_database_that_was_destroyed_under_it_is_not_ready(public, app: App):
    """SQLite answers a query that needs no page whatever became of its file."""
    await app.database.ping()
    for path in app.folder.path.glob("remit.sqlite3*"):
        if not path.name.endswith("-shm"):
            path.write_bytes(b"\xa5" * path.stat().st_size)
    assert await failing(public) == {"database"}


async def test_a_stopping_process_is_not_ready(public, app: App):
    app.stopping.set()
    assert await failing(public) == {"running"}


async def test_old_knowledge_of_who_is_revoked_is_not_ready(public, clock):
    clock.advance(6)
    assert await failing(public) == {"standing"}


async def test_a_log_that_takes_nothing_is_not_ready(public, app: App):
    app.audit._log._log.close()
    assert await failing(public) == {"audit"}


async def test_many_who_ask_cost_one_reading(public, app: App, monkeypatch):
    asked = 0
    ping = app.database.ping

    async def counted() -> None:
        nonlocal asked
        asked += 1
        await ping()

    monkeypatch.setattr(app.database, "ping", counted)
    answers = await asyncio.gather(*(public.get("/readyz") for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert asked == 1


@pytest.mark.parametrize(
    ("client", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("192.0.2.1", {}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
        ("192.0.2.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
    ],
)
async def test_metrics_are_for_those_networks_alone(app: App, client, headers, status):
    transport = httpx2.ASGITransport(app.asgi, client=(client, 1))
    async with httpx2.AsyncClient(transport=transport, base_url=app.settings.issuer) as http:
        assert (await http.get("/metrics", headers=headers)).status_code == status


async def test_the_gauges_show_the_log_and_the_standing(public, clock):
    clock.advance(3)
    numbers = (await public.get("/metrics")).text
    assert "remit_standing_age_seconds 3.0" in numbers
    assert "remit_audit_records 2.0" in numbers
    assert "remit_audit_queue 0.0" in numbers
    assert "remit_audit_unsigned" in numbers
