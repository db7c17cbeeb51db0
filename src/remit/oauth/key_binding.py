"""Which key a token is bound to: when one is required, and when it must be the same as before.

Refuses a request without a key where client, agent or server takes only bound tokens;
a code that was asked for with one key and is redeemed with another; the refresh token
of a public client without the key it was issued with. A confidential client proves
itself anew at each refresh, and may bring another key.

Source: RFC 9449 §5, §5.2, §10; RFC 9728 §2 (`dpop_bound_access_tokens_required`); AS-73.
"""

from remit.model import Agent, Server
from remit.oauth.client import Client
from remit.oauth.errors import InvalidDpopProofError, InvalidGrantError
from remit.oauth.grant import Grant

__all__ = ["key_of_family", "require_code_key", "require_family_key", "require_key"]


def require_key(client: Client, agent: Agent, server: Server, jkt: str | None) -> None:
    """Pass when no key is required, or one was proved.

    Raises:
        InvalidDpopProofError: a proof of possession is missing.
    """
    if jkt is not None:
        return
    if client.dpop_bound_access_tokens:
        raise InvalidDpopProofError("this client gets tokens only with a proof of possession")
    if agent.dpop_required:
        raise InvalidDpopProofError("this agent gets tokens only with a proof of possession")
    if server.dpop_required:
        raise InvalidDpopProofError("this server takes only tokens bound to a key")


def require_code_key(bound: str | None, jkt: str | None) -> None:
    """Pass when the code was asked for without a key, or with this one (RFC 9449 §10).

    Raises:
        InvalidGrantError: another key, or none.
    """
    if bound is not None and bound != jkt:
        raise InvalidGrantError("the authorization code is bound to another key")


def require_family_key(grant: Grant, client: Client, jkt: str | None) -> None:
    """Pass when the refresh tokens of `grant` are bound to no key, or to this one.

    Raises:
        InvalidGrantError: another key, or none.
    """
    if not client.is_confidential and grant.jkt is not None and grant.jkt != jkt:
        raise InvalidGrantError("the refresh token is bound to another key")


def key_of_family(client: Client, jkt: str | None) -> str | None:
    """The key that the refresh tokens of `client` are bound to, issued to whoever proved `jkt`."""
    return None if client.is_confidential else jkt
