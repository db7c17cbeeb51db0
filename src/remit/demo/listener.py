"""A loopback listener for `--interactive`: your own browser brings the code back to it.

Source: RFC 8252 §7.3.
"""

import asyncio
import webbrowser
from collections.abc import Callable
from urllib.parse import urlsplit

__all__ = ["browse_yourself"]

_PAGE = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\nconnection: close\r\n\r\n"
    b"<!doctype html><title>Done</title><p>Done. Go back to the terminal."
)


async def browse_yourself(
    authorization_url: str, redirect_uri: str, *, tell: Callable[[str], None]
) -> str:
    """Open the system's browser, wait for it to come back, and return the URL it came back with."""
    target = urlsplit(redirect_uri)
    arrived: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request_line = (await reader.readline()).decode("latin-1").split(" ")
        if len(request_line) == 3 and urlsplit(request_line[1]).path == target.path:
            writer.write(_PAGE)
            if not arrived.done():
                arrived.set_result(f"{target.scheme}://{target.netloc}{request_line[1]}")
        else:
            writer.write(b"HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, target.hostname, target.port)
    async with server:
        tell(f"your browser opens; if it does not, go to {authorization_url}")
        await asyncio.to_thread(webbrowser.open, authorization_url)
        return await arrived
