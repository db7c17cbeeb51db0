"""A guard asks about calls of its own server, with the caller's very token; all else is refused."""

import base64

import pytest

from remit.api.guards import ElevationAnswers
from remit.db import DatabaseUnavailableError
from remit.guard.elevations import ElevationsUnavailableError
from tests.api.conftest import SECRET

GUARD = "a-secret-of-the-guard-inside-payments"
DECISION = "dec_06h04aa81952cs49r4cm3gnmwp"
BOSS = {"$": "Obligation", "kind": "require_approval", "value": "finance", "rule": "papers"}


@pytest.fixture
def environ():
    return {"REMIT_BILLING_JOB_SECRET": SECRET, "PAYMENTS_GUARD": GUARD}


@pytest.fixture
def settings(settings):
    path = settings.repo / "servers" / "payments.yaml"
    added = "environment: prod\nguard_secret: env:PAYMENTS_GUARD\n"
    path.write_text(path.read_text().replace("environment: prod\n", added, 1))
    return settings


@pytest.fixture
def ask(public, app, grant):
    async def asked(*, secret=GUARD, document=None, **changes):
        question = {
            "do": "find",
            "use": DECISION,
            "at": app.clock.now(),
            "token": grant,
            "kind": "tool",
            "name": "get_invoice",
            "arguments": {"invoice_id": "inv-77"},
            "needs": [BOSS],
            "justification": None,
            "elevation": None,
            "earlier": None,
            "task_of": None,
        }
        known = base64.b64encode(f"payments:{secret}".encode()).decode()
        return await public.post(
            "/guard/v1/elevations",
            json={**question, **changes} if document is None else document,
            headers={"Authorization": f"Basic {known}"},
        )

    return asked


async def test_of_a_call_that_nobody_was_asked_about_nothing_is_found_or_spent(ask):
    assert (await ask()).json() == {"elevation": None}
    assert (await ask(do="spend", elevation="elv_1")).json() == {"spent": False}


@pytest.mark.parametrize(
    "changes",
    [
        {"do": "approve"},
        {"do": None},
        {"use": "dec_1"},
        {"use": None},
        {"at": 0},
        {"at": "now"},
        {"at": True},
        {"token": "nonsense"},
        {"token": None},
        {"kind": "server"},
        {"kind": None},
        {"name": "nowhere"},
        {"name": None},
        {"arguments": None},
        {"arguments": []},
        {"name": "refund", "arguments": {"invoice_id": "inv-77", "amount": "lots"}},
        {"needs": []},
        {"needs": None},
        {"needs": [BOSS] * 33},
        {"needs": [{**BOSS, "kind": "require_justification"}]},
        {"needs": [{**BOSS, "kind": "redact"}]},
        {"needs": [{**BOSS, "kind": "limit", "value": "1/1h"}]},
        {"needs": [{**BOSS, "kind": "confirm", "value": "weakly"}]},
        {"needs": [{**BOSS, "kind": "require_scope", "value": "a b"}]},
        {"needs": [{**BOSS, "rule": "a\u202eb"}]},
        {"needs": [{**BOSS, "rule": "x" * 257}]},
        {"needs": [{**BOSS, "further": 1}]},
        {"needs": ["boss"]},
        {"justification": 7},
        {"justification": "two\nlines"},
        {"earlier": "dec_1"},
        {"task_of": 7},
        {"do": "ask", "elevation": "elv_1"},
        {"further": 1},
        {"document": {}},
        {"document": []},
    ],
    ids=str,
)
async def test_what_is_no_call_of_this_server_is_refused(ask, changes):
    answer = await ask(**changes)
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "invalid_request"
    assert "inv-77" not in answer.text


async def test_who_is_no_guard_asks_nothing(ask):
    assert (await ask(secret="another")).status_code == 401


async def test_a_guard_asks_nothing_about_another_server(ask):
    answer = await ask(name="get_account", arguments={})
    assert answer.status_code == 400


async def test_a_token_for_another_server_asks_nothing(ask, public):
    credentials = base64.b64encode(f"billing-job:{SECRET}".encode()).decode()
    answer = await public.post(
        "/token",
        headers={"Authorization": f"Basic {credentials}"},
        data={"grant_type": "client_credentials", "resource": "http://127.0.0.1:8600/mcp/crm"},
    )
    assert (await ask(token=answer.json().get("access_token", "a.b.c"))).status_code == 400


async def test_a_revoked_token_asks_nothing(ask, public, grant):
    credentials = base64.b64encode(f"billing-job:{SECRET}".encode()).decode()
    revoked = await public.post(
        "/revoke", data={"token": grant}, headers={"Authorization": f"Basic {credentials}"}
    )
    assert revoked.status_code == 200
    assert (await ask()).status_code == 400


async def test_what_is_longer_than_a_call_can_be_is_refused(ask):
    answer = await ask(arguments={"invoice_id": "x" * 1_100_000})
    assert answer.status_code == 413


async def test_what_cannot_be_told_is_said_to_be_so(ask, monkeypatch):
    async def away(_self, _server, _asked):
        raise ElevationsUnavailableError("the database does not answer")

    monkeypatch.setattr(ElevationAnswers, "answer", away)
    answer = await ask()
    assert answer.status_code == 503
    assert answer.json()["code"] == "elevations_unavailable"


async def test_without_the_database_the_guard_hears_that_it_is_not_known(ask, app, monkeypatch):
    assert (await ask()).status_code == 200

    async def closed(_work):
        raise DatabaseUnavailableError("the database does not answer")

    monkeypatch.setattr(app.database, "glance", closed)
    assert (await ask()).status_code == 503
