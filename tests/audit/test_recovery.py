import json
import os
import random
import re
import signal
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.audit import (
    AuditLogDamagedError,
    AuditUnavailableError,
    StreamSettings,
    read_events,
    recovery,
    verify_log,
)
from remit.audit.events import GrantRevoked
from remit.testing.disk import SimulatedDisk

SEGMENT = "00000000000000000000.jsonl"


def revoked(reason="over") -> GrantRevoked:
    return GrantRevoked(reason=reason)


def reasons(folder) -> list[str]:
    return [e["body"]["reason"] for e in read_events(folder) if e["kind"] == "grant.revoked"]


def repaired(folder) -> list[int]:
    started = [e["body"] for e in read_events(folder) if e["kind"] == "audit.started"]
    return [body["repaired_bytes"] for body in started]


@pytest.fixture
def written(open_log, stream):
    """A closed log of ten events, all of them under a checkpoint."""
    log = open_log()
    for n in range(10):
        log.record([revoked(str(n))])
    log.close()
    return stream.folder


def small(stream) -> StreamSettings:
    return StreamSettings(folder=stream.folder, origin=stream.origin, segment_bytes=1500)


@pytest.fixture
def segmented(open_log, stream):
    """A log in several segments whose process died: all but the last few events under a checkpoint."""
    log = open_log(settings=small(stream))
    for n in range(10):
        log.record([revoked(str(n))])
    image = {path.name: path.read_bytes() for path in stream.folder.iterdir()}
    log.close()
    for path in stream.folder.iterdir():
        path.unlink()
    for name, content in image.items():
        (stream.folder / name).write_bytes(content)
    return stream.folder


@pytest.fixture
def crashed(open_log, stream, clock):
    """A log whose process died: five events under a checkpoint, five more not."""
    disk = SimulatedDisk()
    log = open_log(disk=disk)
    for n in range(10):
        log.record([revoked(str(n))])
        if n == 4:
            log.checkpoint()
    image = {path.name: path.read_bytes() for path in stream.folder.iterdir()}
    log.close()
    for name, content in image.items():
        (stream.folder / name).write_bytes(content)
    return stream.folder


def lie(content: bytes) -> bytes:
    """A sidecar of the same size whose first node is another."""
    told = json.loads(content)
    told["nodes"][0] = "00" * 32
    return json.dumps(told).encode()


@pytest.mark.parametrize(
    ("sidecar", "change"),
    [
        ("kept", lambda content: content),
        ("empty", lambda content: b""),
        ("garbled", lambda content: b"\0" * 100),
        ("of another size", lambda content: re.sub(rb'"size":[0-9]+', b'"size":4', content)),
        (
            "with another link",
            lambda content: re.sub(rb'"previous":"....', b'"previous":"0000', content),
        ),
        ("of another version", lambda content: content.replace(b'"v":2', b'"v":1')),
        ("lying", lie),
    ],
)
def test_a_log_goes_on_where_it_ended_whatever_became_of_its_sidecar(
    segmented, open_log, stream, sidecar, change
):
    path = segmented / "frontier.json"
    held = path.read_bytes()
    path.write_bytes(change(held))
    assert (path.read_bytes() == held) == (sidecar == "kept"), "the test changes what it says"
    log = open_log(settings=small(stream))
    log.record([revoked("after")])
    log.close()
    assert reasons(segmented) == [*(str(n) for n in range(10)), "after"]
    assert verify_log(segmented).exit_code == 0
    assert repaired(segmented) == [0, 0]


def test_with_a_sidecar_only_the_last_segment_is_read(segmented, open_log, stream, monkeypatch):
    read = []
    whole = recovery.read_lines
    monkeypatch.setattr(recovery, "read_lines", lambda path: read.append(path.name) or whole(path))
    segments = sorted(path.name for path in segmented.glob("*.jsonl"))
    open_log(settings=small(stream)).close()
    assert read == segments[-1:]
    (segmented / "frontier.json").unlink()
    read.clear()
    open_log(settings=small(stream))
    assert read[: len(segments)] == segments


def flipped(path, at, mask=1) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= mask
    path.write_bytes(content)


@pytest.mark.parametrize("sidecar", [True, False])
def test_a_byte_changed_anywhere_in_the_last_segment_is_named_and_nothing_opens(
    crashed, open_log, sidecar
):
    """Under the last checkpoint and after it; a space that becomes NUL is not a torn write."""
    if not sidecar:
        (crashed / "frontier.json").unlink()
    path = crashed / SEGMENT
    whole = path.read_bytes()
    ends = [n for n, byte in enumerate(whole) if byte == 0x0A]
    seed = random.Random(9162)
    last = ends[-2] + 1  # of the very last record, the end is nothing that is signed or linked
    places = sorted({*seed.sample(range(last), 120), *ends[:-2]})
    for at in places:
        for mask in {1, whole[at]}:
            flipped(path, at, mask)
            damaged = sum(end < at for end in ends)
            with pytest.raises(AuditLogDamagedError) as refusal:
                open_log()
            assert refusal.value.sequence in {damaged, damaged + 1}, (at, mask)
            flipped(path, at, mask)
    open_log()


def test_a_byte_changed_in_an_older_segment_is_for_the_verifier(segmented, open_log, stream):
    """The control: what opening does not read. `remit audit verify` reads it."""
    flipped(segmented / SEGMENT, 700)
    open_log(settings=small(stream)).close()
    assert verify_log(segmented).exit_code == 1


@pytest.mark.parametrize("cut", [1, 2, 100, 400])
def test_a_torn_last_record_is_cut_off_and_counted(crashed, open_log, cut):
    path = crashed / SEGMENT
    whole = path.read_bytes()
    last = len(whole) - len(whole[:-1].rpartition(b"\n")[2]) - 1
    path.write_bytes(whole[:-cut])
    open_log().close()
    assert reasons(crashed) == [str(n) for n in range(9)]
    assert repaired(crashed) == [0, len(whole) - cut - last]
    assert verify_log(crashed).exit_code == 0


def test_zeros_that_a_power_cut_left_are_cut_off_with_what_follows_them(crashed, open_log):
    path = crashed / SEGMENT
    whole = path.read_bytes()
    lost = 5120 - len(whole) % 512
    path.write_bytes(whole + b"\0" * lost + b'half a record"}\n{"seq":12}\n')
    open_log().close()
    assert reasons(crashed) == [str(n) for n in range(10)]
    assert repaired(crashed)[1] > lost


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("surviving", [0, 10, 500, 700])
def test_whatever_a_power_cut_leaves_of_the_last_write_the_log_opens(
    open_log, stream, surviving, zeros
):
    disk = SimulatedDisk()
    log = open_log(disk=disk)
    log.record([revoked("acknowledged")])
    disk.failing, disk.error = frozenset({"sync", "truncate"}), 5
    with pytest.raises(AuditUnavailableError):
        log.record([revoked(f"in flight {n}") for n in range(3)])
    disk.power_cut(surviving=surviving, zeros=zeros)
    image = {path.name: path.read_bytes() for path in stream.folder.iterdir()}
    disk.mend()
    log.close()
    for name, content in image.items():
        (stream.folder / name).write_bytes(content)
    open_log().record([revoked("after")])
    assert reasons(stream.folder)[0] == "acknowledged"
    assert reasons(stream.folder)[-1] == "after"
    assert verify_log(stream.folder).exit_code == 0


def test_a_torn_last_checkpoint_is_cut_off(crashed, open_log):
    path = crashed / "checkpoints"
    path.write_bytes(path.read_bytes()[:-30])
    open_log().close()
    assert verify_log(crashed).exit_code == 0
    assert reasons(crashed) == [str(n) for n in range(10)]


def test_a_log_shorter_than_its_checkpoint_does_not_open(written, open_log):
    path = written / SEGMENT
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-2]))
    before = {p.name: p.read_bytes() for p in written.iterdir()}
    with pytest.raises(AuditLogDamagedError, match="ends before record 10") as refusal:
        open_log()
    assert refusal.value.sequence == 10
    assert {p.name: p.read_bytes() for p in written.iterdir()} == before


@pytest.mark.parametrize("sidecar", [True, False])
def test_a_log_whose_last_record_is_cut_in_two_does_not_open_when_it_was_signed(
    written, open_log, sidecar
):
    path = written / SEGMENT
    path.write_bytes(path.read_bytes()[:-5])
    if not sidecar:
        (written / "frontier.json").unlink()
    with pytest.raises(AuditLogDamagedError) as refusal:
        open_log()
    assert refusal.value.sequence == 11


def test_a_log_without_any_records_but_with_checkpoints_does_not_open(written, open_log):
    (written / SEGMENT).unlink()
    with pytest.raises(AuditLogDamagedError) as refusal:
        open_log()
    assert refusal.value.sequence == 0


def test_a_log_whose_records_are_not_those_signed_does_not_open(written, open_log):
    path = written / SEGMENT
    lines = path.read_bytes().splitlines(keepends=True)
    lines[-1] = lines[-1].replace(b"audit.stopped", b"audit.started")
    path.write_bytes(b"".join(lines))
    with pytest.raises(AuditLogDamagedError, match="not those that its checkpoint signs"):
        open_log()


def test_a_record_damaged_before_the_end_does_not_open_and_is_named(crashed, open_log):
    path = crashed / SEGMENT
    lines = path.read_bytes().splitlines(keepends=True)
    lines[8] = lines[8].replace(b'"reason":"7"', b'"reason":"x"')
    path.write_bytes(b"".join(lines))
    with pytest.raises(AuditLogDamagedError) as refusal:
        open_log()
    assert refusal.value.sequence == 9, "the first whose link no longer holds"


@pytest.mark.parametrize("name", ["checkpoints", "log.pub"])
def test_a_garbled_file_beside_the_records_does_not_open(written, open_log, name):
    path = written / name
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)
    with pytest.raises(AuditLogDamagedError):
        open_log()


def test_a_log_of_another_key_does_not_open(written, open_log):
    with pytest.raises(AuditLogDamagedError, match="another key"):
        open_log(key=Ed25519PrivateKey.generate())


def test_a_log_of_another_name_does_not_open(written, open_log, stream):
    other = StreamSettings(folder=stream.folder, origin="example.test/other")
    with pytest.raises(AuditLogDamagedError):
        open_log(settings=other)


def test_a_log_that_lost_its_first_segment_does_not_open(open_log, stream):
    small = StreamSettings(folder=stream.folder, origin=stream.origin, segment_bytes=1000)
    log = open_log(settings=small)
    for n in range(10):
        log.record([revoked(str(n))])
    log.close()
    (stream.folder / SEGMENT).unlink()
    (stream.folder / "frontier.json").unlink()
    with pytest.raises(AuditLogDamagedError, match="does not start at record 0"):
        open_log()


def test_a_log_of_many_segments_goes_on_in_the_last(open_log, stream):
    small = StreamSettings(folder=stream.folder, origin=stream.origin, segment_bytes=1500)
    for start in range(4):
        log = open_log(settings=small)
        for n in range(5):
            log.record([revoked(f"{start}.{n}")])
        log.close()
        if start % 2:
            (stream.folder / "frontier.json").unlink()
    assert reasons(stream.folder) == [f"{start}.{n}" for start in range(4) for n in range(5)]
    assert verify_log(stream.folder).exit_code == 0


CHILD = """
import asyncio, os, sys
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from remit.audit import FileAuditLog, StreamSettings
from remit.audit import recovery
from remit.audit.events import GrantRevoked

folder, life = sys.argv[1], sys.argv[2]
key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
settings = StreamSettings(folder=Path(folder), origin="example.test/main", segment_bytes=200_000)
log = FileAuditLog(settings, key)

async def writer(name):
    n = 0
    while True:
        reason = f"{life}/{name}/{n}"
        receipt = await log.append(GrantRevoked(reason=reason))
        os.write(1, f"{receipt.sequence} {receipt.leaf} {reason}\\n".encode())
        n += 1

async def main():
    await asyncio.gather(*(writer(n) for n in range(16)))

asyncio.run(main())
"""


def test_no_acknowledged_event_is_lost_when_the_process_is_killed_again_and_again(stream):
    """A killed process keeps its page cache: this shows ordering and repair; the power cut is above."""
    seed = random.Random(6962)
    acknowledged: dict[int, tuple[str, str]] = {}
    for life in range(6):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(stream.folder), str(life)], stdout=subprocess.PIPE
        )
        wanted = seed.randrange(200, 2000)
        lines = [child.stdout.readline() for _ in range(wanted)]
        os.kill(child.pid, signal.SIGKILL)
        rest = child.stdout.read()
        child.stdout.close()
        child.wait()
        lines += rest[: rest.rfind(b"\n") + 1].splitlines()
        for line in lines:
            sequence, leaf, reason = line.decode().split()
            assert int(sequence) not in acknowledged
            acknowledged[int(sequence)] = (leaf, reason)
    entries = {entry["seq"]: entry for entry in read_events(stream.folder)}
    lost = [
        sequence
        for sequence, (_, reason) in acknowledged.items()
        if sequence not in entries or entries[sequence]["body"]["reason"] != reason
    ]
    assert lost == []
    assert len(acknowledged) > 1200
    later = [e for e in entries.values() if e["kind"] == "audit.started"]
    assert len(later) == 6
    assert all(
        entries[sequence + 1]["prev"] == leaf
        for sequence, (leaf, _) in acknowledged.items()
        if sequence + 1 in entries
    )
    assert verify_log(stream.folder).exit_code == 0
