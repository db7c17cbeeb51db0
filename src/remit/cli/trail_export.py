"""`remit audit export` and `report`: events in a file."""

import hashlib
import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

import typer

from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Repo, Where
from remit.cli.trail_search import Conditions, Of, conditions
from remit.errors import Error

if TYPE_CHECKING:
    from remit.cli.connection import Management

__all__ = ["export", "report"]

_SUFFIXES: Final = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".html": "html", ".htm": "html", ".pdf": "pdf", ".zip": "bundle",
}  # fmt: skip
_MOST: Final = {
    "jsonl": 1_000_000,
    "csv": 1_000_000,
    "html": 10_000,
    "pdf": 5_000,
    "bundle": 10_000,
}


class Form(StrEnum):
    """What an export is."""

    JSONL = "jsonl"
    CSV = "csv"
    BUNDLE = "bundle"


class Dates(StrEnum):
    """How instants are written."""

    ISO = "iso"
    US = "us"


Subject = Annotated[
    Of | None,
    typer.Option("--of", help="Only the story of one thing: of which sort.", show_default=False),
]
Id = Annotated[
    str | None,
    typer.Option("--id", metavar="ID", help="And its id; of a person the name, too.", show_default=False),
]  # fmt: skip
Count = Annotated[
    int | None,
    typer.Option(
        "-n", "--count", min=1, max=1_000_000, help="The latest so many; as many as the form takes.", show_default=False
    ),
]  # fmt: skip
Zone = Annotated[str, typer.Option("--zone", metavar="ZONE", help="Time zone, such as `America/New_York`.")]  # fmt: skip
Written = Annotated[
    Dates,
    typer.Option("--dates", help="`us`: month first, with ISO beside it. Programs get ISO alone."),
]


class NoRoomError(Error):
    """The file cannot be written whole. There is none, and what was there before stays."""

    code: ClassVar[str] = "no_room"


def export(
    where: Conditions = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE", help="Into this file; else to standard output.", show_default=False),
    ] = None,
    form: Annotated[
        Form | None, typer.Option("--form", help="By default what FILE ends in; `bundle` is a ZIP that proves itself.", show_default=False)
    ] = None,
    of: Subject = None,
    name: Id = None,
    count: Count = None,
    dates: Written = Dates.ISO,
    zone: Zone = "UTC",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Hand out events as lines of JSON, as a table (CSV), or as a bundle in which each record has its proof.

    That they left is itself recorded, with the SHA-256 of the file.
    """
    kind = str(form) if form else _SUFFIXES.get(out.suffix if out else ".jsonl", "")
    if kind not in {"jsonl", "csv", "bundle"}:
        raise typer.BadParameter(
            "say which --form: jsonl, csv or bundle; reports are made by `remit audit report`"
        )
    if kind == "bundle" and out is None:
        raise typer.BadParameter("a bundle takes -o FILE")
    asked = _asked(kind, where, of, name, count) | {"dates": dates.value, "zone": zone}
    _download(Where(data, repo, config, database_url), asked, out, as_json=as_json)


def report(
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FILE", help="`.html`, or `.pdf` (takes the extra `reports`).", show_default=False)
    ],
    where: Conditions = None,
    of: Subject = None,
    name: Id = None,
    count: Count = None,
    dates: Written = Dates.ISO,
    zone: Zone = "UTC",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Write a report to read, to print or to file: what happened, in order, and over which records it is given.

    For example: remit audit report --of grant --id grt_… -o story.html --dates us --zone America/New_York
    """
    kind = _SUFFIXES.get(out.suffix, "")
    if kind not in {"html", "pdf"}:
        raise typer.BadParameter(
            "a report is `.html` or `.pdf`; other forms are made by `remit audit export`"
        )
    asked = _asked(kind, where, of, name, count) | {"dates": dates.value, "zone": zone}
    _download(Where(data, repo, config, database_url), asked, out, as_json=as_json)


def _asked(
    form: str, where: list[str] | None, of: Of | None, name: str | None, count: int | None
) -> dict[str, Any]:
    if (of is None) is not (name is None):
        raise typer.BadParameter("--of and --id go together")
    asked = {**conditions(where), "form": form, "limit": min(count or _MOST[form], _MOST[form])}
    return asked if of is None else {**asked, "subject": of.value, "id": name}


def _download(place: Where, asked: dict[str, Any], out: Path | None, *, as_json: bool) -> None:
    """Into the file once all of it is there and is what was recorded; what was there before stays until then."""
    from remit.cli.connection import ask  # imports an HTTP client
    from remit.cli.terminal import say_error

    if out is not None and not out.parent.is_dir():
        raise typer.BadParameter(f"there is no folder `{out.parent}`")
    digest = hashlib.sha256()
    folder = Path() if out is None else out.parent
    with NamedTemporaryFile(dir=folder if out else None, prefix=".remit-", delete=False) as file:
        part = Path(file.name)

        def take(piece: bytes) -> None:
            digest.update(piece)
            try:
                file.write(piece)
            except OSError as error:
                raise NoRoomError(f"`{folder}` does not take it", cause=error) from error

        async def question(management: "Management") -> Mapping[str, str]:
            return await management.download("audit.export", asked, take)

        try:
            headers = ask(place, question)
            try:
                file.flush()
                os.fsync(file.fileno())
            except OSError as error:
                raise NoRoomError(f"`{folder}` does not take it", cause=error) from error
            if headers["remit-digest"] != digest.hexdigest():
                say_error("what came is not what was recorded")
                raise typer.Exit(1)
            if out is None:
                with part.open("rb") as whole:
                    shutil.copyfileobj(whole, sys.stdout.buffer)
                sys.stdout.buffer.flush()
            else:
                part.replace(out)
        finally:
            with suppress(FileNotFoundError):
                part.unlink()
    _tell(headers, out, digest.hexdigest(), as_json=as_json)


def _tell(headers: Mapping[str, str], out: Path | None, digest: str, *, as_json: bool) -> None:
    """What was handed out, and whether there is more."""
    from remit.cli.terminal import print_json, say_hint

    told = {
        "file": None if out is None else str(out),
        "records": int(headers["remit-records"]),
        "sha256": digest,
        "more": headers["remit-more"] == "true",
    }
    if as_json and out is not None:
        print_json(told)
        return
    say_hint(
        f"{told['records']:,} record{'' if told['records'] == 1 else 's'} · sha256 {told['sha256']}"
    )
    if told["more"]:
        say_hint(
            "there are more than these, or some were not indexed yet: narrow the question, or ask for each day by itself"
        )
