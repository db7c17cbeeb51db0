"""What Cerbos is asked, and which of its answers are none. That the real one is understood: tests/policy/test_port.py."""

from dataclasses import replace

import pytest

from remit.model import Sensitivity
from remit.policy import DecisionReason, MatchedRule, RuleEffect, SubjectKind
from remit.policy.obligation import Obligation, ObligationKind
from remit.testing.policy_engine import ask
from tests.engines.doubles import ACCOUNT, QUESTION, declared, pdp, point, response


async def asked_of(engine, decisions, evaluation=QUESTION, **options):
    question = replace(evaluation, engine=declared("cerbos", engine.url, options=options))
    return await decisions.adjudicate(question)


def answering(change):
    """A decision point whose right answer is spoilt by `change`."""

    async def behaves(writer, right):
        change(right)
        writer.write(response(right))

    return behaves


async def test_the_principal_is_who_the_token_says_and_the_resource_what_the_catalog_says():
    async with pdp() as engine, point() as decisions:
        assert (await asked_of(engine, decisions)).allowed
        assert engine.heads[0].startswith("POST /api/check/resources HTTP/1.1\r\n")
        (question,) = engine.questions
        principal = question["principal"]
        assert (principal["id"], principal["roles"]) == ("usr_1", ["finance"])
        assert principal["attr"]["tenant"] == "acme"
        assert principal["attr"]["kind"] == "user"
        assert principal["attr"]["attributes"] == {"department": "sales"}
        assert principal["attr"]["agent"]["class"] == "assistant"
        assert principal["attr"]["token"]["scopes"] == ["crm:accounts.read"]
        (entry,) = question["resources"]
        assert entry["actions"] == ["tool:get_account"]
        assert (entry["resource"]["kind"], entry["resource"]["id"]) == ("crm", "get_account")
        facts = entry["resource"]["attr"]
        assert facts["arguments"] == ACCOUNT
        assert facts["phase"] == "call"
        assert facts["sensitivity"] == Sensitivity.LOW.value
        assert facts["context"]["ip"] == "192.0.2.1"
        assert facts["context"]["time"]["zone"] == "America/New_York"
        assert "auxData" not in question
        assert "policyVersion" not in principal


async def test_what_is_listed_is_asked_without_arguments_and_says_so():
    async with pdp() as engine, point() as decisions:
        assert (await asked_of(engine, decisions, ask("crm", "get_account"))).allowed
        facts = engine.questions[0]["resources"][0]["resource"]["attr"]
        assert facts["phase"] == "list"
        assert "arguments" not in facts


async def test_who_has_no_role_is_asked_about_with_one_that_nobody_can_have():
    async with pdp() as engine, point() as decisions:
        bare = replace(
            QUESTION, subject=replace(QUESTION.subject, roles=(), kind=SubjectKind.WORKLOAD)
        )
        assert (await asked_of(engine, decisions, bare)).allowed
        assert engine.questions[0]["principal"]["roles"] == ["remit:none"]
        assert engine.questions[0]["principal"]["attr"]["kind"] == "workload"


async def test_options_name_the_kind_the_version_and_the_scope():
    async with pdp() as engine, point() as decisions:
        options = {
            "kind_prefix": "mcp/",
            "policy_version": "v2",
            "scope": "{environment}.{tenant}.{server}",
        }
        assert (await asked_of(engine, decisions, **options)).allowed
        question = engine.questions[0]
        resource = question["resources"][0]["resource"]
        assert resource["kind"] == "mcp/crm"
        assert resource["policyVersion"] == question["principal"]["policyVersion"] == "v2"
        assert resource["scope"] == question["principal"]["scope"] == "prod.acme.crm"


async def test_one_message_holds_fifty_resources_and_one_principal():
    async with pdp() as engine, point() as decisions:
        declaration = declared("cerbos", engine.url)
        others = replace(QUESTION, subject=replace(QUESTION.subject, id="usr_2"))
        asked = [replace(QUESTION, engine=declaration)] * 120
        asked.insert(60, replace(others, engine=declaration))
        decided = await decisions.adjudicate_all(asked)
        assert all(one.allowed for one in decided)
        assert len(decided) == 121
        sizes = sorted((one["principal"]["id"], len(one["resources"])) for one in engine.questions)
        assert sizes == [("usr_1", 20), ("usr_1", 50), ("usr_1", 50), ("usr_2", 1)]


async def test_the_policy_that_matched_and_its_words_come_with_a_refusal():
    def refuse(right):
        (result,) = right["results"]
        result["actions"] = {"tool:get_account": "EFFECT_DENY"}
        result["outputs"] = [
            {"src": "x", "val": "no object"},
            {"src": "x", "val": {"refusal": "ask your lead"}, "action": "tool:get_account"},
            {"src": "x", "val": {"refusal": "of another"}, "action": "tool:other"},
        ]

    async with pdp() as engine, point() as decisions:
        engine.behaves = answering(refuse)
        decision = await asked_of(engine, decisions)
        assert decision.reason is DecisionReason.FORBIDDEN
        rule = MatchedRule(
            id="pdp:resource.crm.vdefault", effect=RuleEffect.FORBID, message="ask your lead"
        )
        assert decision.rules == (rule,)


async def test_what_no_policy_matched_is_not_permitted_and_not_forbidden():
    def refuse(right):
        (result,) = right["results"]
        result["actions"] = {"tool:get_account": "EFFECT_DENY"}
        result["meta"] = {"actions": {"tool:get_account": {"matchedPolicy": "NO_MATCH"}}}

    async with pdp() as engine, point() as decisions:
        engine.behaves = answering(refuse)
        decision = await asked_of(engine, decisions)
        assert decision.reason is DecisionReason.NO_PERMIT
        assert decision.rules == ()


async def test_an_obligation_in_an_output_is_part_of_the_decision():
    def oblige(right):
        obligations = [{"kind": "step_up", "value": "5m"}]
        right["results"][0]["outputs"] = [{"src": "x", "val": {"obligations": obligations}}]

    async with pdp() as engine, point() as decisions:
        engine.behaves = answering(oblige)
        decision = await asked_of(engine, decisions)
        assert decision.obligations == (
            Obligation(kind=ObligationKind.STEP_UP, value="5m", rule="pdp:resource.crm.vdefault"),
        )


def another_request(right):
    right["requestId"] = "evl_another"


def no_request(right):
    del right["requestId"]


def no_results(right):
    del right["results"]


def too_few(right):
    right["results"] = []


def too_many(right):
    right["results"] *= 2


def another_kind(right):
    right["results"][0]["resource"]["kind"] = "payments"


def another_id(right):
    right["results"][0]["resource"]["id"] = "list_accounts"


def another_action(right):
    right["results"][0]["actions"] = {"tool:list_accounts": "EFFECT_ALLOW"}


def one_action_more(right):
    right["results"][0]["actions"]["tool:list_accounts"] = "EFFECT_ALLOW"


def another_effect(right):
    right["results"][0]["actions"] = {"tool:get_account": "EFFECT_NO_MATCH"}


def a_number(right):
    right["results"][0]["actions"] = {"tool:get_account": 1}


def a_word(right):
    right["results"] = ["EFFECT_ALLOW"]


def unknown_obligation(right):
    value = {"obligations": [{"kind": "pray", "value": "aloud"}]}
    right["results"][0]["outputs"] = [{"src": "x", "val": value}]


def outputs_of_another_type(right):
    right["results"][0]["outputs"] = "EFFECT_ALLOW"


@pytest.mark.parametrize(
    "change",
    [
        another_request, no_request, no_results, too_few, too_many, another_kind, another_id,
        another_action, one_action_more, another_effect, a_number, a_word, unknown_obligation,
        outputs_of_another_type,
    ],
    ids=lambda change: change.__name__,
)  # fmt: skip
async def test_what_is_no_answer_to_the_question_is_a_refusal(change):
    async with pdp() as engine, point() as decisions:
        engine.behaves = answering(change)
        refused = await asked_of(engine, decisions)
        assert refused.reason is DecisionReason.ENGINE_ERROR
        assert refused.engine == "pdp"


async def test_one_answer_that_is_none_refuses_all_that_were_asked_with_it():
    async with pdp() as engine, point() as decisions:
        engine.behaves = answering(lambda right: right["results"].pop())
        declaration = declared("cerbos", engine.url)
        decided = await decisions.adjudicate_all([replace(QUESTION, engine=declaration)] * 3)
        assert {one.reason for one in decided} == {DecisionReason.ENGINE_ERROR}
        assert len(engine.questions) == 1


@pytest.mark.parametrize(
    "options",
    [{"knd_prefix": "x"}, {"max_batch": "0"}, {"max_batch": "many"}, {"scope": "{person}"}],
    ids=["unknown", "none", "no-number", "placeholder"],
)
async def test_an_option_that_is_wrong_refuses_every_question(options):
    async with pdp() as engine, point() as decisions:
        refused = await asked_of(engine, decisions, **options)
        assert refused.reason is DecisionReason.ENGINE_ERROR
        assert engine.questions == []
