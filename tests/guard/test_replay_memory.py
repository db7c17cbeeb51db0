"""Which proofs were seen: none is forgotten while it could come again."""

import pytest

from remit.guard.replay_memory import ReplayMemory, ReplayMemoryFullError


def test_a_proof_is_admitted_once():
    memory = ReplayMemory()
    assert memory.admits("a", window=7)
    assert not memory.admits("a", window=7)
    assert memory.admits("b", window=7)


def test_it_is_remembered_through_the_next_window_and_then_its_room_is_free():
    memory = ReplayMemory()
    memory.admits("a", window=7)
    memory.admits("b", window=8)
    assert not memory.admits("a", window=7)
    memory.admits("c", window=9)
    assert len(memory) == 2


def test_a_clock_that_was_set_back_makes_nothing_new_of_what_was_seen():
    memory = ReplayMemory()
    memory.admits("a", window=7)
    memory.admits("b", window=9)
    assert not memory.admits("a", window=7)
    assert not memory.admits("never seen", window=7)
    assert memory.admits("c", window=8)


def test_when_it_is_full_what_is_new_is_refused_and_nothing_is_forgotten():
    memory = ReplayMemory(capacity=2)
    memory.admits("a", window=7)
    memory.admits("b", window=8)
    with pytest.raises(ReplayMemoryFullError):
        memory.admits("c", window=8)
    assert not memory.admits("a", window=7)
    assert memory.admits("c", window=9)  # the room of window 7
