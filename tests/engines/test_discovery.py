"""A decision point's own word on where it is asked, believed as far as it cannot lead a secret astray."""

from dataclasses import replace

import pytest

from remit.policy import DecisionReason
from tests.engines.doubles import QUESTION, declared, pdp, point, response


async def decided(engine, decisions, *, times=1):
    declaration = declared("authzen", engine.url, secret="stored:pdp", options={"discover": "true"})
    asked = [replace(QUESTION, engine=declaration)] * times
    return await decisions.adjudicate_all(asked)


def described(engine, **changes):
    async def behaves(writer, right):
        if "policy_decision_point" not in right:
            writer.write(response(right))
            return
        document = {**right, "access_evaluation_endpoint": f"{engine.url}/ask/one", **changes}
        writer.write(
            response({name: value for name, value in document.items() if value is not None})
        )

    return behaves


async def test_questions_go_where_the_document_says_and_the_secret_not_to_the_document():
    async with pdp() as engine, point() as decisions:
        engine.behaves = described(engine)
        for _ in range(2):
            assert (await decided(engine, decisions))[0].allowed
        paths = [head.split(" ")[1] for head in engine.heads]
        assert paths == ["/.well-known/authzen-configuration", "/ask/one", "/ask/one"]
        assert "authorization" not in engine.heads[0]
        assert "authorization: Bearer" in engine.heads[1]


async def test_one_that_names_no_place_for_several_is_asked_one_at_a_time():
    async with pdp() as engine, point() as decisions:
        engine.behaves = described(engine, access_evaluations_endpoint=None)
        assert all(one.allowed for one in await decided(engine, decisions, times=3))
        assert [head.split(" ")[1] for head in engine.heads[1:]] == ["/ask/one"] * 3


@pytest.mark.parametrize(
    "changes",
    [
        {"policy_decision_point": "https://other.example"},
        {"policy_decision_point": None},
        {"access_evaluation_endpoint": None},
        {"access_evaluation_endpoint": "https://other.example/ask"},
        {"access_evaluation_endpoint": "/ask"},
        {"access_evaluations_endpoint": 7},
    ],
    ids=["another", "nobody", "nowhere", "elsewhere", "relative", "number"],
)
async def test_a_document_that_leads_elsewhere_is_not_followed(changes):
    async with pdp() as engine, point() as decisions:
        engine.behaves = described(engine, **changes)
        (refused,) = await decided(engine, decisions)
        assert refused.reason is DecisionReason.ENGINE_ERROR
        assert len(engine.heads) == 1


async def test_an_endpoint_on_a_host_that_only_begins_like_ours_is_elsewhere():
    async with pdp() as engine, point() as decisions:
        engine.behaves = described(
            engine, access_evaluation_endpoint=f"{engine.url}.other.example/ask"
        )
        (refused,) = await decided(engine, decisions)
        assert refused.reason is DecisionReason.ENGINE_ERROR
