import os

import pytest

from remit.witness.ledger import LedgerDamagedError, LedgerInUseError, WitnessLedger
from tests.witness.conftest import Log


def test_two_witnesses_do_not_share_a_folder(tmp_path):
    with WitnessLedger(tmp_path), pytest.raises(LedgerInUseError):
        WitnessLedger(tmp_path)
    with WitnessLedger(tmp_path):
        pass


def test_what_is_kept_is_read_again(tmp_path):
    note = Log().note(5)
    with WitnessLedger(tmp_path) as ledger:
        assert ledger.newest("remit/main") is None
        ledger.keep("remit/main", note)
    with WitnessLedger(tmp_path) as ledger:
        assert ledger.note("remit/main") == note
        assert ledger.newest("remit/main").size == 5


def test_a_checkpoint_of_another_log_is_no_memory(tmp_path):
    with WitnessLedger(tmp_path) as ledger:
        ledger.keep("remit/main", Log(name="other/log").note(5))
        with pytest.raises(LedgerDamagedError, match="another log"):
            ledger.newest("remit/main")


def test_a_name_is_no_way_out_of_the_folder(tmp_path):
    with WitnessLedger(tmp_path / "in") as ledger:
        ledger.keep("../../out", Log().note(1))
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_it_is_on_stable_storage_when_keep_returns(tmp_path, monkeypatch):
    synced, real = [], os.fsync
    with WitnessLedger(tmp_path) as ledger:
        monkeypatch.setattr(os, "fsync", lambda one: (synced.append(one), real(one)))
        ledger.keep("remit/main", Log().note(5))
    assert len(synced) == 2
