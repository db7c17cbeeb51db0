"""Where the log is asked: the index over all logs, and what stands in them for a value that is given in clear."""

from collections.abc import Callable
from dataclasses import dataclass

from remit.trail.bundle import Proofs
from remit.trail.index import TrailIndex

__all__ = ["Trail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """`tokens_of` is every token that may stand for a value in the log of an organisation (`None`: of none).

    `proofs` shows that records are in the logs that were signed; `producer` is what hands them out, with its version.
    """

    index: TrailIndex
    proofs: Proofs
    producer: str
    tokens_of: Callable[[str | int | bool, str | None], tuple[str, ...]]

    def tokens(self, value: str, whose: frozenset[str] | None) -> tuple[str, ...]:
        """Everything that may stand for `value` in the records of `whose`; `None`: of all organisations.

        A text of digits, `true` or `false` is looked for as the number or the truth value, too.
        """
        names = self.index.organisations() if whose is None else sorted(whose)
        return tuple(
            token
            for tenant in names
            for one in _readings(value)
            for token in self.tokens_of(one, tenant or None)
        )


def _readings(value: str) -> list[str | int | bool]:
    found: list[str | int | bool] = [value]
    if value in {"true", "false"}:
        found.append(value == "true")
    if value.removeprefix("-").isdecimal() and value.isascii() and len(value) <= 16:
        found.append(int(value))
    return found
