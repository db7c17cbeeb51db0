"""`POST /guard/v1/snapshot`, `…/records`, `…/history` and `…/elevations`.

Who comes is a server of the catalog, known by its name and its `guard_secret` (HTTP Basic), and gets and
brings what is its own: there is no parameter that names a server. Refused: everybody else (401, and 429
after too many failures), a server that was taken from the catalog while its guard waited, more than a
mebibyte or 1,000 records at once, a record that is not this server's (422; nothing of the batch is kept).

Source: RFC 7617; docs/reference/guard.md.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from remit.api.guards.elevations import BadWishError, ElevationAnswers
from remit.api.guards.excerpt import ExcerptDeps
from remit.api.guards.feed import Feed, Question
from remit.api.guards.history import BadUseError, HistoryAnswers
from remit.api.guards.turns import NotItsTurnError, Turns
from remit.audit.record_seal import RecordSeal
from remit.audit.redact import Redactor
from remit.audit.relayed import ForeignRecordError, Relayed, relayed
from remit.audit.resealing import resealed
from remit.canonical import JsonObject, MalformedJsonError
from remit.clock import Clock, Seconds
from remit.db import Database
from remit.errors import ConflictError, Error, NotFoundError
from remit.guard.account import PastUnavailableError
from remit.guard.elevations import ElevationsUnavailableError
from remit.model import Server
from remit.policy import DecisionPoint
from remit.registry import RegistryDirectory
from remit.registry.guards import note_guard, take_records
from remit.tokens import KeySet
from remit.web import Site, json_response, problem, read_body, read_json_object

__all__ = ["GuardDeps", "guard_routes"]

_MAX_WAIT: Final = 20
_WAITS_IN_A_LEASE: Final = 3
"""What is heard speaks for the moment of the question: a guard that waited as long as its lease would have none."""
_MAX_BODY: Final = 1024 * 1024
_MAX_QUESTION: Final = 4_096
_MAX_USE: Final = 65_536
_MAX_RECORDS: Final = 1_000
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
_NONCE: Final = re.compile(r"[A-Za-z0-9_-]{22,86}")
_VERSION: Final = re.compile(r"(?:[0-9a-f]{64})?")
_ASKED: Final = frozenset({"nonce", "instance", "release", "after", "wait"})

_Endpoint = Callable[[Request, Server], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardDeps:
    """What `app` hands to this door. `for_guards` lets none in but a server with its `guard_secret`, and says which."""

    database: Database
    directory: RegistryDirectory
    decisions: DecisionPoint
    keys: KeySet
    redactor: Redactor
    clock: Clock
    site: Site
    stopping: asyncio.Event
    lease: Seconds
    history: HistoryAnswers
    elevations: ElevationAnswers
    for_guards: Callable[[_Endpoint], Callable[[Request], Awaitable[Response]]]


class _BadRequestError(Error):
    """The request is not one of a guard's."""

    code = "invalid_request"


def guard_routes(deps: GuardDeps) -> list[Route]:
    """The routes of guards."""
    feed = Feed(
        deps.directory,
        deps.decisions,
        deps.keys,
        deps=ExcerptDeps(
            issuer=deps.site.public_url, public_url=deps.site.public_url, lease=deps.lease
        ),
        redactor=deps.redactor,
        clock=deps.clock,
    )
    deps.directory.subscribe(feed.tell)
    turns = Turns()

    async def snapshot(request: Request, server: Server) -> Response:
        return await _snapshot(deps, feed, request, server)

    async def records(request: Request, server: Server) -> Response:
        return await _records(deps, turns, request, server)

    async def history(request: Request, server: Server) -> Response:
        return await _history(deps, request, server)

    async def elevations(request: Request, server: Server) -> Response:
        return await _elevations(deps, request, server)

    return [
        Route("/guard/v1/elevations", deps.for_guards(_told(elevations)), methods=["POST"]),
        Route("/guard/v1/history", deps.for_guards(_told(history)), methods=["POST"]),
        Route("/guard/v1/snapshot", deps.for_guards(_told(snapshot)), methods=["POST"]),
        Route("/guard/v1/records", deps.for_guards(_told(records)), methods=["POST"]),
    ]


def _told(endpoint: _Endpoint) -> _Endpoint:
    """`endpoint`, with what it refuses said as a problem."""

    async def answer(request: Request, server: Server) -> Response:
        try:
            return await endpoint(request, server)
        except (_BadRequestError, BadUseError, BadWishError) as error:
            return problem(400, error.code, detail=error.detail)
        except (PastUnavailableError, ElevationsUnavailableError) as error:
            return problem(503, error.code, detail=error.detail, headers={"Retry-After": "1"})
        except ForeignRecordError as error:
            return problem(422, error.code, detail=error.detail)
        except (ConflictError, NotFoundError) as error:
            return problem(409, error.code, detail=error.detail)
        except NotItsTurnError as error:
            return problem(503, error.code, detail=error.detail, headers={"Retry-After": "1"})

    return answer


async def _snapshot(deps: GuardDeps, feed: Feed, request: Request, server: Server) -> Response:
    question = await _asked(request, longest=min(_MAX_WAIT, deps.lease / _WAITS_IN_A_LEASE))
    now = deps.clock.now()
    await deps.database.run(
        lambda tx: note_guard(tx, server.name, question.instance, version=question.release, now=now)
    )

    def is_over() -> bool:
        return deps.stopping.is_set() or not _is_guarded(deps, server)

    body = await feed.answer(server, question, until=is_over)
    if not _is_guarded(deps, server):
        return problem(403, "no_guard", detail="this server is to have no guard any more")
    return Response(
        body, media_type="application/vnd.remit.snapshot", headers={"Cache-Control": "no-store"}
    )


async def _records(deps: GuardDeps, turns: Turns, request: Request, server: Server) -> Response:
    instance = _instance(request)
    if request.headers.get("content-type") != "application/x-ndjson":
        raise _BadRequestError("records come as `application/x-ndjson`")
    lines = (await read_body(request, limit=_MAX_BODY)).splitlines()
    if not 0 < len(lines) <= _MAX_RECORDS:
        raise _BadRequestError(f"a batch has at least one and at most {_MAX_RECORDS} records")
    async with turns.turn(server.name):
        read = await asyncio.to_thread(_read, lines, server, instance, deps.redactor.record_seal)
        taken = await deps.database.run(lambda tx: take_records(tx, server.name, instance, read))
    return json_response({"taken": taken})


async def _history(deps: GuardDeps, request: Request, server: Server) -> Response:
    asked = await _object(request, limit=_MAX_USE)
    return json_response(await deps.history.answer(server, asked))


async def _elevations(deps: GuardDeps, request: Request, server: Server) -> Response:
    asked = await _object(request, limit=_MAX_BODY)
    return json_response(await deps.elevations.answer(server, asked))


async def _object(request: Request, *, limit: int) -> JsonObject:
    try:
        return await read_json_object(request, limit=limit)
    except MalformedJsonError as error:
        raise _BadRequestError("the question is not strict JSON", cause=error) from error


def _read(
    lines: list[bytes], server: Server, instance: str, seal: RecordSeal | None
) -> list[Relayed]:
    tenants = None if server.tenant is None else frozenset({str(server.tenant)})
    said = [relayed(line, server=server.name, tenants=tenants, instance=instance) for line in lines]
    return [resealed(one, seal, server=server.name) for one in said]


def _is_guarded(deps: GuardDeps, server: Server) -> bool:
    declared = deps.directory.catalog.servers.get(server.name)
    return declared is not None and declared.guard_secret == server.guard_secret


async def _asked(request: Request, *, longest: float) -> Question:
    """What a guard asks, which is text and one number and nothing else. It waits for `longest` seconds at most."""
    found = await _object(request, limit=_MAX_QUESTION)
    if found.keys() != _ASKED:
        raise _BadRequestError(f"the members are `{'`, `'.join(sorted(_ASKED))}`")
    wait = found["wait"]
    if type(wait) is not int or not 0 <= wait <= 600:
        raise _BadRequestError("`wait` is not a number of seconds")
    return Question(
        nonce=_required(_NONCE, found, "nonce"),
        instance=_required(_NAME, found, "instance"),
        release=_required(_NAME, found, "release"),
        after=_required(_VERSION, found, "after"),
        wait=float(min(wait, longest)),
    )


def _instance(request: Request) -> str:
    named = request.query_params.multi_items()
    if [name for name, _ in named] != ["instance"]:
        raise _BadRequestError("the parameter is `instance`, once")
    return _required(_NAME, dict(named), "instance")


def _required(pattern: re.Pattern[str], values: Mapping[str, object], name: str) -> str:
    value = values[name]
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise _BadRequestError(f"`{name}` is not in its form")
    return value
