"""What is privileged: to let somebody do more with it is for two people to decide."""

from collections.abc import Mapping

from remit.ids import ScopeName
from remit.model import (
    MANAGEMENT_SCOPES,
    Catalog,
    Prompt,
    Resource,
    ScopeDefinition,
    Sensitivity,
    Server,
    Tool,
)
from remit.policy import ResourceKind
from remit.policy.vocabulary import CallableThing

__all__ = ["is_privileged", "is_privileged_server", "scopes_of_thing"]


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
