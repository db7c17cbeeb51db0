"""Webhooks over TLS on real sockets: signed for machines, inert for channels, and endpoints that misbehave."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace

import pytest

from remit.approvals.notification import NotSentError
from remit.approvals.notification_webhook import post_signed, post_to_channel, signature_of
from remit.errors import NotFoundError
from remit.testing.document_host import DocumentHost
from remit.web.fetch import FetchLimits
from tests.approvals.notified import AT, CHANNEL, NOTICE, PAGE, SECRET, WEBHOOK, notified

URL = "https://client.example/services/T0/B0/very-secret"


@pytest.fixture
async def host():
    async with DocumentHost() as host:
        yield host


def _signed(host, notifier=WEBHOOK, secret=SECRET, limits=None, one=None):
    return post_signed(
        notifier,
        one or notified(),
        post=host.fetcher(limits).post,
        read_secret=lambda _: secret,
        public_url=PAGE,
        now=AT,
    )


def _told(host, notices=(NOTICE,), notifier=CHANNEL, url=URL):
    return post_to_channel(
        notifier, notices, post=host.fetcher().post, read_secret=lambda _: url, public_url=PAGE
    )


def _header(head, name):
    return next(
        line.partition(": ")[2]
        for line in head.split("\r\n")
        if line.lower().startswith(f"{name}:")
    )


async def test_a_machine_is_told_what_waits_and_can_check_by_whom(host):
    host.serve("/hook", b"", status=204)
    await _signed(host)
    (head,), (body,) = host.requests, host.bodies
    assert json.loads(body) == {
        "type": "approval.requested",
        "timestamp": "2026-01-05T15:00:00.000Z",
        "data": {
            "id": "apr_1",
            "tenant": "acme",
            "server": "payments",
            "kind": "tool",
            "name": "refund_payment",
            "environment": "prod",
            "agent": "refunds",
            "roles": ["manager"],
            "expires_at": "2026-01-05T15:15:00.000Z",
            "url": f"{PAGE}/approvals/apr_1",
        },
    }
    # As the specification's reference implementations check it.
    signed = b".".join((_header(head, "webhook-id").encode(), str(AT).encode(), body))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert _header(head, "webhook-signature") == f"v1,{expected}"
    assert _header(head, "webhook-timestamp") == str(AT)
    assert _header(head, "webhook-id") == "ntf_1"


def test_the_signature_is_that_of_the_published_example():
    body = b'{"test": 2432232314}'
    found = signature_of(body, "msg_p5jXN8AQM9LWM0D4loKWxJek", now=1614265330, secrets=SECRET)
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_secret_is_replaced_both_sign():
    other = "whsec_" + base64.b64encode(b"o" * 32).decode()
    both = signature_of(b"x", "ntf_1", now=AT, secrets=f"{SECRET} {other}").split()
    assert both == [
        signature_of(b"x", "ntf_1", now=AT, secrets=SECRET),
        signature_of(b"x", "ntf_1", now=AT, secrets=other),
    ]


@pytest.mark.parametrize(
    "secret",
    ["", " ", "whsec_", "whsec_!!!", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
     "whsec_" + base64.b64encode(b"x" * 23).decode(), "whsec_" + base64.b64encode(b"x" * 65).decode(),
     f"{SECRET} short"],
)  # fmt: skip
async def test_nothing_is_sent_that_could_not_be_checked(host, secret):
    with pytest.raises(NotSentError, match="secret_unfit") as refused:
        await _signed(host, secret=secret)
    assert host.requests == []
    assert refused.value.__cause__ is None


async def test_without_a_secret_or_with_one_that_is_gone_nothing_is_sent(host):
    def gone(_):
        raise NotFoundError("no secret is stored as `hook`")

    with pytest.raises(NotSentError, match="no_secret"):
        await _signed(host, replace(WEBHOOK, secret=None))
    with pytest.raises(NotSentError, match="not_found"):
        await post_signed(
            WEBHOOK, notified(), post=host.fetcher().post, read_secret=gone, public_url=PAGE, now=AT
        )
    assert host.requests == []


@pytest.mark.parametrize(
    ("status", "for_good"), [(400, False), (404, False), (410, True), (429, False), (503, False)]
)
async def test_whatever_is_no_yes_has_not_arrived(host, status, for_good):
    host.serve("/hook", b"", status=status)
    with pytest.raises(NotSentError) as refused:
        await _signed(host)
    error = refused.value
    assert (error.told, error.for_good, error.answered) == (f"answered_{status}", for_good, True)


async def test_an_endpoint_that_never_answers_is_given_up_in_time(host):
    host.answers["/hook"] = None
    with pytest.raises(NotSentError, match="fetch_failed") as refused:
        await _signed(host, limits=FetchLimits(timeout=0.3))
    assert not refused.value.answered


@pytest.mark.parametrize(
    "answer",
    [b"", b"hello\r\n\r\n", b"HTTP/1.1 999999 x\r\n\r\n", b"\x00\xff\r\n\r\n"],
    ids=["nothing", "no-http", "no-status", "noise"],
)
async def test_an_endpoint_that_talks_nonsense_has_not_got_it(host, answer):
    host.answers["/hook"] = answer
    with pytest.raises(NotSentError, match="fetch_failed"):
        await _signed(host)


async def test_a_yes_with_an_endless_body_is_a_yes(host):
    host.serve("/hook", b"x" * 1_000_000)
    await _signed(host)
    assert len(host.bodies) == 1


@pytest.mark.parametrize("status", [301, 307, 308])
async def test_a_redirect_is_followed_nowhere(host, status):
    host.serve("/hook", b"", status=status, headers={"Location": "https://other.example/"})
    with pytest.raises(NotSentError, match="refused"):
        await _signed(host)
    assert len(host.requests) == 1


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "169.254.169.254"])
async def test_a_private_address_is_asked_only_where_the_repository_says_so(host, address):
    host.serve("/hook", b"")
    host.addresses = (address,)
    with pytest.raises(NotSentError, match="refused"):
        await _signed(host)
    assert host.requests == []
    inside = replace(WEBHOOK, private_network=True)
    if address.startswith("169.254"):
        with pytest.raises(NotSentError, match="refused"):
            await _signed(host, inside)
    else:
        await _signed(host, inside)


@pytest.mark.parametrize("url", ["http://client.example/hook", "ftp://x", "", None, "/hook"])
async def test_what_is_no_https_url_is_not_asked(host, url):
    with pytest.raises(NotSentError, match="refused"):
        await _signed(host, replace(WEBHOOK, url=url))
    assert host.requests == []


async def test_a_channel_gets_one_message_of_plain_words(host):
    host.serve("/services/T0/B0/very-secret", b"ok")
    await _told(host, (NOTICE, replace(NOTICE, about="apr_2")))
    (body,) = host.bodies
    text = json.loads(body)["text"]
    assert set(json.loads(body)) == {"text"}
    assert text.startswith("2 requests wait for an answer:\n")
    assert f"{PAGE}/approvals" in text
    assert "webhook-signature" not in host.requests[0].lower()


async def test_no_name_mentions_anybody_in_a_channel(host):
    host.serve("/services/T0/B0/very-secret", b"ok")
    await _told(host, (replace(NOTICE, name="<!channel> <@U1> &amp; [x](https://evil.example)"),))
    text = json.loads(host.bodies[0])["text"]
    assert not set(text) & set("<>@[]")
    assert "evil.example" in text
    assert "https://evil.example" not in text


async def test_the_url_of_a_channel_stands_in_no_error(host):
    host.serve("/services/T0/B0/very-secret", b"no_service", status=404)
    with pytest.raises(NotSentError) as refused:
        await _told(host)
    told = [str(refused.value), repr(refused.value)]
    with pytest.raises(NotSentError) as refused:
        await _told(host, url="http://client.example/very-secret")
    told += [str(refused.value), repr(refused.value)]
    assert not [one for one in told if "very-secret" in one or "client.example" in one]
