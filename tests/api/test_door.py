import pytest
from starlette.requests import Request

from remit.api.door import BadRequestError, Body, administrator
from remit.audit import ActorType


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
        "/v1/agents/billing-job/suspend", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    state = (await management.get("/v1/agents/billing-job")).json()["state"]
    assert state == "active"


async def test_a_form_is_not_taken_for_json(management):
    # A browser can send a form across origins; it cannot send JSON without asking.
    answer = await management.post("/v1/agents/billing-job/suspend", data={"reason": "x"})
    assert answer.status_code == 415


async def test_a_database_that_is_gone_is_told_as_unavailable(management, app):
    app.database.close()
    answer = await management.get("/v1/users")
    assert answer.status_code == 503
    assert answer.json()["code"] == "database_unavailable"


def test_the_administrator_is_the_user_at_the_other_end_of_the_socket():
    known = administrator(Request({"type": "http", "state": {"peer_uid": 1000}}))
    assert (known.actor.type, known.actor.id) == (ActorType.ADMIN, "uid:1000")
    unknown = administrator(Request({"type": "http"}))
    assert (unknown.actor.type, unknown.actor.id) == (ActorType.ADMIN, None)


def test_a_member_is_taken_once_and_what_is_left_is_refused():
    body = Body({"name": "x", "roles": ["a", "b"], "attributes": {"k": "v"}, "more": 1})
    assert body.text("name") == "x"
    assert body.texts("roles") == ("a", "b")
    assert body.pairs("attributes") == {"k": "v"}
    with pytest.raises(BadRequestError, match="`more`"):
        body.finish()


@pytest.mark.parametrize("value", ["a", [1], {"a": "b"}, None])
def test_a_list_of_texts_is_nothing_else(value):
    with pytest.raises(BadRequestError, match="list of texts"):
        Body({"roles": value}).texts("roles")


@pytest.mark.parametrize("value", ["a", [], {"a": 1}, None])
def test_an_object_of_texts_is_nothing_else(value):
    with pytest.raises(BadRequestError, match="object of texts"):
        Body({"attributes": value}).pairs("attributes")


def test_a_text_that_must_be_there_must_say_something():
    for members in ({}, {"name": ""}, {"name": None}):
        with pytest.raises(BadRequestError, match="`name` must be text"):
            Body(members).text("name")
