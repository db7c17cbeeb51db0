"""A form counts only if it was sent from our page in the same browser."""

import pytest
from starlette.requests import Request
from starlette.responses import Response

from remit.web import (
    Browser,
    CrossSiteRequestError,
    Params,
    RepeatedParameterError,
    browser_of,
    check_form_post,
    csrf_token,
    remember_browser,
    site_at,
)

SITE = site_at("https://remit.example")
BROWSER = Browser("s" * 43, is_new=False)


def _request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": raw})


def _check(request: Request, token: str | None, *, browser: Browser = BROWSER) -> None:
    params = Params(() if token is None else (("csrf_token", token),))
    check_form_post(request, params, site=SITE, browser=browser, form="consent")


GOOD = csrf_token(BROWSER, "consent")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://remit.example"},
        {"sec_fetch_site": "same-origin"},
        {"origin": "https://remit.example", "sec_fetch_site": "same-origin"},
    ],
)
def test_our_own_form_is_accepted(headers):
    _check(_request(**headers), GOOD)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "https://remit.example.evil.example"},
        {"origin": "http://remit.example"},
        {"origin": "https://remit.example:444"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
        {"origin": "https://remit.example", "sec_fetch_site": "cross-site"},
    ],
)
def test_a_form_that_the_browser_says_is_foreign_is_refused_whatever_its_token(headers):
    with pytest.raises(CrossSiteRequestError):
        _check(_request(**headers), GOOD)


@pytest.mark.parametrize(
    "token",
    [
        None,
        "",
        "x",
        GOOD[:-1],
        csrf_token(BROWSER, "login"),
        csrf_token(Browser("t" * 43, is_new=False), "consent"),
        "ä" * 43,
    ],
)
def test_another_token_is_refused(token):
    with pytest.raises(CrossSiteRequestError):
        _check(_request(), token)


def test_a_browser_without_its_cookie_is_refused():
    with pytest.raises(CrossSiteRequestError, match="no cookie"):
        _check(_request(), GOOD, browser=Browser("s" * 43, is_new=True))


def test_two_tokens_are_refused():
    params = Params((("csrf_token", GOOD), ("csrf_token", GOOD)))
    with pytest.raises(RepeatedParameterError):
        check_form_post(_request(), params, site=SITE, browser=BROWSER, form="consent")


def test_a_new_browser_gets_a_cookie_and_is_known_by_it():
    new = browser_of(_request(), SITE)
    response = Response()
    remember_browser(response, SITE, new)
    cookie = response.headers["set-cookie"].partition(";")[0]
    known = browser_of(_request(cookie=cookie), SITE)
    assert (known.secret, known.is_new) == (new.secret, False)
    again = Response()
    remember_browser(again, SITE, known)
    assert "set-cookie" not in again.headers


@pytest.mark.parametrize("cookie", ["__Host-remit_browser=short", "remit_browser=" + "a" * 43])
def test_a_cookie_that_is_not_ours_makes_no_browser_known(cookie):
    assert browser_of(_request(cookie=cookie), SITE).is_new


def test_a_browser_does_not_show_its_secret():
    assert "s" * 43 not in repr(BROWSER)
    assert BROWSER.digest not in BROWSER.secret
