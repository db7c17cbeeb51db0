"""How a model's own validator says what is wrong, in words that become a problem."""

from pydantic_core import PydanticCustomError

__all__ = ["mistake"]


def mistake(
    message: str, *, expected: str = "", hide: bool = False, code: str = ""
) -> PydanticCustomError:
    """The error for a validator to raise. `message` follows the rules of every message of ours.

    `hide` keeps the offending line out of what is shown: it may hold a secret. `code` is the kind of
    problem, where it has one of its own.
    """
    context = {"message": message, "expected": expected, "hide": hide, "code": code}
    return PydanticCustomError("mistake", "{message}", context)
