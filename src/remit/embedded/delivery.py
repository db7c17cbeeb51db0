"""Records on their way to Remit: in order, each at least once, from the disk and from nowhere else.

What Remit has not confirmed is delivered again, after a restart, too; Remit passes by what it has. While
Remit cannot be reached they wait where they are. When more waits than may, the log is shut, and with it
the guard: a decision that will never be known centrally is one that should not be taken.
"""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from remit.audit.relayed import RELAYED_KINDS
from remit.canonical import MalformedJsonError, parse_object
from remit.embedded.local_log import LocalLog, WaitingLog
from remit.embedded.remit_door import RemitDoor
from remit.errors import Error
from remit_audit_verify.stream_files import list_segments, read_lines

__all__ = ["Delivery"]

_EVERY: Final = 0.5
_LONGEST_PAUSE: Final = 5.0
_BATCH_RECORDS: Final = 500
_BATCH_BYTES: Final = 512 * 1024
_MAX_WAITING: Final = 64 * 1024 * 1024
"""Bytes of records that Remit has not confirmed."""

_log = logging.getLogger("remit.guard")


@dataclass(slots=True)
class _Place:
    """How far the log was read: a segment's first sequence number, and the byte in it."""

    segment: int = 0
    offset: int = 0


class Delivery:
    """Delivers what `local` holds. `waiting` is shut while too much waits."""

    def __init__(
        self,
        local: LocalLog,
        waiting: WaitingLog,
        door: RemitDoor,
        *,
        max_waiting: int = _MAX_WAITING,
    ) -> None:
        self._local = local
        self._waiting = waiting
        self._door = door
        self._max_waiting = max_waiting
        self._delivered = local.delivered()
        self._place = _Place()
        self._failing = False

    async def run(self) -> None:
        """Deliver for ever. The root of a task: what fails is said once, and tried again."""
        pause = _EVERY
        while True:
            try:
                await self.deliver()
            except Exception as error:  # noqa: BLE001  the root of a task: records wait, and then the log is shut
                self._failed(error)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                self._failing, pause = False, _EVERY
            await asyncio.to_thread(self.look)
            await asyncio.sleep(pause)

    async def deliver(self) -> None:
        """Deliver all that is on the disk now.

        Raises:
            Error: Remit did not confirm it; it stays where it is.
            OSError: the disk cannot be read.
        """
        while True:
            lines, place, last = await asyncio.to_thread(self._batch)
            if lines:
                taken = await self._door.deliver(b"\n".join(lines))
                self._delivered = max(self._delivered, min(taken, last))
                await asyncio.to_thread(self._local.note_delivered, self._delivered)
            at_its_end = place == self._place
            self._place = place
            if at_its_end:
                return

    def look(self) -> None:
        """Shut the log if too much waits, and open it if not."""
        self._waiting.is_full = self._bytes_waiting() > self._max_waiting

    def _batch(self) -> tuple[list[bytes], _Place, int]:
        """The next records to deliver, where reading goes on when they are, and the last one's number."""
        lines: list[bytes] = []
        size, last = 0, self._delivered
        place = _Place(self._place.segment, self._place.offset)
        for segment, end, content in self._from(place):
            if len(lines) >= _BATCH_RECORDS or size + len(content) > _BATCH_BYTES:
                break
            place = _Place(segment, end)
            sequence, kind = _told(content)
            if kind in RELAYED_KINDS and sequence > self._delivered:
                lines.append(content)
                size += len(content) + 1
                last = sequence
        return lines, place, last

    def _from(self, place: _Place) -> Iterator[tuple[int, int, bytes]]:
        """Every whole record after `place`, with where it ends. A line still being written waits."""
        segments, _ = list_segments(self._local.stream)
        for segment in segments:
            if segment.first < place.segment:
                continue
            offset = place.offset if segment.first == place.segment else 0
            for line in read_lines(segment.path, offset):
                if not line.complete:
                    return
                yield segment.first, line.end, line.content

    def _bytes_waiting(self) -> int:
        segments, _ = list_segments(self._local.stream)
        return sum(
            segment.path.stat().st_size
            - (self._place.offset if segment.first == self._place.segment else 0)
            for segment in segments
            if segment.first >= self._place.segment
        )

    def _failed(self, error: Exception) -> None:
        if not self._failing:
            self._failing = True
            detail = error.detail if isinstance(error, Error) else type(error).__name__
            _log.error("records wait for remit: %s", detail)


def _told(content: bytes) -> tuple[int, str]:
    """Number and kind of a record; of what is none, nothing that would be delivered."""
    try:
        entry = parse_object(content)
    except MalformedJsonError:
        return 0, ""
    sequence, kind = entry.get("seq"), entry.get("kind")
    return (sequence, kind) if type(sequence) is int and isinstance(kind, str) else (0, "")
