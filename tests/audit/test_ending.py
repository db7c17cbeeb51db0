import threading

import pytest

from remit.audit import AuditLogDamagedError, StreamSettings
from remit.audit.ending import LogEnding, verify_ending
from remit.audit.events import GrantRevoked

SEGMENT = "00000000000000000000.jsonl"


@pytest.fixture
def written(open_log, stream):
    """A closed log of several segments."""
    small = StreamSettings(folder=stream.folder, origin=stream.origin, segment_bytes=1500)
    log = open_log(settings=small)
    for n in range(10):
        log.record([GrantRevoked(reason=str(n))])
    log.close()
    return stream.folder


def flipped(path, at) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_the_end_that_was_written_is_found_and_nothing_is_touched(written):
    before = {path.name: path.read_bytes() for path in written.iterdir()}
    last = max(written.glob("*.jsonl"))
    assert verify_ending(written) == LogEnding(int(last.stem), 12)
    assert {path.name: path.read_bytes() for path in written.iterdir()} == before


def test_a_byte_changed_in_the_last_segment_is_named(written):
    last = max(written.glob("*.jsonl"))
    flipped(last, 100)
    with pytest.raises(AuditLogDamagedError) as refusal:
        verify_ending(written)
    assert refusal.value.sequence in {int(last.stem), int(last.stem) + 1}


def test_an_older_segment_is_not_read(written):
    """The control: it says which segment it looked at, and means it."""
    flipped(written / SEGMENT, 100)
    assert verify_ending(written).first > 0


@pytest.mark.parametrize("content", [None, b"", b"\xff", b"remit/main+00000000+AAAA\n"])
def test_without_a_key_nothing_is_vouched_for(written, content):
    (written / "log.pub").unlink()
    if content is not None:
        (written / "log.pub").write_bytes(content)
    with pytest.raises(AuditLogDamagedError, match="holds no key"):
        verify_ending(written)


def test_a_log_that_is_being_written_gives_no_false_alarm(open_log, stream):
    small = StreamSettings(folder=stream.folder, origin=stream.origin, segment_bytes=20_000)
    log = open_log(settings=small)
    stop = threading.Event()

    def write():
        while not stop.is_set():
            log.record([GrantRevoked(reason="x" * 3000)] * 7)
            log.checkpoint()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        sizes = [verify_ending(stream.folder).size for _ in range(40)]
    finally:
        stop.set()
        writer.join()
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0]
