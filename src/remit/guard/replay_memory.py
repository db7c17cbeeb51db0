"""Which proofs this process has seen, so that none is taken twice.

Each is kept until the nonce it carries is good no longer; until then nothing is forgotten. What
comes when there is no more room is refused: to forget would be to let a replay through.

Source: RFC 9449 §11.1.
"""

from typing import ClassVar, Final

from remit.errors import Error

__all__ = ["ReplayMemory", "ReplayMemoryFullError"]

_CAPACITY: Final = 250_000


class ReplayMemoryFullError(Error):
    """There is no room to remember another proof, so none can be taken."""

    code: ClassVar[str] = "too_many_proofs"


class ReplayMemory:
    """Remembers proofs by the window of their nonce. An id takes about 150 bytes."""

    __slots__ = ("_capacity", "_newest", "_seen")

    def __init__(self, capacity: int = _CAPACITY) -> None:
        self._capacity = capacity
        self._newest = 0
        self._seen: dict[int, set[str]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._seen.values()))

    def admits(self, proof_id: str, *, window: int) -> bool:
        """Whether `proof_id`, whose nonce is of `window`, is new; it is remembered from now on.

        Raises:
            ReplayMemoryFullError: it is new, and cannot be remembered.
        """
        if window > self._newest:
            self._newest = window
            for old in [one for one in self._seen if one < window - 1]:
                del self._seen[old]
        if window < self._newest - 1:
            # The clock was set back: what was seen then is forgotten, so nothing of then is new.
            return False
        seen = self._seen.setdefault(window, set())
        if proof_id in seen:
            return False
        if len(self) >= self._capacity:
            raise ReplayMemoryFullError("too many proofs were made of late; try again in a minute")
        seen.add(proof_id)
        return True
