"""What a person allowed clients and third parties, and taking it back for them."""

import pytest

from remit.ids import ClientId, ServerName, UserId
from remit.oauth import Connection, Consent
from remit.oauth.connection_store import keep_connection
from remit.oauth.request_store import remember_consent
from tests.api.conftest import ISSUER

CRM, PAYMENTS = f"{ISSUER}/mcp/crm", f"{ISSUER}/mcp/payments"


@pytest.fixture
async def ada(management, app, dana):
    """Dana allowed a client two things, and is connected for the CRM; Eve allowed nobody anything."""
    made = (await management.post("/api/v1/users", json=dana)).json()
    await management.post("/api/v1/users", json={**dana, "username": "eve"})
    user, now = UserId(made["id"]), app.clock.now()

    def allow(tx):
        for resource in (CRM, PAYMENTS):
            consent = Consent(
                user_id=user,
                client_id=ClientId("billing-job"),
                resource=resource,
                scopes=("crm:accounts.read",),
                fingerprint="f",
                granted_at=now,
            )
            remember_consent(tx, consent)
        connection = Connection(
            user_id=user,
            server=ServerName("crm"),
            issuer="https://vendor.example",
            scopes=("contacts",),
            sealed_tokens="sealed-and-never-shown",
            created_at=now,
            updated_at=now,
            expires_at=None,
        )
        keep_connection(tx, connection)

    await app.database.run(allow)
    return made["id"]


@pytest.fixture
def listed(management):
    async def found(what, name="dana"):
        answer = await management.get(f"/api/v1/users/{name}/{what}")
        assert answer.status_code == 200, answer.text
        assert "sealed" not in answer.text
        return answer.json()[what]

    return found


async def test_consents_are_listed_and_withdrawn_one_or_all_of_a_client(management, ada, listed):
    assert {one["resource"] for one in await listed("consents")} == {CRM, PAYMENTS}
    path, client = "/api/v1/users/dana/consents/withdraw", {"client_id": "billing-job"}
    answer = await management.post(path, json={**client, "resource": CRM})
    assert answer.json() == {"withdrawn": 1, "grants": 0}
    assert [one["resource"] for one in await listed("consents")] == [PAYMENTS]
    assert (await management.post(path, json=client)).json() == {"withdrawn": 1, "grants": 0}
    assert await listed("consents") == []
    assert (await management.post(path, json=client)).status_code == 404
    log = await management.get("/api/v1/audit/tail", params={"kind": "consent.withdrawn"})
    assert log.text.count('"tenant":"acme"') == 2


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("dana", {"client_id": "another"}, 404),
        ("dana", {"client_id": "billing-job", "resource": f"{ISSUER}/mcp/else"}, 404),
        ("eve", {"client_id": "billing-job"}, 404),
        ("nobody", {"client_id": "billing-job"}, 404),
        ("dana", {}, 400),
    ],
)
async def test_what_was_not_allowed_is_not_withdrawn(management, ada, listed, name, body, status):
    answer = await management.post(f"/api/v1/users/{name}/consents/withdraw", json=body)
    assert answer.status_code == status
    assert len(await listed("consents")) == 2


async def test_a_connection_is_listed_without_its_tokens_and_withdrawn_once(
    management, ada, listed
):
    (connection,) = await listed("connections")
    assert (connection["server"], connection["issuer"]) == ("crm", "https://vendor.example")
    path = "/api/v1/users/dana/connections/crm/withdraw"
    assert (await management.post(path, json={"reason": "incident"})).json() == {"server": "crm"}
    assert await listed("connections") == []
    assert (await management.post(path, json={})).status_code == 404
    log = await management.get("/api/v1/audit/tail", params={"kind": "connection.removed"})
    assert '"reason":"incident"' in log.text
    assert '"tenant":"acme"' in log.text


@pytest.mark.parametrize(
    "path", ["eve/connections/crm", "dana/connections/payments", "x/connections/crm"]
)
async def test_a_connection_nobody_has_is_not_withdrawn(management, ada, listed, path):
    answer = await management.post(f"/api/v1/users/{path}/withdraw", json={})
    assert answer.status_code == 404
    assert len(await listed("connections")) == 1
