"""Gateways on real sockets in front of real servers."""

import asyncio
import logging
import os
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop

from remit.gateway import Roster
from remit.model import HttpUpstream, StdioUpstream
from tests.gateway.doubles import ListGuard, gateway, server_of
from tests.gateway.servers.sdk_server import build
from tests.gateway.sockets import listening_socket, serving

SERVERS = Path(__file__).parent / "servers"

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def pytest_asyncio_loop_factories(config, item):
    """Remit serves on uvloop, whose pipes deliver in larger pieces: what speaks to servers runs on both."""
    both = item.path.stem in {"test_stdio", "test_stdio_session", "test_http"}
    return LOOPS if both else {"uvloop": LOOPS["uvloop"]}


@pytest.fixture(autouse=True)
def _warnings_are_heard(monkeypatch):
    """Whatever a server that was set up earlier in this process did to the loggers."""
    monkeypatch.setattr(logging.root, "level", min(logging.root.level, logging.WARNING))
    monkeypatch.setattr(logging.root.manager, "disable", 0)
    for name in ("remit", "remit.gateway", "remit.gateway.upstream"):
        logger = logging.getLogger(name)
        monkeypatch.setattr(logger, "disabled", False)
        monkeypatch.setattr(logger, "propagate", True)
        monkeypatch.setattr(logger, "level", logging.NOTSET)
        logger._cache.clear()


@asynccontextmanager
async def fronted(guard, upstream, **settings):
    """A gateway on a socket in front of `upstream`; the URL of its server and the application."""
    listener = listening_socket()
    public_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app = gateway(
        guard,
        Roster(os.environ.__getitem__),
        server_of(upstream=upstream),
        public_url=public_url,
        **settings,
    )
    app.start()
    try:
        async with serving(app, listener) as url:
            yield f"{url}/mcp/crm", app
    finally:
        await app.drain()


def stdio(script: str, *, timeout: int = 30, **environment: str) -> StdioUpstream:
    return StdioUpstream(
        command=("python", str(SERVERS / script)), environment=environment, timeout=timeout
    )


@pytest.fixture
def guard():
    return ListGuard(forbidden=("hidden", "forbidden"))


@pytest.fixture(params=["http", "stdio"])
async def real(request, guard, tmp_path):
    """URL of a gateway in front of the SDK's server, over either transport."""
    if request.param == "stdio":
        async with fronted(guard, stdio("sdk_server.py", NOTES=str(tmp_path))) as (url, _):
            yield url
        return
    async with (
        serving(build(tmp_path).streamable_http_app(), lifespan="on") as behind,
        fronted(guard, HttpUpstream(url=f"{behind}/mcp", timeout=30)) as (url, _),
    ):
        yield url
