"""Where a log-in may lead back to: paths of our own that we hand out, and nothing else.

An open redirect on a log-in page turns it into an accomplice of phishing (RFC 9700 §4.11).
"""

import re
from collections.abc import Sequence

__all__ = ["safe_return_to"]

_LOCAL = re.compile(r"(/[A-Za-z0-9/_-]*)(?:\?[A-Za-z0-9._~!$&'()*+,;=:@/?%-]*)?")
_MAX_LENGTH = 8192


def safe_return_to(text: str | None, allowed: Sequence[str]) -> str | None:
    """`text`, if its path is one of `allowed` or below it; `None` otherwise."""
    if text is None or len(text) > _MAX_LENGTH:
        return None
    match = _LOCAL.fullmatch(text)
    if match is None or "//" in match[1]:
        return None
    path = match[1]
    if any(path == prefix or path.startswith(f"{prefix}/") for prefix in allowed):
        return text
    return None
