"""An HTTP server's answer, read strictly: one JSON message, or a stream of them.

Refused: another media type, more than the limit, bytes that are not one JSON-RPC
message, a stream that falls silent or ends early, a response to somebody else's
request, the gateway's own credential. What is refused is not passed on in any form.

Source: MCP 2026-07-28 and 2025-11-25 transports; PROTOCOL "ten facts" 9.
"""

import asyncio
from collections.abc import AsyncIterator

from remit.canonical import MAX_VALUES
from remit.gateway.events import EventReader, EventTooLargeError
from remit.gateway.jsonrpc import (
    HEADER_MISMATCH,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    MISSING_CAPABILITY,
    PARSE_ERROR,
    UNSUPPORTED_VERSION,
    InvalidMessageError,
    Message,
    Response,
    parse_message,
)
from remit.gateway.media_types import is_event_stream, is_json
from remit.gateway.rejection import UpstreamError
from remit.gateway.upstream.credentials import NO_CREDENTIALS, Credentials
from remit.gateway.upstream.port import Limits, Reply
from remit.web.connection import Answer, BrokenConnectionError

__all__ = ["AnswerReader", "parse_answer", "tells_other_era"]

_MODERN_CODES = frozenset(
    {
        HEADER_MISMATCH,
        INTERNAL_ERROR,
        INVALID_PARAMS,
        METHOD_NOT_FOUND,
        MISSING_CAPABILITY,
        PARSE_ERROR,
        UNSUPPORTED_VERSION,
    }
)
_DEFAULT_RETRY_MS = 1000
_EVENTS_AT_A_TIME = 32
# A server is declared by the operator and its lists are long: it may say four times what anyone
# on the network may.
_MAX_VALUES = 4 * MAX_VALUES


def tells_other_era(error: Response | None) -> bool:
    """Whether a 4xx answer to a well-formed modern request shows a server that knows only sessions.

    A modern server says what is wrong by one of a few codes; the others speak of a
    missing session, or say nothing that is JSON-RPC.
    """
    return error is None or error.error is None or error.error["code"] not in _MODERN_CODES


def parse_answer(data: bytes) -> Message:
    """One message of a server's.

    Raises:
        UpstreamError: it is not one JSON-RPC message.
    """
    try:
        return parse_message(data, max_values=_MAX_VALUES)
    except InvalidMessageError as error:
        # What the parser says of text that is no JSON may quote it, and what it quotes is the server's.
        reason = "it is not strict JSON" if error.rpc_code == PARSE_ERROR else error.detail
        raise UpstreamError(f"the server's answer is malformed: {reason}", cause=error) from error


class AnswerReader:
    """Reads one answer; remembers what is needed to ask for the rest of it."""

    def __init__(
        self, response: Answer, limits: Limits, *, credentials: Credentials = NO_CREDENTIALS
    ) -> None:
        self._response = response
        self._limits = limits
        self._credentials = credentials
        self._whole: Message | None = None
        self.answered = False
        self.last_event_id: str | None = None
        self.retry_ms = _DEFAULT_RETRY_MS

    @property
    def status(self) -> int:
        return self._response.status

    async def rpc_error(self) -> Response | None:
        """The JSON-RPC error in the body, if that is what it holds."""
        if not is_json(self._content_type()):
            return None
        try:
            message = await self._read_whole()
        except UpstreamError:
            return None
        return message if isinstance(message, Response) and message.error is not None else None

    async def reply(self, *, patient: bool = False) -> Reply:
        """The reply to a request; a stream of it may be silent for long, where the asker is `patient`.

        Raises:
            UpstreamError: it is neither a JSON-RPC response nor a stream.
        """
        if is_event_stream(self._content_type()) and self.status == 200:
            return Reply(
                200, streamed=True, messages=self.continued(self._response, patient=patient)
            )
        if not is_json(self._content_type()):
            raise UpstreamError("the server's answer is not JSON-RPC", upstream_status=self.status)
        message = await self._read_whole()
        if not isinstance(message, Response) or (self.status >= 400 and message.error is None):
            raise UpstreamError(
                "the server's answer is not a response", upstream_status=self.status
            )
        return Reply(self.status, streamed=False, messages=_just(message), whole=message)

    async def continued(self, response: Answer, *, patient: bool = False) -> AsyncIterator[Message]:
        """The messages of a stream, up to the response or to where it ends."""
        async for message in self._messages(response, patient=patient):
            self.answered = isinstance(message, Response)
            yield message
            if self.answered:
                return

    async def unasked(self) -> AsyncIterator[Message]:
        """The messages of a server's own stream, which holds no responses and may be silent for long."""
        async for message in self._messages(self._response, patient=True):
            if not isinstance(message, Response):
                yield message

    async def _messages(self, response: Answer, *, patient: bool = False) -> AsyncIterator[Message]:
        events = EventReader(self._limits.message_bytes)
        while (chunk := await self._read(response, patient=patient)) is not None:
            try:
                complete = events.feed(chunk)
            except EventTooLargeError as error:
                raise UpstreamError("an event of the server is too large", cause=error) from error
            for number, event in enumerate(complete, 1):
                if number % _EVENTS_AT_A_TIME == 0:
                    # One read may hold thousands, and whoever sends them must not hold up everyone else.
                    await asyncio.sleep(0)
                self.last_event_id = event.id or self.last_event_id
                self.retry_ms = self.retry_ms if event.retry_ms is None else event.retry_ms
                if event.type == "message" and event.data:
                    yield self._parsed(event.data)

    async def _read(self, response: Answer, *, patient: bool = False) -> bytes | None:
        try:
            return await response.read_chunk(None if patient else self._limits.seconds)
        except BrokenConnectionError as error:
            raise UpstreamError("the server broke off its answer", cause=error) from error
        except TimeoutError as error:
            raise UpstreamError("the server fell silent", timed_out=True) from error

    async def _read_whole(self) -> Message:
        if self._whole is None:
            body = bytearray()
            while (chunk := await self._read(self._response)) is not None:
                body += chunk
                if len(body) > self._limits.message_bytes:
                    raise UpstreamError("the server's answer is too large")
            self._whole = self._parsed(bytes(body))
        return self._whole

    def _parsed(self, data: bytes) -> Message:
        message = parse_answer(data)
        self._credentials.refuse_in(message)
        return message

    def _content_type(self) -> str:
        return self._response.get_header("content-type") or ""


async def _just(message: Message) -> AsyncIterator[Message]:
    yield message
