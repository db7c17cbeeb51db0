"""The log as tlog-tiles has it: the newest checkpoint, hashes, and records, each to be checked by whoever fetches it.

Below `/audit/tlog/<log>/`, where `<log>` is what follows the slash in the log's name (`main` of `remit/main`), stand
`checkpoint`, `tile/<level>/<index>[.p/<width>]` and `tile/entries/<index>[.p/<width>]`. Only who acts for every
organisation reads here, as a bundle of entries holds those of all. That records were read is recorded; hashes tell nothing.
Refused is a tile beyond what a checkpoint covers: nothing is signed of it yet.

Source: C2SP tlog-tiles.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Final

from starlette.responses import Response

from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Shape
from remit.audit.events import AuditQueried
from remit.audit.source import RecordSource
from remit.audit.tiled_logs import newest_checkpoint
from remit.canonical import JsonObject
from remit.errors import NotFoundError
from remit_audit_verify.tiles import TILE_WIDTH, tile_path

__all__ = ["TLOG_OPERATIONS"]

_TILE = re.compile(
    r"(?P<level>entries|[0-9]|[1-5][0-9]|6[0-3])/(?P<index>(?:x[0-9]{3}/){0,4}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)
_ENTRIES: Final = "entries"


class Note(Shape):
    """A signed note, as text, or the bytes of a tile."""


class LogKeys(Shape):
    """Verifier keys, `name+hash+key`: keep the new one where the former is kept."""

    former: str
    verifier: str


async def _checkpoint(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> Response:
    """The newest signed note, with what cosignatures there are."""
    log = await asyncio.to_thread(_named, deps.source, asked.path["log"])
    note = await asyncio.to_thread(deps.source.checkpoint, log)
    if note is None:
        raise NotFoundError("there is no checkpoint yet")
    return Response(note, media_type="text/plain", headers={"Cache-Control": "no-store"})


async def _tile(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> Response:
    """One tile of hashes, or one bundle of records."""
    match = _TILE.fullmatch(asked.path["tile"])
    width = TILE_WIDTH if match is None or match["width"] is None else int(match["width"])
    if match is None or width > TILE_WIDTH or (match["width"] and width == TILE_WIDTH):
        raise NotFoundError("there is no such tile")
    index = int(match["index"].replace("x", "").replace("/", ""))
    if tile_path(index) != match["index"]:
        raise NotFoundError("there is no such tile")
    log = await asyncio.to_thread(_named, deps.source, asked.path["log"])
    level = 0 if match["level"] == _ENTRIES else int(match["level"])
    await asyncio.to_thread(_require_signed, deps.source, log, level, (index, width))
    work: Callable[[], bytes]
    if match["level"] == _ENTRIES:
        told: JsonObject = {"log": log, "from": index * TILE_WIDTH, "count": width}
        await deps.audit.append(AuditQueried(context=asked.context, query=told))
        work = lambda: _bundle(deps.source, log, index * TILE_WIDTH, width)  # noqa: E731
    else:
        work = lambda: deps.tiled.tiles(log).part(level, index, width)  # noqa: E731
    content = await asyncio.to_thread(work)
    return Response(content, media_type="application/octet-stream")


def _named(source: RecordSource, name: str) -> str:
    for log in source.logs():
        if log.partition("/")[2] == name:
            return log
    raise NotFoundError("there is no such log")


def _require_signed(source: RecordSource, log: str, level: int, part: tuple[int, int]) -> None:
    """Return if a checkpoint covers the first so many hashes of a tile; `part` is its index, and how many."""
    index, width = part
    signed = newest_checkpoint(source, log)
    size = 0 if signed is None else signed.size
    if (index * TILE_WIDTH + width) << (8 * level) > size:
        raise NotFoundError("there is no such tile yet")


def _bundle(source: RecordSource, log: str, first: int, count: int) -> bytes:
    """So many records from `first` on, each after its length in two bytes."""
    lines = [record.line for record in source.read(log, first, limit=count)]
    if len(lines) != count:
        raise NotFoundError("these records are not kept any more")
    return b"".join(part for line in lines for part in (len(line).to_bytes(2, "big"), line))


async def _rotate(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> LogKeys:
    former, verifier = await deps.log_key(asked.context)
    return LogKeys(former=former, verifier=verifier)


TLOG_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="audit.rotate-key", run=_rotate, query=Nothing, body=Nothing, answer=LogKeys),
    Operation(
        name="audit.checkpoint",
        run=_checkpoint,
        query=Nothing,
        body=Nothing,
        answer=Note,
        media="text/plain",
    ),
    Operation(
        name="audit.tile",
        run=_tile,
        query=Nothing,
        body=Nothing,
        answer=Note,
        media="application/octet-stream",
    ),
)
