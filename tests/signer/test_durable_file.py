import os

import pytest

from remit.signer.durable_file import sync_folder, write_durably


def test_a_file_is_replaced_as_a_whole_and_private(tmp_path):
    path = tmp_path / "one"
    path.write_text("a longer text of before")
    write_durably(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_crash_left_beside_it_is_no_obstacle(tmp_path):
    (tmp_path / "one.new").write_text("half of someth")
    write_durably(tmp_path / "one", b"whole")
    assert (tmp_path / "one").read_bytes() == b"whole"


def test_a_disk_that_refuses_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "one"
    write_durably(path, b"before")

    def refuse(descriptor: int) -> None:
        raise OSError("no")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="no"):
        write_durably(path, b"after")
    assert path.read_bytes() == b"before"


def test_a_link_in_its_place_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").write_text("theirs")
    (tmp_path / "one.new").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):
        write_durably(tmp_path / "one", b"ours")
    assert (tmp_path / "elsewhere").read_text() == "theirs"


def test_a_folder_that_is_not_there_cannot_be_safe(tmp_path):
    with pytest.raises(OSError):
        sync_folder(tmp_path / "none")
