"""The index: when it goes on, when it is made anew, and who writes it."""

import asyncio
from contextlib import closing
from functools import partial
from itertools import count

import pytest

from remit.audit import Context, Query
from remit.audit.events import AgentSuspended
from remit.trail import index as indexing
from remit.trail.index import TrailIndex, keep_index, open_index_file, renew_index_file
from remit.trail.index_store import count_blocks, epoch_of, epochs, indexed_logs, set_epoch
from remit.trail.question import Question
from remit.trail.search import search


def write(source, number, log="remit/main"):
    for n in range(number):
        source.add(log, AgentSuspended(context=Context(tenant="acme"), reason=str(n)))


def places(index):
    return {log: one.next for log, one in index.database.read_now(indexed_logs).items()}


def test_a_block_is_made_of_many_records_or_of_old_ones(index, source, clock):
    write(source, 511)
    assert index.advance() == 0
    write(source, 1)
    assert index.advance() == 512
    write(source, 1)
    assert index.advance() == 0
    clock.advance(3_599)
    assert index.advance() == 0
    clock.advance(2)
    assert index.advance() == 1
    assert places(index) == {"remit/main": 513}


def test_the_logs_of_others_are_left_to_them_for_a_while(index, source, clock):
    write(source, 512, log="remit/other")
    assert index.advance() == 0
    clock.advance(7_201)
    assert index.advance() == 512


def test_much_that_waits_is_indexed_a_block_at_a_time_and_counted(index, source):
    write(source, 9_000)
    assert index.waiting() == 9_000
    assert index.advance() == 4_096
    assert index.waiting() == 9_000 - 4_096
    assert index.advance() == 4_096
    assert index.advance() == 9_000 - 2 * 4_096
    assert index.advance() == 0


def test_of_two_that_index_one_log_the_second_writes_nothing(index, source, monkeypatch):
    write(source, 600)
    rival = TrailIndex(index.database, source, clock=index._clock, own="remit/main")
    write_ = TrailIndex._write

    def first_the_rival(self, known, moved, block, postings):
        if self is index:
            monkeypatch.setattr(TrailIndex, "_write", write_)
            assert rival.advance() == 600
        return write_(self, known, moved, block, postings)

    monkeypatch.setattr(TrailIndex, "_write", first_the_rival)
    assert index.advance() == 0
    assert places(index) == {"remit/main": 600}
    assert index.database.read_now(count_blocks) == 1
    assert len(search(index, Question(query=Query(), limit=1000)).found) == 600


def test_it_is_made_anew_when_it_says_more_than_a_log_has(index, source):
    write(source, 600)
    index.advance(at_once=True)
    epoch = index.begin()
    source.lines["remit/main"] = source.lines["remit/main"][:5]
    index.advance(at_once=True)
    assert index.begin() != epoch
    index.advance(at_once=True)
    assert places(index) == {"remit/main": 5}


def test_it_is_made_anew_when_it_is_of_another_version(index, source, monkeypatch):
    write(source, 600)
    index.advance(at_once=True)
    monkeypatch.setattr(indexing, "_VERSION", "trl9")
    assert index.begin().startswith("trl9")
    assert places(index) == {}


def test_what_was_pruned_before_it_was_indexed_is_passed_over(index, source):
    write(source, 20)
    source.pruned = {"remit/main": 12}
    assert index.advance(at_once=True) == 8
    assert places(index) == {"remit/main": 20}


def test_a_line_that_is_no_record_stops_nothing(index, source):
    write(source, 3)
    source.lines["remit/main"][1] = b"garbage"
    assert index.advance(at_once=True) == 3
    answer = search(index, Question(query=Query()))
    assert [one.record.sequence for one in answer.found] == [2, 0]


def test_a_clock_that_goes_back_leaves_the_order_of_a_log(index, source):
    for number in count():
        source.now += -3_600_000 if number == 6 else 1_000
        write(source, 1)
        index.advance(at_once=True)
        if number == 11:
            break
    found = search(index, Question(query=Query(), limit=100)).found
    assert [one.record.sequence for one in found] == list(range(11, -1, -1))
    early = Query(until=found[5].entry["observed"])
    wanted = [one.record.sequence for one in found if early.matches(one.entry)]
    assert [o.record.sequence for o in search(index, Question(query=early)).found] == wanted


def test_two_processes_that_name_their_logs_at_once_get_a_number_each(index, source, monkeypatch):
    write(source, 3)
    write(source, 3, log="remit/rival")
    naming = indexing.name_log

    def taken(tx, log, *, first):
        monkeypatch.setattr(indexing, "name_log", naming)
        naming(tx, "remit/rival", first=0)
        return False  # as where both took the same number

    monkeypatch.setattr(indexing, "name_log", taken)
    assert index.advance(at_once=True) == 6
    assert places(index) == {"remit/main": 3, "remit/rival": 3}


def test_an_index_that_two_began_at_once_has_one_name(index, source):
    write(source, 3)
    names = [index.forget() for _ in range(2)]

    def both(tx):
        set_epoch(tx, names[1])
        tx.connection.execute(epochs.insert().values(epoch=names[0]))

    index.database.run_now(both)
    assert {index.begin() for _ in range(9)} == {min(names)}


async def test_a_file_that_is_damaged_while_it_is_used_is_replaced(tmp_path, source, clock):
    path = tmp_path / "trail.sqlite3"
    index = TrailIndex(
        open_index_file(path), source, clock=clock, anew=partial(renew_index_file, path)
    )
    try:
        for way in (lambda: search(index, Question(query=Query())), lambda: _kept(index)):
            write(source, 700)
            index.advance(at_once=True)
            index.database.close()
            content = path.read_bytes()
            index.database = open_index_file(path)
            index.database.read_now(epoch_of)
            path.write_bytes(b"x" * len(content))
            await asyncio.to_thread(way)
            index.advance(at_once=True)
            found = search(index, Question(query=Query(), limit=1000)).found
            assert len(found) == min(1000, len(source.lines["remit/main"]))
    finally:
        index.database.close()


def _kept(index):
    async def once():
        async with asyncio.timeout(60):
            task = asyncio.create_task(keep_index(index))
            damaged = index.database
            while index.database is damaged:  # noqa: ASYNC110  there is nothing to be told by
                await asyncio.sleep(0.01)
            task.cancel()

    asyncio.run(once())


async def test_nothing_that_an_index_does_ends_the_process(index, monkeypatch):
    """Whatever it raises: the gateway goes on without it."""
    times = []

    def broken():
        times.append(1)
        raise KeyError("remit/main")

    monkeypatch.setattr(index, "advance", broken)
    monkeypatch.setattr(indexing, "_PAUSE", 0)
    async with asyncio.timeout(60):
        task = asyncio.create_task(keep_index(index))
        while len(times) < 3:  # noqa: ASYNC110  there is nothing to be told by
            await asyncio.sleep(0)
        assert not task.done()
        task.cancel()


@pytest.mark.parametrize("content", [b"no database", b""])
def test_a_file_that_is_damaged_is_replaced(tmp_path, content):
    path = tmp_path / "trail.sqlite3"
    path.write_bytes(content)
    with closing(open_index_file(path)) as opened:
        assert opened.read_now(indexed_logs) == {}
    assert path.stat().st_mode & 0o077 == 0
