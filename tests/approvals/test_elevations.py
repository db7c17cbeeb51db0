"""A call that is refused, put to people, allowed by them, and admitted once: the guard over both databases."""

from remit.audit.approval_events import (
    ApprovalAnswered,
    ApprovalRequested,
    ElevationGiven,
    ElevationUsed,
)
from remit.guard.elevations import AskedState
from remit.guard.outcome import Deny, Permit, RefusalReason


async def test_a_call_that_its_person_confirms_passes_once(office, events):
    refused = await office.decide()
    assert isinstance(refused, Deny)
    assert refused.reason is RefusalReason.CONFIRMATION_NEEDED
    assert refused.asked.state is AskedState.WAITING
    assert refused.asked.alone
    assert refused.asked.url == f"https://remit.example/approvals/{refused.asked.id}"
    request = await office.answers("ada", refused.asked.id)
    assert request.state == "approved"
    permit = await office.decide()
    assert isinstance(permit, Permit)
    assert permit.elevated.acr == "urn:remit:acr:phr"
    again = await office.decide()
    assert isinstance(again, Deny)
    assert again.asked.id != refused.asked.id
    kinds = [type(one) for one in events.recorded]
    assert kinds.count(ElevationUsed) == 1
    (requested, _), (answered,) = events.of(ApprovalRequested), events.of(ApprovalAnswered)
    assert requested.needs == ("confirmation:urn:remit:acr:phr",)
    assert (answered.verdict, answered.capacity) == ("confirmed", "person")
    (given,) = events.of(ElevationGiven)
    assert given.elevation == permit.elevated.id
