"""Documents of other servers: asked for once, kept for a while, used for an hour when they are gone."""

import asyncio

import orjson
import pytest

from remit.tokens.published import IssuerUnavailableError, Published
from remit.web.fetch import Document, FetchFailedError, Reach

PUBLIC = Reach()
URL = "https://idp.example/.well-known/openid-configuration"


class Host:
    def __init__(self):
        self.asked = 0
        self.fresh_for = None
        self.failure = None
        self.body = b'{"issuer":"https://idp.example"}'

    async def fetch(self, url, *, reach, body_bytes=None):
        self.asked += 1
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        return Document(url=url, body=self.body, fresh_for=self.fresh_for)


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def published(host, clock):
    return Published(host.fetch, clock)


async def get(published, reach=PUBLIC):
    return await published.document(URL, reach=reach)


async def test_a_document_is_asked_for_once_however_many_want_it(published, host):
    found = await asyncio.gather(*(get(published) for _ in range(8)))
    assert found == [{"issuer": "https://idp.example"}] * 8
    assert host.asked == 1


@pytest.mark.parametrize(
    ("fresh_for", "holds"), [(None, 900), (0, 60), (300, 300), (10_000_000, 86_400)]
)
async def test_it_holds_as_long_as_its_host_says_within_bounds(
    published, host, clock, fresh_for, holds
):
    host.fresh_for = fresh_for
    await get(published)
    clock.advance(holds - 1)
    await get(published)
    assert host.asked == 1
    clock.advance(1)
    await get(published)
    assert host.asked == 2


async def test_when_it_is_gone_it_is_used_for_an_hour_and_no_longer(published, host, clock):
    await get(published)
    host.failure = FetchFailedError("the host is down")
    clock.advance(900)
    assert await get(published)
    clock.advance(3_599)
    assert await get(published)
    clock.advance(1)
    with pytest.raises(IssuerUnavailableError):
        await get(published)


async def test_a_failure_is_remembered_for_some_seconds(published, host, clock):
    host.failure = FetchFailedError("the host is down")
    for _ in range(3):
        with pytest.raises(IssuerUnavailableError, match="the host is down"):
            await get(published)
    assert host.asked == 1
    clock.advance(10)
    host.failure = None
    assert await get(published)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"a":1,"a":2}', b"<html>", b"\xff"])
async def test_what_is_not_one_json_object_is_no_document(published, host, body):
    host.body = body
    with pytest.raises(IssuerUnavailableError):
        await get(published)


async def test_what_was_had_from_a_private_network_is_not_given_to_who_may_not_go_there(
    published, host
):
    await get(published, Reach(private=True))
    await get(published, Reach())
    assert host.asked == 2


async def test_no_more_than_so_many_are_kept(published, host):
    for number in range(300):
        await published.document(f"https://idp.example/{number}", reach=Reach())
    assert len(published._documents) == 256
    assert orjson.dumps(await published.document("https://idp.example/299", reach=Reach()))
    assert host.asked == 300
