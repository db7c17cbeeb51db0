"""A signer that is lost is told of once, asked less and less, and holds the log when it stays away."""

import pytest

from remit.audit.attestation import Attestation
from remit.audit.events import SignerLost, SignerRecovered
from remit.audit.signing import LogSetBackError, SignerUnavailableError
from remit.clock import SystemClock


class Stream:
    """Grows when told; its signer can be away, and its disk full."""

    def __init__(self):
        self.size = 1
        self.checkpointed = 1
        self.asked = 0
        self.fault = None

    def checkpoint(self):
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        self.checkpointed = self.size


@pytest.fixture
def stream():
    return Stream()


@pytest.fixture
def attestation(stream, clock):
    return Attestation(stream, clock, 60.0)


LOST = SignerUnavailableError("the signer does not answer")


def test_growth_is_due_after_an_interval_and_no_growth_never_is(attestation, stream, clock):
    clock.advance(10)
    assert not attestation.is_due()
    stream.size = 2
    assert attestation.is_due()
    attestation.sign()
    stream.size = 3
    assert not attestation.is_due()
    clock.advance(1)
    assert attestation.is_due()


def test_a_lost_signer_is_told_of_once_and_once_that_it_is_back(attestation, stream, clock):
    stream.size, stream.fault = 5, LOST
    attestation.sign()
    assert attestation.news() == SignerLost(unsigned=4, error="the signer does not answer")
    clock.advance(7)
    attestation.sign()
    assert attestation.news() is None
    assert attestation.unsigned_for() == 7
    stream.fault = None
    attestation.sign()
    assert attestation.news() == SignerRecovered(seconds=7)
    assert attestation.news() is None
    assert attestation.unsigned_for() == 0


def test_it_is_asked_less_and_less_but_never_less_than_every_ten_seconds(
    attestation, stream, clock
):
    stream.size, stream.fault = 2, LOST
    for _ in range(60):
        clock.advance(1)
        if attestation.is_due():
            attestation.sign()
    assert stream.asked == 8  # after 1, 3, 7, 15, 25, 35, 45 and 55 seconds


def test_the_log_is_overdue_beyond_the_limit_and_no_longer_once_it_is_signed(
    attestation, stream, clock
):
    stream.size, stream.fault = 2, LOST
    attestation.sign()
    clock.advance(60)
    assert not attestation.is_overdue()
    clock.advance(1)
    assert attestation.is_overdue()
    stream.fault = None
    attestation.sign()
    assert not attestation.is_overdue()


def test_a_disk_that_refuses_the_checkpoint_is_no_lost_signer(attestation, stream):
    stream.size, stream.fault = 2, OSError(28, "No space left on device")
    answer = attestation.sign()
    assert isinstance(answer, OSError)
    assert attestation.news() is None
    assert attestation.unsigned_for() == 0


def test_without_a_limit_it_is_never_overdue(stream, clock):
    attestation = Attestation(stream, clock)
    stream.size, stream.fault = 2, LOST
    attestation.sign()
    clock.advance(10**6)
    assert not attestation.is_overdue()


class SlowStream:
    """Signs when it has been asked so often."""

    def __init__(self, refusals: int, error: Exception) -> None:
        self.refusals = refusals
        self.error = error
        self.size, self.checkpointed = 2, 1

    def checkpoint(self) -> None:
        if self.refusals:
            self.refusals -= 1
            raise self.error
        self.checkpointed = self.size


def test_the_last_checkpoint_is_waited_for():
    stream = SlowStream(3, SignerUnavailableError("not answered yet"))
    Attestation(stream, SystemClock()).sign_last()
    assert stream.checkpointed == 2


def test_a_log_that_was_set_back_is_not_waited_for():
    stream = SlowStream(3, LogSetBackError("set back"))
    with pytest.raises(LogSetBackError):
        Attestation(stream, SystemClock()).sign_last()
    assert stream.refusals == 2


def test_nobody_waits_for_ever_for_the_last_checkpoint():
    class Later(SystemClock):
        now = 0.0

        def monotonic(self) -> float:
            self.now += 3.0
            return self.now

    stream = SlowStream(99, SignerUnavailableError("gone"))
    with pytest.raises(SignerUnavailableError):
        Attestation(stream, Later()).sign_last()
    assert stream.checkpointed == 1
