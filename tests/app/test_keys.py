import pytest

from remit.app.keys import forget_signing_key, handed_over_key, open_redactor, open_signing_key
from remit.clock import SystemClock
from remit.secrets import MasterKey, SealBrokenError


def test_processes_on_one_database_sign_with_one_key_for_each_stream(database_url, tmp_path):
    master = MasterKey.load(tmp_path, {})

    def key(instance: str) -> bytes:
        made = open_signing_key(database_url, master, instance=instance, clock=SystemClock())
        return made.private_bytes_raw()

    assert key("main") == key("main")
    assert key("main") != key("other")


def test_a_key_is_handed_over_as_it_is_and_forgotten_when_told(database_url, tmp_path):
    master = MasterKey.load(tmp_path, {})
    made = open_signing_key(database_url, master, instance="main", clock=SystemClock())

    assert handed_over_key(database_url, master, instance="main") == made.private_bytes_raw()
    forget_signing_key(database_url, instance="main")
    assert handed_over_key(database_url, master, instance="main") is None


def test_to_ask_for_a_key_to_hand_over_makes_none(database_url, tmp_path):
    master = MasterKey.load(tmp_path, {})
    assert handed_over_key(database_url, master, instance="main") is None
    assert handed_over_key(database_url, master, instance="main") is None


def test_tokens_of_arguments_are_equal_for_all_who_share_the_master_key(tmp_path):
    master = MasterKey.load(tmp_path, {})
    digests = {
        open_redactor(master).redact({"account": "a"}, tenant="acme").digest for _ in range(2)
    }
    assert len(digests) == 1


def test_another_master_key_is_refused(database_url, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    first = MasterKey.load(tmp_path / "one", {})
    open_signing_key(database_url, first, instance="main", clock=SystemClock())
    second = MasterKey.load(tmp_path / "two", {})
    with pytest.raises(SealBrokenError, match="another master key"):
        open_signing_key(database_url, second, instance="main", clock=SystemClock())
    with pytest.raises(SealBrokenError, match="another master key"):
        handed_over_key(database_url, second, instance="main")
