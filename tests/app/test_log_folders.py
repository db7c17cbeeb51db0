import pytest

from remit.app.log_folders import folder_of_log, tiled_logs
from remit.audit.file_source import FileSource


def test_a_log_in_files_has_its_folder_and_another_none(tmp_path):
    (tmp_path / "audit" / "main").mkdir(parents=True)
    assert folder_of_log(tmp_path, "remit/main") == tmp_path / "audit" / "main"
    assert folder_of_log(tmp_path, "remit/other") is None


@pytest.mark.parametrize("log", ["remit", "remit/", "remit/..", "remit/../audit", "remit/.", ""])
def test_a_name_is_no_way_to_another_folder(tmp_path, log):
    (tmp_path / "audit" / "main").mkdir(parents=True)
    assert folder_of_log(tmp_path, log) is None


def test_tiles_of_a_log_that_is_not_in_files_lie_apart(tmp_path):
    tiled = tiled_logs(FileSource(tmp_path / "audit"), tmp_path)
    assert tiled.make_safe("remit/elsewhere") == 0
    assert tiled.logs() == ()
