"""Nonces that a server gives out and knows again without keeping them.

One nonce is good for everybody during a window of time and the next; it is a MAC of the window's
number, so that whoever has the key knows it, in whichever process. A key of one process alone makes
nonces, and with them proofs, that no other process takes. A nonce is no secret: it says only that
a proof that carries it was made after it was given out.

Source: RFC 9449 §8, §8.2, §11.2 (proofs made in advance).
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import Final

from remit.clock import EpochSeconds, Seconds

__all__ = ["NONCE_WINDOW", "DpopNonces"]

NONCE_WINDOW: Final = Seconds(120)
"""A nonce is given out for so long, and good for as long again."""
_LENGTH: Final = 18
_LEAST_KEY: Final = 32


class DpopNonces:
    """The nonces under one key."""

    __slots__ = ("_key", "_made")

    def __init__(self, key: bytes) -> None:
        if len(key) < _LEAST_KEY:
            raise ValueError("the key of nonces has at least 32 bytes")
        self._key = key
        self._made: tuple[int, str] = (-1, "")

    def at(self, now: EpochSeconds) -> str:
        """The nonce to give out now."""
        window = now // NONCE_WINDOW
        made, nonce = self._made
        if made != window:
            nonce = self._of(window)
            self._made = window, nonce
        return nonce

    def window_of(self, nonce: str, now: EpochSeconds) -> int | None:
        """The window that `nonce` was given out in; `None` if it is not good now.

        The window to come counts: another process's clock may be ahead of ours.
        """
        present = now // NONCE_WINDOW
        if hmac.compare_digest(nonce.encode(), self.at(now).encode()):
            return present
        for window in (present - 1, present + 1):
            if hmac.compare_digest(nonce.encode(), self._of(window).encode()):
                return window
        return None

    def _of(self, window: int) -> str:
        mac = hmac.digest(self._key, b"dpop nonce %d" % window, hashlib.sha256)
        return urlsafe_b64encode(mac[:_LENGTH]).decode()
