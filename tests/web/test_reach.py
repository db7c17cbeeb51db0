"""Which URLs lead where, within which reach."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.web.reach import FetchRefusedError, Reach, destination_of, may_be_dialled

PRIVATE = Reach(private=True)


@pytest.mark.parametrize(
    ("url", "authority", "target", "literal"),
    [
        ("https://idp.example", "idp.example", "/", None),
        ("https://IDP.example:443/a?b=c", "idp.example", "/a?b=c", None),
        ("https://idp:8443?x", "idp:8443", "/?x", None),
        ("http://localhost/k", "localhost", "/k", None),
        ("http://localhost:443/k", "localhost:443", "/k", None),
        ("https://localhost:80/k", "localhost:80", "/k", None),
        ("http://127.0.0.1:9/k", "127.0.0.1:9", "/k", "127.0.0.1"),
        ("https://10.96.0.1/k", "10.96.0.1", "/k", "10.96.0.1"),
        ("https://[fd00::1]/k", "[fd00::1]", "/k", "fd00::1"),
        ("http://[::1]:9/k", "[::1]:9", "/k", "::1"),
    ],
)
def test_an_operators_url_may_name_private_hosts(url, authority, target, literal):
    found = destination_of(url, PRIVATE)
    assert (found.authority, found.target) == (authority, target)
    assert found.literal == (None if literal is None else ip_address(literal))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://localhost/", "HTTP://localhost/", "http:/localhost/", "http://user@localhost/",
        "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/",
        "http://127.0.0.1.1/", "http://[::1", "http://[]/", "http://[::1]@x/", "http://[fe80::1%25e]/",
        "http://[::ffff:127.0.0.1]/", "http://localhost#x", "http://localhost:0/",
        "http://localhost:65536/", "http://local host/", "http://localhost/\r\nX: y", "",
        "http://localhost/" + "a" * 2_048,
    ],
)  # fmt: skip
def test_an_operators_url_is_read_as_strictly_as_a_strangers(url):
    with pytest.raises(FetchRefusedError):
        destination_of(url, PRIVATE)


@pytest.mark.parametrize("url", ["http://idp.example/", "https://127.0.0.1/", "https://[::1]/"])
def test_a_stranger_names_neither_http_nor_an_address(url):
    with pytest.raises(FetchRefusedError, match="an https URL with a plain host name"):
        destination_of(url, Reach())
    destination_of(url, PRIVATE)


@given(st.ip_addresses())
def test_without_private_reach_no_private_address_is_dialled(address):
    found = destination_of("https://idp.example/", Reach())
    if may_be_dialled(address, found, Reach()):
        assert address.is_global


@given(st.ip_addresses())
def test_http_is_dialled_to_loopback_alone(address):
    found = destination_of("http://idp.example/", PRIVATE)
    assert not may_be_dialled(address, found, PRIVATE) or address.is_loopback


@given(st.ip_addresses())
def test_no_reach_leads_to_link_local_or_multicast(address):
    found = destination_of("https://idp.example/", PRIVATE)
    if may_be_dialled(address, found, PRIVATE):
        assert not address.is_link_local
        assert not address.is_multicast
        assert not address.is_unspecified
