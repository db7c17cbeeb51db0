import httpx2
import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route, Router

from remit.app.problems import with_problems
from remit.audit import AuditUnavailableError
from remit.errors import NotFoundError


async def fine(request):
    return PlainTextResponse("fine")


async def unavailable(request):
    raise AuditUnavailableError("the disk says: /var/lib/remit is full")


async def unforeseen(request):
    raise NotFoundError("not for this door")


@pytest.fixture
async def http():
    router = Router(
        [
            Route("/fine", fine),
            Route("/unavailable", unavailable),
            Route("/unforeseen", unforeseen),
        ],
        redirect_slashes=False,
    )
    transport = httpx2.ASGITransport(with_problems(router))
    async with httpx2.AsyncClient(transport=transport, base_url="http://remit") as client:
        yield client


async def test_what_is_there_is_answered(http):
    assert (await http.get("/fine")).text == "fine"


async def test_what_is_not_there_is_a_problem_or_a_page(http):
    answer = await http.get("/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    page = await http.get("/nothing", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")


async def test_a_wrong_method_names_the_right_one(http):
    answer = await http.delete("/fine")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert "GET" in answer.headers["allow"]


async def test_what_cannot_be_done_now_is_503_and_says_no_more(http):
    answer = await http.get("/unavailable")
    assert (answer.status_code, answer.json()["code"]) == (503, "audit_unavailable")
    assert answer.headers["retry-after"] == "5"
    assert "/var/lib" not in answer.text
    page = await http.get("/unavailable", headers={"Accept": "text/html"})
    assert page.status_code == 503
    assert "/var/lib" not in page.text


async def test_what_nobody_foresaw_is_the_doors_to_answer(http):
    with pytest.raises(NotFoundError):
        await http.get("/unforeseen")
