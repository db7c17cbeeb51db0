"""A secret in a message of a server's, wherever it stands."""

import pytest

from remit.gateway.jsonrpc import Notification, Request, Response
from remit.gateway.rejection import UpstreamError
from remit.gateway.upstream.credentials import NO_CREDENTIALS, Credentials

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
