import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.signer.desk import SignerDesk
from remit.signer.errors import KeyInUseError, NotContinuedError, SignerStateError, UnknownLogError
from remit.signer.state import SignerState
from remit_audit_verify.note import BadCheckpointError, VerifierKey, open_checkpoint
from remit_audit_verify.tree import Frontier, root_hash

LOG = "remit/main"
LEAVES = [hashlib.sha256(str(number).encode()).digest() for number in range(20)]


def tree(count: int) -> Frontier:
    grown = Frontier()
    for leaf in LEAVES[:count]:
        grown.append(leaf)
    return grown


@pytest.fixture
def desk(tmp_path) -> SignerDesk:
    return SignerDesk(SignerState(tmp_path))


def current(desk: SignerDesk) -> VerifierKey:
    return VerifierKey.parse(desk.verifiers(LOG)[0])


def test_it_signs_what_it_counted(desk):
    desk.verifiers(LOG)
    signed = open_checkpoint(desk.sign(LOG, Frontier(), LEAVES[:5]), [current(desk)])
    assert (signed.origin, signed.size, signed.root) == (LOG, 5, root_hash(LEAVES[:5]))


def test_what_was_signed_and_never_arrived_is_signed_again(desk):
    desk.verifiers(LOG)
    desk.sign(LOG, Frontier(), LEAVES[:5])
    signed = open_checkpoint(desk.sign(LOG, Frontier(), LEAVES[:9]), [current(desk)])
    assert signed.root == root_hash(LEAVES[:9])


def test_a_log_that_was_set_back_is_refused_also_by_the_next_process(desk, tmp_path):
    desk.verifiers(LOG)
    desk.sign(LOG, Frontier(), LEAVES[:9])
    for signer in (desk, SignerDesk(SignerState(tmp_path))):
        with pytest.raises(NotContinuedError, match="set back"):
            signer.resume(LOG, tree(5), LEAVES[5:8])
        with pytest.raises(NotContinuedError):
            signer.sign(LOG, tree(5), [*LEAVES[5:7], b"\0" * 32, *LEAVES[8:]])
        assert signer.resume(LOG, tree(5), LEAVES[5:9]) == 9


def test_a_new_log_of_a_known_name_is_refused(desk):
    desk.verifiers(LOG)
    desk.sign(LOG, Frontier(), LEAVES[:3])
    with pytest.raises(NotContinuedError):
        desk.sign(LOG, Frontier(), [b"\1" * 32] * 4)


def test_a_log_that_claims_to_be_signed_by_a_signer_that_never_saw_it_is_refused(desk):
    desk.verifiers(LOG)
    with pytest.raises(NotContinuedError, match="only 0 are"):
        desk.resume(LOG, tree(4), [])


def test_a_key_is_taken_over_once_and_its_log_believed_once(desk, tmp_path):
    key = Ed25519PrivateKey.generate()
    desk.adopt(LOG, key.private_bytes_raw())
    desk.adopt(LOG, key.private_bytes_raw())
    assert desk.verifiers(LOG) == (str(VerifierKey.of(LOG, key)),)
    assert desk.resume(LOG, tree(7), LEAVES[7:9]) == 7
    open_checkpoint(desk.sign(LOG, tree(7), LEAVES[7:9]), [VerifierKey.of(LOG, key)])
    with pytest.raises(NotContinuedError):
        SignerDesk(SignerState(tmp_path)).resume(LOG, tree(7), [])


def test_a_signer_that_lost_what_it_signed_does_not_take_the_logs_word_for_it(desk, tmp_path):
    desk.verifiers(LOG)
    desk.sign(LOG, Frontier(), LEAVES[:9])
    (tmp_path / "remit%2Fmain.tree").unlink()
    again = SignerDesk(SignerState(tmp_path))
    for ask in (
        lambda: again.resume(LOG, tree(5), LEAVES[5:8]),
        lambda: again.sign(LOG, tree(5), LEAVES[5:8]),
        lambda: again.verifiers(LOG),
        lambda: again.propose(LOG),
    ):
        with pytest.raises(SignerStateError, match="what was signed of `remit/main` is gone"):
            ask()
    SignerState(tmp_path).forget_tree(LOG)  # as `remit signer accept` does
    assert again.resume(LOG, tree(5), LEAVES[5:8]) == 5


def test_a_signer_that_lost_its_key_makes_none_that_would_hide_what_was_signed(desk, tmp_path):
    desk.verifiers(LOG)
    desk.sign(LOG, Frontier(), LEAVES[:9])
    (tmp_path / "remit%2Fmain.key").unlink()
    again = SignerDesk(SignerState(tmp_path))
    with pytest.raises(SignerStateError, match="the key of `remit/main` is gone"):
        again.verifiers(LOG)
    with pytest.raises(SignerStateError, match="the key of `remit/main` is gone"):
        again.adopt(LOG, b"x" * 32)
    assert SignerState(tmp_path).tree(LOG) == tree(9)


def test_a_signer_restored_from_before_refuses_the_log_that_went_on(desk, tmp_path):
    desk.verifiers(LOG)
    desk.sign(LOG, Frontier(), LEAVES[:5])
    kept = (tmp_path / "remit%2Fmain.tree").read_bytes()
    desk.sign(LOG, tree(5), LEAVES[5:9])
    (tmp_path / "remit%2Fmain.tree").write_bytes(kept)
    with pytest.raises(NotContinuedError, match="only 5 are"):
        SignerDesk(SignerState(tmp_path)).resume(LOG, tree(9), LEAVES[9:10])


def test_a_start_that_was_cut_off_before_there_was_a_key_makes_one(desk, tmp_path):
    SignerState(tmp_path).keep_tree(LOG, Frontier())
    assert len(desk.verifiers(LOG)) == 1


def test_no_other_key_is_taken_over(desk):
    desk.verifiers(LOG)
    with pytest.raises(KeyInUseError):
        desk.adopt(LOG, Ed25519PrivateKey.generate().private_bytes_raw())


@pytest.mark.parametrize("seed", [b"", b"short", b"x" * 33], ids=["none", "short", "long"])
def test_what_is_no_key_is_not_taken_over(desk, seed):
    with pytest.raises(ValueError, match="32 bytes"):
        desk.adopt(LOG, seed)


@pytest.mark.parametrize(
    "name", ["", "a b", "a+b", "x" * 201], ids=["none", "space", "plus", "long"]
)
def test_a_name_that_cannot_name_a_log_gets_no_key(desk, name):
    with pytest.raises(BadCheckpointError):
        desk.verifiers(name)


@pytest.mark.parametrize("ask", ["resume", "sign", "propose", "change"])
def test_nothing_is_done_for_a_log_without_a_key(desk, ask):
    calls = {
        "resume": lambda: desk.resume(LOG, Frontier(), []),
        "sign": lambda: desk.sign(LOG, Frontier(), LEAVES),
        "propose": lambda: desk.propose(LOG),
        "change": lambda: desk.change(LOG, after=0),
    }
    with pytest.raises(UnknownLogError):
        calls[ask]()


def test_a_change_of_keys_is_signed_by_both_until_the_log_has_it_and_then_by_the_new_one(desk):
    old = current(desk)
    desk.sign(LOG, Frontier(), LEAVES[:4])
    new = VerifierKey.parse(desk.propose(LOG))
    assert desk.propose(LOG) == str(new)
    assert desk.verifiers(LOG) == (str(old),)
    desk.change(LOG, after=5)
    assert desk.verifiers(LOG) == (str(old), str(new))

    before = desk.sign(LOG, tree(4), LEAVES[4:5])
    assert open_checkpoint(before, [old])
    with pytest.raises(BadCheckpointError):
        open_checkpoint(before, [new])

    for _ in range(2):  # the first answer is lost
        both = desk.sign(LOG, tree(5), LEAVES[5:6])
        assert open_checkpoint(both, [old]) == open_checkpoint(both, [new])

    after = desk.sign(LOG, tree(6), LEAVES[6:9])
    assert open_checkpoint(after, [new])
    with pytest.raises(BadCheckpointError):
        open_checkpoint(after, [old])
    assert desk.verifiers(LOG) == (str(new), str(old))


def test_a_change_of_keys_goes_on_in_the_next_process(desk, tmp_path):
    desk.verifiers(LOG)
    new = VerifierKey.parse(desk.propose(LOG))
    desk.change(LOG, after=0)
    again = SignerDesk(SignerState(tmp_path))
    assert again.propose(LOG) == str(new)
    assert open_checkpoint(again.sign(LOG, Frontier(), LEAVES[:1]), [new])
    open_checkpoint(again.sign(LOG, tree(1), LEAVES[1:3]), [new])
    assert SignerDesk(SignerState(tmp_path)).verifiers(LOG)[0] == str(new)


def test_keys_are_not_changed_to_one_that_nobody_proposed(desk):
    desk.verifiers(LOG)
    with pytest.raises(UnknownLogError, match="no next key"):
        desk.change(LOG, after=0)


def test_nothing_is_signed_that_cannot_be_kept(desk, tmp_path):
    desk.verifiers(LOG)
    (tmp_path / "remit%2Fmain.tree.new").mkdir()
    with pytest.raises(OSError):
        desk.sign(LOG, Frontier(), LEAVES[:3])
    (tmp_path / "remit%2Fmain.tree.new").rmdir()
    assert desk.resume(LOG, Frontier(), []) == 0
