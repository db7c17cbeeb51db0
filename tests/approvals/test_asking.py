"""Putting a call to people: once, for a while, and never in circles."""

from dataclasses import replace

import pytest

from remit.approvals.asking import LONGEST_SHOWN, MOST_WAITING, PATIENCE, page_of
from remit.approvals.desk import Desk
from remit.approvals.request import RequestState, Verdict
from remit.audit.approval_events import ApprovalExpired, ApprovalRequested
from remit.canonical import canonical_bytes
from remit.guard.elevations import AskedState, ElevationsUnavailableError
from remit.guard.outcome import Deny, Permit
from remit.ids import ClientId, GrantId, ScopeName
from remit.model import ApprovalRule, Role, ScopeDefinition
from remit.policy import CedarEngine, PolicySource
from remit.secrets import MasterKey, SealBrokenError, SecretBox

SCOPED = """
@id("everyone")
permit(principal, action in Remit::Action::"call", resource);
@id("large")
@require_scope("payments:refund.large")
forbid(principal, action == Remit::Action::"payments/refund", resource)
when { context.arguments.amount.value.greaterThan(decimal("1.0")) };
"""


async def test_the_same_call_again_is_the_same_request(office, events):
    first = await office.decide()
    second = await office.decide()
    assert first.asked.id == second.asked.id
    assert len(events.of(ApprovalRequested)) == 1


async def test_asked_too_often_without_anything_having_happened_no_way_is_named(office):
    states = [(await office.decide()).asked.state for _ in range(PATIENCE + 2)]
    assert states == [AskedState.WAITING] * PATIENCE + [AskedState.EXHAUSTED] * 2


async def test_the_request_goes_on_waiting_for_its_people(office):
    for _ in range(PATIENCE + 1):
        refused = await office.decide()
    await office.answers("ada", refused.asked.id)
    assert isinstance(await office.decide(), Permit)


async def test_asking_counts_from_the_beginning_once_somebody_looked(office):
    for _ in range(PATIENCE + 1):
        refused = await office.decide()
    person = await office.person("ada")
    await office.desk.opened(refused.asked.id, person, shown="w", context=office.context)
    assert (await office.decide()).asked.state is AskedState.WAITING


async def test_looking_again_at_the_same_words_is_no_progress(office):
    request_id = await office.asked()
    person = await office.person("ada")
    await office.desk.opened(request_id, person, shown="w", context=office.context)
    for _ in range(PATIENCE):
        await office.desk.opened(request_id, person, shown="w", context=office.context)
        refused = await office.decide()
    assert (await office.decide()).asked.state is AskedState.EXHAUSTED
    assert refused.asked.state is AskedState.WAITING


async def test_a_request_that_lapsed_is_made_anew(office, events):
    first = await office.asked()
    office.later(600)
    second = await office.asked()
    assert first != second
    (expired,) = events.of(ApprovalExpired)
    assert expired.approval == first


async def test_a_refusal_holds_for_as_long_as_the_request_would_have(office):
    request_id = await office.asked()
    await office.answers("ada", request_id, "refused")
    office.later(599)
    assert (await office.decide()).asked.state is AskedState.REFUSED
    office.later(1)
    again = await office.decide()
    assert again.asked.state is AskedState.WAITING
    assert again.asked.id != request_id


async def test_one_client_has_so_many_requests_of_a_person_waiting_and_no_more(office):
    for cents in range(MOST_WAITING):
        assert (await office.decide(office.refund(f"600.{cents:02}"))).asked is not None
    refused = await office.decide(office.refund("700.00"))
    assert isinstance(refused, Deny)
    assert refused.asked is None
    await office.grant("gnt_2")
    more = office.refund("700.00", token={"grant_id": GrantId("gnt_2")})
    assert (await office.decide(more)).asked is None
    await office.grant("gnt_3", client_id=ClientId("cli_2"))
    token = {"grant_id": GrantId("gnt_3"), "client_id": ClientId("cli_2")}
    assert (await office.decide(office.refund("700.00", token=token))).asked is not None


async def test_nobody_is_asked_about_more_than_anybody_reads(office, events):
    longest = LONGEST_SHOWN - len(canonical_bytes({"account": "acc_1", "note": ""}))
    assert (await office.decide(office.update(note="x" * (longest + 1)))).asked is None
    assert not events.of(ApprovalRequested)
    assert (await office.decide(office.update(note="x" * longest))).asked is not None


async def test_who_is_to_be_told_is_told_once(office):
    office.use_approvals(rules=(ApprovalRule(name="r", role="manager", notify=("chat", "mail")),))
    for _ in range(2):
        refused = await office.decide(office.update())
    ((request, names, at),) = office.told
    assert (request.id, names, at) == (refused.asked.id, ("chat", "mail"), office.clock.now())
    assert request.escalated_at is None


async def test_nothing_is_told_of_a_request_that_was_not_recorded(office, events):
    events.failure = RuntimeError("the log is full")
    refused = await office.decide()
    assert refused.asked is None
    events.failure = None
    waiting = await office.desk.requests(None, state=RequestState.WAITING)
    assert waiting == ()


async def test_nobody_is_asked_about_a_call_whose_grant_has_ended(office, events):
    for gone in ("gnt_none", "gnt_old"):
        if gone == "gnt_old":
            await office.grant(gone, expires_at=office.clock.now())
        refused = await office.decide(office.refund(token={"grant_id": GrantId(gone)}))
        assert isinstance(refused, Deny)
        assert refused.asked is None
    assert not events.of(ApprovalRequested)


@pytest.mark.parametrize("ended", ["refused", "withdrawn"])
async def test_a_no_holds_whatever_grant_the_same_call_is_made_with(office, ended):
    request_id = await office.asked()
    if ended == "refused":
        await office.answers("ada", request_id, Verdict.REFUSED, reason="not mine")
    else:
        ada = await office.person("ada")
        await office.desk.withdraw(request_id, ada, context=office.context)
    await office.grant("gnt_2")
    call = office.refund(token={"grant_id": GrantId("gnt_2")})
    again = await office.decide(call)
    assert (again.asked.id, again.asked.state) == (request_id, AskedState.REFUSED)
    assert (await office.decide(office.refund("601.00"))).asked.state is AskedState.WAITING
    office.later(600)
    call = office.refund(token={"grant_id": GrantId("gnt_2")})
    assert (await office.decide(call)).asked.id != request_id


async def test_a_workload_asks_others_and_nobody_else(office):
    token = {"sub": "assistant", "roles": ()}
    refused = await office.decide(office.refund(token=token))
    assert refused.asked is None


async def test_what_the_caller_says_of_why_is_shown_and_recorded_nowhere_openly(office, events):
    await office.decide(office.refund(justification="ticket 4711"))
    (requested,) = events.of(ApprovalRequested)
    assert requested.justification is None
    (request,) = await office.desk.inbox(await office.person("ada"))
    assert request.justification == "ticket 4711"


async def test_why_it_is_made_does_not_make_it_another_call(office):
    first = await office.decide(office.refund(justification="ticket 4711"))
    second = await office.decide(office.refund(justification="ticket 4712"))
    assert first.asked.id == second.asked.id


async def test_rows_that_another_key_sealed_are_shown_to_nobody(office):
    request_id = await office.asked()
    box = SecretBox(MasterKey(bytes(range(1, 33))))
    desk = Desk(replace(office.deps, box=box))
    with pytest.raises(SealBrokenError):
        await desk.read(request_id, await office.person("ada"))


async def test_where_nobody_can_be_asked_it_is_said(office):
    wanted = []

    class Listening(type(office.elevations)):
        async def ask(self, one):
            wanted.append(one)
            return await super().ask(one)

    guard = office.new_guard(Listening(office.deps))
    await guard.decide(office.refund())
    office.database.close()
    with pytest.raises(ElevationsUnavailableError):
        await office.elevations.ask(wanted[0])


def _with_large_scope(office, *, of_role, of_agent):
    large = ScopeName("payments:refund.large")
    catalog = office.directory.catalog
    agent = catalog.agents["assistant"]
    finance = catalog.roles["finance"]
    scopes = {**catalog.scopes, large: ScopeDefinition(name=large, title="l", description="l")}
    roles = {**catalog.roles, "finance": Role(name="finance", scopes=(*finance.scopes, *of_role))}
    agents = {**catalog.agents, agent.id: replace(agent, scopes=(*agent.scopes, *of_agent))}
    office.directory.catalog = replace(catalog, scopes=scopes, roles=roles, agents=agents)
    engine = CedarEngine.load([PolicySource(SCOPED, "policies/s.cedar")], office.directory.catalog)
    office.decisions.publish(engine)


LARGE = (ScopeName("payments:refund.large"),)


async def test_a_scope_that_the_person_holds_is_theirs_to_give_to_one_call(office):
    _with_large_scope(office, of_role=LARGE, of_agent=LARGE)
    refused = await office.decide()
    await office.answers("ada", refused.asked.id)
    permit = await office.decide()
    assert isinstance(permit, Permit)
    assert permit.elevated.scopes == LARGE
    (grant,) = [permit.elevated.grant_id]
    assert grant.startswith("elv_")


@pytest.mark.parametrize(
    ("of_role", "of_agent"), [((), LARGE), (LARGE, ())], ids=["not-theirs", "not-the-agents"]
)
async def test_nobody_is_asked_for_a_scope_beyond_person_or_agent(office, of_role, of_agent):
    _with_large_scope(office, of_role=of_role, of_agent=of_agent)
    assert (await office.decide()).asked is None


def test_the_page_is_below_the_public_url():
    assert page_of("https://r.example/", "apr_1") == "https://r.example/approvals/apr_1"
