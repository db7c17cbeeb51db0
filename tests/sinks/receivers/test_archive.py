"""Archives: whole files or none, in a folder and in a store that speaks S3, and what is in them."""

import asyncio
import base64
import gzip
import hashlib
import json
import os
import threading
from pathlib import Path

import pytest
from pyarrow import parquet

from remit.clock import EpochSeconds
from remit.sinks.port import SinkDownError
from remit.sinks.receivers import archive
from remit.sinks.receivers.archive import ArchiveSink
from remit.sinks.receivers.options import SinkMisdeclaredError
from remit.testing.audit_sink import AuditSinkContract, SinkSubject, sample_shipments
from remit.testing.clock import FixedClock
from tests.sinks.collecting import Collector, Reply
from tests.sinks.made import settings


def read_all(folder: Path):
    """Every record of every file, in the order of the names."""
    found = []
    for path in sorted(folder.rglob("*.jsonl.gz")):
        found += [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    return found


class TestFolder(AuditSinkContract):
    @pytest.fixture
    async def subject(self, tmp_path):
        folder = tmp_path / "archive"

        async def fail():
            folder.rename(tmp_path / "away") if folder.exists() else None
            folder.write_text("in the way")

        async def mend():
            folder.unlink()
            if (tmp_path / "away").exists():
                (tmp_path / "away").rename(folder)

        return SinkSubject(
            sink=ArchiveSink(settings(str(folder), secret=None)),
            received=lambda: [one["id"] for one in read_all(folder)],
            fail=fail,
            mend=mend,
            stall=None,
        )


class Store:
    """Takes objects by PUT, as S3 does."""

    def __init__(self):
        self.objects = {}
        self.collector = Collector(self.answer)

    def answer(self, request):
        authorization = request.headers["authorization"]
        assert authorization.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
        signed = authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";")
        assert {name for name in request.headers if name.startswith("x-amz-")} <= set(signed)
        digest = hashlib.sha256(request.body).digest()
        sums = (
            request.headers.get("x-amz-sdk-checksum-algorithm"),
            request.headers.get("x-amz-checksum-sha256"),
        )
        if sums != ("SHA256", base64.b64encode(digest).decode()):
            # As Amazon S3 does where a bucket has object lock.
            return Reply(400)
        self.objects[request.path] = request.body
        return Reply()

    @property
    def ids(self):
        lines = [
            json.loads(line)
            for name in sorted(self.objects)
            for line in gzip.decompress(self.objects[name]).splitlines()
        ]
        return [one["id"] for one in lines]


@pytest.fixture
async def store():
    made = Store()
    async with made.collector:
        yield made


class TestBucket(AuditSinkContract):
    @pytest.fixture
    async def subject(self, store):
        async def stall():
            store.collector.answer = lambda _: None

        async def mend():
            await store.collector.back(store.answer)

        return SinkSubject(
            sink=ArchiveSink(
                settings(
                    "s3://audit/remit",
                    secret="env:KEYS",
                    endpoint=store.collector.url,
                    timeout="20",
                )
            ),
            received=lambda: store.ids,
            fail=store.collector.stop,
            mend=mend,
            stall=stall,
            secret="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        )


async def test_a_file_is_named_for_what_is_in_it_and_nobody_else_reads_it(tmp_path):
    sink = ArchiveSink(settings(str(tmp_path / "archive"), secret=None))
    await sink.send(sample_shipments(12, first=30))
    [path] = (tmp_path / "archive").rglob("*.gz")
    assert path.relative_to(tmp_path).as_posix() == (
        f"archive/remit/main/2026/11/22/{30:020d}-{41:020d}.jsonl.gz"
    )
    assert path.stat().st_mode & 0o777 == 0o600
    assert not list((tmp_path / "archive").rglob(".*"))


async def test_the_same_records_are_the_same_file(tmp_path):
    sink = ArchiveSink(settings(str(tmp_path), secret=None))
    await sink.send(sample_shipments(5))
    [path] = tmp_path.rglob("*.gz")
    before = path.read_bytes()
    await sink.send(sample_shipments(5))
    assert [one.read_bytes() for one in tmp_path.rglob("*.gz")] == [before]


async def test_an_object_is_put_where_its_records_belong(store):
    sink = ArchiveSink(
        settings("s3://audit/deep/prefix/", secret="env:KEYS", endpoint=store.collector.url)
    )
    await sink.send(sample_shipments(2, log="remit/../etc"))
    [name] = store.objects
    assert name == f"/audit/deep/prefix/remit/_/etc/2026/11/22/{0:020d}-{1:020d}.jsonl.gz"


@pytest.mark.parametrize(
    ("options", "mode", "until"),
    [({}, None, None), ({"lock": "governance"}, "GOVERNANCE", "2027-11-21T17:00:00Z"),
     ({"lock": "compliance", "lock_days": "7"}, "COMPLIANCE", "2026-11-28T17:00:00Z")],
)  # fmt: skip
async def test_how_long_nobody_may_remove_an_object_goes_with_it(store, options, mode, until):
    clock = FixedClock(EpochSeconds(1_795_280_400))
    sink = ArchiveSink(
        settings(
            "s3://audit", secret="env:KEYS", endpoint=store.collector.url, clock=clock, **options
        )
    )
    await sink.send(sample_shipments(2))
    [request] = store.collector.requests
    assert request.headers.get("x-amz-object-lock-mode") == mode
    assert request.headers.get("x-amz-object-lock-retain-until-date") == until


async def test_what_a_killed_process_left_half_written_is_cleared_away(tmp_path):
    sink = ArchiveSink(settings(str(tmp_path), secret=None))
    await sink.send(sample_shipments(2))
    [path] = tmp_path.rglob("*.gz")
    dead, alive = (path.with_name(f".{path.name}.{one}") for one in (4_194_303, os.getpid()))
    for one in (dead, alive):
        one.write_text("half")
    await sink.send(sample_shipments(2, first=2))
    assert not dead.exists()
    assert alive.exists()
    assert len(list(tmp_path.rglob("*.gz"))) == 2


async def test_a_disk_that_hangs_holds_one_thread_and_is_not_written_to_twice(
    tmp_path, monkeypatch
):
    free, writing = threading.Event(), []

    def hang(self, path, content):
        writing.append(threading.current_thread())
        free.wait(20)

    monkeypatch.setattr(archive._Folder, "_put", hang)
    sink = ArchiveSink(settings(str(tmp_path), secret=None))
    try:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sink.send(sample_shipments(2)), 0.05)
        for _ in range(3):
            with pytest.raises(SinkDownError, match="disk_hangs"):
                await sink.send(sample_shipments(2))
        assert len(writing) == 1
        assert writing[0].daemon
    finally:
        free.set()


async def test_a_store_that_says_no_has_nothing(store):
    """Whatever it says: it does not look into what it keeps, so no record is to blame."""
    for status in (400, 403, 413, 500, 503):
        store.collector.answer = lambda _, status=status: Reply(status)
        sink = ArchiveSink(settings("s3://audit", secret="env:KEYS", endpoint=store.collector.url))
        with pytest.raises(SinkDownError, match=f"answered_{status}"):
            await sink.send(sample_shipments(2))


async def test_parquet_has_the_records_by_column(tmp_path):
    sink = ArchiveSink(settings(str(tmp_path), secret=None, files="parquet"))
    some = sample_shipments(7)
    await sink.send(some)
    [path] = tmp_path.rglob("*.parquet")
    table = await asyncio.to_thread(lambda: parquet.ParquetFile(path).read())
    assert table.column_names == ["log", "seq", "id", "kind", "tenant", "time", "leaf", "record"]
    assert table["seq"].to_pylist() == list(range(7))
    assert table["leaf"].to_pylist() == [one.leaf for one in some]
    assert json.loads(table["record"][3].as_py())["seq"] == 3


@pytest.mark.parametrize(
    ("url", "options"),
    [("relative/path", {}), ("/srv/../etc", {}), ("https://x.example", {}), ("s3://", {}),
     ("/srv", {"files": "csv"}), ("/srv", {"records": "0"}), ("/srv", {"every": "never"}),
     ("s3://b", {"endpoint": "ftp://x"}), ("s3://b/with space", {}), ("s3://b", {"lock": "yes"}),
     ("s3://b", {"lock_days": "3"}), ("s3://b", {"lock": "governance", "lock_days": "0"}),
     ("/srv", {"lock": "governance"}), ("/srv", {"compress": "gzip"})],
)  # fmt: skip
def test_what_is_no_archive_is_refused(url, options):
    with pytest.raises(SinkMisdeclaredError):
        ArchiveSink(settings(url, **options))


@pytest.mark.parametrize("secret", [None, "env:TOKEN"])
async def test_without_a_key_nothing_is_put(store, secret):
    sink = ArchiveSink(settings("s3://audit", secret=secret, endpoint=store.collector.url))
    with pytest.raises(SinkMisdeclaredError) as raised:
        await sink.send(sample_shipments(1))
    assert "b3f1" not in str(raised.value)
    assert not store.objects
