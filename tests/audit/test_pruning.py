import shutil
from contextlib import closing
from types import MappingProxyType

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.audit import FileAuditLog, StreamSettings, Verdict, verify_log
from remit.audit.events import AuditPruned, AuditStopped
from remit.audit.file_source import FileSource
from remit.audit.pruning import Prunable, Times, prunable, remove
from remit.audit.recovery import AuditLogDamagedError
from remit.audit.tiled_logs import TiledLogs
from remit.testing.clock import FixedClock
from remit_audit_verify.stream_files import list_segments
from remit_audit_verify.tree import verify_inclusion

LOG = "remit/main"
DAY = 86_400
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
YEAR = Times(365 * DAY, MappingProxyType({}))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "main"


@pytest.fixture
def clock():
    return FixedClock()


def opened(folder, clock):
    settings = StreamSettings(folder=folder, origin=LOG, segment_bytes=100_000)
    return closing(FileAuditLog(settings, KEY, clock=clock))


def fill(folder, clock, count=1_500):
    """So many records, signed, and in tiles; how many safe tiles cover."""
    with opened(folder, clock) as log:
        for _ in range(count // 100):
            log.record([AuditStopped()] * 100)
    tiled = TiledLogs(FileSource(folder), lambda log: folder)
    while tiled.advance(LOG):
        pass
    return tiled.make_safe(LOG)


def prune(folder, clock, covered, *, said=True):
    """Remove what may go; the log says so first."""
    meant = prunable(folder, YEAR, covered=covered, now=clock.now())
    if said:
        with opened(folder, clock) as log:
            log.record([AuditPruned(log=LOG, size=meant.size, files=len(meant.files))])
    remove(folder, meant)
    return meant


def firsts(folder):
    return [segment.first for segment in list_segments(folder)[0]]


def test_what_was_kept_for_its_time_goes_and_the_log_is_whole_afterwards(folder, clock):
    covered = fill(folder, clock)
    before = firsts(folder)
    assert len(before) > 3
    clock.advance(366 * DAY)
    meant = prune(folder, clock, covered)
    assert meant.size in before
    assert 0 < meant.size <= covered
    assert firsts(folder) == [first for first in before if first >= meant.size]
    assert verify_log(folder).verdict is Verdict.VALID


def test_the_log_goes_on_after_it_also_without_its_cache(folder, clock):
    covered = fill(folder, clock)
    clock.advance(366 * DAY)
    prune(folder, clock, covered)
    for cached in (True, False):
        if not cached:
            (folder / "frontier.json").unlink(missing_ok=True)
        fill(folder, clock, 300)
        assert verify_log(folder).verdict is Verdict.VALID


def test_a_proof_of_a_record_that_is_gone_still_holds(folder, clock):
    covered = fill(folder, clock)
    tiled = TiledLogs(FileSource(folder), lambda log: folder)
    signed = tiled.checkpoint(LOG)
    leaf = bytes.fromhex(next(FileSource(folder).read(LOG, 7, limit=1)).leaf)
    clock.advance(366 * DAY)
    prune(folder, clock, covered)
    proof = TiledLogs(FileSource(folder), lambda log: folder).tiles(LOG).inclusion(7, signed.size)
    assert verify_inclusion(leaf, 7, signed.size, proof=proof, root=signed.root)
    assert next(FileSource(folder).read(LOG, 0, limit=1)).sequence == firsts(folder)[0]


def test_records_that_are_gone_without_a_word_are_missed(folder, clock):
    covered = fill(folder, clock)
    clock.advance(366 * DAY)
    prune(folder, clock, covered, said=False)
    assert verify_log(folder).verdict is Verdict.TAMPERED


def test_before_its_time_nothing_goes(folder, clock):
    covered = fill(folder, clock)
    clock.advance(364 * DAY)
    assert prunable(folder, YEAR, covered=covered, now=clock.now()) is None


def test_what_no_tile_covers_stays_and_so_does_the_last_segment(folder, clock):
    covered = fill(folder, clock)
    clock.advance(366 * DAY)
    assert prunable(folder, YEAR, covered=0, now=clock.now()) is None
    assert prunable(folder, YEAR, covered=firsts(folder)[1] - 1, now=clock.now()) is None
    everything = prunable(folder, YEAR, covered=10**9, now=clock.now())
    assert everything.size == firsts(folder)[-1]
    assert prunable(folder, YEAR, covered=covered, now=clock.now()).size <= covered


def test_one_record_that_is_kept_longer_keeps_what_is_with_it_and_after_it(folder, clock):
    fill(folder, clock, 300)

    covered = fill(folder, clock, 1_200)
    times = Times(365 * DAY, MappingProxyType({"audit.started": 3_650 * DAY}))
    clock.advance(366 * DAY)
    assert prunable(folder, times, covered=covered, now=clock.now()) is None  # record 0 is one
    assert prunable(folder, YEAR, covered=covered, now=clock.now()) is not None


def test_a_record_that_cannot_be_read_is_kept(folder, clock):
    covered = fill(folder, clock)
    clock.advance(366 * DAY)
    first = list_segments(folder)[0][0].path
    content = first.read_bytes()
    first.write_bytes(b"x" + content[1:])
    assert prunable(folder, YEAR, covered=covered, now=clock.now()) is None


def test_a_log_whose_beginning_is_gone_without_tiles_does_not_open(folder, clock):
    covered = fill(folder, clock)
    clock.advance(366 * DAY)
    prune(folder, clock, covered)
    shutil.rmtree(folder / "tile")
    (folder / "frontier.json").unlink()
    with pytest.raises(AuditLogDamagedError), opened(folder, clock):
        pass
    assert verify_log(folder).verdict is not Verdict.VALID


def test_tiles_that_say_something_else_do_not_pass_for_what_is_gone(folder, clock):
    covered = fill(folder, clock)
    clock.advance(366 * DAY)
    prune(folder, clock, covered)
    tile = folder / "tile/0/000"
    content = tile.read_bytes()
    tile.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    (folder / "frontier.json").unlink()
    assert verify_log(folder).verdict is Verdict.TAMPERED


def test_what_is_gone_already_is_no_mistake(folder, clock):
    covered = fill(folder, clock)
    clock.advance(366 * DAY)
    meant = prunable(folder, YEAR, covered=covered, now=clock.now())
    remove(folder, meant)
    remove(folder, meant)
    assert isinstance(meant, Prunable)


@pytest.mark.parametrize(
    ("kind", "days"),
    [
        ("decision", 30),
        ("grant.revoked", 90),
        ("grant.x.y", 60),
        ("grant.x.z", 60),
        ("token.issued", 365),
    ],
)
def test_the_nearest_name_of_a_kind_says_how_long(kind, days):
    named = {"decision": 30 * DAY, "grant.*": 90 * DAY, "grant.x.*": 60 * DAY}
    assert Times(365 * DAY, MappingProxyType(named)).of(kind) == days * DAY
