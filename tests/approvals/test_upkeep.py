"""What is done by the clock: expiry, escalation, forgetting; on both databases."""

from sqlalchemy import text

from remit.approvals.upkeep import KEPT, forget_ended
from remit.audit.approval_events import ApprovalEscalated, ApprovalExpired
from remit.guard.outcome import Permit
from remit.model import ApprovalRule, Escalation


async def test_what_nobody_answered_in_time_ends_and_its_arguments_with_it(office, events):
    request_id = await office.asked(office.refund("600.00"))
    office.later(599)
    assert await office.desk.expire_due() == 0
    office.later(1)
    assert await office.desk.expire_due() == 1
    (expired,) = events.of(ApprovalExpired)
    assert expired.approval == request_id
    assert expired.context.user_id == "usr_ada"
    request = await office.desk.read(request_id, await office.person("ada"))
    assert (request.state, request.arguments) == ("expired", None)
    assert await office.desk.expire_due() == 0


async def test_nothing_that_is_sealed_outlives_its_request(office):
    await office.asked()
    await office.answers("ada", await office.asked(office.refund("700.00")))
    office.later(600)
    await office.desk.expire_due()
    left = await office.database.read(
        lambda tx: tx.connection.execute(
            text("SELECT count(*) FROM approvals WHERE sealed IS NOT NULL")
        ).scalar()
    )
    assert left == 0


async def test_what_waits_long_is_told_to_more_people_once(office):
    rule = ApprovalRule(
        name="r", role="manager", escalation=Escalation(after=60, role="director"), notify=("chat",)
    )
    office.use_approvals(rules=(rule,))
    request_id = await office.asked(office.update())
    office.later(59)
    assert await office.desk.expire_due() == 0
    office.later(1)
    assert await office.desk.expire_due() == 1
    assert await office.desk.expire_due() == 0
    assert [name for _, name, _ in office.told] == [("chat",), ("chat",)]
    told = office.told[-1][0]
    assert (told.id, told.escalated_at) == (request_id, office.clock.now())


async def test_each_part_escalates_in_its_own_time(office, events):
    rules = (
        ApprovalRule(
            name="a", role="manager", escalation=Escalation(after=60, role="finance"), notify=("a",)
        ),
        ApprovalRule(
            name="b",
            role="director",
            escalation=Escalation(after=90, role="finance"),
            notify=("b",),
        ),
    )
    office.use_approvals(rules=rules)
    office.use_policies(
        """
        @id("everyone")
        permit(principal, action in Remit::Action::"call", resource);
        @id("one")
        @require_approval("manager")
        forbid(principal, action == Remit::Action::"crm/update_account", resource);
        @id("other")
        @require_approval("director")
        forbid(principal, action == Remit::Action::"crm/update_account", resource);
        """
    )
    await office.asked(office.update())
    office.told.clear()
    for seconds in (60, 29, 1):
        office.later(seconds)
        await office.desk.expire_due()
    assert [names for _, names, _ in office.told] == [("a",), ("a", "b")]
    escalated = events.of(ApprovalEscalated)
    assert [(one.roles, one.told) for one in escalated] == [
        (("finance",), ("a",)),
        (("finance",), ("a", "b")),
    ]
    assert all(one.context.agent_id and one.context.tenant for one in escalated)


async def test_what_was_answered_does_not_escalate(office):
    rule = ApprovalRule(
        name="r",
        role="manager",
        quorum=2,
        escalation=Escalation(after=60, role="director"),
        notify=("chat",),
    )
    office.use_approvals(rules=(rule,))
    request_id = await office.asked(office.update())
    await office.answers("bob", request_id)
    await office.answers("cyn", request_id)
    office.later(60)
    assert await office.desk.expire_due() == 0


async def test_who_was_asked_is_forgotten_after_a_while_and_not_before(office):
    call = office.refund()
    await office.answers("ada", await office.asked(call))
    assert isinstance(await office.decide(call), Permit)
    office.later(KEPT)
    now = office.clock.now()
    assert await office.database.run(lambda tx: forget_ended(tx, now=now)) == 0
    office.later(301)
    now = office.clock.now()
    assert await office.database.run(lambda tx: forget_ended(tx, now=now)) == 2
    rows = await office.database.read(
        lambda tx: [
            tx.connection.execute(text(f"SELECT count(*) FROM {name}")).scalar()
            for name in ("approvals", "approval_answers", "approval_openings", "elevations")
        ]
    )
    assert rows == [0, 0, 0, 0]


async def test_what_still_waits_is_not_forgotten(office):
    await office.asked()
    now = office.clock.now() + 10 * KEPT
    assert await office.database.run(lambda tx: forget_ended(tx, now=now)) == 0
