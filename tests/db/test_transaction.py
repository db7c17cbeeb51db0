"""A transaction by itself: what it carries, and the recorder that takes nothing."""

import pytest

from remit.db import NoRecorder, UnrecordedEventError


def test_events_keep_the_order_in_which_they_were_recorded(database, events):
    def work(tx):
        for number in range(5):
            tx.record(number)

    database.run_now(work)
    assert events.recorded == [0, 1, 2, 3, 4]


def test_events_of_one_transaction_reach_the_recorder_together(database, events):
    batches = []
    events.record = batches.append
    database.run_now(lambda tx: [tx.record(1), tx.record(2)])
    database.run_now(lambda tx: None)
    assert batches == [(1, 2)]


def test_without_a_recorder_every_event_is_refused():
    with pytest.raises(UnrecordedEventError) as raised:
        NoRecorder().record(["something happened"])
    assert raised.value.code == "unrecorded_event"
