"""Tasks: calls that go on after their answer, found again by whoever made them and by nobody else.

A call that a server makes a task of was decided like any other. What goes down is a handle in
place of the server's name for the task. Each use of it is authenticated, counted, decided again as
the tool behind the task and recorded: a right that is gone ends the access to the result too. A
handle that nobody gave out, of another principal, or of a tool that may not be seen any more gets
one answer: unknown task.

Source: MCP extension tasks (`io.modelcontextprotocol/tasks`); MCP 2025-11-25 tasks (experimental).
"""

from dataclasses import replace
from typing import Final

from remit.canonical import Json, JsonObject
from remit.clock import Clock
from remit.gateway.extensions import TASKS, declares_tasks
from remit.gateway.incoming import Incoming
from remit.gateway.jsonrpc import MISSING_CAPABILITY, Request
from remit.gateway.judgement import Judgement, judge
from remit.gateway.known_tasks import KnownTasks
from remit.gateway.methods import TaskUse, treatment_of
from remit.gateway.ports import Enforcement
from remit.gateway.principal import Principal
from remit.gateway.protocol import Era
from remit.gateway.rejection import RejectedError, UpstreamError
from remit.gateway.task_handle import Task, TaskHandles, kept_arguments
from remit.guard.outcome import Challenge, Deny, Permit, RefusalReason
from remit.model import Server
from remit.policy.evaluation import ResourceKind
from remit.tokens.access_token import AccessToken

__all__ = ["RELATED_TASK", "UNKNOWN_TASK", "Tasks", "missing_tasks"]

RELATED_TASK: Final = "io.modelcontextprotocol/related-task"
UNKNOWN_TASK: Final = "unknown task"


class Tasks:
    """The tasks of one gateway."""

    def __init__(self, guard: Enforcement, key: bytes, clock: Clock) -> None:
        self._guard = guard
        self.handles = TaskHandles(key, clock)
        self.known = KnownTasks()

    async def judged(
        self, incoming: Incoming, request: Request, *, version: str, era: Era
    ) -> Judgement | Challenge | Deny:
        """Put `request` to the guard; a use of a task as the tool behind it.

        Raises:
            RejectedError: what `judge` raises.
        """
        if not isinstance(treatment_of(request.method, era), TaskUse):
            return await judge(self._guard, incoming, request, version=version, era=era)
        call = incoming.call(request.method, version, request=request)
        token = await self._guard.authenticate(call)
        if not isinstance(token, AccessToken):
            return token
        handle = request.params.get("taskId") if request.params else None
        task = self.handles.find(handle, incoming.server.name, Principal.of(token))
        # A handle that is not good goes the same way: to the guard, which finds no tool and records it.
        call = replace(
            call,
            kind=ResourceKind.TOOL,
            name=None if task is None else task.tool,
            arguments=None if task is None else task.arguments,
            task_of=None if task is None else task.decision_id,
            justification=call.justification or (None if task is None else task.justification),
        )
        permit = await self._guard.decide(call)
        if isinstance(permit, Deny) and permit.reason is RefusalReason.NOT_FOUND:
            return permit if permit.about_server else replace(permit, detail=UNKNOWN_TASK)
        if not isinstance(permit, Permit):
            return permit
        if task is None:
            raise RuntimeError("a call of nothing was permitted")
        self.known.remember(task, str(handle))
        return Judgement(call=call, token=permit.token, permit=permit, task=task)

    def begun(self, task_id: Json, judged: Judgement, server: Server) -> str:
        """The handle of the task that `judged` has become, which the server calls `task_id`.

        Raises:
            UpstreamError: the server does not say what it calls it, or it cannot be kept track of.
        """
        if not isinstance(task_id, str) or judged.permit is None or judged.call.name is None:
            raise UpstreamError("the server has made a task without a name")
        task = Task(
            id=task_id,
            server=server.name,
            tool=judged.call.name,
            principal=Principal.of(judged.token),
            decision_id=judged.permit.decision_id,
            arguments=kept_arguments(server.tools.get(judged.call.name), judged.call.arguments),
            justification=judged.call.justification,
        )
        handle = self.handles.issue(task)
        self.known.remember(task, handle)
        return handle

    def up(self, request: Request, task: Task) -> Request:
        """A use of `task`, in the server's words."""
        return Request(request.id, request.method, {**(request.params or {}), "taskId": task.id})

    @staticmethod
    def down(result: JsonObject, task: Task, handle: Json) -> JsonObject:
        """What the server says of `task`, in the caller's words.

        Raises:
            UpstreamError: it speaks of another task.
        """
        if "taskId" not in result:
            return result
        if result["taskId"] != task.id:
            raise UpstreamError("the server speaks of another task")
        return {**result, "taskId": handle}


def missing_tasks(capabilities: Json) -> RejectedError | None:
    """What is said to a modern client that uses a task without having declared that it knows them."""
    if declares_tasks(capabilities):
        return None
    return RejectedError(
        400,
        "Missing required client capability",
        rpc_code=MISSING_CAPABILITY,
        data={"requiredCapabilities": {"extensions": {TASKS: {}}}},
    )
