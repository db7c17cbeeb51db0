"""How a model's own validator says what is wrong, in words that become a problem."""

from pydantic_core import PydanticCustomError

__all__ = ["mistake"]


def mistake(message: str, *, expected: str = "", hide: bool = False) -> PydanticCustomError:
    """The error for a validator to raise. `message` follows the rules of every message of ours.

    `hide` keeps the offending line out of what is shown: it may hold a secret.
    """
    context = {"message": message, "expected": expected, "hide": hide}
    return PydanticCustomError("mistake", "{message}", context)
