"""How a request to an object store is signed: AWS Signature Version 4, whole content, in headers.

Source: AWS, "Signature Version 4 signing process"; Amazon S3, "Authenticating Requests".
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from remit.clock import EpochSeconds

__all__ = ["AwsKey", "signed_headers"]

_ALGORITHM: Final = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsKey:
    """Who signs, for which service in which region."""

    access: str
    secret: str = field(repr=False)
    region: str
    service: str = "s3"
    session: str | None = field(default=None, repr=False)


def signed_headers(
    key: AwsKey,
    method: str,
    path: str,
    *,
    given: Mapping[str, str],
    content: bytes,
    now: EpochSeconds,
) -> dict[str, str]:
    """The headers that go along with a request without a query; `path` is not yet quoted.

    `given` are `host`, and what else is to be signed, in lower case.
    """
    at = datetime.fromtimestamp(now, UTC)
    day, instant = at.strftime("%Y%m%d"), at.strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(content).hexdigest()
    headers = {**given, "x-amz-content-sha256": digest, "x-amz-date": instant}
    if key.session is not None:
        headers["x-amz-security-token"] = key.session
    names = ";".join(sorted(headers))
    asked = "\n".join(
        (
            method,
            quote(path, safe="/-_.~"),
            "",
            *(f"{name}:{headers[name]}" for name in sorted(headers)),
            "",
            names,
            digest,
        )
    )
    scope = f"{day}/{key.region}/{key.service}/aws4_request"
    text = "\n".join((_ALGORITHM, instant, scope, hashlib.sha256(asked.encode()).hexdigest()))
    signature = hmac.new(_day_key(key, day), text.encode(), hashlib.sha256).hexdigest()
    credential = f"{key.access}/{scope}"
    headers["authorization"] = (
        f"{_ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
    )
    return _without_host(headers)


def _day_key(key: AwsKey, day: str) -> bytes:
    found = f"AWS4{key.secret}".encode()
    for part in (day, key.region, key.service, "aws4_request"):
        found = hmac.new(found, part.encode(), hashlib.sha256).digest()
    return found


def _without_host(headers: Mapping[str, str]) -> dict[str, str]:
    """The host is signed, and sent by whoever connects."""
    return {name: value for name, value in headers.items() if name != "host"}
