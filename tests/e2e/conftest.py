"""A whole Remit for the tests that drive it from outside: real processes, real sockets."""

import pytest

from remit.demo.person import Person
from remit.demo.stage import Stage, set_up

REDIRECT_URI = "http://127.0.0.1:8765/callback"


@pytest.fixture
async def stage(tmp_path):
    """`remit serve` with the example repository, a CRM by HTTP, payments by stdio, and Dana."""
    async with set_up(tmp_path) as running:
        yield running


@pytest.fixture
def dana(stage: Stage) -> Person:
    """Dana, who allows whatever is asked."""
    return Person(username=stage.username, password=stage.password, keeps=lambda _: True)
