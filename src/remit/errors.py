"""The root of every error Remit raises, and what each part of it may show.

`code` is stable and documented; `detail` is safe to show to whoever caused the
error; `cause` is private and goes to the operator's log alone. Rooms raise;
doors render, once.
"""

from typing import ClassVar

__all__ = ["ConflictError", "Error", "NotFoundError", "UnavailableError"]


class Error(Exception):
    """The root: a stable `code`, a `detail` safe to show, a private `cause`."""

    code: ClassVar[str] = "error"

    def __init__(self, detail: str, *, cause: BaseException | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        if cause is not None:
            self.__cause__ = cause

    @property
    def cause(self) -> BaseException | None:
        """The private reason, for the operator's log; never rendered to a caller."""
        return self.__cause__


class NotFoundError(Error):
    """The named thing does not exist, or the caller may not know that it does."""

    code: ClassVar[str] = "not_found"


class ConflictError(Error):
    """The thing exists already, or is in a state that does not admit this change."""

    code: ClassVar[str] = "conflict"


class UnavailableError(Error):
    """Something Remit stands on (database, audit log, upstream) cannot answer now."""

    code: ClassVar[str] = "unavailable"
