"""What the facts of history come to, shown to whoever may see it, and forgotten with a reason."""

import pytest
from sqlalchemy import insert

from remit.guard.use import Whose
from remit.history.store import UseRow, add_use
from remit.oauth.grant_store import grants
from tests.api.conftest import SECRET

FACTS = """
  a_sum: {measure: sum, argument: amount, currency: USD, window: 1d}
  a_count: {measure: count, servers: [payments], of: agent}
  a_set: {measure: tools, of: subject}
  of_a_grant: {measure: ever, of: grant}
"""


@pytest.fixture
def environ():
    return {"REMIT_BILLING_JOB_SECRET": SECRET}


@pytest.fixture
def settings(settings):
    root = settings.repo / "remit.yaml"
    text = root.read_text()
    if "\nhistory:\n" in text:
        root.write_text(text.replace("\nhistory:\n", f"\nhistory:{FACTS}", 1))
    else:
        root.write_text(f"{text}\nhistory:{FACTS}")
    return settings


@pytest.fixture
async def dana_id(management, dana):
    return (await management.post("/api/v1/users", json=dana)).json()["id"]


@pytest.fixture
async def used(app, dana_id):
    """Two refunds of the assistant's for Dana."""
    catalog, now = app.directory.catalog, app.clock.now()

    def put(tx):
        for number in (1, 2):
            for name, whose, more in (
                (
                    "a_sum",
                    {"agent": "support-assistant", "subject": dana_id},
                    {"amount": 24_000_000},
                ),
                ("a_count", {"agent": "support-assistant"}, {}),
                ("a_set", {"subject": dana_id}, {"member": f"payments/{number}"}),
                ("of_a_grant", {"grant": "gnt_1"}, {}),
            ):
                row = UseRow(
                    fact=catalog.history[name].account,
                    whose=Whose("acme", **whose),
                    at=now,
                    use=f"dec_{number}",
                    **more,
                )
                add_use(tx, row)

    await app.database.run(put)


async def shown(management, **query):
    answer = await management.get("/api/v1/history", params=query)
    assert answer.status_code == 200, answer.text
    mine = {"a_sum", "a_count", "a_set", "of_a_grant"}
    return {one["name"]: one["value"] for one in answer.json()["facts"] if one["name"] in mine}


@pytest.mark.usefixtures("used")
async def test_every_fact_is_shown_that_is_about_whoever_is_named(management):
    assert await shown(management, agent="support-assistant", user="dana") == {
        "a_sum": "4800.0000",
        "a_count": 2,
        "a_set": ["payments/1", "payments/2"],
        "of_a_grant": None,
    }
    assert await shown(management, grant="gnt_1", tenant="acme") == {
        "a_sum": None,
        "a_count": None,
        "a_set": None,
        "of_a_grant": True,
    }


@pytest.mark.parametrize(("tenant", "told"), [("acme", "gnt_first"), ("globex", "gnt_exchanged")])
async def test_what_a_grant_came_of_is_told_in_its_own_organisation_alone(
    app, management, tenant, told
):
    row = {
        "kind": "person", "client_id": "c", "agent_id": "support-assistant", "tenant": "acme", "environment": "prod",
        "resource": "r", "scopes": "[]", "purpose": "", "amr": "[]", "created_at": 0, "last_used_at": 0, "expires_at": 1,
    }  # fmt: skip
    exchanged = insert(grants).values(id="gnt_exchanged", parent_id="gnt_first", **row)
    await app.database.run(lambda tx: tx.connection.execute(exchanged))
    query = {"grant": "gnt_exchanged", "tenant": tenant}
    answer = await management.get("/api/v1/history", params=query)
    assert answer.json()["grant"] == told


@pytest.mark.usefixtures("used")
async def test_an_agent_by_itself_did_what_it_did_for_itself(management):
    found = await shown(management, agent="support-assistant", tenant="acme")
    assert (found["a_sum"], found["a_count"]) == ("0.0000", 2)


@pytest.mark.usefixtures("used")
async def test_another_organisation_has_another_past(management):
    found = await shown(management, agent="support-assistant", tenant="globex")
    assert (found["a_sum"], found["a_count"]) == ("0.0000", 0)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 400),
        ({"tenant": "acme"}, 400),
        ({"agent": "support-assistant"}, 400),
        ({"agent": "support-assistant", "tenant": "nowhere"}, 404),
        ({"user": "nobody"}, 404),
        ({"user": "dana", "tenant": "globex"}, 404),
        ({"agent": "support-assistant", "fact": "a_sum"}, 400),
    ],
    ids=["nobody", "an organisation", "which", "no such", "no person", "not theirs", "a key"],
)
@pytest.mark.usefixtures("dana_id")
async def test_whose_past_is_meant_has_to_be_said(management, query, status):
    assert (await management.get("/api/v1/history", params=query)).status_code == status


@pytest.mark.usefixtures("used")
async def test_who_is_forgotten_begins_anew_and_the_log_says_why(management, settings):
    body = {"agent": "support-assistant", "user": "dana", "reason": "counted twice"}
    one = await management.post("/api/v1/history/forget", json={**body, "facts": ["a_sum"]})
    assert one.json() == {"uses": 2}
    found = await shown(management, agent="support-assistant", user="dana")
    assert (found["a_sum"], found["a_count"]) == ("0.0000", 2)
    everything = await management.post(
        "/api/v1/history/forget", json={"user": "dana", "reason": "erasure"}
    )
    assert everything.json() == {"uses": 2}
    log = next((settings.data / "audit" / "main").glob("*.jsonl")).read_text()
    assert log.count('"kind":"history.forgotten"') == 2
    assert "counted twice" in log


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"user": "dana"}, 400),
        ({"user": "dana", "reason": ""}, 400),
        ({"reason": "all of it"}, 400),
        ({"user": "nobody", "reason": "x"}, 404),
        ({"user": "dana", "tenant": "globex", "reason": "x"}, 404),
        ({"user": "dana", "reason": "x", "facts": ["typo"]}, 404),
    ],
    ids=["no reason", "an empty one", "nobody", "no person", "not theirs", "no fact"],
)
@pytest.mark.usefixtures("used")
async def test_nothing_is_forgotten_by_accident(management, body, status):
    assert (await management.post("/api/v1/history/forget", json=body)).status_code == status
    assert (await shown(management, agent="support-assistant", user="dana"))["a_sum"] != "0.0000"
