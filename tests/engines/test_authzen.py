"""What a decision point that speaks AuthZEN is asked, and which of its answers are none."""

from dataclasses import replace
from decimal import Decimal

import pytest

from remit.policy import DecisionReason, Money, ResourceKind, SubjectKind
from remit.policy.obligation import ObligationKind
from remit.testing.policy_engine import ask
from tests.engines.doubles import ACCOUNT, QUESTION, declared, pdp, point, response


async def asked_of(engine, decisions, *evaluations, **options):
    declaration = declared("authzen", engine.url, options=options)
    questions = [replace(one, engine=declaration) for one in evaluations or (QUESTION,)]
    decided = await decisions.adjudicate_all(questions)
    return decided if len(questions) > 1 else decided[0]


def saying(value):
    async def behaves(writer, right):
        writer.write(response(value))

    return behaves


async def test_one_question_is_in_the_words_of_our_own_decision_endpoint():
    async with pdp() as engine, point() as decisions:
        assert (await asked_of(engine, decisions)).allowed
        assert engine.heads[0].startswith("POST /access/v1/evaluation HTTP/1.1\r\n")
        (question,) = engine.questions
        assert question["subject"]["type"] == "user"
        assert question["subject"]["id"] == "usr_1"
        assert question["subject"]["properties"] == {
            "tenant": "acme",
            "roles": ["finance"],
            "attributes": {"department": "sales"},
        }
        assert question["action"] == {"name": "tools/call", "properties": {"arguments": ACCOUNT}}
        assert question["resource"]["type"] == "tool"
        assert question["resource"]["id"] == "get_account"
        assert question["resource"]["properties"]["server"] == "crm"
        assert question["context"]["phase"] == "call"
        assert question["context"]["agent"]["id"] == "support-assistant"
        assert "access_token" not in str(question)


@pytest.mark.parametrize(
    ("kind", "method"),
    [(ResourceKind.RESOURCE, "resources/read"), (ResourceKind.PROMPT, "prompts/get")],
)
async def test_the_action_is_the_method_of_the_protocol(kind, method):
    async with pdp() as engine, point() as decisions:
        workload = replace(QUESTION.subject, kind=SubjectKind.WORKLOAD)
        question = replace(ask("crm", "thing", {}, kind=kind), subject=workload)
        assert (await asked_of(engine, decisions, question)).allowed
        assert engine.questions[0]["action"]["name"] == method
        assert engine.questions[0]["subject"]["type"] == "agent"


async def test_a_list_is_asked_once_without_arguments():
    async with pdp() as engine, point() as decisions:
        listed = [ask("crm", name) for name in ("get_account", "list_accounts", "update_account")]
        assert all(one.allowed for one in await asked_of(engine, decisions, *listed))
        (question,) = engine.questions
        assert engine.heads[0].startswith("POST /access/v1/evaluations HTTP/1.1\r\n")
        assert question["options"] == {"evaluations_semantic": "execute_all"}
        for one in question["evaluations"]:
            assert one["context"]["phase"] == "list"
            assert "properties" not in one["action"]


async def test_a_decision_point_that_takes_one_at_a_time_is_asked_one_at_a_time():
    async with pdp() as engine, point() as decisions:
        listed = [ask("crm", name) for name in ("get_account", "list_accounts")]
        await asked_of(engine, decisions, *listed, batch="false")
        assert all("/evaluation HTTP" in head for head in engine.heads)
        assert len(engine.heads) == 2


async def test_amounts_arrive_exactly_or_not_at_all():
    async with pdp() as engine, point() as decisions:
        exact = ask("payments", "refund", {"amount": Money(Decimal("500.0001"), "USD")})
        assert (await asked_of(engine, decisions, exact)).allowed
        amount = engine.questions[0]["action"]["properties"]["arguments"]["amount"]
        assert amount == {"value": 500.0001, "currency": "USD"}
        for value in ("90071992547409.9312", "0.30000000000000000001"):
            long = ask("payments", "refund", {"amount": Money(Decimal(value), "USD")})
            refused = await asked_of(engine, decisions, long)
            assert "exactly" in refused.errors[0]
            assert value not in refused.errors[0]
        assert len(engine.questions) == 1


async def test_which_policies_decided_and_the_words_for_the_person_are_taken_over():
    async with pdp() as engine, point() as decisions:
        engine.behaves = saying(
            {
                "decision": False,
                "context": {"rules": ["one", "two", 3, "bad\nname"], "reason_user": {"en": "No."}},
            }
        )
        decision = await asked_of(engine, decisions, policies_member="rules")
        assert decision.reason is DecisionReason.FORBIDDEN
        assert [(one.id, one.message) for one in decision.rules] == [
            ("pdp:one", "No."),
            ("pdp:two", "No."),
        ]
        engine.behaves = saying({"decision": False, "context": {"reason_user": "No."}})
        (rule,) = (await asked_of(engine, decisions)).rules
        assert (rule.id, rule.message) == ("pdp:decision", "No.")


async def test_an_obligation_is_taken_over():
    async with pdp() as engine, point() as decisions:
        obligations = [{"kind": "limit", "value": "10/1h"}]
        engine.behaves = saying({"decision": True, "context": {"obligations": obligations}})
        (obligation,) = (await asked_of(engine, decisions)).obligations
        assert (obligation.kind, obligation.value) == (ObligationKind.LIMIT, "10/1h")


@pytest.mark.parametrize(
    "value",
    [
        {}, {"decision": "true"}, {"decision": 1}, {"decision": None}, {"allow": True},
        {"decision": "permit", "context": {}},
        {"decision": True, "context": {"error": {"status": 500}}},
        {"decision": True, "context": {"obligations": [{"kind": "pray", "value": "x"}]}},
        {"decision": True, "context": {"obligations": [{"kind": "limit"}]}},
        {"decision": True, "context": {"obligations": {"kind": "limit", "value": "1/1h"}}},
        {"evaluations": [{"decision": True}]},
        {"decision": True, "context": [{"obligations": [{"kind": "limit", "value": "1/1h"}]}]},
        {"decision": True, "context": "see the obligations"},
    ],
    ids=[
        "empty", "text", "number", "nothing", "another-name", "word", "with-an-error",
        "unknown-obligation", "half-an-obligation", "no-list-of-obligations", "several",
        "a-list-of-contexts", "words",
    ],
)  # fmt: skip
async def test_what_is_no_decision_is_a_refusal(value):
    async with pdp() as engine, point() as decisions:
        engine.behaves = saying(value)
        refused = await asked_of(engine, decisions)
        assert refused.reason is DecisionReason.ENGINE_ERROR


@pytest.mark.parametrize("several", [False, True])
async def test_an_answer_that_names_another_request_is_none(several):
    names = ("get_account", "list_accounts") if several else ("get_account",)
    questions = [ask("crm", name) for name in names]
    async with pdp() as engine, point() as decisions:

        async def decided_with(echo):
            async def behaves(writer, right):
                head = engine.heads[-1].splitlines()
                line = next(one for one in head if "x-request-id" in one)
                headers = f"content-type: application/json{echo(line)}"
                writer.write(response(right, headers=headers))

            engine.behaves = behaves
            decided = await asked_of(engine, decisions, *questions)
            return decided if several else [decided]

        assert all(one.allowed for one in await decided_with(lambda line: f"\r\n{line}"))
        assert all(one.allowed for one in await decided_with(lambda _line: ""))
        for one in await decided_with(lambda _line: "\r\nx-request-id: evl_another"):
            assert one.reason is DecisionReason.ENGINE_ERROR
        sent = {one for head in engine.heads for one in head.splitlines() if "request-id" in one}
        assert len(sent) == 3


@pytest.mark.parametrize(
    "answers",
    [[], [{"decision": True}], [{"decision": True}] * 3, [{"decision": True}, None], "yes"],
    ids=["none", "half", "more", "one-is-none", "text"],
)
async def test_a_batch_that_is_not_answered_whole_refuses_all_of_it(answers):
    async with pdp() as engine, point() as decisions:
        engine.behaves = saying({"evaluations": answers})
        listed = [ask("crm", name) for name in ("get_account", "list_accounts")]
        decided = await asked_of(engine, decisions, *listed)
        assert [one.reason for one in decided] == [DecisionReason.ENGINE_ERROR] * 2


@pytest.mark.parametrize(
    "options", [{"discovery": "true"}, {"batch": "no"}, {"max_batch": "1001"}], ids=str
)
async def test_an_option_that_is_wrong_refuses_every_question(options):
    async with pdp() as engine, point() as decisions:
        assert not (await asked_of(engine, decisions, **options)).allowed
        assert engine.heads == []
