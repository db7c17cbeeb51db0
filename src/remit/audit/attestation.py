"""When checkpoints are signed, and for how long nobody has signed one.

At most one interval after the log has grown it is tried. A signer that does not sign is asked less and less often, for
the log waits while it is asked; that it is lost is told once, and once that it is back. What has been unsigned for longer
than the limit says is no evidence that should grow: from then on only what takes rights away is recorded.

Source: AUDIT §1.4; docs/adr/0026-audit-trail.md.
"""

import time
from dataclasses import dataclass
from typing import Final

from remit.audit.events import Event, SignerLost, SignerRecovered
from remit.audit.log_stream import LogStream
from remit.audit.signing import LogSetBackError, SignerUnavailableError
from remit.audit.waiting import Answer
from remit.clock import Clock

__all__ = ["Attestation"]

_INTERVAL: Final = 1.0
_LONGEST: Final = 10.0
_LAST: Final = 7.0
_LOOK: Final = 0.05


@dataclass(slots=True)
class Attestation:
    """Of one stream, by its writer. `limit` is in seconds; `None` is none."""

    stream: LogStream
    clock: Clock
    limit: float | None = None
    _tried: float = 0.0
    _pause: float = _INTERVAL
    _lost: float | None = None
    _error: str = ""
    _told: bool = False
    _away: int | None = None

    def __post_init__(self) -> None:
        self._tried = self.clock.monotonic()

    def is_due(self) -> bool:
        """Whether it is time to sign."""
        if self.stream.size == self.stream.checkpointed:
            return False
        return self._tried + self._pause <= self.clock.monotonic()

    def sign(self) -> Answer:
        """Sign what is there: the checkpoint, or what is in the way of it."""
        self._tried = self.clock.monotonic()
        try:
            checkpoint: Answer = self.stream.checkpoint() or []
        except SignerUnavailableError as error:
            self._lose(error)
            return OSError(error.detail)
        except OSError as error:
            return error
        if self._lost is not None and self._told:
            self._away = int(self._tried - self._lost)
        self._pause, self._lost, self._told = _INTERVAL, None, False
        return checkpoint

    def sign_last(self) -> None:
        """Sign what is there, as nobody will come back to it: a signer that is slow, or begins anew, is waited for.

        Raises:
            OSError: the disk refuses it.
            SignerUnavailableError: nobody signed within `_LAST` seconds, or nobody ever will.
        """
        until = self.clock.monotonic() + _LAST
        while True:
            try:
                self.stream.checkpoint()
            except LogSetBackError:
                raise
            except SignerUnavailableError:
                if self.clock.monotonic() >= until:
                    raise
                time.sleep(_LOOK)
            else:
                return

    def news(self) -> Event | None:
        """What there is to tell of the signer since the last time; asked after each try."""
        if self._lost is not None and not self._told:
            self._told = True
            unsigned = self.stream.size - self.stream.checkpointed
            return SignerLost(unsigned=unsigned, error=self._error)
        away, self._away = self._away, None
        return None if away is None else SignerRecovered(seconds=away)

    def unsigned_for(self) -> float:
        """For how many seconds nobody has signed what was handed in; 0 while somebody does."""
        return 0.0 if self._lost is None else self.clock.monotonic() - self._lost

    def is_overdue(self) -> bool:
        """Whether that is longer than the limit."""
        return self.limit is not None and self.unsigned_for() > self.limit

    def _lose(self, error: SignerUnavailableError) -> None:
        self._error = error.detail
        if self._lost is None:
            self._lost = self._tried
        self._pause = min(2 * self._pause, _LONGEST)
