"""Which secrets a catalog names (`env:NAME`, `file:PATH`, `stored:NAME`), and who needs each.

Only names: what they stand for is read by whoever uses it, when it is used.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from remit.model import Catalog, HttpUpstream, SecretCredential, Server

__all__ = ["NamedSecret", "named_secrets"]


@dataclass(frozen=True, slots=True)
class NamedSecret:
    """`holder` is who cannot work without `reference`."""

    reference: str
    holder: str


def named_secrets(catalog: Catalog) -> Iterator[NamedSecret]:
    """Every secret that `catalog` names: of servers first, then of clients, of identity providers, of engines, of notifiers, of sinks."""
    for server in catalog.servers.values():
        yield from _of_server(server)
    for agent in catalog.agents.values():
        for client in agent.clients.static:
            if client.secret is not None:
                yield NamedSecret(client.secret, f"client {client.client_id}")
    for provider in catalog.sign_in.providers.values():
        if provider.secret is not None:
            yield NamedSecret(provider.secret, f"identity provider {provider.name}")
    for engine in catalog.engines.values():
        if engine.secret is not None:
            yield NamedSecret(engine.secret, f"policy engine {engine.name}")
    for notifier in catalog.approvals.notifiers.values():
        if notifier.secret is not None:
            yield NamedSecret(notifier.secret, f"notifier {notifier.name}")
    for sink in catalog.audit.sinks.values():
        if sink.secret is not None:
            yield NamedSecret(sink.secret, f"sink {sink.name}")


def _of_server(server: Server) -> Iterator[NamedSecret]:
    upstream, holder = server.upstream, f"server {server.name}"
    if isinstance(upstream, HttpUpstream):
        if isinstance(upstream.presents, SecretCredential):
            yield NamedSecret(upstream.presents.secret, holder)
    else:
        for value in upstream.environment.values():
            if value.startswith(("env:", "file:", "stored:")):
                yield NamedSecret(value, holder)
    if server.introspection_secret is not None:
        yield NamedSecret(server.introspection_secret, f"introspection by {holder}")
    if server.guard_secret is not None:
        yield NamedSecret(server.guard_secret, f"guard inside {holder}")
    if server.connection is not None and server.connection.secret is not None:
        yield NamedSecret(server.connection.secret, f"connection of {holder}")
