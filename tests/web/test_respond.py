"""Responses that are no page."""

import pytest

from remit.web import json_response, problem, redirect


def test_json_is_canonical_and_not_kept():
    response = json_response({"b": 1, "a": "ü"}, status=201, headers={"X-Own": "1"})
    assert response.body == '{"a":"ü","b":1}'.encode()
    assert response.status_code == 201
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-own"] == "1"


def test_a_response_may_say_that_it_can_be_kept():
    kept = json_response({}, headers={"Cache-Control": "public, max-age=60"})
    assert kept.headers.getlist("cache-control") == ["public, max-age=60"]


def test_a_problem_has_a_stable_word():
    response = problem(409, "conflict", detail="it exists")
    assert response.headers["content-type"] == "application/problem+json"
    assert response.status_code == 409
    assert response.body == (
        b'{"code":"conflict","detail":"it exists","status":409,"type":"urn:remit:error:conflict"}'
    )


def test_a_redirect_never_carries_a_form_along():
    response = redirect("https://client.example/cb?code=x")
    assert response.status_code == 303
    assert response.headers["location"] == "https://client.example/cb?code=x"
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("url", ["/a\r\nSet-Cookie: x=y", "/a b", "/ä", "/a\x7f", "/a\x00"])
def test_a_redirect_cannot_split_a_header(url):
    with pytest.raises(ValueError, match="without blanks"):
        redirect(url)
