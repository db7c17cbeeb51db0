"""The load: keep-alive connections in raw `asyncio`, so that the one that asks is not what is measured."""

import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass, field

VERSION = "2026-07-28"
_WORDS = "customers in Lyon with an open invoice; "


def request_bytes(port, path, token, *, query="find", tool="find"):
    """One `tools/call` whose body is 1 KB."""
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {
            "name": tool,
            "arguments": {"query": "", "limit": 20},
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": VERSION,
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
            },
        },
    }
    missing = 1024 - len(json.dumps(call)) - len(query) - 1
    call["params"]["arguments"]["query"] = f"{query} {(_WORDS * 30)[:missing]}"
    body = json.dumps(call).encode()
    lines = [
        f"POST {path} HTTP/1.1", f"host: 127.0.0.1:{port}", "content-type: application/json",
        "accept: application/json, text/event-stream", f"authorization: Bearer {token}",
        f"mcp-protocol-version: {VERSION}", "mcp-method: tools/call", f"mcp-name: {tool}",
        f"content-length: {len(body)}", "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + body


@dataclass
class Load:
    """How many calls were answered, in how long, and each one's wait in seconds."""

    seconds: float = 0
    waits: list[float] = field(default_factory=list)

    @property
    def rate(self):
        return len(self.waits) / self.seconds

    def quantile(self, share):
        ordered = sorted(self.waits)
        return ordered[int(len(ordered) * share)] if ordered else float("nan")


class Caller(asyncio.Protocol):
    """A connection that carries one call at a time; `done` is told of each."""

    def __init__(self, request):
        self.request = request
        self.done = None
        self.failure = None

    def connection_made(self, transport):
        self.transport = transport

    def call(self, due):
        self.due, self.heard, self.size = due, b"", 0
        self.transport.write(self.request)

    def data_received(self, data):
        self.heard += data
        if not self.size:
            end = self.heard.find(b"\r\n\r\n")
            if end < 0:
                return
            if not self.heard.startswith(b"HTTP/1.1 200"):
                self.failure = self.heard.decode("latin-1")
            head = self.heard[:end].lower()
            if b"content-length: " in head:
                length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
                self.size = end + 4 + length
        whole = len(self.heard) >= self.size if self.size else self.heard.endswith(b"\r\n0\r\n\r\n")
        if whole:
            self.done(self)

    def connection_lost(self, exc):
        self.failure = self.failure or "the connection was closed"


async def connect(port, request, connections):
    """That many open connections."""
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: Caller(request), "127.0.0.1", port)
        for _ in range(connections)
    ]
    return [caller for _, caller in opened]


async def saturate(callers, seconds):
    """Every connection calls again as soon as it was answered."""
    load, ended = Load(), asyncio.Event()
    begun = time.perf_counter()
    left = len(callers)

    def done(caller):
        nonlocal left
        now = time.perf_counter()
        load.waits.append(now - caller.due)
        if now - begun < seconds and not caller.failure:
            caller.call(now)
            return
        left -= 1
        if not left:
            ended.set()

    for caller in callers:
        caller.done = done
        caller.call(time.perf_counter())
    await asyncio.wait_for(ended.wait(), seconds + 30)
    load.seconds = time.perf_counter() - begun
    refuse_failures(callers)
    return load


async def pace(callers, seconds, rate):
    """Calls at even intervals, whether or not earlier ones were answered; who finds no connection free waits from when it was due."""
    load, idle, waiting = Load(), deque(callers), deque()
    begun = time.perf_counter()

    def done(caller):
        load.waits.append(time.perf_counter() - caller.due)
        if waiting:
            caller.call(waiting.popleft())
        else:
            idle.append(caller)

    for caller in callers:
        caller.done = done
    for number in range(int(seconds * rate)):
        due = begun + number / rate
        if (ahead := due - time.perf_counter()) > 0:
            await asyncio.sleep(ahead)
        if idle:
            # A timer is late by up to a millisecond, and that is not the server's fault.
            idle.popleft().call(time.perf_counter())
        else:
            waiting.append(due)
    for _ in range(3000):
        if len(idle) == len(callers):
            break
        await asyncio.sleep(0.01)
    load.seconds = time.perf_counter() - begun
    refuse_failures(callers)
    return load


def refuse_failures(callers):
    """End the measurement where a call was not answered with 200."""
    for caller in callers:
        if caller.failure:
            raise SystemExit(caller.failure)


async def answered(port, request):
    """Wait until such a call is answered: what a server offers has to be known first."""
    for _ in range(100):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        head = await reader.readuntil(b"\r\n")
        writer.close()
        if b" 200 " in head:
            return
        await asyncio.sleep(0.1)
    raise SystemExit(f"refused: {head.decode()}")


async def first_bytes(port, request, times):
    """How long the first event of a stream is on its way from the server behind, in seconds, sorted."""
    waits = []
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(times):
        writer.write(request)
        line = b""
        while not line.startswith(b"data:"):
            line = await reader.readline()
            if not line:
                raise SystemExit("the stream was closed")
        waits.append((time.monotonic_ns() - json.loads(line[5:])["params"]["data"]) / 1e9)
        while line != b"0\r\n":
            line = await reader.readline()
        await reader.readline()
    writer.close()
    return sorted(waits)


async def hold(port, request, streams):
    """Open that many streams, each as far as its first event. Close the writers to end them."""
    writers = []
    for number in range(streams):
        # One address may have only its share of the connections.
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, local_addr=(f"127.0.1.{1 + number % 8}", 0)
        )
        writer.write(request)
        line = b""
        while not line.startswith(b"data:"):
            line = await asyncio.wait_for(reader.readline(), 30)
            if not line:
                raise SystemExit(f"stream {number} was closed")
        writers.append((reader, writer))
    return writers
