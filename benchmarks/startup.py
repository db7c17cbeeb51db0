"""How long until Remit is ready, and what it weighs: next to Python alone, and to a bare uvicorn.

Ready means that `/readyz` (or the bare server's one page) answered 200, counted from
the moment the command was started; processor time is what the process itself used until
then, which other work on the machine disturbs less. Modules are compiled beforehand, for all
alike; the first start of a data folder makes a database and keys, a later one finds them.
"""

import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from remit.repository import write_example

RUNS = 7
WITHIN = 60.0

BARE = """
import sys, uvicorn
async def hello(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ready"})
uvicorn.run(hello, port=int(sys.argv[1]), log_level="critical", lifespan="off")
"""


@dataclass(frozen=True)
class Figure:
    """One run: seconds on the wall, seconds of the processor, and MB once ready."""

    wall: float
    processor: float
    memory: float | None = None


def main() -> None:
    """Print one line for each thing started."""
    print(f"{'':34} {'median':>8} {'best':>8} {'processor':>10} {'memory':>10}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environ = _environ(folder)
        write_example(folder / "policy")
        for what, command in (
            ("python -c pass", ["-c", "pass"]),
            ("remit --help", ["-m", "remit", "--help"]),
            ("import remit.guard", ["-c", "from remit.guard import protect"]),
            ("import remit.embedded", ["-c", "import remit.embedded"]),
            ("import remit.app", ["-c", "import remit.app"]),
        ):
            _row(what, [_run([sys.executable, *command], environ) for _ in _runs()])
        _row("bare uvicorn, ready", [_ready(_bare, "/", environ) for _ in _runs()])
        first = [_ready(_remit(folder, f"first-{n}"), "/readyz", environ) for n in _runs()]
        _row("remit serve, ready, first start", first)
        later = [_ready(_remit(folder, "first-0"), "/readyz", environ) for _ in _runs()]
        _row("remit serve, ready, later start", later)


def _runs() -> range:
    return range(RUNS)


def _environ(folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("REMIT_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    environ = {**kept, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    for warm in ("import uvicorn", "import remit.app, remit.cli.main"):
        subprocess.run([sys.executable, "-c", warm], env=environ, check=True)
    return environ


def _run(command: Sequence[str], environ: dict[str, str]) -> Figure:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Figure(wall, spent)


def _bare(port: int) -> list[str]:
    return [sys.executable, "-c", BARE, str(port)]


def _remit(folder: Path, data: str):
    def command(port: int) -> list[str]:
        return [
            sys.executable, "-m", "remit", "serve", "--repo", str(folder / "policy"),
            "--data", str(folder / data), "--port", str(port), "--log-level", "error",
        ]  # fmt: skip

    return command


def _ready(command, path: str, environ: dict[str, str]) -> Figure:
    """When `path` answers 200, and what the process had used and held by then."""
    port = _free_port()
    began = time.perf_counter()
    with _process(command(port), environ) as process:
        while time.perf_counter() - began < WITHIN:
            if _answers(port, path):
                wall = time.perf_counter() - began
                return Figure(wall, _processor(process.pid), _memory(process.pid))
            time.sleep(0.01)
    raise RuntimeError(f"{command(port)} did not become ready")


def _answers(port: int, path: str) -> bool:
    """Asked over a bare socket: an HTTP client would take more of the processor than the server."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            return connection.recv(32).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


@contextmanager
def _process(command: list[str], environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=environ)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _processor(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def _row(name: str, figures: Sequence[Figure]) -> None:
    walls = [figure.wall for figure in figures]
    spent = median(figure.processor for figure in figures)
    held = [figure.memory for figure in figures if figure.memory is not None]
    weight = f"{median(held):7.1f} MB" if held else ""
    print(f"{name:34} {median(walls):6.2f} s {min(walls):6.2f} s {spent:8.2f} s {weight:>10}")


if __name__ == "__main__":
    main()
