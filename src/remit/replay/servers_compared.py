"""Servers of two catalogs, and everything that can be called on them."""

from collections.abc import Iterator, Mapping
from typing import Final

from remit.ids import ScopeName
from remit.model import Argument, Catalog, Prompt, Resource, Sensitivity, Server, Tool
from remit.replay.difference import Area, Change, Effect, Kind
from remit.replay.privilege import is_privileged, is_privileged_server, reaches_further
from remit.replay.weighing import (
    Properties,
    call_limits,
    lower_is_wider,
    more_is_wider,
    ordered,
    said,
    unlimited_if_none,
    words,
)

__all__ = ["server_changes"]

_SERVER: Final = Properties(
    Area.SERVER,
    {
        "title": words,
        "description": words,
        "baseline_scopes": words,
        "dpop_required": lower_is_wider,
        "max_request_bytes": unlimited_if_none,
        "max_response_bytes": unlimited_if_none,
        "pinning": ordered("reviewed", "first_use", "off"),
        "allowed_methods": more_is_wider,
        "allowed_extensions": more_is_wider,
        "mode": ordered("enforce", "observe"),
        "limits": call_limits,
    },
    skipped=("tools", "resources", "prompts"),
)
_JUDGED: Final = {"description": words, "sensitivity": lower_is_wider}
_THINGS: Final = {
    Area.TOOL: Properties(Area.TOOL, _JUDGED, skipped=("scopes", "arguments")),
    Area.RESOURCE: Properties(Area.RESOURCE, _JUDGED, skipped=("scopes",)),
    Area.PROMPT: Properties(Area.PROMPT, _JUDGED, skipped=("scopes",)),
}
_ARGUMENT: Final = Properties(
    Area.TOOL, {"required": lower_is_wider, "audit": ordered("drop", "token", "last4", "keep")}
)

_Thing = Tool | Resource | Prompt


def server_changes(old: Catalog, new: Catalog) -> Iterator[Change]:
    """Every server, tool, resource and prompt that was added, removed or changed."""
    for name in sorted(old.servers.keys() | new.servers.keys()):
        was, would = old.servers.get(name), new.servers.get(name)
        if was is None and would is not None:
            yield _server(would, Kind.ADDED, (old, new))
        elif would is None and was is not None:
            yield _server(was, Kind.REMOVED, (old, new))
        elif was is not None and would is not None:
            rerouted = (was.upstream, was.connection) != (would.upstream, would.connection)
            privileged = (
                is_privileged_server(was, old, new)
                or is_privileged_server(would, old, new)
                or (rerouted and reaches_further(would, old))
                or _secrets_of(was) != _secrets_of(would)
            )
            yield from _SERVER.changes(name, was, would, privileged=privileged)
            for area in _THINGS:
                yield from _things(area, was, would, (old, new))


def _secrets_of(server: Server) -> tuple[str | None, str | None]:
    """Whoever knows what these name is told which tokens are good, and fetches what a guard decides by.

    To name another is to say who that is: it may be a variable whose value everybody can tell.
    """
    return server.introspection_secret, server.guard_secret


def _server(server: Server, kind: Kind, catalogs: tuple[Catalog, Catalog]) -> Change:
    added = kind is Kind.ADDED
    count = len(server.tools) + len(server.resources) + len(server.prompts)
    return Change(
        area=Area.SERVER,
        kind=kind,
        name=server.name,
        what=f"the server `{server.name}` is {kind.value}, with {count} things that can be used",
        effect=Effect.WIDENS if added else Effect.NARROWS,
        privileged=added
        and (is_privileged_server(server, *catalogs) or reaches_further(server, catalogs[0])),
        scopes=server.scopes,
    )


def _things(
    area: Area, was: Server, would: Server, catalogs: tuple[Catalog, Catalog]
) -> Iterator[Change]:
    before, after = _of(area, was), _of(area, would)
    for name in sorted(before.keys() | after.keys()):
        label, old, new = f"{was.name}/{name}", before.get(name), after.get(name)
        if old is None and new is not None:
            yield _thing(area, label, new, kind=Kind.ADDED, catalogs=catalogs)
        elif new is None and old is not None:
            yield _thing(area, label, old, kind=Kind.REMOVED, catalogs=catalogs)
        elif old is not None and new is not None and old != new:
            privileged = _is_privileged(old, catalogs) or _is_privileged(new, catalogs)
            yield from _THINGS[area].changes(label, old, new, privileged=privileged)
            yield from _scopes(area, label, old, new, catalogs=catalogs)
            if isinstance(old, Tool) and isinstance(new, Tool):
                yield from _arguments(label, old, new, privileged=privileged)


def _of(area: Area, server: Server) -> Mapping[str, _Thing]:
    match area:
        case Area.TOOL:
            return server.tools
        case Area.PROMPT:
            return server.prompts
        case _:
            return {one.uri: one for one in server.resources}


def _thing(
    area: Area, label: str, thing: _Thing, *, kind: Kind, catalogs: tuple[Catalog, Catalog]
) -> Change:
    added = kind is Kind.ADDED
    takes = f"it takes {said(thing.scopes)}" if thing.scopes else "it takes no scope"
    return Change(
        area=area,
        kind=kind,
        name=label,
        what=f"the {area.value} `{label}` is {kind.value}: {takes}, {thing.sensitivity.value}",
        effect=Effect.WIDENS if added else Effect.NARROWS,
        privileged=added and _is_privileged(thing, catalogs),
        scopes=thing.scopes,
    )


def _scopes(
    area: Area, label: str, old: _Thing, new: _Thing, *, catalogs: tuple[Catalog, Catalog]
) -> Iterator[Change]:
    """What is demanded no longer, and what is demanded now."""
    gone = tuple(one for one in old.scopes if one not in new.scopes)
    come = tuple(one for one in new.scopes if one not in old.scopes)
    for scopes, effect, verb in (
        (gone, Effect.WIDENS, "no longer takes"),
        (come, Effect.NARROWS, "takes"),
    ):
        if scopes:
            # What is asked for instead may be held by others: that opens it to them.
            swapped = effect is Effect.NARROWS and bool(gone)
            yield Change(
                area=area,
                kind=Kind.CHANGED,
                name=label,
                part="scopes",
                what=f"the {area.value} `{label}` {verb} {said(scopes)}",
                effect=Effect.MAY_WIDEN if swapped else effect,
                before=said(old.scopes),
                after=said(new.scopes),
                scopes=scopes,
                privileged=effect is Effect.WIDENS
                and (_any_privileged(scopes, catalogs) or _is_privileged(old, catalogs)),
            )


def _arguments(label: str, old: Tool, new: Tool, *, privileged: bool) -> Iterator[Change]:
    before = {one.name: one for one in old.arguments}
    after = {one.name: one for one in new.arguments}
    for name in sorted(before.keys() | after.keys()):
        was, would = before.get(name), after.get(name)
        if was is not None and would is not None:
            yield from _ARGUMENT.changes(f"{label}: {name}", was, would, privileged=privileged)
        else:
            yield _argument(label, name, was, would, privileged=privileged)


def _argument(
    label: str, name: str, was: Argument | None, would: Argument | None, *, privileged: bool
) -> Change:
    added = was is None
    kind = Kind.ADDED if added else Kind.REMOVED
    return Change(
        area=Area.TOOL,
        kind=kind,
        name=label,
        part=f"argument {name}",
        what=f"the argument `{name}` of `{label}` is {kind.value} for policies to read",
        # Where nothing declares it, nothing holds it to a type, and no policy can forbid by it.
        effect=Effect.NARROWS if added else Effect.MAY_WIDEN,
        before="" if was is None else said(was),
        after="" if would is None else said(would),
        privileged=privileged and not added,
    )


def _is_privileged(thing: _Thing, catalogs: tuple[Catalog, Catalog]) -> bool:
    return thing.sensitivity.rank >= Sensitivity.HIGH.rank or _any_privileged(
        thing.scopes, catalogs
    )


def _any_privileged(scopes: tuple[ScopeName, ...], catalogs: tuple[Catalog, Catalog]) -> bool:
    return any(is_privileged(scope, *catalogs) for scope in scopes)
