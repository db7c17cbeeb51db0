"""What a server may ask of a client in the middle of a call: of a person, a model, or for folders.

In one era it is a request of the server's own, in the other a result that asks for
input. Refused: whatever the client has not said it can answer, so that no server
learns by trying what a client would have answered.

Source: MCP 2025-11-25 elicitation, sampling, roots (capabilities, errors);
MCP 2026-07-28 multi round-trip requests.
"""

from remit.canonical import Json, JsonObject
from remit.gateway.bridge.to_legacy import without_meta
from remit.gateway.bridge.to_modern import RELATED_TASK_KEY
from remit.gateway.jsonrpc import (
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    JsonRpcId,
    Request,
    Response,
    error_response,
)
from remit.gateway.questions import problem_with
from remit.ids import new_secret

__all__ = ["as_input", "as_question", "cancelled_answer", "input_of", "undeclared"]

_CAPABILITY = {
    "elicitation/create": "elicitation",
    "sampling/createMessage": "sampling",
    "roots/list": "roots",
}


def undeclared(question: Request, capabilities: JsonObject) -> Response | None:
    """Why a client of `capabilities` is not asked `question`, said to the server; `None` if it may be asked."""
    problem = problem_with(question.method, question.params, capabilities)
    if problem is None:
        return None
    declared = _CAPABILITY.get(question.method) in capabilities
    return error_response(question.id, INVALID_PARAMS if declared else METHOD_NOT_FOUND, problem)


def as_input(question: Request) -> JsonObject:
    """A legacy server's question as it stands in a result that asks for input."""
    asked: JsonObject = {"method": question.method}
    if question.params is not None:
        params: JsonObject = {
            name: value
            for name, value in question.params.items()
            if name not in {"task", "elicitationId"}
        }
        asked["params"] = without_meta(params, {RELATED_TASK_KEY, "progressToken"})
    return asked


def input_of(asked: Json, id: JsonRpcId) -> Request | None:  # noqa: A002
    """The question in one member of `inputRequests`, under `id`; `None` if it is none."""
    method = asked.get("method") if isinstance(asked, dict) else None
    params = asked.get("params") if isinstance(asked, dict) else None
    if not isinstance(method, str) or method not in _CAPABILITY:
        return None
    if params is not None and not isinstance(params, dict):
        return None
    return Request(id, method, params)


def as_question(question: Request) -> Request:
    """A modern server's question as a legacy client may be asked it."""
    params = question.params
    if question.method == "elicitation/create" and params and params.get("mode") == "url":
        # 2025-11-25 wants an id, by which nobody will ask here.
        params = {"elicitationId": new_secret("elc_"), **params}
    return Request(question.id, question.method, params)


def cancelled_answer(question: Request) -> JsonObject | None:
    """What it means when a client answers `question` with an error; `None` if it can mean nothing.

    A person who was not reached has not decided.
    """
    return {"action": "cancel"} if question.method == "elicitation/create" else None
