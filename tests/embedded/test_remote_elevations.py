"""A guard inside a server has nobody to ask, and asks whoever has; what it is not told was not said."""

import asyncio
from dataclasses import replace

import pytest

from remit.api.guards import ElevationAnswers
from remit.api.guards.elevations import BadWishError
from remit.embedded.remit_door import RemitUnavailableError
from remit.embedded.remote_elevations import RemoteElevations
from remit.guard import Deny, GuardSettings, Permit, RefusalReason
from remit.guard.elevations import ElevationsUnavailableError
from remit.testing.catalog import CRM, PAYMENTS
from tests.guard.conftest import URL, World
from tests.guard.people import PAGE, People

ASKING = """
@id("everyone") permit(principal, action in Remit::Action::"call", resource);
@id("large") @confirm("urn:remit:acr:phr") @refusal("a refund above 500 is confirmed")
forbid(principal, action == Remit::Action::"payments/refund", resource)
when { context.arguments.amount.value.greaterThan(decimal("500.0")) };
@id("papers") @require_approval("finance")
forbid(principal, action in Remit::Action::"server/crm", resource);
"""


class Door:
    """Remit's own answers, without a wire; `away` and `says` are what else may come."""

    def __init__(self, world, people):
        self.answers = ElevationAnswers(
            directory=world.directory,
            verifier=world.verifier,
            elevations=people,
            clock=world.clock,
            public_url=URL,
            max_age=10,
        )
        self.world, self.away, self.says, self.asked = world, frozenset(), {}, []

    async def elevations(self, question):
        self.asked.append(question)
        if question["do"] in self.away:
            raise RemitUnavailableError("remit cannot be reached")
        if question["do"] in self.says:
            return self.says[question["do"]]
        server = PAYMENTS if question["name"] == "refund" else CRM
        try:
            return await self.answers.answer(self.world.directory.catalog.servers[server], question)
        except (BadWishError, ElevationsUnavailableError) as error:
            raise RemitUnavailableError("remit refused", status=400, cause=error) from error


@pytest.fixture
def people():
    return People()


@pytest.fixture
def world(clock):
    found = World(clock)
    found.use_policies(ASKING)
    return found


@pytest.fixture
def door(world, people):
    found = Door(world, people)
    settings = GuardSettings(public_url=URL, elevations=RemoteElevations(found))
    world.guard = world.new_guard(settings=settings)
    return found


CONFIRMED = {"acr": "urn:remit:acr:phr", "confirmed_at": 0}


async def test_a_refused_call_is_put_to_people_and_admitted_once(world, door, people):
    asked = await world.guard.decide(world.refund("600.00"))
    assert isinstance(asked, Deny)
    assert asked.reason is RefusalReason.CONFIRMATION_NEEDED
    assert (asked.asked.id, asked.asked.url) == ("apr_1", f"{PAGE}apr_1")
    people.say_yes(**CONFIRMED)
    permit = await world.guard.decide(world.refund("600.00"))
    assert isinstance(permit, Permit)
    assert permit.elevated.id == "elv_1"
    again = await world.guard.decide(world.refund("600.00"))
    assert isinstance(again, Deny)
    assert [one["do"] for one in door.asked] == ["find", "ask", "find", "spend", "find", "ask"]


async def test_another_amount_person_agent_or_grant_is_another_call(world, door, people):
    await world.guard.decide(world.refund("600.00"))
    people.say_yes(**CONFIRMED)
    others = [
        world.refund("600.01"),
        world.refund("600.00", token={"sub": "usr_2"}),
        world.refund("600.00", token={"client_id": "cli_2"}),
        world.refund("600.00", token={"grant_id": "gnt_2"}),
    ]
    for call in others:
        assert isinstance(await world.guard.decide(call), Deny)
    assert isinstance(await world.guard.decide(world.refund("600.00")), Permit)


async def test_what_remit_is_told_it_finds_out_by_the_token_and_its_own_catalog(
    world, door, people
):
    denied = await world.guard.decide(world.refund("600.00"))
    what, wanted = people.wishes[-1]
    assert what == "ask"
    assert wanted.decision_id == f"payments:{denied.decision_id}"
    assert wanted.token == world.token(PAYMENTS)
    assert [one.value for one in wanted.needs] == ["urn:remit:acr:phr"]
    assert str(wanted.typed["amount"].value) == "600.00"
    assert "authorization" not in str(door.asked[-1])


async def test_of_a_template_the_address_says_which_is_meant(world, door, people):
    assert isinstance(await world.guard.decide(world.read("crm://accounts/acc_1")), Deny)
    assert isinstance(await world.guard.decide(world.read("crm://accounts/acc_2")), Deny)
    people.say_yes(2, roles=("finance",))
    assert isinstance(await world.guard.decide(world.read("crm://accounts/acc_1")), Deny)
    assert isinstance(await world.guard.decide(world.read("crm://accounts/acc_2")), Permit)


async def test_of_two_at_once_one_is_admitted(world, door, people):
    await world.guard.decide(world.refund("600.00"))
    people.say_yes(**CONFIRMED)
    verdicts = await asyncio.gather(*(world.guard.decide(world.refund("600.00")) for _ in range(5)))
    assert sum(isinstance(one, Permit) for one in verdicts) == 1


async def test_what_does_not_suffice_is_asked_on_top_of(world, door, people):
    await world.guard.decide(world.refund("600.00"))
    people.say_yes(acr="urn:remit:acr:mfa", confirmed_at=0)
    denied = await world.guard.decide(world.refund("600.00"))
    assert isinstance(denied, Deny)
    assert door.asked[-1]["elevation"] == "elv_1"
    assert people.wishes[-1][1].held.acr == "urn:remit:acr:mfa"


async def test_what_nobody_forbids_is_decided_without_remit(world, door):
    door.away = {"find", "spend", "ask"}
    assert isinstance(await world.guard.decide(world.refund("10.00")), Permit)
    assert door.asked == []


@pytest.mark.parametrize("away", ["find", "spend", "ask"])
async def test_without_remit_nothing_is_found_spent_or_asked(world, door, people, away):
    await world.guard.decide(world.refund("600.00"))
    if away != "ask":
        people.say_yes(**CONFIRMED)
    door.away = {away}
    denied = await world.guard.decide(world.refund("600.00"))
    assert isinstance(denied, Deny)
    assert denied.reason in {RefusalReason.CONFIRMATION_NEEDED, RefusalReason.ENGINE_ERROR}
    assert denied.asked is None


ELEVATED = {"$": "Elevated", "id": "elv_1", "grant_id": "gnt_1"}
ASKED = {
    "$": "Asked", "id": "apr_1", "state": "waiting", "url": f"{PAGE}apr_1", "expires_at": 1,
    "alone": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("find", {}),
        ("find", {"elevation": True}),
        ("find", {"elevation": {}}),
        ("find", {"elevation": {**ELEVATED, "unknown": 1}}),
        ("find", {"elevation": {**ELEVATED, "roles": "finance"}}),
        ("spend", {}),
        ("spend", {"spent": 1}),
        ("spend", {"spent": "true"}),
        ("spend", {"spent": None}),
        ("ask", {}),
        ("ask", {"asked": {}}),
        ("ask", {"asked": {**ASKED, "state": "approved"}}),
        ("ask", {"asked": {**ASKED, "url": "javascript:alert(1)//approvals/apr_1"}}),
        ("ask", {"asked": {**ASKED, "url": f"{PAGE}apr_2"}}),
        ("ask", {"asked": {**ASKED, "url": "https:///approvals/apr_1"}}),
        ("ask", {"asked": {**ASKED, "url": f"{PAGE}\u202eapr_1"}}),
    ],
    ids=str,
)
async def test_what_is_no_answer_to_the_question_is_a_refusal(world, door, people, what, says):
    if what == "spend":
        await world.guard.decide(world.refund("600.00"))
        people.say_yes(**CONFIRMED)
    door.says = {what: says}
    denied = await world.guard.decide(world.refund("600.00"))
    assert isinstance(denied, Deny)
    assert denied.asked is None


async def test_where_nobody_could_be_asked_nobody_was(world, door):
    door.says = {"ask": {"asked": None}}
    denied = await world.guard.decide(world.refund("600.00"))
    assert isinstance(denied, Deny)
    assert denied.asked is None


async def test_a_token_that_does_not_stand_any_more_asks_nobody(world, door, people):
    world.clock.advance(1)
    here = world.directory
    elsewhere = type(here)(
        here.catalog, replace(here.standing, revoked_grants=frozenset({"gnt_1"}))
    )
    door.answers = replace(door.answers, directory=elsewhere)
    denied = await world.guard.decide(world.refund("600.00"))
    assert isinstance(denied, Deny)
    assert denied.asked is None
    assert people.wishes == []
