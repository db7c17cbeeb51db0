"""What is sealed of a connection: the third party's tokens, and the state of a person who is there.

The name it is sealed under holds whose and for what it is, so that a row moved under another person,
server or issuer does not open.

Source: NIST SP 800-38D (associated data); O21 §4.3 (tokens kept secret).
"""

from dataclasses import dataclass, field

import orjson

from remit.identity.providers import ForeignTokens
from remit.ids import ScopeName
from remit.oauth.connection_store import Connection
from remit.secrets import SealBrokenError, SecretBox

__all__ = ["ForwardState", "KeptTokens", "open_state", "open_tokens", "seal_state", "seal_tokens"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTokens:
    """The tokens of one connection."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardState:
    """What is waited for while a person is at a third party: what they allowed of which request."""

    verifier: str = field(repr=False)
    request: str = field(repr=False)
    """The browser's name for the waiting authorization request."""
    scopes: tuple[ScopeName, ...]


def seal_tokens(
    box: SecretBox,
    tokens: ForeignTokens,
    *,
    owner: tuple[str, str, str],
    refresh_token: str | None = None,
) -> str:
    """The tokens, sealed for `owner`: user id, server and issuer. `refresh_token` is kept if none came."""
    content = {
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token or refresh_token,
    }
    return box.seal(_tokens_name(*owner), orjson.dumps(content))


def open_tokens(box: SecretBox, connection: Connection) -> KeptTokens | None:
    """The tokens of `connection`; `None` where they were sealed for another, or with another key."""
    name = _tokens_name(connection.user_id, connection.server, connection.issuer)
    try:
        content = orjson.loads(box.open(name, connection.sealed_tokens))
    except SealBrokenError:
        return None
    return KeptTokens(access_token=content["access_token"], refresh_token=content["refresh_token"])


def seal_state(box: SecretBox, state_digest: str, state: ForwardState) -> str:
    """`state`, sealed for the request with that digest."""
    content = {
        "verifier": state.verifier,
        "request": state.request,
        "scopes": list(state.scopes),
    }
    return box.seal(f"connection-request:{state_digest}", orjson.dumps(content))


def open_state(box: SecretBox, state_digest: str, sealed: str) -> ForwardState | None:
    """What was sealed for that request; `None` where it was sealed with another key."""
    try:
        content = orjson.loads(box.open(f"connection-request:{state_digest}", sealed))
    except SealBrokenError:
        return None
    return ForwardState(
        verifier=content["verifier"],
        request=content["request"],
        scopes=tuple(ScopeName(one) for one in content["scopes"]),
    )


def _tokens_name(user_id: str, server: str, issuer: str) -> str:
    return f"connection:{user_id}:{server}:{issuer}"
