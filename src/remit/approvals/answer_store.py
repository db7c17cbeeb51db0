"""The SQL of what people were shown and what they said. One answer of each person to each request."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, Table, Text, delete, select

from remit.approvals.request import Answer, Verdict
from remit.canonical import Json, canonical_text, parse_json
from remit.clock import EpochSeconds
from remit.db import Transaction, conflict_insert, metadata
from remit.ids import UserId

__all__ = [
    "add_answer",
    "answers",
    "answers_of",
    "forget_answers",
    "note_opening",
    "opening_of",
    "openings",
]

answers = Table(
    "approval_answers",
    metadata,
    Column("approval", Text, primary_key=True),
    Column("person", Text, primary_key=True),
    Column("verdict", Text, nullable=False),
    Column("capacity", Text, nullable=False),
    Column("acr", Text, nullable=False),
    Column("auth_time", BigInteger, nullable=False),
    Column("shown", Text, nullable=False),
    Column("shown_at", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("counts_for", Text, nullable=False),
    Column("known_as", Text, nullable=False),
    Column("seat", Text),
)
openings = Table(
    "approval_openings",
    metadata,
    Column("approval", Text, primary_key=True),
    Column("person", Text, primary_key=True),
    Column("shown", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)


def add_answer(tx: Transaction, request_id: str, answer: Answer) -> bool:
    """Store it; `False` when this person has answered before."""
    values = {
        "approval": request_id,
        "person": answer.person,
        "verdict": answer.verdict.value,
        "capacity": answer.capacity,
        "acr": answer.acr,
        "auth_time": answer.auth_time,
        "shown": answer.shown,
        "shown_at": answer.shown_at,
        "at": answer.at,
        "reason": answer.reason,
        "counts_for": canonical_text(list(answer.counts_for)),
        "known_as": canonical_text(list(answer.known_as)),
        "seat": answer.seat,
    }
    added = conflict_insert(tx, answers).values(values).on_conflict_do_nothing()
    return tx.connection.execute(added.returning(answers.c.person)).one_or_none() is not None


def answers_of(tx: Transaction, request_ids: Sequence[str]) -> Mapping[str, tuple[Answer, ...]]:
    """What was answered to each of them, in the order it was."""
    if not request_ids:
        return {}
    asked = (
        select(answers)
        .where(answers.c.approval.in_(request_ids))
        .order_by(answers.c.at, answers.c.person)
    )
    found: dict[str, tuple[Answer, ...]] = {}
    for row in tx.connection.execute(asked):
        found[row.approval] = (*found.get(row.approval, ()), _answer(row))
    return found


def note_opening(
    tx: Transaction, request_id: str, person: UserId, *, shown: str, at: EpochSeconds
) -> None:
    """Keep what was put before them last, and when."""
    values = {"approval": request_id, "person": person, "shown": shown, "at": at}
    noted = conflict_insert(tx, openings).values(values)
    # The same words again are no news: how long they were there is counted from the first time.
    noted = noted.on_conflict_do_update(
        index_elements=["approval", "person"],
        set_={"shown": shown, "at": at},
        where=openings.c.shown != shown,
    )
    tx.connection.execute(noted)


def opening_of(tx: Transaction, request_id: str, person: UserId) -> tuple[str, EpochSeconds] | None:
    """The digest of what was put before them last, and since when it was."""
    asked = select(openings).where(openings.c.approval == request_id, openings.c.person == person)
    row = tx.connection.execute(asked).one_or_none()
    return None if row is None else (row.shown, EpochSeconds(row.at))


def forget_answers(tx: Transaction, request_ids: Sequence[str]) -> None:
    """Delete all that was shown and said of them."""
    for table in (answers, openings):
        if request_ids:
            tx.connection.execute(delete(table).where(table.c.approval.in_(request_ids)))


def _answer(row: Any) -> Answer:
    return Answer(
        person=UserId(row.person),
        verdict=Verdict(row.verdict),
        capacity=row.capacity,
        acr=row.acr,
        auth_time=EpochSeconds(row.auth_time),
        shown=row.shown,
        shown_at=EpochSeconds(row.shown_at),
        at=EpochSeconds(row.at),
        reason=row.reason,
        counts_for=tuple(one for one in _list(row.counts_for) if isinstance(one, int)),
        known_as=tuple(str(one) for one in _list(row.known_as)),
        seat=None if row.seat is None else UserId(row.seat),
    )


def _list(stored: str) -> list[Json]:
    value = parse_json(stored.encode())
    return value if isinstance(value, list) else []
