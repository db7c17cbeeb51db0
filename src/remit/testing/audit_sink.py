"""What every receiver of copies behind `sinks.port.AuditSink` must do: run `AuditSinkContract` over yours.

Subclass it in a test module and give it the fixture `subject`: a `SinkSubject` with a sink that is open, and what its
receiver has. The receiver takes everything that the contract sends, until it is told to `fail` or to `stall`.
"""
# ruff: noqa: S101  asserting is what a contract suite is for

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from remit.audit.source import Record
from remit.sinks.forms.form import FORMS, shipment_of
from remit.sinks.port import AuditSink, SinkDownError
from remit.sinks.shipment import Shipment, told_of

__all__ = ["HOSTILE", "AuditSinkContract", "SinkSubject", "sample_shipments"]

_GENEROUS: Final = 20.0
"""Seconds in which something has to have happened that takes none."""
_BLOCKED: Final = 1.0
"""Seconds for which nothing else moves: whoever waits like that holds up every call of the process."""
HOSTILE: Final = 'a\nb\r\n\x1b[31m|=\\"]\u202e\u2028<13>1 - - - - - -'
"""What somebody might write where they are let, to end a line or a field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkSubject:
    """A sink under test. `received` are the ids of what its receiver has, in order, with what came twice.

    After `fail` nobody answers it any more; after `mend` it is answered again. After `stall` what it sends is not
    answered, until `mend`; `None` for a sink that waits for nobody. `secret` may stand nowhere that anybody reads.
    """

    sink: AuditSink
    received: Callable[[], Sequence[str]]
    fail: Callable[[], Awaitable[None]]
    mend: Callable[[], Awaitable[None]]
    stall: Callable[[], Awaitable[None]] | None
    secret: str | None = None
    form: str = "json"


def sample_shipments(
    count: int, *, form: str = "json", first: int = 0, log: str = "remit/main", note: str = "fine"
) -> tuple[Shipment, ...]:
    """So many records of a log, one after another, as sinks get them. `note` stands in the body of each."""
    return tuple(_shipment(first + number, form, log=log, note=note) for number in range(count))


class AuditSinkContract:
    """Inherit, and every method is a test."""

    async def test_what_it_says_it_has_the_receiver_has_in_order(
        self, subject: SinkSubject
    ) -> None:
        some = sample_shipments(25, form=subject.form)
        await subject.sink.send(some)
        assert list(subject.received()) == [one.id for one in some]

    async def test_one_alone_is_taken(self, subject: SinkSubject) -> None:
        some = sample_shipments(1, form=subject.form)
        await subject.sink.send(some)
        assert list(subject.received()) == [some[0].id]

    async def test_as_many_as_it_says_that_it_takes_are_taken(self, subject: SinkSubject) -> None:
        some = sample_shipments(min(subject.sink.batch.records, 1_000), form=subject.form)
        await subject.sink.send(some)
        assert list(subject.received()) == [one.id for one in some]

    async def test_what_is_sent_one_after_another_arrives_in_that_order(
        self, subject: SinkSubject
    ) -> None:
        for first in range(0, 60, 20):
            await subject.sink.send(sample_shipments(20, form=subject.form, first=first))
        assert list(subject.received()) == [
            one.id for one in sample_shipments(60, form=subject.form)
        ]

    async def test_what_is_sent_again_comes_under_the_same_id(self, subject: SinkSubject) -> None:
        some = sample_shipments(3, form=subject.form)
        for _ in range(2):
            await subject.sink.send(some)
        assert set(subject.received()) == {one.id for one in some}

    async def test_records_of_several_logs_are_told_apart(self, subject: SinkSubject) -> None:
        for log in ("remit/main", "remit/b", "remit/joined"):
            await subject.sink.send(sample_shipments(2, form=subject.form, log=log))
        assert len(set(subject.received())) == 6

    async def test_whatever_is_in_a_record_it_stays_one(self, subject: SinkSubject) -> None:
        some = sample_shipments(3, form=subject.form, note=HOSTILE)
        await subject.sink.send(some)
        assert list(subject.received()) == [one.id for one in some]

    async def test_a_receiver_that_nobody_reaches_has_nothing(self, subject: SinkSubject) -> None:
        await subject.sink.send(sample_shipments(1, form=subject.form))
        await subject.fail()
        error = await _failure(subject, sample_shipments(3, form=subject.form, first=1))
        assert isinstance(error, SinkDownError), f"`{type(error).__name__}` is not understood"

    async def test_a_receiver_that_is_back_takes_the_same_again(self, subject: SinkSubject) -> None:
        some = sample_shipments(3, form=subject.form)
        await subject.fail()
        assert await _failure(subject, some) is not None
        await subject.mend()
        await subject.sink.send(some)
        assert {one.id for one in some} <= set(subject.received())

    async def test_no_secret_stands_in_what_it_says(self, subject: SinkSubject) -> None:
        await subject.fail()
        error = await _failure(subject, sample_shipments(1, form=subject.form))
        said = f"{error!r} {error} {subject.sink!r}"
        assert subject.secret is None or subject.secret not in said

    async def test_who_is_kept_waiting_is_let_go_and_nothing_goes_on_for_them(
        self, subject: SinkSubject
    ) -> None:
        if subject.stall is None:
            return
        before = asyncio.all_tasks()
        await subject.stall()
        waiting = asyncio.ensure_future(subject.sink.send(sample_shipments(3, form=subject.form)))
        assert await _longest_step(10) < _BLOCKED, "nothing else moves while it waits"
        assert not waiting.done(), "it says that it has what nobody took"
        waiting.cancel()
        done, _ = await asyncio.wait({waiting}, timeout=_GENEROUS)
        assert done, "it does not let itself be cancelled"
        await subject.mend()
        await subject.sink.send(sample_shipments(3, form=subject.form))
        await subject.sink.close()
        left = {one for one in asyncio.all_tasks() - before if one is not asyncio.current_task()}
        if left:
            _, going_on = await asyncio.wait(left, timeout=_GENEROUS)
            assert not going_on, "something goes on that nobody waits for"

    async def test_it_says_what_it_takes_at_once_and_keeps_to_it(
        self, subject: SinkSubject
    ) -> None:
        batch = subject.sink.batch
        assert batch == subject.sink.batch
        assert batch.records >= 1
        assert batch.content >= 1_024
        assert batch.longest >= 1_024
        assert batch.wait >= 0

    async def test_it_can_be_closed_twice(self, subject: SinkSubject) -> None:
        await subject.sink.send(sample_shipments(1, form=subject.form))
        await subject.sink.close()
        await subject.sink.close()


async def _failure(subject: SinkSubject, some: Sequence[Shipment]) -> BaseException | None:
    try:
        await subject.sink.send(some)
    except Exception as error:  # noqa: BLE001  it is judged by who asked
        return error
    raise AssertionError("it says that it has what nobody took")


async def _longest_step(turns: int) -> float:
    """How long, at most, everybody else had to wait for one of so many turns, in seconds."""
    loop = asyncio.get_running_loop()
    longest = 0.0
    for _ in range(turns):
        started = loop.time()
        await asyncio.sleep(0.01)
        longest = max(longest, loop.time() - started)
    return longest


def _shipment(number: int, form: str, *, log: str, note: str) -> Shipment:
    entry = {
        "v": 1,
        "id": f"evt_{log.replace('/', '')}{number:020d}",
        "seq": number,
        "prev": "00" * 32,
        "kind": "audit.queried",
        "time": "2026-11-22T17:00:00.123Z",
        "observed": "2026-11-22T17:00:00.125Z",
        "producer": {"service": "remit", "instance": "main", "version": "0.1.0"},
        "tenant": "acme",
        "env": "prod",
        "actor": {"type": "user", "id": "usr_1"},
        "user": "usr_1",
        "agent": None,
        "client": None,
        "grant": None,
        "flow": None,
        "net": {"ip": "192.0.2.7", "ua": note},
        "trace": None,
        "body": {"query": {"note": note}},
    }
    record = Record(log, number, orjson.dumps(entry, option=orjson.OPT_SORT_KEYS))
    return shipment_of(told_of(record), FORMS[form], longest=1_000_000)
