"""Fixtures of the authorization server's tests; what they are made of is in `flows.py` and `clients.py`.

`server` is the whole authorization server, for the tests of the flows; `world` is the
same over a smaller catalog and a host of metadata documents, for the tests of clients.
"""

import importlib.util
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from remit.db import Database
from remit.identity import Passwords
from remit.testing.audit import InMemoryAuditLog


def _beside(name):
    """A module beside this file: with `--import-mode=importlib`, tests are not on the path."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


flows = _beside("flows")
clients = _beside("clients")
signers = _beside("signers")
exchanges = _beside("exchanges")
elevating = _beside("elevating")


@pytest.fixture(scope="session")
def repository(tmp_path_factory):
    """The catalog and the policies of the example, extended."""
    return flows.repository_at(tmp_path_factory.mktemp("repository") / "policy")


@pytest.fixture
def audit() -> InMemoryAuditLog:
    return InMemoryAuditLog()


@pytest.fixture
async def server(database_url, audit, clock, repository) -> AsyncIterator[flows.World]:
    """A whole authorization server over a database whose events land in `audit`."""
    database = Database.open(database_url, recorder=audit)
    passwords = Passwords(passes=1, memory_kib=8, lanes=1)
    built = flows.build_world(database, audit, clock, repository=repository, passwords=passwords)
    yield built
    for client in built.clients:
        await client.aclose()
    passwords.close()
    database.close()


@pytest.fixture
async def world(database_url, clock) -> AsyncIterator[clients.World]:
    """The authorization server over the small catalog, spoken to through `world.http`."""
    async with clients.small_world(database_url, clock) as built:
        yield built
