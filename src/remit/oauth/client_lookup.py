"""Which client an identifier names: static, then metadata document, then dynamic.

Refuses silently (`None`) what is unknown or disabled. A metadata document is
fetched only for the authorization endpoint: nobody can make the token endpoint
open a connection to a host of their choice.

Source: O21 §2.2; CIMD §3, §5; MCP 2026-07-28 client registration.
"""

from remit.oauth.client import Client
from remit.oauth.deps import OAuthDeps

__all__ = ["find_client", "known_client"]


async def find_client(deps: OAuthDeps, client_id: str) -> Client | None:
    """The client for an authorization request; a metadata document is fetched when it is not fresh.

    Raises:
        InvalidClientError: the metadata document cannot be had or may not be used; `detail` says why.
        SlowDownError: its host was asked too often of late.
    """
    raise NotImplementedError


async def known_client(deps: OAuthDeps, client_id: str) -> Client | None:
    """The client for a token-like request: as `find_client`, but from what is already stored."""
    raise NotImplementedError
