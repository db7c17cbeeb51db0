"""The keys of others: asked for over TLS from a host on loopback, and kept no longer than they hold."""

import asyncio
import json

import pytest
from joserfc.jwk import ECKey, OctKey

from remit.testing import FixedClock
from remit.testing.document_host import DocumentHost
from remit.tokens.published_keys import KeyLocation, KeysUnavailableError, PublishedKeys
from remit.web.fetch import Document, HostSilentError
from remit.web.reach import Reach

ISSUER = "https://idp.example"
JWKS = f"{ISSUER}/keys"
BY_URI = KeyLocation(issuer=ISSUER, jwks_uri=JWKS)
BY_ISSUER = KeyLocation(issuer=ISSUER)


def jwks_of(*kids):
    keys = (ECKey.generate_key("P-256", {"kid": kid}) for kid in kids)
    return {"keys": [key.as_dict(private=False) for key in keys]}


@pytest.fixture
async def host():
    async with DocumentHost("idp.example") as host:
        yield host


class Published:
    """Keys at the host, over a fetcher that can be held up."""

    def __init__(self, host):
        self.host = host
        self.clock = FixedClock()
        self.asked = []
        self.open = asyncio.Event()
        self.open.set()
        self._fetcher = host.fetcher()
        self.published = PublishedKeys(self._fetch, self.clock)

    def serve(self, *kids, path="/keys", headers=None, status=200):
        body = json.dumps(jwks_of(*kids)).encode()
        self.host.serve(path, body, headers=headers, status=status)

    def discover(self, document, **answer):
        path = "/.well-known/openid-configuration"
        self.host.serve(path, json.dumps(document).encode(), **answer)

    async def kids(self, location=BY_URI, *, anew=False):
        find = self.published.keys_anew if anew else self.published.keys
        return [key.kid for key in await find(location)]

    async def _fetch(self, url, *, reach, body_bytes):
        self.asked.append(url)
        await self.open.wait()
        return await self._fetcher.fetch(url, reach=reach, body_bytes=body_bytes)


@pytest.fixture
def there(host):
    return Published(host)


async def test_keys_of_the_repository_are_never_asked_for(there):
    location = KeyLocation(issuer=ISSUER, jwks=jwks_of("a", "b"), jwks_uri=JWKS)
    assert await there.kids(location) == ["a", "b"]
    assert await there.kids(location, anew=True) == ["a", "b"]
    assert there.asked == []


async def test_keys_are_asked_for_once_while_they_hold(there):
    there.serve("a", headers={"Cache-Control": "max-age=300"})
    assert await there.kids() == ["a"]
    there.serve("b")
    there.clock.advance(299)
    assert await there.kids() == ["a"]
    there.clock.advance(1)
    assert await there.kids() == ["b"]
    assert there.asked == [JWKS, JWKS]


@pytest.mark.parametrize(
    ("headers", "holds"),
    [
        ({}, 600),
        ({"Cache-Control": "no-store"}, 60),
        ({"Cache-Control": "max-age=5"}, 60),
        ({"Cache-Control": "max-age=31536000"}, 3_600),
    ],
)
async def test_what_the_headers_say_is_kept_within_bounds(there, headers, holds):
    there.serve("a", headers=headers)
    await there.kids()
    there.clock.advance(holds - 1)
    await there.kids()
    assert len(there.asked) == 1
    there.clock.advance(1)
    await there.kids()
    assert len(there.asked) == 2


async def test_keys_are_used_a_little_longer_when_they_cannot_be_had_and_then_no_more(there):
    there.serve("a", headers={"Cache-Control": "max-age=60"})
    await there.kids()
    there.serve("a", status=503)
    there.clock.advance(60 + 599)
    assert await there.kids() == ["a"]
    there.clock.advance(1)
    with pytest.raises(KeysUnavailableError):
        await there.kids()


async def test_a_failure_is_not_remembered(there):
    there.serve("a", status=500)
    with pytest.raises(KeysUnavailableError, match="500"):
        await there.kids()
    there.serve("a")
    assert await there.kids() == ["a"]


@pytest.mark.parametrize("anew", [False, True])
async def test_a_host_that_kept_us_waiting_in_vain_is_left_alone_for_half_a_minute(host, anew):
    asked, clock = [], FixedClock()

    async def fetch(url, *, reach, body_bytes):
        asked.append(url)
        raise HostSilentError("`idp.example` did not answer in time")

    published = PublishedKeys(fetch, clock)
    find = published.keys_anew if anew else published.keys
    for seconds, times in ((0, 1), (0, 1), (29, 1), (1, 2)):
        clock.advance(seconds)
        with pytest.raises(KeysUnavailableError) as refusal:
            await find(BY_URI)
        assert refusal.value.passing
        assert len(asked) == times


async def test_a_key_nobody_knows_is_looked_for_once_a_minute(there):
    there.serve("a")
    await there.kids()
    there.serve("b")
    assert await there.kids(anew=True) == ["b"]
    assert await there.kids() == ["b"]
    for _ in range(5):
        assert await there.kids(anew=True) == ["b"]
    assert len(there.asked) == 2
    there.clock.advance(60)
    await there.kids(anew=True)
    assert len(there.asked) == 3


async def test_looking_for_a_key_in_vain_does_not_lose_those_that_are_known(there):
    there.serve("a")
    await there.kids()
    there.serve("a", status=500)
    with pytest.raises(KeysUnavailableError):
        await there.kids(anew=True)
    assert await there.kids() == ["a"]


async def test_many_who_wait_make_one_request(there):
    there.serve("a")
    there.open.clear()
    waiting = [asyncio.create_task(there.kids()) for _ in range(5)]
    waiting += [asyncio.create_task(there.kids(anew=True)) for _ in range(5)]
    await asyncio.sleep(0)
    there.open.set()
    assert await asyncio.gather(*waiting) == [["a"]] * 10
    assert there.asked == [JWKS]


async def test_many_who_wait_are_all_told_that_it_failed(there):
    there.serve("a", status=500)
    there.open.clear()
    waiting = [asyncio.create_task(there.kids()) for _ in range(5)]
    await asyncio.sleep(0)
    there.open.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(one, KeysUnavailableError) for one in outcomes)
    assert there.asked == [JWKS]


async def test_who_waits_is_served_though_the_one_who_asked_goes_away(there):
    there.serve("a")
    there.open.clear()
    first = asyncio.create_task(there.kids())
    await asyncio.sleep(0)
    others = [asyncio.create_task(there.kids()) for _ in range(3)]
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    there.open.set()
    assert await asyncio.gather(*others) == [["a"]] * 3
    assert there.asked == [JWKS, JWKS]
    assert first.cancelled()


async def test_an_issuer_says_where_its_keys_are(there):
    there.discover({"issuer": ISSUER, "jwks_uri": JWKS})
    there.serve("a")
    assert await there.kids(BY_ISSUER) == ["a"]
    assert there.asked == [f"{ISSUER}/.well-known/openid-configuration", JWKS]


@pytest.mark.parametrize(
    "issuer",
    ["https://idp.example/", "https://IDP.example", "https://evil.example", "", None, ["x"], 1],
)
async def test_a_discovery_document_of_another_issuer_is_refused(there, issuer):
    there.discover({"issuer": issuer, "jwks_uri": JWKS})
    there.serve("a")
    with pytest.raises(KeysUnavailableError, match="another issuer") as refused:
        await there.kids(BY_ISSUER)
    assert not refused.value.passing
    assert JWKS not in there.asked


async def test_two_spellings_of_an_issuer_share_no_keys(there):
    there.discover({"issuer": ISSUER, "jwks_uri": JWKS})
    there.serve("a")
    assert await there.kids(BY_ISSUER) == ["a"]
    with pytest.raises(KeysUnavailableError):
        await there.kids(KeyLocation(issuer=ISSUER + "/"))


@pytest.mark.parametrize("jwks_uri", [None, 1, "", "http://idp.example/keys", "file:///etc/passwd"])
async def test_a_discovery_document_leads_nowhere_but_to_https(there, jwks_uri):
    there.discover({"issuer": ISSUER, "jwks_uri": jwks_uri})
    with pytest.raises(KeysUnavailableError):
        await there.kids(BY_ISSUER)
    assert len(there.host.requests) == 1


async def test_a_discovery_document_does_not_lead_inside(there):
    there.discover({"issuer": ISSUER, "jwks_uri": "https://metadata.internal/keys"})
    resolve = there._fetcher._resolve

    async def inside(name, port):
        there.host.addresses = ("169.254.169.254",) if "internal" in name else ("93.184.215.14",)
        return await resolve(name, port)

    there._fetcher._resolve = inside
    with pytest.raises(KeysUnavailableError, match="no public address") as refused:
        await there.kids(BY_ISSUER)
    assert not refused.value.passing
    assert there.host.dialled == ["93.184.215.14"]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"keys":{}}', b'{"keys":[],"keys":[]}', b'{"keys":["x"]}', b"\xff",
     b'{"keys":[' + b"{}," * 64 + b"{}]}", b" " * 65_536 + b"{}"],
)  # fmt: skip
async def test_what_is_no_key_set_is_refused(there, body):
    there.host.serve("/keys", body)
    with pytest.raises(KeysUnavailableError):
        await there.kids()


async def test_a_set_with_a_secret_in_it_is_refused(there):
    keys = [*jwks_of("a")["keys"], OctKey.generate_key(256).as_dict(private=True)]
    there.host.serve("/keys", json.dumps({"keys": keys}).encode())
    with pytest.raises(KeysUnavailableError, match="not public"):
        await there.kids()


async def test_what_was_found_on_the_inside_is_not_found_from_outside(there):
    """The same URL within another reach is another question."""
    there.serve("a")
    there.host.addresses = ("10.0.0.7",)
    private = KeyLocation(issuer=ISSUER, jwks_uri=JWKS, reach=Reach(private=True))
    assert await there.kids(private) == ["a"]
    with pytest.raises(KeysUnavailableError):
        await there.kids(BY_URI)


async def test_a_host_that_cannot_be_reached_may_be_there_later(there):
    there.host.answers["/keys"] = b""
    with pytest.raises(KeysUnavailableError) as gone:
        await there.kids()
    assert gone.value.passing


async def test_no_more_is_kept_than_a_thousand_places(clock):
    body, asked = json.dumps(jwks_of("a")).encode(), []

    async def fetch(url, *, reach, body_bytes):
        asked.append(url)
        return Document(url=url, body=body, fresh_for=None)

    published = PublishedKeys(fetch, clock)
    places = [KeyLocation(issuer="c", jwks_uri=f"{ISSUER}/{n}") for n in range(1_025)]
    for place in places:
        await published.keys(place)
    await published.keys(places[-1])
    assert len(asked) == 1_025
    await published.keys(places[0])
    assert len(asked) == 1_026
