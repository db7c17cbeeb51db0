import pytest

from remit_audit_verify.clock import MAX_SKEW, Clock, epoch_ms, written_ms

HOUR = 3_600_000


@pytest.mark.parametrize("ms", [0, 1, 1_700_000_000_123, 253_402_300_799_999])
def test_a_time_is_read_as_it_is_written(ms):
    assert epoch_ms(written_ms(ms)) == ms


@pytest.mark.parametrize(
    "text",
    ["", "2026-01-05", "2026-01-05T15:00:00Z", "2026-13-05T15:00:00.000Z", "9999-99-99T99:99:99.999Z"],
)  # fmt: skip
def test_what_is_no_time_is_none(text):
    assert epoch_ms(text) is None


def test_a_step_back_is_explained_by_the_jump_that_the_log_tells_of_before_or_after():
    for order in ("before", "after"):
        clock = Clock()
        clock.record(0, written_ms(10 * HOUR))
        if order == "before":
            clock.jumped(-HOUR)
        assert clock.record(1, written_ms(9 * HOUR)) is None
        if order == "after":
            assert clock.steps == [(1, HOUR)]
            clock.jumped(-HOUR)
        assert clock.steps == []
        assert not clock.jumps


def test_a_jump_explains_one_step_and_no_longer_one():
    clock = Clock()
    clock.record(0, written_ms(10 * HOUR))
    clock.jumped(-60_000)
    clock.record(1, written_ms(8 * HOUR))
    clock.jumped(60_000)
    assert clock.steps == [(1, 2 * HOUR)]


def test_nothing_after_what_a_witness_saw_may_be_older_than_clocks_differ():
    clock = Clock()
    clock.witnessed(10_000)
    assert clock.record(0, written_ms((10_000 - MAX_SKEW) * 1_000)) is None
    assert "after a witness had seen" in str(
        clock.record(1, written_ms((10_000 - MAX_SKEW) * 1_000 - 1))
    )
    assert not clock.fits(written_ms(0))


def test_jumps_that_nothing_shows_do_not_pile_up():
    """Each step is held against each of them: a log could else be made that takes for ever."""
    clock = Clock()
    for _ in range(10_000):
        clock.jumped(-1)
    assert len(clock.jumps) < 100
