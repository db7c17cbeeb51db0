"""`POST /plans`: of the calls that came, to those who may see them."""

from dataclasses import replace

import orjson
import pytest

from remit.audit.query import read_events
from remit.deployment.bundle import bundle_bytes, bundle_of
from remit.repository import load_repository
from remit.tokens import audience_of
from tests.api.explanation.test_operation import URL, call, refund, token

__all__ = ["call"]

LIMIT = ("policies/refunds.cedar", "500.00", "5000.00")


def bundle(app, *edits):
    """The repository as a bundle, with changes."""
    contents = dict(load_repository(app.settings.repo).contents)
    for name, old, new in edits:
        text = contents[name].decode()
        assert old in text
        contents[name] = text.replace(old, new).encode()
    return orjson.loads(bundle_bytes(bundle_of(contents)))


def _let_plan(app) -> None:
    """An agent and a role that may plan, in one organisation."""
    catalog, scopes = app.directory.catalog, ("remit:policy.plan",)
    auditor = replace(catalog.roles["support"], name="auditor", scopes=scopes)
    console = replace(
        catalog.agents["support-assistant"],
        id="console", scopes=scopes, environments=("management",),
    )  # fmt: skip
    roles, agents = {**catalog.roles, "auditor": auditor}, {**catalog.agents, "console": console}
    app.directory.replace_catalog(replace(catalog, roles=roles, agents=agents))


async def planned(client, body, raw=None):
    headers = {} if raw is None else {"Authorization": f"Bearer {raw}"}
    return await client.post("/api/v1/plans", json=body, headers=headers)


async def test_a_plan_says_what_is_declared_otherwise_and_who_gains(app, call, management):
    decision = await call("refund", refund())
    answer = await planned(management, {"bundle": bundle(app, LIMIT)})
    assert answer.status_code == 200, answer.text
    plan = answer.json()
    (change,) = plan["difference"]["changes"]
    assert (change["area"], change["name"], change["effect"]) == (
        "policy", "refund-limit", "may widen",
    )  # fmt: skip
    assert change["privileged"] is True
    (group,) = plan["replay"]["groups"]
    assert (group["shift"], group["user"], group["name"]) == ("newly_allowed", "usr_dana", "refund")
    assert [one["decision"] for one in group["examples"]] == [decision]
    assert "secret words" not in answer.text


async def test_without_days_only_declarations_are_compared(app, call, management):
    await call("refund", refund())
    answer = await planned(management, {"bundle": bundle(app, LIMIT), "days": 0})
    assert answer.json()["replay"] is None
    assert len(answer.json()["difference"]["changes"]) == 1


async def test_that_somebody_planned_is_recorded_before_it_is_answered(app, management):
    content = bundle(app, LIMIT)
    await planned(management, {"bundle": content})
    (looked,) = [one for one in read_events(app.folder.audit) if one["kind"] == "audit.queried"]
    assert looked["body"]["query"] == {"days": 7, "plan": content["digest"], "tenant": None}


async def test_nothing_of_a_plan_comes_into_force(app, call, management):
    version = app.directory.catalog.version
    await planned(management, {"bundle": bundle(app, LIMIT)})
    assert app.directory.catalog.version == version
    await call("refund", refund())


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"bundle": {}}, 422),
        ({"bundle": {"bundle": 1, "digest": "0" * 64, "files": {}}}, 422),
        ({"bundle": {}, "days": 400}, 400),
        ({"bundle": {}, "further": 1}, 400),
    ],
    ids=["nothing", "empty", "no files", "days", "unknown"],
)
async def test_what_is_no_bundle_is_refused(management, body, status):
    assert (await planned(management, body)).status_code == status


async def test_a_bundle_with_a_mistake_is_refused_with_the_mistake(app, management):
    content = bundle(app, ("policies/refunds.cedar", "amount.value", "amuont.value"))
    answer = await planned(management, {"bundle": content})
    assert answer.status_code == 422
    assert "amuont" in answer.text


async def test_an_organisation_is_told_of_its_own_calls_and_of_no_declaration(app, call, public):
    ours = await call("refund", refund())
    theirs = await call("refund", refund(), organization_id="globex")
    _let_plan(app)
    raw = token(
        app, "remit", agent_id="console", scopes=("remit:policy.plan",), roles=("auditor",),
        environment="management", sub="usr_audit", aud=audience_of(URL, "remit"),
    )  # fmt: skip
    answer = await planned(public, {"bundle": bundle(app, LIMIT)}, raw)
    assert answer.status_code == 200, answer.text
    plan = answer.json()
    assert plan["difference"] is None
    assert plan["replay"]["tenant"] == "acme"
    assert ours in answer.text
    assert theirs not in answer.text
    refused = await planned(public, {"bundle": bundle(app, LIMIT), "tenant": "globex"}, raw)
    assert refused.status_code == 403
