"""By what a record can be found: every field that is asked for, with the values it has in that record.

One table for all who look: `Query.matches` asks it of a record, and the index is built of it, so that what
matches is found. Texts that are not asked for by name are found by `says`.

Source: AUDIT §1.7.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from remit.canonical import Json

__all__ = ["FIELDS", "Facet", "facets_of", "says"]

Facet = tuple[str, str]
"""A field and one value of it."""

_ENVELOPE: Final = (
    ("kind", "kind"),
    ("environment", "env"),
    ("user", "user"),
    ("agent", "agent"),
    ("client", "client"),
    ("grant", "grant"),
    ("flow", "flow"),
)
# What a field of an event is asked for as. What is only ever part of another event's story comes last.
_BODY: Final[Mapping[str, str]] = {
    "server": "server",
    "name": "name",
    "outcome": "outcome",
    "verdict": "outcome",
    "reason": "reason",
    "error": "reason",
    "decision_id": "decision",
    "task_of": "decision",
    "approval": "approval",
    "elevation": "elevation",
    "access": "access",
    "policy_version": "policy",
    "catalog_version": "policy",
    "bundle": "policy",
    "rule": "rule",
    "rules": "rule",
    "observed": "rule",
    "scopes": "scope",
    "scopes_required": "scope",
    "scopes_missing": "scope",
    "scopes_token": "scope",
    "requested": "scope",
    "granted": "scope",
    "account_id": "about",
    "holder": "about",
    "absent": "about",
    "deputy": "about",
    "parent": "parent",
    "parent_grant_id": "parent",
    "jti_digest": "jti",
    "caused_by": "caused_by",
    "session_id": "session",
    "agent": "agent",
    "grant": "grant",
}
FIELDS: Final = frozenset(
    {name for name, _ in _ENVELOPE}
    | set(_BODY.values())
    | {"actor", "ip", "trace", "token", "tenant", "via"}
)
"""Every field that a record can be found by."""
_MARK: Final = "tok1."
_TOKEN: Final = re.compile(r"tok1\.[a-z]{1,16}\.[a-z2-7]{26}")
_LONGEST: Final = 200


def facets_of(entry: Mapping[str, Json]) -> set[Facet]:
    """All fields and values that `entry` can be found by, but for its tenant."""
    found = {(name, value) for name, key in _ENVELOPE if isinstance(value := entry.get(key), str)}
    actor, net, trace = entry.get("actor"), entry.get("net"), entry.get("trace")
    if isinstance(actor, dict) and isinstance(value := actor.get("id"), str):
        found.add(("actor", value))
    if isinstance(net, dict) and isinstance(value := net.get("ip"), str):
        found.add(("ip", value))
    if isinstance(trace, dict) and isinstance(value := trace.get("trace_id"), str):
        found.add(("trace", value))
    found.update(("caused_by", one) for one in _names(entry.get("caused_by")))
    found.update(("via", one) for one in _agents(entry.get("act")))
    body = entry.get("body")
    if isinstance(body, dict):
        _add_body(found, body)
    return found


def says(entry: Mapping[str, Json], text: str) -> bool:
    """Whether `text`, in small letters, stands in any text of `entry`, whatever the case there.

    A token is found by its own letters, and never by what it stands for.
    """
    return any(text in one.casefold() for one in _texts(dict(entry)))


def _add_body(found: set[Facet], body: Mapping[str, Json]) -> None:
    for key, value in body.items():
        field = _BODY.get(key)
        if field is not None and value:
            found.update((field, one) for one in _names(value) if len(one) <= _LONGEST)
    for text in _texts(dict(body), keys=True):
        if _MARK in text:
            found.update(("token", one) for one in _TOKEN.findall(text))


def _agents(chain: Json) -> Iterator[str]:
    """Through which agents a token came."""
    if isinstance(chain, list):
        for one in chain:
            if isinstance(one, dict) and isinstance(name := one.get("agent"), str):
                yield name


def _names(value: Json) -> Iterator[str]:
    """What a field names: itself, or what its members or elements are known by."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _names(one)
    elif isinstance(value, dict) and isinstance(one := value.get("id"), str):
        yield one


def _texts(value: Json, *, keys: bool = False) -> Iterator[str]:
    """Every text within `value`, and if asked the names of all members."""
    stack: list[Json] = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            stack.extend(one.values())
            if keys:
                yield from one
        elif isinstance(one, list):
            stack.extend(one)
