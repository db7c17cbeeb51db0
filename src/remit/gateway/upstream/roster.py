"""Which adapter speaks to which server of the catalog, across a bridge between the eras.

An adapter is made when its server is first called and kept as long as the catalog
says the same of it and the secrets it names are the same; when that changes, the next
call gets a new one. A credential that cannot be read refuses the call: a server is never
called without the credential it was configured with.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from remit.clock import Clock, SystemClock
from remit.gateway.bridge import Bridge, BridgeLimits
from remit.gateway.upstream.equipment import (
    ReadSecret,
    Versioned,
    launch_of,
    presented_by,
    secrets_of,
)
from remit.gateway.upstream.http import Requests, StreamableHttp
from remit.gateway.upstream.port import Limits, Upstream
from remit.gateway.upstream.presented import (
    CallerCredentials,
    NoCallerCredentials,
    PresentingUpstream,
    needs_caller,
)
from remit.gateway.upstream.stdio import Stdio
from remit.ids import ServerName
from remit.model import HttpUpstream, Server, StdioUpstream, ThirdParty
from remit.model import Upstream as Definition
from remit.tokens.access_token import AccessToken

__all__ = ["Roster", "Upstreams"]

_Said = tuple[Definition, int | None, ThirdParty | None]
"""What the catalog said of a server when its adapter was made."""


@dataclass(slots=True)
class _InUse:
    """One adapter, and what it was made with. `version` of the stored secrets is the last it was held against."""

    said: _Said
    secrets: tuple[str, ...]
    version: int
    adapter: Upstream
    bridge: Bridge


class Upstreams(Protocol):
    """Where the gateway finds the servers behind it."""

    def of(self, server: Server) -> Upstream:
        """The way to `server`.

        Raises:
            UpstreamError: there is none at the moment.
        """
        ...

    def end_unbacked(self, backs: Callable[[AccessToken], bool]) -> None:
        """End what is kept with servers on behalf of whoever may act no more."""
        ...

    def sweep(self) -> None:
        """End what has been idle with servers for too long."""
        ...

    async def close(self) -> None:
        """Give back every connection and process."""
        ...


class Roster:
    """The adapters in use. `requests_to` makes what carries requests to a URL; without it, connections. `resolve_secret` reads what a reference names.

    Where that has a version, a secret that changes is used from the next call on. `credentials` are
    those of callers.
    """

    def __init__(
        self,
        resolve_secret: ReadSecret,
        *,
        credentials: CallerCredentials | None = None,
        message_bytes: int = 16 * 1024 * 1024,
        sessions_per_process_server: int = 32,
        requests_to: Callable[[str], Requests | None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._resolve_secret = resolve_secret
        source: object = resolve_secret
        self._versioned = source if isinstance(source, Versioned) else None
        self._credentials = credentials or NoCallerCredentials()
        self._message_bytes = message_bytes
        self._max_sessions = sessions_per_process_server
        self._requests_to = requests_to
        self._clock = clock or SystemClock()
        self._in_use: dict[ServerName, _InUse] = {}
        self._replaced: list[Bridge] = []

    def of(self, server: Server) -> Upstream:
        known = self._in_use.get(server.name)
        said = (server.upstream, server.max_response_bytes, server.connection)
        version = 0 if self._versioned is None else self._versioned.version
        if known is not None and known.said == said and known.version == version:
            return known.bridge
        secrets = secrets_of(server.upstream, self._resolve_secret)
        if known is not None and known.said == said and known.secrets == secrets:
            known.version = version
            return known.bridge
        adapter = self._adapter(server)
        bridge = self._bridged(server, adapter)
        if known is not None:
            # Calls in flight still use it; it is closed with the rest.
            self._replaced.append(known.bridge)
            known.bridge.retire()
            if isinstance(known.adapter, Stdio):
                known.adapter.retire()
        self._in_use[server.name] = _InUse(said, secrets, version, adapter, bridge)
        return bridge

    def end_unbacked(self, backs: Callable[[AccessToken], bool]) -> None:
        for bridge in self._all():
            bridge.end_unbacked(backs)

    def sweep(self) -> None:
        for bridge in self._all():
            bridge.sweep()

    async def close(self) -> None:
        bridges = self._all()
        self._replaced, self._in_use = [], {}
        for bridge in bridges:
            await bridge.close()

    def _all(self) -> tuple[Bridge, ...]:
        return (*self._replaced, *(one.bridge for one in self._in_use.values()))

    def _bridged(self, server: Server, adapter: Upstream) -> Bridge:
        limits = BridgeLimits()
        if isinstance(server.upstream, StdioUpstream):
            # Each session is a process there; half of them are left to callers who have sessions of their own.
            limits = BridgeLimits(sessions=max(1, self._max_sessions // 2))
        return Bridge(adapter, clock=self._clock, limits=limits)

    def _adapter(self, server: Server) -> Upstream:
        definition = server.upstream
        message_bytes = self._message_bytes
        if server.max_response_bytes is not None:
            message_bytes = server.max_response_bytes
        limits = Limits(message_bytes, float(definition.timeout))
        match definition:
            case HttpUpstream():
                adapter = StreamableHttp(
                    definition.url,
                    presented=presented_by(definition, self._resolve_secret),
                    limits=limits,
                    requests=None
                    if self._requests_to is None
                    else self._requests_to(definition.url),
                )
                if needs_caller(server):
                    return PresentingUpstream(adapter, server, self._credentials)
                return adapter
            case StdioUpstream():
                launch = launch_of(
                    server.name, definition, self._resolve_secret, line_bytes=self._message_bytes
                )
                return Stdio(launch, limits=limits, max_sessions=self._max_sessions)
