import pytest

CLIENT = {
    "client_name": "An application",
    "redirect_uris": ["https://app.example/callback"],
    "token_endpoint_auth_method": "none",
}


@pytest.fixture
async def waiting(public, settings, management):
    """A client that waits for an administrator, as the example has strangers do."""
    answer = await public.post("/register", json=CLIENT)
    assert answer.status_code == 201, answer.text
    return answer.json()["client_id"]


async def test_a_client_that_waits_is_listed_and_approved_once(management, waiting):
    (listed,) = (await management.get("/api/v1/registrations")).json()["registrations"]
    assert listed["client_id"] == waiting
    assert listed["redirect_uris"] == CLIENT["redirect_uris"]
    body = {"client_id": waiting, "fingerprint": listed["fingerprint"]}
    assert (await management.post("/api/v1/registrations/approve", json=body)).status_code == 200
    assert (await management.get("/api/v1/registrations")).json()["registrations"] == []
    assert (await management.post("/api/v1/registrations/approve", json=body)).status_code == 409
    shown = await management.get("/api/v1/clients/show", params={"client_id": waiting})
    assert shown.json()["state"] == "active"


async def test_a_client_that_changed_since_it_was_read_is_not_approved(management, waiting):
    body = {"client_id": waiting, "fingerprint": "another"}
    assert (await management.post("/api/v1/registrations/approve", json=body)).status_code == 409


async def test_a_client_that_was_rejected_does_nothing(management, public, waiting):
    body = {"client_id": waiting, "reason": "nobody knows it"}
    answer = await management.post("/api/v1/registrations/reject", json=body)
    assert answer.json()["state"] == "rejected"
    query = {"client_id": waiting, "response_type": "code"}
    assert (await public.get("/authorize", params=query)).status_code == 400


async def test_what_does_not_wait_is_neither_approved_nor_rejected(management):
    for verb in ("approve", "reject"):
        body = {"client_id": "nobody"}
        path = f"/api/v1/registrations/{verb}"
        assert (await management.post(path, json=body)).status_code == 404


async def test_a_token_that_lets_others_register_is_shown_once(management):
    body = {"owner": "crm@acme.example", "uses": 2, "note": "for the CRM team"}
    made = (await management.post("/api/v1/registration-tokens", json=body)).json()
    assert made["token"].startswith("rmt_iat_")
    answer = await management.get("/api/v1/registration-tokens")
    assert made["token"] not in answer.text
    (listed,) = answer.json()["tokens"]
    assert (listed["id"], listed["uses_left"], listed["state"]) == (made["id"], 2, "active")
    path = f"/api/v1/registration-tokens/{made['id']}/revoke"
    assert (await management.post(path, json={})).json()["state"] == "revoked"
    assert (await management.post(path, json={})).status_code == 409
    assert (
        await management.post("/api/v1/registration-tokens/none/revoke", json={})
    ).status_code == 404


@pytest.mark.parametrize(
    "wrong", [{"owner": ""}, {"uses": 0}, {"lifetime": 1}, {"environment": "moon"}, {"uses": "1"}]
)
async def test_a_token_that_may_not_be_is_not_made(management, wrong):
    body = {"owner": "crm@acme.example", **wrong}
    assert (await management.post("/api/v1/registration-tokens", json=body)).status_code == 400
