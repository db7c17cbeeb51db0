"""What is under way on the strength of a token, ended as soon as that token is backed no more.

Whoever serves a call or holds a stream open enters it here; when the directory says that somebody's
standing changed, every entry is looked at once, without a task or a timer for each. Between the
decision and the entry the world may have changed, so an entry is looked at when it is made, too.

Source: RFC 7009 §2.1 (revocation takes effect at once); docs/adr/0009-proof-of-possession.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from remit.gateway.ports import Enforcement
from remit.tokens.access_token import AccessToken

__all__ = ["Vigil", "Watched"]


@dataclass(slots=True, eq=False)
class Watched:
    """One thing under way. `ended`: it was told to end, since its token is backed no more."""

    vigil: "Vigil"
    token: AccessToken
    end: Callable[[], object]
    ended: bool = False

    def __enter__(self) -> Self:
        self.vigil.enter(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.vigil.leave(self)


class Vigil:
    """Everything under way in this process."""

    def __init__(self, guard: Enforcement) -> None:
        self._guard = guard
        self._watched: set[Watched] = set()

    def __len__(self) -> int:
        return len(self._watched)

    def over(self, token: AccessToken, end: Callable[[], object]) -> Watched:
        """While inside what is returned, `end` is called, once, when `token` is backed no more."""
        return Watched(self, token, end)

    def enter(self, watched: Watched) -> None:
        """Begin to watch, and look at once."""
        self._watched.add(watched)
        self._look_at(watched)

    def leave(self, watched: Watched) -> None:
        """Watch no more."""
        self._watched.discard(watched)

    def look_again(self) -> None:
        """Tell all those to end whose token is backed no more."""
        for watched in tuple(self._watched):
            self._look_at(watched)

    def _look_at(self, watched: Watched) -> None:
        if not watched.ended and not self._guard.backs(watched.token):
            watched.ended = True
            watched.end()
