"""What an adapter is made with: the secrets that a server's definition names, read and checked.

Refused: a secret that cannot be read, and one that is no value of a header (a line break in it would
begin another header). A server is never called without what it was configured with.

Source: RFC 9110 §5.5; RFC 6750 §2.1.
"""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from remit.errors import Error
from remit.gateway.rejection import UpstreamError
from remit.gateway.upstream.child import Launch
from remit.gateway.upstream.credentials import Credentials
from remit.gateway.upstream.port import NOTHING_PRESENTED, Presented
from remit.gateway.upstream.process_limits import ProcessLimits
from remit.ids import ServerName
from remit.model import HttpUpstream, SecretCredential, StdioUpstream
from remit.model import Upstream as Definition

__all__ = ["ReadSecret", "Versioned", "bearer", "launch_of", "presented_by", "secrets_of"]

ReadSecret = Callable[[str], str]
"""The secret that `env:NAME`, `file:PATH` or `stored:NAME` names."""


@runtime_checkable
class Versioned(Protocol):
    """Secrets that may change while they are in use: `version` is then another number."""

    @property
    def version(self) -> int: ...


_REFERENCES = ("env:", "file:", "stored:")


def secrets_of(definition: Definition, read: ReadSecret) -> tuple[str, ...]:
    """Every secret that `definition` names, as it is now: what an adapter depends on besides the catalog.

    Raises:
        UpstreamError: one cannot be read.
    """
    if isinstance(definition, HttpUpstream):
        credential = definition.presents
        if not isinstance(credential, SecretCredential):
            return ()
        return (_secret(credential.secret, read),)
    return tuple(
        _secret(value, read)
        for value in definition.environment.values()
        if value.startswith(_REFERENCES)
    )


def presented_by(definition: HttpUpstream, read: ReadSecret) -> Presented:
    """What goes up with every message to that server, whoever calls.

    Raises:
        UpstreamError: it cannot be read, or is no value of a header.
    """
    credential = definition.presents
    if not isinstance(credential, SecretCredential):
        return NOTHING_PRESENTED
    secret = _secret(credential.secret, read)
    value = f"{credential.scheme} {secret}" if credential.scheme else secret
    return Presented(headers=((credential.header, _fit(value)),), secrets=(secret,))


def bearer(token: str) -> Presented:
    """`token` as a bearer token of one caller.

    Raises:
        UpstreamError: it is no value of a header.
    """
    return Presented(headers=(("authorization", _fit(f"Bearer {token}")),), secrets=(token,))


def launch_of(
    name: ServerName, definition: StdioUpstream, read: ReadSecret, *, line_bytes: int
) -> Launch:
    """How that server is started.

    Raises:
        UpstreamError: a secret for its environment cannot be read.
    """
    secrets = {
        variable: _secret(value, read)
        for variable, value in definition.environment.items()
        if value.startswith(_REFERENCES)
    }
    return Launch(
        name=name,
        command=definition.command,
        environment={**definition.environment, **secrets},
        inherit=definition.inherit,
        credentials=Credentials(tuple(secrets.values())),
        working_directory=definition.working_directory,
        line_bytes=line_bytes,
        limits=ProcessLimits(
            memory_bytes=definition.max_memory_bytes,
            cpu_seconds=definition.max_cpu_seconds,
            open_files=definition.max_open_files,
            processes=definition.max_processes,
        ),
    )


def _secret(reference: str, read: ReadSecret) -> str:
    try:
        return read(reference)
    except (Error, OSError, ValueError) as error:
        raise UpstreamError(
            "the gateway's credential for this server cannot be read", cause=error
        ) from error


def _fit(value: str) -> str:
    if not value.isascii() or not value.isprintable() or value != value.strip():
        # The value is not named: it is the secret.
        raise UpstreamError("the gateway's credential for this server is no value of a header")
    return value
