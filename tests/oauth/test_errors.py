"""How a refusal is said: the standard's code, characters that the standard admits, nothing private."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from remit.clock import Seconds
from remit.errors import UnavailableError
from remit.oauth import errors
from remit.oauth.errors import (
    AccessDeniedError,
    InvalidClientError,
    InvalidGrantError,
    InvalidRequestError,
    OAuthError,
    SlowDownError,
    authorization_parameters,
    json_door,
    json_response,
)
from remit.web import BodyTooLargeError, RepeatedParameterError, UnsupportedMediaTypeError

REQUEST = Request({"type": "http", "method": "POST", "path": "/token", "headers": []})


def body(response):
    return json.loads(response.body)


def every_error():
    return [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, OAuthError) and value is not OAuthError
    ]


@given(st.text(max_size=600))
def test_a_description_keeps_to_the_characters_of_the_standard(detail):
    for said in (
        body(json_response(InvalidGrantError(detail)))["error_description"],
        authorization_parameters(InvalidGrantError(detail), state=None, issuer="i")[
            "error_description"
        ],
    ):
        assert all("\x20" <= one <= "\x7e" and one not in '"\\' for one in said)
        assert len(said) <= 400


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_every_refusal_has_a_code_and_a_status_of_its_own_kind(kind):
    error = kind("why", retry_after=Seconds(3)) if kind is SlowDownError else kind("why")
    response = json_response(error)
    assert 400 <= response.status_code < 600
    assert body(response) == {"error": kind.code, "error_description": "why"}
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"


def test_the_cause_is_never_rendered():
    error = InvalidGrantError("not good", cause=ValueError("the secret is hunter2"))
    assert b"hunter2" not in json_response(error).body


def test_the_scheme_is_named_only_when_it_was_tried():
    assert "www-authenticate" not in json_response(InvalidClientError("no")).headers
    tried = json_response(InvalidClientError("no", tried_basic=True))
    assert (tried.status_code, tried.headers["www-authenticate"][:6]) == (401, "Basic ")


def test_slowing_down_says_for_how_long():
    response = json_response(SlowDownError("too many", retry_after=Seconds(7)))
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")


@pytest.mark.parametrize("state", [None, "", "x y&z=é"])
def test_an_authorization_error_carries_state_as_it_came_and_always_the_issuer(state):
    parameters = authorization_parameters(
        AccessDeniedError("no"), state=state, issuer="https://remit.example"
    )
    assert parameters["iss"] == "https://remit.example"
    assert parameters["error"] == "access_denied"
    assert ("state" in parameters) is (state is not None)
    assert parameters.get("state") == state


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (InvalidRequestError("x"), 400, "invalid_request"),
        (RepeatedParameterError("x"), 400, "invalid_request"),
        (UnsupportedMediaTypeError("x"), 400, "invalid_request"),
        (BodyTooLargeError("x"), 413, "invalid_request"),
        (UnavailableError("the disk at /dev/sda1 is gone"), 503, "temporarily_unavailable"),
        (ValueError("hunter2"), 500, "server_error"),
        (KeyError("hunter2"), 500, "server_error"),
    ],
)
async def test_the_door_answers_whatever_is_raised_with_a_refusal(raised, status, code):
    async def endpoint(request):
        raise raised

    response = await json_door(endpoint)(REQUEST)
    assert (response.status_code, body(response)["error"]) == (status, code)
    assert b"hunter2" not in response.body
    assert b"sda1" not in response.body
