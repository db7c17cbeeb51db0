"""When a trial refuses too much: certain, compared with both, never on a few calls, and never by one agent alone."""

import random

import pytest

from remit.deployment.jump import MAX_OF_ONE, MIN_CALLS, look_at
from remit.deployment.trial_store import Arm, Count
from remit.ids import AgentId

NOBODY = (0, 0)


def agents(calls: int, refused: int, *, count: int = 0, name: str = "agent"):
    """So many calls, by as many agents as are heard whole, each refused alike."""
    count = count or max(1, min(calls, 3), -(-calls // MAX_OF_ONE))
    return {
        AgentId(f"{name}-{number}"): Count(
            calls // count + (number < calls % count), refused // count + (number < refused % count)
        )
        for number in range(count)
        if calls
    }


def found(
    trial: tuple[int, int], beside: tuple[int, int] = NOBODY, before: tuple[int, int] = NOBODY
):
    return {
        Arm.TRIAL: agents(*trial),
        Arm.BESIDE: agents(*beside, name="other"),
        Arm.BEFORE: agents(*before),
    }


def jump_in(counts, *, points: int) -> str:
    return look_at(counts, points=points).jump


@pytest.mark.parametrize(
    ("counts", "jumps"),
    [
        (found((30, 30), (100, 0), (100, 0)), True),
        (found((19, 19), (100, 0), (100, 0)), False),
        (found((20, 3), (100, 0), (100, 0)), False),
        (found((200, 60), (500, 5), (500, 5)), True),
        (found((200, 60), (500, 150), (500, 5)), False),
        (found((200, 60), (500, 5), (500, 150)), False),
        (found((1_000, 60), (5_000, 50), (5_000, 50)), False),
        (found((10_000, 800), (50_000, 500), (50_000, 500)), True),
        (found((60, 60)), True),
        (found((60, 60), (19, 19), (19, 19)), True),
        (found((50, 0)), False),
        ({}, False),
    ],
    ids=[
        "everything is refused", "too few calls", "chance", "a jump", "the others are refused as often",
        "they were before", "within the points", "a small jump, surely", "nothing to compare with",
        "too few to compare with", "nothing refused", "nothing counted",
    ],
)  # fmt: skip
def test_a_trial_jumps(counts, jumps):
    assert bool(jump_in(counts, points=5)) is jumps


def test_what_jumped_is_said_in_numbers():
    said = jump_in(found((100, 90), (100, 10)), points=5)
    assert said == (
        "90 of 100 calls refused to 3 agents (90%), where 9% is usual; "
        "at most 5 points more were allowed"
    )


def test_more_points_allow_more():
    counts = found((1_000, 300), (1_000, 100), (1_000, 100))
    assert jump_in(counts, points=5)
    assert not jump_in(counts, points=30)


def test_chance_alone_is_seldom_taken_for_a_jump():
    """A hundred trials under the very same policies, looked at after every call, of twelve agents."""
    dice, names = random.Random(7), [AgentId(f"agent-{number}") for number in range(12)]
    usual = agents(5_000, 500, name="other")
    returned = 0
    for _ in range(100):
        calls = dict.fromkeys(names, Count())
        for number in range(240):
            was = calls[names[number % 12]]
            refused = was.refused + (dice.random() < 0.1)
            calls[names[number % 12]] = Count(was.calls + 1, refused)
            if jump_in({Arm.TRIAL: calls, Arm.BESIDE: usual}, points=5):
                returned += 1
                break
    assert returned <= 2


def test_nothing_is_concluded_below_the_least():
    finding = look_at(found((MIN_CALLS - 1, MIN_CALLS - 1)), points=0)
    assert (finding.jump, finding.one_agent, finding.is_tried) == ("", "", False)
    assert look_at(found((MIN_CALLS, 0)), points=0).is_tried
    assert not look_at({}, points=0).is_tried


def test_an_agent_that_calls_without_end_counts_no_more_than_another():
    """Thirty agents that nothing is refused, and one that is refused ten thousand times."""
    calm = agents(600, 0, count=30)
    noisy = {AgentId("noisy"): Count(10_000, 10_000)}
    finding = look_at({Arm.TRIAL: calm | noisy, Arm.BEFORE: calm}, points=5)
    assert finding.jump == ""


def test_one_agent_neither_returns_a_trial_nor_has_what_it_meets_waved_through():
    quiet = agents(10, 0, count=5)
    noisy = {AgentId("noisy"): Count(40, 40)}
    finding = look_at({Arm.TRIAL: quiet | noisy, Arm.BEFORE: quiet}, points=5)
    assert (finding.jump, finding.is_tried) == ("", True)
    assert "without one agent it would be no jump" in finding.one_agent


def test_an_agent_beside_the_trial_does_not_raise_what_is_usual():
    """It asks for what it may not have, to have a bundle that refuses everybody pass for usual."""
    refused = agents(200, 80, count=10)
    beside = agents(60, 0, count=3, name="other")
    shouting = {AgentId("shouting"): Count(100_000, 100_000)}
    for others in (shouting, beside | shouting):
        assert look_at({Arm.TRIAL: refused, Arm.BESIDE: others}, points=5).jump


def test_where_there_is_but_one_agent_its_calls_decide():
    alone = {AgentId("alone"): Count(20, 20)}
    before = {AgentId("alone"): Count(100, 0)}
    assert look_at({Arm.TRIAL: alone, Arm.BEFORE: before}, points=5).jump
    as_ever = {AgentId("alone"): Count(100, 100)}
    assert not look_at({Arm.TRIAL: alone, Arm.BEFORE: as_ever}, points=5).jump
