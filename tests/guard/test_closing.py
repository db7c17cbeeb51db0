import pytest

from remit.audit.events import AuditStopped
from remit.audit.port import AuditUnavailableError
from remit.guard.closing import Closing
from remit.testing.audit import InMemoryAuditLog


async def test_what_was_not_recorded_is_recorded_in_order_once_it_can_be():
    log = InMemoryAuditLog()
    closing = Closing(log)
    first, second = AuditStopped(), AuditStopped()
    log.failing = True
    for event in (first, second):
        with pytest.raises(AuditUnavailableError):
            await closing.record(event)
    assert closing.closed
    with pytest.raises(AuditUnavailableError):
        await closing.settle()
    log.failing = False
    await closing.settle()
    assert not closing.closed
    assert [id(event) for event in log.events] == [id(first), id(second)]


async def test_nothing_is_recorded_twice():
    log = InMemoryAuditLog()
    closing = Closing(log)
    await closing.record(AuditStopped())
    await closing.settle()
    assert len(log.events) == 1


async def test_an_outcome_that_comes_while_closed_opens_the_guard_with_the_others():
    log = InMemoryAuditLog()
    closing = Closing(log)
    log.failing = True
    with pytest.raises(AuditUnavailableError):
        await closing.record(AuditStopped())
    log.failing = False
    await closing.record(AuditStopped())
    assert not closing.closed
    assert len(log.events) == 2


async def test_where_an_outcome_stands_is_known_when_nothing_waited_before_it():
    log = InMemoryAuditLog()
    closing = Closing(log)
    receipt = await closing.record(AuditStopped())
    assert receipt is not None
    assert receipt.sequence == 0
