"""One decision by an engine: Cedar in this process, the real Cerbos and an AuthZEN decision point over loopback.

The floor is a bare round trip in the same run: the same HTTP client, a question and an answer of the same size,
to a process that answers without looking. AuthZEN's decision point is a small one in Python (Starlette), so that
its line says what the protocol and this adapter cost, and not what somebody's product does. *At once* is sixteen
at a time; *a list* is fifty things in one question, per thing. Processor time is this process's alone.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from remit.clock import SystemClock
from remit.engines import EngineConnections
from remit.engines.endpoint import Endpoint
from remit.model import EngineKind, ExternalEngine
from remit.policy import CedarEngine, DecisionPoint, PolicySource
from remit.policy.port import EngineSettings
from remit.repository import load_repository, write_example
from remit.testing.policy_engine import ask
from tests.engines import real

SECONDS = 2.0
AT_ONCE = 16
LIST = 50
POLICIES = Path(real.__file__).parent / "policies"
QUESTION = ask("crm", "get_account", {"organization_id": "acme", "account_id": "acc-1001"})
ECHO = """
import asyncio, sys
BODY = b'{"decision":true,"padding":"%s"}' % (b"x" * 180)
HEAD = b"HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\ncontent-length: %d\\r\\n\\r\\n" % len(BODY)
async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            length = int(head.lower().split(b"content-length:")[1].split()[0]) if b"content-length:" in head.lower() else 0
            if length:
                await reader.readexactly(length)
            writer.write(HEAD + BODY)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()
asyncio.run(main())
"""


async def one_at_a_time(work) -> tuple[float, float, float]:
    """Microseconds: the median, the last hundredth, and the processor's for each."""
    for _ in range(50):
        await work()
    samples: list[float] = []
    began, processor = time.perf_counter(), time.process_time()
    while time.perf_counter() - began < SECONDS:
        started = time.perf_counter()
        await work()
        samples.append((time.perf_counter() - started) * 1e6)
    spent = (time.process_time() - processor) / len(samples) * 1e6
    return statistics.median(samples), statistics.quantiles(samples, n=100)[98], spent


async def at_once(work) -> float:
    """How many a second, with several under way."""
    ends, done = time.perf_counter() + SECONDS, 0

    async def lane() -> int:
        count = 0
        while time.perf_counter() < ends:
            await work()
            count += 1
        return count

    began = time.perf_counter()
    done = sum(await asyncio.gather(*(lane() for _ in range(AT_ONCE))))
    return done / (time.perf_counter() - began)


async def line(name: str, single, several=None) -> None:
    median, last, spent = await one_at_a_time(single)
    rate = await at_once(single)
    of_list = "" if several is None else f"{(await one_at_a_time(several))[0] / LIST:,.0f}"
    print(f"| {name} | {median:,.0f} | {last:,.0f} | {spent:,.0f} | {rate:,.0f} | {of_list} |")


async def measure(folder: Path, stack: AsyncExitStack) -> None:
    cerbos = await stack.enter_async_context(real.cerbos(folder))
    authzen = await stack.enter_async_context(real.authzen(folder))
    port = real.free_port()
    echo = real.Running(
        [sys.executable, "-c", ECHO, str(port)],
        f"http://127.0.0.1:{port}",
        "/",
        folder / "echo.log",
    )
    await echo.start()
    stack.push_async_callback(echo.kill)
    write_example(folder / "policy")
    text = (POLICIES / "engine.cedar").read_text()
    catalog = load_repository(folder / "policy").catalog
    own = CedarEngine.load([PolicySource(text, "policies/engine.cedar")], catalog)
    engines = EngineConnections(lambda reference: reference)
    point = DecisionPoint(own, SystemClock(), engines)
    floor = Endpoint(EngineSettings(name="floor", url=echo.url, timeout=5.0), "/")
    body = {"padding": "x" * 900}

    async def round_trip() -> None:
        await floor.post(body)

    def deciding(kind: EngineKind | None, url: str = ""):
        engine = None
        if kind is not None:
            engine = ExternalEngine(name="pdp", kind=kind, url=url, timeout_ms=5000)
        asked = replace(QUESTION, engine=engine)
        listed = [replace(ask("crm", "get_account"), engine=engine)] * LIST

        async def single() -> None:
            if not (await point.adjudicate(asked)).allowed:
                raise SystemExit("refused")

        async def several() -> None:
            if not all(one.allowed for one in await point.adjudicate_all(listed)):
                raise SystemExit("refused")

        return single, several

    print("| | p50 µs | p99 µs | processor µs | a second, 16 at once | a list of 50, µs a thing |")
    print("|---|---|---|---|---|---|")
    await line("bare round trip (the floor)", round_trip)
    await line("Cedar, in process", *deciding(None))
    await line("Cerbos", *deciding(EngineKind.CERBOS, cerbos.url))
    await line("AuthZEN (Starlette)", *deciding(EngineKind.AUTHZEN, authzen.url))
    floor.close()
    await engines.close()


async def run() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            await measure(Path(folder), stack)


def main() -> None:
    """Print the table."""
    asyncio.run(run())


if __name__ == "__main__":
    main()
