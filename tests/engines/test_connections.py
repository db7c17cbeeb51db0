"""Engines are opened when they are needed, kept while they are declared, and closed when nobody waits for them."""

import asyncio
from dataclasses import replace
from types import MappingProxyType

import pytest

from remit.engines import EngineConnections
from remit.engines.connections import option_fault
from remit.model import EngineKind
from remit.policy import DecisionReason
from remit.policy.port import EngineUnavailableError
from tests.engines.doubles import QUESTION, declared, pdp, point, response

URL = "http://127.0.0.1:1"


def connections(**options):
    return EngineConnections(lambda reference: reference, **options)


async def test_what_is_declared_alike_is_one_engine_and_what_is_not_is_another():
    engines = connections()
    one = engines.find(declared("cerbos", URL))
    assert engines.find(declared("cerbos", URL)) is one
    for other in (
        declared("authzen", URL),
        declared("cerbos", "http://127.0.0.1:2"),
        declared("cerbos", URL, timeout_ms=10),
        declared("cerbos", URL, secret="stored:pdp"),
        declared("cerbos", URL, options=MappingProxyType({"kind_prefix": "x"})),
    ):
        assert engines.find(other) is not one
    await engines.close()


async def test_an_engine_that_is_declared_no_more_answers_who_waits_and_is_closed_then():
    async with pdp() as engine, point() as decisions:
        asked, release = asyncio.Event(), asyncio.Event()

        async def waits(writer, right):
            asked.set()
            await release.wait()
            writer.write(response(right))

        engine.behaves = waits
        engines = connections()
        waiting = asyncio.ensure_future(
            engines.find(declared("authzen", engine.url)).evaluate_all([QUESTION])
        )
        await asked.wait()
        assert engines.hold([]) == ()
        release.set()
        (answer,) = await waiting
        assert answer.allowed
        await engines.close()
        del decisions


async def test_of_what_cannot_be_opened_it_is_said_what_it_is_and_the_others_are_open():
    engines = connections()
    bad = declared("cerbos", URL, options=MappingProxyType({"no_such": "option"}))
    plugin = replace(declared("plugin", ""), name="theirs", plugin="not-installed-anywhere")
    unusable = engines.hold([bad, plugin, declared("authzen", URL)])
    assert [one.name for one in unusable] == ["pdp", "theirs"]
    assert "no_such" in unusable[0].detail
    assert "not-installed-anywhere" in unusable[1].detail
    for one in (bad, plugin):
        for _ in range(2):
            with pytest.raises(EngineUnavailableError):
                engines.find(one)
    assert engines.find(declared("authzen", URL)).name == "pdp"
    await engines.close()


async def test_a_question_for_an_engine_that_is_closed_meanwhile_opens_it_again():
    async with pdp() as engine, point() as decisions:
        asked = replace(QUESTION, engine=declared("cerbos", engine.url))
        assert (await decisions.adjudicate(asked)).allowed
        assert (await decisions.adjudicate(asked)).allowed


async def test_where_no_plug_in_is_to_be_loaded_none_is():
    engines = connections(plugins=False)
    with pytest.raises(EngineUnavailableError, match="no plug-in is loaded here"):
        engines.find(declared("plugin", "", plugin="cerbos"))
    await engines.close()


async def test_a_changed_declaration_is_asked_where_it_now_is():
    async with pdp() as before, pdp() as now, point() as decisions:
        for engine in (before, now):
            asked = replace(QUESTION, engine=declared("authzen", engine.url))
            assert (await decisions.adjudicate(asked)).allowed
            assert len(engine.questions) == 1


async def test_the_name_and_version_of_an_engine_are_its_own():
    engine = connections().find(declared("authzen", URL))
    assert (engine.name, engine.version) == ("pdp", None)
    await engine.close()


@pytest.mark.parametrize("kind", [EngineKind.CERBOS, EngineKind.AUTHZEN])
def test_options_are_judged_without_asking_anybody_and_reading_any_file(kind):
    assert option_fault(kind, {}) is None
    assert option_fault(kind, {"ca_file": "/no/such/file.pem"}) is None
    assert "unknown option" in option_fault(kind, {"colour": "green"})
    assert "whole number" in option_fault(kind, {"max_batch": "0"})


def test_the_options_of_a_plug_in_are_its_own_affair():
    assert option_fault(EngineKind.PLUGIN, {"colour": "green"}) is None


async def test_without_any_engines_a_question_for_one_is_a_refusal():
    async with point() as decisions:
        gone = declared("plugin", "", plugin="not-installed-anywhere")
        refused = await decisions.adjudicate(replace(QUESTION, engine=gone))
        assert refused.reason is DecisionReason.ENGINE_ERROR
