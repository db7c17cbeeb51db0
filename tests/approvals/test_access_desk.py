"""Access for a while, asked for, approved in the inbox, given back, taken in an emergency, reviewed by somebody else."""

import asyncio
from types import MappingProxyType

import pytest

from remit.approvals.access import (
    AccessEnd,
    AccessHeldError,
    AccessKind,
    AccessState,
    AccessStrengthError,
    Holder,
    HolderKind,
    NotYourReviewError,
    Review,
    UnacceptableWishError,
    Wish,
)
from remit.approvals.access_asking import AccessAsking
from remit.approvals.access_desk import AccessDeps, AccessDesk
from remit.approvals.access_granting import AccessGiver
from remit.approvals.access_store import AccessFilter
from remit.approvals.access_token_store import RestingToken, note_tokens
from remit.approvals.deps import ApprovalDeps
from remit.approvals.desk import Desk
from remit.approvals.errors import NotAskedError, NotYoursError
from remit.approvals.request import RequestState, Verdict
from remit.approvals.upkeep import KEPT, forget_ended
from remit.errors import NotFoundError, UnavailableError
from remit.ids import AgentId, GrantId
from remit.model import (
    ACR_MULTI_FACTOR,
    ACR_PHISHING_RESISTANT,
    AccessOffer,
    EmergencyAccess,
    JustificationField,
)

WHY = MappingProxyType({"reason": "month end"})


def offer(name="books", **changes):
    said = {"name": name, "role": "director", "people_roles": ("support",), "longest": 3_600}
    return AccessOffer(**said | changes)


def glass(**changes):
    said = {"name": "glass", "people": ("ada",), "role": "director", "reviewer": "manager"}
    return EmergencyAccess(**said | changes)


class World:
    """The office, with a desk for access over its inbox."""

    def __init__(self, office):
        self.office = office
        self.published, self.told = 0, []
        deps = ApprovalDeps(
            database=office.database,
            directory=office.directory,
            clock=office.clock,
            box=office.deps.box,
            key=office.deps.key,
            public_url=office.deps.public_url,
            announce=office.deps.announce,
            give_access=AccessGiver(office.clock),
        )
        self.inbox = Desk(deps)
        self.deps = AccessDeps(
            database=office.database,
            directory=office.directory,
            clock=office.clock,
            ask=AccessAsking(deps),
            publish=self._publish,
            tell=lambda tx, access, emergency: self.told.append((access.id, emergency.name)),
        )
        self.desk = AccessDesk(self.deps)
        self.context = office.context

    async def _publish(self):
        self.published += 1

    def offers(self, *offers, **parts):
        access = MappingProxyType({one.name: one for one in offers})
        self.office.use_approvals(access=access, **parts)

    async def ask(self, holder, name="books", seconds=600, justification=WHY, **more):
        wish = Wish(offer=name, seconds=seconds, justification=justification, **more)
        return await self.desk.request(holder, wish, context=self.context)

    async def take(self, holder, seconds=600, justification=WHY):
        wish = Wish(offer="glass", seconds=seconds, justification=justification)
        return await self.desk.take(holder, wish, context=self.context)

    async def review(self, access_id, name, verdict=Review.JUSTIFIED):
        person = await self.office.person(name)
        return await self.desk.review(
            access_id, person, verdict, reason="read the log", context=self.context
        )

    async def answer(self, request_id, name, verdict=Verdict.APPROVED):
        person = await self.office.person(name)
        await self.inbox.opened(request_id, person, shown="s", context=self.context)
        return await self.inbox.answer(request_id, person, verdict, shown="s", context=self.context)

    def kinds(self):
        return [type(event).kind for event in self.recorded()]

    def recorded(self):
        return [
            one for one in self.office.recorded.recorded if type(one).kind.split(".")[0] in _KINDS
        ]


_KINDS = frozenset({"access", "emergency"})


@pytest.fixture
def world(office, events):
    office.recorded = events
    return World(office)


@pytest.fixture
def ada():
    return Holder(kind=HolderKind.USER, id="usr_ada", tenant="acme", username="ada")


# -- given at once


async def test_what_needs_nobodys_yes_is_had_at_once_and_until_its_end(world, ada):
    world.offers(offer())
    held = await world.ask(ada, ticket="OPS-1")
    assert held.state is AccessState.ACTIVE
    assert held.expires_at == world.office.clock.now() + 600
    assert (await world.desk.read(held.id)).ticket == "OPS-1"
    assert world.kinds() == ["access.requested", "access.granted"]
    requested, granted = world.recorded()
    assert (requested.justification, requested.ticket) == ('{"reason":"month end"}', "OPS-1")
    assert (granted.holder, granted.role) == ("user:usr_ada", "director")


async def test_it_may_be_had_until_an_instant_and_never_after(world, ada):
    world.offers(offer())
    until = world.office.clock.now() + 120
    held = await world.ask(ada, seconds=0, until=until)
    assert held.expires_at == until


@pytest.mark.parametrize("seconds", [0, 59, 3_601, -1])
async def test_it_is_had_neither_longer_than_offered_nor_for_no_time_at_all(world, ada, seconds):
    world.offers(offer())
    with pytest.raises(UnacceptableWishError, match="seconds"):
        await world.ask(ada, seconds=seconds)
    assert world.recorded() == []


async def test_an_instant_that_is_past_is_none(world, ada):
    world.offers(offer())
    with pytest.raises(UnacceptableWishError):
        await world.ask(ada, seconds=0, until=world.office.clock.now() - 1)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"people_roles": ("manager",)}, "another role's"),
        ({"people_roles": (), "agents": (AgentId("assistant"),)}, "an agent's"),
        ({"name": "other"}, "not there"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
async def test_what_is_not_for_them_is_not_there(world, ada, changes, why):
    assert why
    world.offers(offer(**changes))
    with pytest.raises(NotFoundError, match="no such access"):
        await world.ask(ada)
    assert "books" not in [one.name for one in world.desk.offers_for(ada)]


async def test_the_roles_that_count_are_those_of_the_account_and_not_those_that_a_door_says(world):
    world.offers(offer(people_roles=("manager",)))
    liar = Holder(
        kind=HolderKind.USER, id="usr_ada", tenant="acme", username="bob", roles=("manager",)
    )
    with pytest.raises(NotFoundError):
        await world.ask(liar)


async def test_whoever_is_locked_out_gets_nothing(world, ada):
    world.offers(offer())
    await world.office.disable("ada")
    with pytest.raises(NotFoundError):
        await world.ask(ada)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"reason": "  "},
        {"reason": "a\nb"},
        {"reason": "x" * 501},
        {"reason": "ok", "more": "x"},
    ],
    ids=["nothing", "blank", "lines", "long", "unknown"],
)
async def test_what_has_to_be_told_is_told_and_nothing_else(world, ada, told):
    world.offers(offer())
    with pytest.raises(UnacceptableWishError, match="justification"):
        await world.ask(ada, justification=told)


async def test_a_field_matches_its_pattern_from_end_to_end(world, ada):
    ticket = JustificationField(name="change", pattern="CHG-[0-9]+")
    world.offers(offer(justification=("change",)), justifications={"change": ticket})
    with pytest.raises(UnacceptableWishError):
        await world.ask(ada, justification={"change": "see CHG-7"})
    assert await world.ask(ada, justification={"change": "CHG-7"})


async def test_a_ticket_is_a_name_and_no_text(world, ada):
    world.offers(offer())
    with pytest.raises(UnacceptableWishError, match="ticket"):
        await world.ask(ada, ticket="<b>now</b>")


async def test_who_logged_in_too_weakly_is_told_how(world, ada):
    world.offers(offer(acr=ACR_MULTI_FACTOR))
    with pytest.raises(AccessStrengthError) as refused:
        await world.ask(ada)
    assert refused.value.acr == ACR_MULTI_FACTOR


async def test_a_role_that_one_has_is_not_given_for_a_while(world, ada):
    world.offers(offer(role="support"))
    with pytest.raises(AccessHeldError, match="yours already"):
        await world.ask(ada)


async def test_asked_for_at_the_same_time_it_is_given_once(world, ada):
    world.offers(offer())
    made = await asyncio.gather(*(world.ask(ada) for _ in range(4)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in made) == ["Access"] + ["AccessHeldError"] * 3


async def test_once_it_is_over_it_may_be_asked_for_again(world, ada):
    world.offers(offer())
    first = await world.ask(ada)
    world.office.later(600)
    second = await world.ask(ada)
    assert second.id != first.id
    assert (await world.desk.read(first.id)).how is AccessEnd.EXPIRED
    assert [one.id for one in await world.desk.held_by(ada)] == [second.id, first.id]


# -- through an agent, and of a workload


async def test_an_agent_asks_for_its_person_only_where_it_is_named(world):
    through = Holder(
        kind=HolderKind.USER, id="usr_ada", tenant="acme", agent_id=AgentId("assistant")
    )
    world.offers(offer())
    with pytest.raises(NotFoundError):
        await world.ask(through)
    world.offers(offer(agents=(AgentId("assistant"),)))
    assert (await world.ask(through)).agent_id == "assistant"


async def test_a_workload_has_what_names_it(world):
    agent = next(iter(world.office.directory.catalog.agents.values()))
    holder = Holder(kind=HolderKind.AGENT, id=agent.id, tenant=agent.tenants[0])
    world.offers(offer(agents=(agent.id,), people_roles=()))
    assert (await world.ask(holder)).holder_kind is HolderKind.AGENT
    elsewhere = Holder(kind=HolderKind.AGENT, id=agent.id, tenant="nowhere")
    with pytest.raises(NotFoundError):
        await world.ask(elsewhere)
    with pytest.raises(NotFoundError):
        await world.ask(Holder(kind=HolderKind.AGENT, id="nobody", tenant="acme"))


# -- approved by others


@pytest.fixture
async def waiting(world, ada):
    world.offers(offer(approver="manager"))
    return await world.ask(ada)


async def test_what_takes_a_yes_waits_in_the_inbox_of_those_who_may_give_it(world, waiting):
    assert waiting.state is AccessState.WAITING
    (request,) = await world.inbox.inbox(await world.office.person("bob"))
    assert request.id == waiting.approval
    assert request.thing == "books"
    assert await world.inbox.inbox(await world.office.person("ada")) == ()


async def test_a_yes_gives_it_from_then_on(world, waiting):
    world.office.later(60)
    assert (await world.answer(waiting.approval, "bob")).state is RequestState.APPROVED
    given = await world.desk.read(waiting.id)
    assert given.state is AccessState.ACTIVE
    assert given.expires_at == world.office.clock.now() + 600
    assert given.approved_by == ("usr_bob",)


async def test_a_no_refuses_it(world, waiting):
    await world.answer(waiting.approval, "bob", Verdict.REFUSED)
    refused = await world.desk.read(waiting.id)
    assert (refused.state, refused.how) == (AccessState.REFUSED, AccessEnd.REFUSED)
    assert refused.granted_at is None


async def test_nobody_approves_their_own(world, waiting):
    with pytest.raises(NotYoursError):
        await world.answer(waiting.approval, "eve")
    with pytest.raises(NotAskedError):
        await world.answer(waiting.approval, "ada")
    assert (await world.desk.read(waiting.id)).state is AccessState.WAITING


async def test_what_is_asked_for_already_is_not_asked_for_twice(world, ada, waiting):
    assert waiting.approval
    with pytest.raises(AccessHeldError):
        await world.ask(ada)
    assert len(await world.inbox.inbox(await world.office.person("bob"))) == 1


async def test_taken_back_it_is_in_nobodys_inbox(world, ada, waiting):
    await world.desk.end(waiting.id, holder=ada, context=world.context)
    assert await world.inbox.inbox(await world.office.person("bob")) == ()
    assert (await world.desk.read(waiting.id)).how is AccessEnd.RETURNED


async def test_what_nobody_answers_lapses(world, waiting):
    world.office.later(waiting.expires_at - world.office.clock.now())
    await world.inbox.expire_due()
    await world.desk.expire_due()
    assert (await world.desk.read(waiting.id)).state is AccessState.ENDED


async def test_what_would_be_over_by_the_time_of_the_yes_is_not_given(world, ada):
    world.offers(offer(approver="manager"))
    now = world.office.clock.now()
    asked = await world.ask(ada, seconds=0, until=now + 120)
    world.office.later(121)
    await world.answer(asked.approval, "bob")
    ended = await world.desk.read(asked.id)
    assert (ended.how, ended.granted_at) == (AccessEnd.EXPIRED, None)


async def test_where_nobody_can_be_asked_nothing_waits(world, ada):
    world.offers(offer(approver="manager"))
    desk = AccessDesk(
        AccessDeps(
            database=world.office.database,
            directory=world.office.directory,
            clock=world.office.clock,
        )
    )
    with pytest.raises(UnavailableError):
        await desk.request(
            ada, Wish(offer="books", seconds=600, justification=WHY), context=world.context
        )
    assert await desk.held_by(ada) == ()


# -- ending


async def test_only_whose_it_is_gives_it_back(world, ada):
    world.offers(offer())
    held = await world.ask(ada)
    bob = Holder(kind=HolderKind.USER, id="usr_bob", tenant="acme")
    with pytest.raises(NotFoundError):
        await world.desk.end(held.id, holder=bob, context=world.context)
    with pytest.raises(NotFoundError):
        await world.desk.end(held.id, holder=None, tenant="globex", context=world.context)
    assert world.published == 0


async def test_an_administrator_takes_it_away_once_and_standing_is_published(world, ada):
    world.offers(offer())
    held = await world.ask(ada)
    ended = await world.desk.end(held.id, holder=None, reason="why not", context=world.context)
    assert (ended.how, ended.ended_for) == (AccessEnd.REVOKED, "why not")
    assert world.published == 1
    with pytest.raises(AccessHeldError):
        await world.desk.end(held.id, holder=None, context=world.context)


async def test_tokens_that_rest_on_it_are_forgotten_once_they_ended_by_themselves(world, ada):
    world.offers(offer())
    held, now = await world.ask(ada), world.office.clock.now()
    token = RestingToken(jti="at_1", grant_id=GrantId("gnt_1"), expires_at=now + 60)
    await world.office.database.run(lambda tx: note_tokens(tx, [held.id], token))
    world.office.later(61)
    await world.desk.expire_due()
    await world.desk.end(held.id, holder=ada, context=world.context)
    assert world.recorded()[-1].tokens == 0


async def test_what_is_over_is_noted_once_and_counts_no_longer_before_that(world, ada):
    world.offers(offer())
    held = await world.ask(ada)
    world.office.later(600)
    assert not held.is_active(world.office.clock.now())
    assert await world.desk.expire_due() == 1
    assert await world.desk.expire_due() == 0
    assert world.kinds() == ["access.requested", "access.granted", "access.ended"]


# -- in an emergency


@pytest.fixture
def named(world):
    world.offers(emergency=MappingProxyType({"glass": glass()}))
    return Holder(
        kind=HolderKind.USER,
        id="usr_ada",
        tenant="acme",
        username="ada",
        acr=ACR_PHISHING_RESISTANT,
        auth_time=world.office.clock.now(),
    )


async def test_the_few_who_are_named_take_it_at_once_and_loudly(world, named):
    taken = await world.take(named)
    assert (taken.state, taken.kind) == (AccessState.ACTIVE, AccessKind.EMERGENCY)
    assert world.told == [(taken.id, "glass")]
    assert world.kinds() == ["access.granted", "emergency.taken"]
    event = world.recorded()[-1]
    assert (event.acr, event.justification) == (ACR_PHISHING_RESISTANT, '{"reason":"month end"}')
    assert [one.id for one in await world.desk.unreviewed("acme")] == [taken.id]
    assert await world.desk.unreviewed("globex") == ()


async def test_nobody_else_takes_it_nor_an_agent_nor_one_who_logged_in_too_weakly(world, named):
    bob = Holder(
        kind=HolderKind.USER,
        id="usr_bob",
        tenant="acme",
        acr=ACR_PHISHING_RESISTANT,
        username="ada",
    )
    with pytest.raises(NotFoundError):
        await world.take(bob)
    through = Holder(
        kind=HolderKind.USER,
        id="usr_ada",
        tenant="acme",
        acr=ACR_PHISHING_RESISTANT,
        agent_id=AgentId("assistant"),
    )
    with pytest.raises(NotFoundError):
        await world.take(through)
    with pytest.raises(AccessStrengthError):
        await world.take(Holder(kind=HolderKind.USER, id="usr_ada", tenant="acme"))
    with pytest.raises(UnacceptableWishError):
        await world.take(named, justification={})
    assert world.told == []


async def test_a_browser_that_was_left_open_takes_nothing(world, named):
    world.office.later(300)
    await world.take(named)
    world.office.later(1)
    with pytest.raises(AccessStrengthError) as refused:
        await world.take(named)
    assert (refused.value.acr, refused.value.max_age) == (ACR_PHISHING_RESISTANT, 300)
    assert len(world.told) == 1


async def test_its_end_is_not_its_review(world, named):
    taken = await world.take(named)
    await world.desk.end(taken.id, holder=named, context=world.context)
    assert len(await world.desk.unreviewed(None)) == 1
    reviewed = await world.review(taken.id, "bob")
    assert (reviewed.reviewed_by, reviewed.verdict) == ("usr_bob", Review.JUSTIFIED)
    assert await world.desk.unreviewed(None) == ()
    assert world.kinds()[-1] == "emergency.reviewed"


async def test_whoever_used_it_does_not_review_it(world, named):
    world.office.use_approvals(emergency=MappingProxyType({"glass": glass(reviewer="support")}))
    taken = await world.take(named)
    with pytest.raises(NotYourReviewError, match="used it"):
        await world.review(taken.id, "ada")


async def test_one_without_the_role_does_not_review_it_nor_twice_nor_elsewhere(world, named):
    taken = await world.take(named)
    with pytest.raises(NotYourReviewError, match="manager"):
        await world.review(taken.id, "dora")
    with pytest.raises(NotFoundError):
        await world.review(taken.id, "eve")
    await world.review(taken.id, "bob", Review.UNJUSTIFIED)
    with pytest.raises(AccessHeldError):
        await world.review(taken.id, "cyn")


async def test_what_the_repository_names_no_longer_stays_unreviewed(world, named):
    taken = await world.take(named)
    world.office.use_approvals(emergency=MappingProxyType({}))
    with pytest.raises(NotYourReviewError):
        await world.review(taken.id, "bob")
    assert len(await world.desk.unreviewed("acme")) == 1


async def test_a_review_that_is_late_is_told_once_more_and_then_no_more(world, named):
    taken = await world.take(named)
    world.office.later(taken.review_by - world.office.clock.now() - 1)
    await world.desk.expire_due()
    assert world.told == [(taken.id, "glass")]
    world.office.later(1)
    for _ in range(2):
        await world.desk.expire_due()
    assert world.told == [(taken.id, "glass")] * 2
    assert world.kinds().count("emergency.overdue") == 1
    event = world.recorded()[-1]
    assert (event.access, event.context.tenant) == (taken.id, "acme")
    assert (await world.review(taken.id, "bob")).verdict is Review.JUSTIFIED


async def test_what_was_reviewed_in_time_is_never_late(world, named):
    taken = await world.take(named)
    await world.review(taken.id, "bob")
    world.office.later(taken.review_by - world.office.clock.now())
    await world.desk.expire_due()
    assert "emergency.overdue" not in world.kinds()


async def test_a_review_that_the_repository_tells_nobody_of_is_late_in_the_log(world, named):
    taken = await world.take(named)
    world.office.use_approvals(emergency=MappingProxyType({}))
    world.office.later(taken.review_by - world.office.clock.now())
    await world.desk.expire_due()
    assert world.told == [(taken.id, "glass")]
    assert world.kinds()[-1] == "emergency.overdue"


async def test_a_workload_of_two_organisations_ends_only_what_it_has_in_the_one(world):
    agent = next(iter(world.office.directory.catalog.agents.values()))
    world.offers(offer(people_roles=(), agents=(agent.id,)))
    holder = Holder(kind=HolderKind.AGENT, id=agent.id, tenant=agent.tenants[0])
    held = await world.ask(holder)
    elsewhere = Holder(kind=HolderKind.AGENT, id=agent.id, tenant="globex")
    with pytest.raises(NotFoundError):
        await world.desk.end(held.id, holder=elsewhere, context=world.context)
    ended = await world.desk.end(held.id, holder=holder, context=world.context)
    assert ended.how is AccessEnd.RETURNED


async def test_an_instant_that_cannot_be_is_called_by_its_name(world, ada):
    world.offers(offer())
    for seconds in (-1, 10**6):
        with pytest.raises(UnacceptableWishError, match="`until` has to be"):
            await world.ask(ada, seconds=0, until=world.office.clock.now() + seconds)


async def test_a_ticket_is_told_where_the_offer_wants_one_told(world, ada):
    world.offers(offer(justification=("reason", "ticket")), offer(name="plain"))
    held = await world.ask(ada, ticket="FIN-204")
    assert held.justification == {"reason": "month end", "ticket": "FIN-204"}
    assert (await world.ask(ada, "plain", ticket="FIN-204")).justification == WHY


async def test_a_ticket_that_is_given_replaces_none_that_is_told_nor_a_pattern(world, ada):
    ticket = JustificationField(name="ticket", pattern="FIN-[0-9]+")
    world.offers(
        offer(justification=("ticket",)), justifications=MappingProxyType({"ticket": ticket})
    )
    with pytest.raises(UnacceptableWishError, match=r"justification\.ticket"):
        await world.ask(ada, justification={}, ticket="OPS-1")
    held = await world.ask(ada, justification={"ticket": "FIN-1"}, ticket="OPS-1")
    assert (held.justification, held.ticket) == ({"ticket": "FIN-1"}, "OPS-1")


async def test_what_is_no_emergency_is_not_reviewed(world, ada):
    world.offers(offer())
    held = await world.ask(ada)
    with pytest.raises(NotFoundError):
        await world.review(held.id, "bob")


async def test_lists_show_what_matches(world, ada):
    world.offers(offer(), offer(name="other"))
    first = await world.ask(ada)
    second = await world.ask(ada, "other")
    await world.desk.end(second.id, holder=ada, context=world.context)

    async def ids(**wanted):
        return {one.id for one in await world.desk.listed(AccessFilter(**wanted))}

    assert await ids() == {first.id, second.id}
    assert await ids(state=AccessState.ACTIVE) == {first.id}
    assert await ids(offer="other") == {second.id}
    assert await ids(tenant="globex") == set()
    assert await ids(holder="usr_bob") == set()
    assert await ids(kind=AccessKind.EMERGENCY) == set()


async def test_what_is_over_is_forgotten_after_a_while_and_what_nobody_reviewed_never(world, named):
    await world.take(named)
    world.offers(offer(), emergency=MappingProxyType({"glass": glass()}))
    asked = await world.ask(named)
    await world.desk.end(asked.id, holder=named, context=world.context)
    world.office.later(600)
    await world.desk.expire_due()
    world.office.later(KEPT + 1)
    now = world.office.clock.now()
    assert await world.office.database.run(lambda tx: forget_ended(tx, now=now)) == 1
    assert [one.offer for one in await world.desk.unreviewed(None)] == ["glass"]
