"""What is said to a caller whom policies refuse: why, and what would cure it."""

import pytest

from remit.audit.events import Decided
from remit.guard import Deny, Permit, RefusalReason

PERMIT = '@id("all") permit(principal, action in Remit::Action::"call", resource);'
HEAD = '(principal, action == Remit::Action::"crm/get_account", resource)'
WHY = "dev.remit/justification"


async def decide(world, text, **changes):
    world.use_policies(PERMIT + text)
    return await world.guard.decide(world.call(**changes))


@pytest.mark.parametrize(
    ("annotation", "reason", "needs", "said"),
    [
        ('@require_justification("reason")', "justification_needed", "reason", WHY),
        ('@step_up("5m")', "step_up_needed", "5m", "no longer than `5m` ago"),
        (
            '@step_up("urn:remit:acr:phr")',
            "step_up_needed",
            "urn:remit:acr:phr",
            "urn:remit:acr:phr",
        ),
        ('@require_approval("finance")', "approval_needed", "finance", "role `finance`"),
    ],
)
@pytest.mark.parametrize("effect", ["permit", "forbid"])
async def test_what_is_wanting_is_named_and_recorded(
    world, effect, annotation, reason, needs, said
):
    outcome = await decide(world, f'@id("x") {annotation} {effect}{HEAD};')
    assert isinstance(outcome, Deny)
    assert outcome.reason == RefusalReason(reason)
    assert said in outcome.detail
    assert [one.value for one in outcome.needs] == [needs]
    assert world.recorded.reason == reason
    assert [one["value"] for one in world.recorded.obligations] == [needs]


@pytest.mark.parametrize("effect", ["permit", "forbid"])
@pytest.mark.parametrize(
    ("annotation", "changes"),
    [
        ('@require_justification("reason")', {"justification": "INC-7"}),
        ('@step_up("5m")', {"token": {"auth_time": 0}}),
        ('@step_up("urn:remit:acr:mfa")', {"token": {"acr": "urn:remit:acr:phr"}}),
    ],
    ids=["told", "fresh", "stronger"],
)
async def test_what_is_there_is_not_asked_for(world, effect, annotation, changes):
    changes = {**changes}
    if "auth_time" in changes.get("token", {}):
        changes["token"] = {"auth_time": world.clock.now() - 300}
    outcome = await decide(world, f'@id("x") {annotation} {effect}{HEAD};', **changes)
    assert isinstance(outcome, Permit)


@pytest.mark.parametrize(
    "token",
    [{}, {"auth_time": 1}, {"acr": "urn:remit:acr:pwd"}, {"acr": "gold"}],
    ids=["nothing", "old", "weak", "unknown"],
)
@pytest.mark.parametrize("annotation", ['@step_up("5m")', '@step_up("urn:remit:acr:mfa")'])
async def test_a_log_in_that_does_not_do_is_none(world, annotation, token):
    outcome = await decide(world, f'@id("x") {annotation} forbid{HEAD};', token=token)
    assert outcome.reason is RefusalReason.STEP_UP_NEEDED


async def test_an_argument_of_that_name_says_why_as_well(world):
    text = '@id("x") @require_justification("account") forbid' + HEAD + ";"
    assert isinstance(await decide(world, text), Permit)
    refused = await decide(world, text, arguments={"account": ""})
    assert refused.reason is RefusalReason.JUSTIFICATION_NEEDED


async def test_what_nothing_cures_is_refused_for_good_whatever_cures_the_rest(world):
    text = (
        f'@id("why") @require_justification("reason") forbid{HEAD};'
        f'@id("no") @refusal("not this one") forbid{HEAD} when {{ context.arguments.account == "acc_1" }};'
    )
    refused = await decide(world, text)
    assert (refused.reason, refused.detail) == (RefusalReason.FORBIDDEN, "not this one")
    assert refused.needs == ()


async def test_several_things_are_asked_for_at_once(world):
    text = (
        f'@id("a") @refusal("risky") @require_justification("reason") @require_approval("finance") forbid{HEAD};'
        f'@id("b") @step_up("5m") forbid{HEAD};'
    )
    refused = await decide(world, text)
    assert refused.reason is RefusalReason.APPROVAL_NEEDED
    assert {one.kind.value for one in refused.needs} == {
        "require_justification", "require_approval", "step_up",
    }  # fmt: skip
    assert refused.detail.startswith("risky; ")
    told = await decide(world, text, justification="INC-7")
    assert {one.kind.value for one in told.needs} == {"require_approval", "step_up"}


async def test_a_thing_that_something_cures_stays_in_lists(world):
    world.use_policies(
        PERMIT
        + f'@id("a") @require_justification("reason") forbid{HEAD};'
        + f'@id("b") @step_up("5m") forbid{HEAD};'
        + f'@id("c") @require_approval("finance") forbid{HEAD};'
    )
    visible = await world.guard.visible(world.list())
    assert "get_account" in visible.names[next(iter(visible.names))]


async def test_a_policy_that_fails_asks_for_nothing(world):
    text = (
        f'@id("x") @require_justification("reason") forbid{HEAD}'
        " when { context.time.hour * 9223372036854775807 > 0 };"
    )
    refused = await decide(world, text)
    assert refused.reason is RefusalReason.ENGINE_ERROR
    assert refused.needs == ()
    assert len(world.audit.of(Decided)) == 1


@pytest.mark.parametrize("effect", ["permit", "forbid"])
@pytest.mark.parametrize(
    "blank",
    ["", " ", "\t\n ", "\x00\x07\x1b", "\u200b\ufeff", "\u3164\u2800", "-- ..."],
    ids=["empty", "space", "white", "control", "format", "unseen", "dots"],
)
async def test_an_argument_that_says_nothing_is_no_justification(world, effect, blank):
    text = f'@id("x") @require_justification("account") {effect}{HEAD};'
    outcome = await decide(world, text, arguments={"account": blank})
    assert outcome.reason is RefusalReason.JUSTIFICATION_NEEDED
    permit = await decide(world, text, arguments={"account": "INC-7"})
    assert isinstance(permit, Permit)


async def test_a_policy_that_demands_no_justification_reads_an_argument_as_it_is(world):
    text = f'@id("x") forbid{HEAD} when {{ context.arguments.account == " " }};'
    outcome = await decide(world, text, arguments={"account": " "})
    assert outcome.reason is RefusalReason.FORBIDDEN
