"""Fixtures that every room shares: a clock that stands still, and both databases."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings

from remit.audit.disk import PosixDisk, Space
from remit.db import Database, migrate
from remit.testing.clock import FixedClock

# A busy machine is not a failing test: nothing here is judged by how long it took.
settings.register_profile("remit", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("remit")


def _beside(name: str) -> ModuleType:
    """A module next to this file: with `--import-mode=importlib`, tests are not on the path."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


databases = _beside("databases")


class RecordedEvents:
    """A recorder that keeps what it is given: `recorded`, and `abandoned` with the cause."""

    def __init__(self) -> None:
        self.recorded: list[object] = []
        self.abandoned: list[tuple[object, BaseException]] = []
        self.failure: Exception | None = None

    def record(self, events: Sequence[object]) -> None:
        if self.failure is not None:
            raise self.failure
        self.recorded.extend(events)

    def abandon(self, events: Sequence[object], cause: BaseException) -> None:
        self.abandoned.extend((event, cause) for event in events)

    def of(self, kind: type) -> list[object]:
        """Those of type `kind`, in order."""
        return [event for event in self.recorded if isinstance(event, kind)]


@pytest.fixture(scope="session", autouse=True)
def _a_disk_that_is_half_full() -> Iterator[None]:
    """How full the disk of the machine is happens to be; what a log says of that is a test of its own."""
    real = PosixDisk.space

    def half_full(disk: PosixDisk, path: Path) -> Space:
        free = real(disk, path).free
        return Space(2 * free, free)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(PosixDisk, "space", half_full)
        yield


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def events() -> RecordedEvents:
    """What the transactions of `database` recorded. Set `.failure` to make the log fail."""
    return RecordedEvents()


@pytest.fixture(scope="session")
def _shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def postgres(_shared_folder: Path) -> Iterator[object]:
    """A PostgreSQL server (`tests/databases.py`)."""
    with databases.postgres_server(_shared_folder) as server:
        yield server


@pytest.fixture(scope="session")
def _migrated_postgres(postgres: object) -> str:
    name = f"remit_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    migrate(postgres.create(name))
    return name


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=databases.database_kinds())
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a migrated, empty database: each test runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        path = tmp_path / "remit.sqlite3"
        shutil.copy(request.getfixturevalue("_migrated_sqlite"), path)
        return f"sqlite:///{path}"
    name = request.getfixturevalue("_migrated_postgres")
    server = request.getfixturevalue("postgres")
    server.empty(name)
    return server.url(name)


@pytest.fixture(params=databases.database_kinds())
def bare_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without a schema."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'bare.sqlite3'}"
    server = request.getfixturevalue("postgres")
    return server.create(f"bare_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}")


@pytest.fixture
def open_database(events: RecordedEvents) -> Iterator[Callable[[str], Database]]:
    """Opens databases that record into `events`, and closes them after the test."""
    opened: list[Database] = []

    def open_(url: str) -> Database:
        opened.append(Database.open(url, recorder=events))
        return opened[-1]

    yield open_
    for database in opened:
        database.close()


@pytest.fixture
def database(database_url: str, open_database: Callable[[str], Database]) -> Database:
    """A migrated, empty database whose transactions record into `events`."""
    return open_database(database_url)
