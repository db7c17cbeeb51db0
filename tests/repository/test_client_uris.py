import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.oauth import redirect_uri
from remit.oauth.errors import InvalidRedirectUriError
from remit.oauth.redirect_uri import check_redirect_uri
from remit.repository import registration_section
from remit.repository.client_uris import metadata_document_fault, redirect_uri_fault, same_place


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/callback",
        "https://app.example:8443/callback?x=1",
        "http://127.0.0.1/callback",
        "http://localhost:33418/",
        "http://[::1]/cb",
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "com.example.app:/callback",
    ],
)
def test_a_place_that_a_code_may_go_to_is_admitted(uri: str) -> None:
    assert redirect_uri_fault(uri, {"cursor", "com.example.app"}) is None


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "callback",
        "/callback",
        "https://",
        "https:///cb",
        "http://app.example/callback",
        "http://127.1/callback",
        "http://0x7f.1/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://localhost.evil.example/cb",
        "http://user@127.0.0.1/cb",
        "https://user:pw@app.example/cb",
        "https://app.example/cb#x",
        "https://app.example/*",
        "https://*.app.example/cb",
        "https://app.example/x/../cb",
        "https://app.example/x/%2e%2e/cb",
        "https://APP.example/cb",
        "HTTPS://app.example/cb",
        "https://app.example:0/cb",
        "https://app.example:99999/cb",
        "https://app.example /cb",
        "https://app.example\\@evil.example/cb",
        "https://app.example/%zz",
        "javascript:alert(1)",
        "data:text/html,x",
        "vscode://x/cb",
        "cursor://",
        "cursor:/",
        "cursor://user@x/cb",
        "https://app.example/" + "x" * 2048,
    ],
)
def test_a_place_that_browsers_or_attackers_would_rewrite_is_refused(uri: str) -> None:
    assert redirect_uri_fault(uri, {"cursor"}) is not None


@pytest.mark.parametrize(
    "url",
    [
        "https://claude.ai/oauth/claude-code-client-metadata",
        "https://vscode.dev/oauth/client-metadata.json",
    ],
)
def test_the_url_of_a_document_is_admitted(url: str) -> None:
    assert metadata_document_fault(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://claude.ai/oauth/x",
        "https://claude.ai",
        "https://claude.ai/",
        "https://claude.ai/a/../b",
        "https://claude.ai/x#y",
        "https://u@claude.ai/x",
        "https://Claude.ai/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://localhost/x",
        "https://127.1/x",
        "claude.ai/x",
        "",
    ],
)
def test_what_cannot_be_a_metadata_document_is_refused(url: str) -> None:
    assert metadata_document_fault(url) is not None


def test_the_port_counts_except_on_loopback() -> None:
    assert same_place("http://127.0.0.1:1234/cb?x") == same_place("http://127.0.0.1/cb?x")
    assert same_place("http://127.0.0.1/cb") != same_place("http://localhost/cb")
    assert same_place("https://app.example:1/cb") != same_place("https://app.example/cb")
    assert same_place("not a uri") == "not a uri"


def admitted_by_the_authorization_server(uri: str) -> bool:
    try:
        check_redirect_uri(uri, schemes={"cursor"})
    except InvalidRedirectUriError:
        return False
    return True


_PIECES = ["http", "https", "cursor", "HTTP", ":", "/", "//", "127.0.0.1", "127.1", "localhost", "[::1]", "[::01]", "a.example", "A.example", "a..b", "-a.b", ":80", ":0", ":99999", "/cb", "..", ".", "%2e", "%zz", "?x=1", "#f", "*", "@", "u:p@", " ", "\\", "0x7f", "ä"]  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES), max_size=7).map("".join))
def test_what_is_admitted_here_is_never_refused_at_the_authorization_server(uri: str) -> None:
    """Two rooms that may not know each other: one floor up they must not disagree."""
    if redirect_uri_fault(uri, {"cursor"}) is None:
        assert admitted_by_the_authorization_server(uri), uri


@given(
    st.sampled_from(["http://", "https://", "cursor:/"]),
    st.lists(st.sampled_from(_PIECES), max_size=5).map("".join),
)
def test_that_holds_after_every_scheme(scheme: str, rest: str) -> None:
    if redirect_uri_fault(scheme + rest, {"cursor"}) is None:
        assert admitted_by_the_authorization_server(scheme + rest), scheme + rest


@given(
    st.sampled_from(["http://", "https://", "cursor:/", ""]),
    st.lists(st.sampled_from(_PIECES), max_size=5).map("".join),
)
def test_what_the_authorization_server_admits_is_admitted_here(scheme: str, rest: str) -> None:
    """Else a client that works could not be named in the file of its agent."""
    if admitted_by_the_authorization_server(scheme + rest):
        assert redirect_uri_fault(scheme + rest, {"cursor"}) is None, scheme + rest


def test_the_schemes_that_nobody_may_have_are_the_same_in_both_rooms() -> None:
    assert registration_section._NEVER_PRIVATE == redirect_uri._NEVER
