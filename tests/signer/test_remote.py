import os
import signal
import socket
from contextlib import closing, suppress
from threading import Event, Thread

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.audit import FileAuditLog, StreamSettings, verify_log
from remit.audit.events import AuditStopped
from remit.audit.port import AuditUnavailableError
from remit.audit.signing import LocalSigner, LogSetBackError, SignerUnavailableError
from remit.signer.channel import ChildChannel
from remit.signer.desk import SignerDesk
from remit.signer.remote import RemoteSigner
from remit.signer.serving import answer
from remit.signer.state import SignerState
from remit.signer.wire import WireError, receive, send
from remit_audit_verify.note import VerifierKey, open_checkpoint
from remit_audit_verify.tree import Frontier

LOG = "remit/main"
LEAVES = [bytes([number]) * 32 for number in range(9)]


class Channel:
    """To a signer in a thread, which can be held up, cut off and told to say something else."""

    def __init__(self, folder) -> None:
        self.desk = SignerDesk(SignerState(folder))
        self.going = Event()
        self.going.set()
        self.opened = 0
        self.refuses = False
        self.end: socket.socket | None = None
        self.say = None

    def open(self) -> socket.socket:
        if self.refuses:
            raise WireError("not now")
        self.opened += 1
        self.close()
        self.end, other = socket.socketpair()
        self.end.settimeout(10)
        Thread(target=self._serve, args=(other,), daemon=True).start()
        return self.end

    def close(self) -> None:
        if self.end is not None:
            self.end.close()
            self.end = None

    def cut(self) -> None:
        self.end.shutdown(socket.SHUT_RDWR)

    def _serve(self, end: socket.socket) -> None:
        with end, suppress(WireError):
            while (asked := receive(end)) is not None:
                self.going.wait(20)
                send(end, answer(self.desk, *asked) if self.say is None else self.say)


@pytest.fixture
def channel(tmp_path):
    return Channel(tmp_path / "signer")


@pytest.fixture
def signer(channel):
    with closing(RemoteSigner(LOG, channel)) as opened:
        yield opened


def size_of(signer: RemoteSigner, note: str) -> int:
    return open_checkpoint(note, [signer.verifier]).size


def test_it_signs_by_the_key_it_named(signer):
    assert size_of(signer, signer.sign(Frontier(), LEAVES)) == 9


def test_a_lost_connection_is_opened_again_and_nobody_notices(signer, channel):
    signer.sign(Frontier(), LEAVES[:2])
    channel.cut()
    assert size_of(signer, signer.sign(Frontier(), LEAVES[:3])) == 3
    assert channel.opened == 2


def test_a_signer_that_hangs_holds_nobody_up_and_its_answer_is_taken_later(signer, channel):
    signer.sign(Frontier(), LEAVES[:1])
    channel.going.clear()
    for count in (2, 3, 4):
        with pytest.raises(SignerUnavailableError, match="not answered yet"):
            signer.sign(Frontier(), LEAVES[:count])
    channel.going.set()
    sizes = set()
    while 2 not in sizes:
        with suppress(SignerUnavailableError):
            sizes.add(size_of(signer, signer.sign(Frontier(), LEAVES[:5])))
    assert sizes == {2}


def test_a_signer_that_is_gone_is_asked_again(signer, channel):
    channel.refuses = True
    channel.cut()
    with pytest.raises(SignerUnavailableError):
        signer.sign(Frontier(), LEAVES)
    channel.refuses = False
    note = None
    while note is None:
        with suppress(SignerUnavailableError):
            note = signer.sign(Frontier(), LEAVES)
    assert size_of(signer, note) == 9


def test_a_log_that_was_set_back_is_told_from_a_signer_that_is_gone(signer):
    signer.sign(Frontier(), LEAVES)
    with pytest.raises(LogSetBackError, match="set back"):
        signer.resume(Frontier(), LEAVES[:3])
    with pytest.raises(LogSetBackError):
        signer.sign(Frontier(), LEAVES[:3])
    signer.resume(Frontier(), LEAVES)


@pytest.mark.parametrize(
    "said",
    [{}, {"ok": {}}, {"ok": {"verifiers": []}}, {"ok": {"verifiers": ["x"]}}, {"refused": "x"}],
    ids=range(5),
)
def test_a_signer_that_names_no_key_is_none(channel, said):
    channel.say = said
    with pytest.raises(SignerUnavailableError):
        RemoteSigner(LOG, channel)


def test_a_key_is_handed_over_and_signs_from_then_on(channel):
    key = Ed25519PrivateKey.generate()
    with closing(RemoteSigner(LOG, channel, adopt=key.private_bytes_raw())) as signer:
        assert signer.verifiers == (VerifierKey.of(LOG, key),)


def test_a_key_is_not_handed_over_to_a_signer_with_another(channel):
    RemoteSigner(LOG, channel).close()
    with pytest.raises(SignerUnavailableError, match="a key of its own"):
        RemoteSigner(LOG, channel, adopt=Ed25519PrivateKey.generate().private_bytes_raw())


def test_after_it_is_closed_it_signs_nothing(channel):
    signer = RemoteSigner(LOG, channel)
    signer.close()
    signer.close()
    with pytest.raises(SignerUnavailableError):
        signer.sign(Frontier(), LEAVES)


def test_the_names_of_keys_follow_a_change(signer):
    old = signer.verifier
    new = signer.propose()
    signer.change(after=0)
    signer.sign(Frontier(), LEAVES[:1])
    assert signer.verifier == old
    tree = Frontier()
    tree.append(LEAVES[0])
    signer.sign(tree, LEAVES[1:])
    assert signer.verifiers == (new, old)


# -- a log over it, and a signer that is another process -------------------------


def settings(folder) -> StreamSettings:
    return StreamSettings(folder=folder / "audit" / "main", origin=LOG)


@pytest.fixture
def child(tmp_path):
    channel = ChildChannel(tmp_path / "signer", seal=b"s" * 32)
    with closing(channel):
        yield channel


def test_a_log_whose_signer_is_killed_loses_nothing(tmp_path, child):
    with closing(RemoteSigner(LOG, child)) as signer:
        log = FileAuditLog(settings(tmp_path), signer)
        for _ in range(3):
            os.kill(child.pid, signal.SIGKILL)
            log.record([AuditStopped()])
            signed = None
            while signed is None:
                with suppress(AuditUnavailableError):
                    signed = log.checkpoint()
            assert signed.size == log.status().size
        log.close()
    report = verify_log(tmp_path / "audit")
    # Five of these, and what the log says of its signer.
    assert report.exit_code == 0
    assert report.streams[0].records >= 5


def test_a_log_goes_on_while_its_signer_hangs(tmp_path, child):
    with closing(RemoteSigner(LOG, child)) as signer:
        log = FileAuditLog(settings(tmp_path), signer)
        before = log.status().checkpointed
        os.kill(child.pid, signal.SIGSTOP)
        log.record([AuditStopped()])
        assert (log.status().size, log.status().checkpointed) == (before + 1, before)
        os.kill(child.pid, signal.SIGCONT)
        signed = None
        while signed is None:
            with suppress(AuditUnavailableError):
                signed = log.checkpoint()
        log.close()
    assert verify_log(tmp_path / "audit").exit_code == 0


def test_a_log_that_was_restored_from_an_old_copy_does_not_open(tmp_path, channel):
    folder = settings(tmp_path).folder
    with closing(RemoteSigner(LOG, channel)) as signer:
        FileAuditLog(settings(tmp_path), signer).close()
        kept = {path.name: path.read_bytes() for path in folder.iterdir()}
        FileAuditLog(settings(tmp_path), signer).close()
        for name, data in kept.items():
            (folder / name).write_bytes(data)
        with pytest.raises(LogSetBackError, match="set back"):
            FileAuditLog(settings(tmp_path), signer)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == kept


def test_a_log_of_before_goes_on_under_its_key_with_a_signer(tmp_path, channel):
    key = Ed25519PrivateKey.generate()
    FileAuditLog(settings(tmp_path), LocalSigner(LOG, key)).close()
    with closing(RemoteSigner(LOG, channel, adopt=key.private_bytes_raw())) as signer:
        FileAuditLog(settings(tmp_path), signer).close()
    report = verify_log(tmp_path / "audit", keys=[str(VerifierKey.of(LOG, key))])
    assert (report.exit_code, report.streams[0].records) == (0, 4)


def test_a_log_names_both_keys_after_a_change(tmp_path, channel):
    with closing(RemoteSigner(LOG, channel)) as signer:
        log = FileAuditLog(settings(tmp_path), signer)
        old, new = signer.verifier, signer.propose()
        log.record([AuditStopped()])
        signer.change(after=1)
        log.checkpoint()
        log.record([AuditStopped()])
        log.close()
        assert (settings(tmp_path).folder / "log.pub").read_text() == f"{old}\n{new}\n"
        FileAuditLog(settings(tmp_path), signer).close()
    assert verify_log(tmp_path / "audit").exit_code == 0
