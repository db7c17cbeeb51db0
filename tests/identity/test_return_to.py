"""Where a log-in may lead back to."""

import pytest

from remit.identity.return_to import safe_return_to

ALLOWED = ("/authorize",)


@pytest.mark.parametrize(
    "target",
    [
        "/authorize",
        "/authorize?client_id=a&redirect_uri=https%3A%2F%2Fc.example%2Fcb&state=x~y",
        "/authorize/consent?request=abc",
        "/authorize/abc_DEF-123",
    ],
)
def test_paths_that_we_hand_out_are_kept_as_they_are(target):
    assert safe_return_to(target, ALLOWED) == target


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "/",
        "authorize",
        "/authorized",
        "/authorize.evil",
        "/logout",
        "//evil.example",
        "//evil.example/authorize",
        "/authorize//evil.example",
        "/authorize/../logout",
        "/authorize/%2e%2e/logout",
        "\\\\evil.example",
        "/\\evil.example",
        "https://evil.example/authorize",
        "https:/authorize",
        "javascript:alert(1)//authorize",
        "/authorize?x=\r\nSet-Cookie: a=b",
        "/authorize?x=<script>",
        "/authorize?x=\u00e4",
        "/authorize#fragment",
        " /authorize",
        "/authorize\n",
        "/authorize?x=" + "a" * 9000,
    ],
)
def test_everything_else_leads_nowhere(target):
    assert safe_return_to(target, ALLOWED) is None
