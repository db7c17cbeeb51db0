"""One endpoint of a receiver over HTTP: content posted over kept connections, and what it says of it.

Refused: redirects (the secret would go with them), answers with a content coding or beyond the limit, addresses out
of reach. What is posted a second time after a broken connection may arrive twice, which the ids tell.

Source: RFC 9110 §15; docs/reference/sinks.md.
"""

import asyncio
import gzip
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final

import orjson

from remit.sinks.port import SinkDownError, SinkRefusedError, SinkSettings
from remit.sinks.receivers.lookup import Lookup
from remit.sinks.receivers.options import (
    REACH,
    reach_word,
    seconds,
    tls_of,
    tls_word,
    web_destination,
)
from remit.web.connection import BrokenConnectionError
from remit.web.pool import Pool
from remit.web.reach import Address, may_be_dialled
from remit.web.resolution import Resolve

__all__ = ["HttpReceiver", "Said"]

_TIMEOUT: Final = 30.0
_IDLE: Final = 20.0
_MAX_ANSWER: Final = 4 * 1024 * 1024
_DIGITS: Final = 10
_UNFIT: Final = frozenset({400, 413, 415, 422})
_OWN: Final = (("accept-encoding", "identity"), ("user-agent", "remit"))


@dataclass(frozen=True, slots=True)
class Said:
    """An answer with a status of success."""

    status: int
    body: bytes
    taken: str | None
    """The header `remit-taken`."""

    def parsed(self) -> dict[str, Any]:
        """The JSON object that it is.

        Raises:
            SinkDownError: it is none.
        """
        try:
            found = orjson.loads(self.body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise SinkDownError("answer_unreadable")
        return found


class HttpReceiver:
    """Where content goes: `path` below the URL of the sink, or another `url`."""

    def __init__(
        self,
        settings: SinkSettings,
        path: str = "",
        *,
        url: str | None = None,
        method: str = "POST",
        resolve: Resolve | None = None,
    ) -> None:
        """Open nothing yet.

        Raises:
            SinkMisdeclaredError: the URL is none, or a file of certificates cannot be read.
        """
        if url is None:
            url = settings.url.rstrip("/") + path if path else settings.url
        self._method = method
        self._destination = web_destination(settings, url)
        self._timeout = seconds(settings, "timeout", _TIMEOUT)
        self._compress = settings.options.get("compress") == "gzip"
        self._settings, self._url = settings, url
        self._clock = settings.clock
        self._resolve = resolve or Lookup()
        self._pool = self._new_pool()
        self._is_stale = False

    async def post(self, content: bytes, headers: Sequence[tuple[str, str]]) -> Said:
        """What it says to `content`.

        Raises:
            SinkDownError: it does not take it now.
            SinkRefusedError: it does not take that.
        """
        if self._is_stale:
            await self._begin_anew()
        lines = [*_OWN, *headers]
        if self._compress:
            content = await asyncio.to_thread(gzip.compress, content, 1)
            lines.append(("content-encoding", "gzip"))
        try:
            async with asyncio.timeout(self._timeout):
                try:
                    return await self._once(content, lines)
                except BrokenConnectionError:
                    # A kept connection may have been closed in the very moment it was used.
                    return await self._once(content, lines)
        except BrokenConnectionError as error:
            self._is_stale = True
            raise SinkDownError("connection_broke", cause=error) from error
        except ssl.SSLError as error:
            self._is_stale = True
            raise SinkDownError(tls_word(error), cause=error) from error
        except TimeoutError as error:
            raise SinkDownError("timed_out", cause=error) from error
        except OSError as error:
            raise SinkDownError(reach_word(error), cause=error) from error

    def close(self) -> None:
        """Close what is kept."""
        self._pool.close()

    async def _once(self, content: bytes, lines: list[tuple[str, str]]) -> Said:
        request = self._pool.request(self._method, lines, content, seconds=self._timeout)
        async with request as answer:
            found = bytearray()
            while (chunk := await answer.read_chunk(self._timeout)) is not None:
                found += chunk
                if len(found) > _MAX_ANSWER:
                    raise SinkDownError("answer_too_large")
            if answer.status in _UNFIT:
                raise SinkRefusedError(f"answered_{answer.status}")
            if not 200 <= answer.status < 300:
                wait = self._asked_to_wait(answer.get_header("retry-after"))
                raise SinkDownError(f"answered_{answer.status}", wait=wait)
            return Said(answer.status, bytes(found), answer.get_header("remit-taken"))

    def _new_pool(self) -> Pool:
        tls = tls_of(self._settings) if self._destination.scheme == "https" else None
        return Pool(self._url, tls=tls, admits=self._admits, idle=_IDLE, resolve=self._resolve)

    async def _begin_anew(self) -> None:
        """Certificates may have been renewed: they are read again, in a thread."""
        if self._destination.scheme == "https":
            self._pool.close()
            self._pool = await asyncio.to_thread(self._new_pool)
        self._is_stale = False

    def _asked_to_wait(self, value: str | None) -> float | None:
        """Seconds, of what `Retry-After` says (RFC 9110 §10.2.3); `None` where it says nothing that we know."""
        if value is None:
            return None
        if value.isascii() and value.isdigit() and len(value) < _DIGITS:
            return float(value)
        try:
            at = parsedate_to_datetime(value)
        except ValueError:
            return None
        return at.replace(tzinfo=at.tzinfo or UTC).timestamp() - self._clock.now()

    def _admits(self, address: Address) -> bool:
        return may_be_dialled(address, self._destination, REACH)
