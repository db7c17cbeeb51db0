import os
from pathlib import Path

import pytest

from remit_audit_verify.files import OverlongFileError, open_file, read_file, read_given


def test_a_regular_file_is_read_up_to_a_limit(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with open_file(path) as file:
        assert file.read() == b"0123456789"
    assert read_file(path, 10) == b"0123456789"
    assert len(read_file(path, 4)) == 5


def test_nothing_but_a_regular_file_is_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(OSError, match="not a regular file"):
            open_file(path)
    with pytest.raises(IsADirectoryError):
        open_file(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "none", 1)


def test_what_is_handed_over_may_be_of_any_kind_and_not_of_any_length(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    assert read_given(path, 10) == b"0123456789"
    with pytest.raises(OverlongFileError, match="longer than 9 bytes"):
        read_given(path, 9)
    with pytest.raises(OverlongFileError):
        read_given(Path("/dev/zero"), 100)
    reading, writing = os.pipe()
    os.write(writing, b"piped")
    os.close(writing)
    assert read_given(Path(f"/proc/self/fd/{reading}"), 100) == b"piped"
    os.close(reading)
