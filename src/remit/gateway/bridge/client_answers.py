"""Answers of a legacy client to questions that were put to it on the stream of its call.

An answer is taken once, and only to a question that waits; one that does not come in
time ends the call.

Source: MCP 2025-11-25 elicitation, sampling, roots.
"""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from remit.canonical import JsonObject
from remit.gateway.bridge.questions import cancelled_answer
from remit.gateway.jsonrpc import JsonRpcId, Request, Response
from remit.gateway.rejection import UpstreamError

__all__ = ["ClientAnswers", "NotAnsweredError"]


class NotAnsweredError(Exception):
    """The client answered a question with an error, and there is no other way to say so."""

    def __init__(self, error: JsonObject) -> None:
        super().__init__("the client answered a question with an error")
        self.error = error


class ClientAnswers:
    """What one session's client has been asked. An answer is waited for as long as `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: dict[JsonRpcId, asyncio.Future[Response]] = {}

    @contextmanager
    def expected(self, questions: Iterable[Request]) -> Iterator[None]:
        """While inside, answers to `questions` are taken."""
        loop = asyncio.get_running_loop()
        ids = [question.id for question in questions]
        self._waiting |= {one: loop.create_future() for one in ids}
        try:
            yield
        finally:
            for one in ids:
                self._waiting.pop(one).cancel()

    def take(self, response: Response) -> None:
        """Give `response` to the question it answers; dropped if there is none."""
        waiting = None if response.id is None else self._waiting.get(response.id)
        if waiting is not None and not waiting.done():
            waiting.set_result(response)

    async def of(self, questions: dict[str, Request]) -> JsonObject:
        """What the client said, under the names by which the server asked.

        Raises:
            NotAnsweredError: it answered with an error.
            UpstreamError: it did not answer in time.
        """
        answers: JsonObject = {}
        try:
            async with asyncio.timeout(self._seconds):
                for name, question in questions.items():
                    answers[name] = _said(question, await self._waiting[question.id])
        except TimeoutError as error:
            raise UpstreamError("the client did not answer the server's question") from error
        return answers


def _said(question: Request, response: Response) -> JsonObject:
    if response.result is not None:
        return response.result
    meant = cancelled_answer(question)
    if meant is None:
        raise NotAnsweredError(response.error or {})
    return meant
