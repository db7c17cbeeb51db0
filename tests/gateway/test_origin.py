"""Which hosts mean us, and which pages may call."""

import pytest

from remit.gateway.http import Headers
from remit.gateway.origin import check_host, check_origin, hosts_of, origin_of
from remit.gateway.rejection import RejectedError


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("http://127.0.0.1:8080", {"127.0.0.1:8080"}),
        ("https://gw.example", {"gw.example", "gw.example:443"}),
        ("https://gw.example:443", {"gw.example", "gw.example:443"}),
        ("http://gw.example:443", {"gw.example:443"}),
        ("http://[::1]:8080", {"[::1]:8080"}),
        ("https://GW.Example", {"gw.example", "gw.example:443"}),
    ],
)
def test_the_hosts_of_a_url_have_its_port_and_lack_it_only_where_it_is_the_default(url, hosts):
    assert hosts_of(url) == hosts


def test_a_host_is_compared_without_regard_to_case():
    check_host(Headers([(b"host", b"GW.example")]), frozenset({"gw.example"}))


@pytest.mark.parametrize(
    "host", [b"gw.example.", b"gw.example@evil", b"evil", b"", b"gw.example:443"]
)
def test_a_host_that_is_only_like_ours_is_refused(host):
    with pytest.raises(RejectedError):
        check_host(Headers([(b"host", host)]), frozenset({"gw.example"}))


def test_no_origin_is_no_page():
    assert check_origin(Headers([]), frozenset()) is None


def test_an_origin_is_compared_whole():
    allowed = frozenset({origin_of("https://gw.example/path")})
    assert (
        check_origin(Headers([(b"origin", b"https://gw.example")]), allowed) == "https://gw.example"
    )
    for other in (
        b"https://gw.example/",
        b"http://gw.example",
        b"https://gw.example:443",
        b"null",
        b"",
    ):
        with pytest.raises(RejectedError):
            check_origin(Headers([(b"origin", other)]), allowed)


def test_two_origins_are_one_too_many():
    twice = Headers([(b"origin", b"https://a"), (b"origin", b"https://a")])
    with pytest.raises(RejectedError):
        check_origin(twice, frozenset({"https://a"}))
