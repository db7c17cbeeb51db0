"""Patterns of redirect URIs: what each stands for, and every trick that must not fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.oauth.redirect_uri_pattern import fits_pattern


@pytest.mark.parametrize(
    ("uri", "pattern"),
    [
        ("https://app.example/cb", "https://app.example/cb"),
        ("https://app.example/cb?x=1", "https://app.example/cb?x=1"),
        ("http://127.0.0.1:3118/cb", "http://127.0.0.1:*/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:*/cb"),
        ("http://localhost:65535/cb", "http://localhost:*/cb"),
        ("http://[::1]:80/cb", "http://[::1]:*/cb"),
        ("http://127.0.0.1:3118", "http://127.0.0.1:*"),
        ("http://127.0.0.1:3118/a/b", "http://127.0.0.1:*/*"),
        ("https://eu.app.example/cb", "https://*.app.example/cb"),
        ("https://x-1.app.example:8443/cb", "https://*.app.example:8443/cb"),
        ("https://app.example/cb/", "https://app.example/cb/*"),
        ("https://app.example/cb/a", "https://app.example/cb/*"),
        ("https://app.example/cb/a/b-c_d.e~f/", "https://app.example/cb/*"),
        ("https://app.example/", "https://app.example/*"),
        ("https://eu.app.example/any/where", "https://*.app.example/*"),
        ("cursor://anysphere.cursor-mcp/oauth", "cursor://anysphere.cursor-mcp/*"),
        ("com.example.app:/done", "com.example.app:/*"),
    ],
)
def test_what_a_pattern_stands_for_fits(uri, pattern):
    assert fits_pattern(uri, pattern)


@pytest.mark.parametrize(
    ("uri", "pattern"),
    [
        # beyond the end, or before the beginning, of what was meant
        ("https://evil.example.com.attacker.net/cb", "https://evil.example.com/*"),
        ("https://app.example.attacker.net/cb", "https://app.example/*"),
        ("https://attacker.net/app.example/cb", "https://*.app.example/cb"),
        ("https://eu.app.example.attacker.net/cb", "https://*.app.example/cb"),
        ("https://evilapp.example/cb", "https://*.app.example/cb"),
        ("https://app.example/cb", "https://*.app.example/cb"),
        ("https://.app.example/cb", "https://*.app.example/cb"),
        ("https://a.b.app.example/cb", "https://*.app.example/cb"),
        ("https://app.example/cbx", "https://app.example/cb/*"),
        ("https://app.example/cb", "https://app.example/cb/*"),
        # userinfo
        ("https://app.example@attacker.net/cb", "https://app.example/*"),
        ("https://app.example:x@attacker.net/cb", "https://app.example/*"),
        ("https://eu@attacker.net/cb", "https://*.app.example/cb"),
        ("https://attacker.net@eu.app.example/cb", "https://*.app.example/cb"),
        ("http://127.0.0.1:80@attacker.net/cb", "http://127.0.0.1:*/cb"),
        # equal only after somebody normalises
        ("https://EU.app.example/cb", "https://*.app.example/cb"),
        ("https://eu.App.example/cb", "https://*.app.example/cb"),
        ("HTTPS://eu.app.example/cb", "https://*.app.example/cb"),
        ("https://%65u.app.example/cb", "https://*.app.example/cb"),
        ("https://eu.app%2eexample/cb", "https://*.app.example/cb"),
        ("https://eu.app.example./cb", "https://*.app.example/cb"),
        ("https://eu.app.example:443/cb", "https://*.app.example/cb"),
        ("https://eu.app.example:0443/cb", "https://*.app.example:443/cb"),
        ("https://app.example/cb/../admin", "https://app.example/cb/*"),
        ("https://app.example/cb/..", "https://app.example/cb/*"),
        ("https://app.example/cb/./x", "https://app.example/cb/*"),
        ("https://app.example/cb/%2e%2e/admin", "https://app.example/cb/*"),
        ("https://app.example/cb/..%2fadmin", "https://app.example/cb/*"),
        ("https://app.example/cb/..%5cadmin", "https://app.example/cb/*"),
        ("https://app.example/cb/..%252fadmin", "https://app.example/cb/*"),
        ("https://app.example/cb/..;/admin", "https://app.example/cb/*"),
        ("https://app.example/cb//attacker.net", "https://app.example/cb/*"),
        ("https://app.example/%63b", "https://app.example/*"),
        ("https://app.example\\@attacker.net/cb", "https://app.example/*"),
        ("https://app.example/cb\n", "https://app.example/*"),
        ("https://app.example/cb/a?to=https://attacker.net", "https://app.example/cb/*"),
        ("https://app.example/cb/a#x", "https://app.example/cb/*"),
        # homographs: other bytes are other hosts
        ("https://eu.\u0430pp.example/cb", "https://*.app.example/cb"),
        ("https://eu.xn--pp-6kc.example/cb", "https://*.app.example/cb"),
        ("https://eu\u3002app.example/cb", "https://*.app.example/cb"),
        # loopback and its look-alikes
        ("https://127.0.0.1:80/cb", "http://127.0.0.1:*/cb"),
        ("http://127.0.0.2:80/cb", "http://127.0.0.1:*/cb"),
        ("http://127.1:80/cb", "http://127.0.0.1:*/cb"),
        ("http://2130706433:80/cb", "http://127.0.0.1:*/cb"),
        ("http://localhost:80/cb", "http://127.0.0.1:*/cb"),
        ("http://localhost.attacker.net:80/cb", "http://localhost:*/cb"),
        ("http://localhost:99999/cb", "http://localhost:*/cb"),
        ("http://localhost:/cb", "http://localhost:*/cb"),
        ("http://localhost:3000/cb", "http://localhost/cb"),
        ("http://localhost:3000/cb", "http://localhost:3001/*"),
        # a dotted quad has no labels
        ("https://127.0.0.1/cb", "https://*.0.0.1/cb"),
        ("http://eu.app.example/cb", "https://*.app.example/cb"),
        # private-use schemes
        ("cursor://attacker/x", "cursor://anysphere.cursor-mcp/*"),
        ("cursor://anysphere.cursor-mcp.attacker/x", "cursor://anysphere.cursor-mcp/*"),
        ("cursor://anysphere.cursor-mcp/../x", "cursor://anysphere.cursor-mcp/*"),
        ("cursor://anysphere.cursor-mcp@attacker/x", "cursor://anysphere.cursor-mcp/*"),
    ],
)
def test_what_only_looks_as_if_it_fitted_does_not(uri, pattern):
    assert not fits_pattern(uri, pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "*",
            "https://*",
            "https://*/*",
            "https:///*",
            "https:/*",
            "http://*/cb",
            "*://app.example/cb",
        ),
        *("https://app.*/cb", "https://a*.app.example/cb", "https://*app.example/cb"),
        *("https://**.app.example/cb", "https://*.*.example/cb", "https://app.example/*/cb"),
        *("https://app.example/c*", "https://app.example/cb?*", "https://app.example:*/cb"),
        *("https://eu.app.example:*/cb", "https://*.app.example:*/cb", "cursor://*", "cursor:*"),
        *("https://app.example/cb/**", "HTTPS://*.app.example/cb", "https://u@*.app.example/cb"),
    ],
)
@pytest.mark.parametrize(
    "uri", ["https://eu.app.example/cb", "https://app.example/cb", "cursor://x/cb"]
)
def test_what_is_no_pattern_fits_nothing(uri, pattern):
    assert not fits_pattern(uri, pattern)


@given(st.text(alphabet="a.-:/@%*?#\\AZ0", max_size=20), st.text(alphabet="a./", max_size=8))
def test_whatever_stands_before_it_a_wildcard_ends_in_its_own_host(before, after):
    """Everything up to the first slash after the scheme is a label and the host, or nothing fits."""
    uri = f"https://{before}.app.example/{after}"
    if fits_pattern(uri, "https://*.app.example/*"):
        authority = uri.removeprefix("https://").partition("/")[0]
        label, _, rest = authority.partition(".")
        assert rest == "app.example"
        assert label.replace("-", "").isalnum()
        assert label == label.lower()
