"""Identifiers and secrets: how they are made, and how a secret is kept.

An id is a prefix that names its kind and 26 characters that sort by time. A
secret is 256 random bits; Remit keeps only its SHA-256 digest, which is enough
for a value that nobody can guess (RFC 6749 §10.10).
"""

import hashlib
import hmac
import os
import secrets
import time
from base64 import urlsafe_b64encode
from typing import NewType

__all__ = [
    "AgentId",
    "ClientId",
    "GrantId",
    "IdSource",
    "ScopeName",
    "ServerName",
    "TenantId",
    "UserId",
    "digest",
    "matches_digest",
    "new_id",
    "new_secret",
]

TenantId = NewType("TenantId", str)
"""The name of a tenant in `remit.yaml`; also the `organization_id` claim."""
AgentId = NewType("AgentId", str)
"""The name of an agent: the stem of its file in `agents/`."""
ServerName = NewType("ServerName", str)
"""The name of an MCP server: the stem of its file in `servers/`, and its path segment."""
ScopeName = NewType("ScopeName", str)
"""A scope as it stands in a token, every placeholder filled."""
UserId = NewType("UserId", str)
ClientId = NewType("ClientId", str)
GrantId = NewType("GrantId", str)

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
# Two characters, ten bits, at a time.
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_SHIFTS = range(120, -1, -10)
_RANDOM_BITS = 82
_RANDOM_BYTES = 11
_AT_ONCE = 64


def new_id(prefix: str) -> str:
    """`prefix_` and 26 characters: 48 bits of milliseconds, then 82 random bits; sorts by time."""
    return _id(prefix, secrets.randbits(_RANDOM_BITS))


class IdSource:
    """Makes ids as `new_id` does, and asks the system for the random bits of many at once.

    Asking lets other threads run first, which under load costs more than everything else about an id.
    Bits are used once, whatever thread asks; a process that was forked asks for its own.
    """

    __slots__ = ("_bits", "_process")

    def __init__(self) -> None:
        self._bits: list[int] = []
        self._process = os.getpid()

    def new_id(self, prefix: str) -> str:
        """As the function of that name."""
        if self._process != os.getpid():
            self._bits, self._process = [], os.getpid()
        try:
            bits = self._bits.pop()  # in one step: no other thread gets the same
        except IndexError:
            bits, *rest = _random_bits(_AT_ONCE)
            self._bits.extend(rest)
        return _id(prefix, bits)


def _random_bits(count: int) -> list[int]:
    """So many numbers that nobody can guess."""
    data = secrets.token_bytes(count * _RANDOM_BYTES)
    numbers = zip(*[iter(data)] * _RANDOM_BYTES, strict=True)
    surplus = 8 * _RANDOM_BYTES - _RANDOM_BITS
    return [int.from_bytes(number, "big") >> surplus for number in numbers]


def _id(prefix: str, random: int) -> str:
    value = ((time.time_ns() // 1_000_000) << _RANDOM_BITS) | random
    return f"{prefix}_{''.join([_PAIRS[value >> shift & 1023] for shift in _SHIFTS])}"


def new_secret(prefix: str = "") -> str:
    """256 random bits in base64url, after an optional prefix that names the kind of secret."""
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """The SHA-256 of a high-entropy secret in base64url: what the store keeps in its place."""
    return urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()).rstrip(b"=").decode()


def matches_digest(secret: str, stored: str) -> bool:
    """Whether `secret` is the one whose digest is `stored`, compared in constant time."""
    return hmac.compare_digest(digest(secret), stored)
