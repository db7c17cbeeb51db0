"""The server behind, as small as it can be, so that what stands in front of it is what is measured.

Raw `asyncio`, no framework, both eras: it answers `tools/call` with about 1 KB, and what clients ask
before it. A call whose query begins with `stream` is answered with two events, 20 ms apart; one that begins
with `hold` gets its first event and then nothing, until the caller leaves. Each first event
says when it was sent, on the clock that all processes of a machine share.
"""

import asyncio
import json
import sys
import time

import uvloop

MODERN, LEGACY = "2026-07-28", "2025-11-25"
TEXT = json.dumps([{"id": n, "name": f"customer {n}", "city": "Lyon"} for n in range(20)])
RESULT = {"content": [{"type": "text", "text": TEXT}], "isError": False, "resultType": "complete"}
_TOOL = {
    "name": "find",
    "description": "Finds customers.",
    "inputSchema": {
        "type": "object",
        "properties": {"query": {"type": "string"}, "limit": {"type": "integer"}},
    },
}
_SELF = {"capabilities": {"tools": {}}, "serverInfo": {"name": "behind", "version": "1"}}
_ANSWERS = {
    "tools/call": RESULT,
    "tools/list": {"tools": [_TOOL], "resultType": "complete", "ttlMs": 60000, "cacheScope": "public"},
    "initialize": {"protocolVersion": LEGACY, **_SELF},
    "server/discover": {
        "supportedVersions": [MODERN], "resultType": "complete", "ttlMs": 60000,
        "cacheScope": "public", **_SELF,
    },
    "ping": {},
}  # fmt: skip
_STREAM = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)


class Behind(asyncio.Protocol):
    """One connection to it."""

    def connection_made(self, transport):
        self.transport, self.rest = transport, b""

    def data_received(self, data):
        self.rest += data
        while (end := self.rest.find(b"\r\n\r\n")) >= 0:
            head = self.rest[:end].lower()
            _, found, length = head.partition(b"content-length: ")
            size = int(length.partition(b"\r\n")[0]) if found else 0
            if len(self.rest) < end + 4 + size:
                return
            body, self.rest = self.rest[end + 4 : end + 4 + size], self.rest[end + 4 + size :]
            self.answer(json.loads(body) if body else {})

    def answer(self, message):
        if "id" not in message:
            self.transport.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
            return
        query = ((message.get("params") or {}).get("arguments") or {}).get("query", "")
        if query.startswith(("stream", "hold")):
            self.stream(message, hold=query.startswith("hold"))
            return
        result, unknown = _ANSWERS.get(message["method"]), {"code": -32601, "message": "unknown"}
        said = {"error": unknown} if result is None else {"result": result}
        answer = json.dumps({"jsonrpc": "2.0", "id": message["id"], **said}).encode()
        self.transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
            % (len(answer), answer)
        )

    def stream(self, message, *, hold):
        sent = {"level": "info", "data": time.monotonic_ns()}
        first = {"jsonrpc": "2.0", "method": "notifications/message", "params": sent}
        self.transport.write(_STREAM + _event(first))
        if not hold:
            last = {"jsonrpc": "2.0", "id": message["id"], "result": RESULT}
            asyncio.get_running_loop().call_later(
                0.02, self.transport.write, _event(last) + b"0\r\n\r\n"
            )


def _event(message):
    data = b"event: message\ndata: " + json.dumps(message).encode() + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(data), data)


async def _serve(port):
    server = await asyncio.get_running_loop().create_server(Behind, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
