import pytest

from remit.testing.clock import FixedClock
from remit.witness.kept_notes import KeptNotes
from remit_audit_verify.stream_files import read_notes
from tests.witness.conftest import Log


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture
def kept(tmp_path, clock):
    return KeptNotes(lambda log: tmp_path, None, clock.monotonic)


def notes(folder) -> list[str]:
    lines = (folder / "witnessed").read_bytes().splitlines(keepends=True)
    found = list(read_notes(lines))
    assert all(note.complete for note in found)
    return [note.content.decode() for note in found]


def test_the_newest_is_always_there_and_one_of_each_minute(kept, clock, tmp_path):
    log = Log()
    for size in range(1, 200):
        kept.keep("remit/main", log.note(size))
        assert notes(tmp_path)[-1] == log.note(size)
        clock.advance(2)
    assert len(notes(tmp_path)) == 7
    assert (tmp_path / "witnessed").stat().st_mode & 0o777 == 0o600


def test_another_process_goes_on_after_what_is_there(kept, clock, tmp_path):
    log = Log()
    kept.keep("remit/main", log.note(1))
    again = KeptNotes(lambda log: tmp_path, None, clock.monotonic)
    again.keep("remit/main", log.note(2))
    again.keep("remit/main", log.note(3))
    assert notes(tmp_path) == [log.note(1), log.note(3)]


@pytest.mark.parametrize("left", ["half", "zeros", "nothing else"])
def test_what_a_power_cut_left_of_the_last_is_cut_off_and_spoils_none_that_follow(
    kept, clock, tmp_path, left
):
    log, path = Log(), tmp_path / "witnessed"
    kept.keep("remit/main", log.note(1))
    whole = path.read_bytes()
    torn = {"half": whole[:-20], "zeros": bytes(300)}
    path.write_bytes(torn["half"] if left == "nothing else" else whole + torn[left])
    again = KeptNotes(lambda log: tmp_path, None, clock.monotonic)
    again.keep("remit/main", log.note(2))
    again.keep("remit/main", log.note(3))
    before = [] if left == "nothing else" else [log.note(1)]
    assert notes(tmp_path) == [*before, log.note(3)]


def test_a_log_that_is_nowhere_is_kept_nowhere(tmp_path, clock):
    KeptNotes(lambda log: None, None, clock.monotonic).keep("remit/main", Log().note(1))
    assert list(tmp_path.iterdir()) == []
