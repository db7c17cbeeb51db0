"""How much may be kept on a caller's behalf so that two eras can meet. Beyond it, the oldest goes."""

from dataclasses import dataclass

from remit.clock import Seconds

__all__ = ["BridgeLimits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeLimits:
    """The bounds of one bridge, which is to say of one server."""

    sessions_per_principal: int = 8
    """Each call under way, or waiting for an answer of the client's, has a session to itself."""
    sessions: int = 256
    idle: Seconds = Seconds(300)
    """A session that nobody has used for so long is ended."""
    answer: Seconds = Seconds(300)
    """So long a server waits for the client's answer to its question; then its call is cancelled."""
    rounds: int = 32
    """So many questions may come up in one call; then it is cancelled."""
