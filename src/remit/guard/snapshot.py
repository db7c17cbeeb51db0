"""What a guard inside a server needs to decide by itself: that server's part of all there is.

It holds the catalog as far as that server is concerned, the policies that can matter to it, who may not
act, what is quarantined, the public keys of tokens. It names no secret of Remit's, no other server, no
client. `version` is the SHA-256 of the bytes that travel, so that equal snapshots have equal names.

Source: docs/adr/0017-guard-in-process.md.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from remit.canonical import MalformedJsonError, canonical_bytes, parse_json
from remit.clock import Seconds
from remit.guard.codec import UnreadableError, from_json, to_json
from remit.guard.definitions import ThingKey
from remit.guard.ports import Standing
from remit.ids import ServerName
from remit.model import Catalog

__all__ = ["WITHHELD", "PublicKey", "Snapshot", "read_snapshot", "snapshot_bytes", "version_of"]

WITHHELD: Final = "withheld"
"""Stands for the name of a secret that Remit keeps: who reads it knows that there is one, and has none."""
_MAX_VALUES: Final = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """One P-256 key that verifies tokens and statements; `kid` is its thumbprint."""

    kid: str
    x: str
    y: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All that one server's guard decides by.

    `policies` are texts that Remit has checked; `policy_version` is that of the whole repository, as
    in every other record. `standing.as_of` is left at 0: the statement says how old it is.
    `redaction_key`, in hexadecimal, is this server's own: its pseudonyms match nothing else in the log.
    So is `seal_key`: with it nothing opens but what guards of this server sealed.
    Without one they seal nothing.
    `lease` is how long it may be relied on after Remit was last heard.
    """

    server: ServerName
    issuer: str
    public_url: str
    catalog: Catalog
    policies: tuple[str, ...]
    policy_version: str
    standing: Standing
    quarantined: frozenset[ThingKey]
    keys: tuple[PublicKey, ...]
    redaction_key: str
    lease: Seconds
    seal_key: str = ""
    schemas: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The admitted `inputSchema`, as JSON, of each tool whose schema says what the log may keep."""


def snapshot_bytes(snapshot: Snapshot) -> bytes:
    """`snapshot` as it travels."""
    return canonical_bytes(to_json(snapshot))


def version_of(content: bytes) -> str:
    """The name of the snapshot whose bytes are `content`."""
    return hashlib.sha256(content).hexdigest()


def read_snapshot(content: bytes) -> Snapshot:
    """The snapshot whose bytes are `content`; to be called when they are known to be Remit's.

    Raises:
        UnreadableError: they are none, or one of a version of Remit that knows more.
    """
    try:
        value = parse_json(content, max_values=_MAX_VALUES)
    except MalformedJsonError as error:
        raise UnreadableError("the snapshot is not strict JSON", cause=error) from error
    return from_json(Snapshot, value)
