"""The proxies of others, each in an environment of its own under BENCH_DIR, made by `uv` where it is missing.

They run at their best: the httpx family loads the CA bundle for each client, 20 ms, unless
`SSL_CERT_DIR` is set.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent / "peers"
ROOT = HERE.parents[1]
FASTMCP = "fastmcp==4.1.2"


class AbsentError(Exception):
    """This peer cannot be had here; the message says why."""


def fastmcp(port, upstream, pin):
    """FastMCP's proxy: its process, its path and a token that it accepts.

    Raises:
        AbsentError: there is no environment for it, and none could be made.
    """
    python = _environment("fastmcp_env", FASTMCP, "httptools", "uvloop")
    no_certificates = python.parents[1] / "no-certificates"
    no_certificates.mkdir(exist_ok=True)
    environment = {**os.environ, "SSL_CERT_DIR": str(no_certificates), "PYTHONPATH": ""}
    environment.pop("SSL_CERT_FILE", None)  # it would be loaded instead
    process = subprocess.Popen(
        pin([str(python), str(HERE / "fastmcp_proxy.py"), str(port), upstream]),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    token = process.stdout.readline().decode().strip() if process.stdout else ""
    if not token:
        process.kill()
        raise AbsentError("it did not start")
    return process, "/mcp", token


def contextforge(_port, _upstream, _pin):
    """ContextForge, which needs a newer Python than this.

    Raises:
        AbsentError: always, until somebody who has one writes down how it is run.
    """
    raise AbsentError(
        f"`mcp-contextforge-gateway` needs Python 3.12 or newer, this is {sys.version.split()[0]}"
    )


def _environment(name, *packages):
    """The interpreter of an environment that has `packages`."""
    folder = Path(os.environ.get("BENCH_DIR", tempfile.gettempdir())) / name
    python = folder / "bin" / "python"
    if python.exists():
        return python
    uv = shutil.which("uv") or next(iter(sorted(ROOT.glob(".tools/**/bin/uv"))), None)
    if uv is None:
        raise AbsentError(f"there is no `{folder}` and no `uv` to make it with")
    try:
        subprocess.run([uv, "venv", "-q", str(folder)], check=True, timeout=120)
        command = [uv, "pip", "install", "-q", "--python", str(python), *packages]
        subprocess.run(command, check=True, timeout=600)
    except (subprocess.SubprocessError, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise AbsentError(f"its packages cannot be installed: {error}") from error
    return python
