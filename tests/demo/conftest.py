"""The demonstration, piece by piece: a terminal to read back, pages of our own, and a story told once."""

import asyncio
import io
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
import pytest
import pytest_asyncio
from rich.console import Console

from remit.demo.narrator import Narrator
from remit.demo.stage import Stage, free_port, set_up
from remit.demo.story import Storyteller, redirect_uri

Answer = Callable[[str, str], tuple[int, dict[str, str], str]]
"""Takes method and path, returns status, headers and page."""


class Terminal:
    """A narrator, and everything it printed."""

    def __init__(self, width: int = 100) -> None:
        self._output = io.StringIO()
        self.narrator = Narrator(Console(file=self._output, width=width, highlight=False))

    @property
    def text(self) -> str:
        return self._output.getvalue()

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.text.splitlines()]


@dataclass(frozen=True, slots=True)
class Told:
    """A stage on which the whole story was told, and what the terminal showed of it."""

    stage: Stage
    text: str
    receipts: Sequence[Mapping[str, object]]


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def told(tmp_path_factory) -> AsyncIterator[Told]:
    terminal = Terminal(width=200)
    async with set_up(tmp_path_factory.mktemp("told")) as stage:
        story = Storyteller(stage, terminal.narrator, callback=redirect_uri())
        await story.tell()
        yield Told(stage, terminal.text, story.receipts)


@pytest.fixture
def serving() -> Callable[[Answer], object]:
    """Serves pages that a test makes up: `async with serving(answer) as url`."""
    return _serving


@asynccontextmanager
async def _serving(answer: Answer) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        for line in head.splitlines():
            if line.lower().startswith("content-length:"):
                await reader.readexactly(int(line.split(":")[1]))
        method, path, _ = head.split(" ", 2)
        status, headers, page = answer(method, path)
        body = page.encode()
        fields = {"content-length": str(len(body)), "connection": "close", **headers}
        lines = [f"HTTP/1.1 {status} x", *(f"{k}: {v}" for k, v in fields.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def crm() -> AsyncIterator[str]:
    """The CRM as a process of its own, without a gateway in front: its URL."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "remit.demo.crm_server", "--port", str(port),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}/mcp"
    try:
        await _until_it_answers(url)
        yield url
    finally:
        process.terminate()
        await process.wait()


async def _until_it_answers(url: str) -> None:
    async with asyncio.timeout(60), httpx2.AsyncClient() as http:
        while True:
            try:
                await http.get(url)
            except httpx2.TransportError:
                await asyncio.sleep(0.05)
            else:
                return
