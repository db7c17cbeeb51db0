"""The person in the story: somebody who logs in, reads the consent page, and unticks a scope.

A scripted browser: it keeps cookies, follows redirects by hand, fills in the
forms that Remit serves, and hands the final redirect to the agent as a loopback
listener would. It works on the pages people get, so a change that breaks the
pages breaks the demonstration.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.parse import urljoin, urlsplit

import httpx2

from remit.demo.authenticator_app import AuthenticatorApp

__all__ = ["Form", "Person", "UnexpectedPageError", "read_forms", "submit"]

_MAX_STEPS = 12


class UnexpectedPageError(Exception):
    """The person met a page that is neither a login nor a consent form."""


@dataclass(slots=True)
class Form:
    """One HTML form: where it goes, and its fields in order, boxes included."""

    action: str = ""
    fields: list[tuple[str, str]] = field(default_factory=list)
    boxes: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        return {name for name, _ in (*self.fields, *self.boxes)}


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(action=values.get("action", "")))
        elif self.forms and "name" in values and "disabled" not in values:
            self._add(self.forms[-1], tag, values)

    @staticmethod
    def _add(form: Form, tag: str, values: dict[str, str]) -> None:
        pair = (values["name"], values.get("value", ""))
        kind = values.get("type", "text")
        if tag == "button" or kind == "submit":
            form.buttons.append(pair)
        elif tag == "input" and kind == "checkbox":
            form.boxes.append(pair)
        elif tag == "input":
            form.fields.append(pair)


def read_forms(page: str) -> list[Form]:
    """Every form of an HTML page."""
    reader = _FormReader()
    reader.feed(page)
    return reader.forms


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with an account, and an opinion on what an agent may have.

    `keeps` is asked for each scope on the consent page; when it keeps none, the
    person refuses. `tell` is called with a line for every page. `cookies` is the
    person's browser: it remembers between walks.
    """

    username: str
    password: str
    keeps: Callable[[str], bool]
    tell: Callable[[str], None] = lambda _: None
    cookies: CookieJar = field(default_factory=CookieJar)
    app: AuthenticatorApp | None = None
    """What shows codes; without it the person has but a password."""

    async def walk(self, authorization_url: str, redirect_uri: str) -> str:
        """Go from the authorization URL to the redirect that ends it, and return that URL.

        Raises:
            UnexpectedPageError: a page without a form the person understands.
        """
        async with httpx2.AsyncClient(cookies=self.cookies, timeout=20) as browser:
            response = await browser.get(authorization_url)
            for _ in range(_MAX_STEPS):
                if response.is_redirect:
                    target = urljoin(str(response.url), response.headers["location"])
                    if _is_callback(target, redirect_uri):
                        return target
                    response = await browser.get(target)
                else:
                    response = await self._answer(browser, response)
        raise UnexpectedPageError("the pages never came to an end")

    async def _answer(
        self, browser: httpx2.AsyncClient, response: httpx2.Response
    ) -> httpx2.Response:
        forms = read_forms(response.text)
        for form in forms:
            if "password" in form.names:
                self.tell("logs in")
                return await submit(browser, response, form, self.credentials(form))
            if form.boxes:
                return await submit(browser, response, form, self._consent(form))
        raise UnexpectedPageError(f"status {response.status_code} at {response.url.path}")

    def credentials(self, form: Form) -> list[tuple[str, str]]:
        """What the person types into a log-in form."""
        known = {"username": self.username, "password": self.password}
        return [(name, known.get(name, value)) for name, value in form.fields]

    def _consent(self, form: Form) -> list[tuple[str, str]]:
        kept = [(name, value) for name, value in form.boxes if self.keeps(value)]
        withheld = [value for _, value in form.boxes if not self.keeps(value)]
        button = _button(form.buttons, allow=bool(kept) and not self._refuses(form))
        answer = "allows" if button == _button(form.buttons, allow=True) else "refuses"
        self.tell(_consent_line(answer, [value for _, value in kept], withheld))
        return [*form.fields, *kept, button]

    def _refuses(self, form: Form) -> bool:
        return not any(self.keeps(value) for _, value in form.boxes)


def _consent_line(answer: str, kept: Sequence[str], withheld: Sequence[str]) -> str:
    if answer == "refuses":
        return "reads the consent page and refuses"
    withheld_part = f", withholds {', '.join(withheld)}" if withheld else ""
    return f"reads the consent page, allows {', '.join(kept)}{withheld_part}"


def _button(buttons: Sequence[tuple[str, str]], *, allow: bool) -> tuple[str, str]:
    words = ("allow", "approve", "grant", "yes") if allow else ("deny", "refuse", "no")
    for name, value in buttons:
        if value.casefold() in words:
            return name, value
    raise UnexpectedPageError(f"no button among {buttons!r} says `{words[0]}`")


async def submit(
    browser: httpx2.AsyncClient,
    page: httpx2.Response,
    form: Form,
    fields: Sequence[tuple[str, str]],
) -> httpx2.Response:
    """Send `form` of `page` with `fields`, as a browser does."""
    target = urljoin(str(page.url), form.action)
    parts = urlsplit(str(page.url))
    body = httpx2.QueryParams(list(fields))
    return await browser.post(
        target,
        content=str(body),
        headers={
            "content-type": "application/x-www-form-urlencoded",
            "origin": f"{parts.scheme}://{parts.netloc}",
            "sec-fetch-site": "same-origin",
        },
    )


def _is_callback(target: str, redirect_uri: str) -> bool:
    return target.split("?", 1)[0] == redirect_uri
