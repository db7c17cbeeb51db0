"""Which events are asked for: the conditions of a query, once they can be true of any event.

Refused: a kind or an outcome that no event has, an instant that is none, a person whom
nobody knows. An answer without events would otherwise say that nothing happened, when
only the question was misspelt. Agents, clients, grants, servers and tenants may have been
removed since, so any name of theirs is taken.
"""

import re
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from remit.api.administrator import Administrator
from remit.api.operation import Shape, Text
from remit.api.problems import BadRequestError
from remit.audit import Event, Query, events
from remit.clock import rfc3339_ms
from remit.db import Database
from remit.documents import did_you_mean, one_of, quoted
from remit.errors import NotFoundError
from remit.identity import require_user

__all__ = ["Conditions", "organisations", "read_trail_query"]

_CONDITIONS = tuple(field.name for field in fields(Query) if field.name != "tokens")

_OUTCOMES = frozenset(
    {
        "allow", "deny", "challenge",  # decision
        "ok", "tool_error", "error", "cancelled", "upstream_failed", "connection_needed", "delegated", "task",
        "unknown",  # call.completed
        "confirmed", "approved", "refused", "withdrawn", "justified", "unjustified",  # what people said
        "completed", "returned", "held",  # bundle.trial_ended
        "failed",  # client.cimd_fetched
    }
)  # fmt: skip

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LEEWAY = 600_000  # milliseconds
# A beginning of 2026-01-31T12:00:00.000Z, from the year on.
_INSTANT = re.compile(
    r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])"
    r"(T([01]\d|2[0-3])(:[0-5]\d(:[0-5]\d(\.\d{1,9})?)?)?Z?)?)?)?",
    re.ASCII,
)


class Conditions(Shape):
    """What must be true of an event; `user` is a user name or an id. All that are given must hold."""

    kind: Text | None = None
    since: Text | None = None
    until: Text | None = None
    tenant: Text | None = None
    environment: Text | None = None
    agent: Text | None = None
    user: Text | None = None
    actor: Text | None = None
    about: Text | None = None
    client: Text | None = None
    grant: Text | None = None
    flow: Text | None = None
    trace: Text | None = None
    decision: Text | None = None
    approval: Text | None = None
    elevation: Text | None = None
    access: Text | None = None
    session: Text | None = None
    server: Text | None = None
    name: Text | None = None
    outcome: Text | None = None
    reason: Text | None = None
    rule: Text | None = None
    policy: Text | None = None
    scope: Text | None = None
    ip: Text | None = None
    jti: Text | None = None
    event: Text | None = None
    text: Text | None = None


async def read_trail_query(wanted: Conditions, database: Database, by: Administrator) -> Query:
    """The query that is asked for, of the events that `by` may see.

    What belongs to no organisation, such as the start of a process, is for those who see all.

    Raises:
        BadRequestError: a condition that no event can meet.
        ForbiddenError: it asks for another organisation than theirs.
        NotFoundError: nobody has that name.
    """
    given: dict[str, Any] = {name: getattr(wanted, name) for name in _CONDITIONS}
    given["tenant"] = by.narrowed(given["tenant"])
    kind, outcome, user = given["kind"], given["outcome"], given["user"]
    if kind is not None:
        _expect_kind(kind)
    if outcome is not None:
        _expect_one_of(outcome, _OUTCOMES, what="an outcome")
    for name in ("since", "until"):
        _expect_instant(name, given[name])
    if user is not None:
        found = await database.read(lambda tx: require_user(tx, user))
        if not by.sees(found.tenant):
            raise NotFoundError("there is no such account")
        given["user"] = found.id
    if given["event"] is not None and given["since"] is None and given["until"] is None:
        given["since"], given["until"] = _around(given["event"])
    return Query(**given)


def organisations(query: Query, by: Administrator) -> frozenset[str] | None:
    """Whose records may be shown to `by` for `query`; `None`: everybody's, and what belongs to nobody."""
    tenant = by.narrowed(query.tenant)
    return None if tenant is None else frozenset({tenant})


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


def _around(event: str) -> tuple[str | None, str | None]:
    """Between when a record of that id was written, which says when it happened."""
    code = event.removeprefix("evt_")[:10]
    try:
        made = (
            sum(_ALPHABET.index(one) << 5 * place for place, one in enumerate(reversed(code))) >> 2
        )
        return rfc3339_ms(max(0, made - _LEEWAY)), rfc3339_ms(made + _LEEWAY)
    except (ValueError, OverflowError):
        raise BadRequestError("the id of an event begins with `evt_`") from None


def _kinds() -> frozenset[str]:
    found = (getattr(events, name) for name in events.__all__)
    return frozenset(
        one.kind
        for one in found
        if isinstance(one, type) and issubclass(one, Event) and one is not Event
    )
