"""An archive: files of records in a folder, or in a store that speaks S3. Nothing in it is ever changed or removed by us.

A file is named for the records in it. It is there whole or not at all: in a folder it is written beside, brought to
stable storage and then named; a store takes an object whole. What is sent again after a crash makes another file that
overlaps the first; readers tell by id.

An object goes with its checksum, without which a store with object lock takes nothing; and, where that is declared,
with how long nobody may remove or replace it.

Source: Amazon S3 API, "PutObject", "Using S3 Object Lock"; rename(2), fsync(2).
"""

import asyncio
import base64
import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from remit.errors import Error
from remit.sinks.apart import beside
from remit.sinks.declared import DECLARED
from remit.sinks.port import BatchRules, SinkDownError, SinkRefusedError, SinkSettings
from remit.sinks.receivers.archive_files import WRITERS, check_writer, name_of
from remit.sinks.receivers.aws_signature import AwsKey, signed_headers
from remit.sinks.receivers.http_receiver import HttpReceiver
from remit.sinks.receivers.lookup import Lookup
from remit.sinks.receivers.options import (
    SinkMisdeclaredError,
    check_options,
    choice,
    seconds,
    web_destination,
    whole,
)
from remit.sinks.shipment import Shipment

__all__ = ["ArchiveSink"]

_OPTIONS: Final = DECLARED["archive"].options
_EVERY: Final = 30.0
_RECORDS: Final = 10_000
_CONTENT: Final = 32 * 1024 * 1024
_LOCKS: Final = {"none": "", "governance": "GOVERNANCE", "compliance": "COMPLIANCE"}
_LOCKED_DAYS: Final = 365
_LONGEST_LOCK: Final = 36_500
_SAMPLE: Final = "x/0000/00/00/0-0.jsonl.gz"


class _Place(Protocol):
    """Where files are put."""

    async def put(self, name: str, content: bytes) -> None: ...


class ArchiveSink:
    """The folder, or the bucket `s3://bucket/prefix`, at the URL of the sink. Implements `AuditSink`."""

    def __init__(self, settings: SinkSettings) -> None:
        check_options(settings, _OPTIONS)
        kind = choice(settings, "files", "jsonl", WRITERS)
        check_writer(kind, settings.name)
        self._end, self._write = WRITERS[kind]
        self._batch = BatchRules(
            records=whole(settings, "records", _RECORDS, least=1, most=100_000),
            content=_CONTENT,
            wait=seconds(settings, "every", _EVERY),
        )
        scheme = urlsplit(settings.url).scheme
        self._place: _Place
        if scheme == "s3":
            self._place = _Bucket(settings)
        elif scheme in {"", "file"}:
            self._place = _Folder(settings)
        else:
            raise SinkMisdeclaredError(
                f"the sink `{settings.name}` names neither a folder nor `s3://bucket`"
            )

    @property
    def batch(self) -> BatchRules:
        return self._batch

    async def send(self, shipments: Sequence[Shipment]) -> None:
        content = await asyncio.to_thread(self._write, shipments)
        await self._place.put(name_of(shipments, self._end), content)

    async def close(self) -> None:
        """Nothing is open between two files."""


class _Folder:
    """A folder, and folders in it that are ours alone to read."""

    def __init__(self, settings: SinkSettings) -> None:
        path = urlsplit(settings.url).path
        if not path.startswith("/") or ".." in path.split("/"):
            raise SinkMisdeclaredError(f"the folder of the sink `{settings.name}` is no whole path")
        for option in ("lock", "lock_days", "endpoint", "region"):
            if option in settings.options:
                raise SinkMisdeclaredError(
                    f"`{option}` of the sink `{settings.name}` is for a store, not for a folder"
                )
        self._folder = Path(path)
        self._writing: Future[None] | None = None

    async def put(self, name: str, content: bytes) -> None:
        # In a thread of its own, and one alone: a disk that hangs holds it, and none in which calls are worked on.
        if self._writing is not None and not self._writing.done():
            raise SinkDownError("disk_hangs")
        self._writing = beside(partial(self._put, self._folder / name, content))
        try:
            await asyncio.shield(asyncio.wrap_future(self._writing))
        except OSError as error:
            raise SinkDownError(f"disk_{error.errno}", cause=error) from error

    def _put(self, path: Path, content: bytes) -> None:
        made = [one for one in (path.parent, *path.parent.parents) if not one.exists()]
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        near = path.with_name(f".{path.name}.{os.getpid()}")
        self._clear(path.parent)
        descriptor = os.open(near, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with ExitStack() as undo:
            undo.callback(near.unlink, missing_ok=True)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            near.rename(path)
            undo.pop_all()
        for folder in (path.parent, *(one.parent for one in made)):
            _sync(folder)

    def _clear(self, folder: Path) -> None:
        """Remove what a process left that was killed while it wrote: it is no file yet, and is written again."""
        for left in folder.glob(".*-*.*.*"):
            number = left.name.rpartition(".")[2]
            if number.isdigit() and not Path(f"/proc/{number}").exists():
                left.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Bucket:
    """A bucket of Amazon S3, or of whatever speaks as it does at `endpoint`."""

    def __init__(self, settings: SinkSettings) -> None:
        parts = urlsplit(settings.url)
        region = settings.options.get("region", "us-east-1")
        endpoint = settings.options.get("endpoint", f"https://s3.{region}.amazonaws.com")
        self._settings, self._region = settings, region
        self._prefix = f"/{parts.netloc}{parts.path.rstrip('/')}"
        self._host = web_destination(settings, endpoint).authority
        self._endpoint = endpoint.rstrip("/")
        if not parts.netloc:
            raise SinkMisdeclaredError(f"the sink `{settings.name}` names no bucket")
        web_destination(settings, f"{self._endpoint}{self._prefix}/{_SAMPLE}")
        self._lock = _LOCKS[choice(settings, "lock", "none", _LOCKS)]
        self._days = whole(settings, "lock_days", _LOCKED_DAYS, least=1, most=_LONGEST_LOCK)
        if not self._lock and "lock_days" in settings.options:
            raise SinkMisdeclaredError(
                f"`lock_days` of the sink `{settings.name}` says nothing without `lock`"
            )
        self._lookup = Lookup()

    async def put(self, name: str, content: bytes) -> None:
        path = f"{self._prefix}/{name}"
        headers = signed_headers(
            self._key(), "PUT", path,
            given=self._given(content), content=content, now=self._settings.clock.now(),
        )  # fmt: skip
        # In a thread: certificates are read from files.
        receiver = await asyncio.to_thread(
            HttpReceiver,
            self._settings,
            url=self._endpoint + path,
            method="PUT",
            resolve=self._lookup,
        )
        try:
            await receiver.post(content, tuple(headers.items()))
        except SinkRefusedError as error:
            # A store does not look at what it keeps: it is not a record that is wrong.
            raise SinkDownError(error.detail, cause=error) from error
        finally:
            receiver.close()

    def _given(self, content: bytes) -> dict[str, str]:
        checksum = base64.b64encode(hashlib.sha256(content).digest()).decode()
        given = {
            "host": self._host,
            "x-amz-checksum-sha256": checksum,
            "x-amz-sdk-checksum-algorithm": "SHA256",
        }
        if self._lock:
            until = datetime.fromtimestamp(self._settings.clock.now(), UTC)
            until += timedelta(days=self._days)
            given["x-amz-object-lock-mode"] = self._lock
            given["x-amz-object-lock-retain-until-date"] = until.strftime("%Y-%m-%dT%H:%M:%SZ")
        return given

    def _key(self) -> AwsKey:
        name = self._settings.name
        try:
            secret = self._settings.read_secret()
        except Error as error:
            raise SinkMisdeclaredError(
                f"the secret of the sink `{name}` cannot be had", cause=error
            ) from error
        access, _, rest = (secret or "").strip().partition(":")
        key, _, session = rest.partition(":")
        if not access or not key:
            raise SinkMisdeclaredError(
                f"the secret of the sink `{name}` is not `access key:secret key`"
            )
        return AwsKey(access=access, secret=key, region=self._region, session=session or None)
