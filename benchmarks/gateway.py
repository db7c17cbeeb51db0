"""Tool calls through the gateway, beside the same calls direct and through a bare proxy, in one run.

The server behind is a minimal raw-ASGI MCP server, so that what stands in front of it is
what is measured. `gateway` is the gateway alone: its guard permits everything and keeps
nothing. `remit` is a whole `remit serve`: token, standing, scopes, Cedar, and the decision
and outcome of every call on disk. Each part is a process of its own; the load comes from this one.

    python -m benchmarks.gateway [--seconds 5] [--connections 16] [--rounds 3]
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import _whole

ROOT = Path(__file__).resolve().parents[1]
PORTS = {"upstream": 18761, "proxy": 18762, "gateway": 18763, "remit": 18764}
PATHS = {"upstream": "/mcp", "proxy": "/mcp", "gateway": "/mcp/crm", "remit": "/mcp/bench"}
VERSION = "2026-07-28"
CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {
        "name": "find",
        "arguments": {"query": "customers in Lyon with an open invoice", "limit": 20},
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": VERSION,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
        },
    },
}
TEXT = json.dumps([{"id": n, "name": f"customer {n}", "city": "Lyon"} for n in range(16)])
RESULT = {"content": [{"type": "text", "text": TEXT}], "isError": False, "resultType": "complete"}


async def upstream(_scope, receive, send):
    body = b""
    while True:
        event = await receive()
        body += event.get("body", b"")
        if not event.get("more_body"):
            break
    answer = json.dumps({"jsonrpc": "2.0", "id": json.loads(body)["id"], "result": RESULT}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(answer)).encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


def proxy():
    """The least that a proxy on the same parts can do: bytes in, bytes out."""
    from pyreqwest.client import ClientBuilder  # noqa: PLC0415  each role pays for its own imports

    client = ClientBuilder().follow_redirects(False).no_proxy().build()
    target = f"http://127.0.0.1:{PORTS['upstream']}/mcp"

    async def app(_scope, receive, send):
        body = b""
        while True:
            event = await receive()
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        request = client.post(target).header("content-type", "application/json").body_bytes(body)
        response = await request.build().send()
        answer = bytes(await response.bytes())
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(answer)).encode()),
        ]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    return app


def gateway():
    from remit.gateway import Roster  # noqa: PLC0415
    from remit.model import HttpUpstream  # noqa: PLC0415
    from tests.gateway import doubles  # noqa: PLC0415

    class Forgetful(doubles.ListGuard):
        async def decide(self, call):
            permit = await super().decide(call)
            self.decided.clear()
            return permit

        async def complete(self, permit, call, *, result):
            return None

    behind = HttpUpstream(url=f"http://127.0.0.1:{PORTS['upstream']}/mcp")
    return doubles.gateway(
        Forgetful(),
        Roster(str),
        doubles.server_of(upstream=behind),
        public_url=f"http://127.0.0.1:{PORTS['gateway']}",
    )


def serve(role):
    import uvicorn  # noqa: PLC0415

    app = {"upstream": lambda: upstream, "proxy": proxy, "gateway": gateway}[role]()
    uvicorn.run(
        app, host="127.0.0.1", port=PORTS[role], log_level="error", access_log=False, lifespan="off",
        loop="uvloop", http="httptools",
    )  # fmt: skip


def request_bytes(port, path, token):
    body = json.dumps(CALL).encode()
    lines = [
        f"POST {path} HTTP/1.1", f"host: 127.0.0.1:{port}", "content-type: application/json",
        "accept: application/json, text/event-stream", f"authorization: Bearer {token}",
        f"mcp-protocol-version: {VERSION}", "mcp-method: tools/call", "mcp-name: find",
        f"content-length: {len(body)}", "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + body


async def call_until(deadline, port, request, latencies):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < deadline:
        begun = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"refused: {head.decode()}")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        latencies.append(time.perf_counter() - begun)
    writer.close()


async def measure(role, seconds, connections):
    token = _whole.token(PORTS[role]) if role == "remit" else "dana"
    request = request_bytes(PORTS[role], PATHS[role], token)
    latencies = []
    begun = time.perf_counter()
    await asyncio.gather(
        *(call_until(begun + seconds, PORTS[role], request, latencies) for _ in range(connections))
    )
    spent = time.perf_counter() - begun
    latencies.sort()
    return (
        len(latencies) / spent,
        statistics.median(latencies),
        latencies[int(len(latencies) * 0.99)],
    )


def resident_megabytes(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


async def reachable(port):
    for _ in range(600):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise SystemExit(f"nothing listens on {port}")


def started(folder):
    command = [sys.executable, "-m", "benchmarks.gateway", "--role"]
    apart = [role for role in PORTS if role != "remit"]
    processes = {role: subprocess.Popen([*command, role], cwd=ROOT) for role in apart}
    upstream_url = f"http://127.0.0.1:{PORTS['upstream']}/mcp"
    processes["remit"] = _whole.start(folder, upstream=upstream_url, port=PORTS["remit"])
    return processes


async def run(seconds, connections, rounds, folder):
    processes = started(folder)
    try:
        for port in PORTS.values():
            await reachable(port)
        idle = {role: resident_megabytes(process) for role, process in processes.items()}
        figures = {role: [] for role in PORTS}
        alone = {role: [] for role in PORTS}
        for role in PORTS:
            await measure(role, 0.5, connections)
        for _ in range(rounds):
            for role in PORTS:
                figures[role].append(await measure(role, seconds, connections))
                alone[role].append(await measure(role, seconds / 2, 1))
        report(figures, alone, {r: (idle[r], resident_megabytes(p)) for r, p in processes.items()})
    finally:
        for process in processes.values():
            process.terminate()
            process.wait()


def report(figures, alone, memory):
    names = {
        "upstream": "direct",
        "proxy": "bare proxy",
        "gateway": "gateway alone",
        "remit": "whole Remit",
    }
    base = statistics.median(median for _, median, _ in alone["upstream"])
    print(
        f"{'':14} {'calls/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'alone p50 ms':>13} {'added ms':>9} {'RSS MB idle/after':>18}"
    )
    for role, name in names.items():
        rate, p50, p99 = (statistics.median(one) for one in zip(*figures[role], strict=True))
        single = statistics.median(median for _, median, _ in alone[role])
        before, after = memory[role]
        print(
            f"{name:14} {rate:9.0f} {p50 * 1e3:8.2f} {p99 * 1e3:8.2f} {single * 1e3:13.2f} "
            f"{(single - base) * 1e3:9.2f} {before:9.0f}/{after:.0f}"
        )


def main(arguments=()):
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--role", choices=PORTS)
    options.add_argument("--seconds", type=float, default=5)
    options.add_argument("--connections", type=int, default=16)
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args(arguments)
    if chosen.role:
        serve(chosen.role)
    else:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(run(chosen.seconds, chosen.connections, chosen.rounds, Path(folder)))


if __name__ == "__main__":
    main(sys.argv[1:])
