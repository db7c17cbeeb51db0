"""Events handed out of the log: lines of JSON, a table, a report to read or to print, or a bundle that proves itself.

It is recorded before a byte of it leaves, with what was asked for, how many records, and the SHA-256 of the whole.

Source: AUDIT §1.3 (`audit.exported`), §1.7.
"""

import asyncio
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import ClassVar, Final

from pydantic import Field
from starlette.responses import Response, StreamingResponse

from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Shape, Text
from remit.api.problems import BadRequestError
from remit.api.trail_search import (
    SearchWanted,
    TimelineWanted,
    as_recorded,
    question_of,
    story_wanted,
)
from remit.audit.detectors import scrubbed
from remit.audit.events import AuditExported
from remit.canonical import JsonObject
from remit.errors import UnavailableError
from remit.trail import Collected, Dates, Form, Making, Question, Subject, collect, story_of
from remit.trail.dates import Style
from remit.trail.exporting import MEDIA_TYPES, MOST_RECORDS, Exported, write_export

__all__ = ["EXPORT_OPERATIONS"]


class ExportFailedError(UnavailableError):
    """There is no room to put an export together, or a log cannot be read. Nothing was handed out."""

    code: ClassVar[str] = "export_failed"


class ExportWanted(SearchWanted):
    """What is handed out, in which form: the latest events that meet the conditions, or tell the story of a subject.

    `limit` is 1,000 unless more is asked for, as far as the form goes. `dates` and `zone` are how reports and tables write
    instants: `us` is month first, with ISO beside it. Lines of JSON and bundles are as the log has them.
    """

    form: Form
    limit: int = Field(default=1_000, ge=1, le=max(MOST_RECORDS.values()))
    subject: Subject | None = None
    id: Text | None = None
    dates: Style = Style.ISO
    zone: Text = "UTC"


class Handed(Shape):
    """The bytes. Their SHA-256 is in the header `Remit-Digest`, how many records in `Remit-Records`, and whether there are more in `Remit-More`."""


async def _export(deps: ApiDeps, asked: Asked[Nothing, ExportWanted]) -> Response:
    wanted = asked.body
    if wanted.limit > MOST_RECORDS[wanted.form]:
        raise BadRequestError(
            f"`{wanted.form}` takes {MOST_RECORDS[wanted.form]:,} records at most"
        )
    making = Making(
        at=asked.at,
        by=asked.context.actor.id or asked.context.actor.type,
        producer=deps.trail.producer,
        dates=Dates(wanted.dates, wanted.zone),
    )
    question = await question_of(deps, wanted, asked)
    told = as_recorded(question.query, wanted)
    subject = await _subject(deps, asked)
    if subject is not None:
        told = {"timeline": f"{subject[0]} {scrubbed(subject[1])}", **told}

    def work() -> tuple[Collected, Exported]:
        with closing(_collected(deps, question, subject, told, most=wanted.limit)) as collected:
            return collected, write_export(wanted.form, collected, making, proofs=deps.trail.proofs)

    try:
        collected, exported = await asyncio.to_thread(work)
    except OSError as error:
        raise ExportFailedError("it cannot be read or written whole", cause=error) from error
    with ExitStack() as undo:
        undo.callback(exported.file.close)
        await deps.audit.append(
            AuditExported(
                context=asked.context,
                form=wanted.form,
                query=told,
                records=len(collected.records),
                digest=exported.digest,
            )
        )
        undo.pop_all()
    headers = {
        "Content-Length": str(exported.size),  # so that what is cut off is seen to be
        "Content-Disposition": f'attachment; filename="{_name(wanted.form)}"',
        "Remit-Digest": exported.digest,
        "Remit-Records": str(len(collected.records)),
        "Remit-More": "true" if collected.more or collected.behind else "false",
    }
    return StreamingResponse(
        exported.chunks(), media_type=MEDIA_TYPES[wanted.form], headers=headers
    )


async def _subject(
    deps: ApiDeps, asked: Asked[Nothing, ExportWanted]
) -> tuple[Subject, str] | None:
    subject, name = asked.body.subject, asked.body.id
    if (subject is None) is not (name is None):
        raise BadRequestError("`subject` and `id` go together")
    if subject is None or name is None:
        return None
    whole = TimelineWanted(subject=subject, id=name)
    return await story_wanted(deps, replace(asked, body=whole))  # type: ignore[arg-type]  # the same but for what it asks


def _collected(
    deps: ApiDeps,
    question: Question,
    subject: tuple[Subject, str] | None,
    told: JsonObject,
    *,
    most: int,
) -> Collected:
    index = deps.trail.index
    story = None if subject is None else story_of(index, *subject, tenants=question.tenants)
    return collect(index, question, asked=told, most=most, story=story)


def _name(form: Form) -> str:
    return "remit-audit.zip" if form is Form.BUNDLE else f"remit-audit.{form}"


EXPORT_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(
        name="audit.export",
        run=_export,
        query=Nothing,
        body=ExportWanted,
        answer=Handed,
        max_body=524_288,
    ),
)
