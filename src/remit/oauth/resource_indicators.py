"""Which one MCP server a token is asked for.

Every token is good for exactly one server. A missing `resource` is read as the only
server that this agent could use; when there are several, or none, the request is
refused, because a token without an audience would be good anywhere. A URI matches
as a string, but for the case of scheme and host.

Source: RFC 8707 §2; MCP 2026-07-28 authorization, canonical server URI; RFC 9068 §5.
"""

import re
from collections.abc import Sequence

from remit.ids import ServerName
from remit.model import MANAGEMENT, Agent, Catalog, Server
from remit.oauth.errors import InvalidTargetError
from remit.oauth.scope_placeholders import may_meet
from remit.tokens import audience_of, is_remits_own, resource_of

__all__ = ["require_resource", "require_same_resource", "server_at"]

# RFC 3986 §3 for http and https: scheme, authority, and the rest as it stands.
_ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)://([^/?#]+)(/[^#\s]*|\?[^#\s]*)?")


def require_resource(
    resources: Sequence[str], agent: Agent, *, catalog: Catalog, public_url: str
) -> Server:
    """The server that an authorization or client-credentials request is for.

    Raises:
        InvalidTargetError: several are named, or one that Remit does not know; or none is
            named and not exactly one would do.
    """
    if len(resources) > 1:
        raise InvalidTargetError("`resource` names several servers; a token is good for one")
    if not resources:
        return _only_server(agent, catalog)
    server = server_at(resources[0], catalog=catalog, public_url=public_url)
    if server is None:
        raise InvalidTargetError("`resource` is no MCP server of this authorization server")
    return server


def require_same_resource(resources: Sequence[str], granted: str) -> None:
    """Pass when a token request names no resource, or the one its grant is for.

    Raises:
        InvalidTargetError: it names another one.
    """
    for resource in resources:
        if _canonical(resource) != granted:
            raise InvalidTargetError("`resource` is not the one that was granted")


def server_at(resource: str, *, catalog: Catalog, public_url: str) -> Server | None:
    """The server whose canonical URI `resource` is; `None` for anything else."""
    wanted = _canonical(resource)
    if wanted is None:
        return None
    if wanted == audience_of(public_url, MANAGEMENT.name):
        return MANAGEMENT
    if is_remits_own(public_url, wanted):
        name = wanted.removeprefix(audience_of(public_url, ServerName("")))
        server = catalog.servers.get(ServerName(name))
    else:
        own = (one for one in catalog.servers.values() if one.resource_identifier == wanted)
        server = next(own, None)
    # A server that guards itself has one identifier, and it is not the gateway's for it.
    return None if server is None or resource_of(public_url, server) != wanted else server


def _canonical(resource: str) -> str | None:
    """`resource` with scheme and host in lower case; `None` if relative or with a fragment (AS-36)."""
    parts = _ABSOLUTE.fullmatch(resource)
    if parts is None:
        return None
    return f"{parts[1].lower()}://{parts[2].lower()}{parts[3] or ''}"


def _only_server(agent: Agent, catalog: Catalog) -> Server:
    possible = [
        server for server in catalog.servers.values() if _within_reach(server, agent, catalog)
    ]
    if len(possible) != 1:
        raise InvalidTargetError("`resource` is required: name the MCP server")
    return possible[0]


def _within_reach(server: Server, agent: Agent, catalog: Catalog) -> bool:
    return (
        server.environment in agent.environments
        and (server.tenant is None or server.tenant in agent.tenants)
        and any(
            may_meet(held, required, catalog.hierarchy)
            for held in agent.scopes
            for required in server.scopes
        )
    )
