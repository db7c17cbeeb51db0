from base64 import b64encode
from dataclasses import replace
from threading import Thread

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.witness.desk import SIZE_TYPE, WitnessDesk
from remit.witness.identity import open_identity
from remit.witness.ledger import WitnessLedger
from remit_audit_verify.note import Checkpoint, parse_checkpoint, sign_checkpoint
from tests.witness.conftest import NAME, Log


def ask(desk, submission):
    return desk.add_checkpoint(submission.to_bytes())


def test_a_checkpoint_that_continues_is_signed_with_the_time_by_each_of_its_keys(desk, log, clock):
    assert ask(desk, log.submission(0, 5)).status == 200
    reply = ask(desk, log.submission(5, 9))
    assert (reply.status, reply.body.count("\n")) == (200, len(desk.keys))
    note = parse_checkpoint(log.note(9) + reply.body)
    for key, (name, key_hash, signature) in zip(desk.keys, note.signatures[1:], strict=True):
        assert (name, key_hash) == (NAME, key.hash)
        assert key.verify(note.checkpoint, signature) == clock.now()


def test_an_unknown_log_is_404(desk):
    assert ask(desk, Log(name="other/log").submission(0, 5)).status == 404


def test_a_checkpoint_signed_by_no_known_key_is_403(desk):
    assert ask(desk, Log(key=Ed25519PrivateKey.generate()).submission(0, 5)).status == 403


def test_a_checkpoint_whose_signature_does_not_hold_is_403(desk, log):
    sent = log.submission(0, 5)
    assert ask(desk, replace(sent, note=sent.note.replace("\n5\n", "\n6\n"))).status == 403


def test_an_old_size_beyond_the_new_one_is_400(desk, log):
    assert ask(desk, replace(log.submission(0, 5), old=6)).status == 400


def test_what_is_no_submission_is_400(desk):
    assert desk.add_checkpoint(b"old 5\n").status == 400


@pytest.mark.parametrize("old", [0, 4, 6, 9], ids=lambda old: f"old-{old}")
def test_another_old_size_than_was_seen_is_409_and_says_which_was(desk, log, old):
    ask(desk, log.submission(0, 5))
    reply = ask(desk, log.submission(old, 9))
    assert (reply.status, reply.body, reply.content_type) == (409, "5\n", SIZE_TYPE)


def test_a_log_that_was_never_seen_was_seen_with_0(desk, log):
    assert ask(desk, log.submission(3, 5)).body == "0\n"


def test_a_proof_that_does_not_hold_is_422(desk, log):
    ask(desk, log.submission(0, 5))
    sent = log.submission(5, 9)
    for proof in ((), sent.proof[:-1], (*sent.proof, b"\0" * 32), (b"\0" * 32, *sent.proof[1:])):
        assert ask(desk, replace(sent, proof=proof)).status == 422


def test_a_fork_is_422_and_the_one_that_was_seen_goes_on(desk, log):
    ask(desk, log.submission(0, 5))
    fork = Log(key=log.key, salt="fork")
    assert ask(desk, fork.submission(5, 9)).status == 422
    assert ask(desk, log.submission(5, 9)).status == 200


def test_another_tree_of_the_size_that_was_seen_is_422(desk, log):
    ask(desk, log.submission(0, 5))
    assert ask(desk, Log(key=log.key, salt="fork").submission(5, 5)).status == 422
    assert desk.newest(log.name).body.startswith(log.note(5))


def test_the_same_tree_is_signed_again_with_the_new_time(desk, log, clock):
    ask(desk, log.submission(0, 5))
    clock.advance(600)
    reply = ask(desk, log.submission(5, 5))
    assert reply.status == 200
    _, _, signature = parse_checkpoint(log.note(5) + reply.body).signatures[1]
    assert desk.keys[0].verify(parse_checkpoint(log.note(5)).checkpoint, signature) == clock.now()


def test_a_proof_where_there_is_nothing_to_prove_is_422(desk, log):
    assert ask(desk, replace(log.submission(0, 5), proof=(b"\0" * 32,))).status == 422
    ask(desk, log.submission(0, 5))
    assert ask(desk, replace(log.submission(5, 5), proof=(b"\0" * 32,))).status == 422


def test_an_empty_log_has_the_empty_root(desk, log):
    made_up = sign_checkpoint(Checkpoint(log.name, 0, b"\0" * 32), log.key)
    assert ask(desk, replace(log.submission(0, 5), note=made_up)).status == 422
    empty = ask(desk, log.submission(0, 0))
    assert empty.status == 200
    assert ask(desk, log.submission(0, 3)).status == 200


def test_a_log_that_was_set_back_is_409(desk, log):
    ask(desk, log.submission(0, 9))
    for size in (5, 8):
        assert ask(desk, log.submission(0, size)).body == "9\n"
    assert ask(desk, replace(log.submission(0, 5), old=9)).status == 400


def test_what_was_seen_is_known_after_a_restart(tmp_path, log, clock):
    for old, size in ((0, 5), (5, 9)):
        with WitnessLedger(tmp_path) as ledger:
            signers = open_identity(tmp_path, NAME)
            desk = WitnessDesk(NAME, signers, ledger, logs=[log.verifier], clock=clock)
            assert ask(desk, log.submission(old, size)).status == 200
            assert ask(desk, log.submission(0, 3)).body == f"{size}\n"


def test_nothing_is_signed_that_cannot_be_kept(desk, log, tmp_path):
    (tmp_path / "witness" / "remit%2Fmain.note.new").mkdir()
    assert ask(desk, log.submission(0, 5)).status == 500
    (tmp_path / "witness" / "remit%2Fmain.note.new").rmdir()
    assert ask(desk, log.submission(0, 5)).status == 200


@pytest.mark.parametrize("damage", [b"", b"\xff", b"remit/main\n5\n"], ids=range(3))
def test_a_log_whose_memory_is_damaged_is_not_taken_for_a_new_one(desk, log, tmp_path, damage):
    ask(desk, log.submission(0, 5))
    (tmp_path / "witness" / "remit%2Fmain.note").write_bytes(damage)
    assert ask(desk, log.submission(0, 5)).status == 500


def test_of_two_trees_at_once_one_is_signed(desk, log):
    ask(desk, log.submission(0, 5))
    branches = [log, *(Log(key=log.key, salt=f"fork{number}") for number in range(7))]
    sent = [log.submission(5, 9) if one is log else one.submission(5, 9) for one in branches]
    sent += [log.submission(5, size) for size in (6, 7, 8)]
    replies = []
    threads = [Thread(target=lambda one=one: replies.append(ask(desk, one))) for one in sent]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(reply.status == 200 for reply in replies) == 1


def test_a_log_may_have_several_keys(tmp_path, log, clock):
    new = Log(key=Ed25519PrivateKey.generate())
    with WitnessLedger(tmp_path) as ledger:
        signers = open_identity(tmp_path, NAME)
        keys = [log.verifier, new.verifier]
        desk = WitnessDesk(NAME, signers, ledger, logs=keys, clock=clock)
        assert ask(desk, log.submission(0, 5)).status == 200
        assert ask(desk, new.submission(5, 9)).status == 200
        assert desk.logs == ("remit/main",)


def test_whoever_asks_is_shown_the_newest_checkpoint_with_all_signatures(desk, log):
    assert desk.newest(log.name).status == 404
    signed = ask(desk, log.submission(0, 5)).body
    assert desk.newest(log.name).body == log.note(5) + signed
    assert desk.newest("other/log").status == 404


def test_a_signature_that_a_stranger_added_is_not_shown_in_the_witnesss_name(desk, log):
    sent = log.submission(0, 5)
    forged = f"— {NAME} {b64encode(desk.keys[0].hash + bytes(72)).decode()}\n"
    other = "— other.example/w AAAAAAAAAAAA\n"
    reply = ask(desk, replace(sent, note=sent.note + forged + other))
    assert reply.status == 200
    assert desk.newest(log.name).body == sent.note + reply.body
