"""What is told to a guard when it is made, besides the snapshots that it reads."""

from dataclasses import dataclass, field

from remit.clock import Seconds
from remit.guard.account import NoPast
from remit.guard.elevations import NO_ELEVATIONS, Elevations
from remit.guard.ports import Past
from remit.guard.remote_copy import CopyGate
from remit.guard.world import Tally, Trial, no_trial, untold

__all__ = ["GuardSettings"]

_NO_PAST = NoPast()


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSettings:
    """`public_url` is where clients reach Remit: audiences are derived from it.

    `standing_max_age`: a standing older than this refuses every call, for the
    guard could no longer know who is suspended or revoked. `past` is what remembers: without it,
    whatever has to do with declared history is refused. `trial` says whose calls another bundle decides;
    `tally` is told of every call that came as far as a decision. `elevations` knows what people
    allowed beyond policies, and asks them; without it nobody is asked. `unheard`: nobody is told why policies refuse, so that
    it is not worked out how much they may know; the truth, which goes to the log, is the same.
    `log_name` is what the log is called in receipts; without it nobody is given any.
    `copy_gate` is closed while nobody else has a copy of the log that calls have to wait for.
    """

    public_url: str
    standing_max_age: Seconds = Seconds(10)
    past: Past = _NO_PAST
    trial: Trial = no_trial
    tally: Tally = untold
    unheard: bool = False
    elevations: Elevations = NO_ELEVATIONS
    log_name: str | None = None
    copy_gate: CopyGate = field(default_factory=CopyGate)
