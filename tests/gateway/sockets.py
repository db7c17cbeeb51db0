"""Real sockets: any ASGI application on a free port, for the length of a `with`."""

import asyncio
import socket
from contextlib import asynccontextmanager

import uvicorn

from tests.gateway.doubles import until


def listening_socket() -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    return listener


@asynccontextmanager
async def serving(app, listener=None, *, lifespan="off"):
    """`app` on a socket; its URL."""
    listener = listener or listening_socket()
    config = uvicorn.Config(
        app, log_level="error", lifespan=lifespan, access_log=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()
