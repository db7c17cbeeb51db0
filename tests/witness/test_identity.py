import pytest
from cryptography.exceptions import UnsupportedAlgorithm

from remit.witness.identity import WitnessIdentityError, open_identity
from remit_audit_verify.cosignature import WitnessKey

NAME = "witness.example/w1"


def keys(folder, name=NAME):
    return [str(WitnessKey.of(name, one)) for one in open_identity(folder, name)]


def test_a_witness_is_the_same_after_a_restart(tmp_path):
    assert keys(tmp_path) == keys(tmp_path)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("*.key")} == {0o600}


def test_a_key_for_which_the_machine_is_too_old_is_kept_for_one_that_is_not(tmp_path, monkeypatch):
    both = keys(tmp_path)
    kept = (tmp_path / "ml-dsa-44.key").read_bytes()

    class Unsupported:
        @staticmethod
        def from_seed_bytes(_: bytes) -> None:
            raise UnsupportedAlgorithm("too old")

    with monkeypatch.context() as patched:
        patched.setattr("remit.witness.identity.MLDSA44PrivateKey", Unsupported)
        assert keys(tmp_path) == both[:1]
    assert (tmp_path / "ml-dsa-44.key").read_bytes() == kept
    assert keys(tmp_path) == both


def test_keys_are_not_used_under_another_name(tmp_path):
    keys(tmp_path)
    with pytest.raises(WitnessIdentityError, match="those of"):
        open_identity(tmp_path, "witness.example/w2")


def test_a_key_that_others_may_read_is_refused(tmp_path):
    keys(tmp_path)
    (tmp_path / "ed25519.key").chmod(0o644)
    with pytest.raises(WitnessIdentityError, match="others may read"):
        open_identity(tmp_path, NAME)


@pytest.mark.parametrize("text", ["", "AAAA", "!!!"], ids=["empty", "short", "no-base64"])
def test_what_is_no_key_is_not_replaced(tmp_path, text):
    keys(tmp_path)
    (tmp_path / "ed25519.key").write_text(text)
    with pytest.raises(WitnessIdentityError, match="holds no key"):
        open_identity(tmp_path, NAME)
    assert (tmp_path / "ed25519.key").read_text() == text
