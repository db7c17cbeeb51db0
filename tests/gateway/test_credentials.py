"""A secret in a message of a server's, wherever it stands."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.gateway.jsonrpc import Notification, Request, Response
from remit.gateway.rejection import UpstreamError
from remit.gateway.upstream.credentials import NO_CREDENTIALS, Credentials, spellings

SECRET = "correct-horse"
HOLDING = [
    Response(1, result={"a": [{"b": f"x{SECRET}y"}]}),
    Response(1, result={SECRET: None}),
    Response(SECRET, result={}),
    Response(None, error={"code": 1, "message": SECRET}),
    Notification("notifications/message", {"data": SECRET}),
    Request(1, "elicitation/create", {"message": SECRET}),
]


@pytest.mark.parametrize("message", HOLDING)
def test_a_message_that_holds_it_is_refused_without_naming_it(message):
    with pytest.raises(UpstreamError) as caught:
        Credentials(("other-secret", SECRET)).refuse_in(message)
    assert SECRET not in caught.value.detail


@pytest.mark.parametrize("message", HOLDING)
def test_where_there_is_no_secret_everything_passes(message):
    NO_CREDENTIALS.refuse_in(message)
    Credentials(("", "horse")).refuse_in(message)


def test_other_words_pass():
    Credentials((SECRET,)).refuse_in(Response(1, result={"a": ["correct", "horse", 1, None, True]}))


SPELT = {
    "backwards": SECRET[::-1],
    "hexadecimal": SECRET.encode().hex(),
    "hexadecimal in capitals": SECRET.encode().hex().upper(),
    "percent": "correct%2Dhorse",
    "percent of every character": "".join(f"%{byte:02X}" for byte in SECRET.encode()),
    "html": "correct&#45;horse",
    "html within percent": "correct%26%2345%3Bhorse",
    "json within a text": '{"a": "correct-horse"}',
    **{
        f"base64 after {count} bytes": base64.b64encode(b"x" * count + SECRET.encode() + b"yz").decode()
        for count in range(6)
    },
}  # fmt: skip


@pytest.mark.parametrize("text", SPELT.values(), ids=SPELT)
def test_a_secret_is_found_in_other_spellings(text):
    with pytest.raises(UpstreamError):
        Credentials((SECRET,)).refuse_in(Response(1, result={"a": f"before {text} after"}))


@given(
    secret=st.text(
        st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=8, max_size=64
    ),
    before=st.binary(max_size=9),
    after=st.binary(max_size=9),
    encode=st.sampled_from([base64.b64encode, base64.urlsafe_b64encode, base64.b16encode]),
)
def test_whatever_stands_around_it_what_is_encoded_is_found(secret, before, after, encode):
    text = encode(before + secret.encode() + after).decode()
    with pytest.raises(UpstreamError):
        Credentials((secret,)).refuse_in(Response(1, result={"a": text}))


def test_a_secret_with_quotes_is_found_in_json_within_json():
    secret = 'a"b\\c"dü'
    with pytest.raises(UpstreamError):
        Credentials((secret,)).refuse_in(Response(1, result={"a": json.dumps({"x": secret})}))


def test_a_text_with_the_secret_has_a_mark_in_its_place():
    credentials = Credentials((SECRET,))
    assert credentials.hidden_in(f"key={SECRET}!", "[x]") == "key=[x]!"
    assert credentials.hidden_in("key=correct%2dhorse!", "[x]") == "[x]"
    assert credentials.hidden_in("100% &amp; nothing", "[x]") == "100% &amp; nothing"


def test_what_is_too_short_has_no_spelling():
    assert list(spellings("short")) == []
    assert all(len(one) >= 6 for one in spellings("longer"))


def test_no_secret_is_printed():
    assert SECRET not in repr(Credentials((SECRET,)))
