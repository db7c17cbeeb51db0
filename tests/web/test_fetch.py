"""Strangers' documents, from a TLS host on loopback that the fetcher takes for a public one."""

import asyncio
import gzip
import socket
from ipaddress import ip_address

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.testing.document_host import DocumentHost
from remit.web.fetch import (
    DocumentFetcher,
    FetchFailedError,
    FetchLimits,
    FetchRefusedError,
    HostSilentError,
    Reach,
    SystemResolver,
    is_public_address,
)

BODY = b'{"client_id":"https://client.example/meta"}'


@pytest.fixture
async def host():
    async with DocumentHost() as host:
        yield host


async def test_a_document_is_fetched_from_the_address_that_was_checked(host):
    url = host.serve("/meta", BODY)
    document = await host.fetcher().fetch(url)
    assert document.body == BODY
    assert document.url == url
    assert document.fresh_for is None
    assert host.dialled == ["93.184.215.14"]
    head = host.requests[0]
    assert head.startswith("GET /meta HTTP/1.1\r\n")
    assert "\r\nHost: client.example\r\n" in head
    assert "\r\nAccept-Encoding: identity\r\n" in head


async def test_port_and_query_reach_the_host_as_they_stand(host):
    host.serve("/meta%2Fx?a=%20b", BODY)
    document = await host.fetcher().fetch("https://client.example:8443/meta%2Fx?a=%20b")
    assert document.body == BODY
    assert "\r\nHost: client.example:8443\r\n" in host.requests[0]


async def test_an_ipv6_address_is_dialled_like_any_other(host):
    host.addresses = ("2606:2800:21f:cb07:6820:80da:af6b:8b2c",)
    await host.fetcher().fetch(host.serve("/meta", BODY))
    assert host.dialled == ["2606:2800:21f:cb07:6820:80da:af6b:8b2c"]


@pytest.mark.parametrize(
    "url",
    [
        "http://client.example/meta",
        "HTTPS://client.example/meta",
        "ftp://client.example/meta",
        "https://user@client.example/meta",
        "https://user:pass@client.example/meta",
        "https://client.example/meta#x",
        "https://client.example\\@localhost/meta",
        "https://client.example/me ta",
        "https://client.example/me\r\nHost: localhost",
        "https://client.example/%zz",
        "https://127.0.0.1/meta",
        "https://127.1/meta",
        "https://2130706433/meta",
        "https://0x7f000001/meta",
        "https://client.example.0x7f/meta",
        "https://[::1]/meta",
        "https://client..example/meta",
        "https://client.example:0/meta",
        "https://client.example:65536/meta",
        "https:///meta",
        "https://.example/meta",
        "https://client.example./meta",
        "https://клиент.example/meta",
        "https://client.example/" + "a" * 2048,
        "",
    ],
)
async def test_a_url_that_is_not_plainly_https_with_a_name_is_not_even_resolved(url):
    async def resolve(host, port):
        pytest.fail("resolved")

    with pytest.raises(FetchRefusedError):
        await DocumentFetcher(resolve=resolve).fetch(url)


SPECIAL = [
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254",
    "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1",
    "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.1.1", "192.175.48.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:93.184.215.14", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::5db8:d70e",
    "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "100:0:0:1::1", "2001::1", "2001:0:53aa:64c::1",
    "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::1", "2002:5db8:d70e::1",
    "2620:4f:8000::1", "3fff::1", "3fff:fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1",
    "febf::1", "fec0::1", "feff::1", "ff02::1", "4000::1", "1fff::1",
]  # fmt: skip


@pytest.mark.parametrize("address", SPECIAL)
async def test_a_name_with_a_special_use_address_is_refused_and_never_dialled(host, address):
    url = host.serve("/meta", BODY)
    for addresses in ((address,), ("93.184.215.14", address), (address, "93.184.215.14")):
        host.addresses = addresses
        with pytest.raises(FetchRefusedError, match="no public address"):
            await host.fetcher().fetch(url)
    assert host.dialled == []


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "93.184.215.14", "172.15.255.255", "172.32.0.1", "100.128.0.1", "169.253.255.255",
     "192.88.98.1", "223.255.255.255", "2606:4700:4700::1111", "2a00:1450::1", "2400:cb00::1"],
)  # fmt: skip
def test_public_addresses_are_public(address):
    assert is_public_address(ip_address(address))


@given(st.ip_addresses(v=6) | st.ip_addresses(v=4))
def test_no_address_that_python_calls_private_or_reserved_passes(address):
    if is_public_address(address):
        assert not address.is_private
        assert not address.is_loopback
        assert not address.is_link_local
        assert not address.is_multicast
        assert not address.is_unspecified


async def test_a_name_that_does_not_resolve_reads_like_one_on_the_inside():
    async def unknown(host, port):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    async def inside(host, port):
        return (ip_address("10.0.0.7"),)

    async def nothing(host, port):
        return ()

    details = set()
    for resolve in (unknown, inside, nothing):
        with pytest.raises(FetchRefusedError) as refused:
            await DocumentFetcher(resolve=resolve).fetch("https://intranet.example/meta")
        details.add(refused.value.detail)
    assert details == {"`intranet.example` has no public address"}


async def test_the_name_is_resolved_once_so_a_second_answer_changes_nothing(host):
    url = host.serve("/meta", BODY)
    answers = [(ip_address("93.184.215.14"),), (ip_address("127.0.0.1"),)]
    asked = []

    async def rebinding(name, port):
        asked.append(name)
        return answers[len(asked) - 1]

    fetcher = host.fetcher()
    fetcher._resolve = rebinding
    await fetcher.fetch(url)
    assert asked == ["client.example"]
    assert host.dialled == ["93.184.215.14"]
    with pytest.raises(FetchRefusedError):
        await fetcher.fetch(url)


async def test_the_machines_own_resolver_finds_loopback_and_it_is_refused():
    assert ip_address("127.0.0.1") in await SystemResolver()("localhost", 443)
    with pytest.raises(FetchRefusedError, match="no public address"):
        await DocumentFetcher().fetch("https://localhost/meta")


@pytest.mark.parametrize("status", [201, 204, 301, 302, 303, 307, 308, 304, 400, 404, 500])
async def test_only_200_is_taken_and_no_redirect_is_followed(host, status):
    url = host.serve(
        "/meta", BODY, status=status, headers={"Location": "https://client.example/other"}
    )
    host.serve("/other", BODY)
    with pytest.raises(FetchRefusedError, match=str(status)):
        await host.fetcher().fetch(url)
    assert len(host.requests) == 1


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", 'application/json; charset="UTF-8"',
     "Application/JSON", "application/oauth-client+json"],
)  # fmt: skip
async def test_json_is_taken_under_its_names(host, content_type):
    url = host.serve("/meta", BODY, headers={"Content-Type": content_type})
    assert (await host.fetcher().fetch(url)).body == BODY


@pytest.mark.parametrize(
    "content_type",
    ["text/html", "text/plain", "application/jsonp", "application/json; charset=utf-16", "",
     "application/javascript", "text/json", "application/json, text/html", "multipart/mixed"],
)  # fmt: skip
async def test_anything_but_json_is_refused(host, content_type):
    url = host.serve("/meta", BODY, headers={"Content-Type": content_type})
    with pytest.raises(FetchRefusedError, match="JSON"):
        await host.fetcher().fetch(url)


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "zstd", "identity, gzip"])
async def test_a_compressed_document_is_refused_unread(host, encoding):
    bomb = gzip.compress(b"\0" * 1_000_000)
    url = host.serve("/meta", bomb, headers={"Content-Encoding": encoding})
    with pytest.raises(FetchRefusedError, match="encoded"):
        await host.fetcher().fetch(url)


async def test_a_document_of_just_the_limit_is_taken_and_one_byte_more_is_not(host):
    fetcher = host.fetcher(FetchLimits(body_bytes=100))
    assert len((await fetcher.fetch(host.serve("/meta", b"x" * 100))).body) == 100
    with pytest.raises(FetchRefusedError, match="larger than 100 bytes"):
        await fetcher.fetch(host.serve("/meta", b"x" * 101))


async def test_an_endless_document_is_cut_off_whatever_its_head_says(host):
    host.answers["/meta"] = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    ) + (b"400\r\n" + b"x" * 1024 + b"\r\n") * 200
    with pytest.raises(FetchRefusedError, match="larger"):
        await host.fetcher().fetch("https://client.example/meta")


async def test_a_document_that_ends_too_early_is_no_document(host):
    host.answers["/meta"] = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{}"
    )
    with pytest.raises(FetchFailedError):
        await host.fetcher().fetch("https://client.example/meta")


@pytest.mark.parametrize(
    "answer",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000, b"HTTP/1.1 abc\r\n\r\n"],
)
async def test_what_is_not_http_is_a_failure(host, answer):
    host.answers["/meta"] = answer
    with pytest.raises(FetchFailedError):
        await host.fetcher().fetch("https://client.example/meta")


async def test_a_host_that_never_answers_costs_the_timeout_and_no_more(host):
    host.answers["/meta"] = None
    with pytest.raises(FetchFailedError, match="in time"):
        await host.fetcher(FetchLimits(timeout=0.2)).fetch("https://client.example/meta")


async def test_a_resolver_that_never_answers_costs_the_timeout_and_no_more():
    async def resolve(host, port):
        await asyncio.Event().wait()

    with pytest.raises(FetchFailedError, match="in time"):
        await DocumentFetcher(FetchLimits(timeout=0.1), resolve=resolve).fetch(
            "https://a.example/m"
        )


async def test_no_more_than_a_few_documents_are_fetched_at_once():
    asked, two_asked, go_on = [], asyncio.Event(), asyncio.Event()

    async def resolve(host, port):
        asked.append(host)
        if len(asked) == 2:
            two_asked.set()
        await go_on.wait()
        return ()

    fetcher = DocumentFetcher(FetchLimits(at_once=2), resolve=resolve)
    fetches = [asyncio.create_task(fetcher.fetch(f"https://h{n}.example/m")) for n in range(5)]
    await two_asked.wait()
    for _ in range(20):
        await asyncio.sleep(0)
    assert asked == ["h0.example", "h1.example"]
    go_on.set()
    await asyncio.gather(*fetches, return_exceptions=True)
    assert len(asked) == 5


async def test_hosts_of_one_site_that_hang_keep_no_other_waiting(host):
    hanging = asyncio.Event()

    async def resolve(name, port):
        if name.endswith(".evil.example"):
            asked.append(name)
            await hanging.wait()
        raise OSError

    asked = []
    fetcher = DocumentFetcher(FetchLimits(at_once=3), resolve=resolve)
    urls = [f"https://h{n}.evil.example/m" for n in range(9)]
    fetches = [asyncio.create_task(fetcher.fetch(url)) for url in urls]
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(asked) == 2
    with pytest.raises(FetchRefusedError, match=r"honest\.test"):
        await asyncio.wait_for(fetcher.fetch("https://a.honest.test/m"), 2)
    hanging.set()
    await asyncio.gather(*fetches, return_exceptions=True)
    assert len(asked) == 9


async def test_a_host_is_silent_only_if_it_was_asked():
    gave_up = asyncio.Event()

    async def resolve(name, port):
        try:
            await asyncio.Event().wait()
        finally:
            await gave_up.wait()

    fetcher = DocumentFetcher(FetchLimits(timeout=0.1, at_once=1), resolve=resolve)
    first = asyncio.create_task(fetcher.fetch("https://first.example/m"))
    await asyncio.sleep(0)
    with pytest.raises(FetchFailedError) as failure:
        await fetcher.fetch("https://second.test/m")
    assert type(failure.value) is FetchFailedError
    gave_up.set()
    with pytest.raises(HostSilentError):
        await first


async def test_a_certificate_for_another_name_is_refused():
    async with DocumentHost(certified="other.example") as host:
        url = host.serve("/meta", BODY)
        with pytest.raises(FetchFailedError, match="TLS"):
            await host.fetcher().fetch(url)
        assert host.requests == []


async def test_a_certificate_of_an_unknown_authority_is_refused(host):
    async with DocumentHost() as impostor:
        url = impostor.serve("/meta", BODY)
        impostor._trust = host._trust
        with pytest.raises(FetchFailedError, match="TLS"):
            await impostor.fetcher().fetch(url)
        assert impostor.requests == []


async def test_the_next_address_is_tried_when_one_takes_no_connection(host):
    host.addresses = ("93.184.215.14", "1.1.1.1")
    url = host.serve("/meta", BODY)
    fetcher = host.fetcher()
    real = fetcher._transport

    class Deaf:
        def __init__(self):
            self._inner = real()

        async def __aenter__(self):
            return self

        async def __aexit__(self, *_):
            await self._inner.aclose()

        async def handle_async_request(self, request):
            if request.url.host == "93.184.215.14":
                raise httpx2.ConnectError("refused")
            return await self._inner.handle_async_request(request)

    fetcher._transport = Deaf
    assert (await fetcher.fetch(url)).body == BODY
    assert host.dialled == ["1.1.1.1"]


@pytest.mark.parametrize(
    ("headers", "fresh_for"),
    [
        ({}, None),
        ({"Cache-Control": "max-age=120"}, 120),
        ({"Cache-Control": 'public, Max-Age="120"'}, 120),
        ({"Cache-Control": "max-age=120", "Age": "20"}, 100),
        ({"Cache-Control": "max-age=120", "Age": "500"}, 0),
        ({"Cache-Control": "max-age=-1"}, 0),
        ({"Cache-Control": "max-age=soon"}, 0),
        ({"Cache-Control": "max-age=\u00b2"}, 0),
        ({"Cache-Control": "max-age=9", "Age": "\u00b2"}, 0),
        ({"Cache-Control": "max-age=120", "Age": "young"}, 0),
        ({"Cache-Control": "no-store, max-age=120"}, 0),
        ({"Cache-Control": "no-cache"}, 0),
        ({"Cache-Control": "max-age=99999999999999999999"}, 999_999_999),
        ({"Cache-Control": "public"}, None),
        (
            {"Date": "Mon, 05 Jan 2026 15:00:00 GMT", "Expires": "Mon, 05 Jan 2026 15:10:00 GMT"},
            600,
        ),
        (
            {"Date": "Mon, 05 Jan 2026 15:00:00 GMT", "Expires": "Mon, 05 Jan 2026 14:00:00 GMT"},
            0,
        ),
        ({"Expires": "0", "Date": "Mon, 05 Jan 2026 15:00:00 GMT"}, 0),
        ({"Expires": "Mon, 05 Jan 2026 15:10:00 GMT"}, 0),
    ],
)
async def test_how_long_a_document_holds_is_what_its_headers_say(host, headers, fresh_for):
    document = await host.fetcher().fetch(host.serve("/meta", BODY, headers=headers))
    assert document.fresh_for == fresh_for


# -- an operator's own addresses ---------------------------------------

PRIVATE = Reach(private=True)


@pytest.fixture
async def plain():
    """A host without TLS, on loopback: its port, and the heads of what it was asked."""
    heads = []

    async def answer(reader, writer):
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        writer.write(head + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], heads
    server.close()


@pytest.fixture
async def inside():
    """A host on loopback whose certificate says `localhost`."""
    async with DocumentHost("localhost") as host:
        yield host


async def loopback(host, port):
    return (ip_address("127.0.0.1"),)


async def test_http_to_loopback_is_asked_only_where_an_operator_says_so(plain):
    port, heads = plain
    for host in ("127.0.0.1", "localhost"):
        url = f"http://{host}:{port}/keys?x=1"
        with pytest.raises(FetchRefusedError, match="https"):
            await DocumentFetcher(resolve=loopback).fetch(url)
        assert heads == []
        found = await DocumentFetcher(resolve=loopback).fetch(url, reach=PRIVATE)
        assert found.body == BODY
        assert heads.pop().startswith(f"GET /keys?x=1 HTTP/1.1\r\nHost: {host}:{port}\r\n")


@pytest.mark.parametrize(
    "addresses",
    [("10.0.0.7",), ("192.168.1.1",), ("93.184.215.14",), ("127.0.0.1", "10.0.0.7"),
     ("::ffff:127.0.0.1",), ("fd00::1",)],
)  # fmt: skip
async def test_http_off_loopback_is_refused_whatever_the_operator_says(addresses):
    async def resolve(host, port):
        return tuple(ip_address(one) for one in addresses)

    with pytest.raises(FetchRefusedError, match="no address within reach"):
        await DocumentFetcher(resolve=resolve).fetch("http://idp.internal/keys", reach=PRIVATE)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "100.64.0.1", "127.0.0.1", "172.16.0.1", "192.168.1.1", "::1", "fc00::1",
     "fd12:3456::1", "93.184.215.14"],
)  # fmt: skip
async def test_private_addresses_are_dialled_over_tls_where_an_operator_says_so(host, address):
    host.addresses = (address,)
    url = host.serve("/keys", BODY)
    assert (await host.fetcher().fetch(url, reach=PRIVATE)).body == BODY
    assert host.dialled == [str(ip_address(address))]


NEVER = [
    "0.0.0.0", "100.100.100.200", "168.63.129.16", "169.254.169.254", "169.254.170.2",
    "192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::",
    "::ffff:10.0.0.1", "64:ff9b::a00:1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1",
    "2001:db8::1", "2002:a00:1::1",
]  # fmt: skip


@pytest.mark.parametrize("address", NEVER)
async def test_nobody_reaches_metadata_hosts_or_what_is_no_host(host, address):
    url = host.serve("/keys", BODY)
    for addresses in ((address,), ("10.0.0.7", address)):
        host.addresses = addresses
        with pytest.raises(FetchRefusedError, match="no address within reach"):
            await host.fetcher().fetch(url, reach=PRIVATE)
    assert host.dialled == []


async def test_a_private_name_too_is_resolved_once_and_pinned(host):
    url = host.serve("/keys", BODY)
    answers = [(ip_address("10.0.0.7"),), (ip_address("169.254.169.254"),)]

    async def rebinding(name, port):
        return answers.pop(0)

    fetcher = host.fetcher()
    fetcher._resolve = rebinding
    await fetcher.fetch(url, reach=PRIVATE)
    assert host.dialled == ["10.0.0.7"]
    with pytest.raises(FetchRefusedError):
        await fetcher.fetch(url, reach=PRIVATE)
    assert host.dialled == ["10.0.0.7"]


async def test_only_the_authority_of_the_given_file_is_believed(inside, tmp_path):
    authority = tmp_path / "authority.pem"
    inside.serve("/keys", BODY)
    url = f"https://localhost:{inside.port}/keys"
    with pytest.raises(FetchFailedError, match="TLS"):
        await DocumentFetcher(resolve=loopback).fetch(url, reach=PRIVATE)
    authority.write_text(inside.authority)
    reach = Reach(private=True, ca_file=str(authority))
    assert (await DocumentFetcher(resolve=loopback).fetch(url, reach=reach)).body == BODY
    async with DocumentHost("localhost") as another:
        authority.write_text(another.authority)  # the file is read each time
    with pytest.raises(FetchFailedError, match="TLS"):
        await DocumentFetcher(resolve=loopback).fetch(url, reach=reach)
    assert len(inside.requests) == 1


async def test_an_authority_of_ones_own_does_not_widen_the_reach(inside, tmp_path):
    authority = tmp_path / "authority.pem"
    authority.write_text(inside.authority)
    with pytest.raises(FetchRefusedError, match="no public address"):
        await DocumentFetcher(resolve=loopback).fetch(
            f"https://localhost:{inside.port}/keys", reach=Reach(ca_file=str(authority))
        )


@pytest.mark.parametrize("text", [None, "", "no certificate"])
async def test_an_authority_that_cannot_be_read_believes_nobody(inside, tmp_path, text):
    authority = tmp_path / "authority.pem"
    if text is not None:
        authority.write_text(text)
    reach = Reach(private=True, ca_file=str(authority))
    with pytest.raises(FetchFailedError, match="authority"):
        await DocumentFetcher(resolve=loopback).fetch(
            f"https://localhost:{inside.port}/keys", reach=reach
        )


async def test_a_caller_may_ask_for_a_longer_document_than_others(host):
    fetcher = host.fetcher(FetchLimits(body_bytes=10))
    url = host.serve("/keys", b"x" * 100)
    assert len((await fetcher.fetch(url, body_bytes=100)).body) == 100
    with pytest.raises(FetchRefusedError, match="larger than 99 bytes"):
        await fetcher.fetch(url, body_bytes=99)


# -- forms -------------------------------------------------------------


async def test_a_form_reaches_the_endpoint_and_its_answer_comes_back(host):
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    url = host.serve("/token", b'{"access_token":"x"}', headers=headers)
    fields = {"grant_type": "authorization_code", "code": "a b&c=ä"}
    answer = await host.fetcher().post_form(url, fields, authorization="Basic YTpi")
    assert (answer.status, answer.body) == (200, b'{"access_token":"x"}')
    assert answer.media_type == "application/json"
    (head,) = host.requests
    assert head.startswith("POST /token HTTP/1.1\r\n")
    assert "\r\nContent-Type: application/x-www-form-urlencoded\r\n" in head
    assert "\r\nAuthorization: Basic YTpi\r\n" in head
    assert host.bodies == [b"grant_type=authorization_code&code=a+b%26c%3D%C3%A4"]


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503])
async def test_an_error_of_the_endpoint_is_an_answer(host, status):
    url = host.serve("/token", b'{"error":"invalid_grant"}', status=status)
    answer = await host.fetcher().post_form(url, {"a": "b"})
    assert (answer.status, answer.body) == (status, b'{"error":"invalid_grant"}')


@pytest.mark.parametrize("status", [201, 204, 301, 302, 303, 307, 308])
async def test_a_form_follows_no_redirect(host, status):
    url = host.serve("/token", b"", status=status, headers={"Location": "https://evil.example/"})
    with pytest.raises(FetchRefusedError, match=str(status)):
        await host.fetcher().post_form(url, {"client_secret": "s"})
    assert len(host.requests) == 1


async def test_a_form_goes_no_further_than_a_document(host, plain):
    host.addresses = ("10.0.0.7",)
    for url in (host.serve("/token", b"{}"), f"http://127.0.0.1:{plain[0]}/token"):
        with pytest.raises(FetchRefusedError):
            await host.fetcher().post_form(url, {"client_secret": "s"})
    assert (host.requests, plain[1]) == ([], [])
    answer = await DocumentFetcher().post_form(url, {"client_secret": "s"}, reach=PRIVATE)
    assert answer.body == BODY


@pytest.mark.parametrize("authorization", ["", "Basic a\r\nX: y", "Basic \x00", "Basic ä", " a"])
async def test_no_field_can_be_smuggled_into_the_head(host, authorization):
    url = host.serve("/token", b"{}")
    with pytest.raises(FetchRefusedError, match="authorization"):
        await host.fetcher().post_form(url, {}, authorization=authorization)
    assert host.requests == []


async def test_an_endless_or_encoded_answer_to_a_form_is_refused(host):
    url = host.serve("/token", b"x" * 70_000)
    with pytest.raises(FetchRefusedError, match="larger"):
        await host.fetcher().post_form(url, {})
    host.serve("/token", b"x", headers={"Content-Encoding": "gzip"})
    with pytest.raises(FetchRefusedError, match="encoded"):
        await host.fetcher().post_form(url, {})


async def test_an_endpoint_that_never_answers_costs_the_timeout_and_no_more(host):
    host.answers["/token"] = None
    with pytest.raises(FetchFailedError, match="in time"):
        await host.fetcher(FetchLimits(timeout=0.2)).post_form("https://client.example/token", {})


async def test_an_endpoint_that_drips_costs_the_timeout_and_no_more(host):
    dripping = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"

    async def drip(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(dripping)
        await reader.read()  # until the fetcher has had enough
        writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/token"
    fetcher = DocumentFetcher(FetchLimits(timeout=0.2))
    with pytest.raises(FetchFailedError, match="in time"):
        await fetcher.fetch(url, reach=PRIVATE)
    with pytest.raises(FetchFailedError, match="in time"):
        await fetcher.post_form(url, {}, reach=PRIVATE)
    server.close()


@pytest.mark.parametrize("status", [200, 202, 204, 400, 410, 429, 503])
async def test_of_what_answers_a_message_only_the_status_is_read(host, status):
    url = host.serve("/hook", b"x" * 70_000, status=status, headers={"Content-Encoding": "gzip"})
    assert await host.fetcher().post(url, b'{"a":1}', headers={"X-Own": "1"}) == status
    assert host.requests[0].startswith("POST /hook HTTP/1.1\r\n")
    assert "\r\nX-Own: 1\r\n" in host.requests[0]
    assert host.bodies == [b'{"a":1}']


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_message_follows_nobody_elsewhere(host, status):
    url = host.serve("/hook", b"", status=status, headers={"Location": "https://other.example/"})
    with pytest.raises(FetchRefusedError, match=str(status)):
        await host.fetcher().post(url, b"{}", headers={})
    assert len(host.requests) == 1


async def test_a_message_goes_to_no_private_address_that_nobody_vouched_for(host):
    url = host.serve("/hook", b"")
    host.addresses = ("169.254.169.254",)
    with pytest.raises(FetchRefusedError, match="no public address"):
        await host.fetcher().post(url, b"{}", headers={})
    with pytest.raises(FetchRefusedError, match="field value"):
        await host.fetcher().post(url, b"{}", headers={"X-Own": "a\r\nX-Other: b"})
    assert host.requests == []
