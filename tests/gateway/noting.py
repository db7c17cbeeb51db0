"""A server on a socket that notes what reaches it, by whom it says it is sent, and what it answered."""

import json


class Behind:
    """A server of one era that notes what reaches it, and turns away the credentials it is told to."""

    def __init__(self, era: str) -> None:
        self.era = era
        self.requests: list[tuple[str, dict[str, str], dict]] = []
        self.refused: set[str] = set()
        self.done: list[tuple[str, str | None]] = []
        self.text = "done"

    @property
    def brought(self) -> list[tuple[str, str | None]]:
        """What each request was, and who it said calls."""
        return [
            (body.get("method", verb), headers.get("authorization"))
            for verb, headers, body in self.requests
        ]

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        raw, more = b"", True
        while more:
            event = await receive()
            raw, more = raw + event.get("body", b""), event.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        body = json.loads(raw) if raw else {}
        self.requests.append((scope["method"], headers, body))
        status, answer, extra = self._answer(scope["method"], headers, body)
        if status == 200:
            self.done.append((body.get("method", ""), headers.get("authorization")))
        lines = [(b"content-type", b"application/json"), *extra]
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    def _answer(self, verb, headers, body):
        if headers.get("authorization", "").removeprefix("Bearer ") in self.refused:
            return 401, {}, []
        if verb == "GET":
            return 405, {}, []
        if verb == "DELETE":
            return 204, {}, []
        method, number = body.get("method", ""), body.get("id")
        if self.era == "legacy" and method == "initialize":
            result = {
                "protocolVersion": "2025-11-25",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "s", "version": "1"},
            }
            return 200, _result(number, result), [(b"mcp-session-id", b"s1")]
        if self.era == "legacy" and "mcp-session-id" not in headers:
            return (
                400,
                {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "no session"}},
                [],
            )
        if self.era == "modern" and method == "initialize":
            return 400, {}, []
        if number is None:
            return 202, {}, []
        if method == "server/discover":
            return (
                200,
                _result(
                    number,
                    {
                        "supportedVersions": ["2026-07-28"],
                        "capabilities": {},
                        "serverInfo": {},
                        "resultType": "complete",
                    },
                ),
                [],
            )
        if method == "tools/list":
            tool = {"name": "get_invoice", "inputSchema": {"type": "object"}}
            result = {
                "tools": [tool],
                "resultType": "complete",
                "ttlMs": 0,
                "cacheScope": "private",
            }
            return 200, _result(number, result), []
        content = [{"type": "text", "text": self.text}]
        return 200, _result(number, {"content": content, "resultType": "complete"}), []


def _result(number, result):
    return {"jsonrpc": "2.0", "id": number, "result": result}
