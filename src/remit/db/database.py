"""The database: one way in to write, one to read, each in a worker thread.

A synchronous connection held by a thread answers a primary-key read ten times sooner
than an asynchronous one, and the audit log must be waited for inside the transaction
anyway (docs/adr/0003). SQLite gets one writer thread and a few readers; PostgreSQL a
pool of threads, each with a connection. The work given to `run` may not open another
transaction, nor commit its own.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import ClassVar, Self, TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from remit.db.engine import create_private_file, is_damage, postgresql_engine, sqlite_engine
from remit.db.group import Answer, Queue, Waiting, settle, write_together
from remit.db.transaction import NoRecorder, Recorder, Transaction, UnrecordedEventError
from remit.db.url import parse_database_url
from remit.errors import UnavailableError

__all__ = ["Database", "DatabaseUnavailableError"]

T = TypeVar("T")

_SQLITE_READERS = 4


class DatabaseUnavailableError(UnavailableError):
    """The database does not answer, is full, damaged, or was closed. Nothing was changed."""

    code: ClassVar[str] = "database_unavailable"


@dataclass(frozen=True, slots=True)
class _Lane:
    """Connections, and the threads that use them."""

    engine: Engine
    threads: ThreadPoolExecutor


class Database:
    """An open database and the recorder of the events that its transactions carry."""

    def __init__(
        self, *, writer: _Lane, reader: _Lane, recorder: Recorder, glances: Engine | None = None
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._recorder = recorder
        self._inside = threading.local()
        self._queue = Queue() if writer is not reader else None
        self._glances = glances
        self._glancing = threading.Lock()
        self._glance: Connection | None = None  # kept: to check one out costs more than its use

    @classmethod
    def open(cls, url: str, *, recorder: Recorder | None = None, pool: int = 8) -> Self:
        """Open `url`; connections are made when first needed. Call `migrate` before.

        `pool` bounds the threads, and so the connections, of PostgreSQL.

        Raises:
            UnsupportedDatabaseError: the URL names no database that Remit can use.
            DatabaseUnavailableError: the file of a SQLite database cannot be made.
        """
        parsed = parse_database_url(url)
        recorder = NoRecorder() if recorder is None else recorder
        if parsed.get_backend_name() == "postgresql":
            lane = _Lane(postgresql_engine(parsed, connections=pool), _threads("db", pool))
            return cls(writer=lane, reader=lane, recorder=recorder)
        try:
            create_private_file(str(parsed.database))
        except OSError as error:
            raise DatabaseUnavailableError(
                "the database file cannot be opened or made", cause=error
            ) from error
        readers = min(pool, _SQLITE_READERS)
        return cls(
            writer=_Lane(
                sqlite_engine(parsed, connections=1, writes=True), _threads("db-writer", 1)
            ),
            reader=_Lane(
                sqlite_engine(parsed, connections=readers, writes=False),
                _threads("db-reader", readers),
            ),
            recorder=recorder,
            glances=sqlite_engine(parsed, connections=1, writes=False, begins=False),
        )

    async def run(self, work: Callable[[Transaction], T]) -> T:
        """Do `work` in a write transaction and commit it, its events first.

        A caller that is cancelled meanwhile does not stop work that has begun: it commits or
        fails on its own, and the log says which.

        Raises:
            AuditUnavailableError: the events could not be recorded; nothing was changed.
            DatabaseUnavailableError: the database did not take it; if events were recorded, an
                `effect.failed` follows them.
        """
        queue = self._queue
        if queue is None:
            return await asyncio.wrap_future(self._submit(self._writer, self._write, work))
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._enqueue(queue, Waiting(work, future, loop))
        return await future

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Do `work` in a read-only transaction that sees one snapshot.

        Raises:
            DatabaseUnavailableError: the database does not answer.
        """
        return await asyncio.wrap_future(self._submit(self._reader, self._read, work))

    async def glance(self, work: Callable[[Transaction], T]) -> T:
        """As `read`, for a row or two by their keys, before a request is let in.

        On SQLite it is done at once, in the thread of the caller: that takes less than handing
        it to another thread, and a reader there waits for nobody. Each statement sees the moment
        it runs at. On PostgreSQL it is `read`.

        Raises:
            DatabaseUnavailableError: the database does not answer.
        """
        if self._glances is None:
            return await self.read(work)
        self._refuse_inside()
        with self._glancing, self._inside_one(), ExitStack() as undo:
            connection = self._glance or self._glances.connect()
            self._glance = None
            undo.callback(connection.close)
            result = work(Transaction(connection))
            undo.pop_all()
            self._glance = connection  # good for the next
            return result

    def run_now(self, work: Callable[[Transaction], T]) -> T:
        """As `run`, for a caller without an event loop."""
        queue = self._queue
        if queue is None:
            return self._submit(self._writer, self._write, work).result()
        future: Future[T] = Future()
        self._enqueue(queue, Waiting(work, future))
        return future.result()

    def read_now(self, work: Callable[[Transaction], T]) -> T:
        """As `read`, for a caller without an event loop."""
        return self._submit(self._reader, self._read, work).result()

    async def ping(self) -> None:
        """Return when the database has answered one read of what it keeps.

        Raises:
            DatabaseUnavailableError: it did not, or what it should keep is not there.
        """
        try:
            await self.read(_read_a_page)
        except ProgrammingError as error:
            raise DatabaseUnavailableError(
                "the database has lost its tables", cause=error
            ) from error

    def close(self) -> None:
        """Wait for what has begun, then close every connection. A second time does nothing."""
        for lane in (self._writer, self._reader):
            lane.threads.shutdown(wait=True, cancel_futures=True)
            lane.engine.dispose()
        if self._queue is not None:
            self._queue.cancel()
        if self._glances is not None:
            with self._glancing:
                if self._glance is not None:
                    self._glance.close()
                self._glances.dispose()
                self._glance = self._glances = None

    def _enqueue(self, queue: Queue, waiting: Waiting) -> None:
        """Let it wait for the one writer of SQLite."""
        self._refuse_inside()
        if queue.add(waiting):
            self._tell_writer(queue)

    def _tell_writer(self, queue: Queue) -> None:
        try:
            self._writer.threads.submit(self._write_queued, queue)
        except RuntimeError as error:
            queue.cancel()
            raise DatabaseUnavailableError("the database was closed", cause=error) from error

    def _submit(
        self,
        lane: _Lane,
        transact: Callable[[Callable[[Transaction], T]], T],
        work: Callable[[Transaction], T],
    ) -> Future[T]:
        self._refuse_inside()
        try:
            return lane.threads.submit(transact, work)
        except RuntimeError as error:
            raise DatabaseUnavailableError("the database was closed", cause=error) from error

    def _refuse_inside(self) -> None:
        if getattr(self._inside, "transaction", False):
            # It would wait for the very thread it runs in.
            raise RuntimeError("a transaction was opened inside another")

    def _write(self, work: Callable[[Transaction], T]) -> T:
        with self._connection(self._writer.engine) as connection:
            answers = write_together(connection, [Waiting(work, Future())], self._recorder)
        result: T = answers[0][1].result
        return result

    def _write_queued(self, queue: Queue) -> None:
        """Write what waits together, and have the writer told again if more did."""
        together, left = queue.take()
        if together:
            try:
                with self._connection(self._writer.engine) as connection:
                    answers = write_together(connection, together, self._recorder)
            except BaseException as error:  # noqa: BLE001  handed to all who wait
                answers = [(one, Answer(error=error)) for one in together]
            settle(answers)
        if left:
            with suppress(DatabaseUnavailableError):  # closed meanwhile: all who wait were told
                self._tell_writer(queue)

    def _read(self, work: Callable[[Transaction], T]) -> T:
        with self._connection(self._reader.engine) as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(  # noqa: PLW2901  the same one, read-only
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            # Begun here and not by its first statement, which may be one of `Prepared`.
            with connection.begin():
                tx = Transaction(connection)
                result = work(tx)
            if tx.events:
                raise UnrecordedEventError("an event was recorded in a read-only transaction")
            return result

    @contextmanager
    def _connection(self, engine: Engine) -> Iterator[Connection]:
        with self._inside_one(), engine.connect() as connection:
            yield connection

    @contextmanager
    def _inside_one(self) -> Iterator[None]:
        """What the thread does now uses a connection; what that raises is told in our words."""
        self._inside.transaction = True
        try:
            yield
        except (OperationalError, InterfaceError, PoolTimeoutError) as error:
            raise DatabaseUnavailableError("the database does not answer", cause=error) from error
        except DatabaseError as error:
            if not is_damage(error):
                raise
            raise DatabaseUnavailableError("the database is damaged", cause=error) from error
        finally:
            self._inside.transaction = False


def _read_a_page(tx: Transaction) -> None:
    """Read a table that is always there, from the disk: SQLite would answer `SELECT 1` without its file."""
    if tx.connection.dialect.name == "sqlite":
        tx.connection.exec_driver_sql("PRAGMA shrink_memory")  # forget the pages it remembers
    tx.connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()


def _threads(name: str, count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=count, thread_name_prefix=name)
