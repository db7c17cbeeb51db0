"""ContextForge, the gateway in `mcp-contextforge-gateway`, in an environment of its own on a Python that it accepts.

It runs at its best: one process, caches in memory, and of what its tuning guide weighs against speed nothing is
on: no admin interface, plugins, rate limits, compression, metrics, or log below errors. It checks a JWT.
"""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks import _load
from benchmarks._peers import AbsentError, Peer, environment, stop, without_certificates

PACKAGE = "mcp-contextforge-gateway==1.1.0"
ACCEPTED = ("3.13", "3.12")
TOOL = "bench-find"
_ADMIN = "admin@example.com"
_SECRET = "For-the-benchmark-and-nothing-else-1!"
_OFF = (
    "COMPRESSION_ENABLED", "CORRELATION_ID_ENABLED", "DB_METRICS_RECORDING_ENABLED", "LLMCHAT_ENABLED",
    "MCPGATEWAY_A2A_ENABLED", "MCPGATEWAY_ADMIN_API_ENABLED", "MCPGATEWAY_CATALOG_ENABLED",
    "MCPGATEWAY_UI_ENABLED", "METRICS_AGGREGATION_ENABLED", "PERFORMANCE_TRACKING_ENABLED",
    "PLUGINS_ENABLED", "RATE_LIMITING_ENABLED", "STRUCTURED_LOGGING_ENABLED", "TOKEN_USAGE_LOGGING_ENABLED",
)  # fmt: skip


def contextforge(port, upstream, pin):
    """ContextForge with the server behind registered: its process, its path, a token and its tool's name.

    Raises:
        AbsentError: no Python for it, or it could not be installed, started or made to answer.
    """
    python = environment("contextforge_env", PACKAGE, python=_interpreter())
    folder = python.parents[1] / "bench"
    shutil.rmtree(folder, ignore_errors=True)  # the database of the run before
    folder.mkdir()
    settings = _settings(folder)
    said = folder / "said.log"
    with said.open("wb") as log:
        process = subprocess.Popen(
            pin([
                # Its module, run with -m, reads no arguments.
                str(python.with_name("mcpgateway")), "mcpgateway.main:app", "--host", "127.0.0.1",
                "--port", str(port), "--no-access-log", "--log-level", "error",
                "--loop", "uvloop", "--http", "httptools",
            ]),
            cwd=folder, env=settings, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        token = _token(python, folder, settings)
        _wait(port, process)
        _register(port, token, upstream)
        _try(port, token)
    except (subprocess.SubprocessError, OSError, AbsentError) as error:
        stop(process)
        raise AbsentError(f"{error}; `{said}` has what it said") from error
    return Peer(process, "/mcp", token, TOOL)


def _interpreter():
    """A Python that it accepts: on the path, or among those of pyenv."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for version in ACCEPTED:
        there = shutil.which(f"python{version}")
        # What pyenv puts on the path may stand for a version that is not switched on: so it is asked.
        for python in filter(None, [there, *root.glob(f"versions/{version}.*/bin/python")]):
            asked = subprocess.run([python, "--version"], capture_output=True, check=False)
            if asked.returncode == 0:
                return str(python)
    raise AbsentError(f"it needs a Python of {' or '.join(ACCEPTED)}, and there is none")


def _settings(folder):
    """All that it is told; nothing of the environment it is started from, but where to find programs."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "SSL_CERT_DIR": str(without_certificates(folder)),
        "ENVIRONMENT": "production",
        "LOG_LEVEL": "ERROR",
        "DATABASE_URL": f"sqlite:///{folder / 'bench.db'}",
        "CACHE_TYPE": "memory",
        "SSRF_ALLOW_LOCALHOST": "true",
        "PLATFORM_ADMIN_EMAIL": _ADMIN,
        "PLATFORM_ADMIN_PASSWORD": _SECRET,
        "DEFAULT_USER_PASSWORD": _SECRET,
        "BASIC_AUTH_PASSWORD": _SECRET,
        "JWT_SECRET_KEY": f"signing: {_SECRET}",
        "AUTH_ENCRYPTION_SECRET": f"sealing: {_SECRET}",
        **dict.fromkeys(_OFF, "false"),
    }


def _token(python, folder, settings):
    """An administrator's token, by its own program; good for a day."""
    command = [str(python), "-m", "mcpgateway.utils.create_jwt_token", "--username", _ADMIN]
    command += ["--admin", "--exp", "1440"]
    made = subprocess.run(
        command, cwd=folder, env=settings, capture_output=True, text=True, check=True, timeout=120
    )
    return made.stdout.split()[-1]


def _wait(port, process):
    """Until it is up: it makes its database first, which takes half a minute."""
    for _ in range(360):
        if process.poll() is not None:
            raise AbsentError("it ended while it started")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise AbsentError("it did not start within three minutes")


def _register(port, token, upstream):
    server = {
        "name": "bench",
        "url": upstream,
        "transport": "STREAMABLEHTTP",
        "visibility": "public",
    }
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/gateways",
        json.dumps(server).encode(),
        {"authorization": f"Bearer {token}", "content-type": "application/json"},
    )
    try:
        urllib.request.urlopen(request, timeout=60).close()
    except urllib.error.HTTPError as error:
        raise AbsentError(f"it did not take the server behind: {error.read()[:200]!r}") from error


def _try(port, token):
    """One call. It answers 200 to a call that failed, too, so that what it answers is read."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(_load.request_bytes(port, "/mcp", token, tool=TOOL))
        heard = b""
        while b"customer 19" not in heard:
            more = connection.recv(65536)
            heard += more
            if not more or b'"isError":true' in heard or b'"error":' in heard:
                raise AbsentError(f"it did not answer a call: {heard[-200:]!r}")
