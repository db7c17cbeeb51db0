"""All that a question finds, page after page, the oldest first: what is handed out at once and not looked at in pages."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from remit.canonical import JsonObject
from remit.trail.index import TrailIndex
from remit.trail.kept_records import KeptRecords
from remit.trail.question import MOST, Found, Looked, Question
from remit.trail.search import search
from remit.trail.timeline import Story, timeline

__all__ = ["Collected", "collect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """Records, the oldest first; what was asked; what was looked at. `more`: there are older ones that are not here.

    Closed by whoever collected them.
    """

    asked: JsonObject
    records: KeptRecords
    looked: Sequence[Looked]
    more: bool
    story: Story | None = None

    @property
    def behind(self) -> int:
        """How many records were not looked at, because the index is still being made."""
        return sum(one.gap[1] - one.gap[0] for one in self.looked if one.gap is not None)

    def close(self) -> None:
        """Give the records up."""
        self.records.close()

    def events(self) -> Iterator[Found]:
        """What the records say, one after the other: all of them at once would be many times as large."""
        return (Found(record, record.entry()) for record in self.records)


def collect(
    index: TrailIndex,
    question: Question,
    *,
    asked: JsonObject,
    most: int,
    story: Story | None = None,
) -> Collected:
    """The latest `most` records that meet `question`, or tell `story`. Blocks.

    Raises:
        CursorLostError: the index was made anew in the midst of it.
        DatabaseUnavailableError, OSError: the index or a log cannot be read, or what is found not kept.
    """
    with ExitStack() as undo:
        found = KeptRecords()
        undo.callback(found.close)
        page = replace(question, limit=min(MOST, most))
        while True:
            answer = search(index, page) if story is None else timeline(index, story, page)
            for one in answer.found:
                found.add(one.record)
            if answer.next is None or len(found) >= most:
                break
            page = replace(page, cursor=answer.next, limit=min(MOST, most - len(found)))
        undo.pop_all()  # closed by whoever asked for it
    return Collected(
        asked=asked,
        records=found,
        looked=answer.looked,
        more=answer.next is not None,
        story=story,
    )
