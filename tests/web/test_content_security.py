"""What a page may load, and where its forms may lead."""

import pytest

from remit.web.content_security import content_security_policy, redirect_source


def test_a_page_may_load_our_style_and_nothing_that_runs():
    policy = content_security_policy()
    assert policy == (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self';"
        " frame-ancestors 'none'; base-uri 'none'"
    )


def test_a_page_that_needs_a_script_may_load_our_own_files_and_nothing_else_that_runs():
    policy = content_security_policy(scripts=True)
    assert policy.replace("script-src 'self'; ", "") == content_security_policy()
    assert policy.count("script-src") == 1


@pytest.mark.parametrize(
    ("redirect_uri", "source"),
    [
        ("https://client.example/cb?x=1", "https://client.example"),
        ("https://client.example:8443/cb", "https://client.example:8443"),
        ("http://127.0.0.1:33418/cb", "http://127.0.0.1:33418"),
        ("http://localhost/cb", "http://localhost"),
        ("http://[::1]:1234/cb", "http:"),
        ("cursor://anysphere.cursor-mcp/oauth", "cursor:"),
        ("com.example.app:/cb", "com.example.app:"),
    ],
)
def test_a_redirect_uri_is_admitted_by_the_narrowest_source_there_is(redirect_uri, source):
    assert redirect_source(redirect_uri) == source
    assert f"form-action 'self' {source};" in content_security_policy([source])


@pytest.mark.parametrize(
    "source",
    [
        "https://a.example; script-src *",
        "https://a.example, default-src *",
        "https://a.example 'unsafe-inline'",
        "*",
        "'none'",
        "https://*.example",
        "",
        "https://a.example\r\nx: y",
    ],
)
def test_a_source_cannot_widen_the_policy(source):
    with pytest.raises(ValueError, match="not a scheme or an origin"):
        content_security_policy([source])


@pytest.mark.parametrize("uri", ["/cb", "", "client.example", "https://a;b/cb", "https://a b/cb"])
def test_what_is_no_redirect_uri_has_no_source(uri):
    with pytest.raises(ValueError, match="redirect uri"):
        redirect_source(uri)
