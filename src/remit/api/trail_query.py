"""Which events are asked for: the conditions of a query, once they can be true of any event.

Refused: a kind or an outcome that no event has, an instant that is none, a person whom
nobody knows. An answer without events would otherwise say that nothing happened, when
only the question was misspelt. Agents, clients, grants, servers and tenants may have been
removed since, so any name of theirs is taken.
"""

import re
from collections.abc import Iterable
from dataclasses import fields

from remit.api.door import BadRequestError
from remit.audit import Event, Query, events
from remit.db import Database
from remit.documents import did_you_mean, one_of, quoted
from remit.identity import require_user
from remit.web import Params

__all__ = ["CONDITIONS", "read_trail_query"]

CONDITIONS = tuple(field.name for field in fields(Query))
"""The parameters that are conditions."""

_OUTCOMES = frozenset(
    {
        "allow", "deny", "challenge",  # decision
        "ok", "tool_error", "error", "cancelled", "upstream_failed",  # call.completed
        "failed", "refused",  # client.cimd_fetched
    }
)  # fmt: skip

# A beginning of 2026-01-31T12:00:00.000Z, from the year on.
_INSTANT = re.compile(
    r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])"
    r"(T([01]\d|2[0-3])(:[0-5]\d(:[0-5]\d(\.\d{1,9})?)?)?Z?)?)?)?",
    re.ASCII,
)


async def read_trail_query(params: Params, database: Database) -> Query:
    """The query that `params` ask for. A person is named by user name.

    Raises:
        BadRequestError: a condition that no event can meet.
        NotFoundError: nobody has that name.
    """
    given = {name: params.one(name) for name in CONDITIONS}
    kind, outcome, user = given["kind"], given["outcome"], given["user"]
    if kind is not None:
        _expect_kind(kind)
    if outcome is not None:
        _expect_one_of(outcome, _OUTCOMES, what="an outcome")
    for name in ("since", "until"):
        _expect_instant(name, given[name])
    if user is not None:
        given["user"] = await database.read(lambda tx: require_user(tx, user).id)
    return Query(**given)


def _expect_kind(kind: str) -> None:
    known = _kinds()
    if kind.endswith("*"):
        if not any(one.startswith(kind[:-1]) for one in known):
            raise BadRequestError(f"no kind of event begins with {quoted(kind[:-1])}")
        return
    _expect_one_of(kind, known, what="a kind of event", listed=False)


def _expect_one_of(value: str, known: Iterable[str], *, what: str, listed: bool = True) -> None:
    known = frozenset(known)
    if value in known:
        return
    suggestion = did_you_mean(value, known)
    if not suggestion and listed:
        suggestion = f"; there are {one_of(known)}"
    elif not suggestion:
        suggestion = "; docs/reference/events.md lists them"
    raise BadRequestError(f"{quoted(value)} is not {what}{suggestion}")


def _expect_instant(name: str, value: str | None) -> None:
    if value is not None and _INSTANT.fullmatch(value) is None:
        raise BadRequestError(
            f"`{name}` is not an instant: {quoted(value)}; write `2026-01-31` or `2026-01-31T12:00:00Z`"
        )


def _kinds() -> frozenset[str]:
    found = (getattr(events, name) for name in events.__all__)
    return frozenset(
        one.kind
        for one in found
        if isinstance(one, type) and issubclass(one, Event) and one is not Event
    )
