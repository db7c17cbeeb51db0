"""Why a log-in through a provider was refused: a stable word for the log, and words for the person.

What the person is told depends on what they can do about it, not on which check failed: whoever
tries forged answers learns nothing from the page.
"""

from enum import StrEnum
from typing import ClassVar

from remit.errors import Error

__all__ = ["PROVIDER_DOWN", "UNWELCOME", "ProviderLoginError", "Refused"]


class Refused(StrEnum):
    """The reasons, as they stand in the log."""

    UNKNOWN_PROVIDER = "unknown_provider"
    STATE = "state"
    """No log-in of that name is under way in this browser: forged, used, expired, or begun elsewhere."""
    ISSUER_CHANGED = "issuer_changed"
    ISS_MISMATCH = "iss_mismatch"
    ISS_MISSING = "iss_missing"
    CANCELLED = "cancelled"
    PROVIDER_REFUSED = "provider_refused"
    """It answered with an error other than that the person said no."""
    NO_CODE = "no_code"
    UNAVAILABLE = "provider_unavailable"
    MISCONFIGURED = "misconfigured"
    TOKEN_REFUSED = "token_refused"  # noqa: S105  a reason
    TOKEN_MALFORMED = "token_malformed"  # noqa: S105  a reason
    ID_TOKEN = "id_token"  # noqa: S105  a reason
    NONCE = "nonce"
    AUDIENCE = "audience"
    AUTH_TIME = "auth_time"
    USERINFO = "userinfo"
    NOT_LINKED = "not_linked"
    DENIED = "denied_by_rule"
    NO_TENANT = "no_tenant"
    OTHER_TENANT = "other_tenant"
    DISABLED = "account_disabled"
    LINKED_ELSEWHERE = "linked_elsewhere"
    TOO_MANY = "too_many_from_address"


PROVIDER_DOWN = frozenset({Refused.UNAVAILABLE, Refused.MISCONFIGURED})
UNWELCOME = frozenset({Refused.NOT_LINKED, Refused.DENIED, Refused.NO_TENANT, Refused.DISABLED})
"""The person is who they say, and may not come in; which of these it is, their administrator reads."""


class ProviderLoginError(Error):
    """This log-in goes no further. `detail` goes to the log and never holds what the provider issued."""

    code: ClassVar[str] = "provider_login_refused"

    def __init__(
        self, reason: Refused, detail: str = "", *, cause: BaseException | None = None
    ) -> None:
        super().__init__(detail, cause=cause)
        self.reason = reason
