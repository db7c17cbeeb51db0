import errno
import os
import stat

import pytest

from remit.audit.disk import PosixDisk, Space
from remit.testing.disk import SimulatedDisk


@pytest.mark.parametrize("disk", [PosixDisk(), SimulatedDisk()], ids=["posix", "simulated"])
def test_files_are_appended_to_and_cut(disk, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"before ")
    descriptor = disk.open(path)
    disk.write(descriptor, b"after and more")
    disk.sync(descriptor)
    disk.truncate(descriptor, 12)
    disk.write(descriptor, b"!")
    disk.close(descriptor)
    disk.sync_folder(tmp_path)
    assert path.read_bytes() == b"before after!"


@pytest.mark.parametrize("disk", [PosixDisk(), SimulatedDisk()], ids=["posix", "simulated"])
def test_a_symbolic_link_in_the_place_of_a_file_is_refused(disk, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError) as refusal:
        disk.open(tmp_path / "link")
    assert refusal.value.errno == errno.ELOOP
    assert not (tmp_path / "elsewhere").exists()


def test_new_and_replaced_files_are_for_their_owner_alone(tmp_path):
    disk = PosixDisk()
    disk.close(disk.open(tmp_path / "new"))
    disk.replace(tmp_path / "replaced", b"one")
    disk.replace(tmp_path / "replaced", b"two")
    assert (tmp_path / "replaced").read_bytes() == b"two"
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"new", "replaced"}


def test_a_write_that_the_system_takes_in_parts_is_written_whole(tmp_path, monkeypatch):
    disk = PosixDisk()
    descriptor = disk.open(tmp_path / "file")
    whole = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: whole(fd, bytes(data[:3])))
    disk.write(descriptor, b"0123456789")
    monkeypatch.undo()
    disk.close(descriptor)
    assert (tmp_path / "file").read_bytes() == b"0123456789"


def test_the_simulated_disk_forgets_what_was_not_synced(tmp_path):
    disk = SimulatedDisk()
    descriptor = disk.open(tmp_path / "file")
    disk.sync_folder(tmp_path)
    disk.write(descriptor, b"kept")
    disk.sync(descriptor)
    disk.write(descriptor, b" lost")
    disk.power_cut(surviving=2)
    assert (tmp_path / "file").read_bytes() == b"kept l"


def test_the_simulated_disk_forgets_files_whose_folder_was_not_synced(tmp_path):
    disk = SimulatedDisk()
    descriptor = disk.open(tmp_path / "file")
    disk.write(descriptor, b"lost")
    disk.sync(descriptor)
    disk.power_cut()
    assert not (tmp_path / "file").exists()


def test_the_real_disk_says_that_it_is_full():
    """`/dev/full` is the kernel's own full disk."""
    disk = PosixDisk()
    descriptor = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(OSError) as refusal:
        disk.write(descriptor, b"x")
    assert refusal.value.errno == errno.ENOSPC
    os.close(descriptor)


def test_the_real_disk_asks_the_kernel_to_reach_the_medium(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: asked.append("fdatasync"))
    monkeypatch.setattr(os, "fsync", lambda descriptor: asked.append("fsync"))
    disk = PosixDisk()
    descriptor = disk.open(tmp_path / "file")
    disk.write(descriptor, b"x")
    disk.sync(descriptor)
    disk.close(descriptor)
    disk.sync_folder(tmp_path)
    assert asked == ["fdatasync", "fsync"]


@pytest.mark.parametrize("disk", [PosixDisk(), SimulatedDisk()], ids=["posix", "simulated"])
@pytest.mark.parametrize("fate", ["removed", "replaced", "a link"])
def test_a_name_that_no_longer_leads_to_the_open_file_is_refused(disk, tmp_path, fate):
    path, other = tmp_path / "file", tmp_path / "other"
    descriptor = disk.open(path)
    disk.write(descriptor, b"1234")
    identity = disk.identity(descriptor)
    assert disk.size(path, identity) == 4
    path.rename(other)
    if fate == "replaced":
        path.write_bytes(b"1234")
    elif fate == "a link":
        path.symlink_to(other)
    with pytest.raises(OSError, match="removed, moved or replaced") as refusal:
        disk.size(path, identity)
    assert refusal.value.errno == errno.ESTALE
    assert disk.size(other, identity) == 4
    disk.close(descriptor)


def test_what_nobody_may_have_is_not_taken_for_used():
    found = os.statvfs_result((4_096, 4_096, 1_000, 700, 300, 0, 0, 0, 0, 255))
    space = Space.of(found)
    assert (space.free, space.total, space.used_percent) == (300 * 4_096, 600 * 4_096, 50)


def test_a_file_system_without_a_size_is_not_used():
    assert Space.of(os.statvfs_result((4_096, 4_096, 0, 0, 0, 0, 0, 0, 0, 255))).used_percent == 0
