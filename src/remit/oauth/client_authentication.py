"""Whether a client proved at a token-like endpoint that it is the one that registered.

Source: O21 §2.4, §3.2.4; RFC 6749 §2.3.1; RFC 7617 §2.
"""

from starlette.requests import Request

from remit.oauth.client import Client
from remit.oauth.deps import OAuthDeps
from remit.web import Params

__all__ = ["authenticate_client"]


async def authenticate_client(deps: OAuthDeps, request: Request, form: Params) -> Client:
    """The client that sent `request`, authenticated as it registered to be.

    Raises:
        InvalidRequestError: no client is named, or more than one method is used.
        InvalidClientError: unknown, disabled, another method than registered, or a wrong secret.
        SlowDownError: too many failures for this client from this address.
    """
    raise NotImplementedError
