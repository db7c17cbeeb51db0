"""What an answer says of the call that it answers, in one word for the log.

A call that has become a task has no outcome yet; what becomes of the task is said by the
use of it that finds it at its end.

Source: MCP extension tasks (task status); MCP 2025-11-25 tasks.
"""

from collections.abc import Mapping
from typing import Final

from remit.canonical import JsonObject
from remit.gateway.jsonrpc import Response

__all__ = ["outcome_of"]

_OF_STATUS: Final[Mapping[str, str]] = {
    "working": "task",
    "input_required": "task",
    "failed": "error",
    "cancelled": "cancelled",
}


def outcome_of(method: str, response: Response) -> str:
    """The outcome of a call of `method` that was answered with `response`."""
    if response.error is not None:
        return "error"
    result = response.result or {}
    if method == "tools/call" and _is_task(result):
        return "task"
    if method in {"tasks/get", "tasks/cancel"}:
        status, inner = result.get("status"), result.get("result")
        if isinstance(status, str) and status in _OF_STATUS:
            return _OF_STATUS[status]
        result = inner if isinstance(inner, dict) else {}
    return "tool_error" if result.get("isError") is True else "ok"


def _is_task(result: JsonObject) -> bool:
    task = result.get("task")
    return result.get("resultType") == "task" or (
        isinstance(task, dict) and isinstance(task.get("taskId"), str) and "content" not in result
    )
