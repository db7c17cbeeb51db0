import os
import stat
import subprocess
import sys

import pytest

from remit.app.data_folder import DataFolderError, DataFolderInUseError, open_data_folder
from remit.audit.disk import PosixDisk, Space
from remit.audit.reserve import Reserve


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_is_closed_to_others(tmp_path):
    with open_data_folder(tmp_path / "a" / "data") as folder:
        assert mode(folder.path) == 0o700
        assert mode(folder.lock) == 0o600
        assert folder.socket == tmp_path / "a" / "data" / "remit.sock"


def test_a_folder_open_to_others_is_closed(tmp_path):
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    data.chmod(0o755)
    with open_data_folder(data):
        assert mode(data) == 0o700


def test_a_second_process_is_refused_and_told_who_has_it(tmp_path):
    with (
        open_data_folder(tmp_path / "data"),
        pytest.raises(DataFolderInUseError, match=f"in use by process {os.getpid()}; stop it"),
        open_data_folder(tmp_path / "data"),
    ):
        pytest.fail("two processes hold one folder")


def test_the_folder_is_free_again_when_its_process_is_gone(tmp_path):
    script = (
        "import os, pathlib, sys\n"
        "from remit.app.data_folder import open_data_folder\n"
        "with open_data_folder(pathlib.Path(sys.argv[1])): os._exit(9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "data")], check=False)
    assert done.returncode == 9
    with open_data_folder(tmp_path / "data"):
        pass


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(DataFolderError, match="is a file"), open_data_folder(tmp_path / "data"):
        pass


def test_a_lock_that_is_a_link_is_not_followed(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "remit.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataFolderError, match="cannot write"), open_data_folder(data):
        pass
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_refused(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    os.chown(data, 65534, 65534)
    with pytest.raises(DataFolderError, match="belongs to another user"), open_data_folder(data):
        pass


def test_on_a_full_disk_some_of_the_reserve_is_given_up_so_that_it_can_be_opened(
    tmp_path, monkeypatch
):
    stream = tmp_path / "data" / "audit" / "main"
    stream.mkdir(parents=True)
    Reserve(stream, PosixDisk(), size=8 * 1024 * 1024).close()
    monkeypatch.setattr(PosixDisk, "space", lambda *_: Space(100, 0))
    with open_data_folder(tmp_path / "data"):
        assert (stream / "reserve").stat().st_size < 8 * 1024 * 1024
