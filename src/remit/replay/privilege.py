"""What is privileged: to let somebody do more with it is for two people to decide."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from remit.ids import ScopeName
from remit.model import (
    MANAGEMENT_SCOPES,
    Catalog,
    Prompt,
    Resource,
    ScopeDefinition,
    Sensitivity,
    Server,
    StdioUpstream,
    Tool,
)
from remit.policy import ResourceKind
from remit.policy.vocabulary import CallableThing

__all__ = ["is_privileged", "is_privileged_server", "reaches_further", "scopes_of_thing"]


def is_privileged(scope: ScopeName, *catalogs: Catalog) -> bool:
    """Whether one of `catalogs` grades `scope` high or critical, or names it among the privileged ones."""
    return any(
        scope in catalog.deployment.privileged_scopes
        or _is_sensitive(scope, catalog.scopes)
        or _is_sensitive(scope, MANAGEMENT_SCOPES)
        for catalog in catalogs
    )


def is_privileged_server(server: Server, *catalogs: Catalog) -> bool:
    """Whether anything on `server` is."""
    things: tuple[Tool | Resource | Prompt, ...] = (
        *server.tools.values(),
        *server.resources,
        *server.prompts.values(),
    )
    return any(one.sensitivity.rank >= Sensitivity.HIGH.rank for one in things) or any(
        is_privileged(scope, *catalogs) for scope in server.scopes
    )


def reaches_further(server: Server, old: Catalog) -> bool:
    """Whether what `server` is reached by is more than its own grading says, however low that is.

    A command runs beside Remit, with what Remit may read; a secret that is named goes where the server is; and what
    another server grades high is reached by its host under any other name.
    """
    upstream = server.upstream
    if isinstance(upstream, StdioUpstream):
        return True
    if upstream.presents is not None or server.connection is not None:
        return True
    host = urlsplit(upstream.url).hostname
    return any(
        not isinstance(other.upstream, StdioUpstream)
        and urlsplit(other.upstream.url).hostname == host
        and is_privileged_server(other, old)
        for other in old.servers.values()
    )


def scopes_of_thing(
    catalog: Catalog, thing: CallableThing
) -> tuple[tuple[ScopeName, ...], Sensitivity]:
    """What `thing` takes, and how sensitive it is."""
    server = catalog.server_named(thing.server)
    if server is None:
        return (), Sensitivity.CRITICAL
    match thing.kind:
        case ResourceKind.TOOL:
            tool = server.tools[thing.name]
            return tool.scopes, tool.sensitivity
        case ResourceKind.PROMPT:
            prompt = server.prompts[thing.name]
            return prompt.scopes, prompt.sensitivity
        case _:
            found = next(one for one in server.resources if one.uri == thing.name)
            return found.scopes, found.sensitivity


def _is_sensitive(scope: ScopeName, scopes: Mapping[ScopeName, ScopeDefinition]) -> bool:
    definition = scopes.get(scope)
    return definition is not None and definition.sensitivity.rank >= Sensitivity.HIGH.rank
