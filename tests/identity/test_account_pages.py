"""The account page: what a person sees of themselves, and where they log out."""

from dataclasses import replace

import httpx2
import pytest
from starlette.applications import Starlette

from remit.audit.events import LoggedOut
from remit.identity import AccountEntry, AccountSection, routes
from tests.identity.conftest import Browser, hidden_fields

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def _session_ids(page: httpx2.Response) -> list[str]:
    return [one.split('"')[0] for one in page.text.split('name="session" value="')[1:]]


async def test_nobody_sees_it_without_logging_in_and_comes_back_after(browser, add_user):
    await add_user()
    answer = await browser.open("/account")
    assert answer.headers["location"] == "/login?return_to=%2Faccount"
    assert (await browser.log_in(path=answer.headers["location"])).headers["location"] == "/account"


async def test_it_says_who_i_am_and_where_i_am_logged_in(browser, new_browser, add_user):
    await add_user(display_name="Ada L.", roles=("support",))
    browser.client.headers["user-agent"] = FIREFOX
    await browser.log_in()
    other = new_browser("198.51.100.9")
    await other.log_in()
    page = await browser.open("/account")
    for words in ("Ada L.", "Acme", "support", "Firefox on Linux", "198.51.100.9"):
        assert words in page.text
    assert page.text.count("this browser") == 1
    assert len(_session_ids(page)) == 1


async def test_one_session_is_ended_from_another_browser(browser, new_browser, add_user, events):
    await add_user()
    await browser.log_in()
    other = new_browser()
    await other.log_in()
    page = await browser.open("/account")
    (theirs,) = _session_ids(page)
    await browser.answer(page, "/account/sessions/end", session=theirs)
    assert (await other.open("/account")).status_code == 303
    assert (await browser.open("/account")).status_code == 200
    assert [one.reason for one in events.of(LoggedOut)] == ["by_person"]


async def test_all_others_are_ended_at_once(browser, new_browser, add_user, events):
    await add_user()
    others = [new_browser() for _ in range(3)]
    for one in (*others, browser):
        await one.log_in()
    await browser.answer(await browser.open("/account"), "/account/sessions/end-others")
    assert [(await one.open("/account")).status_code for one in others] == [303] * 3
    assert (await browser.open("/account")).status_code == 200
    assert len(events.of(LoggedOut)) == 3


async def test_the_session_of_somebody_else_cannot_be_ended(browser, new_browser, add_user, events):
    await add_user()
    await add_user("bob")
    bob, bobs_second = new_browser(), new_browser()
    await bob.log_in("bob")
    await bobs_second.log_in("bob")
    (bobs,) = _session_ids(await bobs_second.open("/account"))
    await browser.log_in()
    page = await browser.open("/account")
    await browser.answer(page, "/account/sessions/end", session=bobs)
    assert (await bob.open("/account")).status_code == 200
    assert events.of(LoggedOut) == []


@pytest.mark.parametrize(
    "path",
    [
        "/account/sessions/end",
        "/account/sessions/end-others",
        "/account/passkeys",
        "/account/passkeys/remove",
        "/account/one-time-password",
        "/account/one-time-password/remove",
        "/account/recovery-codes",
        "/account/password",
        "/account/sections/applications",
    ],
)
async def test_no_form_is_taken_from_elsewhere_or_by_get(browser, add_user, events, path):
    await add_user()
    await browser.log_in()
    fields = hidden_fields((await browser.open("/account")).text)
    events.recorded.clear()
    assert (await browser.post(path, {**fields, "csrf_token": "x"})).status_code == 403
    cross = await browser.post(path, fields, origin="https://evil.example")
    assert cross.status_code == 403
    assert "Nothing was changed" in cross.text
    assert events.recorded == []
    if path not in {"/account/one-time-password", "/account/password"}:
        assert (await browser.open(path)).status_code == 405


async def test_a_form_without_a_session_changes_nothing(browser, new_browser, add_user, events):
    await add_user()
    await browser.log_in()
    stranger = new_browser()
    await stranger.open()
    await stranger.log_in()
    fields = hidden_fields((await stranger.open("/account")).text)
    stranger.client.cookies.delete("remit_session")
    events.recorded.clear()
    answer = await stranger.post("/account/sessions/end-others", fields)
    assert answer.headers["location"].startswith("/login")
    assert events.recorded == []
    assert (await browser.open("/account")).status_code == 200


async def test_the_page_can_be_neither_kept_nor_framed(browser, add_user):
    await add_user()
    await browser.log_in()
    headers = (await browser.open("/account")).headers
    assert headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "script-src" not in headers["content-security-policy"]


@pytest.fixture
def allowed() -> list[str]:
    return ["portal <b>", "cursor"]


@pytest.fixture
async def with_section(deps, allowed):
    """A browser before account pages with a list of another room."""

    async def entries(user):
        return [AccountEntry(id=f"{user.username}:{one}", title=one) for one in allowed]

    async def remove(user, entry, context):
        assert context.user_id == user.id
        owner, _, name = entry.partition(":")
        if owner == user.username:
            allowed.remove(name)

    section = AccountSection(
        key="applications",
        title="Applications",
        about="They act for you.",
        empty="None.",
        button="Withdraw",
        entries=entries,
        remove=remove,
    )
    application = Starlette(routes=routes(replace(deps, sections=(section,))))
    transport = httpx2.ASGITransport(app=application, client=("203.0.113.7", 1))
    async with httpx2.AsyncClient(transport=transport, base_url=deps.site.origin) as client:
        yield Browser(client)


async def test_another_rooms_list_is_shown_and_an_entry_taken_away(with_section, add_user, allowed):
    await add_user()
    await with_section.log_in()
    page = await with_section.open("/account")
    assert "portal &lt;b&gt;" in page.text
    done = await with_section.answer(page, "/account/sections/applications", entry="ada:cursor")
    assert done.headers["location"] == "/account#applications"
    assert allowed == ["portal <b>"]


async def test_a_list_that_is_not_there_is_not_found(with_section, add_user, allowed):
    await add_user()
    await with_section.log_in()
    page = await with_section.open("/account")
    fields = hidden_fields(page.text)
    for path, entry in (("/account/sections/other", "x"), ("/account/sections/applications", "")):
        assert (await with_section.post(path, {**fields, "entry": entry})).status_code == 404
    assert len(allowed) == 2
