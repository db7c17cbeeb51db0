"""A call that policies refuse and people may allow: asked about, found, decided again, spent once."""

import asyncio
from dataclasses import replace

import pytest

from remit.audit.events import Decided
from remit.clock import EpochSeconds
from remit.guard import Deny, GuardSettings, Permit, RefusalReason
from remit.guard.call import Earlier
from remit.guard.definitions import Definitions
from remit.guard.elevations import (
    NO_ELEVATIONS,
    Asked,
    AskedState,
    Elevated,
    ElevationsUnavailableError,
    elevated_in,
)
from remit.guard.records import elevation_json
from remit.ids import ScopeName
from remit.policy.evaluation import ResourceKind
from remit.testing.catalog import CRM
from tests.guard.conftest import URL

PERMIT = '@id("all") permit(principal, action in Remit::Action::"call", resource);'
HEAD = '(principal, action == Remit::Action::"crm/get_account", resource)'
PHR = "urn:remit:acr:phr"
CONFIRM = f'@id("sure") @confirm("{PHR}") forbid{HEAD};'
MANAGER = f'@id("boss") @require_approval("finance") forbid{HEAD};'


class People:
    """What people said, in memory; keeps all that it was asked."""

    def __init__(self) -> None:
        self.elevated: Elevated | None = None
        self.spent_for: str | None = None
        self.found_for = []
        self.asked_about = []
        self.nobody = False
        self.failing: frozenset[str] = frozenset()

    async def found(self, wanted):
        self.found_for.append(wanted)
        await asyncio.sleep(0)
        if "found" in self.failing:
            raise ElevationsUnavailableError("the store is away")
        if wanted.task_of is not None:
            return self.elevated if self.spent_for == wanted.task_of else None
        free = self.spent_for in {None, wanted.earlier}
        return self.elevated if free else None

    async def spend(self, elevated, wanted):
        await asyncio.sleep(0)
        if "spend" in self.failing:
            raise ElevationsUnavailableError("the store is away")
        if self.spent_for not in {None, wanted.earlier}:
            return False
        self.spent_for = wanted.decision_id
        return True

    async def ask(self, wanted):
        self.asked_about.append(wanted)
        if "ask" in self.failing:
            raise ElevationsUnavailableError("the store is away")
        if self.nobody:
            return None
        return Asked(
            id="apr_1",
            state=AskedState.WAITING,
            url=f"{URL}/approvals/apr_1",
            expires_at=wanted.at + 600,
            alone=True,
        )


@pytest.fixture
def people() -> People:
    return People()


@pytest.fixture
def guard(world, people):
    settings = GuardSettings(public_url=URL, elevations=people)
    return world.new_guard(settings=settings)


def elevated(world, **facts) -> Elevated:
    return Elevated(id="elv_1", grant_id="gnt_elv", **facts)


def confirmed(world, **facts) -> Elevated:
    return elevated(world, acr=PHR, confirmed_at=world.clock.now(), **facts)


async def test_a_call_that_somebody_has_to_confirm_says_where(world, guard, people):
    world.use_policies(PERMIT + CONFIRM)
    refused = await guard.decide(world.call())
    assert isinstance(refused, Deny)
    assert refused.reason is RefusalReason.CONFIRMATION_NEEDED
    assert refused.asked.url == f"{URL}/approvals/apr_1"
    assert [(one.kind.value, one.value) for one in refused.needs] == [("confirm", PHR)]
    (wanted,) = people.asked_about
    assert wanted.thing == (CRM, ResourceKind.TOOL, "get_account")
    assert wanted.arguments == {"account": "acc_1"}
    assert wanted.decision_id == refused.decision_id
    assert world.recorded.approval == "apr_1"
    assert world.recorded.outcome == "deny"


async def test_the_definition_that_was_admitted_is_part_of_what_is_asked(world, guard, people):
    world.use_policies(PERMIT + CONFIRM)
    thing = (CRM, ResourceKind.TOOL, "get_account")
    world.directory.definitions = Definitions(digests={thing: "sha256:abc"})
    await guard.decide(world.call())
    assert people.asked_about[0].definition == "sha256:abc"


async def test_what_was_confirmed_passes_once_and_is_recorded(world, guard, people):
    world.use_policies(PERMIT + CONFIRM)
    people.elevated = confirmed(world)
    permit = await guard.decide(world.call())
    assert isinstance(permit, Permit)
    assert permit.elevated is people.elevated
    assert people.spent_for == permit.decision_id
    assert world.recorded.elevation == elevation_json(people.elevated)
    assert world.recorded.outcome == "allow"
    again = await guard.decide(world.call())
    assert again.reason is RefusalReason.CONFIRMATION_NEEDED
    assert again.asked is not None


async def test_of_calls_at_the_same_time_one_passes(world, guard, people):
    world.use_policies(PERMIT + CONFIRM)
    people.elevated = confirmed(world)
    outcomes = await asyncio.gather(*(guard.decide(world.call()) for _ in range(8)))
    passed = [one for one in outcomes if isinstance(one, Permit)]
    assert len(passed) == 1
    refused = [one for one in outcomes if isinstance(one, Deny)]
    assert {one.reason for one in refused} == {RefusalReason.CONFIRMATION_NEEDED}
    assert all(one.asked is not None for one in refused)


async def test_policies_decide_again_and_not_the_approval(world, guard, people):
    """What was approved and is forbidden for another reason by now stays forbidden, and nothing is spent."""
    world.use_policies(
        PERMIT + CONFIRM + f'@id("no") @refusal("not today") forbid{HEAD} '
        "when { context.elevation has acr };"
    )
    people.elevated = confirmed(world)
    refused = await guard.decide(world.call())
    assert (refused.reason, refused.detail) == (RefusalReason.FORBIDDEN, "not today")
    assert people.spent_for is None
    assert people.asked_about == []
    assert world.recorded.elevation["id"] == "elv_1"


async def test_what_does_not_suffice_is_asked_about_on_top(world, guard, people):
    world.use_policies(PERMIT + CONFIRM + MANAGER)
    people.elevated = confirmed(world)
    refused = await guard.decide(world.call())
    assert refused.reason is RefusalReason.APPROVAL_NEEDED
    (wanted,) = people.asked_about
    assert wanted.held is people.elevated
    assert [one.value for one in wanted.needs] == ["finance"]
    assert people.spent_for is None


@pytest.mark.parametrize(
    ("said", "passes"),
    [
        ({"roles": ("finance",)}, True),
        ({"roles": ("support",)}, False),
        ({"scopes": ("finance",)}, False),
        ({"acr": PHR}, False),
    ],
    ids=["the role", "another role", "a scope of that name", "a confirmation"],
)
async def test_an_approval_is_of_the_role_that_the_policy_names(world, guard, people, said, passes):
    world.use_policies(PERMIT + MANAGER)
    people.elevated = elevated(world, **said)
    outcome = await guard.decide(world.call())
    assert isinstance(outcome, Permit) is passes


@pytest.mark.parametrize(
    ("policy", "said", "reason"),
    [
        (f'@id("x") @require_scope("crm:big") forbid{HEAD};', {"scopes": (ScopeName("crm:big"),)}, "elevation_needed"),
        (f'@id("x") @step_up("5m") forbid{HEAD};', {"acr": PHR, "confirmed_at": 0}, "step_up_needed"),
        (f'@id("x") @step_up("{PHR}") forbid{HEAD};', {"acr": PHR}, "step_up_needed"),
    ],
    ids=["a scope", "lately", "strongly"],
)  # fmt: skip
async def test_other_cures_are_asked_for_and_met_alike(world, guard, people, policy, said, reason):
    world.use_policies(PERMIT + policy)
    refused = await guard.decide(world.call())
    assert (refused.reason.value, refused.asked.id) == (reason, "apr_1")
    if "confirmed_at" in said:
        said = {**said, "confirmed_at": world.clock.now() - 300}
    people.elevated = elevated(world, **said)
    assert isinstance(await guard.decide(world.call()), Permit)


async def test_a_confirmation_that_is_too_old_is_none(world, guard, people):
    world.use_policies(PERMIT + f'@id("x") @step_up("5m") forbid{HEAD};')
    people.elevated = elevated(world, acr=PHR, confirmed_at=world.clock.now() - 301)
    refused = await guard.decide(world.call())
    assert refused.reason is RefusalReason.STEP_UP_NEEDED
    assert people.spent_for is None


async def test_who_has_not_said_why_is_told_all_that_is_wanting_and_nobody_is_asked(
    world, guard, people
):
    world.use_policies(
        PERMIT + CONFIRM + f'@id("why") @require_justification("reason") forbid{HEAD};'
    )
    refused = await guard.decide(world.call())
    assert {one.kind.value for one in refused.needs} == {"confirm", "require_justification"}
    assert refused.asked is None
    assert people.asked_about == []
    told = await guard.decide(world.call(justification="INC-7"))
    assert told.reason is RefusalReason.CONFIRMATION_NEEDED
    assert people.asked_about[0].justification == "INC-7"


async def test_nobody_is_asked_about_what_nothing_cures(world, guard, people):
    world.use_policies(
        PERMIT
        + CONFIRM
        + f'@id("no") forbid{HEAD} when {{ context.arguments.account == "acc_1" }};'
    )
    refused = await guard.decide(world.call())
    assert refused.reason is RefusalReason.FORBIDDEN
    assert (people.found_for, people.asked_about) == ([], [])


async def test_nobody_is_asked_about_a_thing_that_the_caller_may_not_know_of(world, guard, people):
    world.use_policies(
        '@id("some") permit(principal, action in Remit::Action::"call", resource) when { principal.roles.contains("nobody") };'
        + CONFIRM
    )
    refused = await guard.decide(world.call())
    assert refused.asked is None
    assert people.asked_about == []


async def test_nobody_is_asked_where_the_organisation_observes(world, guard, people):
    catalog = world.directory.catalog
    server = replace(catalog.servers[CRM], mode="observe")
    world.directory.catalog = replace(catalog, servers={**catalog.servers, CRM: server})
    world.use_policies(PERMIT + CONFIRM)
    outcome = await guard.decide(world.call())
    assert isinstance(outcome, Permit)
    assert (people.found_for, people.asked_about) == ([], [])


async def test_a_plain_call_asks_nobody_anything(world, guard, people):
    assert isinstance(await guard.decide(world.call()), Permit)
    assert (people.found_for, people.asked_about) == ([], [])


async def test_where_nobody_could_meet_it_the_refusal_is_plain(world, guard, people):
    people.nobody = True
    world.use_policies(PERMIT + CONFIRM)
    refused = await guard.decide(world.call())
    assert (refused.reason, refused.asked) == (RefusalReason.CONFIRMATION_NEEDED, None)
    assert world.recorded.approval is None


@pytest.mark.parametrize("what", ["found", "ask"])
async def test_where_it_cannot_be_told_the_refusal_stands(world, guard, people, what):
    people.failing = frozenset({what})
    people.elevated = None
    world.use_policies(PERMIT + CONFIRM)
    refused = await guard.decide(world.call())
    assert (refused.reason, refused.asked) == (RefusalReason.CONFIRMATION_NEEDED, None)


async def test_what_may_have_been_spent_admits_nothing(world, guard, people):
    people.failing = frozenset({"spend"})
    people.elevated = confirmed(world)
    world.use_policies(PERMIT + CONFIRM)
    refused = await guard.decide(world.call())
    assert isinstance(refused, Deny)
    assert refused.reason is RefusalReason.ENGINE_ERROR


async def test_what_was_spent_is_gone_where_the_permit_cannot_be_recorded(world, guard, people):
    people.elevated = confirmed(world)
    world.use_policies(PERMIT + CONFIRM)
    world.audit.failing = True
    refused = await guard.decide(world.call())
    assert refused.reason is RefusalReason.AUDIT_UNAVAILABLE
    world.audit.failing = False
    assert (await guard.decide(world.call())).reason is RefusalReason.CONFIRMATION_NEEDED


async def test_who_is_stopped_while_people_are_looked_for_is_refused(world, guard, people):
    world.use_policies(PERMIT + CONFIRM)
    people.elevated = confirmed(world)
    looked = people.found

    async def found(wanted):
        world.stand(revoked_grants=frozenset({"gnt_1"}))
        return await looked(wanted)

    people.found = found
    refused = await guard.decide(world.call())
    assert refused.reason is RefusalReason.INVALID_TOKEN
    assert people.spent_for is None


async def test_a_retry_that_the_server_asked_for_spends_the_same_once(world, guard, people):
    world.use_policies(PERMIT + CONFIRM)
    people.elevated = confirmed(world)
    first = await guard.decide(world.call())
    retry = world.call(earlier=Earlier(first.decision_id, world.clock.now()))
    second = await guard.decide(retry)
    assert isinstance(second, Permit)
    assert people.spent_for == second.decision_id
    assert (await guard.decide(retry)).reason is RefusalReason.CONFIRMATION_NEEDED
    stranger = world.call(earlier=Earlier("dec_other", world.clock.now()))
    assert (await guard.decide(stranger)).reason is RefusalReason.CONFIRMATION_NEEDED


async def test_a_use_of_a_task_rests_on_what_was_spent_when_it_began(world, guard, people):
    world.use_policies(PERMIT + CONFIRM)
    people.elevated = confirmed(world)
    first = await guard.decide(world.call())
    for _ in range(2):
        assert isinstance(await guard.decide(world.call(task_of=first.decision_id)), Permit)
    assert people.spent_for == first.decision_id
    refused = await guard.decide(world.call(task_of="dec_other"))
    assert refused.reason is RefusalReason.CONFIRMATION_NEEDED
    assert refused.asked is None


async def test_without_anybody_to_ask_the_refusal_is_what_it_was(world):
    world.use_policies(PERMIT + CONFIRM)
    refused = await world.guard.decide(world.call())
    assert (refused.reason, refused.asked) == (RefusalReason.CONFIRMATION_NEEDED, None)
    assert await NO_ELEVATIONS.spend(confirmed(world), None) is False
    assert [one.approval for one in world.audit.of(Decided)] == [None]


@pytest.mark.parametrize(
    "method", ["completion/complete", "resources/subscribe", "subscriptions/listen"]
)
async def test_what_is_no_use_of_the_thing_asks_nobody_and_spends_nothing(
    world, guard, people, method
):
    world.use_policies(PERMIT + CONFIRM)
    looked = await guard.decide(world.call(method=method))
    assert (looked.reason, looked.asked) == (RefusalReason.CONFIRMATION_NEEDED, None)
    people.elevated = confirmed(world)
    looked = await guard.decide(world.call(method=method))
    assert looked.reason is RefusalReason.CONFIRMATION_NEEDED
    assert people.spent_for is None


@pytest.mark.parametrize(
    "elevated",
    [
        Elevated(id="elv_1", grant_id="gnt_1"),
        Elevated(
            id="elv_2",
            grant_id="gnt_2",
            roles=("manager",),
            acr="urn:remit:acr:phr",
            confirmed_at=EpochSeconds(5),
            scopes=(ScopeName("crm:accounts.read"),),
        ),
    ],
)
def test_a_record_says_what_was_found(elevated):
    assert elevated_in(elevation_json(elevated)) == replace(elevated, grant_id="")


def test_a_record_of_a_call_that_rested_on_nothing_says_nothing():
    assert elevated_in({}) is None


@pytest.mark.parametrize("changed", [{"roles": None}, {"confirmed_at": "soon"}, {"scopes": 7}])
def test_a_record_that_is_none_is_not_guessed_at(changed):
    recorded = {**elevation_json(Elevated(id="elv_1", grant_id="gnt_1")), **changed}
    with pytest.raises((TypeError, ValueError)):
        elevated_in(recorded)
