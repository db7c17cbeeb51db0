"""The witness on the network: three paths, plain text, and nobody to authenticate but the logs themselves.

    POST /add-checkpoint        what the specification says
    GET  /<hash>/checkpoint     the newest checkpoint it signed, with its signatures; the SHA-256 of the log's name
    GET  /checkpoint/<origin>   the same, for people

Raw ASGI. Bodies beyond the limit are not read to their end.

Source: C2SP tlog-witness.
"""

import re
from asyncio import to_thread
from urllib.parse import unquote

from starlette.types import Receive, Scope, Send

from remit.witness.desk import Reply, WitnessDesk
from remit.witness.submission import MAX_SUBMISSION

__all__ = ["WitnessDoor"]

_ADD = "/add-checkpoint"
_NEWEST = "/checkpoint/"
_HASHED = re.compile(r"/([0-9a-f]{64})/checkpoint")


class WitnessDoor:
    """Serves one witness."""

    def __init__(self, desk: WitnessDesk) -> None:
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        reply, more = await self._reply(scope, receive)
        headers = [
            (b"content-type", reply.content_type.encode()),
            (b"content-length", str(len(reply.body.encode())).encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            *more,
        ]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body.encode()})

    async def _reply(
        self, scope: Scope, receive: Receive
    ) -> tuple[Reply, list[tuple[bytes, bytes]]]:
        path, method = str(scope["path"]), str(scope["method"])
        if path == _ADD:
            if method != "POST":
                return Reply(405, "only POST\n"), [(b"allow", b"POST")]
            body = await _body(receive)
            if body is None:
                return Reply(413, "that is no checkpoint\n"), [(b"connection", b"close")]
            return await to_thread(self._desk.add_checkpoint, body), []
        raw = scope["raw_path"].decode("latin-1")
        hashed = _HASHED.fullmatch(raw)
        if hashed is None and not raw.startswith(_NEWEST):
            return Reply(404, "there is nothing here\n"), []
        if method != "GET":
            return Reply(405, "only GET\n"), [(b"allow", b"GET")]
        if hashed is not None:
            return await to_thread(self._desk.newest_of, hashed[1]), []
        return await to_thread(self._desk.newest, unquote(raw.removeprefix(_NEWEST))), []


async def _body(receive: Receive) -> bytes | None:
    """What was sent; `None` when it is more than a submission can be, or its sender left."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_SUBMISSION:
            return None
        if not message.get("more_body", False):
            return bytes(body)
