"""The audit log, durable: many callers, one writer, one wait for the disk for all who came meanwhile.

Whoever waits goes on only when the event is on stable storage. When the disk refuses,
everybody who waits is refused, nothing of theirs is in the log, and every further append
tries the disk again first; it succeeds or is refused itself. A log whose files were removed,
moved or replaced under it is such a disk, found out before a record is acknowledged, and at
most one interval later when there is none. A disk that does not answer is waited for so
long and no longer; what was handed to it may still reach the log. Events that nobody waits
for are kept in order and written when the disk takes them. A full queue refuses. A
checkpoint is signed at most one interval after the log has grown.

While the disk is full, or nobody has signed for too long, the log is held: everything is refused but what is
reserved, which takes rights away or says what became of something (`Event.reserved`).

Source: AUDIT §1.5.
"""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from remit.audit.attestation import Attestation
from remit.audit.clock_watch import ClockWatch
from remit.audit.context import Context
from remit.audit.entry import BadEntryError, Draft, Moment, Producer, draft
from remit.audit.events import AuditStarted, AuditStopped, EffectFailed, Event
from remit.audit.holding import Holding
from remit.audit.log_stream import LogStream
from remit.audit.port import AuditUnavailableError, Receipt, told
from remit.audit.reserve import Reserve
from remit.audit.signing import SignerUnavailableError
from remit.audit.waiting import Answer, LogStatus, Patience, Waiting, answered, receipts_in, settle
from remit.clock import Clock, SystemClock
from remit.errors import Error
from remit_audit_verify.note import Checkpoint

__all__ = ["DurableAuditLog", "LogStatus"]

_MAX_BATCH = 128
_MAX_WAITING = 20_000
_INTERVAL = 1.0
_PATIENCE = 10.0
_CLOSED = "closed"
_STUCK = "the disk does not answer"
_NOT_OPENED = "the audit log cannot be opened: "
_NOT_CLOSED = "the audit log could not be closed in good order: "


class DurableAuditLog:
    """One stream; implements `AuditLog` and `db.Recorder`. Safe for many threads and loops.

    `began` is the number of the record that says that it was opened.
    """

    def __init__(
        self,
        open_stream: Callable[[], LogStream],
        *,
        producer: Producer | None = None,
        clock: Clock | None = None,
        reserve: Callable[[], Reserve] | None = None,
    ) -> None:
        """Open the stream, record `audit.started`, sign a checkpoint, and take events.

        `reserve` is opened after the stream, which holds the folder.

        Raises:
            AuditLogLockedError: the stream is open already.
            AuditLogDamagedError: the stream is not the log that was written.
            AuditUnavailableError: the disk, the database or the signer refuses.
        """
        self._producer = producer or Producer()
        self._clock = clock or SystemClock()
        self._moment = (0, Moment.of(0))
        self._local = threading.local()
        self._wake = threading.Condition()
        self._queue: deque[Waiting] = deque()
        self._batch: list[Waiting] = []  # the writer's own: in hand
        self._retained: list[Waiting] = []  # the writer's own: refused once, to be tried again
        self._count = 0
        self._closing = False
        self._failure: str | None = None
        self._stuck = False  # somebody waited too long, and the writer has not come back since
        try:
            self._stream = open_stream()
            self._attestation = Attestation(self._stream, self._clock)
            self._holding = Holding(self._attestation, ClockWatch(self._clock))
            self._start(reserve)
        except OSError as error:
            raise AuditUnavailableError(_NOT_OPENED + told(error), cause=error) from error
        self._writer = threading.Thread(target=self._run, name="audit-writer", daemon=True)
        self._writer.start()

    async def append(self, event: Event) -> Receipt:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        # Of every call: nothing is asked that need not be.
        reserved = event.reserved if self._holding.reason is None else self._holding.admit((event,))
        waiting = Waiting((self._draft(event),), future, loop, reserved=reserved)
        if self._enqueue(waiting):
            # Not before everybody else who is ready has come: one wait for the disk serves them all.
            loop.call_soon(self._rouse)
        self._patience(loop).watch(future, _PATIENCE)
        return receipts_in(await future)[0]

    def append_soon(self, event: Event) -> None:
        if self._failure is not None:
            raise AuditUnavailableError("the audit log has failed")
        if self._enqueue(Waiting((self._draft(event),), reserved=self._holding.admit((event,)))):
            self._rouse()

    def count_refusal(
        self, context: Context, *, where: str, error: str, about: str = "", token: str | None = None
    ) -> bool:
        """The log itself takes each; what stands before it may not (`audit.flood`)."""
        return False

    def record(self, events: Sequence[object]) -> None:
        drafts = tuple(self._draft(event) for event in events)
        if drafts:
            reserved = self._holding.admit(events)
            receipts = self._wait(Waiting(drafts, Future(), reserved=reserved))
            self._local.recorded = (tuple(events), receipts)

    def abandon(self, events: Sequence[object], cause: BaseException) -> None:
        """As the port says. When the disk refuses, the event is kept and written once it does not.

        Raises:
            AuditUnavailableError: the log is closed, or its queue is full.
        """
        known, receipts = getattr(self._local, "recorded", ((), []))
        identities = {id(event) for event in events}
        sequences = tuple(
            receipt.sequence
            for event, receipt in zip(known, receipts, strict=True)
            if id(event) in identities
        )
        first = events[0] if events else None
        context = first.context if isinstance(first, Event) else Context()
        failed = EffectFailed(context=context, sequences=sequences, error=type(cause).__name__)
        self._wait(Waiting((self._draft(failed),), Future(), retained=True, reserved=True))

    def checkpoint(self) -> Checkpoint:
        """Sign everything appended so far, now.

        Raises:
            AuditUnavailableError: it cannot be signed on stable storage.
        """
        waiting = Waiting((), Future(), checkpoint=True, reserved=True)
        answer = self._answer(waiting)
        if not isinstance(answer, Checkpoint):
            raise AuditUnavailableError("the audit log cannot sign a checkpoint")
        return answer

    def limit_unsigned(self, seconds: float) -> None:
        """Take nothing but what is reserved once nobody has signed for so long."""
        self._attestation.limit = seconds

    def status(self) -> LogStatus:
        """How the log is doing at the moment."""
        return LogStatus(
            size=self._stream.size,
            checkpointed=self._stream.checkpointed,
            waiting=self._count,
            failure=self._failure or (_STUCK if self._stuck else self._holding.reason),
            unsigned_for=self._attestation.unsigned_for(),
            reserve=None if self._holding.reserve is None else self._holding.reserve.kept,
        )

    def close(self) -> None:
        """Write what waits and `audit.stopped`, sign, and give up the stream; idempotent.

        Raises:
            AuditUnavailableError: the disk refused some of it.
        """
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._writer.join(_PATIENCE)
        if self._writer.is_alive() or self._failure not in {None, _CLOSED}:
            raise AuditUnavailableError(_NOT_CLOSED + (self._failure or _STUCK))

    def _draft(self, event: object) -> Draft:
        if not isinstance(event, Event):
            raise BadEntryError(f"a `{type(event).__name__}` is not an event")
        return draft(event, self._producer, self._now())

    def _now(self) -> Moment:
        now = self._clock.now_ms()
        known, moment = self._moment
        if known != now:
            moment = Moment.of(now)
            self._moment = (now, moment)
        return moment

    def _enqueue(self, waiting: Waiting) -> bool:
        """Queue it; whether nothing was queued before."""
        size = len(waiting.drafts)
        if self._stuck:
            raise AuditUnavailableError("the disk of the audit log does not answer")
        with self._wake:
            if self._closing:
                raise AuditUnavailableError("the audit log is closed")
            if self._count + size > _MAX_WAITING:
                raise AuditUnavailableError("too many events wait for the audit log")
            self._count += size
            self._queue.append(waiting)
            return len(self._queue) == 1

    def _rouse(self) -> None:
        with self._wake:
            self._wake.notify()

    def _answer(self, waiting: Waiting) -> Answer:
        self._enqueue(waiting)
        self._rouse()
        assert isinstance(waiting.future, Future)  # noqa: S101  its callers made it so
        try:
            return waiting.future.result(_PATIENCE)
        except TimeoutError as error:
            self._stuck = True
            return error

    def _patience(self, loop: asyncio.AbstractEventLoop) -> Patience:
        """The patience of the loop that runs in this thread."""
        patience: Patience | None = getattr(self._local, "patience", None)
        if patience is None or patience.loop is not loop:
            patience = self._local.patience = Patience(loop, self._give_up)
        return patience

    def _give_up(self, future: asyncio.Future[Answer]) -> None:
        if not future.done():
            self._stuck = True
            future.set_result(TimeoutError(_STUCK))

    def _wait(self, waiting: Waiting) -> list[Receipt]:
        return receipts_in(self._answer(waiting))

    # -- the writer -------------------------------------------------------------

    def _start(self, reserve: Callable[[], Reserve] | None) -> None:
        started = AuditStarted(
            settings_digest=self._producer.settings_digest,
            repaired_bytes=self._stream.repaired_bytes,
        )
        try:
            self._holding.reserve = None if reserve is None else reserve()
            self._look()
            self._holding.make_room()
            [began] = self._append([self._draft(started)])
            self.began = began.sequence
            self._stream.checkpoint()
        except (OSError, Error):
            self._give_back()
            raise

    def _run(self) -> None:
        """The task of the writer thread. It ends by closing, or by refusing everything from then on."""
        try:
            while not self._turn():
                pass
        except Exception as error:  # noqa: BLE001  the root of a task: what is unknown denies
            self._die(f"the writer stopped: {type(error).__name__}")

    def _turn(self) -> bool:
        """Write one batch, or sign what is due; whether the log is closed now."""
        self._stuck = False
        self._batch, closing = self._take()
        self._look()
        if self._batch or self._failure is not None:
            self._write(self._batch)
            self._batch = []
        else:
            self._watch()
        if closing and not self._queue:
            self._finish()
            return True
        if self._attestation.is_due():
            self._sign()
        return False

    def _take(self) -> tuple[list[Waiting], bool]:
        """What waits, up to one batch; waits itself until there is something, or for one interval."""
        with self._wake:
            if not self._queue and not self._closing:
                self._wake.wait(_INTERVAL)
            batch, self._retained = self._retained, []
            size = sum(len(waiting.drafts) for waiting in batch)
            while self._queue and size < _MAX_BATCH:
                batch.append(self._queue.popleft())
                size += len(batch[-1].drafts)
            return batch, self._closing

    def _look(self) -> None:
        for event in self._holding.look():
            self._tell(event)

    def _write(self, batch: list[Waiting]) -> None:
        if self._holding.reason is not None:
            batch = self._sift(batch, self._holding.reason)
            self._holding.make_room()
        drafts = [entry for waiting in batch for entry in waiting.drafts]
        probe: list[Draft] = []
        if self._failure is not None:
            probe = [self._draft(self._holding.recovered(self._failure))]
        try:
            receipts = self._append([*probe, *drafts])[len(probe) :]
        except OSError as error:
            if self._holding.draw(error):
                self._write(batch)  # what is reserved of it, with the space that was given up
            else:
                self._refuse(batch, error)
            return
        if probe:
            self._failure = None
            self._holding.forget_refused()
        self._release(len(drafts))
        signed = self._sign() if any(waiting.checkpoint for waiting in batch) else []
        settle(answered(batch, receipts, signed))

    def _sift(self, batch: list[Waiting], reason: str) -> list[Waiting]:
        """What of `batch` may be written while the log is held; of the rest, whoever waits is refused."""
        self._turn_away([one for one in batch if not one.reserved], OSError(reason))
        return [one for one in batch if one.reserved]

    def _watch(self) -> None:
        """With nothing to write: whether the log is still there, so that readiness knows before a call does."""
        try:
            self._stream.confirm()
        except OSError as error:
            self._refuse([], error)

    def _append(self, drafts: list[Draft]) -> list[Receipt]:
        return self._stream.append(drafts, self._now().text) if drafts else []

    def _tell(self, event: Event) -> None:
        """Say it with what is written next."""
        self._release(-1)
        self._retained.append(Waiting((self._draft(event),), reserved=event.reserved))

    def _refuse(self, batch: list[Waiting], error: OSError) -> None:
        """The disk took none of `batch`: say so to all who wait, keep what must not be lost."""
        self._failure = error.strerror or str(error) or type(error).__name__
        self._turn_away(batch, error)

    def _turn_away(self, batch: list[Waiting], error: OSError) -> None:
        kept = [w for w in batch if w.future is None or w.retained]
        refused = sum(len(w.drafts) for w in batch) - sum(len(w.drafts) for w in kept)
        self._retained += [Waiting(w.drafts, reserved=w.reserved) for w in kept]
        self._holding.count_refused(refused)
        self._release(refused)
        settle([(w, [] if w.retained else error) for w in batch])

    def _release(self, size: int) -> None:
        with self._wake:
            self._count -= size

    def _sign(self) -> Answer:
        answer = self._attestation.sign()
        news = self._attestation.news()
        if news is not None:
            self._tell(news)
        return answer

    def _finish(self) -> None:
        """Everything is written, or cannot be: stop in good order if the disk lets us."""
        failure: str | None = _CLOSED
        last = [entry for waiting in self._retained for entry in waiting.drafts]
        if self._failure is not None:
            last.insert(0, self._draft(self._holding.recovered(self._failure)))
        try:
            self._holding.make_room()
            self._append([*last, self._draft(AuditStopped())])
            self._attestation.sign_last()
        except OSError as error:
            failure = error.strerror or type(error).__name__
        except SignerUnavailableError as error:
            failure = error.detail
        with contextlib.suppress(OSError):  # what counts is on stable storage, or `failure` says so
            self._give_back()
        self._failure = failure

    def _give_back(self) -> None:
        try:
            self._stream.close()
        finally:
            self._holding.close()

    def _die(self, reason: str) -> None:
        with self._wake:
            self._closing = True
            self._failure = reason
            left = [*self._batch, *self._retained, *self._queue]
            self._queue.clear()
        settle([(waiting, OSError(reason)) for waiting in left])
        with contextlib.suppress(OSError):
            self._give_back()
