"""Challenges for passkeys: unguessable, for one purpose, in one browser, for a few minutes, once.

A challenge is made without keeping anything, so that opening a page writes nothing: it is random
bytes and its expiry, sealed under the master key with purpose and browser as associated data.
Nobody else can make one, and so nobody can have an authenticator answer one beforehand. When it
has been answered its digest is kept until it expires.

Source: WebAuthn Level 3 §13.4.3 (cryptographic challenges).
"""

from secrets import token_bytes

from remit.clock import EpochSeconds, Seconds
from remit.ids import digest
from remit.secrets import SealBrokenError, SecretBox
from remit.web import Browser

__all__ = ["CHALLENGE_LIFETIME", "TO_LOG_IN", "challenge_digest", "expiry_of", "new_challenge"]

CHALLENGE_LIFETIME = Seconds(900)
"""Long, since the log-in page holds one for as long as a person leaves it open."""

TO_LOG_IN = "log_in"

_RANDOM = 16
_LENGTHS = range(48, 129)


def new_challenge(box: SecretBox, purpose: str, *, browser: Browser, now: EpochSeconds) -> bytes:
    """A challenge that only `browser` may answer, and only for `purpose`."""
    expires_at = now + CHALLENGE_LIFETIME
    content = token_bytes(_RANDOM) + expires_at.to_bytes(8, "big")
    return box.seal(_name(purpose, browser), content).encode()


def expiry_of(
    box: SecretBox, challenge: bytes, purpose: str, *, browser: Browser, now: EpochSeconds
) -> EpochSeconds | None:
    """When `challenge` expires; `None` where it has, or is not one of ours for this use."""
    if len(challenge) not in _LENGTHS or not challenge.isascii():
        return None
    try:
        content = box.open(_name(purpose, browser), challenge.decode())
    except SealBrokenError:
        return None
    expires_at = EpochSeconds(int.from_bytes(content[_RANDOM:], "big"))
    return expires_at if now < expires_at else None


def challenge_digest(challenge: bytes) -> str:
    """What is kept of a challenge that was answered."""
    return digest(challenge.decode())


def _name(purpose: str, browser: Browser) -> str:
    return f"passkey challenge:{purpose}:{browser.digest}"
