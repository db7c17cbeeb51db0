"""The app on a person's phone that counts out codes, by the clock.

Source: RFC 6238 §4.
"""

import time
from collections.abc import Callable

import pyotp

__all__ = ["AuthenticatorApp", "NoCodeLeftError"]

_PERIOD = 30


class NoCodeLeftError(Exception):
    """Every code that would be taken at this moment was used."""


class AuthenticatorApp:
    """Never shows a code twice: each is good once. Three are taken at any moment, for clocks that differ."""

    def __init__(self, secret: str, *, clock: Callable[[], float] = time.time) -> None:
        self._codes = pyotp.TOTP(secret)
        self._clock = clock
        self._last = 0

    def code(self) -> str:
        """The oldest that is good and was not used.

        Raises:
            NoCodeLeftError: there is none; in half a minute there is.
        """
        now = int(self._clock()) // _PERIOD
        step = max(now - 1, self._last + 1)
        if step > now + 1:
            raise NoCodeLeftError
        self._last = step
        return self._codes.at(step * _PERIOD)
