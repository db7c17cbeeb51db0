"""The very call: one keyed digest, equal for equal calls alone.

Any other amount, person, agent, client, definition or server is another call. The grant is compared apart, and why it
is made is no part of it: the retry may say it otherwise. The key is the installation's, so that a copy of the
database does not give arguments away that are easily guessed.

Source: docs/adr/0025-cures.md, "The very call"; RFC 8785.
"""

import hmac
from base64 import urlsafe_b64encode

from remit.canonical import Json, canonical_bytes
from remit.guard.elevations import Wanted

__all__ = ["digest_of_access", "digest_of_call"]


def digest_of_call(key: bytes, wanted: Wanted) -> str:
    """The digest of the call that `wanted` is."""
    token = wanted.token
    server, kind, name = wanted.thing
    return _digest(
        key,
        {
            "v": 1,
            "about": "call",
            "tenant": token.organization_id,
            "environment": token.environment,
            "subject": token.sub,
            "agent": token.agent_id,
            "actors": [[one.agent_id, one.client_id] for one in token.actors],
            "client": token.client_id,
            "server": server,
            "kind": kind.value,
            "name": name,
            "definition": wanted.definition,
            "arguments": wanted.arguments,
        },
    )


def digest_of_access(key: bytes, access_id: str) -> str:
    """The digest of a request for the access of that id: each is asked for once."""
    return _digest(key, {"v": 1, "about": "access", "access": access_id})


def _digest(key: bytes, said: dict[str, Json]) -> str:
    value = hmac.digest(key, canonical_bytes(said), "sha256")
    return urlsafe_b64encode(value).rstrip(b"=").decode()
