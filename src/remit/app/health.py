"""Whether this process is alive, whether it can do its work, and its numbers.

Alive: the event loop answers. Ready: the database answers, the audit log takes events,
who is revoked is known freshly, and the process is not stopping. Neither says more than
that: what fails is named, why stands in the log.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from remit.app.metrics import EXPOSITION_TYPE, Metrics
from remit.audit import DurableAuditLog
from remit.canonical import JsonObject
from remit.clock import Clock
from remit.db import Database
from remit.errors import Error
from remit.guard import Directory, Guard
from remit.settings import Settings
from remit.web import json_response, peer_of, problem

__all__ = ["Health", "health_routes"]

_PATIENCE = 2.0
_KEPT_SECONDS = 0.5
_RESERVE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What readiness is read off."""

    database: Database
    log: DurableAuditLog
    guard: Guard
    directory: Directory
    clock: Clock
    data: Path
    standing_max_age: int
    stopping: asyncio.Event

    async def checks(self) -> dict[str, bool]:
        """Each check by name, and whether it holds."""
        return {
            "audit": self.log.status().failure is None and not self.guard.closed,
            "catalog": bool(self.directory.catalog.version),
            "database": await self._database_answers(),
            "disk": shutil.disk_usage(self.data).free > _RESERVE_BYTES,
            "running": not self.stopping.is_set(),
            "standing": self.standing_age() <= self.standing_max_age,
        }

    def standing_age(self) -> int:
        """Seconds since the store was last known to agree with what is enforced."""
        return self.clock.now() - self.directory.standing.as_of

    async def _database_answers(self) -> bool:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self.database.ping()
        except (Error, TimeoutError):
            return False
        return True


def health_routes(health: Health, metrics: Metrics, settings: Settings) -> list[Route]:
    """`/healthz`, `/readyz` and `/metrics`."""
    checks = _kept(health.checks, health.clock)

    async def alive(_request: Request) -> Response:
        return json_response({"status": "ok"})

    async def ready(_request: Request) -> Response:
        found = await checks()
        good = all(found.values())
        body: JsonObject = {
            "status": "ready" if good else "not_ready",
            "checks": {name: "ok" if holds else "failed" for name, holds in found.items()},
        }
        return json_response(body, status=200 if good else 503)

    async def numbers(request: Request) -> Response:
        if not _may_read_metrics(request, settings):
            return problem(404, "not_found", detail="there is nothing here")
        return Response(metrics.exposition(), headers={"Content-Type": EXPOSITION_TYPE})

    return [
        Route("/healthz", alive, methods=["GET"]),
        Route("/readyz", ready, methods=["GET"]),
        Route("/metrics", numbers, methods=["GET"]),
    ]


def _may_read_metrics(request: Request, settings: Settings) -> bool:
    """Whether the peer is in a network that may; a proxy nobody trusts hides who asks, so it may not."""
    client = request.scope.get("client")
    peer = peer_of(request.scope, settings.trusted_proxies).ip
    if client is None or peer is None:
        return False
    proxied = "x-forwarded-for" in request.headers and peer == client[0]
    if proxied and not any(ip_address(peer) in one for one in settings.trusted_proxies):
        return False
    return any(ip_address(peer) in network for network in settings.metrics_networks)


def _kept(
    read: Callable[[], Awaitable[dict[str, bool]]], clock: Clock
) -> Callable[[], Awaitable[dict[str, bool]]]:
    """`read`, at most twice a second and one at a time: anybody may ask, and it costs a database read."""
    lock = asyncio.Lock()
    known: tuple[float, dict[str, bool]] | None = None

    async def kept() -> dict[str, bool]:
        nonlocal known
        async with lock:
            now = clock.monotonic()
            if known is None or now - known[0] > _KEPT_SECONDS:
                known = (now, await read())
            return known[1]

    return kept
