import pytest

from remit.app.keys import open_audit_keys
from remit.clock import SystemClock
from remit.secrets import MasterKey, SealBrokenError


def test_processes_on_one_database_sign_with_one_key_for_each_stream(database_url, tmp_path):
    master = MasterKey.load(tmp_path, {})

    def key(instance: str) -> bytes:
        keys = open_audit_keys(database_url, master, instance=instance, clock=SystemClock())
        return keys.signing.private_bytes_raw()

    assert key("main") == key("main")
    assert key("main") != key("other")


def test_tokens_of_arguments_are_equal_for_all_who_share_the_master_key(database_url, tmp_path):
    master = MasterKey.load(tmp_path, {})
    digests = {
        open_audit_keys(database_url, master, instance=name, clock=SystemClock())
        .redactor.redact({"account": "a"}, tenant="acme")
        .digest
        for name in ("one", "two")
    }
    assert len(digests) == 1


def test_another_master_key_is_refused(database_url, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    first = MasterKey.load(tmp_path / "one", {})
    open_audit_keys(database_url, first, instance="main", clock=SystemClock())
    second = MasterKey.load(tmp_path / "two", {})
    with pytest.raises(SealBrokenError, match="another master key"):
        open_audit_keys(database_url, second, instance="main", clock=SystemClock())
