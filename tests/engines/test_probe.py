"""Whether an engine is there is told without a secret and without a question."""

import pytest

from remit.engines.probe import probe
from remit.policy.port import EngineUnavailableError
from tests.engines.doubles import declared, pdp, response


@pytest.mark.parametrize("kind", ["cerbos", "authzen"])
async def test_whatever_answers_is_there(kind):
    async def unknown(writer, right):
        writer.write(response(b"no", status="404 Not Found", headers="content-type: text/plain"))

    async with pdp() as engine:
        for behaves in (None, unknown):
            engine.behaves = behaves
            assert await probe(declared(kind, engine.url, secret="stored:pdp")) >= 0
        assert len(engine.heads) == 2
        assert all(head.startswith("GET /") for head in engine.heads)
        assert "authorization" not in "".join(engine.heads)


@pytest.mark.parametrize("kind", ["cerbos", "authzen"])
async def test_what_does_not_answer_is_not_there(kind):
    async with pdp() as engine:
        url = engine.url
    with pytest.raises(EngineUnavailableError, match="cannot be reached"):
        await probe(declared(kind, url))


async def test_a_plug_in_is_there_when_it_can_be_loaded():
    with pytest.raises(EngineUnavailableError, match="is installed"):
        await probe(declared("plugin", "", plugin="not-installed-anywhere"))


async def test_an_engine_whose_options_are_wrong_is_not_there():
    async with pdp() as engine:
        with pytest.raises(EngineUnavailableError, match="unknown option"):
            await probe(declared("cerbos", engine.url, options={"colour": "green"}))
        assert engine.heads == []
