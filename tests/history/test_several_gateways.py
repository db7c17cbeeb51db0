"""Gateways in processes of their own, on one database: what one counted the other is told of, also when it was killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from remit.guard import Deny, Permit

from .conftest import AT_MOST
from .other_gateway import PEOPLE

ROOT = Path(__file__).resolve().parents[2]


class Gateway:
    """One process of `other_gateway`, ready to go."""

    def __init__(self, what: str, url: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.history.other_gateway", what, url],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def said(self) -> str:
        return self.process.stdout.readline().strip()

    def go(self) -> None:
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def end(self) -> None:
        self.process.kill()
        self.process.wait(30)
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture
def gateways(database_url):
    started = []

    def start(what: str) -> Gateway:
        started.append(Gateway(what, database_url))
        return started[-1]

    yield start
    for one in started:
        one.end()


def test_of_two_gateways_exactly_one_lets_each_refund_through(gateways):
    both = gateways("race"), gateways("race")
    assert [one.said() for one in both] == ["ready", "ready"]
    for one in both:
        one.go()
    allowed = [{int(number) for number in one.said().split()} for one in both]
    assert not allowed[0] & allowed[1]
    assert allowed[0] | allowed[1] == set(range(PEOPLE))


async def test_what_was_counted_by_a_gateway_that_was_killed_before_it_decided_counts(
    gateways, world
):
    world.use_policies(AT_MOST)
    other = gateways("die")
    assert other.said() == "ready"
    other.go()
    assert other.said() == "counted"
    other.end()
    assert isinstance(await world.refunds("3000"), Deny)
    assert world.last.history == {"refunded": "6000.0000"}
    assert isinstance(await world.refunds("2000"), Permit)
