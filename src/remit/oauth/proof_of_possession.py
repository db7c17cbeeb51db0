"""Whether whoever asks for a token has the key that it will be bound to.

Source: RFC 9449 §5, §8.
"""

from starlette.requests import Request

from remit.oauth.client import Client
from remit.oauth.deps import OAuthDeps

__all__ = ["proved_key"]


async def proved_key(deps: OAuthDeps, request: Request, client: Client | None) -> str | None:  # noqa: ARG001
    """The RFC 7638 thumbprint of the key whose possession `request` proves; `None` without a proof."""
    return None
