"""A refusal at the token endpoint, with what was known when it was made.

Raised inside a transaction it undoes everything that happened there: a refused
request changes nothing. The door records it, then renders its `error`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from remit.audit.context import Context
from remit.errors import Error
from remit.guard.issuance import Ruling
from remit.oauth.errors import OAuthError

__all__ = ["ReuseDetectedError", "TokenRefusalError", "refusals_in"]


class TokenRefusalError(Error):
    """`error` goes to the client; `context` and `ruling` to the log."""

    def __init__(
        self, error: OAuthError, *, context: Context, ruling: Ruling | None = None
    ) -> None:
        super().__init__(error.detail)
        self.error = error
        self.context = context
        self.ruling = ruling


class ReuseDetectedError(Error):
    """A code or refresh token came a second time. Its grant has ended, and the log says so already."""

    def __init__(self, error: OAuthError) -> None:
        super().__init__(error.detail)
        self.error = error


@contextmanager
def refusals_in(context: Context) -> Iterator[None]:
    """Whatever is refused inside is refused with `context` known."""
    try:
        yield
    except OAuthError as error:
        raise TokenRefusalError(error, context=context) from error
