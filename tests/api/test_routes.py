import pytest


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/", "/v1/users/", "/v2/users", "/healthz", "/token"]
)
async def test_what_is_not_there_is_a_problem(management, path):
    answer = await management.get(path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


async def test_a_wrong_method_is_a_problem_that_names_the_right_one(management):
    answer = await management.delete("/v1/users")
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
    assert "GET" in answer.headers["allow"]


async def test_the_management_api_is_not_on_the_network(public):
    for path in ("/v1/users", "/v1/status", "/v1/audit/tail"):
        assert (await public.get(path)).status_code == 404
