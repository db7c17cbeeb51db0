"""A client that comes back to have its person step up, whether or not it says so."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from elevating import CallsThatWait, elevate, found, own_grant
from flows import CRM, ORIGIN, PASSWORD, answer, hidden_fields, offered

from remit.audit.events import AuthorizationRefused
from remit.errors import UnavailableError
from remit.oauth import WaitingRequest
from remit.oauth import routes as oauth_routes
from remit.oauth.step_up import NO_STEP_UPS

PAGE = f"{ORIGIN}/approvals/apr_1"


@pytest.fixture
def calls():
    return CallsThatWait(WaitingRequest(id="apr_1", url=PAGE))


@pytest.fixture
async def asking(server, calls):
    """The authorization server, with a call that waits for whoever comes."""
    server.deps = replace(server.deps, step_ups=calls)
    server.application.router.routes[:0] = oauth_routes(server.deps)
    await server.add_user()
    return server


async def led(server, browser=None, **changes):
    """Where a person who logged in is led before anything else, and the path back."""
    browser = browser or server.browser()
    fields = await login_fields(browser, **changes)
    response = await browser.post("/login", fields)
    while response.headers.get("location", "").startswith("/"):
        response = await browser.client.get(response.headers["location"])
    place = urlsplit(response.headers["location"])
    (back,) = parse_qs(place.query)["return_to"]
    assert f"{place.scheme}://{place.netloc}{place.path}" == PAGE
    return browser, back


async def login_fields(browser, **changes):
    page = await browser.follow(await browser.authorize(**changes))
    return {**hidden_fields(page.text), "username": "ada", "password": PASSWORD}


async def test_the_page_of_the_call_comes_before_the_consent_page(asking, calls):
    browser, back = await led(asking)
    assert back.startswith("/authorize/continue?request=")
    assert back.endswith("&after=apr_1")
    ((client, user, resource),) = set(calls.asked)
    assert (client, resource) == ("portal", CRM)
    calls.waiting = None  # they answered
    page = await browser.client.get(back)
    assert offered(page.text) == ["crm:accounts.read", "crm:accounts.write"]
    assert "code" in answer(await browser.decide(page))
    assert user == own_grant(asking).user_id


async def test_a_client_that_says_why_it_came_is_led_the_same_way(asking, calls):
    _, back = await led(asking, acr_values="urn:remit:acr:pwd", max_age="300")
    assert "after=apr_1" in back


async def test_a_remembered_consent_does_not_answer_before_the_page(asking, calls):
    calls.waiting = None
    browser = asking.browser()
    assert "code" in answer(await browser.decide(await browser.to_consent()))
    calls.waiting = WaitingRequest(id="apr_1", url=PAGE)
    response = await browser.client.get((await browser.authorize()).headers["location"])
    assert response.headers["location"].startswith(f"{PAGE}?return_to=")
    calls.waiting = None
    back = parse_qs(urlsplit(response.headers["location"]).query)["return_to"][0]
    assert "code" in answer(await browser.client.get(back))


async def test_whoever_leaves_the_page_without_an_answer_goes_round_in_no_circle(asking, calls):
    browser, back = await led(asking)
    page = await browser.client.get(back)
    assert page.status_code == 200
    assert offered(page.text)
    assert "code" in answer(await browser.decide(page))


async def test_another_call_that_waits_by_then_has_its_turn(asking, calls):
    browser, back = await led(asking)
    calls.waiting = WaitingRequest(id="apr_2", url=f"{ORIGIN}/approvals/apr_2")
    response = await browser.client.get(back)
    assert response.headers["location"].startswith(f"{ORIGIN}/approvals/apr_2?return_to=")
    assert "after%3Dapr_2" in response.headers["location"]


async def test_where_nobody_may_be_shown_anything_the_client_hears_that_somebody_has_to(
    asking, calls
):
    calls.waiting = None
    browser = asking.browser()
    answer(await browser.decide(await browser.to_consent()))
    calls.waiting = WaitingRequest(id="apr_1", url=PAGE)
    response = await browser.follow(await browser.authorize(prompt="none"))
    assert answer(response)["error"] == "interaction_required"
    assert asking.events(AuthorizationRefused)[-1].error == "interaction_required"


async def test_whoever_is_refused_anyway_is_led_nowhere(asking, calls):
    await asking.add_user("guest", roles=())
    browser = asking.browser()
    response = await browser.to_consent("guest")
    assert answer(response)["error"] == "access_denied"
    assert calls.asked == []


async def test_whoever_is_not_logged_in_is_asked_about_no_call(asking, calls):
    browser = asking.browser()
    page = await browser.follow(await browser.authorize())
    assert page.url.path == "/login"
    assert calls.asked == []


async def test_another_browser_is_not_led_to_the_page(asking, calls):
    location = (await asking.browser().authorize()).headers["location"]
    stranger = asking.browser()
    await stranger.follow(await stranger.authorize())
    assert (await stranger.client.get(location)).status_code == 400
    assert calls.asked == []


async def test_where_it_cannot_be_told_what_waits_nothing_is_granted(asking, calls):
    async def down(*_):
        raise UnavailableError("the database does not answer")

    calls.waiting_for = down
    browser = asking.browser()
    page = await browser.to_consent()
    assert page.status_code == 503
    assert (
        asking.database.read_now(
            lambda tx: tx.connection.exec_driver_sql("select count(*) from grants").scalar()
        )
        == 0
    )


async def test_the_new_grant_is_told_of_in_the_transaction_that_makes_it(asking, calls):
    calls.waiting = None
    await asking.code()
    (told,) = calls.rebound
    assert told == own_grant(asking)


async def test_a_grant_that_cannot_be_told_of_is_not_made(asking, calls):
    calls.waiting = None

    def fails(tx, grant):
        raise RuntimeError("no such table")

    browser = asking.browser()
    page = await browser.to_consent()
    calls.rebind = fails
    response = await browser.decide(page)
    assert response.status_code == 500
    calls.rebind = lambda tx, grant: None
    assert "code" in answer(await browser.decide(page))


async def test_what_was_allowed_meanwhile_hangs_below_the_new_grant(asking, calls):
    calls.waiting = None
    await asking.code()
    first, made = own_grant(asking), None
    calls.waiting = WaitingRequest(id="apr_1", url=PAGE)
    asking.clock.advance(1)
    browser, back = await led(asking)
    made = await elevate(asking, first.id)
    calls.waiting = None
    page = await browser.client.get(back)
    if page.status_code != 303:
        page = await browser.decide(page)
    assert "code" in answer(page)
    assert found(asking, made).parent_id == own_grant(asking).id != first.id


async def test_where_nobody_is_ever_asked_nothing_waits_and_nothing_is_told(server):
    assert server.deps.step_ups is NO_STEP_UPS
    assert await NO_STEP_UPS.waiting_for("portal", "usr_1", CRM) is None
    assert "access_token" in await server.granted()
