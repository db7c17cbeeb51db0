"""The root of what is refused here: what was wrong in words that may be shown, and why, in private."""

__all__ = ["VerifyError"]


class VerifyError(Exception):
    """`detail` is safe to show; the cause, if there is one, is chained."""

    def __init__(self, detail: str, *, cause: BaseException | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        if cause is not None:
            self.__cause__ = cause
