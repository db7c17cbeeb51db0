import pytest


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"{", 400),
        (b'{"reason": "a", "reason": "b"}', 400),
        (b'{"reason": 1}', 400),
        (b'{"reason": null}', 400),
        (b'{"reasons": "typo"}', 400),
        (b'{"reason": "' + b"x" * 2001 + b'"}', 400),
        (b'{"reason": "' + b"x" * 70_000 + b'"}', 413),
    ],
)
async def test_a_body_that_could_be_misread_changes_nothing(management, body, status):
    answer = await management.post(
        "/api/v1/agents/billing-job/suspend",
        content=body,
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    state = (await management.get("/api/v1/agents/billing-job")).json()["state"]
    assert state == "active"


async def test_a_form_is_not_taken_for_json(management):
    # A browser can send a form across origins; it cannot send JSON without asking.
    answer = await management.post("/api/v1/agents/billing-job/suspend", data={"reason": "x"})
    assert answer.status_code == 415


async def test_a_database_that_is_gone_is_told_as_unavailable(management, app):
    app.database.close()
    answer = await management.get("/api/v1/users")
    assert answer.status_code == 503
    assert answer.json()["code"] == "database_unavailable"


@pytest.mark.parametrize("value", ["a", [1], {"a": "b"}, None])
async def test_a_list_of_texts_is_nothing_else(management, dana, value):
    answer = await management.post("/api/v1/users", json={**dana, "roles": value})
    assert answer.status_code == 400
    assert "`roles" in answer.json()["detail"]


@pytest.mark.parametrize("value", ["a", [], {"a": 1}, None])
async def test_an_object_of_texts_is_nothing_else(management, dana, value):
    answer = await management.post("/api/v1/users", json={**dana, "attributes": value})
    assert answer.status_code == 400
    assert "`attributes" in answer.json()["detail"]


@pytest.mark.parametrize("members", [{}, {"username": ""}, {"username": None}])
async def test_a_text_that_must_be_there_must_say_something(management, dana, members):
    body = {name: value for name, value in dana.items() if name != "username"} | members
    answer = await management.post("/api/v1/users", json=body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("`username` is ")


async def test_what_no_database_can_keep_is_refused_before_it_is_asked(management):
    assert (await management.get("/api/v1/users/a%00b")).status_code == 404
    answer = await management.post(
        "/api/v1/agents/billing-job/suspend", json={"reason": "a\u0000b"}
    )
    assert answer.status_code == 400
