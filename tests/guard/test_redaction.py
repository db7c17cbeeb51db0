"""What the record keeps: less of an argument where a policy says so, a keyed token of why."""

import pytest

from remit.audit.redact import Redactor
from remit.guard.redaction import argument_rules, kept_justification
from remit.model import AuditTreatment
from remit.testing.catalog import ACME, GLOBEX
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
