"""All that a server offers, asked by the gateway itself with the server's own credential.

First as a modern client; a server of the other era is asked in a session of its own that ends with
the last list. A server that offers no list of a kind offers nothing of it. Refused: pages without
end, a cursor that comes again, a list that is none.

Source: MCP 2026-07-28 and 2025-11-25 (tools, resources, prompts, pagination), 2025-11-25 lifecycle.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, TypeAlias

from remit.canonical import Json, JsonObject
from remit.gateway.jsonrpc import METHOD_NOT_FOUND, Notification, Request, Response
from remit.gateway.methods import Listed, treatment_of
from remit.gateway.protocol import (
    CAPABILITIES_KEY,
    LATEST_LEGACY_VERSION,
    LEGACY_VERSIONS,
    MODERN_VERSIONS,
    VERSION_KEY,
    Era,
)
from remit.gateway.rejection import RejectedError, UpstreamError
from remit.gateway.upstream.port import Outgoing, Reply, Upstream

__all__ = ["LISTS", "Listing", "list_everything"]

LISTS: Final = ("tools/list", "prompts/list", "resources/list", "resources/templates/list")
_SECONDS = 60.0
_MAX_PAGES = 100
_MAX_ITEMS = 10_000
_CLIENT: Final[JsonObject] = {"name": "remit", "version": "1"}

Listing: TypeAlias = dict[str, list[Json]]
"""The entries of each list, by its method."""

_Ask: TypeAlias = Callable[[Outgoing[Request]], AbstractAsyncContextManager[Reply]]


async def list_everything(upstream: Upstream, *, seconds: float = _SECONDS) -> Listing:
    """The entries of every list of `upstream`.

    Raises:
        UpstreamError: it does not answer, or not as the protocol asks.
    """
    try:
        async with asyncio.timeout(seconds):
            try:
                return await _modern(upstream)
            except (RejectedError, UpstreamError) as modern:
                return await _legacy(upstream, modern)
    except TimeoutError as error:
        raise UpstreamError(
            "the server did not list what it offers in time", timed_out=True, cause=error
        ) from error


async def _modern(upstream: Upstream) -> Listing:
    meta: JsonObject = {
        VERSION_KEY: MODERN_VERSIONS[-1],
        CAPABILITIES_KEY: {},
        "io.modelcontextprotocol/clientInfo": _CLIENT,
    }
    version = MODERN_VERSIONS[-1]
    asked = Request("remit-discover", "server/discover", {"_meta": meta})
    described = await _answer(upstream.ask, Outgoing(asked, version))
    params: JsonObject = {"_meta": meta}
    return await _lists(upstream.ask, version, params=params, offers=_capabilities(described))


async def _legacy(upstream: Upstream, modern: RejectedError | UpstreamError) -> Listing:
    if isinstance(modern, UpstreamError) and modern.upstream_status is None:
        raise modern
    async with _session(upstream) as (ask, version, offers):
        return await _lists(ask, version, params={}, offers=offers)


@asynccontextmanager
async def _session(
    upstream: Upstream,
) -> AsyncIterator[tuple[_Ask, str, frozenset[str] | None]]:
    session = upstream.open_session()
    try:
        hello: JsonObject = {
            "protocolVersion": LATEST_LEGACY_VERSION,
            "capabilities": {},
            "clientInfo": _CLIENT,
        }
        asked = Request("remit-initialize", "initialize", hello)
        answer = await _answer(session.ask, Outgoing(asked, LATEST_LEGACY_VERSION))
        version = answer.result.get("protocolVersion") if answer.result else None
        if not isinstance(version, str) or version not in LEGACY_VERSIONS:
            raise UpstreamError("the server negotiated a version that is not spoken here")
        await session.tell(Outgoing(Notification("notifications/initialized"), version))
        yield session.ask, version, _capabilities(answer)
    finally:
        await session.close()


def _capabilities(description: Response) -> frozenset[str] | None:
    """What a server says that it has; `None` where it does not say."""
    found = description.result.get("capabilities") if description.result else None
    return frozenset(found) if isinstance(found, dict) else None


async def _lists(
    ask: _Ask, version: str, *, params: JsonObject, offers: frozenset[str] | None
) -> Listing:
    era = Era.MODERN if version in MODERN_VERSIONS else Era.LEGACY
    found: Listing = {}
    for method in LISTS:
        listed = treatment_of(method, era)
        found[method] = []
        if isinstance(listed, Listed) and (offers is None or method.partition("/")[0] in offers):
            found[method] = await _pages(ask, version, method=method, params=params, listed=listed)
    return found


async def _pages(
    ask: _Ask, version: str, *, method: str, params: JsonObject, listed: Listed
) -> list[Json]:
    items: list[Json] = []
    cursors: set[str] = set()
    page = params
    for number in range(_MAX_PAGES):
        request = Request(f"remit-{number}", method, page)
        response = await _answer(ask, Outgoing(request, version))
        if response.error is not None:
            if response.error["code"] == METHOD_NOT_FOUND:
                return items
            raise UpstreamError(f"the server answers `{method}` with an error", upstream_status=200)
        result = response.result or {}
        entries = result.get(listed.member)
        if not isinstance(entries, list):
            raise UpstreamError(f"the server's answer has no list `{listed.member}`")
        items.extend(entries)
        cursor = result.get("nextCursor")
        if not isinstance(cursor, str):
            return items
        if cursor in cursors or len(items) > _MAX_ITEMS:
            break
        cursors.add(cursor)
        page = {**params, "cursor": cursor}
    raise UpstreamError(f"the server's answer to `{method}` has no end")


async def _answer(ask: _Ask, outgoing: Outgoing[Request]) -> Response:
    async with ask(outgoing) as reply:
        async for message in reply.messages:
            if isinstance(message, Response):
                return message
    raise UpstreamError("the server ended the stream without an answer")
