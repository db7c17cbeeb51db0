import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.oauth.redirect_uri_pattern import fits_pattern
from remit.repository.client_uris import redirect_uri_fault
from remit.repository.redirect_patterns import redirect_pattern_fault


@pytest.mark.parametrize(
    "pattern",
    [
        "https://app.example/callback",
        "https://app.example/*",
        "https://app.example/oauth/*",
        "https://*.acme.example/cb",
        "https://*.acme.example/oauth/*",
        "https://*.acme.co.uk/cb",
        "http://127.0.0.1:*/callback",
        "http://[::1]:*/callback",
        "http://localhost:*",
        "http://localhost:*/*",
        "http://localhost/callback",
        "cursor://anysphere.cursor-mcp/oauth/*",
    ],
)
def test_a_pattern_that_says_whose_clients_it_admits_is_one(pattern: str) -> None:
    assert redirect_pattern_fault(pattern, {"cursor"}) is None


@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        "",
        "https://*",
        "https://*/cb",
        "https://*.com/cb",
        "https://*.co.uk/cb",
        "https://*.vercel.app/cb",
        "https://*.*.example/cb",
        "https://a.*.example/cb",
        "https://*acme.example/cb",
        "https://acme.*/cb",
        "https://acme.example:*/cb",
        "https://acme.example/*/cb",
        "https://acme.example/cb*",
        "https://acme.example/cb?next=*",
        "https://acme.example/cb?next=/*",
        "https://acme.example/**",
        "http://*.acme.example/cb",
        "http://acme.example/*",
        "http://*/cb",
        "http://127.0.0.1:*.evil.example/cb",
        "http://localhost:*@evil.example/cb",
        "https://user@acme.example/*",
        "https://acme.example/cb#*",
        "https://acme.example/cb#x",
        "https://acme.example/../*",
        "https://*.127.0.0.1/cb",
        "https://*.ACME.example/cb",
        "cursor:/*",
        "cursor://*",
        "*://x/cb",
        "vscode://x/*",
        "javascript:*",
    ],
)
def test_a_pattern_that_admits_strangers_is_refused(pattern: str) -> None:
    assert redirect_pattern_fault(pattern, {"cursor"}) is not None


_PIECES = ["http://", "https://", "cursor:/", "/", "*", "*.", ":*", "localhost", "127.0.0.1", "acme.example", "com", "@", "#", "?", "..", "cb", "%2e", ":80"]  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES), max_size=7).map("".join))
def test_a_pattern_without_a_wildcard_is_a_redirect_uri(text: str) -> None:
    if "*" not in text:
        assert redirect_pattern_fault(text, {"cursor"}) == redirect_uri_fault(text, {"cursor"})


@given(st.lists(st.sampled_from(_PIECES), max_size=7).map("".join))
def test_no_pattern_has_a_wildcard_where_none_may_be(text: str) -> None:
    if redirect_pattern_fault(text, {"cursor"}) is None:
        assert text.count("*") <= 2
        assert "**" not in text
        assert not text.startswith("*")


@given(st.lists(st.sampled_from(_PIECES), max_size=7).map("".join))
def test_a_pattern_admitted_here_is_understood_at_the_authorization_server(text: str) -> None:
    """Two rooms that may not know each other: a pattern that fits nothing would be a rule in vain."""
    if redirect_pattern_fault(text, {"cursor"}) is None:
        concrete = text.replace("://*.", "://any.").replace(":*", ":8080")
        concrete = concrete[:-1] + "below" if concrete.endswith("/*") else concrete
        assert redirect_uri_fault(concrete, {"cursor"}) is None
        assert fits_pattern(concrete, text), (concrete, text)
