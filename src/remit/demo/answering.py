"""How a person of the story answers what they are asked: by opening the page, proving who they are, and pressing a button.

Like the rest of the scripted browser it works on the pages people get, and understands no others.
"""

from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx2

from remit.demo.authenticator_app import AuthenticatorApp
from remit.demo.person import Form, Person, UnexpectedPageError, read_forms, submit

__all__ = ["answer", "with_app"]

_MAX_STEPS = 12
_DONE = "/approvals/done/"
_SET_UP = "/account/one-time-password"


class _Reader(HTMLParser):
    """The links, the heading and the key of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.heading = ""
        self.key = ""
        self._within = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "a":
            self.links.append(values.get("href") or "")
        self._within = "key" if values.get("class") == "key" else tag

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within == "h1":
            self.heading += data
        elif self._within == "key":
            self.key += data


async def answer(person: Person, url: str, *, yes: bool = True) -> str:
    """Answer what `url` shows, and return how the page says it stands then.

    Raises:
        UnexpectedPageError: a page that the person does not understand.
    """
    async with httpx2.AsyncClient(cookies=person.cookies, timeout=20) as browser:
        response = await browser.get(url)
        for _ in range(_MAX_STEPS):
            if response.is_redirect:
                target = urljoin(str(response.url), response.headers["location"])
                response = await browser.get(target)
            elif response.url.path.startswith(_DONE):
                return " ".join(_read(response.text).heading.split())
            else:
                response = await _go_on(browser, person, response, yes=yes)
    raise UnexpectedPageError("the pages never came to an end")


async def with_app(person: Person, url: str) -> Person:
    """`person` with an authenticator app for the account at `url`.

    Raises:
        UnexpectedPageError: a page that the person does not understand.
    """
    async with httpx2.AsyncClient(cookies=person.cookies, timeout=20) as browser:
        response = await browser.get(url + _SET_UP)
        for _ in range(_MAX_STEPS):
            if response.is_redirect:
                target = urljoin(str(response.url), response.headers["location"])
                response = await browser.get(target)
                continue
            form = _form_with(response, "offer")
            if form is not None:
                app = AuthenticatorApp("".join(_read(response.text).key.split()))
                await submit(browser, response, form, _with_code(form, app))
                person.tell("sets up an authenticator app")
                return replace(person, app=app)
            response = await _go_on(browser, person, response, yes=False)
    raise UnexpectedPageError("the pages never came to an end")


async def _go_on(
    browser: httpx2.AsyncClient, person: Person, response: httpx2.Response, *, yes: bool
) -> httpx2.Response:
    if (form := _form_with(response, "password")) is not None:
        person.tell("logs in")
        return await submit(browser, response, form, person.credentials(form))
    if (form := _form_of_codes(response)) is not None and person.app is not None:
        person.tell("types a code of the authenticator app")
        return await submit(browser, response, form, _with_code(form, person.app))
    decision = "allow" if yes else "refuse"
    form = _form_with(response, "shown")
    # Whoever has to prove first who they are can say no already, and nothing else.
    if form is not None and ("decision", decision) in form.buttons:
        person.tell("reads the page, and says yes" if yes else "reads the page, and says no")
        return await submit(browser, response, form, [*form.fields, ("decision", decision)])
    for link in _read(response.text).links:
        if link.startswith("/login?"):
            return await browser.get(urljoin(str(response.url), link))
    raise UnexpectedPageError(f"status {response.status_code} at {response.url.path}")


def _form_with(response: httpx2.Response, name: str) -> Form | None:
    return next((one for one in read_forms(response.text) if name in one.names), None)


def _form_of_codes(response: httpx2.Response) -> Form | None:
    forms = read_forms(response.text)
    return next((one for one in forms if ("kind", "one_time_password") in one.fields), None)


def _with_code(form: Form, app: AuthenticatorApp) -> list[tuple[str, str]]:
    return [(name, app.code() if name == "code" else value) for name, value in form.fields]


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    return reader
