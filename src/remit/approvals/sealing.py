"""What of a request is sealed while it waits: the arguments as they will be sent, and why the call is made.

It is destroyed when the request ends. What does not open is not guessed at: then nobody is shown the call, and nobody
can say yes to it.

Source: docs/adr/0025-cures.md, "The very call".
"""

from dataclasses import replace

from remit.approvals.request import Request
from remit.approvals.request_store import StoredRequest
from remit.canonical import JsonObject, canonical_bytes, parse_object
from remit.secrets import SecretBox

__all__ = ["opened_request", "seal_content"]


def seal_content(
    box: SecretBox, request_id: str, *, arguments: JsonObject, justification: str | None
) -> str:
    """Both, as they may stand in the row of that request and of no other."""
    content = {"arguments": arguments, "justification": justification}
    return box.seal(_name(request_id), canonical_bytes(content))


def opened_request(box: SecretBox, stored: StoredRequest) -> Request:
    """The request with what is sealed of it; without, once it has ended.

    Raises:
        SealBrokenError: it is not what was sealed for this request.
    """
    if stored.sealed is None:
        return stored.request
    content = parse_object(box.open(_name(stored.request.id), stored.sealed))
    arguments, justification = content["arguments"], content["justification"]
    return replace(
        stored.request,
        arguments=arguments if isinstance(arguments, dict) else None,
        justification=justification if isinstance(justification, str) else None,
    )


def _name(request_id: str) -> str:
    return f"approval:{request_id}"
