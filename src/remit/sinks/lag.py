"""How far behind a sink is: how many records of a log it has not taken, and how long the oldest of them has been there."""

from dataclasses import dataclass

from remit.audit.source import RecordSource
from remit.errors import NotFoundError
from remit.sinks.cursor_store import Cursor
from remit.sinks.loading import observed_ms

__all__ = ["Lag", "lag_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """`reached` is the number of the first record not taken; `size`, how many the log has."""

    sink: str
    log: str
    reached: int
    size: int
    oldest_ms: int | None
    """When the oldest of them came into the log; `None` while there is none."""
    seconds: float
    is_set_back: bool = False
    """Whether the log has fewer records than were taken of it: it is not the log that it was."""

    @property
    def behind(self) -> int:
        return max(0, self.size - self.reached)


def lag_of(
    source: RecordSource, cursor: Cursor, *, reached: int, now_ms: int, before: Lag | None
) -> Lag:
    """How far behind it is now; `before` is what was found last. Blocks.

    Raises:
        OSError: the log cannot be read.
    """
    try:
        _, size = source.bounds(cursor.log)
    except NotFoundError:
        # It is not to be seen from here, or gone: what it had is not known.
        size = reached
    oldest = None
    if size > reached:
        if before is not None and before.reached == reached:
            oldest = before.oldest_ms
        if oldest is None:
            oldest = observed_ms(source, cursor.log, reached)
    since = cursor.moved_at * 1_000 if size < reached else oldest
    return Lag(
        sink=cursor.sink,
        log=cursor.log,
        reached=reached,
        size=size,
        oldest_ms=oldest,
        seconds=0.0 if since is None else max(0.0, (now_ms - since) / 1_000),
        is_set_back=size < reached,
    )
