"""Forgetting is an event, of somebody who is named, for a reason."""

import pytest

from remit.audit.context import Context
from remit.audit.events import HistoryForgotten
from remit.guard.use import Whose
from remit.history.erasure import Forgotten, forget_history
from remit.history.store import UseRow, add_use, has_uses
from remit.model import HistoryFact, HistoryMeasure

COUNT = HistoryFact(name="calls", measure=HistoryMeasure.COUNT)
EVER = HistoryFact(name="seen", measure=HistoryMeasure.EVER)
PASTS = (
    Whose("acme", agent="assistant", subject="usr_1"),
    Whose("acme", agent="job", subject="usr_1"),
    Whose("acme", agent="assistant", subject="usr_2"),
    Whose("globex", agent="assistant", subject="usr_1"),
)


@pytest.fixture
def kept(database):
    def put(tx):
        for fact in (COUNT, EVER):
            for whose in PASTS:
                add_use(tx, UseRow(fact=fact.account, whose=whose, at=10, use="dec_1"))

    database.run_now(put)
    return database


def forget(database, accounts=(), **named):
    whose = Forgotten(tenant=named.pop("tenant", "acme"), **named)
    return database.run_now(
        lambda tx: forget_history(tx, whose, accounts=accounts, reason="asked", context=Context())
    )


def left(database, fact):
    return [
        whose
        for whose in PASTS
        if database.read_now(lambda tx, one=whose: has_uses(tx, fact.account, one, since=0))
    ]


def test_a_person_is_forgotten_whatever_agent_it_was_and_in_their_organisation_alone(kept, events):
    assert forget(kept, subject="usr_1") == 4
    assert left(kept, COUNT) == [PASTS[2], PASTS[3]]
    (event,) = events.of(HistoryForgotten)
    assert (event.subject, event.agent, event.uses, event.reason) == ("usr_1", None, 4, "asked")


def test_one_fact_is_forgotten_and_the_others_stay(kept):
    gone = forget(kept, [COUNT.account], agent="assistant", subject="usr_1", facts=("calls",))
    assert gone == 1
    assert left(kept, COUNT) == list(PASTS[1:])
    assert left(kept, EVER) == list(PASTS)


def test_to_forget_nobody_in_particular_is_refused(kept, events):
    with pytest.raises(ValueError, match="has to be said"):
        forget(kept)
    assert left(kept, COUNT) == list(PASTS)
    assert events.of(HistoryForgotten) == []


def test_what_cannot_be_recorded_is_not_forgotten(kept, events):
    events.failure = RuntimeError("the log is full")
    with pytest.raises(RuntimeError):
        forget(kept, subject="usr_1")
    assert left(kept, COUNT) == list(PASTS)
