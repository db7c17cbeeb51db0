async def test_a_static_client_is_listed_before_it_was_ever_used(management):
    (client,) = (await management.get("/api/v1/clients")).json()["clients"]
    assert (client["client_id"], client["kind"], client["agent_id"]) == (
        "billing-job", "static", "billing-job",
    )  # fmt: skip
    assert client["last_used_at"] is None


async def test_a_disabled_client_is_turned_away_and_an_enabled_one_begins_anew(
    management, public, grant
):
    def ask():
        headers = {"Authorization": f"Bearer {grant}"}
        return public.request("DELETE", "/mcp/payments", headers=headers)

    body = {"client_id": "billing-job", "reason": "leaked"}
    assert (await management.post("/api/v1/clients/disable", json=body)).json()[
        "state"
    ] == "disabled"
    assert (await ask()).status_code == 401
    (client,) = (await management.get("/api/v1/clients")).json()["clients"]
    assert client["state"] == "disabled"
    assert (await management.post("/api/v1/clients/disable", json=body)).status_code == 409
    assert (await management.post("/api/v1/clients/enable", json=body)).json()["state"] == "active"
    assert (await ask()).status_code == 401
    (ended,) = (await management.get("/api/v1/grants", params={"all": "true"})).json()["grants"]
    assert ended["revoke_reason"] == "client_disabled"


async def test_a_client_that_is_not_there_cannot_be_disabled(management):
    body = {"client_id": "https://client.example/metadata"}
    assert (await management.post("/api/v1/clients/disable", json=body)).status_code == 404
    assert (await management.post("/api/v1/clients/enable", json=body)).status_code == 404
