"""`access.who-can` and `access.what-can`, on a whole Remit with the example repository."""

import json
from dataclasses import replace

import pytest

from remit.audit import read_events
from remit.model import Sensitivity
from remit.tokens import AccessToken, audience_of, mint

URL = "http://127.0.0.1:8600"


@pytest.fixture
async def people(management, dana):
    """Dana and Bo of acme with one role, Gil of globex with another, and Fay who is one by attribute."""
    for changes in (
        {},
        {"username": "bo"},
        {"username": "gil", "tenant": "globex", "roles": ["sales-manager"]},
        {"username": "fay", "roles": [], "attributes": {"department": "finance"}},
    ):
        answer = await management.post("/api/v1/users", json={**dana, **changes})
        assert answer.status_code == 200, answer.text


@pytest.fixture
def who(management):
    async def asked(thing, *, status=200, **query) -> dict:
        given = query.pop("arguments", None)
        if given is not None:
            query["arguments"] = json.dumps(given)
        answer = await management.get("/api/v1/access/who-can", params={"thing": thing, **query})
        assert answer.status_code == status, answer.text
        return answer.json()

    return asked


@pytest.fixture
def what(management):
    async def asked(agent, *, status=200, **query) -> dict:
        answer = await management.get("/api/v1/access/what-can", params={"agent": agent, **query})
        assert answer.status_code == status, answer.text
        return answer.json()

    return asked


def of(found, agent, tenant="acme") -> dict[str, dict]:
    """The answers about one agent, by the roles of the people."""
    return {
        ",".join(one["people"].get("roles", [])): one
        for one in found["answers"]
        if (one["agent"], one["tenant"]) == (agent, tenant)
    }


async def test_accounts_that_are_alike_are_asked_about_once(people, who):
    answers = of(await who("payments/refund"), "support-assistant")
    assert answers["support"]["people"]["count"] == 2
    assert answers["support"]["people"]["names"] == ["bo", "dana"]
    assert answers["support"]["verdict"] == "depends"
    condition, approval, ceiling = answers["support"]["conditions"]
    assert (condition["policy"], condition["file"]) == ("refund-limit", "policies/refunds.cedar")
    # What people say of a call is not known before it comes, and might be yes.
    assert condition["reads"] == ["context.arguments.amount.value", "context.elevation.acr"]
    assert approval["reads"] == ["context.arguments.amount.value", "context.elevation.roles"]
    assert ceiling["reads"] == ["context.arguments.amount.value"]
    assert "at most 500.00 USD" in condition["says"]


async def test_a_role_by_attribute_counts_like_one_that_was_given(people, who):
    fay = of(await who("payments/refund"), "support-assistant")["finance"]
    assert (fay["verdict"], fay["people"]["names"]) == ("depends", ["fay"])
    assert fay["people"]["attributes"] == {"department": "finance"}


async def test_a_role_that_nobody_has_is_asked_about_too(people, who):
    manager = of(await who("crm/update_account"), "support-assistant")["sales-manager"]
    assert (manager["people"]["kind"], manager["people"]["count"]) == ("role", 0)
    assert manager["verdict"] == "depends"
    # Whose role brings nothing of the server has nothing to do with it.
    assert "finance" not in of(await who("crm/update_account"), "billing-job")


@pytest.mark.parametrize(
    ("amount", "verdict"),
    [
        ("499.99", "always"),
        ("500.00 USD", "always"),
        ("500.01", "depends"),
        ("50000.01", "never"),
    ],
)
async def test_what_is_known_of_the_arguments_decides(who, amount, verdict):
    found = await who("payments/refund", arguments={"amount": amount}, tenant="acme")
    answer = of(found, "support-assistant")["support"]
    assert answer["verdict"] == verdict
    if verdict == "depends":
        (condition,) = answer["conditions"]
        assert (condition["policy"], condition["reads"]) == (
            "refund-limit",
            ["context.elevation.acr"],
        )
    if verdict == "never":
        assert answer["why"][0]["policy"] == "refund-ceiling"


async def test_hours_are_told_in_the_organisations_own_time(app, who):
    _grant(app, "support-assistant", "crm:accounts.delete")
    found = await who("crm/delete_account", arguments={"organization_id": "acme"})
    told = {
        one["tenant"]: one["conditions"][0]["hours"]
        for one in found["answers"]
        if one["verdict"] == "depends" and one["tenant"] == "acme"
    }
    assert told == {"acme": "Mon-Fri 09:00-17:00 (America/New_York)"}


@pytest.mark.parametrize(
    ("at", "verdict"),
    [("2026-11-23T10:00:00-05:00", "always"), ("2026-11-23T20:00:00-05:00", "depends")],
)
async def test_a_time_that_is_named_is_no_longer_open(app, who, at, verdict):
    _grant(app, "support-assistant", "crm:accounts.delete")
    found = await who(
        "crm/delete_account", arguments={"organization_id": "acme"}, tenant="acme", at=at
    )
    assert of(found, "support-assistant")["sales-manager"]["verdict"] == verdict


async def test_at_that_time_and_from_that_network_all_is_said(app, who):
    _grant(app, "support-assistant", "crm:accounts.delete")
    asked = {"arguments": {"organization_id": "acme"}, "tenant": "acme"}
    office = await who("crm/delete_account", ip="10.20.1.1", **asked)
    assert of(office, "support-assistant")["sales-manager"]["verdict"] == "always"
    night = "2026-11-23T20:00:00-05:00"
    home = await who("crm/delete_account", ip="192.0.2.1", at=night, **asked)
    assert of(home, "support-assistant")["sales-manager"]["verdict"] == "never"


async def test_somebody_elses_organisation_is_refused_as_a_call_would_be(who):
    found = await who("crm/get_account", arguments={"organization_id": "globex"})
    assert of(found, "support-assistant", "acme")["support"]["verdict"] == "never"
    assert of(found, "support-assistant", "globex")["support"]["verdict"] == "always"


async def test_a_suspended_agent_can_do_nothing(management, who):
    await management.post("/api/v1/agents/support-assistant/suspend", json={"reason": "odd"})
    answer = of(await who("payments/get_invoice"), "support-assistant")["support"]
    assert answer["verdict"] == "never"
    assert "suspended" in answer["why"][0]["what"]


async def test_a_disabled_account_is_nobody(management, people, who):
    await management.post("/api/v1/users/bo/disable", json={})
    support = of(await who("payments/get_invoice"), "support-assistant")["support"]
    assert support["people"]["names"] == ["dana"]


async def test_a_workload_acts_for_itself(what, who):
    found = await what("billing-job")
    able = [one["name"] for one in found["answers"] if one["verdict"] != "never"]
    assert able == ["get_invoice"]
    assert found["asked"]["tenant"] == "acme"
    answers = (await who("payments/get_invoice"))["answers"]
    (job,) = [one for one in answers if one["agent"] == "billing-job"]
    assert job["people"] == {"kind": "workload"}


async def test_what_an_agent_can_for_a_person_is_what_the_person_may(people, what):
    found = await what("support-assistant", user="dana")
    verdicts = {f"{one['server']}/{one['name']}": one["verdict"] for one in found["answers"]}
    assert verdicts["payments/get_invoice"] == "always"
    assert verdicts["payments/refund"] == "depends"
    assert verdicts["crm/export_accounts"] == "never"
    assert verdicts["payments/close_ledger"] == "never"
    assert found["answers"][0]["people"]["names"] == ["dana"]


async def test_nobody_named_is_somebody_with_every_role_and_that_is_said(what):
    found = await what("support-assistant", tenant="acme")
    assert any("every role" in note for note in found["notes"])


async def test_scopes_beyond_the_baseline_take_another_request(app, who):
    _grant(app, "support-assistant", "crm:accounts.delete")
    answers = of(await who("crm/delete_account"), "support-assistant")
    assert answers["sales-manager"]["step_up"] == ["crm:accounts.delete"]
    read = of(await who("crm/list_accounts"), "support-assistant")
    assert read["sales-manager"]["step_up"] == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"thing": "payments/nothing"}, 404),
        ({"thing": "nothing/refund"}, 404),
        ({"thing": "refund"}, 404),
        ({"thing": "payments/refund", "tenant": "nobody"}, 404),
        ({"thing": "payments/refund", "at": "tomorrow"}, 400),
        ({"thing": "payments/refund", "at": "2026-11-23T10:00:00"}, 400),
        ({"thing": "payments/refund", "ip": "home"}, 400),
        ({"thing": "payments/refund", "arguments": "[]"}, 400),
        ({"thing": "payments/refund", "arguments": "{"}, 400),
        ({"thing": "payments/refund", "arguments": '{"amount": 5}'}, 400),
        ({"thing": "payments/refund", "arguments": '{"amount": "much"}'}, 400),
        ({"thing": "payments/refund", "arguments": '{"other": "1"}'}, 400),
        ({}, 400),
    ],
)
async def test_what_cannot_be_asked_is_refused(management, query, status):
    answer = await management.get("/api/v1/access/who-can", params=query)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"agent": "nobody"}, 404),
        ({"agent": "support-assistant"}, 400),
        ({"agent": "support-assistant", "tenant": "nobody"}, 404),
        ({"agent": "support-assistant", "user": "nobody"}, 404),
        ({"agent": "support-assistant", "user": "dana", "roles": "support"}, 400),
        ({"agent": "support-assistant", "tenant": "acme", "roles": "king"}, 404),
        ({"agent": "billing-job", "roles": "support"}, 400),
    ],
)
async def test_whom_nobody_can_ask_about_is_refused(management, query, status):
    answer = await management.get("/api/v1/access/what-can", params=query)
    assert answer.status_code == status, answer.text


async def test_nothing_is_decided_counted_or_recorded(app, who, what):
    before = len(list(read_events(app.folder.audit)))
    await who("payments/refund")
    await what("billing-job")
    kinds = [one["kind"] for one in list(read_events(app.folder.audit))[before:]]
    assert "decision" not in kinds


async def test_an_administrator_of_one_organisation_sees_that_one_alone(app, public, people):
    _grant_policy_readers(app)
    seen = await _as(app, public, "who-can", thing="crm/list_accounts")
    assert seen.status_code == 200, seen.text
    assert {one["tenant"] for one in seen.json()["answers"]} == {"acme"}
    foreign = await _as(app, public, "who-can", thing="crm/list_accounts", tenant="globex")
    missing = await _as(app, public, "who-can", thing="crm/list_accounts", tenant="nobody")
    assert (foreign.status_code, foreign.json()) == (missing.status_code, missing.json())


async def test_who_may_not_read_about_people_gets_no_names(app, public, people):
    _grant_policy_readers(app)
    found = (await _as(app, public, "who-can", thing="payments/refund")).json()
    assert "dana" not in json.dumps(found)
    assert of(found, "support-assistant")["support"]["people"]["count"] == 2
    person = await _as(app, public, "what-can", agent="support-assistant", user="dana")
    nobody = await _as(app, public, "what-can", agent="support-assistant", user="nobody")
    assert person.status_code == 403
    assert person.json() == nobody.json()


async def test_without_the_scope_nothing_is_answered(app, public):
    _grant_policy_readers(app)
    answer = await _as(
        app, public, "who-can", thing="payments/refund", scopes=("remit:agents.read",)
    )
    assert answer.status_code == 403


def _grant(app, agent, scope) -> None:
    catalog = app.directory.catalog
    changed = replace(catalog.agents[agent], scopes=(*catalog.agents[agent].scopes, scope))
    app.directory.replace_catalog(replace(catalog, agents={**catalog.agents, agent: changed}))


def _grant_policy_readers(app) -> None:
    catalog = app.directory.catalog
    scopes = ("remit:policy.read", "remit:agents.read")
    role = replace(catalog.roles["support"], name="reader", scopes=scopes)
    agent = replace(
        catalog.agents["support-assistant"], id="console", scopes=scopes, environments=("management",)
    )  # fmt: skip
    app.directory.replace_catalog(
        replace(
            catalog,
            roles={**catalog.roles, "reader": role},
            agents={**catalog.agents, "console": agent},
        )
    )


async def _as(app, public, operation, *, scopes=("remit:policy.read",), **query):
    now = app.clock.now()
    token = AccessToken(
        iss=URL, sub="usr_reader", aud=audience_of(URL, "remit"), client_id="cli_1", jti="jti_1",
        iat=now, exp=now + 600, scopes=scopes, grant_id="gnt_1", agent_id="console",
        organization_id="acme", environment="management", sensitivity=Sensitivity.HIGH,
        roles=("reader",), acr="urn:remit:acr:pwd", amr=("pwd",), auth_time=now - 60,
    )  # fmt: skip
    raw = mint(app.self_test._parts.keys, token)
    await app.standing.now()
    return await public.get(
        f"/api/v1/access/{operation}", params=query, headers={"Authorization": f"Bearer {raw}"}
    )
