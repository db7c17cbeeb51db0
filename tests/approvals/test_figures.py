"""How people answer is measured: medians, and who says yes before anybody can have read."""

from remit.approvals.figures import HASTY
from remit.approvals.request import Verdict
from remit.model import ApprovalRule


async def _answered(office, name, took, verdict=Verdict.APPROVED, **arguments):
    request_id = await office.asked(office.update(**arguments))
    person = await office.person(name)
    await office.desk.opened(request_id, person, shown="w", context=office.context)
    office.later(took)
    await office.desk.answer(request_id, person, verdict, shown="w", context=office.context)


async def test_how_fast_and_how_often_is_told_of_all_of_each_person_and_of_each_rule(office):
    office.use_approvals(rules=(ApprovalRule(name="updates", role="manager"),))
    since = office.clock.now()
    await _answered(office, "bob", HASTY - 1, score=1)
    await _answered(office, "bob", HASTY, score=2)
    await _answered(office, "bob", 60, score=3)
    await _answered(office, "cyn", 30, Verdict.REFUSED, score=4)
    await office.asked(office.update(score=5))
    office.later(900)
    await office.desk.expire_due()
    every, bob, cyn, rule = await office.desk.figures("acme", since=since)
    assert (every.approved, every.refused, every.expired) == (3, 1, 1)
    assert (every.median_seconds, every.hasty) == (HASTY, 1)
    assert (bob.person, bob.approved, bob.refused, bob.hasty) == ("usr_bob", 3, 0, 1)
    assert (cyn.person, cyn.approved, cyn.refused, cyn.median_seconds) == ("usr_cyn", 0, 1, None)
    assert (rule.rule, rule.approved, rule.expired) == ("updates", 3, 1)


async def test_nothing_is_told_of_another_organisation_or_of_before(office):
    await _answered(office, "bob", 1)
    (every,) = await office.desk.figures("globex", since=0)
    assert every.approved == 0
    (every,) = await office.desk.figures("acme", since=office.clock.now() + 1)
    assert (every.approved, every.median_seconds) == (0, None)
