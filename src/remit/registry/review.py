"""Reviewing definitions: what differs, and admitting or rejecting it, each with its event.

Whoever decides names the digest of what they saw. What the server has changed meanwhile is not
admitted by accident: it is a conflict, and has to be looked at again.
"""

import difflib
import json
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from remit.audit.context import Context
from remit.audit.events import DefinitionAdmitted, DefinitionRejected
from remit.canonical import Json, JsonObject
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.errors import ConflictError, NotFoundError
from remit.ids import ServerName
from remit.policy.evaluation import ResourceKind
from remit.registry.definition import parse_definition
from remit.registry.definition_store import DefinitionState, Pinned, one_of_server, put

__all__ = ["Difference", "Verdict", "admit_definition", "differences", "reject_definition"]

_WIDTH: Final = 100
_MOST_LINES: Final = 2_000
_MOST_PAIRS: Final = 1_000_000
_CONTEXT: Final = 3
_FIRST: Final = ("name", "title", "description", "inputSchema")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One member that differs. `lines` begin with `+`, `-` or a blank, as in a unified difference."""

    member: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Which thing somebody decided about, what they saw of it, and why."""

    server: ServerName
    thing: ResourceKind
    name: str
    digest: str
    reason: str = ""


def admit_definition(
    tx: Transaction, verdict: Verdict, *, now: EpochSeconds, context: Context
) -> Pinned:
    """Admit what is offered, or once more what was rejected: it may be used from the next snapshot on.

    Raises:
        NotFoundError: the server never offered such a thing.
        ConflictError: it offers something else by now, or it is admitted already.
    """
    before = _reviewed(tx, verdict)
    if before.state is DefinitionState.ADMITTED and before.decided_by is not None:
        raise ConflictError("it is admitted already")
    admitted = replace(
        _decided(before, now=now, context=context),
        state=DefinitionState.ADMITTED,
        cause=None,
        detail="",
        admitted=before.offered or before.admitted,
        admitted_digest=verdict.digest,
        offered=None,
        offered_digest=None,
    )
    put(tx, admitted)
    tx.record(
        DefinitionAdmitted(
            context=context,
            server=verdict.server,
            thing=verdict.thing.value,
            name=verdict.name,
            digest=verdict.digest,
            replaced_digest=before.admitted_digest,
            reason=verdict.reason,
        )
    )
    return admitted


def reject_definition(
    tx: Transaction, verdict: Verdict, *, now: EpochSeconds, context: Context
) -> Pinned:
    """Keep a thing out, until the server offers again what was admitted or somebody admits it.

    Raises:
        NotFoundError: the server never offered such a thing.
        ConflictError: it offers something else by now, or it is rejected already.
    """
    before = _reviewed(tx, verdict)
    if before.state is DefinitionState.REJECTED:
        raise ConflictError("it is rejected already")
    rejected = replace(_decided(before, now=now, context=context), state=DefinitionState.REJECTED)
    if before.offered is None:
        # What was admitted is itself rejected: to offer it again is then no way back.
        rejected = replace(
            rejected,
            offered=before.admitted,
            offered_digest=before.admitted_digest,
            admitted=None,
            admitted_digest=None,
        )
    put(tx, rejected)
    tx.record(
        DefinitionRejected(
            context=context,
            server=verdict.server,
            thing=verdict.thing.value,
            name=verdict.name,
            digest=verdict.digest,
            reason=verdict.reason,
        )
    )
    return rejected


def differences(row: Pinned) -> tuple[Difference, ...]:
    """What is offered beside what was admitted, member by member; all of it where nothing was."""
    before = {} if row.admitted is None else parse_definition(row.admitted)
    after = before if row.offered is None else parse_definition(row.offered)
    names = sorted({*before, *after}, key=lambda name: (name not in _FIRST, name))
    ordered = [*(name for name in _FIRST if name in names), *names[len(set(names) & set(_FIRST)) :]]
    return tuple(
        Difference(member=name, lines=tuple(_compared(before, after, name)))
        for name in ordered
        if before.get(name) != after.get(name)
    )


def _reviewed(tx: Transaction, verdict: Verdict) -> Pinned:
    row = one_of_server(tx, verdict.server, verdict.thing, verdict.name)
    if row is None:
        raise NotFoundError("the server has offered no such thing")
    if verdict.digest != (row.offered_digest or row.admitted_digest):
        raise ConflictError("the server offers something else by now; look at it again")
    return row


def _decided(row: Pinned, *, now: EpochSeconds, context: Context) -> Pinned:
    by = context.actor.id or context.actor.type.value
    return replace(row, changed_at=now, decided_at=now, decided_by=by)


def _compared(before: JsonObject, after: JsonObject, name: str) -> Iterable[str]:
    old = _lines(before[name]) if name in before else []
    new = _lines(after[name]) if name in after else []
    if not old or not new or len(old) * len(new) > _MOST_PAIRS:
        # To compare texts of thousands of lines takes longer than to read them.
        return _cut([*(f"-{line}" for line in old), *(f"+{line}" for line in new)])
    compared = difflib.unified_diff(old, new, lineterm="", n=_CONTEXT)
    return _cut([line for line in compared if not line.startswith(("---", "+++", "@@"))])


def _cut(lines: list[str]) -> list[str]:
    if len(lines) <= _MOST_LINES:
        return lines
    return [*lines[:_MOST_LINES], f" and {len(lines) - _MOST_LINES} lines more"]


def _lines(value: Json) -> list[str]:
    text = (
        value
        if isinstance(value, str)
        else json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    )
    wrapped = (
        textwrap.wrap(line, _WIDTH, replace_whitespace=False, drop_whitespace=False) or [""]
        for line in text.split("\n")
    )
    return [line for lines in wrapped for line in lines]
