"""Cookies that only this host can set."""

import pytest
from starlette.requests import Request
from starlette.responses import Response

from remit.web import clear_cookie, read_cookie, set_cookie, site_at

HTTPS = site_at("https://remit.example")
LOCAL = site_at("http://localhost:8000")


def _request(*cookies: str) -> Request:
    return Request({"type": "http", "headers": [(b"cookie", one.encode()) for one in cookies]})


def _written(site, **options) -> str:
    response = Response()
    set_cookie(response, site, "remit_session", value="abc-_.9", **options)
    return response.headers["set-cookie"]


def test_on_https_a_cookie_is_bound_to_the_host():
    assert _written(HTTPS) == (
        "__Host-remit_session=abc-_.9; HttpOnly; Path=/; SameSite=Lax; Secure"
    )


def test_on_loopback_http_a_cookie_has_its_plain_name():
    assert _written(LOCAL) == "remit_session=abc-_.9; HttpOnly; Path=/; SameSite=Lax"


def test_a_cookie_may_be_kept_for_a_time_or_forgotten():
    assert "Max-Age=60" in _written(HTTPS, max_age=60)
    response = Response()
    clear_cookie(response, HTTPS, "remit_session")
    assert 'remit_session=""' in response.headers["set-cookie"]
    assert "Max-Age=0" in response.headers["set-cookie"]
    assert "Secure" in response.headers["set-cookie"]


def test_a_cookie_is_read_back_under_the_name_of_its_site():
    request = _request("a=1; __Host-remit_session=abc; remit_session=planted")
    assert read_cookie(request, HTTPS, "remit_session") == "abc"
    assert read_cookie(request, LOCAL, "remit_session") == "planted"


def test_the_plain_name_is_not_believed_on_https():
    assert read_cookie(_request("remit_session=planted"), HTTPS, "remit_session") is None


@pytest.mark.parametrize(
    "cookies",
    [["remit_session=a; remit_session=b"], ["remit_session=a", "remit_session=b"], [], [""]],
)
def test_no_cookie_or_two_that_differ_are_none(cookies):
    assert read_cookie(_request(*cookies), LOCAL, "remit_session") is None


@pytest.mark.parametrize("value", ["a b", "a;b", 'a"b', "a\r\nb", "ä", ""])
def test_a_value_that_needs_quoting_is_refused(value):
    with pytest.raises(ValueError, match="base64url"):
        set_cookie(Response(), LOCAL, "remit_session", value=value)
