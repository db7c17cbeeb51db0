import os
from types import SimpleNamespace

import pytest

from remit.cli.checkup import Level
from remit.cli.checkup import surroundings as room
from remit.cli.checkup.surroundings import (
    examine_clock,
    examine_disk,
    examine_folder,
    examine_master_key,
    examine_user,
)
from remit.clock import SystemClock
from remit.settings import Settings
from remit.testing.clock import FixedClock


def levels(findings) -> list[Level]:
    return [finding.level for finding in findings]


def test_a_data_folder_that_others_may_read_is_unsafe(tmp_path):
    data = tmp_path / "data"
    assert levels(examine_folder(data)) == [Level.NOTE]
    data.mkdir(mode=0o700)
    (data / "master.key").write_text("x")
    (data / "master.key").chmod(0o644)
    # Nobody else gets as far as the file.
    assert levels(examine_folder(data)) == [Level.FINE]
    data.chmod(0o755)
    (finding,) = examine_folder(data)
    assert finding.level is Level.UNSAFE
    assert "master.key" in finding.text
    assert finding.mend == f"chmod 700 {data}"


@pytest.mark.parametrize(
    ("settings", "environ", "level"),
    [
        ({}, {}, Level.FINE),
        ({"public_url": "https://remit.example"}, {}, Level.UNSAFE),
        ({"database_url": "postgresql://db/r"}, {}, Level.UNSAFE),
        ({"public_url": "https://remit.example"}, {"REMIT_MASTER_KEY": "x"}, Level.FINE),
        ({"database_url": "postgresql://db/r"}, {"REMIT_MASTER_KEY": "x"}, Level.FINE),
    ],
)
def test_the_master_key_in_production_is_kept_elsewhere(tmp_path, settings, environ, level):
    found = examine_master_key(Settings(data=tmp_path, **settings), environ)
    assert levels(found) == [level]


def test_a_server_without_a_key_file_has_its_key_from_elsewhere(tmp_path):
    settings = Settings(data=tmp_path, public_url="https://remit.example")
    assert levels(examine_master_key(settings, {}, server_runs=True)) == [Level.FINE]
    (tmp_path / "master.key").write_text("x")
    assert levels(examine_master_key(settings, {}, server_runs=True)) == [Level.UNSAFE]


def test_a_key_file_that_is_not_used_is_worth_a_note(tmp_path):
    (tmp_path / "master.key").write_text("x")
    found = examine_master_key(Settings(data=tmp_path), {"REMIT_MASTER_KEY": "x"})
    assert levels(found) == [Level.FINE, Level.NOTE]


def test_a_disk_that_is_nearly_full_is_unsafe(tmp_path, monkeypatch):
    assert len(levels(examine_disk(tmp_path / "not" / "there" / "yet"))) == 1
    for free, level in ((2e9, Level.FINE), (9e8, Level.UNSAFE)):
        usage = SimpleNamespace(total=1e10, used=0, free=free)
        monkeypatch.setattr(room.shutil, "disk_usage", lambda _, usage=usage: usage)
        assert levels(examine_disk(tmp_path)) == [level]


def test_a_clock_behind_the_log_is_unsafe(cli, dana, folder):
    assert levels(examine_clock(folder / "data", SystemClock())) == [Level.FINE]
    (finding,) = examine_clock(folder / "data", FixedClock())
    assert finding.level is Level.UNSAFE
    assert "set back" in finding.text
    assert levels(examine_clock(folder / "elsewhere", SystemClock())) == []


def test_root_is_worth_a_note(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert levels(examine_user()) == [Level.NOTE]
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert levels(examine_user()) == []
