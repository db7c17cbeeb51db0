"""What an operator may choose about enforcement."""

from dataclasses import dataclass

from remit.clock import Seconds

__all__ = ["GuardSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSettings:
    """`public_url` is where clients reach Remit: audiences are derived from it.

    `standing_max_age`: a standing older than this refuses every call, for the
    guard could no longer know who is suspended or revoked.
    """

    public_url: str
    standing_max_age: Seconds = Seconds(10)
