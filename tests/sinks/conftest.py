"""A log that is written, a database for the cursors, and a fleet over both whose sinks a test declares."""

import asyncio
from contextlib import closing
from types import MappingProxyType

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.audit import FileAuditLog, StreamSettings
from remit.audit.events import AuditQueried
from remit.audit.file_source import FileSource
from remit.clock import Seconds, SystemClock
from remit.errors import NotFoundError
from remit.model import SinkRules
from remit.sinks.deps import SinkCounts, SinkDeps
from remit.sinks.fleet import Fleet
from tests.sinks.made import SECRETS


class Counted(SinkCounts):
    """What was counted, by sink."""

    def __init__(self):
        self.records, self.failures = {}, []

    def sent(self, sink, records):
        self.records[sink] = self.records.get(sink, 0) + records

    def failed(self, sink, why):
        self.failures.append((sink, why))


class World:
    """Everything around a fleet. `declare` says which sinks there are; `write` records; `carry` lets a second's work be done."""

    def __init__(self, folder, database, events, clock, *, instance="main"):
        self.folder, self.source = folder, FileSource(folder)
        self.database, self.events, self.clock = database, events, clock
        self.rules = {}
        self.counts = Counted()
        self.deps = SinkDeps(
            database=database,
            source=self.source,
            clock=clock,
            rules=lambda: self.rules,
            read_secret=self._secret,
            instance=instance,
            own_log=f"remit/{instance}",
            counts=self.counts,
        )
        self.fleet = Fleet(self.deps)

    def declare(self, name="siem", kind="webhook", url="", **changes):
        options = MappingProxyType({"timeout": "5", **changes.pop("options", {})})
        if kind not in {"webhook", "splunk", "otlp", "elastic", "syslog"}:
            options = MappingProxyType({k: v for k, v in options.items() if k != "timeout"})
        secret = changes.pop("secret", "env:HOOK")
        self.rules = {
            **self.rules,
            name: SinkRules(
                name=name,
                kind=kind,
                url=url,
                secret=secret,
                options=options,
                alert_after=Seconds(changes.pop("alert_after", 60)),
                **changes,
            ),
        }

    async def until(self, is_so, *, looks=400):
        """Look again and again until it is so."""
        for _ in range(looks):
            await self.fleet.look()
            if is_so():
                return
            await asyncio.sleep(0.025)
        raise AssertionError("it never came about")

    def _secret(self, reference):
        if reference not in SECRETS:
            raise NotFoundError("no such secret")
        return SECRETS[reference]


@pytest.fixture
def log(tmp_path):
    settings = StreamSettings(folder=tmp_path / "audit" / "main", origin="remit/main")
    with closing(FileAuditLog(settings, Ed25519PrivateKey.generate())) as opened:
        yield opened


@pytest.fixture
def write(log):
    """Record so many events; returns nothing. Number 0 is the start of the log itself."""

    def write(count, first=0):
        for begin in range(0, count, 100):
            log.record(
                [
                    AuditQueried(query={"n": first + n})
                    for n in range(begin, min(count, begin + 100))
                ]
            )

    return write


@pytest.fixture
async def world(tmp_path, log, database, events):
    made = World(tmp_path / "audit", database, events, SystemClock())
    yield made
    await made.fleet.close()
