"""The task that brings copies of the log to whoever the repository in force names, and what is counted of it."""

import asyncio
from collections.abc import Callable, Iterable
from typing import NoReturn

import structlog
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from remit.app.repetition import for_ever
from remit.app.stores import Stores
from remit.clock import Clock
from remit.guard.ports import Directory
from remit.guard.remote_copy import CopyGate
from remit.model import AuditRules, Sensitivity
from remit.sinks.deps import SinkCounts, SinkDeps
from remit.sinks.desk import SinkDesk
from remit.sinks.fleet import Fleet
from remit.sinks.lag import Lag

__all__ = ["INTERVAL", "Copies", "open_copies"]

_log = structlog.stdlib.get_logger("remit.sinks")

INTERVAL = 1.0
"""Seconds between two looks at what is declared, who carries what, and who is behind."""
_JUDGED = 0.25


class Copies:
    """The sinks of this process: `fleet` carries, `desk` is for whoever manages them."""

    def __init__(
        self, fleet: Fleet, desk: SinkDesk, *, own_log: str, rules: Callable[[], AuditRules]
    ) -> None:
        self.fleet = fleet
        self.desk = desk
        self.gate = CopyGate()
        self._own_log = own_log
        self._rules = rules
        self.judge()

    def judge(self) -> None:
        """Close the gate while the copy that calls wait for is too far behind, or nobody can tell; else open it."""
        asked = self._rules().remote_copy
        if asked is None or self.fleet.seconds_behind(asked.sink, self._own_log) <= asked.max_lag:
            self.gate.open()
        else:
            self.gate.close(Sensitivity(asked.sensitivity))

    async def watch(self) -> NoReturn:
        """Judge for ever. It waits for nothing but the clock, so that whatever hangs closes the gate."""
        while True:
            await asyncio.sleep(_JUDGED)
            self.judge()

    async def run(self) -> NoReturn:
        """Look after them for ever. The root of a task: a failure is logged once, and tried again."""
        await for_ever(self.fleet.look, every=INTERVAL, log=_log, what="sinks")

    async def close(self) -> None:
        """Note how far everything came, and let others carry on."""
        await self.fleet.close()


def open_copies(stores: Stores, directory: Directory, *, instance: str, clock: Clock) -> Copies:
    """Make it of what is open already."""
    deps = SinkDeps(
        database=stores.database,
        source=stores.source,
        clock=clock,
        rules=lambda: directory.catalog.audit.sinks,
        read_secret=stores.resolve_secret,
        instance=instance,
        own_log=stores.log_name,
        counts=_Counts(stores.metrics.registry),
    )
    fleet = Fleet(deps)
    stores.metrics.registry.register(_Lags(lambda: fleet.lags))
    desk = SinkDesk(deps, stores.audit)
    return Copies(fleet, desk, own_log=stores.log_name, rules=lambda: directory.catalog.audit)


class _Counts(SinkCounts):
    """Counters by the names of sinks, which the repository gives them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sent = Counter(
            "remit_sink_records", "Records that a sink took.", ["sink"], registry=registry
        )
        self._failed = Counter(
            "remit_sink_failures", "Attempts to copy records that failed.", ["sink"],
            registry=registry,
        )  # fmt: skip

    def sent(self, sink: str, records: int) -> None:
        self._sent.labels(sink).inc(records)

    def failed(self, sink: str, why: str) -> None:
        self._failed.labels(sink).inc()


class _Lags(Collector):
    """How far behind each sink is. Read off the last look, so that whoever scrapes reads no log."""

    def __init__(self, read: Callable[[], Iterable[Lag]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        behind = GaugeMetricFamily(
            "remit_sink_behind_records",
            "Records that a sink has not taken.",
            labels=["sink", "log"],
        )
        seconds = GaugeMetricFamily(
            "remit_sink_behind_seconds",
            "Since the oldest of them has been in the log.",
            labels=["sink", "log"],
        )
        for lag in self._read():
            behind.add_metric([lag.sink, lag.log], lag.behind)
            seconds.add_metric([lag.sink, lag.log], lag.seconds)
        return [behind, seconds]
