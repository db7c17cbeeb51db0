"""What the record keeps: less of an argument where a policy says so, a keyed token of why."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from remit.audit.events import Decided
from remit.audit.redact import Redactor
from remit.guard.redaction import argument_rules, kept_justification
from remit.model import AuditTreatment, EngineKind, ExternalEngine
from remit.policy import DecisionPoint
from remit.policy.port import Answer
from remit.testing.catalog import ACME, CRM, GLOBEX, with_server
from tests.guard.test_ladder import change_server

PERMIT = '@id("all") permit(principal, action in Remit::Action::"call", resource);'
REDACTOR = Redactor(b"k" * 32)


def test_nothing_is_kept_of_what_is_unsaid_and_the_rest_is_as_it_was(world):
    declared = world.directory.catalog.servers["crm"].tools["update_account"].arguments
    assert argument_rules(declared, frozenset()) is declared
    rules = argument_rules(declared, frozenset({"score", "stranger"}))
    assert {one.name: one.audit for one in rules} == {
        one.name: AuditTreatment.DROP if one.name == "score" else one.audit for one in declared
    }
    assert argument_rules(declared, frozenset({"score", "stranger"})) is rules


def test_the_same_words_are_the_same_token_in_one_organisation_alone():
    one, other = (
        kept_justification("INC-7", REDACTOR, tenant=tenant, in_full=False)
        for tenant in (ACME, GLOBEX)
    )
    assert one == kept_justification("INC-7", REDACTOR, tenant=ACME, in_full=False)
    assert one.startswith("tok1.text.")
    assert one != other
    assert "INC-7" not in one
    assert kept_justification("INC-7", REDACTOR, tenant=ACME, in_full=True) == "INC-7"
    assert kept_justification(None, REDACTOR, tenant=ACME, in_full=True) is None


@pytest.mark.parametrize("effect", ["permit", "forbid"])
async def test_a_policy_that_decides_keeps_an_argument_out_of_the_log(world, effect):
    head = '(principal, action == Remit::Action::"crm/update_account", resource)'
    world.use_policies(PERMIT + f'@id("x") @redact("account, tags") {effect}{head};')
    arguments = {"account": "acc_1", "score": 4, "tags": ["a"]}
    await world.guard.decide(world.call("update_account", arguments))
    assert world.recorded.input.keys() == {"score"}
    assert "account" not in str(world.recorded.input)


async def test_a_policy_that_does_not_decide_keeps_nothing_out(world):
    head = '(principal, action == Remit::Action::"crm/get_account", resource)'
    text = f'@id("x") @redact("account") permit{head} when {{ context.time.hour > 30 }};'
    world.use_policies(PERMIT + text)
    await world.guard.decide(world.call())
    assert world.recorded.input.keys() == {"account"}


HEAD = '(principal, action == Remit::Action::"crm/update_account", resource)'
ARGUMENTS = {"account": "acc_1", "score": 4, "tags": ["a"]}


async def test_what_every_matching_permit_redacts_is_redacted(world):
    world.use_policies(
        PERMIT
        + f'@id("x") @redact("account") permit{HEAD};'
        + f'@id("y") @redact("tags") permit{HEAD};'
    )
    await world.guard.decide(world.call("update_account", ARGUMENTS))
    assert world.recorded.outcome == "allow"
    assert world.recorded.input.keys() == {"score"}


@pytest.mark.parametrize(
    "refusing",
    [
        f'@id("no") forbid{HEAD};',
        f'@id("no") @redact("tags") forbid{HEAD};',
        f'@id("no") forbid{HEAD} when {{ context.arguments has score && context.arguments.score + 9223372036854775807 > 1 }};',
    ],
    ids=["forbidden", "redacted-too", "failing"],
)
async def test_what_a_matching_permit_redacts_is_redacted_of_a_refusal(world, refusing):
    world.use_policies(PERMIT + f'@id("x") @redact("account, tags") permit{HEAD};' + refusing)
    await world.guard.decide(world.call("update_account", ARGUMENTS))
    assert world.recorded.outcome == "deny"
    assert world.recorded.input.keys() == {"score"}
    kept_out = {one["value"] for one in world.recorded.obligations if one["kind"] == "redact"}
    assert kept_out == {"account", "tags"}
    # Asked again, by what is remembered of the first answer.
    await world.guard.decide(world.call("update_account", ARGUMENTS))
    assert world.audit.of(Decided)[1].input.keys() == {"score"}


async def test_where_a_redacting_permit_fails_all_of_them_count(world):
    fails = (
        "when { context.arguments has score && context.arguments.score + 9223372036854775807 > 1 }"
    )
    world.use_policies(PERMIT + f'@id("x") @redact("account, tags") permit{HEAD} {fails};')
    await world.guard.decide(world.call("update_account", ARGUMENTS))
    assert world.recorded.reason == "engine_error"
    assert world.recorded.input.keys() == {"score"}


async def test_a_permit_that_does_not_match_redacts_nothing_of_a_refusal(world):
    never = "when { context.arguments has score && context.arguments.score > 4 }"
    world.use_policies(
        PERMIT
        + f'@id("x") @redact("account, tags") permit{HEAD} {never};'
        + f'@id("no") forbid{HEAD};'
    )
    await world.guard.decide(world.call("update_account", ARGUMENTS))
    assert world.recorded.input.keys() == {"account", "score", "tags"}


class Elsewhere:
    """An engine that answers the same to everything, or fails."""

    name, version = "pdp", None

    def __init__(self, allowed) -> None:
        self.allowed = allowed

    def find(self, declared):
        return self

    async def evaluate_all(self, evaluations):
        if self.allowed is None:
            raise ConnectionError
        return [Answer(question=one, allowed=self.allowed) for one in evaluations]


@pytest.mark.parametrize("allowed", [True, False, None], ids=["allows", "refuses", "fails"])
async def test_whoever_permits_the_call_what_the_policies_redact_is_redacted(world, allowed):
    text = PERMIT + f'@id("x") @redact("account, tags") permit{HEAD};'
    declared = ExternalEngine(name="pdp", kind=EngineKind.AUTHZEN, url="http://127.0.0.1:1/")
    catalog = replace(world.directory.catalog, engines=MappingProxyType({"pdp": declared}))
    catalog = with_server(catalog, replace(catalog.servers[CRM], engine="pdp"))
    world.directory.catalog = catalog
    decisions = DecisionPoint(world.engine(text), world.clock, Elsewhere(allowed))
    await world.new_guard(decisions=decisions).decide(world.call("update_account", ARGUMENTS))
    assert (world.recorded.outcome == "allow") is bool(allowed)
    assert world.recorded.input.keys() == {"score"}


@pytest.mark.parametrize(
    ("treatment", "kept"), [(AuditTreatment.TOKEN, False), (AuditTreatment.KEEP, True)]
)
async def test_the_words_are_kept_where_the_server_says_so(world, treatment, kept):
    change_server(world, "crm", justification=treatment)
    await world.guard.decide(world.call(justification="a customer asked"))
    assert (world.recorded.justification == "a customer asked") is kept


async def test_of_whoever_is_nobody_nothing_is_kept(world):
    await world.guard.decide(world.call(authorization=(), justification="a customer asked"))
    assert world.recorded.justification is None
