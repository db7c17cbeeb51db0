"""What a server may ask of the client: what the client said that it can answer, and no more of it than can be borne.

Asked in answer to a call (`input_required`), while a task is under way, or, in the legacy era, by
a request of the server's own. Refused: whatever the client has not declared; anything but
elicitation, sampling and roots; a page to open whose address is no web address, is not encrypted on
its way, or carries somebody's name and password; too many questions at once; a question under a name of the gateway's own.

Source: MCP 2026-07-28 multi round-trip requests (server requirement 7), elicitation (safe URL
handling); MCP 2025-11-25 client features.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from remit.canonical import Json, JsonObject, canonical_bytes
from remit.gateway.rejection import UpstreamError

__all__ = [
    "MAX_QUESTIONS",
    "OUR_KEYS",
    "check_inputs",
    "problem_with",
    "shows_addresses",
    "shows_forms",
]

MAX_QUESTIONS: Final = 32
"""How much a server may ask in one answer."""
OUR_KEYS: Final = "remit/"
"""How the names begin under which the gateway itself asks; answers to these are for it alone."""
_MAX_BYTES: Final = 4 * 1024 * 1024
_MAX_URL: Final = 2048
_MAX_KEY: Final = 256
_NEEDS: Final[Mapping[str, str]] = {
    "elicitation/create": "elicitation",
    "sampling/createMessage": "sampling",
    "roots/list": "roots",
}
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def check_inputs(result: JsonObject, capabilities: JsonObject) -> None:
    """Hold the `inputRequests` of `result`, if it has any, against what the client declared.

    Raises:
        UpstreamError: the server asks what it may not ask.
    """
    asked = result.get("inputRequests")
    if asked is None:
        return
    if not isinstance(asked, dict) or len(asked) > MAX_QUESTIONS:
        raise UpstreamError("the server asks the client for too much, or in no known form")
    if len(canonical_bytes(asked)) > _MAX_BYTES:
        raise UpstreamError("what the server asks the client is too large")
    for key, question in asked.items():
        method = question.get("method") if isinstance(question, dict) else None
        if not isinstance(question, dict) or not isinstance(method, str) or len(key) > _MAX_KEY:
            raise UpstreamError("the server asks the client in no known form")
        if key.startswith(OUR_KEYS):
            raise UpstreamError("the server asks the client in the gateway's name")
        problem = problem_with(method, question.get("params"), capabilities)
        if problem is not None:
            raise UpstreamError(problem)


def problem_with(method: str, params: Json, capabilities: JsonObject) -> str | None:
    """Why the client is not to be asked this; `None` if it may be."""
    capability = _NEEDS.get(method)
    if capability is None:
        return "the server asks the client for something that no client answers"
    declared = capabilities.get(capability)
    if not isinstance(declared, dict):
        return f"the server asks for `{capability}`, which the client has not declared"
    values = params if isinstance(params, dict) else {}
    if len(canonical_bytes(values)) > _MAX_BYTES:
        return "what the server asks the client is too large"
    match method:
        case "elicitation/create":
            return _problem_with_elicitation(values, declared)
        case "sampling/createMessage":
            uses_tools = "tools" in values or "toolChoice" in values
            if uses_tools and not isinstance(declared.get("tools"), dict):
                return "the server asks for sampling with tools, which the client has not declared"
    return None


def shows_addresses(capabilities: JsonObject) -> bool:
    """Whether the client can have its person open an address."""
    elicitation = capabilities.get("elicitation")
    return isinstance(elicitation, dict) and isinstance(elicitation.get("url"), dict)


def shows_forms(capabilities: JsonObject) -> bool:
    """Whether the client can have its person fill in a form; an empty declaration means that, too."""
    elicitation = capabilities.get("elicitation")
    if not isinstance(elicitation, dict):
        return False
    return isinstance(elicitation.get("form"), dict) or "url" not in elicitation


def _problem_with_elicitation(params: JsonObject, declared: JsonObject) -> str | None:
    mode = params.get("mode", "form")
    if not isinstance(mode, str) or mode not in {"form", "url"}:
        return "the server asks the person in a mode that nobody knows"
    # An empty declaration means forms, which were all there was before there were modes.
    if (
        declared
        and not isinstance(declared.get(mode), dict)
        and not (mode == "form" and "url" not in declared)
    ):
        return f"the server asks for elicitation by {mode}, which the client has not declared"
    if mode == "form":
        return None
    if not declared:
        return "the server asks for elicitation by url, which the client has not declared"
    url = params.get("url")
    return None if isinstance(url, str) and _may_be_opened(url) else _UNFIT


_UNFIT: Final = "the server asks the person to open an address that is not fit to be opened"


def _may_be_opened(url: str) -> bool:
    """Whether a person can be sent there: an absolute web address, encrypted unless it stays here, nobody's login in it."""
    if len(url) > _MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or "@" in parts.netloc or "\\" in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
