import json

import pytest


async def test_a_person_is_created_listed_disabled_and_enabled(management, dana, app):
    created = await management.post("/api/v1/users", json=dana)
    assert created.status_code == 200, created.text
    user = created.json()
    assert (user["username"], user["tenant"], user["state"]) == ("dana", "acme", "active")
    assert "password" not in created.text

    disabled = await management.post("/api/v1/users/dana/disable", json={"reason": "left"})
    assert disabled.json()["state"] == "disabled"
    # It is enforced when the answer comes.
    assert app.standing is not None
    ids = [one["id"] for one in (await management.get("/api/v1/users")).json()["users"]]
    assert ids == [user["id"]]

    enabled = await management.post(f"/api/v1/users/{user['id']}/enable", json={})
    assert enabled.json()["state"] == "active"


async def test_a_weak_password_is_refused_and_not_repeated(management, dana):
    answer = await management.post("/api/v1/users", json={**dana, "password": "short"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "weak_password"
    assert "short" not in answer.json()["detail"]
    assert (await management.get("/api/v1/users")).json()["users"] == []


async def test_an_unknown_role_or_tenant_is_refused(management, dana):
    for wrong in ({"roles": ["emperor"]}, {"tenant": "initech"}):
        answer = await management.post("/api/v1/users", json={**dana, **wrong})
        assert answer.status_code == 400
        assert answer.json()["code"] == "invalid_account"


async def test_a_name_is_given_once(management, dana):
    await management.post("/api/v1/users", json=dana)
    answer = await management.post("/api/v1/users", json={**dana, "username": "DANA"})
    assert answer.status_code == 409


async def test_what_is_not_there_or_done_already_is_told_apart(management, dana):
    assert (await management.post("/api/v1/users/nobody/disable", json={})).status_code == 404
    await management.post("/api/v1/users", json=dana)
    assert (await management.post("/api/v1/users/dana/enable", json={})).status_code == 409


async def test_a_person_is_changed_member_by_member(management, dana):
    await management.post("/api/v1/users", json=dana)
    change = {
        "display_name": "Dana Reyes",
        "add_roles": ["finance"],
        "remove_roles": ["support"],
        "attributes": {"department": "sales", "grade": "3"},
        "reason": "moved",
    }
    shown = (await management.patch("/api/v1/users/dana", json=change)).json()
    assert (shown["display_name"], shown["roles"]) == ("Dana Reyes", ["finance"])
    change = {"attributes": {"grade": None}}
    shown = (await management.patch("/api/v1/users/dana", json=change)).json()
    assert shown["attributes"] == {"department": "sales"}
    assert (shown["display_name"], shown["roles"]) == ("Dana Reyes", ["finance"])
    log = await management.get("/api/v1/audit/tail", params={"kind": "account.updated"})
    first, second = [json.loads(line)["body"] for line in log.text.splitlines()]
    assert first["changed"] == ["display_name", "roles", "attributes"]
    assert (first["reason"], second["changed"]) == ("moved", ["attributes"])


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 409),
        ({"add_roles": ["support"]}, 409),
        ({"add_roles": ["emperor"]}, 400),
        ({"remove_roles": ["finance"]}, 400),
        ({"add_roles": ["finance"], "remove_roles": ["finance"]}, 400),
        ({"attributes": {"nowhere": None}}, 400),
        ({"attributes": {"Bad Name": "x"}}, 400),
        ({"attributes": {"grade": 3}}, 400),
        ({"display_name": ""}, 400),
        ({"display_name": "x" * 201}, 400),
        ({"roles": ["finance"]}, 400),
        ({"tenant": "globex"}, 400),
        ({"username": "eve"}, 400),
    ],
)
async def test_a_change_that_cannot_be_or_changes_nothing_is_refused(
    management, dana, change, status
):
    before = (await management.post("/api/v1/users", json=dana)).json()
    answer = await management.patch("/api/v1/users/dana", json=change)
    assert answer.status_code == status, answer.text
    assert (await management.get("/api/v1/users/dana")).json() == before


async def test_nobody_who_is_not_there_is_changed(management):
    answer = await management.patch("/api/v1/users/nobody", json={"display_name": "x"})
    assert answer.status_code == 404
