"""`remit audit search`, `timeline` and `show`: the log asked."""

import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from remit.cli.asking import call
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Repo, Where

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Conditions", "Of", "conditions", "pages", "search", "show", "timeline"]

_FIELDS = (
    "kind", "since", "until", "tenant", "environment", "agent", "user", "actor", "about", "client", "grant", "flow",
    "trace", "decision", "approval", "elevation", "access", "session", "server", "name", "outcome", "reason", "rule",
    "policy", "scope", "ip", "jti", "event", "text", "value",
)  # fmt: skip
_PAGE = 500
_TOLD_EVERY = 5.0

Conditions = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FIELD=VALUE...",
        help=f"What must hold of an event, all of it. Fields: {', '.join(_FIELDS)}."
        " `kind` may end in `*`; times are UTC, such as `since=2026-01-31T12:00`;"
        " `text` stands anywhere in what is kept; `value` is looked for by its token.",
        show_default=False,
    ),
]
Count = Annotated[int, typer.Option("-n", "--count", min=1, max=100_000, help="How many events.")]


class Of(StrEnum):
    """What a story is about."""

    GRANT = "grant"
    AGENT = "agent"
    USER = "user"
    CLIENT = "client"
    TRACE = "trace"
    DECISION = "decision"
    APPROVAL = "approval"
    ACCESS = "access"
    FLOW = "flow"
    SESSION = "session"


Subject = Annotated[Of, typer.Argument(help="What it is about.", show_default=False)]
Id = Annotated[
    str, typer.Argument(metavar="ID", help="Its id; of a person the name, too.", show_default=False)
]


def search(
    where: Conditions = None,
    count: Count = 100,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Find events by what they say, the newest last. That somebody looked is itself recorded.

    For example: remit audit search agent=billing-bot outcome=deny since=2026-01-31
    """
    place = Where(data, repo, config, database_url)
    found: list[dict[str, Any]] = []
    last: dict[str, Any] = {}
    for last in pages(place, "audit.search", conditions(where), count=count):
        found += last["events"]
    _show(found[::-1], last, as_json=as_json)


def timeline(
    subject: Subject,
    name: Id,
    where: Conditions = None,
    count: Count = 500,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Tell the story of one thing, its beginning first: across authorization server, policy and gateway.

    For example: remit audit timeline grant grt_0123456789abcdefghjkmnpqrs
    """
    place = Where(data, repo, config, database_url)
    body = {**conditions(where), "subject": subject.value, "id": name}
    found: list[dict[str, Any]] = []
    last: dict[str, Any] = {}
    for last in pages(place, "audit.timeline", body, count=count):
        found = last["events"] + found
    _show(found, last, as_json=as_json)


def show(
    record: Annotated[
        str,
        typer.Argument(
            metavar="RECORD",
            help="Its log and number, such as `remit/main#12`, or its id, `evt_…`.",
            show_default=False,
        ),
    ],
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show all that one record says, its leaf hash, and the newest checkpoint of its log."""
    from remit.cli.terminal import print_fields, print_json, say_hint

    place = Where(data, repo, config, database_url)
    log, _, number = record.rpartition("#")
    if record.startswith("evt_"):
        *_, found = pages(place, "audit.search", {"event": record}, count=1)
    elif log and number.isdecimal():
        found = call(place, "audit.record", query={"log": log, "seq": number})
    else:
        raise typer.BadParameter("write `LOG#NUMBER`, such as `remit/main#12`, or an id, `evt_…`")
    if not found["events"]:
        say_hint("no such record")
        raise typer.Exit(1)
    (event,) = found["events"]
    (looked,) = [one for one in found["ranges"] if one["log"] == event["log"]]
    if as_json:
        print_json({**event, "checkpoint": looked["checkpoint"]})
        return
    print_fields([("log", event["log"]), ("number", str(event["seq"])), ("leaf", event["leaf"])])
    print_json(event["record"])
    if looked["checkpoint"]:
        say_hint(" · ".join(looked["checkpoint"].splitlines()[:3]))


def conditions(given: Sequence[str] | None) -> dict[str, Any]:
    """What `FIELD=VALUE` arguments come to.

    Raises:
        typer.BadParameter: a field that there is not, or one twice.
    """
    from remit.documents import did_you_mean

    found: dict[str, Any] = {}
    for one in given or ():
        field, equals, value = one.partition("=")
        if not equals or not value:
            raise typer.BadParameter(f"`{one}`: write `field=value`, such as `agent=billing-bot`")
        if field not in _FIELDS:
            hint = did_you_mean(field, _FIELDS) or f"; there are {', '.join(_FIELDS)}"
            raise typer.BadParameter(f"no field is called `{field}`{hint}")
        if field in found:
            raise typer.BadParameter(f"`{field}` is there twice")
        found[field] = value
    return found


def pages(
    place: Where, name: str, body: "Mapping[str, Any]", *, count: int
) -> list[dict[str, Any]]:
    """Answers, one after the other, until there are `count` events or no more; of one server, or one opening of the folder."""
    from remit.cli.connection import Management, ask  # imports an HTTP client
    from remit.cli.terminal import say_hint

    async def question(management: Management) -> list[dict[str, Any]]:
        answers: list[dict[str, Any]] = []
        cursor, found, told = None, 0, monotonic()
        while True:
            asked = {**body, "limit": min(count - found, _PAGE)}
            answer: dict[str, Any] = await management.call(
                name, body=asked if cursor is None else {**asked, "cursor": cursor}
            )
            answers.append(answer)
            found += len(answer["events"])
            cursor = answer["next"]
            if cursor is None or found >= count:
                return answers
            if monotonic() - told > _TOLD_EVERY and sys.stderr.isatty():
                say_hint(f"still looking; {found:,} so far")
                told = monotonic()

    return ask(place, question)


def _show(events: list[dict[str, Any]], last: dict[str, Any], *, as_json: bool) -> None:
    from remit.audit import row
    from remit.cli.terminal import print_event, say_hint

    for one in events:
        if as_json:
            sys.stdout.write(json.dumps(one, sort_keys=True) + "\n")
        else:
            print_event(row(one["record"]))
    sys.stdout.flush()
    # Beside the lines for programs, too: whoever is not told believes that this is all.
    if not events:
        say_hint("no such events")
    if last["next"] is not None and events:
        say_hint("there are older ones: -n asks for more")
    if last["cut"]:
        say_hint("more belongs to this story than was followed")
    if last["behind"]:
        say_hint(f"{last['behind']:,} records are not indexed yet and were not looked at")
    for one in last["ranges"]:
        say_hint(f"{one['log']}: {_range(one)}{_signed(one)}")


def _range(looked: "Mapping[str, Any]") -> str:
    if looked["to"] <= looked["first"]:
        return "no records"
    but = f", but for {looked['gap'][0]:,} to {looked['gap'][1] - 1:,}" if looked["gap"] else ""
    return f"records {looked['first']:,} to {looked['to'] - 1:,}{but}"


def _signed(looked: "Mapping[str, Any]") -> str:
    checkpoint = (looked["checkpoint"] or "").splitlines()
    return f", checkpoint over {int(checkpoint[1]):,}" if len(checkpoint) > 1 else ""
