"""What becomes of the log itself: who reads, copies, holds, erases and prunes it, and what it noticed of itself. Re-exported by `audit.events`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from remit.audit.event import Durability, Event
from remit.canonical import Json

__all__ = [
    "AuditErased",
    "AuditExported",
    "AuditGapFound",
    "AuditPruned",
    "ClockJumped",
    "HoldLiftRequested",
    "HoldLifted",
    "HoldRequested",
    "HoldSet",
    "LogKeyChanged",
    "LogsJoined",
    "SignerLost",
    "SignerRecovered",
    "SinkLagging",
    "SinkRecovered",
    "SinkReset",
    "SinkTested",
    "WitnessLost",
    "WitnessRecovered",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditExported(Event):
    """Records left Remit in a file or report. `digest` is the SHA-256 of what was handed out, where it is known."""

    kind: ClassVar[str] = "audit.exported"
    form: str
    query: Mapping[str, Json]
    records: int
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditErased(Event):
    """The keys of what was sealed about somebody are destroyed; what they sealed nobody opens again.

    `subject_digest` is keyed, `*` where it is about everybody whose time was over; `keys` is how many there were; `basis` is why, in the words of who asked.
    """

    kind: ClassVar[str] = "audit.erased"
    subject_digest: str
    keys: int
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPruned(Event):
    """Records of `log` before `size` were removed, as their retention is over; their hashes stay. In the database they were in no `files`."""

    kind: ClassVar[str] = "audit.pruned"
    log: str
    size: int
    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRequested(Event):
    """Somebody wants to keep what is about `subject_digest` (`None`: about anybody of the tenant)."""

    kind: ClassVar[str] = "hold.requested"
    hold: str
    reason: str
    subject_digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldSet(Event):
    """A second person agreed: nothing it covers is erased or pruned."""

    kind: ClassVar[str] = "hold.set"
    hold: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldLiftRequested(Event):
    kind: ClassVar[str] = "hold.lift_requested"
    hold: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldLifted(Event):
    """A second person agreed to that, too."""

    kind: ClassVar[str] = "hold.lifted"
    hold: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkLagging(Event):
    """`sink` has not taken what it should have; it is all kept for it. `behind` counts records of `log`."""

    kind: ClassVar[str] = "sink.lagging"
    durability: ClassVar[Durability] = Durability.SOON
    sink: str
    log: str
    behind: int
    seconds: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkRecovered(Event):
    kind: ClassVar[str] = "sink.recovered"
    durability: ClassVar[Durability] = Durability.SOON
    sink: str
    log: str
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkReset(Event):
    """Somebody had `sink` go on from another record of `log`. Those it is taken past it never gets."""

    kind: ClassVar[str] = "sink.reset"
    sink: str
    log: str
    before: int
    after: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkTested(Event):
    """Somebody tried whether `sink` takes a record: this one."""

    kind: ClassVar[str] = "sink.tested"
    durability: ClassVar[Durability] = Durability.ANSWER
    sink: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditGapFound(Event):
    """`sink` never gets these records of `log`: they were pruned before it took them, or it does not take them as they are."""

    kind: ClassVar[str] = "audit.gap"
    sink: str
    log: str
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockJumped(Event):
    """The clock went so much further than time did. The order of records is their number, and not their time."""

    kind: ClassVar[str] = "clock.jumped"
    durability: ClassVar[Durability] = Durability.SOON
    reserved: ClassVar[bool] = True
    milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKeyChanged(Event):
    """Checkpoints that cover this record are signed by another key; the first of them by both. Verifier keys, as text."""

    kind: ClassVar[str] = "audit.key_changed"
    former: str
    verifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerLost(Event):
    """Nobody signs checkpoints; `unsigned` records wait for one."""

    kind: ClassVar[str] = "signer.lost"
    durability: ClassVar[Durability] = Durability.SOON
    reserved: ClassVar[bool] = True
    unsigned: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerRecovered(Event):
    kind: ClassVar[str] = "signer.recovered"
    durability: ClassVar[Durability] = Durability.SOON
    reserved: ClassVar[bool] = True
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessLost(Event):
    """`witness` does not cosign, or says that the log is another than it saw: then `error` says so."""

    kind: ClassVar[str] = "witness.lost"
    durability: ClassVar[Durability] = Durability.SOON
    witness: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessRecovered(Event):
    kind: ClassVar[str] = "witness.recovered"
    durability: ClassVar[Durability] = Durability.SOON
    witness: str
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsJoined(Event):
    """How far each log of the installation has come: `log`, `size` and `root` (hexadecimal) of each."""

    kind: ClassVar[str] = "logs.joined"
    logs: tuple[Mapping[str, Json], ...]
