import os
import signal
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from remit.signer.channel import ChildChannel, SocketChannel
from remit.signer.desk import SignerDesk
from remit.signer.serving import listen, serve_forever
from remit.signer.state import SignerState
from remit.signer.wire import WireError, receive, send

ASK = {"ask": "keys", "log": "remit/main"}


@pytest.fixture
def child(tmp_path):
    channel = ChildChannel(tmp_path / "signer", seal=b"s" * 32)
    with closing(channel):
        yield channel


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_child_answers_and_ends_with_its_connection(child):
    end = child.open()
    pid = child.pid
    send(end, ASK)
    assert "ok" in receive(end)[0]
    child.close()
    assert not is_running(pid)
    assert child.pid is None


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_a_child_that_died_or_hangs_is_followed_by_another_with_its_key(child, blow):
    end = child.open()
    send(end, ASK)
    first = receive(end)
    pid = child.pid
    os.kill(pid, blow)

    again = child.open()
    assert child.pid != pid
    assert not is_running(pid)
    send(again, ASK)
    assert receive(again) == first


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
def test_a_child_outlives_signals_that_are_meant_for_its_parent(child, told):
    end = child.open()
    os.kill(child.pid, told)
    send(end, ASK)
    assert "ok" in receive(end)[0]


def test_a_child_whose_folder_cannot_be_made_is_no_signer(tmp_path, capfd):
    (tmp_path / "signer").write_text("in the way")
    channel = ChildChannel(tmp_path / "signer", seal=b"s" * 32)
    with closing(channel), pytest.raises(WireError):
        channel.open()
    capfd.readouterr()


def test_a_socket_leads_to_the_signer_that_listens(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = type(tmp_path)("s")
    desk = SignerDesk(SignerState(tmp_path / "state"))
    with closing(SocketChannel(path)) as channel:
        with pytest.raises(OSError):
            channel.open()
        with closing(listen(path)) as listening:
            Thread(
                target=serve_forever,
                args=(listening, desk),
                kwargs={"users": frozenset([os.geteuid()]), "refused": lambda user: None},
                daemon=True,
            ).start()
            for _ in range(2):
                end = channel.open()
                send(end, ASK)
                assert "ok" in receive(end)[0]


def test_a_child_knows_no_secret_of_its_parents_environment(child, monkeypatch):
    monkeypatch.setenv("REMIT_MASTER_KEY", "a-secret-of-the-parent")
    child.open()
    assert b"a-secret-of-the-parent" not in Path(f"/proc/{child.pid}/environ").read_bytes()
