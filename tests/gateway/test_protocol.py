"""Which era judges a message."""

import pytest

from remit.gateway.jsonrpc import Notification, Request, Response
from remit.gateway.protocol import Era, era_of
from tests.gateway.doubles import META

BARE = Request(1, "tools/list", {"_meta": {"progressToken": 1}})
ENVELOPED = Request(1, "tools/list", {"_meta": META})


@pytest.mark.parametrize(
    ("message", "header", "era"),
    [
        (ENVELOPED, "2026-07-28", Era.MODERN),
        (ENVELOPED, None, Era.MODERN),
        (ENVELOPED, "2025-11-25", Era.MODERN),
        (BARE, "2026-07-28", Era.MODERN),
        (BARE, "2031-01-01", Era.MODERN),
        (BARE, "", Era.MODERN),
        (BARE, None, Era.LEGACY),
        (BARE, "2025-11-25", Era.LEGACY),
        (Request(1, "initialize"), None, Era.LEGACY),
        (Notification("x", {"_meta": META}), None, Era.MODERN),
        (Notification("x"), None, Era.LEGACY),
        (Response(1, result={"_meta": META}), None, Era.LEGACY),
        (Request(1, "x", {"_meta": []}), None, Era.LEGACY),
    ],
)
def test_the_body_decides_and_what_is_unknown_meets_the_stricter_rules(message, header, era):
    assert era_of(message, header) is era
