"""`plans.create`: what another bundle would change here, as it declares it and on the calls that really came.

The bundle is read, checked, and decided under in a process of its own; it comes into force nowhere, and nothing of
it is kept. The log is read for it, and that is recorded before anything is answered. Whoever may not act for every
organisation is told of their own one's calls alone, and nothing of what is declared otherwise: that would be a way to
read what is in force for others.

Source: MISSION C6; docs/guides/planning.md; docs/adr/0022-replay.md.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Final

from pydantic import Field

from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Shape, Text
from remit.audit.events import AuditQueried
from remit.audit.log_files import log_files
from remit.canonical import JsonObject
from remit.clock import EpochSeconds, rfc3339_ms
from remit.deployment.bundle import MAX_BUNDLE, bundle_from
from remit.ids import TenantId
from remit.replay import Plan, Records, compare, replay
from remit.repository import LoadedRepository

__all__ = ["PLAN_OPERATIONS"]

_DAY: Final = 86_400
_ALONE: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="plan")
"""One at a time: a replay takes what it can get of a processor."""


class Wanted(Shape):
    """A bundle as `remit bundles build` writes it, and how many days of recorded calls to decide under it."""

    bundle: dict[str, Any]
    days: int = Field(default=7, ge=0, le=366)
    tenant: Text | None = None


class Planned(Shape):
    """What it would change. `difference` is null for those who may see one organisation alone."""

    made_at: str
    stage: str
    old: str
    new: str
    difference: dict[str, Any] | None
    replay: dict[str, Any] | None


async def _create(deps: ApiDeps, asked: Asked[Nothing, Wanted]) -> Planned:
    body, now = asked.body, deps.clock.now()
    tenant = asked.by.narrowed(body.tenant)
    bundle = bundle_from(body.bundle)
    present = (await deps.deployment.refresh()).loaded
    proposed = await deps.deployment.load(bundle)
    query: JsonObject = {"plan": bundle.digest, "days": body.days, "tenant": tenant}
    await deps.audit.append(AuditQueried(context=asked.context, query=query))
    records = None
    if body.days:
        records = Records(
            folder=deps.data,
            since=EpochSeconds(now - body.days * _DAY),
            until=EpochSeconds(now + 1),
            tenant=None if tenant is None else TenantId(tenant),
        )
    loop = asyncio.get_running_loop()
    plan = await loop.run_in_executor(
        _ALONE, _planned, deps, records, present.repository, proposed.repository
    )
    if asked.by.tenant is None:
        plan["difference"] = compare(present.repository, proposed.repository).as_json()
    return Planned.model_validate({**plan, "made_at": rfc3339_ms(now * 1_000)})


def _planned(
    deps: ApiDeps, records: Records | None, old: LoadedRepository, new: LoadedRepository
) -> dict[str, Any]:
    """In a thread, which waits for a process: what is decided meanwhile must not wait for this."""
    replayed = None
    if records is not None:
        with log_files(deps.source, since=records.since, beside=deps.data) as folder:
            found, keys = replace(records, folder=folder), deps.custody.record_keys()
            replayed = replay(found, old, new, record_key=keys, workers=1)
    return Plan(
        made_at="",
        stage=new.stage or "",
        old=old.bundle_digest,
        new=new.bundle_digest,
        difference=None,
        replay=replayed,
    ).as_json()


PLAN_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(
        name="plans.create",
        run=_create,
        query=Nothing,
        body=Wanted,
        answer=Planned,
        max_body=2 * MAX_BUNDLE,
    ),
)
