"""What a refused call that people were asked about is answered with where nobody can be shown a page: words, and the link.

Of a tool it is the result of the call, so that the agent reads it; of anything else a JSON-RPC error. A link is in it only
while it leads to something: never once somebody has refused, or the same was asked too often.

Source: docs/adr/0025-cures.md; MCP 2026-07-28 tools (tool execution errors); JSON-RPC 2.0 §5.1.
"""

from datetime import UTC, datetime
from typing import Final

from remit.canonical import Json, JsonObject
from remit.gateway.jsonrpc import Request, Response, error_response
from remit.gateway.protocol import Era
from remit.guard.challenge import RefusalResponse
from remit.guard.elevations import Asked, AskedState

__all__ = ["REFUSAL_KEY", "data_of", "said_in_words"]

REFUSAL_KEY: Final = "remit/refusal"
"""Under which name the `_meta` of a tool's result says what a program wants to know of the refusal."""
_LONGEST_REASON: Final = 200


def said_in_words(
    request: Request, refusal: RefusalResponse, asked: Asked, *, era: Era
) -> Response:
    """The answer to `request`, which was refused and put to people."""
    data = data_of(refusal, asked)
    text = f"{str(refusal.error['message']).rstrip('.')}. {data['how']}"
    if request.method != "tools/call":
        return error_response(request.id, _code_of(refusal), str(refusal.error["message"]), data)
    content: list[Json] = [{"type": "text", "text": text}]
    result: JsonObject = {"content": content, "isError": True, "_meta": {REFUSAL_KEY: data}}
    if era is Era.MODERN:
        result["resultType"] = "complete"
    return Response(request.id, result=result)


def data_of(refusal: RefusalResponse, asked: Asked) -> JsonObject:
    """The `data` of the refusal, with who was asked, and what the agent may do now."""
    data = refusal.error.get("data")
    told: JsonObject = dict(data) if isinstance(data, dict) else {}
    request: JsonObject = {
        "id": asked.id,
        "state": asked.state.value,
        "alone": asked.alone,
        "expires_at": asked.expires_at,
    }
    if asked.state is AskedState.WAITING:
        request["url"] = asked.url
    told.update({"obtainable": "ask", "how": _how(asked), "retry": False, "request": request})
    return told


def _how(asked: Asked) -> str:
    match asked.state:
        case AskedState.REFUSED:
            why = "".join(one for one in asked.reason if one.isprintable())[:_LONGEST_REASON]
            said = f" (`{why}`)" if why.strip() else ""
            return f"The call was refused by a person{said}: do not repeat it."
        case AskedState.EXHAUSTED:
            return (
                "It was asked for too often without an answer, and still waits: do not repeat it "
                "before the person says that it was decided."
            )
        case AskedState.WAITING if asked.alone:
            return (
                f"Ask the person you act for to open {asked.url} and decide there until "
                f"{_time(asked)}. Then repeat the very same call, once."
            )
        case AskedState.WAITING:
            return (
                f"Somebody else was asked, until {_time(asked)}; {asked.url} shows how far it is. "
                "Once it is approved, repeat the very same call, once."
            )


def _time(asked: Asked) -> str:
    return datetime.fromtimestamp(asked.expires_at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _code_of(refusal: RefusalResponse) -> int:
    code = refusal.error["code"]
    return code if isinstance(code, int) else 0
