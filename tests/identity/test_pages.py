"""Logging in and out through the pages, as a browser does it."""

import re
from dataclasses import replace

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from remit.audit.events import LoggedIn, LoggedOut, LoginFailed
from remit.errors import UnavailableError
from remit.identity import disable_user, routes, session_reader
from remit.web import site_at, static_url
from tests.identity.conftest import ADMIN, PASSWORD, hidden_fields

WRONG = "not the password at all"


def _shown(answer: httpx2.Response) -> str:
    """The page, but for the challenge that is new each time."""
    return re.sub(r'data-options="[^"]*"', "", answer.text)


async def test_a_person_logs_in_and_is_sent_back_where_they_came_from(
    browser, add_user, events, clock
):
    user = await add_user()
    answer = await browser.log_in(path="/login?return_to=/authorize?request%3Dabc%26x%3D1")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/authorize?request=abc&x=1"
    (logged_in,) = events.of(LoggedIn)
    assert logged_in.context.user_id == user.id
    assert logged_in.context.tenant == "acme"
    assert logged_in.context.network.ip == "203.0.113.7"
    assert (logged_in.acr, logged_in.amr) == ("urn:remit:acr:pwd", ("pwd",))


async def test_the_name_is_compared_without_regard_to_case_or_blanks(browser, add_user):
    await add_user("Ada.Lovelace")
    assert (await browser.log_in("  ADA.lovelace ")).status_code == 303


async def test_without_a_place_to_return_to_the_account_page_says_who_is_logged_in(
    browser, add_user
):
    await add_user(display_name="Ada <Lovelace>")
    answer = await browser.log_in()
    assert answer.headers["location"] == "/account"
    assert (await browser.open()).headers["location"] == "/account"
    assert "Ada &lt;Lovelace&gt;" in (await browser.open("/account")).text


async def test_a_wrong_password_and_an_unknown_name_look_the_same(browser, add_user, events):
    user = await add_user()
    wrong = await browser.log_in(password=WRONG)
    unknown = await browser.log_in("nobody", WRONG)
    assert wrong.status_code == unknown.status_code == 403

    assert _shown(wrong) == _shown(unknown).replace("nobody", "ada")
    failures = events.of(LoginFailed)
    assert [(one.account_id, one.reason) for one in failures] == [
        (user.id, "wrong_password"),
        (None, "unknown_name"),
    ]
    assert "set-cookie" not in wrong.headers


async def test_the_page_after_a_failure_keeps_the_name_and_never_the_password(browser, add_user):
    await add_user()
    page = (await browser.log_in(password=WRONG)).text
    assert 'value="ada"' in page
    assert WRONG not in page
    assert 'role="alert"' in page
    assert "<title>Error: " in page


async def test_neither_password_nor_unknown_name_reaches_the_log(browser, add_user, events):
    await add_user()
    await browser.log_in("hunter2-typed-as-name", WRONG)
    await browser.log_in(password=WRONG)
    await browser.log_in()
    text = repr(events.recorded)
    assert WRONG not in text
    assert PASSWORD not in text
    assert "hunter2" not in text


async def test_five_wrong_passwords_make_the_account_rest_even_for_the_right_one(
    browser, add_user, events, clock
):
    await add_user()
    for _ in range(5):
        await browser.log_in(password=WRONG)
    assert (await browser.log_in()).status_code == 403
    assert events.of(LoginFailed)[-1].reason == "resting"
    clock.advance(30)
    assert (await browser.log_in()).status_code == 303


async def test_a_rest_grows_with_every_further_failure_and_ends_with_a_success(
    new_browser, add_user, clock
):
    await add_user()
    for _ in range(5):
        await new_browser().log_in(password=WRONG)
    clock.advance(30)
    await new_browser().log_in(password=WRONG)
    clock.advance(59)
    assert (await new_browser().log_in()).status_code == 403
    clock.advance(1)
    assert (await new_browser().log_in()).status_code == 303
    assert (await new_browser().log_in(password=WRONG)).status_code == 403
    assert (await new_browser().log_in()).status_code == 303


async def test_an_address_that_tries_many_names_has_to_wait(new_browser, add_user, events, clock):
    await add_user()
    attacker = new_browser("2001:db8:1:2::1")
    for number in range(30):
        assert (await attacker.log_in(f"user{number}", WRONG)).status_code == 403
    neighbour = new_browser("2001:db8:1:2:ffff::9")
    for _ in range(3):
        refused = await neighbour.log_in()
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "300"
    assert [one.reason for one in events.of(LoginFailed)].count("too_many_from_address") == 1
    assert (await new_browser("2001:db8:1:3::1").log_in()).status_code == 303
    clock.advance(300)
    assert (await neighbour.log_in()).status_code == 303


async def test_those_who_log_in_do_not_use_up_their_office_address(new_browser, add_user):
    await add_user()
    for _ in range(35):
        assert (await new_browser().log_in()).status_code == 303


async def test_a_disabled_account_cannot_log_in_and_is_not_told_why(
    browser, add_user, deps, clock, events
):
    user = await add_user()
    deps.database.run_now(
        lambda tx: disable_user(tx, "ada", reason="left", now=clock.now(), context=ADMIN)
    )
    wrong = await browser.log_in(password=WRONG)
    right = await browser.log_in()
    assert _shown(right) == _shown(wrong)
    assert events.of(LoginFailed)[-1].reason == "disabled"
    assert events.of(LoginFailed)[-1].account_id == user.id


async def test_logging_in_again_gives_a_new_session_and_ends_the_old(browser, add_user, events):
    await add_user()
    first = await browser.log_in()
    before = browser.client.cookies["remit_session"]
    second = await browser.log_in(path="/login?return_to=/authorize")
    after = browser.client.cookies["remit_session"]
    assert first.status_code == second.status_code == 303
    assert before != after
    assert [(one.reason) for one in events.of(LoggedOut)] == ["replaced"]
    browser.carry_session(before)
    assert (await browser.open()).status_code == 200
    assert (await browser.open("/account")).status_code == 303


async def test_a_session_planted_before_the_login_is_not_the_one_after_it(browser, add_user):
    await add_user()
    browser.carry_session("A" * 43)
    await browser.log_in()
    assert browser.client.cookies["remit_session"] != "A" * 43


async def test_logging_out_ends_the_session_and_forgets_the_cookie(browser, add_user, events):
    await add_user()
    await browser.log_in()
    secret = browser.client.cookies["remit_session"]
    answer = await browser.log_out()
    assert answer.status_code == 200
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert [one.reason for one in events.of(LoggedOut)] == ["log_out"]
    browser.carry_session(secret)
    assert (await browser.open("/account")).status_code == 303


async def test_logging_out_without_a_session_does_nothing(browser, events):
    fields = hidden_fields((await browser.open()).text)
    assert (await browser.post("/logout", fields)).status_code == 403
    assert events.recorded == []


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_form_from_elsewhere_is_refused_before_anything_is_counted(
    browser, add_user, events, headers
):
    await add_user()
    events.recorded.clear()
    fields = hidden_fields((await browser.open()).text)
    filled = {**fields, "username": "ada", "password": PASSWORD}
    answer = await browser.post("/login", filled, **headers)
    assert answer.status_code == 403
    assert "could not be accepted" in answer.text
    assert "remit_session" not in answer.headers.get("set-cookie", "")
    assert events.recorded == []


async def test_the_form_of_another_browser_is_refused(new_browser, add_user):
    await add_user()
    mine, other = new_browser(), new_browser()
    fields = hidden_fields((await mine.open()).text)
    await other.open()
    answer = await other.post("/login", {**fields, "username": "ada", "password": PASSWORD})
    assert answer.status_code == 403


async def test_the_log_in_form_does_not_log_out(browser, add_user):
    await add_user()
    fields = hidden_fields((await browser.open()).text)
    await browser.log_in()
    assert (await browser.post("/logout", fields)).status_code == 403
    assert (await browser.open("/account")).status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/authorize",
        "/\\evil.example",
        "/authorize/..//evil.example",
        "/authorized",
        "/logout",
        "/authorize\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "/authorize#@evil.example",
        "/accounts",
        "/login",
    ],
)
async def test_a_log_in_leads_nowhere_but_to_our_own_paths(browser, add_user, target):
    await add_user()
    fields = hidden_fields((await browser.open()).text)
    filled = {**fields, "return_to": target, "username": "ada", "password": PASSWORD}
    answer = await browser.post("/login", filled)
    assert answer.headers["location"] == "/account"


@pytest.mark.parametrize("missing", ["username", "password"])
async def test_an_incomplete_form_is_shown_again_and_not_counted(
    browser, add_user, events, missing
):
    await add_user()
    filled = {"username": "ada", "password": PASSWORD, missing: ""}
    answer = await browser.post("/login", {**hidden_fields((await browser.open()).text), **filled})
    assert answer.status_code == 400
    assert "Something is missing" in answer.text
    assert events.of(LoginFailed) == []


async def test_a_repeated_or_unreadable_parameter_is_refused(browser):
    assert (await browser.open("/login?return_to=/authorize&return_to=/x")).status_code == 400
    body = b"username=a&username=b&password=%zz"
    headers = {**browser.headers, "content-type": "application/x-www-form-urlencoded"}
    assert (await browser.client.post("/login", content=body, headers=headers)).status_code == 400
    assert (
        await browser.client.post("/login", json={}, headers=browser.headers)
    ).status_code == 400


async def test_without_an_audit_log_nobody_is_logged_in(browser, add_user, events, database):
    await add_user()
    fields = hidden_fields((await browser.open()).text)
    events.failure = UnavailableError("the disk is full")
    with pytest.raises(UnavailableError):
        await browser.post("/login", {**fields, "username": "ada", "password": PASSWORD})
    assert "remit_session" not in browser.client.cookies
    events.failure = None
    assert (await browser.open("/account")).status_code == 303


async def test_over_https_the_cookies_are_host_bound_and_secure(deps, add_user):
    await add_user()
    secure = replace(deps, site=site_at("https://remit.example"))
    transport = httpx2.ASGITransport(app=Starlette(routes=routes(secure)), client=("::1", 1))
    async with httpx2.AsyncClient(transport=transport, base_url="https://remit.example") as client:
        form = await client.get("/login")
        assert re.fullmatch(
            r"__Host-remit_browser=[\w-]{43}; HttpOnly; Path=/; SameSite=Lax; Secure",
            form.headers["set-cookie"],
        )
        answer = await client.post(
            "/login",
            data={**hidden_fields(form.text), "username": "ada", "password": PASSWORD},
            headers={"origin": "https://remit.example"},
        )
        assert re.fullmatch(
            r"__Host-remit_session=[\w-]{43}; HttpOnly; Path=/; SameSite=Lax; Secure",
            answer.headers["set-cookie"],
        )
        assert (await session_reader(secure)(_request(client))) is not None


def _request(client):
    cookie = "; ".join(f"{one.name}={one.value}" for one in client.cookies.jar)
    return Request({"type": "http", "headers": [(b"cookie", cookie.encode())]})


async def test_the_form_may_lead_to_where_the_application_says_and_nowhere_else(
    deps, add_user, browser
):
    assert "form-action 'self';" in (await browser.open()).headers["content-security-policy"]

    async def sources(return_to: str) -> tuple[str, ...]:
        assert return_to == "/authorize?request=abc"
        return ("https://client.example",)

    asked = replace(deps, form_sources=sources)
    transport = httpx2.ASGITransport(app=Starlette(routes=routes(asked)), client=("::1", 1))
    async with httpx2.AsyncClient(transport=transport, base_url=deps.site.origin) as client:
        answer = await client.get("/login?return_to=/authorize?request%3Dabc")
    policy = answer.headers["content-security-policy"]
    assert "form-action 'self' https://client.example;" in policy


async def test_the_form_works_for_password_managers_and_screen_readers(browser):
    html = (await browser.open()).text
    assert re.search(r'<label for="username">User name</label>\s*<input id="username"', html)
    assert re.search(r'<label for="password">Password</label>\s*<input id="password"', html)
    assert 'autocomplete="username webauthn"' in html
    assert 'autocomplete="current-password"' in html
    assert '<html lang="en">' in html
    assert re.findall(r"<script[^>]*>[^<]*", html) == [
        f'<script src="{static_url("passkey.js")}" defer>'
    ]
