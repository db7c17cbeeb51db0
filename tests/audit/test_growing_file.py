import errno
import os

import pytest

from remit.audit.disk import PosixDisk
from remit.audit.growing_file import GrowingFile
from remit.testing.disk import SimulatedDisk


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


def test_what_follows_the_good_end_is_cut_off_at_opening_and_writing_goes_on_there(path):
    path.write_bytes(b"good and torn")
    file = GrowingFile(PosixDisk(), path, end=4, reach=13)
    file.append(b" more")
    file.close()
    assert (path.read_bytes(), file.end) == (b"good more", 9)


@pytest.mark.parametrize(("end", "reach"), [(5, 20), (0, 3)], ids=["too short", "too long"])
def test_a_file_of_another_length_than_it_can_have_is_not_touched(path, end, reach):
    path.write_bytes(b"good")
    with pytest.raises(OSError, match="by another") as refusal:
        GrowingFile(PosixDisk(), path, end=end, reach=reach)
    assert refusal.value.errno == errno.ESTALE
    assert path.read_bytes() == b"good"


def test_what_a_failed_write_left_is_cut_off_before_the_next(path):
    disk = SimulatedDisk()
    file = GrowingFile(disk, path, end=0, reach=0)
    disk.fill_up(written=3)
    with pytest.raises(OSError) as refusal:
        file.append(b"12345")
    assert refusal.value.errno == errno.ENOSPC
    assert (path.read_bytes(), file.end) == (b"123", 0)
    disk.mend()
    file.confirm()
    file.append(b"678")
    assert path.read_bytes() == b"678"


def test_what_another_wrote_is_never_cut_off(path):
    disk = SimulatedDisk()
    file = GrowingFile(disk, path, end=0, reach=0)
    disk.fill_up(written=3)
    with pytest.raises(OSError):
        file.append(b"12345")
    disk.mend()
    with path.open("ab") as other:
        other.write(b"another")
    for attempt in (file.confirm, file.repair, lambda: file.append(b"678")):
        with pytest.raises(OSError) as refusal:
            attempt()
        assert refusal.value.errno == errno.ESTALE
    assert path.read_bytes() == b"123another"


def test_a_file_that_was_cut_is_not_filled_up_with_zeros(path):
    file = GrowingFile(PosixDisk(), path, end=0, reach=0)
    file.append(b"12345")
    os.truncate(path, 2)
    with pytest.raises(OSError):
        file.append(b"678")
    with pytest.raises(OSError):
        file.append(b"678")
    assert path.read_bytes() == b"12"


def test_a_file_without_its_name_is_not_written(path):
    file = GrowingFile(PosixDisk(), path, end=0, reach=0)
    file.append(b"1")
    held = os.open(path, os.O_RDONLY)
    path.unlink()
    with pytest.raises(OSError) as refusal:
        file.append(b"2")
    assert refusal.value.errno == errno.ESTALE
    assert os.pread(held, 10, 0) == b"1"
    os.close(held)


def test_a_descriptor_is_given_back_once_even_if_the_disk_then_says_that_something_is_wrong(path):
    class Complaining(PosixDisk):
        def close(self, descriptor):
            super().close(descriptor)
            raise OSError(errno.EIO, "input/output error")

    file = GrowingFile(Complaining(), path, end=0, reach=0)
    with pytest.raises(OSError, match="input/output"):
        file.close()
    other = os.open(path, os.O_RDONLY)  # most likely the same number
    file.close()
    os.close(other)
