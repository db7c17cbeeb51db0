import pytest

from remit.cli.checkup import Level
from remit.cli.checkup.trail import examine_log


def segment(folder):
    return folder / "data" / "audit" / "main" / "00000000000000000000.jsonl"


def test_a_log_that_ends_as_written_is_fine_and_says_what_was_read(cli, folder, dana):
    (found,) = examine_log(folder / "data")
    assert found.level is Level.FINE
    assert "last segment, records 0 to " in found.text


def test_a_byte_changed_in_the_middle_is_unsafe_and_has_its_mend(cli, folder, dana):
    content = bytearray(segment(folder).read_bytes())
    content[len(content) // 2] ^= 1
    segment(folder).write_bytes(content)
    (found,) = examine_log(folder / "data")
    assert (found.level, found.about) == (Level.UNSAFE, "audit log")
    assert "remit audit verify" in found.mend
    done = cli("doctor")
    assert done.code == 1
    assert found.text in done.out


def test_a_folder_that_is_no_log_is_unsafe(tmp_path):
    (tmp_path / "audit" / "main").mkdir(parents=True)
    assert [one.level for one in examine_log(tmp_path)] == [Level.UNSAFE]


@pytest.mark.parametrize("made", [True, False])
def test_without_a_log_there_is_nothing_to_say(tmp_path, made):
    if made:
        (tmp_path / "audit").mkdir()
    assert list(examine_log(tmp_path)) == []
