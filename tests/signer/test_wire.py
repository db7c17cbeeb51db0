import socket

import pytest

from remit.signer.wire import MAX_LEAVES, WireError, receive, send, tree_json, tree_of
from remit_audit_verify.tree import Frontier


@pytest.fixture
def ends():
    one, other = socket.socketpair()
    with one, other:
        one.settimeout(5)
        other.settimeout(5)
        yield one, other


def test_what_is_sent_arrives(ends):
    send(ends[0], {"ask": "sign"}, [b"a" * 32, b"b" * 32])
    send(ends[0], {"ask": "keys"})
    assert receive(ends[1]) == ({"ask": "sign"}, [b"a" * 32, b"b" * 32])
    assert receive(ends[1]) == ({"ask": "keys"}, [])


def test_an_end_that_closes_between_frames_is_the_end(ends):
    ends[0].close()
    assert receive(ends[1]) is None


@pytest.mark.parametrize(
    "data",
    [
        b"\0",
        b"\0\0\0\2\0\0\0\0{",
        b"\0\0\0\2\0\0\0\0[]",
        b"\0\0\0\2\0\0\0\0no",
        b"\0\0\0\2\0\0\0\x01{}x",
        b"\xff\xff\xff\xff\0\0\0\0",
        b"\0\0\0\2" + ((MAX_LEAVES + 1) * 32).to_bytes(4, "big"),
        b"GET / HTTP/1.1\r\n\r\n",
    ],
    ids=["cut", "cut-header", "list", "no-json", "half-a-leaf", "endless", "too-many", "http"],
)
def test_what_is_no_frame_is_refused(ends, data):
    ends[0].sendall(data)
    ends[0].shutdown(socket.SHUT_WR)
    with pytest.raises(WireError):
        receive(ends[1])


def test_an_answer_that_does_not_come_is_not_waited_for(ends):
    ends[1].settimeout(0.01)
    with pytest.raises(WireError, match="does not answer"):
        receive(ends[1])


def test_a_tree_survives_the_way():
    tree = Frontier(3, [b"a" * 32, b"b" * 32])
    assert tree_of(tree_json(tree)) == tree


@pytest.mark.parametrize(
    "told",
    [
        None,
        {},
        {"size": 1, "nodes": []},
        {"size": True, "nodes": ["00" * 32]},
        {"size": 1, "nodes": ["00" * 31]},
        {"size": 1, "nodes": ["zz" * 32]},
        {"size": 1, "nodes": [1]},
        {"size": -1, "nodes": []},
    ],
    ids=range(8),
)
def test_what_is_no_tree_is_refused(told):
    with pytest.raises(WireError, match="not a tree"):
        tree_of(told)
