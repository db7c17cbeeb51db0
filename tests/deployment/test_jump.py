"""When a trial refuses too much: certain, compared with both, and never on a few calls."""

import random

import pytest

from remit.deployment.jump import MIN_CALLS, jump_in
from remit.deployment.trial_store import Arm, Count


def found(
    trial: tuple[int, int], beside: tuple[int, int] = (0, 0), before: tuple[int, int] = (0, 0)
):
    return {Arm.TRIAL: Count(*trial), Arm.BESIDE: Count(*beside), Arm.BEFORE: Count(*before)}


@pytest.mark.parametrize(
    ("counts", "jumps"),
    [
        (found((20, 20), (100, 0), (100, 0)), True),
        (found((19, 19), (100, 0), (100, 0)), False),
        (found((20, 3), (100, 0), (100, 0)), False),
        (found((200, 60), (500, 5), (500, 5)), True),
        (found((200, 60), (500, 150), (500, 5)), False),
        (found((200, 60), (500, 5), (500, 150)), False),
        (found((1_000, 60), (5_000, 50), (5_000, 50)), False),
        (found((10_000, 800), (50_000, 500), (50_000, 500)), True),
        (found((50, 50)), True),
        (found((50, 50), (19, 19), (19, 19)), True),
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
    assert (jump_in(counts, points=5) is not None) is jumps


def test_what_jumped_is_said_in_numbers():
    said = jump_in(found((100, 90), (100, 10)), points=5)
    assert said == (
        "90 of 100 calls refused (90%), where 10% is usual; at most 5 points more were allowed"
    )


def test_more_points_allow_more():
    counts = found((1_000, 300), (1_000, 100), (1_000, 100))
    assert jump_in(counts, points=5) is not None
    assert jump_in(counts, points=30) is None


def test_chance_alone_is_seldom_taken_for_a_jump():
    """Two hundred trials under the very same policies, looked at after every call."""
    dice = random.Random(7)
    returned = 0
    for _ in range(200):
        refused = 0
        for calls in range(1, 301):
            refused += dice.random() < 0.1
            if jump_in(found((calls, refused), (10_000, 1_000), (10_000, 1_000)), points=5):
                returned += 1
                break
    assert returned <= 4


def test_nothing_is_concluded_below_the_least():
    assert jump_in(found((MIN_CALLS - 1, MIN_CALLS - 1)), points=0) is None
