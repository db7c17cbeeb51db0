import asyncio
import errno
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from remit.audit import (
    AuditLogLockedError,
    AuditUnavailableError,
    FileAuditLog,
    StreamSettings,
    read_events,
    verify_log,
)
from remit.audit import durable_log as module
from remit.audit.events import AuditQueried, GrantRevoked
from remit.audit.waiting import Patience
from remit.testing.disk import SimulatedDisk

SEGMENT = "00000000000000000000.jsonl"


def revoked(reason="over") -> GrantRevoked:
    return GrantRevoked(reason=reason)


def kinds(folder) -> list[str]:
    return [entry["kind"] for entry in read_events(folder)]


def reasons(folder) -> list[str]:
    return [e["body"]["reason"] for e in read_events(folder) if e["kind"] == "grant.revoked"]


def image_of(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def restore(folder, image) -> None:
    for name, content in image.items():
        (folder / name).write_bytes(content)


class HeldDisk(SimulatedDisk):
    """A disk whose `sync` waits until it is let go."""

    def __init__(self):
        super().__init__()
        self.reached = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def sync(self, descriptor):
        self.reached.set()
        assert self.gate.wait(10)
        super().sync(descriptor)


async def reached(disk: HeldDisk) -> None:
    assert await asyncio.to_thread(disk.reached.wait, 10)


async def test_nobody_is_answered_before_the_disk_says_that_it_has_the_record(open_log, stream):
    disk = HeldDisk()
    log = open_log(disk=disk)
    disk.gate.clear()
    disk.reached.clear()
    waiter = asyncio.ensure_future(log.append(revoked()))
    await reached(disk)
    await asyncio.sleep(0)
    assert b"grant.revoked" in (stream.folder / SEGMENT).read_bytes()
    assert not waiter.done(), "written is not yet on stable storage"
    disk.gate.set()
    receipt = await waiter
    assert receipt.sequence == 1


async def test_an_acknowledged_event_survives_a_power_cut_and_one_that_is_not_may_not(
    open_log, stream
):
    disk = HeldDisk()
    log = open_log(disk=disk)
    for n in range(20):
        await log.append(revoked(f"acknowledged {n}"))
    disk.gate.clear()
    disk.reached.clear()
    lost = asyncio.ensure_future(log.append(revoked("in flight")))
    await reached(disk)
    image = image_of(stream.folder)
    disk.power_cut()
    after = (stream.folder / SEGMENT).read_bytes()
    assert b"in flight" in image[SEGMENT]
    assert b"in flight" not in after, "the simulated disk keeps only what was synced"
    assert after.count(b"acknowledged") == 20
    restore(stream.folder, image)
    disk.gate.set()
    await lost


async def test_a_log_that_does_not_wait_for_the_disk_would_be_found_out(open_log, stream):
    """The control of the two tests above: with a `sync` that does nothing, the power cut loses records."""

    class LyingDisk(SimulatedDisk):
        def sync(self, descriptor):
            self._do("sync", self._paths[descriptor])

    disk = LyingDisk()
    log = open_log(disk=disk)
    await log.append(revoked("acknowledged"))
    image = image_of(stream.folder)
    disk.power_cut()
    lost = b"acknowledged" not in (stream.folder / SEGMENT).read_bytes()
    restore(stream.folder, image)
    assert lost


async def test_write_and_sync_of_the_record_come_before_the_checkpoint_that_signs_it(
    open_log, stream
):
    disk = SimulatedDisk()
    log = open_log(disk=disk)
    disk.operations.clear()
    await log.append(revoked())
    await asyncio.to_thread(log.checkpoint)
    assert disk.operations == [
        ("write", SEGMENT),
        ("sync", SEGMENT),
        ("write", "checkpoints"),
        ("sync", "checkpoints"),
    ]


async def test_all_who_wait_share_one_sync(open_log, stream):
    disk = HeldDisk()
    log = open_log(disk=disk)
    disk.gate.clear()
    disk.reached.clear()
    first = asyncio.ensure_future(log.append(revoked("first")))
    await reached(disk)
    others = [asyncio.ensure_future(log.append(revoked(str(n)))) for n in range(100)]
    await asyncio.sleep(0)
    disk.operations.clear()
    disk.gate.set()
    await asyncio.gather(first, *others)
    assert disk.operations.count(("sync", SEGMENT)) == 2
    assert reasons(stream.folder) == ["first", *(str(n) for n in range(100))]


def test_files_and_folder_are_for_their_owner_alone(open_log, stream):
    stream.folder.mkdir(parents=True, mode=0o755)
    stream.folder.chmod(0o755)
    open_log()
    assert stat.S_IMODE(stream.folder.stat().st_mode) == 0o700
    names = {path.name for path in stream.folder.iterdir()}
    assert names == {SEGMENT, "checkpoints", "log.pub", "frontier.json", "lock"}
    for path in stream.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_a_second_opener_is_refused_and_harms_nothing(open_log, stream, log_key):
    log = open_log()
    log.record([revoked()])
    with pytest.raises(AuditLogLockedError, match="open in another process"):
        FileAuditLog(stream, log_key)
    log.record([revoked()])
    log.close()
    open_log().record([revoked()])
    assert verify_log(stream.folder).exit_code == 0


def test_start_and_stop_are_in_the_log_with_the_digest_of_the_settings(open_log, stream):
    open_log(producer=module.Producer(settings_digest="d1")).close()
    open_log(producer=module.Producer(settings_digest="d2")).close()
    events = list(read_events(stream.folder))
    assert [e["kind"] for e in events] == ["audit.started", "audit.stopped"] * 2
    assert [e["body"].get("settings_digest") for e in events] == ["d1", None, "d2", None]


def test_closing_writes_what_waits_and_signs_it(open_log, stream):
    log = open_log()
    for n in range(50):
        log.append_soon(AuditQueried(query={"n": n}))
    log.close()
    assert kinds(stream.folder) == ["audit.started", *["audit.queried"] * 50, "audit.stopped"]
    report = verify_log(stream.folder)
    assert report.streams[0].proven == 52


async def test_a_closed_log_refuses_everything_and_closes_twice(open_log):
    log = open_log()
    log.close()
    log.close()
    with pytest.raises(AuditUnavailableError):
        await log.append(revoked())
    with pytest.raises(AuditUnavailableError):
        log.append_soon(revoked())
    with pytest.raises(AuditUnavailableError):
        log.record([revoked()])
    with pytest.raises(AuditUnavailableError):
        log.checkpoint()


def test_a_checkpoint_is_signed_one_second_after_growth_and_not_again_without_growth(
    open_log, stream, clock
):
    log = open_log()
    assert (log.status().size, log.status().checkpointed) == (1, 1)
    log.record([revoked()])
    assert log.status().checkpointed == 1
    clock.advance(1)
    log.record([revoked()])
    log.checkpoint()
    assert log.status().checkpointed == 3
    before = (stream.folder / "checkpoints").read_bytes()
    clock.advance(60)
    log.checkpoint()
    assert (stream.folder / "checkpoints").read_bytes() == before


def test_with_the_real_clock_growth_is_signed_without_anybody_asking(stream, log_key):
    log = FileAuditLog(stream, log_key)
    try:
        log.record([revoked()])
        deadline = threading.Event()
        for _ in range(100):
            if log.status().checkpointed == 2:
                break
            deadline.wait(0.05)
        assert log.status().checkpointed == 2
    finally:
        log.close()


def test_segments_roll_by_size_each_under_a_checkpoint(open_log, stream):
    small = StreamSettings(folder=stream.folder, origin=stream.origin, segment_bytes=4000)
    log = open_log(settings=small)
    for n in range(40):
        log.record([revoked(str(n))])
    log.close()
    names = sorted(path.name for path in stream.folder.glob("*.jsonl"))
    assert len(names) > 3
    assert reasons(stream.folder) == [str(n) for n in range(40)]
    report = verify_log(stream.folder).streams[0]
    assert report.verdict == 0
    assert report.checkpoints >= len(names)


def test_a_new_segment_is_named_on_stable_storage_before_its_first_record(open_log, stream):
    disk = SimulatedDisk()
    small = StreamSettings(folder=stream.folder, origin=stream.origin, segment_bytes=1)
    log = open_log(settings=small, disk=disk)
    log.record([revoked()])
    disk.operations.clear()
    log.record([revoked()])
    created = [name for operation, name in disk.operations if operation == "open"]
    assert len(created) == 1
    order = disk.operations
    assert order.index(("open", created[0])) < order.index(("sync_folder", stream.folder.name))
    assert order.index(("sync_folder", stream.folder.name)) < order.index(("write", created[0]))


async def test_a_full_disk_refuses_all_who_wait_and_acknowledges_nothing(open_log, stream):
    disk = SimulatedDisk()
    log = open_log(disk=disk)
    await log.append(revoked("before"))
    disk.fill_up(written=300)
    answers = await asyncio.gather(
        *(log.append(revoked(f"refused {n}")) for n in range(10)), return_exceptions=True
    )
    assert all(isinstance(answer, AuditUnavailableError) for answer in answers)
    assert log.status().failure == os.strerror(28)
    assert reasons(stream.folder) == ["before"]
    disk.mend()
    await log.append(revoked("after"))
    log.close()
    assert reasons(stream.folder) == ["before", "after"]
    assert verify_log(stream.folder).exit_code == 0
    recovered = [e["body"] for e in read_events(stream.folder) if e["kind"] == "audit.recovered"]
    assert recovered == [{"refused": 10, "error": os.strerror(28)}]


@pytest.mark.parametrize(
    "operations", [{"sync"}, {"write"}, {"sync", "truncate"}, {"write", "truncate"}]
)
async def test_an_error_of_the_disk_refuses_until_a_record_goes_through(
    open_log, stream, operations
):
    disk = SimulatedDisk()
    log = open_log(disk=disk)
    disk.break_down()
    disk.failing = frozenset(operations)
    disk.written = 100
    for n in range(3):
        with pytest.raises(AuditUnavailableError, match="cannot be written"):
            await log.append(revoked(f"refused {n}"))
        with pytest.raises(AuditUnavailableError):
            log.append_soon(AuditQueried(query={}))
    disk.mend()
    receipt = await log.append(revoked("after"))
    assert receipt.sequence == 2, "`audit.recovered` comes first"
    log.close()
    assert reasons(stream.folder) == ["after"]
    assert verify_log(stream.folder).exit_code == 0


async def test_a_log_with_nobody_writing_finds_out_by_itself_that_the_disk_is_back(
    open_log, stream
):
    disk = SimulatedDisk()
    log = open_log(disk=disk)
    disk.fill_up()
    with pytest.raises(AuditUnavailableError):
        await log.append(revoked())
    disk.mend()
    for _ in range(100):
        if log.status().failure is None:
            break
        await asyncio.sleep(0.05)
    log.append_soon(AuditQueried(query={}))
    log.close()
    assert kinds(stream.folder)[1:] == ["audit.recovered", "audit.queried", "audit.stopped"]


async def test_events_that_nobody_waits_for_are_kept_through_a_full_disk_in_order(open_log, stream):
    disk = HeldDisk()
    log = open_log(disk=disk)
    disk.gate.clear()
    disk.reached.clear()
    first = asyncio.ensure_future(log.append(revoked("first")))
    await reached(disk)
    for n in range(3):
        log.append_soon(AuditQueried(query={"n": n}))
    second = asyncio.ensure_future(log.append(revoked("second")))
    await asyncio.sleep(0)
    disk.fill_up()
    disk.gate.set()
    await first
    with pytest.raises(AuditUnavailableError):
        await second
    disk.mend()
    await log.append(revoked("third"))
    log.close()
    queried = [
        e["body"]["query"] for e in read_events(stream.folder) if e["kind"] == "audit.queried"
    ]
    assert queried == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert reasons(stream.folder) == ["first", "third"]


def test_what_was_abandoned_while_the_disk_was_full_is_said_when_it_is_not(open_log, stream):
    disk = SimulatedDisk()
    log = open_log(disk=disk)
    events = [revoked("did not commit")]
    log.record(events)
    disk.fill_up()
    log.abandon(events, RuntimeError())
    disk.mend()
    log.record([revoked("next")])
    log.close()
    failed = [e["body"] for e in read_events(stream.folder) if e["kind"] == "effect.failed"]
    assert failed == [{"sequences": [1], "error": "RuntimeError"}]


def test_a_log_that_cannot_stop_in_good_order_says_so(open_log, stream, log_key, clock):
    disk = SimulatedDisk()
    log = FileAuditLog(stream, log_key, clock=clock, disk=disk)
    log.append_soon(revoked("kept"))
    disk.fill_up()
    with pytest.raises(AuditUnavailableError, match=r"good order: .*o space left"):
        log.close()
    disk.mend()
    open_log()
    assert verify_log(stream.folder).exit_code == 0


class Complaining(SimulatedDisk):
    """Closes what it is told to, and says each time that something went wrong. A number twice is an error of ours."""

    def __init__(self):
        super().__init__()
        self.held = set()

    def open(self, path):
        descriptor = super().open(path)
        self.held.add(descriptor)
        return descriptor

    def close(self, descriptor):
        self.held.remove(descriptor)
        super().close(descriptor)
        if self.failing == {"close"}:
            raise OSError(errno.EIO, "input/output error")


def test_every_descriptor_is_given_back_once_whatever_the_disk_says(stream, log_key, clock):
    disk = Complaining()
    small = replace(stream, segment_bytes=1, reserve_bytes=4096)
    log = FileAuditLog(small, log_key, clock=clock, disk=disk)
    disk.failing = frozenset({"close"})
    log.record([revoked("one")])
    log.record([revoked("two")])  # in a segment of its own
    assert log.status().failure is None
    log.close()
    assert disk.held == set()
    FileAuditLog(stream, log_key, clock=clock).close()  # the lock was given up as well
    assert verify_log(stream.folder).exit_code == 0


@pytest.mark.parametrize("operation", ["open", "write", "sync", "truncate"])
def test_a_disk_that_refuses_at_the_start_opens_no_log(stream, log_key, operation, open_log):
    disk = SimulatedDisk()
    disk.break_down()
    disk.failing = frozenset({operation})
    with pytest.raises(AuditUnavailableError, match=r"cannot be opened: .*input/output error"):
        FileAuditLog(stream, log_key, disk=disk)
    disk.mend()
    open_log()
    assert verify_log(stream.folder).exit_code == 0


async def test_a_checkpoint_that_fails_is_tried_again_and_refuses_no_event(open_log, stream, clock):
    class FullForCheckpoints(SimulatedDisk):
        full = False

        def write(self, descriptor, data):
            if self.full and self._paths[descriptor].name == "checkpoints":
                super().write(descriptor, data[:40])
                raise OSError(28, "No space left on device")
            super().write(descriptor, data)

    disk = FullForCheckpoints()
    log = open_log(disk=disk)
    disk.full = True
    await log.append(revoked())
    with pytest.raises(AuditUnavailableError):
        await asyncio.to_thread(log.checkpoint)
    await log.append(revoked())
    disk.full = False
    await asyncio.to_thread(log.checkpoint)
    log.close()
    assert verify_log(stream.folder).exit_code == 0


async def test_a_full_queue_refuses_at_once(open_log, monkeypatch):
    monkeypatch.setattr(module, "_MAX_WAITING", 3)
    disk = HeldDisk()
    log = open_log(disk=disk)
    disk.gate.clear()
    disk.reached.clear()
    waiting = [asyncio.ensure_future(log.append(revoked(str(n)))) for n in range(3)]
    await reached(disk)
    with pytest.raises(AuditUnavailableError, match="too many"):
        await log.append(revoked("too much"))
    with pytest.raises(AuditUnavailableError, match="too many"):
        log.append_soon(revoked("too much"))
    disk.gate.set()
    await asyncio.gather(*waiting)
    await log.append(revoked("again"))


async def test_a_waiter_that_gives_up_disturbs_nobody_and_its_event_stays(open_log, stream):
    disk = HeldDisk()
    log = open_log(disk=disk)
    disk.gate.clear()
    disk.reached.clear()
    impatient = asyncio.ensure_future(log.append(revoked("impatient")))
    await reached(disk)
    patient = asyncio.ensure_future(log.append(revoked("patient")))
    await asyncio.sleep(0)
    impatient.cancel()
    disk.gate.set()
    await patient
    assert reasons(stream.folder) == ["impatient", "patient"]


def test_a_loop_that_is_gone_disturbs_nobody(open_log, stream):
    disk = HeldDisk()
    log = open_log(disk=disk)
    disk.gate.clear()
    disk.reached.clear()

    async def leave():
        waiting = asyncio.ensure_future(log.append(revoked("left behind")))
        await reached(disk)
        waiting.cancel()

    asyncio.run(leave())
    disk.gate.set()
    log.record([revoked("next")])
    assert reasons(stream.folder) == ["left behind", "next"]


def test_many_threads_and_loops_write_one_chain(open_log, stream):
    log = open_log()

    async def many(name):
        await asyncio.gather(*(log.append(revoked(f"{name}")) for _ in range(50)))

    with ThreadPoolExecutor(6) as pool:
        jobs = [pool.submit(asyncio.run, many(f"loop {n}")) for n in range(3)]
        jobs += [
            pool.submit(lambda n=n: [log.record([revoked(f"thread {n}")] * 5) for _ in range(10)])
            for n in range(3)
        ]
        for job in jobs:
            job.result()
    log.close()
    assert len(reasons(stream.folder)) == 300
    assert verify_log(stream.folder).exit_code == 0


def test_events_recorded_together_stand_together(open_log, stream):
    log = open_log()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: log.record([revoked(str(n))] * 3), range(40)))
    found = reasons(stream.folder)
    assert all(len(set(found[at : at + 3])) == 1 for at in range(0, 120, 3))


async def test_a_writer_that_meets_an_error_of_ours_refuses_everything_from_then_on(
    stream, log_key, clock
):
    class Buggy(SimulatedDisk):
        broken = False

        def write(self, descriptor, data):
            if self.broken:
                raise ZeroDivisionError
            super().write(descriptor, data)

    disk = Buggy()
    log = FileAuditLog(stream, log_key, clock=clock, disk=disk)
    disk.broken = True
    with pytest.raises(AuditUnavailableError):
        await log.append(revoked())
    disk.broken = False
    with pytest.raises(AuditUnavailableError):
        await log.append(revoked())
    assert "ZeroDivisionError" in log.status().failure
    with pytest.raises(AuditUnavailableError):
        log.close()


def moved_away(folder):
    folder.rename(folder.with_name("moved"))


def replaced_by_an_empty_folder(folder):
    moved_away(folder)
    folder.mkdir()


def segment_removed(folder):
    (folder / SEGMENT).unlink()


def segment_replaced_by_its_copy(folder):
    copy = folder / "copy"
    copy.write_bytes((folder / SEGMENT).read_bytes())
    copy.rename(folder / SEGMENT)


def segment_cut(folder):
    os.truncate(folder / SEGMENT, 10)


def segment_written_to(folder):
    with (folder / SEGMENT).open("ab") as file:
        file.write(b"{}\n")


def checkpoints_removed(folder):
    (folder / "checkpoints").unlink()


def lock_removed(folder):
    (folder / "lock").unlink()


VANISHED = [
    moved_away,
    replaced_by_an_empty_folder,
    segment_removed,
    segment_replaced_by_its_copy,
    segment_cut,
    segment_written_to,
    checkpoints_removed,
    lock_removed,
]


@pytest.mark.parametrize("vanish", VANISHED, ids=lambda vanish: vanish.__name__)
async def test_a_log_that_vanished_under_the_process_acknowledges_nothing_more(
    stream, log_key, clock, vanish
):
    log = FileAuditLog(stream, log_key, clock=clock)
    await log.append(revoked("before"))
    vanish(stream.folder)
    for _ in range(2):
        with pytest.raises(AuditUnavailableError, match="cannot be written"):
            await log.append(revoked("into the void"))
        with pytest.raises(AuditUnavailableError):
            log.append_soon(AuditQueried(query={}))
    with pytest.raises(AuditUnavailableError):
        await asyncio.to_thread(log.record, [revoked("into the void")])
    assert log.status().failure is not None
    with pytest.raises(AuditUnavailableError, match="good order"):
        log.close()


@pytest.mark.parametrize("vanish", VANISHED[:6], ids=lambda vanish: vanish.__name__)
async def test_a_log_that_vanishes_while_it_is_written_takes_back_what_it_wrote(
    stream, log_key, clock, vanish
):
    """Between the write and its answer: the last moment at which it can be noticed."""
    disk = HeldDisk()
    log = FileAuditLog(stream, log_key, clock=clock, disk=disk)
    disk.gate.clear()
    disk.reached.clear()
    waiter = asyncio.ensure_future(log.append(revoked("into the void")))
    await reached(disk)
    vanish(stream.folder)
    disk.gate.set()
    with pytest.raises(AuditUnavailableError):
        await waiter
    with pytest.raises(AuditUnavailableError):
        log.close()


async def test_a_log_that_vanished_is_known_to_have_failed_before_anybody_writes(stream, log_key):
    log = FileAuditLog(stream, log_key)
    segment_removed(stream.folder)
    for _ in range(100):
        if log.status().failure is not None:
            break
        await asyncio.sleep(0.05)
    assert "removed, moved or replaced" in log.status().failure
    with pytest.raises(AuditUnavailableError):
        log.close()


async def test_a_log_that_is_moved_back_goes_on_and_says_what_it_refused(open_log, stream):
    log = open_log()
    await log.append(revoked("before"))
    moved_away(stream.folder)
    with pytest.raises(AuditUnavailableError):
        await log.append(revoked("into the void"))
    stream.folder.with_name("moved").rename(stream.folder)
    await log.append(revoked("after"))
    log.close()
    assert reasons(stream.folder) == ["before", "after"]
    assert verify_log(stream.folder).exit_code == 0
    (recovered,) = [e["body"] for e in read_events(stream.folder) if e["kind"] == "audit.recovered"]
    assert recovered["refused"] == 1


async def test_a_segment_is_not_rolled_over_into_a_folder_of_somebody_else(stream, log_key, clock):
    small = StreamSettings(folder=stream.folder, origin=stream.origin, segment_bytes=1)
    log = FileAuditLog(small, log_key, clock=clock)
    replaced_by_an_empty_folder(stream.folder)
    with pytest.raises(AuditUnavailableError):
        await log.append(revoked("into the void"))
    assert list(stream.folder.iterdir()) == []
    with pytest.raises(AuditUnavailableError):
        log.close()


@pytest.fixture
def hung(open_log, monkeypatch, clock):
    """A log at a disk that does not answer, and that disk; nobody waits longer than a moment."""
    monkeypatch.setattr(module, "_PATIENCE", 0.2)
    disk = HeldDisk()
    log = open_log(disk=disk)
    disk.gate.clear()
    yield log, disk
    disk.gate.set()


async def test_nobody_waits_without_bound_for_a_disk_that_hangs(hung, stream):
    log, disk = hung
    answers = await asyncio.gather(
        log.append(revoked("unanswered")),
        asyncio.to_thread(log.record, [revoked("unanswered too")]),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [AuditUnavailableError] * 2
    disk.gate.set()
    await answered(log)
    await log.append(revoked("after"))
    assert sorted(reasons(stream.folder)) == ["after", "unanswered", "unanswered too"]


async def answered(log) -> None:
    for _ in range(100):
        if log.status().failure is None:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the log does not notice that the disk answers")


async def test_a_disk_that_hangs_is_a_failure_and_refuses_at_once_until_it_answers(
    hung, monkeypatch
):
    log, disk = hung
    assert log.status().failure is None
    with pytest.raises(AuditUnavailableError):
        await log.append(revoked("unanswered"))
    assert log.status().failure == "the disk does not answer"
    monkeypatch.setattr(module, "_PATIENCE", 60)
    for _ in range(2):
        with pytest.raises(AuditUnavailableError, match="does not answer"):
            await log.append(revoked("refused"))
        with pytest.raises(AuditUnavailableError, match="does not answer"):
            log.append_soon(AuditQueried(query={}))
    disk.gate.set()
    await answered(log)
    await log.append(revoked("after"))


def test_closing_does_not_wait_without_bound_for_a_disk_that_hangs(hung):
    log, disk = hung
    log.append_soon(revoked("unanswered"))
    with pytest.raises(AuditUnavailableError, match="good order"):
        log.close()
    disk.gate.set()


async def test_patience_ends_for_each_in_turn_and_for_nobody_who_is_answered():
    loop = asyncio.get_running_loop()
    given_up = []

    def give_up(future):
        given_up.append(future)
        future.set_result([])

    patience = Patience(loop, give_up)
    answered, first, second, last = (loop.create_future() for _ in range(4))
    for future, seconds in ((first, 0.01), (answered, 0.01), (second, 0.03)):
        patience.watch(future, seconds)
    answered.set_result([])
    await second
    patience.watch(last, 0.01)
    await last
    assert given_up == [first, second, last]
