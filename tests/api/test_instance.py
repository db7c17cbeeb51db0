from remit.settings import Settings


async def test_status_says_what_runs_and_no_secret(management, settings: Settings):
    status = (await management.get("/api/v1/status")).json()
    assert status["public_url"] == settings.issuer
    assert (status["servers"], status["agents"]) == (2, 2)
    assert status["audit_failure"] is None
    assert status["guard_closed"] is False
    assert len(status["catalog_version"]) == 64


async def test_a_reload_of_the_same_repository_changes_nothing(management):
    answer = (await management.post("/api/v1/reload", json={})).json()
    assert answer["changed"] is False


async def test_a_reload_puts_another_version_in_force(management, settings):
    before = (await management.get("/api/v1/status")).json()["catalog_version"]
    (settings.repo / "agents" / "billing-job.yaml").unlink()
    (settings.repo / "trust.yaml").unlink()  # names it
    answer = (await management.post("/api/v1/reload", json={})).json()
    assert answer["changed"] is True
    assert answer["agents"] == 1
    assert answer["catalog_version"] != before


async def test_a_broken_repository_is_refused_with_every_mistake(management, settings):
    before = (await management.get("/api/v1/status")).json()
    (settings.repo / "agents" / "billing-job.yaml").write_text("nam: x\nownr: y\n")
    answer = await management.post("/api/v1/reload", json={})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "repository_invalid"
    assert any(one.startswith("agents/billing-job.yaml:1:1: ") for one in problem["problems"])
    assert any(one.startswith("agents/billing-job.yaml:2:1: ") for one in problem["problems"])
    after = (await management.get("/api/v1/status")).json()
    assert after["catalog_version"] == before["catalog_version"]
