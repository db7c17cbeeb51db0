import os
from contextlib import closing
from threading import Thread

import pytest

from remit.app.keys import forget_signing_key, handed_over_key, open_signing_key
from remit.app.log_signer import SignerMovedError, SignerPlace, open_log_signer
from remit.audit.signing import LocalSigner, SignerUnavailableError
from remit.clock import SystemClock
from remit.secrets import MasterKey
from remit.settings import Settings
from remit.signer.desk import SignerDesk
from remit.signer.remote import RemoteSigner
from remit.signer.serving import listen, serve_forever
from remit.signer.state import SignerState
from remit_audit_verify.note import VerifierKey
from remit_audit_verify.tree import Frontier


@pytest.fixture
def place(database_url, tmp_path):
    def of(signer: str = "auto", *, in_database: bool = False) -> SignerPlace:
        return SignerPlace(
            settings=Settings(audit_signer=signer),
            folder=tmp_path,
            master=MasterKey.load(tmp_path, {}),
            url=database_url,
            clock=SystemClock(),
            in_database=in_database,
        )

    return of


def test_a_log_in_files_is_signed_by_another_process_with_one_key_for_good(place):
    with open_log_signer(place()) as signer:
        assert isinstance(signer, RemoteSigner)
        key = signer.verifier
    with open_log_signer(place()) as signer:
        assert signer.verifier == key
    assert handed_over_key(place().url, place().master, instance="main") is None


def test_a_log_in_the_database_is_signed_inside_with_one_key_for_good(place):
    with open_log_signer(place(in_database=True)) as signer:
        assert isinstance(signer, LocalSigner)
        key = signer.verifier
    with open_log_signer(place(in_database=True)) as signer:
        assert signer.verifier == key


def test_the_key_of_before_is_handed_over_and_then_in_the_database_no_more(place):
    of = place()
    key = open_signing_key(of.url, of.master, instance="main", clock=of.clock)
    for _ in range(2):
        with open_log_signer(of) as signer:
            assert signer.verifier == VerifierKey.of("remit/main", key)
            assert handed_over_key(of.url, of.master, instance="main") is None


def test_a_key_that_was_handed_over_and_not_yet_forgotten_is_handed_over_again(place):
    of = place()
    key = open_signing_key(of.url, of.master, instance="main", clock=of.clock)
    SignerDesk(SignerState(of.state)).adopt("remit/main", key.private_bytes_raw())
    with open_log_signer(of) as signer:
        assert signer.verifier == VerifierKey.of("remit/main", key)
    assert handed_over_key(of.url, of.master, instance="main") is None


def test_a_key_that_a_signer_has_is_not_replaced_by_one_inside(place):
    with open_log_signer(place("process")):
        pass
    with (
        pytest.raises(SignerMovedError, match="is with its signer"),
        open_log_signer(place("inside")),
    ):
        pass
    with open_log_signer(place(in_database=True)) as signer:
        assert isinstance(signer, RemoteSigner)


def test_a_signer_with_another_key_than_the_database_is_refused_and_nothing_forgotten(place):
    of = place()
    with open_log_signer(of):
        pass
    forget_signing_key(of.url, instance="main")
    other = open_signing_key(of.url, of.master, instance="main", clock=of.clock)
    with pytest.raises(SignerUnavailableError, match="a key of its own"), open_log_signer(of):
        pass
    assert handed_over_key(of.url, of.master, instance="main") == other.private_bytes_raw()


def test_another_master_key_opens_no_signer(place, tmp_path):
    with open_log_signer(place()):
        pass
    (tmp_path / "master.key").unlink()
    with (
        pytest.raises(SignerUnavailableError, match="another master key"),
        open_log_signer(place()),
    ):
        pass


def test_a_signer_that_runs_by_itself_is_reached_by_its_socket(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    desk = SignerDesk(SignerState(tmp_path / "elsewhere"))
    path = tmp_path / "s"
    if len(str(path)) > 100:
        pytest.skip("the path of a socket has at most 107 characters")
    with closing(listen(path)) as listening:
        Thread(
            target=serve_forever,
            args=(listening, desk),
            kwargs={"users": frozenset([os.geteuid()]), "refused": lambda user: None},
            daemon=True,
        ).start()
        with open_log_signer(place(str(path))) as signer:
            signer.sign(Frontier(), [b"a" * 32])
    assert desk.resume("remit/main", Frontier(), [b"a" * 32]) == 1
    assert not (tmp_path / "signer").exists()


def test_a_signer_that_does_not_listen_is_no_start(place, tmp_path):
    with (
        pytest.raises(SignerUnavailableError, match="does not answer"),
        open_log_signer(place(str(tmp_path / "nobody")[:100])),
    ):
        pass
