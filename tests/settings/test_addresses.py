import re

import pytest

from remit.settings.addresses import database_url, is_loopback_host, network, origin, words


@pytest.mark.parametrize(
    "value",
    [
        "https://remit.example",
        "https://remit.example:8443",
        "http://127.0.0.1:8600",
        "http://localhost:8600",
        "http://[::1]:8600",
    ],
)
def test_a_canonical_origin_is_taken_as_it_is(value: str) -> None:
    assert origin(value) == value


@pytest.mark.parametrize(
    ("value", "mend"),
    [
        ("https://remit.example/", "write `https://remit.example`"),
        ("https://remit.example/as", "write `https://remit.example`"),
        ("https://remit.example?", "write `https://remit.example`"),
        ("https://remit.example#", "write `https://remit.example`"),
        ("HTTPS://remit.example", "write `https://remit.example`"),
        ("https://Remit.example", "write `https://remit.example`"),
        ("https://remit.example:443", "write `https://remit.example`"),
        ("http://127.0.0.1:80", "write `http://127.0.0.1`"),
        ("https://remit.example:0", "port 0"),
        ("https://remit.example:70000", "port out of range"),
        ("https://", "no well-formed host"),
        ("https://réseau.example", "lower case and ASCII"),
        ("https://remit.example ", "well-formed host"),
        ("ftp://remit.example", "not an http or https origin"),
        ("remit.example", "not an http or https origin"),
        ("*", "not an http or https origin"),
        ("null", "not an http or https origin"),
    ],
)
def test_any_other_spelling_is_refused_with_the_right_one(value: str, mend: str) -> None:
    with pytest.raises(ValueError, match=re.escape(mend)):
        origin(value)


def test_credentials_in_an_origin_are_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match="no user name") as caught:
        origin("https://ann:hunter2@remit.example")
    assert "hunter2" not in str(caught.value)


def test_words_are_split_at_commas_and_lists_left_alone() -> None:
    assert words(" a, b ,,c ") == ("a", "b", "c")
    assert words(["a", "b"]) == ["a", "b"]


def test_an_address_is_a_network_of_one() -> None:
    assert str(network("10.0.0.5")) == "10.0.0.5/32"


@pytest.mark.parametrize("value", ["10.0.0.5/8", "proxy.example", "", "10.0.0.0/33"])
def test_what_is_no_network_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="is not an IP address or network"):
        network(value)


@pytest.mark.parametrize(
    "value",
    [
        "sqlite:////var/lib/remit/remit.sqlite3",
        "sqlite:///remit.sqlite3",
        "postgresql://remit:secret@db/remit",
        "env:DATABASE_URL",
        "file:/run/secrets/url",
    ],
)
def test_databases_that_remit_opens(value: str) -> None:
    assert database_url(value) == value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("sqlite://", "needs a file"),
        ("sqlite:///", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("postgresql://db", "names no database"),
        ("postgresql://db/", "names no database"),
        ("mysql://root@db/remit", "`mysql` are not supported"),
        ("remit.sqlite3", "are not supported"),
    ],
)
def test_databases_that_remit_does_not_open(value: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        database_url(value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.10", "::1", "[::1]"])
def test_loopback_hosts(host: str) -> None:
    assert is_loopback_host(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "10.0.0.5", "localhost.example", "127.1", "", "remit.example"]
)
def test_hosts_that_others_reach(host: str) -> None:
    assert not is_loopback_host(host)
