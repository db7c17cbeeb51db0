"""Syslog over TLS or TCP, each message with its length before it, so that no text in it can end it.

The protocol has no acknowledgement. What can be known is that the other machine's kernel has it: that is waited for. What
it had when a connection broke may have been lost with the process that was to read it, so what was sent in the last
seconds is sent again on the next connection; the ids tell what came twice.

Refused: plain TCP to anything but loopback; a host that does not prove who it is; addresses out of reach.

Source: RFC 5424 §6; RFC 5425 §4.3; RFC 6587 §3.4.1; tcp(7), SIOCOUTQ.
"""

import asyncio
import fcntl
import re
import ssl
import struct
import termios
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from remit.clock import rfc3339_ms
from remit.sinks.declared import DECLARED
from remit.sinks.port import BatchRules, SinkDownError, SinkSettings
from remit.sinks.receivers.lookup import Lookup
from remit.sinks.receivers.options import (
    REACH,
    SinkMisdeclaredError,
    check_options,
    reach_word,
    seconds,
    tls_of,
    tls_word,
    whole,
)
from remit.sinks.shipment import Shipment
from remit.web.reach import Address, Destination, may_be_dialled

__all__ = ["SyslogSink", "frame_of"]

_OPTIONS: Final = DECLARED["syslog"].options
_SCHEMES: Final = {"tls": 6514, "syslog+tls": 6514, "tcp": 601, "syslog+tcp": 601}
_TIMEOUT: Final = 15.0
_RESEND: Final = 10.0
_KEPT: Final = 8 * 1024 * 1024
_LOG_AUDIT: Final = 13
_LONGEST: Final = 8_192 - 512
"""Bytes of the content: receivers should take 8,192 in all (RFC 5425 §4.3.1)."""
_EXAMPLE: Final = "32473"
"""The enterprise number for documentation (RFC 5612); one's own is an option."""
_PAUSES: Final = (0.0, 0.001, 0.005, 0.02, 0.05)
_PRINTABLE: Final = re.compile(r"[^\x21-\x7e]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """What went out together, and when."""

    at: float
    content: bytes


class SyslogSink:
    """The host at a URL such as `tls://logs.example:6514`. Implements `AuditSink`."""

    def __init__(self, settings: SinkSettings) -> None:
        check_options(settings, _OPTIONS)
        self._settings = settings
        self._destination = _destination(settings)
        self._tls = self._read_tls()
        self._lookup = Lookup()
        self._is_stale = False
        self._timeout = seconds(settings, "timeout", _TIMEOUT)
        self._resend = seconds(settings, "resend", _RESEND)
        self._longest = whole(settings, "longest", _LONGEST, least=1_536, most=1_000_000)
        facility = whole(settings, "facility", _LOG_AUDIT, least=0, most=23)
        enterprise = settings.options.get("enterprise", _EXAMPLE)
        host = settings.options.get("host_name", "")
        self._head = _Head(facility=facility, enterprise=enterprise, host=_name(host, 255))
        self._stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._sent: deque[_Sent] = deque()

    @property
    def batch(self) -> BatchRules:
        return BatchRules(records=1_000, longest=self._longest)

    async def send(self, shipments: Sequence[Shipment]) -> None:
        content = b"".join(frame_of(one, self._head) for one in shipments)
        try:
            async with asyncio.timeout(self._timeout):
                fresh = await self._connected()
                await self._write(b"".join([*fresh, content]))
        except ssl.SSLError as error:
            raise await self._broken(tls_word(error), error) from error
        except TimeoutError as error:
            raise await self._broken("timed_out", error) from error
        except OSError as error:
            raise await self._broken(reach_word(error), error) from error
        except asyncio.CancelledError:
            self._abort()
            raise
        self._keep(content)

    async def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream[1].close()
            with suppress(OSError, ssl.SSLError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await stream[1].wait_closed()

    async def _connected(self) -> list[bytes]:
        """A connection is there; what has to be sent again over it, because it is a new one."""
        if self._stream is not None and not self._is_over(self._stream):
            return []
        self._abort()
        self._stream = await self._opened()
        self._forget()
        return [one.content for one in self._sent]

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        destination = self._destination
        refused: OSError | None = None
        if self._is_stale:
            # Certificates may have been renewed.
            self._tls = await asyncio.to_thread(self._read_tls)
            self._is_stale = False
        for address in await self._addresses():
            try:
                return await asyncio.open_connection(
                    address,
                    destination.port,
                    ssl=self._tls,
                    server_hostname=destination.host if self._tls is not None else None,
                )
            except OSError as error:
                refused = error
        raise refused or OSError("the host has no address")

    async def _addresses(self) -> list[str]:
        """Where it may be reached: if one of its addresses is out of reach, nowhere."""
        addresses = await self._lookup(self._destination.host, self._destination.port)
        if not all(self._admits(one) for one in addresses):
            raise OSError("the host has an address that is out of reach")
        return [str(one) for one in addresses]

    def _admits(self, address: Address) -> bool:
        return may_be_dialled(address, self._destination, REACH)

    async def _write(self, content: bytes) -> None:
        """Return when the other side's kernel has it."""
        assert self._stream is not None  # noqa: S101  whoever calls made it so
        reader, writer = self._stream
        writer.transport.set_write_buffer_limits(0)
        writer.write(content)
        await writer.drain()
        attempt = 0
        while _unacknowledged(writer):
            await asyncio.sleep(_PAUSES[min(attempt, len(_PAUSES) - 1)])
            attempt += 1
        # Attack: whoever answers on that port closes at once. What it never read is not delivered.
        await asyncio.sleep(0)
        if reader.at_eof() or writer.is_closing():
            raise ConnectionResetError("the host closed the connection")

    def _is_over(self, stream: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> bool:
        return stream[0].at_eof() or stream[1].is_closing()

    def _keep(self, content: bytes) -> None:
        self._sent.append(_Sent(at=time.monotonic(), content=content))
        self._forget()

    def _forget(self) -> None:
        """Keep no more than is sent again."""
        oldest = time.monotonic() - self._resend
        size = sum(len(one.content) for one in self._sent)
        while self._sent and (self._sent[0].at < oldest or size > _KEPT):
            size -= len(self._sent.popleft().content)

    def _abort(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream[1].transport.abort()

    def _read_tls(self) -> ssl.SSLContext | None:
        return tls_of(self._settings) if self._destination.scheme == "https" else None

    async def _broken(self, word: str, error: Exception) -> SinkDownError:
        self._abort()
        self._is_stale = True
        return SinkDownError(word, cause=error)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """What stands before every message."""

    facility: int
    enterprise: str
    host: str


def frame_of(one: Shipment, head: _Head) -> bytes:
    """One message with its length before it. A line break in the content would be content, and there is none."""
    structured = (
        f'[remit@{head.enterprise} id="{_parameter(one.id)}" leaf="{one.leaf}"'
        f' log="{_parameter(one.log)}" seq="{one.sequence}"]'
    )
    header = (
        f"<{head.facility * 8 + one.severity}>1 {rfc3339_ms(one.milliseconds)} {head.host}"
        f" remit - {_name(one.kind, 32)} {structured} "
    )
    # With a BOM the content is known to be UTF-8 (RFC 5424 §6.4).
    message = header.encode("ascii", errors="replace") + b"\xef\xbb\xbf" + one.content
    return b"%d %s" % (len(message), message)


def _name(value: str, longest: int) -> str:
    """As the fields of the header may be."""
    return _PRINTABLE.sub("_", value)[:longest] or "-"


def _parameter(value: str) -> str:
    """As the values of structured data may be (RFC 5424 §6.3.3)."""
    escaped = re.sub(r'(["\\\]])', r"\\\1", value)
    return re.sub(r"[^\x20-\x7e]", "_", escaped)


def _unacknowledged(writer: asyncio.StreamWriter) -> int:
    """Bytes that wait in this process, or in our kernel for the other's to say that it has them."""
    waiting = writer.transport.get_write_buffer_size()
    socket = writer.get_extra_info("socket")
    if waiting or socket is None:
        return int(waiting)
    try:
        answer = fcntl.ioctl(socket.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
    except OSError:
        return 0  # no such question on this system: then what was handed over counts
    return int(struct.unpack("i", answer)[0])


def _destination(settings: SinkSettings) -> Destination:
    parts = urlsplit(settings.url)
    host = parts.hostname or ""
    try:
        port = parts.port
    except ValueError:
        host, port = "", None
    if parts.scheme not in _SCHEMES or not host or parts.path not in {"", "/"}:
        raise SinkMisdeclaredError(
            f"the URL of the sink `{settings.name}` is not like `tls://host:6514`"
        )
    return Destination(
        scheme="https" if parts.scheme.endswith("tls") else "http",
        host=host,
        port=port or _SCHEMES[parts.scheme],
        target="/",
    )
