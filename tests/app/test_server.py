import asyncio
import os
import socket
import stat
from ipaddress import ip_network

import httpx2
import pytest
from starlette.responses import JSONResponse, PlainTextResponse

from remit.app import server as room
from remit.app.data_folder import DataFolderError
from remit.app.server import ListenError, listen_tcp, listen_unix, management_server, public_server
from remit.settings import Settings


async def peer_uid(scope, receive, send):
    await JSONResponse({"uid": scope["state"].get("peer_uid")})(scope, receive, send)


async def hello(scope, receive, send):
    await PlainTextResponse("hello")(scope, receive, send)


class Running:
    """A listener that serves until the test ends."""

    def __init__(self, listener, listening) -> None:
        self.listener = listener
        self._listening = listening

    async def __aenter__(self):
        self._task = asyncio.create_task(self.listener.serve(sockets=[self._listening]))
        async with asyncio.timeout(60):
            while not self.listener.started:  # noqa: ASYNC110  uvicorn has no event for it
                await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *_):
        self.listener.stop()
        await self._task


@pytest.fixture
def settings() -> Settings:
    return Settings(shutdown_grace=1)


def test_a_port_that_is_taken_is_refused_with_what_to_do():
    with listen_tcp("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=r"address already in use; choose another"):
            listen_tcp("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_that_is_not_ours_is_refused(host):
    with pytest.raises(ListenError):
        listen_tcp(host, 0)


def test_the_management_socket_is_closed_to_others(tmp_path):
    with listen_unix(tmp_path / "remit.sock"):
        assert stat.S_IMODE((tmp_path / "remit.sock").stat().st_mode) == 0o600


def test_a_socket_left_behind_is_taken_over(tmp_path):
    listen_unix(tmp_path / "remit.sock").close()
    with listen_unix(tmp_path / "remit.sock"):
        pass


def test_what_is_no_socket_is_not_removed(tmp_path):
    (tmp_path / "remit.sock").write_text("precious")
    with pytest.raises(DataFolderError, match="is not a socket"):
        listen_unix(tmp_path / "remit.sock")
    assert (tmp_path / "remit.sock").read_text() == "precious"


def test_a_path_that_no_socket_can_have_is_refused(tmp_path):
    with pytest.raises(DataFolderError, match="about 100 characters"):
        listen_unix(tmp_path / ("x" * 200))


async def test_the_management_door_knows_the_user_at_the_other_end(tmp_path, settings):
    path = tmp_path / "remit.sock"
    async with Running(management_server(peer_uid, settings), listen_unix(path)):
        transport = httpx2.AsyncHTTPTransport(uds=str(path))
        async with httpx2.AsyncClient(transport=transport, base_url="http://remit") as http:
            assert (await http.get("/")).json() == {"uid": os.geteuid()}


async def test_uvicorn_does_not_name_itself(settings):
    listening = listen_tcp("127.0.0.1", 0)
    port = listening.getsockname()[1]
    async with Running(public_server(hello, settings), listening), httpx2.AsyncClient() as http:
        answer = await http.get(f"http://127.0.0.1:{port}/")
    assert answer.text == "hello"
    assert "server" not in answer.headers


async def send_raw(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        async with asyncio.timeout(60):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def drip(writer, byte: bytes) -> None:
    while True:
        writer.write(byte)
        await asyncio.sleep(0.05)


async def ended(reader) -> bool:
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True


async def test_endless_headers_are_refused(settings):
    listening = listen_tcp("127.0.0.1", 0)
    port = listening.getsockname()[1]
    request = b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: " + b"x" * 70_000 + b"\r\n\r\n"
    async with Running(public_server(hello, settings), listening):
        answer = await send_raw(port, request)
    assert b"hello" not in answer
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")


async def test_headers_that_do_not_come_are_not_waited_for(settings, monkeypatch):
    monkeypatch.setattr(room, "_HEADER_SECONDS", 0.05)
    listening = listen_tcp("127.0.0.1", 0)
    port = listening.getsockname()[1]
    async with Running(public_server(hello, settings), listening):
        assert await send_raw(port, b"GET / HTTP/1.1\r\nhost:") == b""


async def test_a_connection_that_was_in_time_is_kept(settings, monkeypatch):
    monkeypatch.setattr(room, "_HEADER_SECONDS", 0.2)
    listening = listen_tcp("127.0.0.1", 0)
    port = listening.getsockname()[1]
    async with Running(public_server(hello, settings), listening):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            async with asyncio.timeout(60):
                assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")
            await asyncio.sleep(0.25)
        writer.close()


@pytest.mark.parametrize("dribble", [b"GET / HTTP/1.1\r\nhost:", b"\r\n"])
async def test_no_later_request_is_waited_for_either(settings, monkeypatch, dribble):
    monkeypatch.setattr(room, "_HEADER_SECONDS", 0.2)
    listening = listen_tcp("127.0.0.1", 0)
    port = listening.getsockname()[1]
    async with Running(public_server(hello, settings), listening):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        async with asyncio.timeout(60):
            await reader.readuntil(b"hello")
        writer.write(dribble)
        dripping = asyncio.create_task(drip(writer, dribble[-1:]))
        # Well before the five seconds after which an idle connection is closed.
        async with asyncio.timeout(3):
            assert await ended(reader)
        dripping.cancel()
        writer.close()


async def test_a_body_that_does_not_come_is_not_waited_for(settings, monkeypatch):
    monkeypatch.setattr(room, "_REQUEST_SECONDS", 0.2)
    listening = listen_tcp("127.0.0.1", 0)
    port = listening.getsockname()[1]

    async def patient(scope, receive, send):
        while (await receive())["type"] != "http.disconnect":
            pass

    async with Running(public_server(patient, settings), listening):
        head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\na"
        assert await send_raw(port, head) == b""


async def test_what_is_answered_slowly_is_not_cut_off(settings, monkeypatch):
    monkeypatch.setattr(room, "_REQUEST_SECONDS", 0.1)
    monkeypatch.setattr(room, "_HEADER_SECONDS", 0.1)

    async def slow(scope, receive, send):
        await asyncio.sleep(0.4)
        await hello(scope, receive, send)

    listening = listen_tcp("127.0.0.1", 0)
    port = listening.getsockname()[1]
    async with Running(public_server(slow, settings), listening):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\na\r\n")
        async with asyncio.timeout(60):
            assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_who_reads_nothing_of_an_answer_is_not_waited_for(settings, monkeypatch):
    monkeypatch.setattr(room, "_STALLED_SECONDS", 0.2)
    ended = asyncio.Event()

    async def endless(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        watching = asyncio.create_task(receive())
        while not watching.done() or watching.result()["type"] != "http.disconnect":
            if watching.done():
                watching = asyncio.create_task(receive())
            await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
            await asyncio.sleep(0)
        ended.set()

    listening = listen_tcp("127.0.0.1", 0)
    port = listening.getsockname()[1]
    async with Running(public_server(endless, settings), listening):
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        async with asyncio.timeout(60):
            await ended.wait()
        writer.close()


async def connected(port: int, number: int):
    return [await asyncio.open_connection("127.0.0.1", port) for _ in range(number)]


async def test_one_address_has_at_most_half_of_the_connections(settings):
    listening = listen_tcp("127.0.0.1", 0)
    port = listening.getsockname()[1]
    request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    few = settings.model_copy(update={"max_connections": 10})
    async with Running(public_server(hello, few), listening):
        held = await connected(port, 5)
        assert await send_raw(port, request) == b""
        for _, writer in held:
            writer.close()
        async with asyncio.timeout(60):
            while b"hello" not in await send_raw(port, request):  # noqa: ASYNC110  uvicorn has no event for it
                await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("path", "answer"), [("/", b"503"), ("/healthz", b"200"), ("/readyz", b"200")]
)
async def test_a_full_process_still_answers_its_probes(settings, path, answer):
    listening = listen_tcp("127.0.0.1", 0)
    port = listening.getsockname()[1]
    proxied = settings.model_copy(
        update={"max_connections": 10, "trusted_proxies": (ip_network("127.0.0.0/8"),)}
    )
    async with Running(public_server(hello, proxied), listening):
        held = await connected(port, 12)
        request = f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode()
        assert (await send_raw(port, request)).startswith(b"HTTP/1.1 " + answer)
        for _, writer in held:
            writer.close()


def test_the_listening_sockets_do_not_block():
    with listen_tcp("127.0.0.1", 0) as listening:
        assert listening.family is socket.AF_INET
        assert not listening.getblocking()


async def test_an_answer_in_flight_is_finished_and_nothing_new_is_accepted(settings):
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slow(scope, receive, send):
        asked.set()
        await answer.wait()
        await PlainTextResponse("finished")(scope, receive, send)

    listening = listen_tcp("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    patient = settings.model_copy(update={"shutdown_grace": 20})
    async with (
        Running(public_server(slow, patient), listening) as running,
        httpx2.AsyncClient(timeout=20) as http,
    ):
        pending = asyncio.create_task(http.get(url))
        await asked.wait()
        running.listener.stop()
        async with asyncio.timeout(60):
            while await _accepts(url):  # noqa: ASYNC110  uvicorn has no event for it
                await asyncio.sleep(0.01)
        answer.set()
        assert (await pending).text == "finished"


async def test_an_answer_that_does_not_end_is_cut_off_after_the_grace(settings):
    asked, cut = asyncio.Event(), asyncio.Event()

    async def endless(scope, receive, send):
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            cut.set()

    listening = listen_tcp("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    async with httpx2.AsyncClient(timeout=20) as http:
        async with Running(public_server(endless, settings), listening):
            pending = asyncio.create_task(http.get(url))
            await asked.wait()
        async with asyncio.timeout(60):
            await cut.wait()
        await asyncio.gather(pending, return_exceptions=True)
        assert pending.exception() is not None or pending.result().status_code >= 500


async def _accepts(url: str) -> bool:
    host, port = url.removeprefix("http://").removesuffix("/").split(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    return True
