import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.signer.errors import SignerInUseError, SignerStateError
from remit.signer.state import Keys, SignerState
from remit_audit_verify.tree import Frontier

LOG = "remit/main"
SEAL = b"s" * 32


def new_keys() -> Keys:
    return Keys(
        seed=Ed25519PrivateKey.generate().private_bytes_raw(),
        former=("a+00000000+AA==",),
        next_seed=Ed25519PrivateKey.generate().private_bytes_raw(),
        after=7,
    )


@pytest.mark.parametrize("seal", [None, SEAL], ids=["plain", "sealed"])
def test_keys_and_tree_are_there_after_a_restart(tmp_path, seal):
    keys, tree = new_keys(), Frontier(3, [b"a" * 32, b"b" * 32])
    state = SignerState(tmp_path / "signer", seal=seal)
    state.keep_keys(LOG, keys)
    state.keep_tree(LOG, tree)

    again = SignerState(tmp_path / "signer", seal=seal)
    assert again.keys(LOG) == keys
    assert again.tree(LOG) == tree
    assert again.has_key(LOG)


def test_a_log_nobody_spoke_of_has_nothing(tmp_path):
    state = SignerState(tmp_path)
    assert state.keys(LOG) is None
    assert state.tree(LOG) is None
    assert not state.has_key(LOG)


def test_nobody_else_reads_what_a_signer_keeps(tmp_path):
    folder = tmp_path / "signer"
    folder.mkdir(mode=0o755)
    state = SignerState(folder)
    state.keep_keys(LOG, new_keys())
    state.keep_tree(LOG, Frontier())
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_sealed_key_stands_in_no_file(tmp_path):
    keys = new_keys()
    SignerState(tmp_path, seal=SEAL).keep_keys(LOG, keys)
    (text,) = [path.read_text() for path in tmp_path.iterdir()]
    assert "plain:" not in text
    assert "sealed:" in text


def test_a_key_sealed_with_another_master_key_is_refused(tmp_path):
    SignerState(tmp_path, seal=SEAL).keep_keys(LOG, new_keys())
    with pytest.raises(SignerStateError, match="another master key"):
        SignerState(tmp_path, seal=b"t" * 32).keys(LOG)
    with pytest.raises(SignerStateError, match="another master key"):
        SignerState(tmp_path).keys(LOG)


def test_a_key_moved_under_the_name_of_another_log_is_refused(tmp_path):
    state = SignerState(tmp_path, seal=SEAL)
    state.keep_keys(LOG, new_keys())
    (tmp_path / "remit%2Fmain.key").rename(tmp_path / "remit%2Fother.key")
    with pytest.raises(SignerStateError):
        state.keys("remit/other")


@pytest.mark.parametrize(
    "text",
    ["", "{}", '{"v":1,"size":2,"nodes":[]}', '{"v":1,"size":1,"nodes":["zz"]}', "[1]", '{"size":1,"nodes":[1'],
    ids=range(6),
)  # fmt: skip
def test_a_damaged_tree_is_not_taken_for_an_empty_one(tmp_path, text):
    state = SignerState(tmp_path)
    state.keep_tree(LOG, Frontier())
    (tmp_path / "remit%2Fmain.tree").write_text(text)
    with pytest.raises(SignerStateError):
        state.tree(LOG)


def test_what_is_kept_is_on_stable_storage_before_it_is_named(tmp_path, monkeypatch):
    state, done, real = SignerState(tmp_path), [], os.fsync

    def watched(descriptor: int) -> None:
        done.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    state.keep_tree(LOG, Frontier())
    assert done == [tmp_path / "remit%2Fmain.tree.new", tmp_path]


def test_a_tree_can_be_forgotten_once(tmp_path):
    state = SignerState(tmp_path)
    state.keep_tree(LOG, Frontier())
    assert state.forget_tree(LOG)
    assert not state.forget_tree(LOG)
    state.keep_keys(LOG, new_keys())
    assert state.tree(LOG) is None


def test_a_tree_that_is_gone_is_not_taken_for_one_that_may_be_believed(tmp_path):
    state = SignerState(tmp_path)
    state.keep_tree(LOG, Frontier())
    state.keep_keys(LOG, new_keys())
    (tmp_path / "remit%2Fmain.tree").unlink()
    with pytest.raises(SignerStateError, match="is gone"):
        state.tree(LOG)
    assert not state.forget_tree(LOG)
    assert state.tree(LOG) is None
    assert state.tree(LOG) is None


def test_two_do_not_sign_from_one_folder(tmp_path):
    with (
        SignerState(tmp_path).held(),
        pytest.raises(SignerInUseError),
        SignerState(tmp_path).held(),
    ):
        pytest.fail("two have it")
    with SignerState(tmp_path).held():
        pass
