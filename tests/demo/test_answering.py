"""The scripted browser on made-up pages; on the real ones it is the story that shows it."""

import pytest

from remit.demo.answering import answer, with_app
from remit.demo.authenticator_app import AuthenticatorApp
from remit.demo.person import Person, UnexpectedPageError

HTML = {"content-type": "text/html"}
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
LOGIN = """<form action="/login" method="post"><input name="username">
<input type="password" name="password"><button>Log in</button></form>"""
CODE = """<form action="/login/step" method="post"><input type="hidden" name="kind" value="passkey">
<input type="hidden" name="credential" value=""></form>
<form action="/login/step" method="post"><input type="hidden" name="kind" value="one_time_password">
<input name="code"><button>Go on</button></form>"""
STEP_UP = '<form action="/approvals/apr_1" method="post"><input type="hidden" name="shown" value="d"><button name="decision" value="refuse">Refuse</button></form><a href="/account">You</a><a class="button" href="/login?return_to=x">Go on</a>'
ASKS = """<form action="/approvals/apr_1" method="post"><input type="hidden" name="shown" value="d">
<button name="decision" value="refuse">Refuse</button>
<button name="decision" value="allow">Confirm</button></form>"""
SET_UP = f"""<code class="key">{SECRET}</code><form action="/account/one-time-password" method="post">
<input type="hidden" name="offer" value="o"><input name="code"></form>"""


class Pages:
    """A Remit that asks for a proof before it shows its buttons; what was posted to it."""

    def __init__(self):
        self.at, self.posted = "step_up", []

    def answer(self, method, path):
        if method == "POST":
            self.posted.append(path)
        match (method, path.partition("?")[0]):
            case ("GET", "/approvals/apr_1"):
                return 200, HTML, STEP_UP if self.at == "step_up" else ASKS
            case ("GET", "/login"):
                return 200, HTML, LOGIN
            case ("POST", "/login"):
                return 200, HTML, CODE
            case ("POST", "/login/step"):
                self.at = "ready"
                return 303, {"location": "/approvals/apr_1"}, ""
            case ("POST", "/approvals/apr_1"):
                return 303, {"location": "/approvals/done/apr_1"}, ""
            case ("GET", "/approvals/done/apr_1"):
                return 200, HTML, "<h1>You confirmed\n this</h1><p>more</p>"
            case ("GET", "/account/one-time-password"):
                return 200, HTML, SET_UP
            case _:
                return 200, HTML, ""


def somebody(**more):
    return Person(username="dana", password="secret", keeps=lambda _: True, **more)


async def test_a_person_proves_who_they_are_and_says_yes(serving):
    pages, told = Pages(), []
    dana = somebody(app=AuthenticatorApp(SECRET), tell=told.append)
    async with serving(pages.answer) as url:
        assert await answer(dana, f"{url}/approvals/apr_1") == "You confirmed this"
    assert pages.posted == ["/login", "/login/step", "/approvals/apr_1"]
    assert told == [
        "logs in", "types a code of the authenticator app", "reads the page, and says yes",
    ]  # fmt: skip


async def test_a_person_says_no(serving):
    pages, told = Pages(), []
    pages.at = "ready"
    async with serving(pages.answer) as url:
        await answer(somebody(tell=told.append), f"{url}/approvals/apr_1", yes=False)
    assert told == ["reads the page, and says no"]


async def test_who_cannot_prove_it_gets_no_further(serving):
    async with serving(Pages().answer) as url:
        with pytest.raises(UnexpectedPageError):
            await answer(somebody(), f"{url}/approvals/apr_1")


async def test_a_page_that_asks_nothing_is_no_way_on(serving):
    async with serving(lambda *_: (404, HTML, "<h1>Nothing here for you</h1>")) as url:
        with pytest.raises(UnexpectedPageError, match="status 404 at /approvals/apr_1"):
            await answer(somebody(), f"{url}/approvals/apr_1")


async def test_an_app_is_set_up_from_the_key_on_the_page(serving):
    pages = Pages()
    async with serving(pages.answer) as url:
        dana = await with_app(somebody(), url)
    assert pages.posted == ["/account/one-time-password"]
    assert dana.username == "dana"
    assert dana.app.code().isdigit()
