"""The log asked: records by what they say, the story of one thing, and one record by its number.

That somebody asked is recorded before anything is answered, with what they asked, and never with a value that they gave to
have its token looked for. Every answer says which records of which logs it was given over, and under which checkpoint.

Source: AUDIT §1.7; PCI DSS 10.2.1.3.
"""

import asyncio
from dataclasses import replace
from typing import Annotated, Any, Final

from pydantic import Field

from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Number, Operation, Shape, Text
from remit.api.trail_query import Conditions, organisations, read_trail_query
from remit.audit import Query
from remit.audit.detectors import scrubbed
from remit.audit.events import AuditQueried
from remit.canonical import JsonObject
from remit.errors import NotFoundError
from remit.identity import require_user
from remit.trail import (
    Answer,
    Cursor,
    Found,
    Question,
    Story,
    Subject,
    search,
    story_of,
    timeline,
)
from remit.trail.question import MOST
from remit.trail.reading import read_range

__all__ = [
    "SEARCH_OPERATIONS",
    "SearchWanted",
    "TimelineWanted",
    "as_recorded",
    "kept_of",
    "question_of",
    "story_wanted",
]


class SearchWanted(Conditions):
    """At most `limit` events, the newest first, from `cursor` on, which an earlier answer gave as `next`.

    `value` is looked for by what stands for it in the log; it is recorded nowhere.
    """

    value: Text | None = None
    limit: Annotated[Number, Field(ge=1, le=MOST)] = 100
    cursor: Annotated[str, Field(min_length=1, max_length=262_144)] | None = None


class TimelineWanted(SearchWanted):
    """The story of the `subject` called `id`, as far as the conditions hold. A person is named by user name or id."""

    subject: Subject
    id: Text


class EventShown(Shape):
    """One record: its log, its number there, its leaf hash, and what it says. `why`: by what it belongs to a story."""

    log: str
    seq: int
    leaf: str
    record: dict[str, Any]
    why: list[str] = Field(default_factory=list)


class RangeShown(Shape):
    """What was looked at in a log: the records from `first`, below `to`; `checkpoint` is its newest signed note.

    But for those in `gap`, from its first number, below the second: the index is still being made of them.
    """

    log: str
    first: int
    to: int
    checkpoint: str | None
    gap: tuple[int, int] | None = None


class EventsFound(Shape):
    """The events; `next` is where to go on, if there may be more, even where there are none here.

    `behind` counts the records that were not looked at, because the index is still being made. `cut`: more belongs
    to the story than was followed.
    """

    events: list[EventShown]
    next: str | None
    ranges: list[RangeShown]
    behind: int
    cut: bool = False


class RecordWanted(Shape):
    """A record by its log and its number there."""

    log: Text
    seq: Annotated[Number, Field(ge=0)]


async def _search(deps: ApiDeps, asked: Asked[Nothing, SearchWanted]) -> EventsFound:
    question = await question_of(deps, asked.body, asked)
    await _record(deps, asked, as_recorded(question.query, asked.body))
    answer = await asyncio.to_thread(search, deps.trail.index, question)
    return _shown(answer, list(answer.found))


async def _timeline(deps: ApiDeps, asked: Asked[Nothing, TimelineWanted]) -> EventsFound:
    """The latest events of the story, the oldest of them first."""
    question = await question_of(deps, asked.body, asked)
    subject, name = await story_wanted(deps, asked)
    told: JsonObject = {"timeline": f"{subject} {scrubbed(name)}"}
    await _record(deps, asked, told | as_recorded(question.query, asked.body))
    index, tenants = deps.trail.index, question.tenants
    story = await asyncio.to_thread(story_of, index, subject, name, tenants=tenants)
    answer = await asyncio.to_thread(timeline, index, story, question)
    return _shown(answer, list(answer.found)[::-1], story)


async def _record_shown(deps: ApiDeps, asked: Asked[RecordWanted, Nothing]) -> EventsFound:
    """One record, if it belongs to whom it may be shown to."""
    log, sequence = asked.query.log, asked.query.seq
    await _record(deps, asked, {"log": scrubbed(log), "record": sequence})
    question = Question(query=Query(), tenants=organisations(Query(), asked.by))

    def work() -> tuple[list[Found], Answer]:
        found = list(read_range(deps.source, log, sequence, sequence + 1))
        return found, search(deps.trail.index, replace(question, limit=1))

    if log not in await asyncio.to_thread(deps.source.logs):
        raise NotFoundError("there is no such log")
    found, answer = await asyncio.to_thread(work)
    whose = question.tenants
    found = [one for one in found if whose is None or one.entry.get("tenant") in whose]
    if not found or found[0].record.sequence != sequence:
        raise NotFoundError("there is no such record")
    looked = tuple(one for one in answer.looked if one.log == log)
    return _shown(replace(answer, next=None, looked=looked), found)


async def question_of(deps: ApiDeps, wanted: SearchWanted, asked: Asked[Any, Any]) -> Question:
    """What `wanted` comes to, for whoever asks.

    Raises:
        BadRequestError: a condition that no event can meet.
        ForbiddenError: it asks for another organisation than theirs.
        NotFoundError: nobody has that name.
        CursorLostError: the cursor is none.
    """
    query = await read_trail_query(wanted, deps.database, asked.by)
    tenants = organisations(query, asked.by)
    if wanted.value is not None:
        tokens = await asyncio.to_thread(deps.trail.tokens, wanted.value, tenants)
        query = replace(query, tokens=tokens)
    return Question(
        query=query,
        tenants=tenants,
        limit=wanted.limit,
        cursor=None if wanted.cursor is None else Cursor.parse(wanted.cursor),
    )


async def story_wanted(deps: ApiDeps, asked: Asked[Any, TimelineWanted]) -> tuple[Subject, str]:
    """Whose story is asked for; of a person by their id, whatever they were named by.

    Raises:
        NotFoundError: nobody has that name.
    """
    subject, name = asked.body.subject, asked.body.id
    if subject is Subject.USER and not name.startswith("usr_"):
        found = await deps.database.read(lambda tx: require_user(tx, name))
        if not asked.by.sees(found.tenant):
            raise NotFoundError("there is no such account")
        name = found.id
    return subject, name


def as_recorded(query: Query, wanted: SearchWanted) -> JsonObject:
    """What the log keeps of a question: of what stands in it what no detector takes for a secret."""
    told = kept_of(query) | {"limit": wanted.limit}
    if query.tokens is not None:  # there may be many, and none of them says more
        told["tokens"] = len(query.tokens)
    if wanted.cursor is not None:
        told["continued"] = True
    return told


def kept_of(query: Query) -> JsonObject:
    """What the log keeps of a query: somebody looks for what they have, and that may be a secret."""
    return {
        name: scrubbed(value) if isinstance(value, str) else value
        for name, value in query.as_json().items()
    }


async def _record(deps: ApiDeps, asked: Asked[Any, Any], looked: JsonObject) -> None:
    await deps.audit.append(AuditQueried(context=asked.context, query=looked))


def _shown(answer: Answer, found: list[Found], story: Story | None = None) -> EventsFound:
    return EventsFound(
        events=[
            EventShown(
                log=one.record.log,
                seq=one.record.sequence,
                leaf=one.record.leaf,
                record=one.entry,
                why=[] if story is None else story.why(one),
            )
            for one in found
        ],
        next=None if answer.next is None else answer.next.text(),
        ranges=[
            RangeShown(
                log=one.log, first=one.first, to=one.to, checkpoint=one.checkpoint, gap=one.gap
            )
            for one in answer.looked
        ],
        behind=answer.behind,
        cut=story is not None and story.cut,
    )


SEARCH_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(
        name="audit.search",
        run=_search,
        query=Nothing,
        body=SearchWanted,
        answer=EventsFound,
        max_body=524_288,
    ),
    Operation(
        name="audit.timeline",
        run=_timeline,
        query=Nothing,
        body=TimelineWanted,
        answer=EventsFound,
        max_body=524_288,
    ),
    Operation(
        name="audit.record", run=_record_shown, query=RecordWanted, body=Nothing, answer=EventsFound
    ),
)
