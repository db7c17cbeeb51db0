"""Whether whoever asks about tokens is a server of the catalog.

A server authenticates by its name and the secret that its file refers to, in the header or in the body.
Refused, alike: a wrong secret, a secret that cannot be resolved, an assertion, no secret. A server
without a secret does not exist here; whoever uses its name is looked for among the clients.

Source: RFC 7662 §2.1, §4 (against token scanning); O21 §2.4.1.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from remit.ids import ServerName, digest, matches_digest
from remit.model import Server
from remit.oauth.client_authentication import within_attempts
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidClientError, json_door
from remit.oauth.presented_credentials import presented_credentials
from remit.web import Params

__all__ = ["authenticate_server", "server_endpoint"]

_NO_FORM: Final = Params(())


def _may_introspect(server: Server) -> str | None:
    return server.introspection_secret


async def authenticate_server(
    deps: OAuthDeps,
    request: Request,
    form: Params,
    *,
    secret_of: Callable[[Server], str | None] = _may_introspect,
) -> Server | None:
    """The server that sent `request`; `None` when what it names is none that may ask.

    `secret_of` says by which of its secrets it may.

    Raises:
        InvalidRequestError: nobody is named, or more than one way is used.
        InvalidClientError: it did not prove to be that server.
        SlowDownError: it failed too often of late.
    """
    presented = presented_credentials(request.headers.getlist("authorization"), form)
    server = deps.directory.catalog.servers.get(ServerName(presented.client_id))
    reference = None if server is None else secret_of(server)
    if server is None or reference is None:
        return None

    async def prove() -> None:
        secret = deps.resolve_secret(reference)
        given = presented.secret
        if not secret or given is None or not matches_digest(given, digest(secret)):
            raise presented.refuse("the secret of this server is wrong")

    await within_attempts(deps, request, f"server:{server.name}", prove=prove)
    return server


def server_endpoint(
    deps: OAuthDeps,
    endpoint: Callable[[Request, Server], Awaitable[Response]],
    *,
    secret_of: Callable[[Server], str | None] = _may_introspect,
) -> Callable[[Request], Awaitable[Response]]:
    """`endpoint` for servers of the catalog alone, each by HTTP Basic with its secret.

    Refused with 401 `invalid_client`: everybody else; with 429: who failed too often of late.
    """

    async def answer(request: Request) -> Response:
        if not request.headers.getlist("authorization"):
            raise InvalidClientError("a server of the catalog asks here", tried_basic=True)
        server = await authenticate_server(deps, request, _NO_FORM, secret_of=secret_of)
        if server is None:
            raise InvalidClientError("no server of that name may ask", tried_basic=True)
        return await endpoint(request, server)

    return json_door(answer)
