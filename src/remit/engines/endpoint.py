"""One endpoint of an engine over HTTP: a question posted, its answer read, and nothing else believed.

The URL stands in the operator's policy repository, and no caller has a word in it. So it may be loopback or a
private address, which is where engines run; link-local and metadata addresses are refused as everywhere.
Refused: redirects (the secret would go with them), content codings, another status than 200, another type
than JSON, an answer beyond the limit, one that two parsers could read differently. A question changes nothing
on the other side, so one that met a connection just closed is asked a second time.

Source: RFC 9110 §9.2.2, §15.4; RFC 6750 §2.1; docs/guides/policy-engines.md.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from remit.canonical import JsonObject, MalformedJsonError, canonical_bytes, parse_object
from remit.errors import Error
from remit.policy.port import EngineSettings, EngineUnavailableError
from remit.web.connection import Answer, BrokenConnectionError
from remit.web.pool import Pool
from remit.web.reach import Address, Destination, Reach, destination_of, may_be_dialled

__all__ = ["CA_FILE", "Endpoint"]

CA_FILE: Final = "ca_file"
"""The option that names a PEM file of the only authority believed."""
T = TypeVar("T")

_MAX_ANSWER: Final = 1024 * 1024
_AT_ONCE: Final = 64
_IDLE: Final = 30.0
_REQUEST_ID: Final = "x-request-id"
_OWN: Final = (
    ("accept", "application/json"),
    ("accept-encoding", "identity"),
    ("user-agent", "remit"),
)


class Endpoint:
    """Where an engine takes questions: `path` below the URL that its declaration names."""

    def __init__(self, settings: EngineSettings, path: str) -> None:
        """Open nothing yet.

        Raises:
            EngineUnavailableError: the URL is none, or the file of its authority cannot be read.
        """
        url = settings.url.rstrip("/") + path
        self._settings = settings
        self._destination = _destination(url)
        self._pool = Pool(
            url, tls=_tls(settings.options.get(CA_FILE)), admits=self._admits, idle=_IDLE
        )
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def post(self, question: JsonObject, *, request_id: str | None = None) -> JsonObject:
        """The answer to `question`, and, where it names the request that it answers, to that one.

        Raises:
            EngineUnavailableError: there is none that can be believed.
        """
        body = canonical_bytes(question)
        named = () if request_id is None else ((_REQUEST_ID, request_id),)
        lines = [*_OWN, ("content-type", "application/json"), *self._authorization(), *named]
        return await self._exchange("POST", lines, body, request_id=request_id)

    async def get(self) -> JsonObject:
        """The document there; no secret is sent for it.

        Raises:
            EngineUnavailableError: there is none that can be believed.
        """
        return await self._exchange("GET", [*_OWN], b"")

    async def status(self) -> int:
        """The status of a request for the document there; no secret is sent, and no body read.

        Raises:
            EngineUnavailableError: nobody answers.
        """

        async def head() -> int:
            seconds = self._settings.timeout
            async with self._pool.request("GET", [*_OWN], b"", seconds=seconds) as answer:
                return answer.status

        return await self._heard(head)

    def close(self) -> None:
        """Give back every connection; what is under way breaks off."""
        self._pool.close()

    async def _exchange(
        self,
        method: str,
        lines: list[tuple[str, str]],
        body: bytes,
        *,
        request_id: str | None = None,
    ) -> JsonObject:
        return await self._heard(lambda: self._once(method, lines, body, request_id))

    async def _heard(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What comes of asking, a second time if the connection broke."""
        try:
            async with self._places:
                try:
                    return await ask()
                except BrokenConnectionError:
                    return await ask()
        except BrokenConnectionError as error:
            raise EngineUnavailableError(
                "the connection to the engine broke", cause=error
            ) from error
        except ssl.SSLError as error:
            raise EngineUnavailableError(
                "the engine does not prove who it is", cause=error
            ) from error
        except TimeoutError as error:
            raise EngineUnavailableError(
                "the engine did not answer in time", cause=error
            ) from error
        except OSError as error:
            raise EngineUnavailableError("the engine cannot be reached", cause=error) from error
        except ValueError as error:
            raise EngineUnavailableError("the question cannot be sent", cause=error) from error

    async def _once(
        self, method: str, lines: list[tuple[str, str]], body: bytes, request_id: str | None
    ) -> JsonObject:
        seconds = self._settings.timeout
        async with self._pool.request(method, lines, body, seconds=seconds) as answer:
            _refuse_head(answer)
            if request_id is not None and answer.get_header(_REQUEST_ID) not in {None, request_id}:
                raise EngineUnavailableError("the answer of the engine is to another request")
            found = bytearray()
            while (chunk := await answer.read_chunk(seconds)) is not None:
                found += chunk
                if len(found) > _MAX_ANSWER:
                    raise EngineUnavailableError("the answer of the engine is too large")
        try:
            return parse_object(bytes(found))
        except MalformedJsonError as error:
            raise EngineUnavailableError(
                "the answer of the engine is not one strict JSON object", cause=error
            ) from error

    def _authorization(self) -> Sequence[tuple[str, str]]:
        try:
            secret = self._settings.read_secret()
        except EngineUnavailableError:
            raise
        except (Error, OSError, ValueError, LookupError) as error:
            raise EngineUnavailableError(
                "the secret of the engine cannot be read", cause=error
            ) from error
        if secret is None:
            return ()
        if not secret.isascii() or not secret.isprintable() or secret != secret.strip():
            # The value is not named: it is the secret.
            raise EngineUnavailableError("the secret of the engine is no value of a header")
        return (("authorization", f"Bearer {secret}"),)

    def _admits(self, address: Address) -> bool:
        return may_be_dialled(address, self._destination, Reach(private=True))


def _destination(url: str) -> Destination:
    try:
        return destination_of(url, Reach(private=True))
    except Error as error:
        raise EngineUnavailableError(error.detail, cause=error) from error


def _tls(ca_file: str | None) -> ssl.SSLContext | None:
    if ca_file is None:
        return None
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise EngineUnavailableError(
            "the file of the engine's authority cannot be read", cause=error
        ) from error


def _refuse_head(answer: Answer) -> None:
    if 300 <= answer.status < 400:
        raise EngineUnavailableError("the engine redirects, which is not followed")
    if answer.status != 200:
        raise EngineUnavailableError(f"the engine answered {answer.status}")
    if (answer.get_header("content-encoding") or "identity") != "identity":
        raise EngineUnavailableError("the engine used a content coding")
    media_type = (answer.get_header("content-type") or "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise EngineUnavailableError("the answer of the engine is not declared as JSON")
