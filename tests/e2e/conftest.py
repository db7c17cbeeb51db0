"""A whole Remit for the tests that drive it from outside: real processes, real sockets.

One stage for all of them, since it takes seconds to build: a test leaves it as it found it, or
works on a person, a client or an account of its own.
"""

import secrets

import pytest
import pytest_asyncio

from remit.demo.person import Person
from remit.demo.stage import Stage, set_up
from tests.e2e.stepping_up import installation

REDIRECT_URI = "http://127.0.0.1:8765/callback"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage(tmp_path_factory):
    """`remit serve` with the example repository, a CRM by HTTP, payments by stdio, and Dana."""
    async with set_up(tmp_path_factory.mktemp("stage")) as running:
        yield running


@pytest.fixture
def dana(stage: Stage) -> Person:
    """Dana, who allows whatever is asked, in a browser that knows nothing yet."""
    return Person(username=stage.username, password=stage.password, keeps=lambda _: True)


@pytest.fixture
async def erin(stage: Stage) -> Person:
    """Somebody new, for a test that ends badly for her."""
    username, password = f"erin-{secrets.token_hex(4)}", secrets.token_urlsafe(12)
    await stage.remit(
        "users", "add", username, "--tenant", "acme", "--role", "support",
        "--display-name", "Erin", "--password-stdin", stdin=f"{password}\n",
    )  # fmt: skip
    return Person(username=username, password=password, keeps=lambda _: True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def asking(tmp_path_factory):
    """A Remit whose payments ask people before they refund much."""
    async with installation(tmp_path_factory.mktemp("asking")) as running:
        yield running
