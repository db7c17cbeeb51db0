import pytest


@pytest.mark.usefixtures("grant")
async def test_grants_are_found_by_what_they_are_for(management, dana):
    await management.post("/api/v1/users", json=dana)

    async def found(**query: str) -> list[str]:
        answer = await management.get("/api/v1/grants", params=query)
        assert answer.status_code == 200, answer.text
        return [grant["agent_id"] for grant in answer.json()["grants"]]

    assert await found() == ["billing-job"]
    assert await found(agent="billing-job") == ["billing-job"]
    assert await found(client="billing-job") == ["billing-job"]
    assert await found(agent="support-assistant") == []
    assert await found(user="dana") == []


async def test_a_revoked_grant_is_worth_nothing_when_the_answer_comes(management, public, grant):
    (held,) = (await management.get("/api/v1/grants")).json()["grants"]
    answer = await management.post(f"/api/v1/grants/{held['id']}/revoke", json={"reason": "done"})
    assert answer.json()["state"] == "revoked"
    headers = {"Authorization": f"Bearer {grant}"}
    refused = await public.request("DELETE", "/mcp/payments", headers=headers)
    assert refused.status_code == 401
    assert (await management.get("/api/v1/grants")).json()["grants"] == []
    (ended,) = (await management.get("/api/v1/grants", params={"all": "true"})).json()["grants"]
    assert ended["revoke_reason"] == "done"


async def test_what_is_not_there_or_done_already_is_told_apart(management, grant):
    assert grant
    assert (await management.post("/api/v1/grants/gnt_x/revoke", json={})).status_code == 404
    (held,) = (await management.get("/api/v1/grants")).json()["grants"]
    path = f"/api/v1/grants/{held['id']}/revoke"
    assert (await management.post(path, json={})).status_code == 200
    assert (await management.post(path, json={})).status_code == 409


async def test_a_person_nobody_knows_has_no_empty_list_of_grants(management):
    assert (await management.get("/api/v1/grants", params={"user": "nobody"})).status_code == 404


@pytest.mark.parametrize("query", ["all=yes", "all=true&all=true", "owner=x", "agent=%ff"])
async def test_a_query_that_could_be_misread_is_refused(management, query):
    assert (await management.get(f"/api/v1/grants?{query}")).status_code == 400
