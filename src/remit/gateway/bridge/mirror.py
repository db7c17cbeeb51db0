"""The headers that a modern server wants beside some arguments, for callers who know nothing of them.

Which arguments a tool mirrors stands in the server's list of tools. Where a call is
refused for want of a header, the list is read and the call made once more: what was
refused for its headers was not begun.

Source: MCP 2026-07-28 transports (custom headers, `x-mcp-header`).
"""

from remit.gateway.jsonrpc import HEADER_MISMATCH, Request, Response
from remit.gateway.parameter_headers import ToolSchemas, parameter_headers_of

__all__ = ["Mirror"]


class Mirror:
    """What one session knows of its server's tools."""

    def __init__(self) -> None:
        self._schemas = ToolSchemas()

    def headers(self, request: Request) -> tuple[tuple[str, str], ...]:
        """The headers that go with `request`, as far as known."""
        params = request.params or {}
        name = params.get("name")
        if request.method != "tools/call" or not isinstance(name, str):
            return ()
        return parameter_headers_of(self._schemas.mirrored(name), params.get("arguments"))

    def learn(self, response: Response) -> None:
        """Take in one page of the list of tools."""
        if response.result is not None:
            self._schemas.learn(response.result.get("tools"))

    @staticmethod
    def lacks(request: Request, response: Response) -> bool:
        """Whether the server refused `request` for its headers."""
        refused = response.error is not None and response.error["code"] == HEADER_MISMATCH
        return refused and request.method == "tools/call"
