"""One busy organisation with its log, and candidates made of its repository."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from remit.audit.record_seal import RecordSeal
from remit.replay import Records, ReplayReport, replay
from remit.repository import LoadedRepository, load_repository
from remit.testing.traffic import RECORD_KEY, Traffic, record_calls, write_busy_repository

EVER = 2**32


@dataclass(frozen=True)
class Busy:
    """A repository, and the calls that were recorded under it."""

    repository: Path
    log: Path

    def loaded(self) -> LoadedRepository:
        return load_repository(self.repository)

    def records(self, **changes) -> Records:
        return Records(**{"folder": self.log, "since": 0, "until": EVER, **changes})

    def replay(self, new: LoadedRepository | None = None, **options) -> ReplayReport:
        old = self.loaded()
        records = options.pop("records", None) or self.records()
        return replay(records, old, new or old, **{"record_key": RECORD_KEY, **options})

    def candidate(self, folder: Path, *edits: tuple[str, str, str]) -> LoadedRepository:
        """The repository with changes: in which file, what, and what instead."""
        target = folder / "candidate"
        shutil.copytree(self.repository, target)
        for name, old, new in edits:
            text = (target / name).read_text()
            assert old in text, f"{old!r} is not in {name}"
            (target / name).write_text(text.replace(old, new, 1))
        return load_repository(target)

    def decisions(self) -> list[dict]:
        return [
            entry
            for path in sorted(self.log.glob("*/*.jsonl"))
            for line in path.read_bytes().splitlines()
            if (entry := orjson.loads(line))["kind"] == "decision"
        ]


def opened(entry: dict) -> dict:
    """What a record holds sealed."""
    body = entry["body"]
    if not body["sealed_arguments"]:
        return {}
    seal = RecordSeal(RECORD_KEY)
    content = seal.open(
        body["sealed_arguments"], decision=body["decision_id"], tenant=entry["tenant"]
    )
    return orjson.loads(content)


@pytest.fixture(scope="session")
def busy(tmp_path_factory) -> Busy:
    """Twelve hundred calls of a fortnight."""
    folder = tmp_path_factory.mktemp("busy")
    write_busy_repository(folder / "repository")
    loaded = load_repository(folder / "repository")
    record_calls(loaded, folder / "log" / "main", Traffic(count=1_200, apart=1_000.0))
    return Busy(folder / "repository", folder / "log")


@pytest.fixture
def copied(busy, tmp_path) -> Busy:
    """The beginning of it, to be damaged."""
    (tmp_path / "log" / "main").mkdir(parents=True)
    for path in busy.log.glob("main/*.jsonl"):
        lines = path.read_bytes().splitlines(keepends=True)
        (tmp_path / "log" / "main" / path.name).write_bytes(b"".join(lines[:700]))
    return Busy(busy.repository, tmp_path / "log")
