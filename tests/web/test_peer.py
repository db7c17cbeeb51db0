"""Who is at the other end, as far as the network tells."""

from ipaddress import ip_network

import pytest

from remit.web import peer_of

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def _peer(client: str | None, trusted=TRUSTED, **headers: str):
    raw = [
        (name.replace("_", "-").encode(), value.encode("latin-1"))
        for name, value in headers.items()
    ]
    scope = {"type": "http", "headers": raw, "client": None if client is None else (client, 1)}
    return peer_of(scope, trusted)


@pytest.mark.parametrize(
    ("client", "forwarded", "ip"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, nonsense, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.9, 10.0.0.2", "10.0.0.9"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("fd00::1", "2001:DB8::1", "2001:db8::1"),
        ("2001:db8:0::7", "", "2001:db8::7"),
    ],
)
def test_forwarded_addresses_count_from_the_right_and_from_trusted_proxies_only(
    client, forwarded, ip
):
    assert _peer(client, x_forwarded_for=forwarded).ip == ip


def test_without_trusted_proxies_no_header_is_believed():
    assert _peer("10.0.0.1", (), x_forwarded_for="198.51.100.1").ip == "10.0.0.1"


@pytest.mark.parametrize("client", [None, "", "testclient", "unix:"])
def test_a_peer_without_an_address_has_none(client):
    assert _peer(client, x_forwarded_for="198.51.100.1").ip is None


def test_a_user_agent_is_cut_to_what_a_log_can_hold():
    peer = _peer("203.0.113.7", user_agent="Mozilla\x1b[31m\x00\xe9" + "x" * 300)
    assert peer.user_agent.startswith("Mozilla[31mx")
    assert len(peer.user_agent) == 256
    assert _peer("203.0.113.7").user_agent is None


def test_a_well_formed_trace_is_taken_over():
    peer = _peer("203.0.113.7", traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
    assert (peer.trace_id, peer.span_id) == ("a" * 32, "b" * 16)


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        f"00-{'0' * 32}-{'b' * 16}-01",
        f"00-{'a' * 32}-{'0' * 16}-01",
        f"ff-{'a' * 32}-{'b' * 16}-01",
        f"00-{'A' * 32}-{'b' * 16}-01",
        f"00-{'a' * 31}-{'b' * 16}-01",
        f"00-{'a' * 32}-{'b' * 16}-01\n",
    ],
)
def test_any_other_trace_is_replaced_by_a_new_one(traceparent):
    one, other = (_peer("203.0.113.7", traceparent=traceparent) for _ in range(2))
    assert len(one.trace_id) == 32
    assert len(one.span_id) == 16
    assert one.trace_id != other.trace_id
    assert one.trace_id not in traceparent


@pytest.mark.parametrize(
    ("client", "forwarded", "hops"),
    [
        ("203.0.113.7", "198.51.100.1", 0),
        ("10.0.0.1", "", 0),
        ("10.0.0.1", "198.51.100.1", 1),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", 2),
        ("10.0.0.1", "198.51.100.1, nonsense", 0),
    ],
)
def test_how_many_proxies_were_looked_through_is_told(client, forwarded, hops):
    assert _peer(client, x_forwarded_for=forwarded).hops == hops


def test_the_flags_of_a_trace_are_those_that_came():
    assert _peer("203.0.113.7", traceparent=f"00-{'a' * 32}-{'b' * 16}-00").flags == "00"
    assert _peer("203.0.113.7").flags == "01"
