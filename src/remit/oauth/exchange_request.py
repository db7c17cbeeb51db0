"""What a token exchange asks for: which token, who acts, for which one server.

Refuses a parameter that is missing or goes without its pair, a type of token that Remit
neither takes nor makes, and more than one server.

Source: RFC 8693 §2.1, §3; RFC 8707 §2.
"""

from dataclasses import dataclass, field
from typing import Final

from remit.ids import ServerName
from remit.model import Catalog, Server
from remit.oauth.errors import InvalidRequestError, InvalidTargetError
from remit.oauth.resource_indicators import server_at
from remit.web import Params

__all__ = ["ACCESS_TOKEN", "ExchangeRequest", "named_server", "read_exchange"]

ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105  a type
_JWT: Final = "urn:ietf:params:oauth:token-type:jwt"
_TYPES: Final = frozenset({ACCESS_TOKEN, _JWT})


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRequest:
    """The tokens of a request, as they came; nothing of them is believed yet."""

    subject_token: str = field(repr=False)
    actor_token: str | None = field(repr=False)
    issued_token_type: str
    """What the answer calls the new token: it is an access token, and a JWT."""


def read_exchange(form: Params) -> ExchangeRequest:
    """The request.

    Raises:
        InvalidRequestError: see the module.
    """
    subject_token = form.one("subject_token")
    if subject_token is None:
        raise InvalidRequestError("`subject_token` is required")
    _require_type(form, "subject_token_type")
    actor_token = form.one("actor_token")
    if actor_token is not None:
        _require_type(form, "actor_token_type")
    elif form.one("actor_token_type") is not None:
        raise InvalidRequestError("`actor_token_type` goes with an `actor_token`")
    requested = form.one("requested_token_type") or ACCESS_TOKEN
    if requested not in _TYPES:
        raise InvalidRequestError("`requested_token_type` is not one that is issued here")
    return ExchangeRequest(
        subject_token=subject_token, actor_token=actor_token, issued_token_type=requested
    )


def named_server(form: Params, catalog: Catalog, public_url: str) -> Server | None:
    """The one server that `resource` or `audience` names; `None` where neither is there.

    An `audience` may be the name of a server as well as its resource indicator.

    Raises:
        InvalidTargetError: several servers, or one that is not ours.
    """
    found = [
        server_at(resource, catalog=catalog, public_url=public_url)
        for resource in form.all("resource")
    ]
    for audience in form.all("audience"):
        by_name = catalog.servers.get(ServerName(audience))
        found.append(by_name or server_at(audience, catalog=catalog, public_url=public_url))
    servers = {server.name: server for server in found if server is not None}
    if None in found or len(servers) > 1:
        raise InvalidTargetError("a token is exchanged for exactly one server of ours")
    return next(iter(servers.values()), None)


def _require_type(form: Params, name: str) -> None:
    if form.one(name) not in _TYPES:
        raise InvalidRequestError(f"`{name}` must be that of an access token or a jwt")
