import os
import socket
from contextlib import closing
from threading import Thread

import pytest

from remit.signer.desk import SignerDesk
from remit.signer.serving import answer, converse, listen, peer_user, serve_forever
from remit.signer.state import SignerState
from remit.signer.wire import WireError, receive, send

LOG = "remit/main"
EMPTY = {"size": 0, "nodes": []}
LEAVES = [b"a" * 32]


@pytest.fixture
def desk(tmp_path) -> SignerDesk:
    return SignerDesk(SignerState(tmp_path / "state"))


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's path may have about 100 characters
    return type(tmp_path)("s")


def test_questions_are_answered(desk):
    told = answer(desk, {"ask": "keys", "log": LOG}, [])["ok"]
    signed = answer(desk, {"ask": "sign", "log": LOG, "before": EMPTY}, LEAVES)["ok"]
    assert signed["note"].startswith(f"{LOG}\n1\n")
    assert signed["verifiers"] == told["verifiers"]
    assert answer(desk, {"ask": "resume", "log": LOG, "before": EMPTY}, LEAVES) == {"ok": {"signed": 1}}  # fmt: skip
    assert "verifier" in answer(desk, {"ask": "propose", "log": LOG}, [])["ok"]
    assert answer(desk, {"ask": "change", "log": LOG, "after": 1}, []) == {"ok": {}}


def test_a_refusal_has_its_code(desk):
    asked = {"ask": "sign", "log": LOG, "before": EMPTY}
    assert answer(desk, asked, LEAVES)["refused"] == "signer_unknown_log"
    answer(desk, {"ask": "keys", "log": LOG}, [])
    answer(desk, asked, LEAVES)
    assert answer(desk, asked, [])["refused"] == "audit_log_set_back"
    adopted = answer(desk, {"ask": "adopt", "log": LOG, "seed": "eHh4"}, [])
    assert adopted["refused"] == "signer_key_in_use"
    assert answer(desk, {"ask": "keys", "log": "a b"}, [])["refused"] == "signer_bad_name"
    assert answer(desk, {"ask": "adopt", "log": "x", "seed": "!"}, [])["refused"] == "signer_failed"


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"ask": "keys"},
        {"ask": 1, "log": LOG},
        {"ask": "key", "log": LOG},
        {"ask": "sign", "log": LOG},
        {"ask": "change", "log": LOG, "after": True},
    ],
    ids=range(6),
)
def test_what_is_no_question_ends_the_connection(desk, question):
    with pytest.raises(WireError):
        answer(desk, question, [])


def test_nothing_that_is_asked_tells_a_key(desk):
    seed = b"k" * 32
    answer(desk, {"ask": "adopt", "log": LOG, "seed": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="}, [])  # fmt: skip
    told = [
        answer(desk, {"ask": ask, "log": LOG, "before": EMPTY, "after": 0}, LEAVES)
        for ask in ("keys", "resume", "sign", "propose", "change", "keys")
    ]
    assert seed.hex() not in str(told)
    assert "a2tra2" not in str(told)


def test_a_connection_ends_when_the_other_end_talks_nonsense(desk):
    one, other = socket.socketpair()
    with one:
        talking = Thread(target=converse, args=(other, desk))
        talking.start()
        send(one, {"ask": "keys", "log": LOG})
        assert "ok" in receive(one)[0]
        one.sendall(b"\0\0\0\2\0\0\0\0[]")
        assert receive(one) is None
        talking.join(10)
        assert not talking.is_alive()


def serve(listening, desk, users, refused):
    Thread(
        target=serve_forever,
        args=(listening, desk),
        kwargs={"users": frozenset(users), "refused": refused},
        daemon=True,
    ).start()


@pytest.mark.parametrize("allowed", [True, False], ids=["allowed", "stranger"])
def test_only_users_it_was_told_of_are_let_in(desk, place, allowed):
    me, strangers = os.geteuid(), []
    with closing(listen(place)) as listening, socket.socket(socket.AF_UNIX) as end:
        serve(listening, desk, [me if allowed else me + 1], strangers.append)
        end.settimeout(10)
        end.connect(str(place))
        if allowed:
            send(end, {"ask": "keys", "log": LOG})
            assert "ok" in receive(end)[0]
            assert strangers == []
        else:
            assert receive(end) is None
            assert strangers == [me]


def test_a_moment_without_free_files_does_not_end_a_signer(desk, place):
    class Exhausted:
        """A listening socket that cannot let anybody in at first."""

        def __init__(self, listening) -> None:
            self._listening, self._failures = listening, [OSError(24, "too many open files")] * 2

        def accept(self):
            if self._failures:
                raise self._failures.pop()
            return self._listening.accept()

        def fileno(self) -> int:
            return self._listening.fileno()

    with closing(listen(place)) as listening, socket.socket(socket.AF_UNIX) as end:
        serve(Exhausted(listening), desk, [os.geteuid()], print)
        end.settimeout(10)
        end.connect(str(place))
        send(end, {"ask": "keys", "log": LOG})
        assert "ok" in receive(end)[0]


def test_what_a_dead_signer_left_is_no_obstacle_and_a_living_one_is(place):
    listen(place).close()
    with closing(listen(place)), pytest.raises(WireError, match="already"):
        listen(place)


def test_a_file_that_is_no_socket_is_left_alone(place):
    place.write_text("mine")
    with pytest.raises(WireError, match="not a socket"):
        listen(place)
    assert place.read_text() == "mine"


def test_the_user_at_the_other_end_is_the_kernels_word():
    one, other = socket.socketpair()
    with one, other:
        assert peer_user(one) == os.geteuid()
