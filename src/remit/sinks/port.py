"""Who takes copies of records, as this room sees them: a plug-in implements `AuditSink`, and its factory gets `SinkSettings`.

A sink says of a number of records that it has them all, or it raises. It is asked again with the same records, and those
after them, until it has them; so it may get one twice, and knows it by its `id`. It never sees a record of a log before
an earlier one of that log.

`remit.testing.audit_sink.AuditSinkContract` is what an implementation has to do, as tests.

Source: docs/guides/sinks.md; AUDIT §1.5.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar, Protocol

from remit.clock import Clock, SystemClock
from remit.errors import Error
from remit.sinks.forms.form import Form
from remit.sinks.shipment import Shipment

__all__ = ["AuditSink", "BatchRules", "SinkDownError", "SinkRefusedError", "SinkSettings"]


class SinkDownError(Error):
    """The receiver did not say that it has them. `detail` is a word for logs: `timed_out`, `answered_500`, `tls_failed`."""

    code: ClassVar[str] = "sink_down"

    def __init__(
        self, detail: str, *, cause: BaseException | None = None, wait: float | None = None
    ) -> None:
        super().__init__(detail, cause=cause)
        self.wait = wait
        """Seconds that the receiver asks to be left alone for, if it says so."""


class SinkRefusedError(Error):
    """The receiver is there and does not take one of these records as they are, now or ever."""

    code: ClassVar[str] = "sink_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRules:
    """How much goes out at once, and for how long more of it is waited for."""

    records: int = 500
    content: int = 1_000_000
    """Bytes of all records together. One alone may be longer."""
    longest: int = 1_000_000
    """Bytes of one record; of a longer one the largest fields are left out, and say so."""
    wait: float = 0.0
    """Seconds for which fewer are kept back until there are as many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkSettings:
    """What the policy repository says of a sink. `options` are texts, whose meaning is the sink's."""

    name: str
    url: str
    form: Form
    read_secret: Callable[[], str | None] = field(repr=False)
    """The secret as it is now; `None` where none is declared. Raises `Error` when it cannot be had."""
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    clock: Clock = field(default_factory=SystemClock)


class AuditSink(Protocol):
    """One receiver. Used by one task at a time."""

    @property
    def batch(self) -> BatchRules:
        """What it takes at once; the same for as long as it is open."""
        ...

    async def send(self, shipments: Sequence[Shipment]) -> None:
        """Return when the receiver has all of them. They are of one log, in order; there is at least one.

        Whoever waits may be cancelled, and then nothing goes on. Whether they arrived is unknown when it raises.

        Raises:
            SinkDownError: not now; the same will be tried again.
            SinkRefusedError: it will never take one of these as it is.
        """
        ...

    async def close(self) -> None:
        """Give up what is open."""
        ...
