"""Which adapter speaks to which server of the catalog.

An adapter is made when its server is first called and kept as long as the catalog
says the same of it; when that changes, the next call gets a new one. A credential
that cannot be read refuses the call: a server is never called without the
credential it was configured with.
"""

from collections.abc import Callable
from typing import Protocol

from remit.errors import Error
from remit.gateway.rejection import UpstreamError
from remit.gateway.upstream.child import Launch
from remit.gateway.upstream.credentials import Credentials
from remit.gateway.upstream.http import Requests, StreamableHttp
from remit.gateway.upstream.port import Limits, Upstream
from remit.gateway.upstream.stdio import Stdio
from remit.ids import ServerName
from remit.model import HttpUpstream, Server, StdioUpstream
from remit.model import Upstream as Definition

__all__ = ["Roster", "Upstreams"]


class Upstreams(Protocol):
    """Where the gateway finds the servers behind it."""

    def of(self, server: Server) -> Upstream:
        """The way to `server`.

        Raises:
            UpstreamError: there is none at the moment.
        """
        ...

    async def close(self) -> None:
        """Give back every connection and process."""
        ...


class Roster:
    """The adapters in use. `requests_to` makes what carries requests to a URL; without it, connections. `resolve_secret` reads `env:NAME` or `file:PATH`."""

    def __init__(
        self,
        resolve_secret: Callable[[str], str],
        *,
        message_bytes: int = 16 * 1024 * 1024,
        sessions_per_process_server: int = 32,
        requests_to: Callable[[str], Requests] | None = None,
    ) -> None:
        self._resolve_secret = resolve_secret
        self._message_bytes = message_bytes
        self._max_sessions = sessions_per_process_server
        self._requests_to = requests_to
        self._in_use: dict[ServerName, tuple[Definition, Upstream]] = {}
        self._replaced: list[Upstream] = []

    def of(self, server: Server) -> Upstream:
        known = self._in_use.get(server.name)
        if known is not None and known[0] == server.upstream:
            return known[1]
        if known is not None:
            # Calls in flight still use it; it is closed with the rest.
            self._replaced.append(known[1])
        adapter = self._adapter(server)
        self._in_use[server.name] = (server.upstream, adapter)
        return adapter

    async def close(self) -> None:
        adapters = [*self._replaced, *(adapter for _, adapter in self._in_use.values())]
        self._replaced, self._in_use = [], {}
        for adapter in adapters:
            await adapter.close()

    def _adapter(self, server: Server) -> Upstream:
        definition = server.upstream
        limits = Limits(self._message_bytes, float(definition.timeout))
        match definition:
            case HttpUpstream():
                requests = None if self._requests_to is None else self._requests_to(definition.url)
                bearer = (
                    None
                    if definition.bearer_secret is None
                    else self._secret(definition.bearer_secret)
                )
                return StreamableHttp(
                    definition.url, bearer=bearer, limits=limits, requests=requests
                )
            case StdioUpstream():
                launch = self._launch(server.name, definition)
                return Stdio(launch, limits=limits, max_sessions=self._max_sessions)

    def _launch(self, name: ServerName, definition: StdioUpstream) -> Launch:
        secrets = {
            variable: self._secret(value)
            for variable, value in definition.environment.items()
            if value.startswith(("env:", "file:"))
        }
        return Launch(
            name=name,
            command=definition.command,
            environment={**definition.environment, **secrets},
            credentials=Credentials(tuple(secrets.values())),
            working_directory=definition.working_directory,
            line_bytes=self._message_bytes,
        )

    def _secret(self, reference: str) -> str:
        try:
            return self._resolve_secret(reference)
        except (Error, OSError, ValueError) as error:
            raise UpstreamError(
                "the gateway's credential for this server cannot be read", cause=error
            ) from error
