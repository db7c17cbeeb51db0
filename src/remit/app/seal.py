"""No server is asked while Remit tries itself: a forbidden call that got through would otherwise be made.

Refuses every way to a server while it is closed, and counts who asked.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from remit.gateway import CallerCredentials, Roster
from remit.gateway.rejection import UpstreamError
from remit.gateway.upstream.http import Requests
from remit.gateway.upstream.port import Upstream
from remit.model import Server

__all__ = ["Seal", "SealedRoster"]


class Seal:
    """Open, unless inside `closed`."""

    __slots__ = ("asked", "is_closed")

    def __init__(self) -> None:
        self.is_closed = False
        self.asked = 0
        """How often somebody wanted to go to a server while it was closed."""

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Nothing goes to a server while inside."""
        self.is_closed, self.asked = True, 0
        try:
            yield
        finally:
            self.is_closed = False


class SealedRoster(Roster):
    """A roster in which no way leads to a server while `seal` is closed."""

    def __init__(
        self,
        resolve_secret: Callable[[str], str],
        seal: Seal,
        *,
        credentials: CallerCredentials | None = None,
        requests_to: Callable[[str], Requests | None] | None = None,
    ) -> None:
        super().__init__(resolve_secret, credentials=credentials, requests_to=requests_to)
        self._seal = seal

    def of(self, server: Server) -> Upstream:
        if self._seal.is_closed:
            self._seal.asked += 1
            raise UpstreamError("no server is asked while remit tries itself")
        return super().of(server)
