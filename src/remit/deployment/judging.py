"""Judging a bundle: its own decision tables, how it differs from what is in force, and the calls that really came.

All of it is worked out here, by the server, from the bundle itself: what whoever proposes it says about it counts for
nothing. Nothing recorded is carried out, no server is asked, and no engine outside.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from remit.audit.log_files import log_files
from remit.audit.record_seal import RecordKeys
from remit.audit.source import RecordSource
from remit.casebook import Result, Status, run_tables, tables_of
from remit.clock import Clock, EpochSeconds
from remit.deployment.judgement import Judge, Judgement, Tables
from remit.deployment.loaded import LoadedPolicies
from remit.deployment.weaker_tables import weakened
from remit.model import DeploymentRules
from remit.replay import Records, ReplayReport, compare, replay

__all__ = ["Court", "judge_by"]

_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Court:
    """What judging needs: the logs, a folder for what is only there meanwhile, and who knows what sealed parts of them open with."""

    source: RecordSource
    data: Path
    record_keys: Callable[[], RecordKeys]
    clock: Clock


def judge_by(court: Court) -> Judge:
    """Judges proposals one at a time; each takes as long as the replay of what was recorded takes."""
    one_at_a_time = asyncio.Lock()

    async def judge(present: LoadedPolicies, proposed: LoadedPolicies) -> Judgement:
        async with one_at_a_time:
            return await asyncio.to_thread(_judge, court, present, proposed)

    return judge


def _judge(court: Court, present: LoadedPolicies, proposed: LoadedPolicies) -> Judgement:
    rules = present.catalog.deployment
    return Judgement(
        tables=_tables(present, proposed),
        difference=compare(present.repository, proposed.repository),
        replayed=_replayed(court, rules, present, proposed),
    )


def _tables(present: LoadedPolicies, proposed: LoadedPolicies) -> Tables:
    tables, before = (tables_of(one.repository.contents) for one in (proposed, present))
    report = run_tables(proposed.repository, tables)
    return Tables(
        cases=len(report.results),
        before=sum(len(one.cases) for one in before),
        weakened=weakened(before, tables),
        not_run=len(report.of(Status.NOT_RUN)),
        failures=tuple(_failure(one) for one in report.of(Status.FAILED)),
    )


def _failure(result: Result) -> str:
    found = "; ".join(
        f"{one.what}: expected {one.expected}, found {one.found}" for one in result.differences
    )
    return f"{result.case.name}: {found}"[:300]


def _replayed(
    court: Court, rules: DeploymentRules, present: LoadedPolicies, proposed: LoadedPolicies
) -> ReplayReport | None:
    if not rules.replay_days:
        return None
    now, keys = court.clock.now(), court.record_keys()
    since = EpochSeconds(now - rules.replay_days * _DAY)
    with log_files(court.source, since=since, beside=court.data) as folder:
        records = Records(folder=folder, since=since, until=EpochSeconds(now + 1))
        # In a process of its own: what is decided meanwhile must not wait for this.
        return replay(records, present.repository, proposed.repository, record_key=keys, workers=1)
