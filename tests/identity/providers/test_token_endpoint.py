"""Remit as a client: how it proves itself, and which answers it takes; more in test_arrival.py."""

from base64 import b64decode

import orjson
import pytest

from remit.identity.providers import (
    OwnCredentials,
    TokenRequestError,
    authorized,
    request_tokens,
    secret_of,
)
from remit.tokens.issuer_metadata import IssuerMetadata
from remit.web.fetch import Answer, FetchFailedError, FetchRefusedError, Reach

METADATA = IssuerMetadata(
    issuer="https://i.example",
    authorization_endpoint="https://i.example/a",
    token_endpoint="https://i.example/t",
    jwks_uri=None,
    userinfo_endpoint=None,
    revocation_endpoint=None,
    end_session_endpoint=None,
    authentication_methods=("client_secret_basic",),
    revocation_methods=(),
    signing_algorithms=(),
    sends_iss=False,
)
SECRET = OwnCredentials(client_id="a:b c", secret="p%/+ :ä")


async def request(status=200, body=None, media_type="application/json", failure=None, own=SECRET):
    async def post_form(url, fields, *, authorization=None, reach):
        if failure is not None:
            raise failure
        said = body if isinstance(body, bytes) else orjson.dumps(body)
        return Answer(status=status, body=said, media_type=media_type)

    return await request_tokens(post_form, METADATA, own, fields={"a": "b"}, reach=Reach())


GOOD = {"access_token": "at", "token_type": "BEARER"}


async def test_what_is_issued_is_read():
    tokens = await request(body=GOOD | {"expires_in": 60, "refresh_token": "rt", "scope": "a b"})
    assert (tokens.access_token, tokens.refresh_token, tokens.expires_in) == ("at", "rt", 60)
    assert tokens.scope == "a b"
    assert "at" not in repr(tokens).replace("ForeignTokens", "")


@pytest.mark.parametrize("lifetime", ["60", 60])
async def test_a_lifetime_may_be_written_as_a_text(lifetime):
    assert (await request(body=GOOD | {"expires_in": lifetime})).expires_in == 60


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"status": 400, "body": {"error": "invalid_grant"}}, "invalid_grant"),
        ({"status": 400, "body": {"error": "<b>invalid</b>"}}, "malformed"),
        ({"status": 400, "body": {"error": ["x"]}}, "malformed"),
        ({"status": 401, "body": {}}, "malformed"),
        ({"status": 201, "body": GOOD}, "malformed"),
        ({"status": 503, "body": b"<html>"}, "unavailable"),
        ({"body": b"<html>", "media_type": "text/html"}, "malformed"),
        ({"body": b'{"access_token":"a","access_token":"b","token_type":"bearer"}'}, "malformed"),
        ({"body": b"[]"}, "malformed"),
        ({"body": GOOD | {"access_token": ""}}, "malformed"),
        ({"body": GOOD | {"access_token": "a\nb"}}, "malformed"),
        ({"body": GOOD | {"token_type": "DPoP"}}, "malformed"),
        ({"body": GOOD | {"expires_in": -1}}, "malformed"),
        ({"body": GOOD | {"expires_in": True}}, "malformed"),
        ({"body": GOOD | {"refresh_token": 7}}, "malformed"),
        ({"failure": FetchFailedError("no")}, "unavailable"),
        ({"failure": FetchRefusedError("no")}, "unavailable"),
    ],
)
async def test_every_other_answer_is_refused_by_a_stable_word(answer, reason):
    with pytest.raises(TokenRequestError) as caught:
        await request(**({"body": {}} | answer))
    assert caught.value.reason == reason


def test_both_parts_of_a_basic_credential_are_form_encoded():
    fields, authorization = authorized({"a": "b"}, SECRET, ("client_secret_basic",))
    assert fields == {"a": "b"}
    pair = b64decode(authorization.removeprefix("Basic ")).decode()
    assert pair == "a%3Ab+c:p%25%2F%2B+%3A%C3%A4"


def test_a_secret_is_sent_in_one_way_only():
    fields, authorization = authorized({}, SECRET, ("client_secret_post",))
    assert authorization is None
    assert fields["client_secret"] == SECRET.secret
    both = authorized({}, SECRET, ("client_secret_post", "client_secret_basic"))
    assert both[0] == {}


def test_a_server_that_takes_no_secret_gets_none():
    with pytest.raises(TokenRequestError) as caught:
        authorized({}, SECRET, ("private_key_jwt",))
    assert caught.value.reason == "misconfigured"


@pytest.mark.parametrize("failure", [KeyError("x"), OSError("x"), ValueError("x")])
def test_a_secret_that_cannot_be_read_sends_nothing(failure):
    def resolve(_):
        raise failure

    with pytest.raises(TokenRequestError) as caught:
        secret_of("id", "env:X", resolve)
    assert caught.value.reason == "misconfigured"
    assert secret_of("id", None, resolve) == OwnCredentials(client_id="id", secret=None)
