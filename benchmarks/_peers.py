"""The proxies of others, each in an environment of its own under BENCH_DIR, made by `uv` where it is missing.

They run at their best: the httpx family loads the CA bundle for each client, 20 ms, unless
`SSL_CERT_DIR` is set.
"""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent / "peers"
ROOT = HERE.parents[1]
FASTMCP = "fastmcp==4.1.2"


class AbsentError(Exception):
    """This peer cannot be had here; the message says why."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One that has been started."""

    process: subprocess.Popen
    path: str
    token: str
    tool: str = "find"


def fastmcp(port, upstream, pin):
    """FastMCP's proxy: its process, its path and a token that it accepts.

    Raises:
        AbsentError: there is no environment for it, and none could be made.
    """
    python = environment("fastmcp_env", FASTMCP, "httptools", "uvloop")
    no_certificates = without_certificates(python.parents[1])
    settings = {**os.environ, "SSL_CERT_DIR": str(no_certificates), "PYTHONPATH": ""}
    settings.pop("SSL_CERT_FILE", None)  # it would be loaded instead
    process = subprocess.Popen(
        pin([str(python), str(HERE / "fastmcp_proxy.py"), str(port), upstream]),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=settings,
    )
    token = process.stdout.readline().decode().strip() if process.stdout else ""
    if not token:
        process.kill()
        raise AbsentError("it did not start")
    return Peer(process, "/mcp", token)


def stop(process):
    """End it, kindly first: what it has started ends with it."""
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def without_certificates(folder):
    """A folder for `SSL_CERT_DIR` that has none."""
    empty = folder / "no-certificates"
    empty.mkdir(exist_ok=True)
    return empty


def environment(name, *packages, python=None):
    """The interpreter of an environment that has `packages`, made on `python` or on what `uv` takes.

    Raises:
        AbsentError: there is none, and it could not be made.
    """
    folder = Path(os.environ.get("BENCH_DIR", tempfile.gettempdir())) / name
    own = folder / "bin" / "python"
    if own.exists():
        return own
    uv = shutil.which("uv") or next(iter(sorted(ROOT.glob(".tools/**/bin/uv"))), None)
    if uv is None:
        raise AbsentError(f"there is no `{folder}` and no `uv` to make it with")
    try:
        on = ["--python", python] if python else []
        subprocess.run([uv, "venv", "-q", *on, str(folder)], check=True, timeout=120)
        command = [uv, "pip", "install", "-q", "--python", str(own), *packages]
        subprocess.run(command, check=True, timeout=600)
    except (subprocess.SubprocessError, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise AbsentError(f"its packages cannot be installed: {error}") from error
    return own
