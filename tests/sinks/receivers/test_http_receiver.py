"""What is posted, and whom it is posted to: nobody who does not prove who they are, and nobody else by redirect."""

import asyncio
import socket
import threading

import pytest

from remit.clock import EpochSeconds
from remit.sinks.port import SinkDownError, SinkRefusedError
from remit.sinks.receivers import lookup
from remit.sinks.receivers.http_receiver import HttpReceiver
from remit.sinks.receivers.options import SinkMisdeclaredError
from remit.testing.clock import FixedClock
from tests.sinks.certified import Authority
from tests.sinks.collecting import Collector, Reply
from tests.sinks.made import settings


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "authority")


async def post(url, **options):
    receiver = HttpReceiver(settings(url, **{"timeout": "2", **options}))
    try:
        return await receiver.post(b'{"x":1}', [("content-type", "application/json")])
    finally:
        receiver.close()


async def test_content_arrives_and_the_answer_comes_back():
    async with Collector(lambda _: Reply(202, b'{"ok":true}', {"remit-taken": "ab"})) as collector:
        said = await post(collector.url)
    assert (said.status, said.parsed(), said.taken) == (202, {"ok": True}, "ab")
    assert collector.requests[0].body == b'{"x":1}'


async def test_content_is_compressed_where_that_is_asked():
    async with Collector() as collector:
        await post(collector.url, compress="gzip")
    assert collector.requests[0].headers["content-encoding"] == "gzip"
    assert collector.requests[0].body == b'{"x":1}'


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, SinkRefusedError), (413, SinkRefusedError), (422, SinkRefusedError),
     (401, SinkDownError), (403, SinkDownError), (404, SinkDownError), (429, SinkDownError),
     (500, SinkDownError), (503, SinkDownError), (301, SinkDownError), (307, SinkDownError)],
)  # fmt: skip
async def test_every_other_status_says_that_it_is_not_there(status, error):
    headers = {"location": "http://localhost:1/"}
    async with Collector(lambda _: Reply(status, b"", headers)) as collector:
        with pytest.raises(error) as raised:
            await post(collector.url)
        assert len(collector.requests) == 1
    assert raised.value.detail == f"answered_{status}"


async def test_who_does_not_answer_in_time_is_given_up():
    async with Collector(lambda _: None) as collector:
        with pytest.raises(SinkDownError, match="timed_out"):
            await post(collector.url, timeout="0.3")


@pytest.mark.parametrize(
    ("value", "wait"),
    [("17", 17.0), ("0", 0.0), ("Sat, 21 Nov 2026 17:02:00 GMT", 120.0), ("soon", None), ("-5", None),
     ("9" * 4_000, None), ("Sat, 21 Nov 2026 16:00:00 GMT", -3_600.0), (None, None)],
)  # fmt: skip
@pytest.mark.parametrize("status", [429, 503])
async def test_how_long_a_receiver_wants_to_be_left_alone_is_read(status, value, wait):
    headers = {} if value is None else {"retry-after": value}
    clock = FixedClock(EpochSeconds(1_795_280_400))
    async with Collector(lambda _: Reply(status, b"", headers)) as collector:
        receiver = HttpReceiver(settings(collector.url, clock=clock))
        with pytest.raises(SinkDownError) as raised:
            await receiver.post(b"{}", [])
        receiver.close()
    assert (raised.value.detail, raised.value.wait) == (f"answered_{status}", wait)


async def test_an_answer_that_comes_in_drops_is_not_waited_for_without_an_end():
    """Slowloris, the other way round: each drop in time, and never the whole."""

    async def drip(reader, writer):
        try:
            writer.write(b"HTTP/1.1 200 X\r\ncontent-length: 100000\r\n\r\n")
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(SinkDownError, match="timed_out"):
            await post(f"http://127.0.0.1:{port}/", timeout="0.5")
    finally:
        server.close()


async def test_a_name_server_that_does_not_answer_holds_one_thread_and_none_of_everybodys(
    monkeypatch,
):
    free, asked = threading.Event(), []

    def getaddrinfo(*args, **more):
        asked.append(threading.current_thread())
        free.wait(20)
        raise OSError("nobody said")

    monkeypatch.setattr(lookup.socket, "getaddrinfo", getaddrinfo)
    receiver = HttpReceiver(settings("https://siem.example/", timeout="0.05"))
    try:
        for _ in range(5):
            with pytest.raises(SinkDownError, match="timed_out"):
                await receiver.post(b"{}", [])
        assert len(asked) == 1
        assert asked[0].daemon
    finally:
        free.set()
        receiver.close()


async def test_what_the_environment_says_of_proxies_is_nothing_to_it(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with Collector() as collector:
        assert (await post(collector.url)).status == 200


async def test_an_address_of_version_six_is_reached():
    server = Collector()
    try:
        listening = await asyncio.start_server(server._serve, "::1", 0)
    except OSError:
        pytest.skip("there is no IPv6 on this machine")
    port = listening.sockets[0].getsockname()[1]
    try:
        assert (await post(f"http://[::1]:{port}/")).status == 200
    finally:
        listening.close()
    assert server.requests[0].headers["host"] == f"[::1]:{port}"


async def test_a_host_that_nobody_knows_is_said_to_be_unknown(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(lookup.socket, "getaddrinfo", unknown)
    with pytest.raises(SinkDownError, match="host_unknown"):
        await post("https://siem.example/")


async def test_where_nobody_listens_is_unreachable():
    with pytest.raises(SinkDownError, match="unreachable"):
        await post("http://localhost:1")


async def test_an_answer_without_an_end_is_not_waited_for_without_one():
    async with Collector(lambda _: Reply(200, b"x" * 5_000_000)) as collector:
        with pytest.raises(SinkDownError, match="answer_too_large"):
            await post(collector.url)


async def test_over_tls_who_has_a_certificate_of_our_authority_is_believed(authority):
    async with Collector(tls=authority.server()) as collector:
        assert (await post(collector.url, ca_file=str(authority.file))).status == 200


@pytest.mark.parametrize("how", ["expired", "stranger", "another-host"])
async def test_who_does_not_prove_who_they_are_gets_nothing(authority, tmp_path, how):
    stranger = Authority(tmp_path / "stranger")
    tls = {
        "expired": lambda: authority.server(ends=-60),
        "stranger": stranger.server,
        "another-host": lambda: authority.server("elsewhere.example"),
    }[how]()
    word = {
        "expired": "certificate_expired",
        "stranger": "certificate_not_trusted",
        "another-host": "certificate_of_another_host",
    }[how]
    async with Collector(tls=tls) as collector:
        with pytest.raises(SinkDownError, match=word):
            await post(collector.url, ca_file=str(authority.file))
        assert not collector.requests


async def test_a_certificate_that_was_renewed_is_read_again(authority, tmp_path):
    believed, stranger = tmp_path / "believed.pem", Authority(tmp_path / "stranger")
    believed.write_bytes(stranger.file.read_bytes())
    async with Collector(tls=authority.server()) as collector:
        receiver = HttpReceiver(settings(collector.url, ca_file=str(believed)))
        with pytest.raises(SinkDownError, match="certificate_not_trusted"):
            await receiver.post(b"{}", [])
        believed.write_bytes(authority.file.read_bytes())
        assert (await receiver.post(b"{}", [])).status == 200
        receiver.close()


async def test_a_receiver_may_ask_for_a_certificate_of_ours(authority):
    certificate, key = authority.certificate("remit")
    mine = {"ca_file": str(authority.file), "client_cert": str(certificate), "client_key": str(key)}
    async with Collector(tls=authority.server(asks_clients=True)) as collector:
        with pytest.raises(SinkDownError):
            await post(collector.url, ca_file=str(authority.file))
        assert (await post(collector.url, **mine)).status == 200


@pytest.mark.parametrize(
    "url",
    ["http://siem.example/", "https://169.254.169.254/", "ftp://localhost/", "http://10.0.0.1/", "https://"],
)  # fmt: skip
async def test_what_is_out_of_reach_is_not_asked(url):
    with pytest.raises((SinkMisdeclaredError, SinkDownError)):
        await post(url, timeout="1")


@pytest.mark.parametrize(
    "options", [{"ca_file": "/nowhere"}, {"timeout": "soon"}, {"timeout": "0"}]
)
async def test_what_is_declared_wrongly_is_said(options):
    with pytest.raises(SinkMisdeclaredError):
        await post("https://localhost/", **options)
