"""What an operator may choose about the gateway."""

from dataclasses import dataclass

from remit.clock import Seconds
from remit.web.site import IpNetwork

__all__ = ["GatewaySettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """`public_url` is where clients reach Remit; resource identifiers are derived from it.

    `allowed_hosts` are `Host` values accepted besides that of `public_url`, whole, with
    their port. `allowed_origins` are the pages that may call the gateway from a browser.
    """

    public_url: str
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[IpNetwork, ...] = ()
    max_request_bytes: int = 4 * 1024 * 1024
    """One message of a server's: a whole answer, one event, or one line."""
    max_calls: int = 1024
    """Requests in flight in this process; beyond, 503."""
    body_deadline: Seconds = Seconds(15)
    """The whole body of a request is there by then, or it is refused."""
    call_lifetime: Seconds = Seconds(600)
    """One call, streamed or not, ends after this at the latest."""
    keep_alive: Seconds = Seconds(15)
    """A silent stream gets a comment this often."""
    recheck: Seconds = Seconds(5)
    """How often the token behind an open stream of a session is verified again."""
    max_sessions: int = 10_000
    max_sessions_per_principal: int = 16
    """A new one then takes the place of the one used longest ago."""
    session_idle: Seconds = Seconds(1800)
    sweep: Seconds = Seconds(15)
    """How often idle sessions are looked for."""
    hold: float = 25.0
    """For how many seconds a retry is held open until people have answered: less than clients wait for an answer."""
    look: float = 1.0
    """How often, in seconds, it is looked whether they have, while anybody waits."""
    drain: Seconds = Seconds(20)
    """How long calls in flight may go on once the process is told to stop."""
