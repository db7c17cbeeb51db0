"""A question to the log, and its answer: records, the place to go on from, and what was looked at.

Every answer says over which records of which logs it was given, with the checkpoint of each, and which between them were
not looked at. So it can be had again, today or from a copy of the logs, and whoever kept the checkpoint knows that it is
of the same logs.

Source: AUDIT §1.7.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, ClassVar

from remit.audit import Query
from remit.audit.source import Record
from remit.canonical import JsonObject, MalformedJsonError, canonical_bytes, parse_json
from remit.errors import Error
from remit.trail.terms import Condition

__all__ = ["MOST", "Answer", "Cursor", "CursorLostError", "Found", "Looked", "Question", "Rest"]

MOST = 1_000
"""Records in one answer."""


class CursorLostError(Error):
    """The place to go on from is none that was given, or the index was made anew since: ask again."""

    code: ClassVar[str] = "cursor_lost"


@dataclass(frozen=True, slots=True)
class Rest:
    """Records of a log that no block had when they were looked at: from `first`, below `below`."""

    log: str
    first: int
    below: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where an answer ended. It opens nothing: who may see what is asked anew each time.

    Blocks below `bound` are still to be looked at; so are those in `opened`, as far as their records are under the
    number that stands there, and what is in `rest`. In the logs numbered in `below`, which are all there were when the
    first page was given, records under that number only; `sizes` are what the logs were then, and `gaps` what of them
    was not looked at. `asked` stands for the question that it goes on with.
    """

    epoch: str
    asked: str
    bound: int
    opened: Mapping[int, int]
    rest: tuple[Rest, ...]
    below: Mapping[int, int]
    sizes: Mapping[str, int]
    gaps: Mapping[str, tuple[int, int]]

    def text(self) -> str:
        """As it is handed out."""
        return urlsafe_b64encode(
            canonical_bytes(
                [
                    self.epoch,
                    self.asked,
                    self.bound,
                    [list(one) for one in self.opened.items()],
                    [[one.log, one.first, one.below] for one in self.rest],
                    [list(one) for one in sorted(self.below.items())],
                    [list(one) for one in sorted(self.sizes.items())],
                    [[log, *gap] for log, gap in sorted(self.gaps.items())],
                ]
            )
        ).decode()

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """The place that was handed out as `text`.

        Raises:
            CursorLostError: it is none.
        """
        try:
            parts: Any = parse_json(urlsafe_b64decode(text))  # each part is checked on its own
            epoch, asked, bound, opened, rest, below, sizes, gaps = parts
            return cls(
                epoch=_text(epoch),
                asked=_text(asked),
                bound=_whole(bound),
                opened={_whole(block): _whole(to) for block, to in opened},
                rest=tuple(Rest(_text(a), _whole(b), _whole(c)) for a, b, c in rest),
                below={_whole(log): _whole(to) for log, to in below},
                sizes={_text(log): _whole(size) for log, size in sizes},
                gaps={_text(log): (_whole(first), _whole(to)) for log, first, to in gaps},
            )
        except (ValueError, TypeError, Base64Error, MalformedJsonError) as error:
            raise CursorLostError("the `cursor` is none that was given", cause=error) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which records, newest first.

    `tenants` are those whose records may be shown, `""` being what belongs to none; `None`: all. Beside what `query`
    says, each of `conditions` has to be met.
    """

    query: Query
    tenants: frozenset[str] | None = None
    conditions: tuple[Condition, ...] = ()
    limit: int = 100
    cursor: Cursor | None = None

    @property
    def asked(self) -> str:
        """What a cursor says of it: the same for the same query about the same organisations."""
        whose = None if self.tenants is None else sorted(self.tenants)
        # Tokens come by the day, and what a story has grows: neither makes it another question.
        said = replace(self.query, tokens=None).as_json()
        return blake2b(canonical_bytes([said, whose]), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Found:
    """A record, and what it says."""

    record: Record
    entry: JsonObject

    @property
    def order(self) -> tuple[str, str, int]:
        """Its place among records of all logs. Within one log only the last part of it counts."""
        return str(self.entry.get("observed")), self.record.log, self.record.sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was looked at in a log: from record `first`, below `to`; and its newest checkpoint.

    The last records may be newer than the checkpoint; one a second later covers them. `gap`: what of it was not looked at,
    from its first number, below the second, because the index is still being made.
    """

    log: str
    first: int
    to: int
    checkpoint: str | None
    gap: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The records, the newest first; where to go on, if there may be more; and what was looked at."""

    found: tuple[Found, ...]
    next: Cursor | None
    looked: tuple[Looked, ...]

    @property
    def behind(self) -> int:
        """How many records were not looked at, because the index is still being made."""
        return sum(one.gap[1] - one.gap[0] for one in self.looked if one.gap is not None)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _whole(value: object) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise TypeError
    return value
