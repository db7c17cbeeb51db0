"""A log-in that is under way: somebody proved a part of who they are, and more is needed.

It is known by a secret in the address of its page, good only in the browser that began it,
for a few minutes, and once: each step that succeeds spends it, and the next gets a new one.

Source: NIST SP 800-63B §5.2.11; RFC 9700 §4.7.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from remit.clock import EpochSeconds, Seconds
from remit.ids import UserId, digest, new_secret
from remit.web import Browser

__all__ = ["MAX_FAILURES", "SIGN_IN_LIFETIME", "BegunSignIn", "Purpose", "SignIn", "begin_sign_in"]

SIGN_IN_LIFETIME = Seconds(600)
MAX_FAILURES = 5
"""After so many wrong codes the person begins again, with the password."""


class Purpose(StrEnum):
    """What the log-in is for."""

    LOG_IN = "log_in"
    """Nobody is logged in yet, or is to be replaced."""
    STEP_UP = "step_up"
    """A session that is open is to become a stronger one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """As stored. `amr` is what was proved in this log-in so far."""

    digest: str
    browser_digest: str
    purpose: Purpose
    user_id: UserId
    amr: tuple[str, ...]
    return_to: str
    created_at: EpochSeconds
    expires_at: EpochSeconds
    failures: int = 0
    used_at: EpochSeconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunSignIn:
    """One that just began; `name` goes into the address of its page and nowhere else."""

    sign_in: SignIn
    name: str = field(repr=False)


def begin_sign_in(
    browser: Browser,
    user_id: UserId,
    *,
    purpose: Purpose,
    amr: tuple[str, ...],
    return_to: str | None,
    now: EpochSeconds,
) -> BegunSignIn:
    """A log-in of that account in `browser`, not yet stored."""
    name = new_secret()
    sign_in = SignIn(
        digest=digest(name),
        browser_digest=browser.digest,
        purpose=purpose,
        user_id=user_id,
        amr=amr,
        return_to=return_to or "",
        created_at=now,
        expires_at=EpochSeconds(now + SIGN_IN_LIFETIME),
    )
    return BegunSignIn(sign_in=sign_in, name=name)
