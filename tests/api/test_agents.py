async def test_agents_are_those_of_the_repository(management):
    agents = (await management.get("/api/v1/agents")).json()["agents"]
    assert [agent["id"] for agent in agents] == ["billing-job", "support-assistant", "unregistered"]
    assert {agent["state"] for agent in agents} == {"active"}
    shown = (await management.get("/api/v1/agents/support-assistant")).json()
    assert shown in agents
    assert shown["owner"]


async def test_a_suspended_agent_gets_nothing_and_one_that_is_resumed_does(
    management, public, grant
):
    def ask():
        headers = {"Authorization": f"Bearer {grant}"}
        return public.request("DELETE", "/mcp/payments", headers=headers)

    assert (await ask()).status_code not in {401, 403}
    answer = await management.post("/api/v1/agents/billing-job/suspend", json={"reason": "odd"})
    assert answer.json()["state"] == "suspended"
    assert answer.json()["suspended_for"] == "odd"
    # It is enforced when the answer comes.
    assert (await ask()).status_code in {401, 403}
    assert (await management.post("/api/v1/agents/billing-job/resume", json={})).json()[
        "state"
    ] == ("active")
    assert (await ask()).status_code not in {401, 403}


async def test_an_agent_that_is_not_there_cannot_be_suspended(management):
    assert (await management.get("/api/v1/agents/nobody")).status_code == 404
    for verb in ("suspend", "resume"):
        assert (await management.post(f"/api/v1/agents/nobody/{verb}", json={})).status_code == 404


async def test_a_change_that_was_made_already_is_a_conflict(management):
    assert (await management.post("/api/v1/agents/billing-job/resume", json={})).status_code == 409
    await management.post("/api/v1/agents/billing-job/suspend", json={})
    assert (await management.post("/api/v1/agents/billing-job/suspend", json={})).status_code == 409


async def test_an_agent_that_was_taken_out_can_still_be_resumed(management, settings):
    await management.post("/api/v1/agents/billing-job/suspend", json={})
    (settings.repo / "agents" / "billing-job.yaml").unlink()
    (settings.repo / "trust.yaml").unlink()  # names it
    assert (await management.post("/api/v1/reload", json={})).status_code == 200
    answer = await management.post("/api/v1/agents/billing-job/resume", json={})
    assert answer.json() == {"id": "billing-job", "state": "active"}
