"""Engines elsewhere follow the catalog that is in force, and one that cannot be used is said once."""

from dataclasses import replace
from types import MappingProxyType

import pytest
from structlog.testing import capture_logs

from remit.app.engine_watch import EngineWatch
from remit.engines import EngineConnections
from remit.guard import Standing
from remit.registry import RegistryDirectory
from remit.testing.catalog import small_catalog
from tests.engines.doubles import declared

GOOD = declared("cerbos", "http://127.0.0.1:1")
BAD = replace(declared("plugin", "", plugin="not-installed-anywhere"), name="theirs")


def catalog(*engines):
    return replace(small_catalog(), engines=MappingProxyType({one.name: one for one in engines}))


@pytest.fixture
async def engines():
    connections = EngineConnections(lambda reference: reference)
    yield connections
    await connections.close()


async def test_what_cannot_be_used_is_said_once_for_each_catalog(engines):
    directory = RegistryDirectory(catalog(GOOD, BAD), Standing(as_of=0))
    watch = EngineWatch(engines, directory)
    with capture_logs() as logs:
        for _ in range(3):
            watch.look_again()
    (said,) = logs
    assert (said["event"], said["what"]) == ("not_usable", "policy engine theirs")
    assert "not-installed-anywhere" in said["detail"]
    assert said["mend"]


async def test_another_catalog_has_other_engines(engines):
    directory = RegistryDirectory(catalog(GOOD), Standing(as_of=0))
    EngineWatch(engines, directory).begin()
    before = engines.find(GOOD)
    directory.replace_catalog(catalog(GOOD))
    assert engines.find(GOOD) is before
    directory.replace_catalog(catalog(replace(GOOD, timeout_ms=10)))
    assert engines.find(GOOD) is not before
