"""While the disk is full or nobody signs, only what is reserved is written, and the end of it is told."""

import asyncio

import pytest

from remit.audit import AuditUnavailableError, FileAuditLog, StreamSettings, read_events, verify_log
from remit.audit.events import AuditQueried, ClientEnabled, GrantRevoked
from remit.audit.signing import LocalSigner, SignerUnavailableError
from remit.testing.disk import SimulatedDisk

MIB = 1024 * 1024


def revoked(reason):
    return GrantRevoked(reason=reason)


def enabled():
    return ClientEnabled()


def kinds(folder):
    return [entry["kind"] for entry in read_events(folder)]


@pytest.fixture
def settings(stream):
    return StreamSettings(folder=stream.folder, origin=stream.origin, reserve_bytes=16 * MIB)


@pytest.fixture
def disk():
    return SimulatedDisk()


@pytest.fixture
def log(open_log, settings, disk):
    return open_log(settings=settings, disk=disk)


async def until(holds):
    for _ in range(100):
        if holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came to that")


async def test_on_a_full_disk_only_what_is_reserved_is_written(log, stream, disk):
    await log.append(enabled())
    disk.room = 100
    with pytest.raises(AuditUnavailableError):
        await log.append(enabled())
    assert log.status().failure == "the disk is full"
    await log.append(revoked("while it was full"))
    with pytest.raises(AuditUnavailableError, match="the disk is full"):
        await log.append(enabled())
    with pytest.raises(AuditUnavailableError, match="the disk is full"):
        log.append_soon(AuditQueried(query={}))
    assert kinds(stream.folder)[-1] == "grant.revoked"
    assert log.status().reserve < 16 * MIB


async def test_a_batch_in_which_the_disk_fills_up_splits_in_two(log, stream, disk):
    disk.room = 100
    answers = await asyncio.gather(
        *(log.append(event) for event in (enabled(), revoked("one"), enabled(), revoked("two"))),
        return_exceptions=True,
    )
    refused = [isinstance(answer, AuditUnavailableError) for answer in answers]
    assert refused == [True, False, True, False]
    assert kinds(stream.folder)[1:] == ["grant.revoked", "grant.revoked"]


async def test_a_transaction_is_reserved_only_as_a_whole(log, disk):
    disk.room = 0
    await log.append(revoked("so it is held"))
    with pytest.raises(AuditUnavailableError):
        await asyncio.to_thread(log.record, [revoked("with"), enabled()])
    await asyncio.to_thread(log.record, [revoked("one"), revoked("two")])


async def test_there_is_room_for_the_database_when_a_reserved_record_is_acknowledged(log, disk):
    disk.room = 0
    for n in range(3):
        await log.append(revoked(str(n)))
        assert disk.room > 3 * MIB
        disk.room = 0  # somebody else takes it


async def test_a_reserve_that_is_used_up_refuses_everything(log, disk):
    for n in range(4):
        disk.room = 0
        await log.append(revoked(str(n)))
    disk.room = 0
    with pytest.raises(AuditUnavailableError):
        await log.append(revoked("one too many"))
    assert log.status().reserve == 0


async def test_when_there_is_room_the_reserve_is_whole_again_and_what_was_refused_is_counted(
    log, stream, disk
):
    disk.room = 0
    await log.append(revoked("first"))
    for _ in range(3):
        with pytest.raises(AuditUnavailableError):
            await log.append(enabled())
    disk.room = 100 * MIB
    await until(lambda: log.status().failure is None)
    await log.append(enabled())
    assert log.status().reserve == 16 * MIB
    log.close()
    (said,) = [e["body"] for e in read_events(stream.folder) if e["kind"] == "audit.recovered"]
    assert said == {"refused": 3, "error": "the disk is full"}
    assert verify_log(stream.folder).exit_code == 0


async def test_a_restart_on_a_full_disk_still_takes_rights_away(
    log, open_log, settings, stream, disk
):
    disk.room = 0
    await log.append(revoked("before"))
    log.close()
    again = SimulatedDisk()
    again.room = 0
    second = open_log(settings=settings, disk=again)
    await second.append(revoked("after"))
    with pytest.raises(AuditUnavailableError):
        await second.append(enabled())
    assert [k for k in kinds(stream.folder) if k != "disk.filling"] == [
        "audit.started",
        "grant.revoked",
        "audit.stopped",
        "audit.started",
        "grant.revoked",
    ]


async def test_how_full_the_disk_is_is_told_at_each_level(log, stream, disk):
    disk.total = 1000 * MIB
    for free in (500, 190, 180, 90):
        disk.room = free * MIB
        await log.append(enabled())
    log.close()
    told = [e["body"]["percent"] for e in read_events(stream.folder) if e["kind"] == "disk.filling"]
    assert told == [80, 90]


async def test_a_disk_that_fails_otherwise_uses_no_reserve(log, disk):
    disk.break_down()
    with pytest.raises(AuditUnavailableError):
        await log.append(revoked("broken"))
    assert log.status().failure == "Input/output error"
    assert log.status().reserve == 16 * MIB
    disk.mend()
    await log.append(revoked("after"))


class Away(LocalSigner):
    """A signer that can be away."""

    away = False

    def sign(self, before, leaves):
        if self.away:
            raise SignerUnavailableError("the signer does not answer")
        return super().sign(before, leaves)


async def test_when_nobody_signs_for_too_long_only_what_is_reserved_is_written(
    stream, log_key, clock
):
    signer = Away(stream.origin, log_key)
    log = FileAuditLog(stream, signer, clock=clock)
    log.limit_unsigned(60)
    signer.away = True
    clock.advance(2)
    await log.append(enabled())
    await until(
        lambda: log.status().unsigned_for >= 0 and kinds(stream.folder)[-1] == "signer.lost"
    )
    await log.append(enabled())
    clock.advance(61)
    await until(lambda: log.status().failure == "nobody signs the log")
    with pytest.raises(AuditUnavailableError, match="nobody signs"):
        await log.append(enabled())
    await log.append(revoked("still"))
    signer.away = False
    clock.advance(11)
    await until(lambda: log.status().failure is None)
    await log.append(enabled())
    log.close()
    said = kinds(stream.folder)
    assert said.count("signer.lost") == said.count("signer.recovered") == 1
    assert verify_log(stream.folder).exit_code == 0


async def test_a_clock_that_is_set_is_in_the_log_and_the_order_is_kept(open_log, stream, clock):
    log = open_log()
    await log.append(revoked("before"))
    log._holding.clock._passed -= 3600  # an hour passed that the clock does not show
    await log.append(revoked("after"))
    log.close()
    (jump,) = [e["body"] for e in read_events(stream.folder) if e["kind"] == "clock.jumped"]
    assert jump == {"milliseconds": -3_600_000}
    assert [e["seq"] for e in read_events(stream.folder)] == list(range(5))


async def test_a_segment_that_nobody_signs_grows_and_the_next_begins_once_somebody_does(
    stream, log_key, clock
):
    small = StreamSettings(folder=stream.folder, origin=stream.origin, segment_bytes=1_600)
    signer = Away(stream.origin, log_key)
    log = FileAuditLog(small, signer, clock=clock)
    signer.away = True
    for n in range(10):
        await log.append(revoked(str(n)))
    assert len(list(stream.folder.glob("*.jsonl"))) == 1
    signer.away = False
    for n in range(3):
        await log.append(revoked(str(n)))
    assert len(list(stream.folder.glob("*.jsonl"))) > 1
    log.close()
    assert verify_log(stream.folder).exit_code == 0
