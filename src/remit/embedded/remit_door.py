"""Remit, as a guard reaches it: a few questions, over TLS, with the server's own secret.

Certificates are verified; redirects are not followed; no proxy is taken from the environment. What is
longer than a snapshot can be is not read to its end.
"""

import asyncio
from base64 import b64encode
from typing import ClassVar, Final
from urllib.parse import quote

from remit.canonical import JsonObject, MalformedJsonError, canonical_bytes, parse_object
from remit.errors import UnavailableError
from remit.web.connection import BrokenConnectionError
from remit.web.pool import Pool

__all__ = ["RemitDoor", "RemitUnavailableError"]

_SECONDS: Final = 10.0
_MAX_SNAPSHOT: Final = 64 * 1024 * 1024
_MAX_ANSWER: Final = 1024 * 1024
_WHOLE: Final = 30.0
"""Seconds for all of an answer, once it has begun."""


class RemitUnavailableError(UnavailableError):
    """Remit did not answer, or refused; `status` says how, if it answered."""

    code: ClassVar[str] = "remit_unavailable"

    def __init__(
        self, detail: str, *, status: int | None = None, cause: BaseException | None = None
    ) -> None:
        super().__init__(detail, cause=cause)
        self.status = status


class RemitDoor:
    """One guard's way to the Remit at `url`, as the server `name`."""

    def __init__(self, url: str, *, name: str, secret: str, instance: str) -> None:
        url = url.rstrip("/")
        self._snapshots = Pool(f"{url}/guard/v1/snapshot")
        self._records = Pool(f"{url}/guard/v1/records?instance={instance}")
        self._history = Pool(f"{url}/guard/v1/history")
        self._elevations = Pool(f"{url}/guard/v1/elevations")
        self._keys = Pool(f"{url}/jwks")
        known = f"{quote(name, safe='')}:{quote(secret, safe='')}".encode()
        self._credentials = ("authorization", f"Basic {b64encode(known).decode()}")

    async def snapshot(self, question: JsonObject, *, wait: float) -> bytes:
        """The answer to `question`, for which Remit may take `wait` seconds.

        Raises:
            RemitUnavailableError: there is none.
        """
        headers = [self._credentials, ("content-type", "application/json")]
        body = canonical_bytes(question)
        return await _asked(
            self._snapshots, "POST", headers, body, seconds=wait + _SECONDS, limit=_MAX_SNAPSHOT
        )

    async def deliver(self, records: bytes) -> int:
        """Hand over records, one a line; up to which of them everything is in Remit's log.

        Raises:
            RemitUnavailableError: it does not say that.
        """
        headers = [self._credentials, ("content-type", "application/x-ndjson")]
        answer = await _asked(
            self._records, "POST", headers, records, seconds=_SECONDS, limit=_MAX_ANSWER
        )
        taken = _object(answer).get("taken")
        if type(taken) is not int:
            raise RemitUnavailableError("what remit answered is not what it should be")
        return taken

    async def history(self, question: JsonObject) -> JsonObject:
        """What was done before, as far as `question` asks; see docs/reference/guard.md.

        Raises:
            RemitUnavailableError: it is not told.
        """
        headers = [self._credentials, ("content-type", "application/json")]
        body = canonical_bytes(question)
        answer = await _asked(
            self._history, "POST", headers, body, seconds=_SECONDS, limit=_MAX_ANSWER
        )
        return _object(answer)

    async def elevations(self, question: JsonObject) -> JsonObject:
        """What people said yes to, or are asked, as far as `question` asks; see docs/reference/guard.md.

        Raises:
            RemitUnavailableError: it is not told.
        """
        headers = [self._credentials, ("content-type", "application/json")]
        body = canonical_bytes(question)
        answer = await _asked(
            self._elevations, "POST", headers, body, seconds=_SECONDS, limit=_MAX_ANSWER
        )
        return _object(answer)

    async def public_keys(self) -> JsonObject:
        """The keys that Remit publishes.

        Raises:
            RemitUnavailableError: they cannot be had.
        """
        answer = await _asked(self._keys, "GET", [], b"", seconds=_SECONDS, limit=_MAX_ANSWER)
        return _object(answer)

    def close(self) -> None:
        """Give back every connection."""
        for pool in (
            self._snapshots,
            self._records,
            self._history,
            self._elevations,
            self._keys,
        ):
            pool.close()


async def _asked(
    pool: Pool,
    method: str,
    headers: list[tuple[str, str]],
    body: bytes,
    *,
    seconds: float,
    limit: int,
) -> bytes:
    own = [("accept", "*/*"), ("user-agent", "remit-guard")]
    try:
        async with pool.request(method, [*own, *headers], body, seconds=seconds) as answer:
            async with asyncio.timeout(_WHOLE):
                found = bytearray()
                while (chunk := await answer.read_chunk()) is not None:
                    found += chunk
                    if len(found) > limit:
                        raise RemitUnavailableError("what remit answered is too long")
            status = answer.status
    except TimeoutError as error:
        raise RemitUnavailableError("remit did not answer in time", cause=error) from error
    except (OSError, BrokenConnectionError) as error:
        raise RemitUnavailableError("remit cannot be reached", cause=error) from error
    if status != 200:
        raise RemitUnavailableError(f"remit refused, with status {status}", status=status)
    return bytes(found)


def _object(answer: bytes) -> JsonObject:
    try:
        return parse_object(answer)
    except MalformedJsonError as error:
        raise RemitUnavailableError(
            "what remit answered is not strict JSON", cause=error
        ) from error
