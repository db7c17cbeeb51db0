"""Where codes may go: exact strings, and nothing that merely means the same."""

import re
import string
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.oauth.errors import InvalidRedirectUriError
from remit.oauth.redirect_uri import (
    check_redirect_uri,
    displayed_host,
    is_loopback,
    matches_registered,
    with_parameters,
)
from remit.repository.client_uris import redirect_uri_fault

LOOPBACK = ["http://localhost/callback", "http://127.0.0.1:3300/callback", "http://[::1]/cb?x=1"]

# Each means the same place as `http://127.0.0.1:3300/callback` to some URL library.
DISGUISES = [
    "http://127.1:3300/callback",
    "http://127.0.0.1:3300/x/../callback",
    "HTTP://127.0.0.1:3300/callback",
    "http://127.0.0.1:3300/./callback",
    "http://127.0.0.1:3300/%63allback",
    "http://127.0.0.1:3300/callback#",
    "http://127.0.0.1:3300/callback#fragment",
    "http://127.0.0.1:3300//callback",
    "http://127.0.0.1:3300\\callback",
    "http:\\\\127.0.0.1:3300\\callback",
    "http:/127.0.0.1:3300/callback",
    "http:127.0.0.1:3300/callback",
    " http://127.0.0.1:3300/callback",
    "http://127.0.0.1:3300/callback ",
    "http://127.0.0.1:3300/call\tback",
    "http://127.0.0.1:3300/call\nback",
    "http://127.0.0.1:3300/callback\n",
    "http://2130706433:3300/callback",
    "http://0x7f000001:3300/callback",
    "http://0177.0.0.1:3300/callback",
    "http://127.0.0.1.:3300/callback",
    "http://user@127.0.0.1:3300/callback",
    "http://127.0.0.1:3300@evil.example/callback",
    "http://evil.example@127.0.0.1:3300/callback",
    "http://127.0.0.1:03300/callback",
    "http://127.0.0.1:+3300/callback",
    "http://127.0.0.1:/callback",
    "http://127.0.0.1:0/callback",
    "http://127.0.0.1:65536/callback",
    "http://127.0.0.1:3300/callback?",
    "http://127.0.0.1:3300/callback/",
    "http://127.0.0.1:3300/Callback",
    "http://[::ffff:127.0.0.1]:3300/callback",
    "http://[0:0:0:0:0:0:0:1]:3300/callback",
    "http://127.0.0.2:3300/callback",
    "https://127.0.0.1:3300/callback",
    "http://LOCALHOST:3300/callback",
    "http://localhost:3300/callback",
    "http://127.0.0.1\uff0e:3300/callback",
    "http://\uff11\uff12\uff17.0.0.1:3300/callback",
    "",
]


@pytest.mark.parametrize("disguise", DISGUISES)
def test_what_only_means_the_same_does_not_match(disguise):
    assert not matches_registered(disguise, ["http://127.0.0.1:3300/callback"])


@pytest.mark.parametrize("uri", [*LOOPBACK, "https://app.example/cb", "cursor://anysphere.mcp/cb"])
def test_the_registered_string_itself_matches(uri):
    assert matches_registered(uri, ["https://other.example/", uri])


@pytest.mark.parametrize(
    ("registered", "requested"),
    [
        ("http://localhost/callback", "http://localhost:49152/callback"),
        ("http://127.0.0.1/callback", "http://127.0.0.1:1/callback"),
        ("http://127.0.0.1:33418/", "http://127.0.0.1:65535/"),
        ("http://127.0.0.1:33418/", "http://127.0.0.1/"),
        ("http://[::1]/cb?x=1", "http://[::1]:8080/cb?x=1"),
        ("http://localhost", "http://localhost:8080"),
    ],
)
def test_only_the_port_of_a_loopback_uri_may_differ(registered, requested):
    assert matches_registered(requested, [registered])


@pytest.mark.parametrize(
    ("registered", "requested"),
    [
        ("https://app.example/cb", "https://app.example:8443/cb"),
        ("https://app.example/cb", "https://app.example:443/cb"),
        ("https://app.example/cb", "https://app.example/cb?x=1"),
        ("https://app.example/cb", "https://app.example/cb/more"),
        ("https://app.example/cb", "https://sub.app.example/cb"),
        ("https://app.example/cb", "https://app.example.evil.example/cb"),
        ("https://app.example/cb", "https://app.example%2eevil.example/cb"),
        ("https://localhost/cb", "https://localhost:8443/cb"),
        ("http://localhost/cb", "http://127.0.0.1/cb"),
        ("http://localhost", "http://localhost:8080/"),
        ("http://localhost/cb?x=1", "http://localhost:8080/cb?x=2"),
        ("http://localhost/cb?x=1", "http://localhost:8080/cb"),
        ("http://localhost.evil.example/cb", "http://localhost.evil.example:8080/cb"),
        ("cursor://app/cb", "cursor://app:1/cb"),
    ],
)
def test_anything_else_that_differs_is_another_uri(registered, requested):
    assert not matches_registered(requested, [registered])


def test_nothing_matches_where_nothing_is_registered():
    assert not matches_registered("https://app.example/cb", [])


PATH = st.text(alphabet=string.ascii_letters + string.digits + "-._~/", max_size=20).map(
    lambda text: "/" + text
)


@given(
    host=st.sampled_from(["127.0.0.1", "[::1]", "localhost"]),
    path=PATH,
    query=st.sampled_from(["", "?a=1", "?a=%2F"]),
    ports=st.tuples(st.integers(1, 65535), st.integers(1, 65535)),
)
def test_every_port_of_every_loopback_host_is_the_same_place(host, path, query, ports):
    first, second = (f"http://{host}:{port}{path}{query}" for port in ports)
    assert matches_registered(second, [first])
    assert matches_registered(second, [f"http://{host}{path}{query}"])
    assert not matches_registered(second + "x", [first])


@given(position=st.integers(0, 28), character=st.characters(codec="utf-8"))
def test_no_inserted_character_matches_unless_it_is_a_digit_of_the_port(position, character):
    registered = "http://127.0.0.1:3300/callback"
    altered = registered[:position] + character + registered[position:]
    if matches_registered(altered, [registered]):
        assert re.fullmatch(r"http://127\.0\.0\.1:[1-9][0-9]{0,4}/callback", altered)


AUTHORITY = st.text(alphabet="ab1.-:[]@%*0x", max_size=12)
REST = st.text(alphabet="/?#.%2eE*a\\ ", max_size=10)


@given(
    scheme=st.sampled_from(["https://", "http://", "cursor://", "cursor:", "HTTPS://", "//", ""]),
    authority=AUTHORITY | st.sampled_from(["app.example", "localhost", "127.0.0.1", "[::1]"]),
    rest=REST,
)
def test_the_repository_and_registration_agree_on_what_a_redirect_uri_is(scheme, authority, rest):
    """Two floors each have their own reader, because neither may import the other."""
    uri = scheme + authority + rest
    try:
        check_redirect_uri(uri, schemes=("cursor",))
        registrable = True
    except InvalidRedirectUriError:
        registrable = False
    assert registrable is (redirect_uri_fault(uri, ("cursor",)) is None)


@given(st.text(max_size=60))
def test_any_text_is_either_refused_or_a_uri_that_urlsplit_reads_the_same_way(text):
    for candidate in (text, f"https://{text}", f"http://{text}", f"http://localhost{text}"):
        try:
            check_redirect_uri(candidate)
        except InvalidRedirectUriError:
            continue
        parts = urlsplit(candidate)
        assert candidate.isascii()
        assert parts.username is None
        assert not parts.fragment
        assert parts.scheme == "https" or parts.hostname in {"127.0.0.1", "::1", "localhost"}


@pytest.mark.parametrize(
    "uri",
    [
        *LOOPBACK,
        "http://localhost",
        "https://app.example",
        "https://app.example/cb?tenant=1&x=%2F",
        "https://app.example:8443/cb",
        "https://vscode.dev/redirect",
        "https://xn--bcher-kva.example/cb",
        "https://198.51.100.7/cb",
        "https://[2001:db8::1]/cb",
    ],
)
def test_https_and_loopback_may_be_registered(uri):
    check_redirect_uri(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "http://app.example/cb",
        "http://127.0.0.2/cb",
        "http://localhost.evil.example/cb",
        "http://0.0.0.0/cb",
        "https://app.example/cb#x",
        "https://app.example/cb#",
        "https://user:pass@app.example/cb",
        "https://user@app.example/cb",
        "https://*.app.example/cb",
        "https://app.example/*",
        "https://app.example/a/../b",
        "https://app.example/a/%2e%2E/b",
        "https://app.example/a/.",
        "https://app.example\\@evil.example/cb",
        "https://app.example/c b",
        "https://app.example/cb\r\nLocation: x",
        "https://app.example/%zz",
        "https://app.example:0/cb",
        "https://app.example:99999/cb",
        "https://app.example:port/cb",
        "https://[::1/cb",
        "https://[::1]evil/cb",
        "https://[fe80::1%25eth0]/cb",
        "https://[::0001]/cb",
        "https://127.1/cb",
        "https://0x7f.1/cb",
        "https://256.1.1.1/cb",
        "https://-app.example/cb",
        "https://app..example/cb",
        "https:///cb",
        "https://?x",
        "https:app.example/cb",
        "https:/app.example/cb",
        "HTTPS://app.example/cb",
        "https://App.example/cb",
        "https://bücher.example/cb",
        "//app.example/cb",
        "/cb",
        "app.example/cb",
        "",
        "https://app.example/" + "a" * 2048,
    ],
)
def test_what_two_readers_could_take_for_two_places_may_not_be_registered(uri):
    with pytest.raises(InvalidRedirectUriError):
        check_redirect_uri(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)",
        "javascript://app.example/%0aalert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "vbscript:x",
        "blob:https://app.example/x",
        "about:blank",
        "ws://localhost/cb",
        "ftp://app.example/cb",
        "view-source:https://app.example/cb",
        "intent://scan/#Intent;end",
    ],
)
def test_schemes_that_run_or_read_something_are_refused_even_when_allow_listed(uri):
    scheme = uri.partition(":")[0]
    with pytest.raises(InvalidRedirectUriError):
        check_redirect_uri(uri, schemes=(scheme,))


@pytest.mark.parametrize("uri", ["cursor://anysphere.cursor-mcp/cb", "com.example.app:/cb"])
def test_private_use_schemes_are_admitted_by_name_only(uri):
    scheme = uri.partition(":")[0]
    check_redirect_uri(uri, schemes=("other", scheme))
    with pytest.raises(InvalidRedirectUriError, match="not admitted"):
        check_redirect_uri(uri, schemes=("other",))


@pytest.mark.parametrize(
    "uri",
    [
        "cursor:",
        "cursor:/",
        "cursor://",
        "cursor:cb",
        "cursor://a@b/cb",
        "cursor://a/../b",
        "CURSOR://a/b",
    ],
)
def test_an_admitted_scheme_still_needs_a_plain_place(uri):
    with pytest.raises(InvalidRedirectUriError):
        check_redirect_uri(uri, schemes=("cursor",))


@pytest.mark.parametrize(
    "uri", ["http://localhost/cb", "https://localhost/cb", "https://127.0.0.1/cb", "cursor://a/cb"]
)
def test_a_web_application_lives_on_a_real_host_over_https(uri):
    with pytest.raises(InvalidRedirectUriError):
        check_redirect_uri(uri, schemes=("cursor",), web_only=True)
    check_redirect_uri("https://app.example/cb", web_only=True)


def test_a_refusal_quotes_nothing_unprintable():
    with pytest.raises(InvalidRedirectUriError) as refused:
        check_redirect_uri("https://app.example/\u202e\n" + "x" * 500)
    assert refused.value.detail.isprintable()
    assert len(refused.value.detail) < 250


def test_the_consent_page_can_name_the_host_and_warn_of_loopback():
    assert displayed_host("https://app.example:8443/cb") == "app.example"
    assert displayed_host("http://[::1]:80/cb") == "[::1]"
    assert displayed_host("cursor://anysphere/cb") == "cursor:"
    assert is_loopback("http://localhost:1/cb")
    assert not is_loopback("https://localhost/cb")
    assert not is_loopback("http://localhost.evil.example/cb")


def test_parameters_are_added_and_the_query_that_stood_there_stays():
    uri = with_parameters("https://app.example/cb?x=%2F&y", {"code": "a b&c", "state": "é="})
    assert uri.startswith("https://app.example/cb?x=%2F&y&code=")
    assert parse_qsl(urlsplit(uri).query)[-2:] == [("code", "a b&c"), ("state", "é=")]
    assert with_parameters("https://app.example", {"code": "1"}) == "https://app.example?code=1"
