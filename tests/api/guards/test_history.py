"""A guard counts what is its own, with the caller's very token, and is told what that comes to."""

import base64

import pytest

from remit.db import DatabaseUnavailableError
from remit.guard.snapshot import read_snapshot
from tests.api.conftest import SECRET
from tests.api.test_history import FACTS

GUARD = "a-secret-of-the-guard-inside-payments"
MINE = """  looked_up: {measure: count, things: [payments/get_invoice]}
  refunded: {measure: sum, argument: amount, currency: USD, things: [payments/refund]}
  elsewhere: {measure: count, things: [crm/get_account]}
"""
HISTORY = "/guard/v1/history"
USE = "dec_06h04aa81952cs49r4cm3gnmwp"


@pytest.fixture
def environ():
    return {"REMIT_BILLING_JOB_SECRET": SECRET, "PAYMENTS_GUARD": GUARD}


@pytest.fixture
def settings(settings):
    path = settings.repo / "servers" / "payments.yaml"
    added = "environment: prod\nguard_secret: env:PAYMENTS_GUARD\n"
    path.write_text(path.read_text().replace("environment: prod\n", added, 1))
    root = settings.repo / "remit.yaml"
    text = root.read_text()
    if "\nhistory:\n" in text:
        root.write_text(text.replace("\nhistory:\n", f"\nhistory:\n{MINE}", 1))
    else:
        root.write_text(f"{text}\nhistory:{FACTS}{MINE}")
    return settings


@pytest.fixture
def ask(public, app, grant):
    async def asked(*, secret=GUARD, document=None, **changes):
        question = {
            "do": "count",
            "use": USE,
            "at": app.clock.now(),
            "token": grant,
            "kind": "tool",
            "name": "get_invoice",
            "amounts": {},
            "reads": ["looked_up"],
            "again": False,
        }
        known = base64.b64encode(f"payments:{secret}".encode()).decode()
        return await public.post(
            HISTORY,
            json={**question, **changes} if document is None else document,
            headers={"Authorization": f"Basic {known}"},
        )

    return asked


def use(number):
    return f"{USE[:-1]}{number}"


async def test_a_call_is_counted_told_and_taken_back(ask):
    assert (await ask(use=use(1))).json() == {"history": {"looked_up": 1}}
    assert (await ask(use=use(2))).json() == {"history": {"looked_up": 2}}
    assert (await ask(use=use(2), do="take_back")).json() == {"history": {}}
    assert (await ask(use=use(3))).json() == {"history": {"looked_up": 2}}


async def test_what_is_asked_about_first_is_set_aside(ask):
    assert (await ask(use=use(1))).json() == {"history": {"looked_up": 1}}
    assert (await ask(use=use(1), do="set_aside")).json() == {"history": {}}
    assert (await ask(use=use(2))).json() == {"history": {"looked_up": 1}}


async def test_what_comes_again_is_told_without_what_it_was_counted_as_before(ask, app):
    before = {"use": use(1), "at": app.clock.now()}
    assert (await ask(**before)).json() == {"history": {"looked_up": 1}}
    assert (await ask(use=use(2), earlier=before)).json() == {"history": {"looked_up": 1}}
    assert (await ask(use=use(3))).json() == {"history": {"looked_up": 3}}
    assert (await ask(**before, do="set_aside")).json() == {"history": {}}
    assert (await ask(use=use(4), earlier=before)).json() == {"history": {"looked_up": 3}}


async def test_what_is_used_again_is_told_and_not_counted(ask):
    assert (await ask(use=use(1))).json() == {"history": {"looked_up": 1}}
    assert (await ask(use=use(2), again=True)).json() == {"history": {"looked_up": 1}}


async def test_what_a_call_adds_is_taken_under_what_is_measured(ask):
    refund = {"name": "refund", "reads": ["refunded"]}
    amounts = {"refunded sum amount USD": "12.5", "a_sum sum amount USD": "12.5"}
    answer = await ask(**refund, amounts=amounts)
    assert answer.json() == {"history": {"refunded": "12.5000"}}


@pytest.mark.parametrize(
    "changes",
    [
        {"do": "forget"},
        {"use": "dec_1"},
        {"use": None},
        {"at": 0},
        {"at": "now"},
        {"at": True},
        {"token": "nonsense"},
        {"token": None},
        {"kind": "server"},
        {"name": "nowhere"},
        {"name": None},
        {"reads": ["typo"]},
        {"reads": "looked_up"},
        {"reads": [1]},
        {"again": 1},
        {"amounts": []},
        {"earlier": None},
        {"earlier": {"use": USE}},
        {"earlier": {"use": USE, "at": 0}},
        {"earlier": {"use": "dec_1", "at": 1}},
        {"further": 1},
        {"name": "refund", "amounts": {}},
        {"name": "refund", "amounts": {"refunded sum amount USD": "-1"}},
        {"name": "refund", "amounts": {"refunded sum amount USD": 1}},
        {"name": "refund", "amounts": {"refunded sum amount USD": "0.00001"}},
        {"name": "refund", "amounts": {"refunded sum amount EUR": "1"}},
        {"document": {}},
        {"document": []},
    ],
    ids=str,
)
async def test_what_nothing_can_be_counted_by_is_refused(ask, changes):
    answer = await ask(**changes)
    assert answer.status_code == 400, answer.text
    assert (await ask()).json() == {"history": {"looked_up": 1}}


async def test_a_snapshot_has_every_fact_and_of_no_other_server_what_counts(public):
    known = base64.b64encode(f"payments:{GUARD}".encode()).decode()
    question = {"nonce": "n" * 22, "instance": "p-1", "release": "0.1.0", "after": "", "wait": 0}
    answer = await public.post(
        "/guard/v1/snapshot", json=question, headers={"Authorization": f"Basic {known}"}
    )
    content = answer.content.partition(b"\n")[2]
    facts = read_snapshot(content).catalog.history
    assert {"looked_up", "refunded", "elsewhere"} <= set(facts)
    assert facts["looked_up"].servers == ("payments",)
    assert facts["looked_up"].things == ("payments/get_invoice",)
    assert (facts["elsewhere"].servers, facts["elsewhere"].things) == (("",), ())
    assert "crm/get_account" not in str(facts)


async def test_who_is_no_guard_counts_nothing(ask):
    assert (await ask(secret="another")).status_code == 401


async def test_a_token_for_another_server_counts_nothing(ask, public):
    credentials = base64.b64encode(f"billing-job:{SECRET}".encode()).decode()
    answer = await public.post(
        "/token",
        headers={"Authorization": f"Basic {credentials}"},
        data={"grant_type": "client_credentials", "resource": "http://127.0.0.1:8600/mcp/crm"},
    )
    token = answer.json().get("access_token", "a.b.c")
    assert (await ask(token=token)).status_code == 400


async def test_without_the_database_the_guard_hears_that_it_is_not_known(ask, app, monkeypatch):
    assert (await ask()).status_code == 200
    monkeypatch.setattr(app.database, "run", _closed)
    answer = await ask(use=use(5))
    assert answer.status_code == 503
    assert answer.json()["code"] == "history_unavailable"


async def _closed(_work):
    raise DatabaseUnavailableError("the database does not answer")
