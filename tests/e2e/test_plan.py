"""`remit plan` as a process, of a Remit that runs, on calls that a real client made."""

import json
import shutil

import pytest
import pytest_asyncio
from mcp.shared.exceptions import MCPError

from remit.demo.agent import connect
from remit.demo.stage import set_up
from tests.e2e.conftest import REDIRECT_URI

pytestmark = pytest.mark.e2e

ACME = {"organization_id": "acme", "account_id": "acc-1001"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(tmp_path_factory):
    """One that no other test makes calls in, or lets read its repository again."""
    async with set_up(tmp_path_factory.mktemp("plan")) as running:
        yield running


@pytest.fixture
async def called(stage, dana):
    """Dana's agent has read two accounts, changed one, and been refused another organisation's."""

    async def browse(url: str) -> str:
        return await dana.walk(url, REDIRECT_URI)

    async with connect(stage.server("crm"), redirect_uri=REDIRECT_URI, browse=browse) as agent:
        for _ in range(2):
            await agent.call("get_account", ACME)
        await agent.call("update_account", {**ACME, "plan": "business"})
        with pytest.raises(MCPError):
            await agent.call("get_account", {**ACME, "organization_id": "globex"})
    return stage


def candidate(stage, tmp_path, *, edits=(), policies=""):
    """The repository of the stage, with changes."""
    folder = tmp_path / "candidate"
    shutil.copytree(stage.repository, folder)
    for name, old, new in edits:
        path = folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
    if policies:
        (folder / "policies" / "more.cedar").write_text(policies)
    return folder


FORBID = """
@id("no-changes-by-agents")
@refusal("Agents change nothing.")
forbid (principal, action == Remit::Action::"crm/update_account", resource);
"""


async def planned(stage, folder, *more, found=0):
    said = await stage.remit("plan", "--repo", str(folder), "--format", "json", *more, found=found)
    return json.loads(said[said.index("{") :])


async def test_the_same_repository_changes_nothing_and_is_reproduced_exactly(called, tmp_path):
    plan = await planned(called, candidate(called, tmp_path), "--fail-on", "any")
    assert plan["difference"]["changes"] == []
    replay = plan["replay"]
    assert replay["decided"] >= 4
    assert replay["verified"] == replay["decided"] == replay["equal"]
    assert replay["counts"] == {}
    assert replay["unsealed"] == replay["damaged"] == 0


async def test_a_new_forbid_refuses_the_calls_that_it_is_about_and_no_other(called, tmp_path):
    folder = candidate(called, tmp_path, policies=FORBID)
    plan = await planned(called, folder)
    (change,) = plan["difference"]["changes"]
    assert (change["area"], change["kind"], change["effect"]) == ("policy", "added", "narrows")
    groups = plan["replay"]["groups"]
    assert {one["shift"] for one in groups} == {"newly_refused"}
    assert {(one["server"], one["name"]) for one in groups} == {("crm", "update_account")}
    assert groups[0]["rules_after"] == ["no-changes-by-agents"]
    assert groups[0]["examples"][0]["decision"].startswith("dec_")


async def test_a_forbid_taken_away_allows_what_it_refused_and_the_exit_code_says_so(
    called, tmp_path
):
    folder = candidate(
        called,
        tmp_path,
        edits=[
            (
                "policies/tenants.cedar",
                '@id("own-organisation")',
                '@id("own-organisation") @mode("observe")',
            )
        ],
    )
    said = await called.remit("plan", "--repo", str(folder), "--fail-on", "newly-allowed", found=1)
    assert "Newly allowed" in said
    assert "crm/get_account" in said
    assert "would be newly allowed" in said.splitlines()[-2]
    assert said.splitlines()[-1].startswith("  next: read the plan")


async def test_every_form_is_written_to_a_file(called, tmp_path):
    folder = candidate(called, tmp_path, policies=FORBID)
    for form, beginning in (("html", "<!doctype html>"), ("markdown", "## "), ("json", "{")):
        out = tmp_path / f"plan.{form}"
        await called.remit("plan", "--repo", str(folder), "--format", form, "--out", str(out))
        assert out.read_text().startswith(beginning)
        assert "no-changes-by-agents" in out.read_text()


async def test_a_repository_with_a_mistake_is_not_planned_with(called, tmp_path):
    folder = candidate(called, tmp_path, policies="forbid (principal, action, resource);")
    said = await called.remit("plan", "--repo", str(folder), found=1)
    assert "more.cedar" in said


async def test_that_somebody_planned_is_in_the_log(called, tmp_path):
    await planned(called, candidate(called, tmp_path))
    said = await called.remit("audit", "tail", "-n", "5", "--kind", "audit.queried")
    assert "audit.queried" in said
