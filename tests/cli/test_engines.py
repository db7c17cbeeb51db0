"""What `remit doctor` says of engines in other processes."""

from dataclasses import replace
from types import MappingProxyType

from remit.cli.checkup import Level
from remit.cli.checkup.engines import examine_engines
from remit.testing.catalog import CRM, small_catalog, with_server
from tests.engines.doubles import declared, pdp


def catalog_with(engine, *, named=True):
    catalog = small_catalog()
    server = replace(catalog.servers[CRM], engine="pdp" if named else None)
    catalog = with_server(catalog, server)
    return replace(catalog, engines=MappingProxyType({"pdp": engine}))


async def test_an_engine_that_answers_is_fine():
    async with pdp() as engine:
        (finding,) = await examine_engines(catalog_with(declared("cerbos", engine.url)))
    assert (finding.level, finding.about) == (Level.FINE, "engine pdp")


async def test_an_engine_that_is_not_there_is_down_and_what_follows_is_said():
    async with pdp() as engine:
        url = engine.url
    (finding,) = await examine_engines(catalog_with(declared("authzen", url)))
    assert finding.level is Level.DOWN
    assert "is refused" in finding.text
    assert finding.mend


async def test_an_engine_that_nobody_names_decides_nothing():
    async with pdp() as engine:
        catalog = catalog_with(declared("cerbos", engine.url), named=False)
        levels = [one.level for one in await examine_engines(catalog)]
    assert levels == [Level.FINE, Level.NOTE]


async def test_without_engines_there_is_nothing_to_say():
    assert await examine_engines(small_catalog()) == []
