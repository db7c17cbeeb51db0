import pytest
from starlette.requests import Request

from remit.api.socket_door import administrator_at_socket
from remit.audit import ActorType


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/v1",
        "/api/v1/",
        "/api/v1/users/",
        "/api/v2/users",
        "/v1/users",
        "/healthz",
        "/token",
    ],
)
async def test_what_is_not_there_is_a_problem(management, path):
    answer = await management.get(path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


async def test_a_wrong_method_is_a_problem_that_names_the_right_one(management):
    answer = await management.delete("/api/v1/users")
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
    assert "GET" in answer.headers["allow"]


def test_the_administrator_is_the_user_at_the_other_end_of_the_socket():
    known = administrator_at_socket(Request({"type": "http", "state": {"peer_uid": 1000}}))
    assert (known.context.actor.type, known.context.actor.id) == (ActorType.ADMIN, "uid:1000")
    unknown = administrator_at_socket(Request({"type": "http"}))
    assert (unknown.context.actor.type, unknown.context.actor.id) == (ActorType.ADMIN, None)


async def test_a_token_is_neither_needed_nor_looked_at(management):
    headers = {"Authorization": "Bearer nonsense"}
    assert (await management.get("/api/v1/users", headers=headers)).status_code == 200
