"""How `remit plan` comes to its plan: from a Remit, which replays its own log, or from folders alone."""

import os
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from remit.app.keys import RECORD_SEAL
from remit.audit.record_seal import RecordKeys
from remit.canonical import parse_json
from remit.cli.asking import call
from remit.cli.options import Where
from remit.cli.terminal import say_hint
from remit.clock import EpochSeconds, rfc3339_ms
from remit.custody.key_store import live_keys
from remit.db import Database
from remit.deployment.bundle import bundle_bytes, bundle_of
from remit.errors import Error
from remit.ids import TenantId
from remit.replay import Plan, Records, ReplayReport, compare, plan_of, replay
from remit.repository import LoadedRepository, load_repository
from remit.secrets import MasterKey, SecretBox, resolve_secret

__all__ = ["Folders", "planned_here", "planned_there"]

_DAY: Final = 86_400
_MASTER_KEY: Final = "REMIT_MASTER_KEY"
_DATABASE_URL: Final = "REMIT_DATABASE_URL"
_SAYS_EVERY: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """What is read where no Remit is asked. `data` has the key that sealed parts of `log` open with."""

    repo: Path
    baseline: Path
    log: Path | None
    data: Path | None
    stage: str | None


def planned_there(repo: Path, where: Where, *, days: int, tenant: str | None) -> Plan:
    """The plan of a Remit, for the repository in `repo`, against what it has in force.

    Raises:
        RepositoryInvalidError: there is a mistake in `repo`; Remit was not asked.
        Error: Remit cannot be asked, or refuses.
    """
    content = parse_json(
        bundle_bytes(bundle_of(load_repository(repo).contents)), max_values=100_000
    )
    body: dict[str, Any] = {"bundle": content, "days": days}
    if tenant is not None:
        body["tenant"] = tenant
    return plan_of(call(where, "plans.create", body=body))


def planned_here(folders: Folders, *, days: int, tenant: str | None, workers: int) -> Plan:
    """The plan made of folders: no Remit is asked, and none need run.

    Raises:
        RepositoryInvalidError: there is a mistake in one of the repositories.
        OSError: the log cannot be read.
    """
    old = load_repository(folders.baseline, stage=folders.stage)
    new = load_repository(folders.repo, stage=folders.stage)
    now = EpochSeconds(int(time.time()))
    replayed = None
    if folders.log is not None and days:
        records = Records(
            folder=folders.log,
            since=EpochSeconds(now - days * _DAY),
            until=EpochSeconds(now + 1),
            tenant=None if tenant is None else TenantId(tenant),
        )
        replayed = _replayed(records, old, new, key=_record_key(folders.data), workers=workers)
    return Plan(
        made_at=rfc3339_ms(now * 1_000),
        stage=new.stage or "",
        old=old.bundle_digest,
        new=new.bundle_digest,
        difference=compare(old, new),
        replay=replayed,
    )


def _replayed(
    records: Records,
    old: LoadedRepository,
    new: LoadedRepository,
    *,
    key: RecordKeys | None,
    workers: int,
) -> ReplayReport:
    with _Bar() as bar:
        return replay(records, old, new, record_key=key, workers=workers, progress=bar.show)


def _record_key(data: Path | None) -> RecordKeys | None:
    """What sealed parts of records open with, if it is at hand. No key is ever made here."""
    folder = data or Path(os.environ.get("REMIT_DATA", "data"))
    if not os.environ.get(_MASTER_KEY) and not (folder / "master.key").exists():
        say_hint(
            "no master key in the data folder: what records hold sealed counts as not recorded; name the folder with --data"
        )
        return None
    master = MasterKey.load(folder, os.environ)
    return RecordKeys(master.derive(RECORD_SEAL), _keys_of_subjects(folder, SecretBox(master)))


def _keys_of_subjects(folder: Path, box: SecretBox) -> dict[str, bytes]:
    """The keys in the database, as far as it can be read."""
    url = os.environ.get(_DATABASE_URL) or f"sqlite:///{folder / 'remit.sqlite3'}"
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return {}
    try:
        if url.startswith(("env:", "file:")):
            url = resolve_secret(url)
        with closing(Database.open(url, pool=1)) as database:
            return database.read_now(lambda tx: live_keys(tx, box))
    except Error as error:
        say_hint(f"what records hold sealed counts as not recorded: {error.detail}")
        return {}


class _Bar:
    """How far the log is: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        columns = (
            TextColumn("replaying"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task: TaskID | None = None
        self._began = self._said = time.monotonic()
        self._is_terminal = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._bar.stop()

    def show(self, done: int, total: int, decided: int) -> None:
        """Of `total` bytes, `done` are read, and `decided` calls decided again."""
        now = time.monotonic()
        rate = f"{decided / max(now - self._began, 0.001):,.0f} decisions/s"
        if not self._is_terminal:
            if now - self._said >= _SAYS_EVERY:
                self._said = now
                say_hint(f"replaying: {done * 100 // max(total, 1)} %, {rate}")
            return
        if self._task is None:
            self._task = self._bar.add_task("", total=total, rate=rate)
            self._bar.start()
        self._bar.update(self._task, completed=done, rate=rate)
