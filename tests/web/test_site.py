"""Where Remit may be served."""

import pytest

from remit.web import UnusablePublicUrlError, site_at


@pytest.mark.parametrize(
    ("url", "origin", "secure"),
    [
        ("https://remit.example", "https://remit.example", True),
        ("https://remit.example/", "https://remit.example", True),
        ("https://remit.example:443", "https://remit.example", True),
        ("https://Remit.Example:8443", "https://remit.example:8443", True),
        ("http://localhost:8000", "http://localhost:8000", False),
        ("http://127.0.0.1", "http://127.0.0.1", False),
        ("http://[::1]:8000", "http://[::1]:8000", False),
        ("http://remit.localhost", "http://remit.localhost", False),
    ],
)
def test_an_origin_is_https_or_on_loopback(url, origin, secure):
    site = site_at(url)
    assert (site.origin, site.public_url, site.secure) == (origin, origin, secure)


@pytest.mark.parametrize(
    "url",
    [
        "http://remit.example",
        "http://127.0.0.1.evil.example",
        "http://10.0.0.1",
        "ftp://localhost",
        "remit.example",
        "https://",
        "https://remit.example/path",
        "https://remit.example?x",
        "https://remit.example#x",
        "https://user@remit.example",
        "https://remit.example:99999",
        "https://[::1",
    ],
)
def test_everything_else_is_refused(url):
    with pytest.raises(UnusablePublicUrlError):
        site_at(url)
