"""An authorization request that waits for a person: kept here, answered once, in one browser.

Its parameters do not travel through the browser again; the browser holds a random
name for the request, and a cookie that shows it is the browser that opened it. So
a request that was opened in one browser cannot be approved in another (RFC 9700
§4.7: the session of a victim cannot be made to answer an attacker's request).

Source: O21 §7.9; RFC 9700 §4.7, §4.16; AS-55.
"""

from dataclasses import dataclass
from typing import ClassVar

from remit.clock import EpochSeconds
from remit.errors import Error

__all__ = ["NotWaitingError", "PendingRequest"]


class NotWaitingError(Error):
    """No request of that name waits in this browser: answered, expired, or opened elsewhere."""

    code: ClassVar[str] = "not_waiting"

    def __init__(self) -> None:
        super().__init__("no such request waits in this browser")


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRequest:
    """One request as stored: the digests of its name and of the browser's cookie, never either itself.

    `query` is what the client sent, to be read again by the same checks; `redirect_uri`
    is where its answer goes, as it was checked.
    `session_id` is the log-in session the browser had when it came, if any: with
    `prompt=login` another one must answer.
    """

    digest: str
    browser_digest: str
    query: str
    redirect_uri: str
    session_id: str | None
    created_at: EpochSeconds
    expires_at: EpochSeconds

    @property
    def flow_id(self) -> str:
        """What the log knows it by, from its first page to its code. Nobody can answer it by that."""
        return f"flo_{self.digest[:26]}"
