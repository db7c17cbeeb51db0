"""One person's answer: who may give it, what it takes, and what comes of it; on both databases."""

import asyncio
from dataclasses import replace

import pytest

from remit.approvals.errors import (
    AlreadyAnsweredError,
    NotAskedError,
    NotYoursError,
    RequestEndedError,
    RequestExpiredError,
    ShownChangedError,
    StrongerAuthenticationNeededError,
)
from remit.approvals.request import Verdict
from remit.audit.approval_events import ApprovalAnswered, ElevationGiven
from remit.guard.elevations import AskedState
from remit.guard.outcome import Permit
from remit.model import ACR_MULTI_FACTOR, ACR_PASSWORD, ApprovalRule, Escalation
from remit.testing.catalog import ACME, with_agent

BIG = "6000.00"


async def _manager_request(office):
    return await office.asked(office.update())


async def test_a_call_over_the_larger_limit_takes_its_person_and_a_manager(office, events):
    call = office.refund(BIG)
    request_id = await office.asked(call)
    first = await office.answers("ada", request_id)
    assert first.is_open
    assert events.of(ApprovalAnswered)[-1].outstanding == ("approval:manager",)
    last = await office.answers("bob", request_id)
    assert last.state == "approved"
    permit = await office.decide(call)
    assert isinstance(permit, Permit)
    assert permit.elevated.roles == ("manager",)
    (given,) = events.of(ElevationGiven)
    assert given.approval == request_id


async def test_the_order_in_which_they_answer_does_not_matter(office):
    request_id = await office.asked(office.refund(BIG))
    assert (await office.answers("bob", request_id)).is_open
    assert (await office.answers("ada", request_id)).state == "approved"


async def test_a_no_ends_it_and_is_told_to_whoever_asks_again(office):
    request_id = await office.asked()
    ended = await office.answers("ada", request_id, Verdict.REFUSED, reason="not mine")
    assert ended.state == "refused"
    again = await office.decide()
    assert again.asked.state is AskedState.REFUSED
    assert again.asked.reason == "not mine"
    assert again.asked.id == request_id


async def test_a_no_takes_no_stronger_log_in(office):
    request_id = await office.asked()
    ended = await office.answers("ada", request_id, Verdict.REFUSED, acr=ACR_PASSWORD, ago=9_000)
    assert ended.state == "refused"


async def test_a_yes_takes_the_strength_that_policy_wants(office):
    request_id = await office.asked()
    with pytest.raises(StrongerAuthenticationNeededError) as raised:
        await office.answers("ada", request_id, acr=ACR_MULTI_FACTOR)
    assert raised.value.acr == "urn:remit:acr:phr"
    assert (await office.answers("ada", request_id)).state == "approved"


async def test_a_confirmation_takes_a_log_in_since_it_was_asked(office):
    office.later(10)
    request_id = await office.asked()
    office.later(5)
    with pytest.raises(StrongerAuthenticationNeededError) as raised:
        await office.answers("ada", request_id, ago=6)
    assert raised.value.max_age == 5
    assert (await office.answers("ada", request_id, ago=5)).state == "approved"


async def test_an_approver_has_to_have_two_factors(office):
    request_id = await _manager_request(office)
    with pytest.raises(StrongerAuthenticationNeededError):
        await office.answers("bob", request_id, acr=ACR_PASSWORD)


@pytest.mark.parametrize("name", ["fay", "dora", "eve"])
async def test_who_is_not_asked_is_told_what_they_are_told_of_nothing(office, name):
    request_id = await _manager_request(office)
    person = await office.person(name)
    with pytest.raises(NotYoursError) as theirs:
        await office.desk.read(request_id, person)
    with pytest.raises(NotYoursError) as nothing:
        await office.desk.read("apr_none", person)
    assert str(theirs.value) == str(nothing.value)
    with pytest.raises(NotYoursError):
        await office.answers(name, request_id)


async def test_the_person_of_the_call_sees_it_and_does_not_approve_it(office):
    request_id = await _manager_request(office)
    assert (await office.desk.read(request_id, await office.person("ada"))).id == request_id
    with pytest.raises(NotAskedError):
        await office.answers("ada", request_id)


async def test_a_manager_does_not_confirm_in_the_persons_place(office):
    request_id = await office.asked()
    with pytest.raises(NotYoursError):
        await office.answers("bob", request_id)


async def test_nobody_answers_what_they_were_not_shown(office):
    request_id = await office.asked()
    person = await office.person("ada")

    async def say(shown):
        return await office.desk.answer(
            request_id, person, Verdict.APPROVED, shown=shown, context=office.context
        )

    with pytest.raises(ShownChangedError):
        await say("words")
    await office.desk.opened(request_id, person, shown="words", context=office.context)
    await office.desk.opened(request_id, person, shown="other words", context=office.context)
    with pytest.raises(ShownChangedError):
        await say("words")
    assert (await say("other words")).state == "approved"


async def test_what_one_was_shown_is_no_showing_to_another(office):
    request_id = await _manager_request(office)
    await office.desk.opened(
        request_id, await office.person("bob"), shown="words", context=office.context
    )
    with pytest.raises(ShownChangedError):
        await office.desk.answer(
            request_id,
            await office.person("cyn"),
            Verdict.APPROVED,
            shown="words",
            context=office.context,
        )


async def test_how_long_they_looked_is_recorded(office, events):
    request_id = await office.asked()
    person = await office.person("ada")
    await office.desk.opened(request_id, person, shown="words", context=office.context)
    office.later(40)
    await office.desk.opened(request_id, person, shown="words", context=office.context)
    office.later(2)
    await office.desk.answer(
        request_id,
        await office.person("ada"),
        Verdict.APPROVED,
        shown="words",
        context=office.context,
    )
    assert events.of(ApprovalAnswered)[-1].seconds == 42


async def test_it_is_answered_in_time_or_not_at_all(office):
    request_id = await office.asked()
    office.later(600)
    with pytest.raises(RequestExpiredError):
        await office.answers("ada", request_id)


async def test_what_is_decided_is_not_decided_again(office):
    request_id = await _manager_request(office)
    await office.answers("bob", request_id)
    with pytest.raises(RequestEndedError):
        await office.answers("cyn", request_id)
    with pytest.raises(AlreadyAnsweredError):
        await office.answers("bob", request_id)


async def test_two_who_answer_at_once_are_one_elevation(office, events):
    request_id = await _manager_request(office)
    outcomes = await asyncio.gather(
        office.answers("bob", request_id),
        office.answers("cyn", request_id),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in outcomes) == ["Request", "RequestEndedError"]
    assert len(events.of(ElevationGiven)) == 1


async def test_a_yes_and_a_no_at_once_are_one_of_them(office):
    request_id = await _manager_request(office)
    await asyncio.gather(
        office.answers("bob", request_id),
        office.answers("cyn", request_id, Verdict.REFUSED),
        return_exceptions=True,
    )
    request = await office.desk.read(request_id, await office.person("ada"))
    elevations = await office.desk.elevations(person=await office.person("ada"))
    assert (request.state == "approved") is bool(elevations)


async def _quorum(office, quorum=2, **changes):
    rule = ApprovalRule(name="two", role="manager", quorum=quorum, **changes)
    office.use_approvals(rules=(rule,))
    return await _manager_request(office)


async def test_a_quorum_takes_as_many_people(office):
    request_id = await _quorum(office)
    assert (await office.answers("bob", request_id)).is_open
    with pytest.raises(AlreadyAnsweredError):
        await office.answers("bob", request_id)
    assert (await office.answers("cyn", request_id)).state == "approved"


async def test_two_accounts_of_one_person_are_one_of_a_quorum(office):
    # The address that both are written to is what they share.
    await office.add("hal", roles=("manager",), email="bob")
    request_id = await _quorum(office)
    await office.answers("bob", request_id)
    with pytest.raises(AlreadyAnsweredError):
        await office.answers("hal", request_id)


async def test_a_second_account_of_the_person_of_the_call_is_not_asked(office):
    await office.add("ada2", roles=("manager",), email="ada")
    request_id = await _manager_request(office)
    with pytest.raises(NotYoursError):
        await office.answers("ada2", request_id)


async def test_who_owns_the_agent_is_not_enough_by_themselves(office):
    catalog = office.directory.catalog
    agent = replace(catalog.agents["assistant"], owner="bob")
    office.directory.catalog = with_agent(catalog, agent)
    with pytest.raises(NotYoursError):
        await office.answers("bob", await _manager_request(office))


async def test_who_owns_the_agent_counts_beside_somebody_else(office):
    catalog = office.directory.catalog
    agent = replace(catalog.agents["assistant"], owner="bob")
    office.directory.catalog = with_agent(catalog, agent)
    request_id = await _quorum(office)
    await office.answers("bob", request_id)
    assert (await office.answers("cyn", request_id)).state == "approved"


async def test_it_escalates(office, events):
    rule = ApprovalRule(
        name="r", role="manager", escalation=Escalation(after=60, role="director"), notify=("chat",)
    )
    office.use_approvals(rules=(rule,))
    call = office.update()
    request_id = await office.asked(call)
    with pytest.raises(NotYoursError):
        await office.answers("dora", request_id)
    office.later(60)
    assert (await office.answers("dora", request_id)).state == "approved"
    assert events.of(ApprovalAnswered)[-1].capacity == "escalated:director"
    # It was given in the name of the role that policy asked for.
    permit = await office.decide(office.update())
    assert isinstance(permit, Permit)
    assert permit.elevated.roles == ("manager",)


async def test_an_account_that_was_disabled_since_answers_nothing(office):
    request_id = await _manager_request(office)
    person = await office.person("bob")
    await office.desk.opened(request_id, person, shown="words", context=office.context)
    await office.disable("bob")
    with pytest.raises(NotYoursError):
        await office.desk.answer(
            request_id, person, Verdict.APPROVED, shown="words", context=office.context
        )


async def test_roles_that_a_door_claims_are_not_believed(office):
    request_id = await _manager_request(office)
    liar = replace(await office.person("fay"), roles=("manager",), tenant=ACME)
    with pytest.raises(NotYoursError):
        await office.desk.read(request_id, liar)


async def test_a_deputy_answers_in_the_place_of_who_is_absent(office, events):
    bob = await office.person("bob")
    await office.desk.name_deputy(
        bob, "fay", role="manager", expires_at=office.clock.now() + 3_600, context=office.context
    )
    request_id = await _quorum(office)
    await office.answers("fay", request_id)
    assert events.of(ApprovalAnswered)[-1].capacity == "deputy:usr_bob:manager"
    with pytest.raises(AlreadyAnsweredError):
        await office.answers("bob", request_id)
    assert (await office.answers("cyn", request_id)).state == "approved"


async def _named(office, absent, deputy):
    await office.desk.name_deputy(
        await office.person(absent),
        deputy,
        role="manager",
        expires_at=office.clock.now() + 3_600,
        context=office.context,
    )


async def test_a_second_account_of_who_is_absent_answers_no_more(office):
    await office.add("bob2", roles=("manager",), email="bob")
    await _named(office, "bob", "fay")
    request_id = await _quorum(office)
    await office.answers("fay", request_id)
    with pytest.raises(AlreadyAnsweredError):
        await office.answers("bob2", request_id)


async def test_two_deputies_of_two_accounts_of_one_person_fill_one_place(office):
    await office.add("bob2", roles=("manager",), email="bob")
    await _named(office, "bob", "fay")
    await _named(office, "bob2", "dora")
    request_id = await _quorum(office)
    assert (await office.answers("fay", request_id)).is_open
    with pytest.raises(AlreadyAnsweredError):
        await office.answers("dora", request_id)
    assert (await office.answers("cyn", request_id)).state == "approved"


async def test_what_somebody_said_who_is_shut_out_by_then_does_not_count(office, events):
    await office.add("hal", roles=("manager",))
    request_id = await _quorum(office)
    await office.answers("bob", request_id)
    await office.disable("bob")
    assert (await office.answers("cyn", request_id)).is_open
    assert events.of(ApprovalAnswered)[-1].outstanding == ("approval:manager",)
    assert (await office.answers("hal", request_id)).state == "approved"


async def test_a_deputyship_that_is_over_counts_no_more(office):
    bob = await office.person("bob")
    await office.desk.name_deputy(
        bob, "fay", role="manager", expires_at=office.clock.now() + 60, context=office.context
    )
    office.later(60)
    request_id = await _manager_request(office)
    with pytest.raises(NotYoursError):
        await office.answers("fay", request_id)


async def test_what_a_person_takes_back_is_not_asked_again(office):
    request_id = await office.asked()
    ended = await office.desk.withdraw(
        request_id, await office.person("ada"), context=office.context
    )
    assert ended.state == "withdrawn"
    assert ended.arguments is None
    again = await office.decide()
    assert again.asked.state is AskedState.REFUSED
    with pytest.raises(RequestEndedError):
        await office.answers("ada", request_id)


async def test_nobody_takes_back_what_is_somebody_elses(office):
    request_id = await _manager_request(office)
    with pytest.raises(NotAskedError):
        await office.desk.withdraw(request_id, await office.person("bob"), context=office.context)
