"""What of a call reaches policy, seen by policies."""

from dataclasses import replace

import pytest

from remit.guard import Permit
from remit.model import Approvals, JustificationField
from remit.policy import CedarEngine, PolicySource


@pytest.mark.parametrize(
    "condition",
    [
        'principal.id == "usr_1"',
        'principal.tenant == "acme"',
        'principal.roles.contains("support")',
        'principal.hasTag("department") && principal.getTag("department") == "sales"',
        'context.agent.id == "assistant" && context.agent.class == "assistant"',
        'context.agent.owner == "platform"',
        'context.token.client_id == "cli_1"',
        'context.token.scopes.contains("crm:accounts.read")',
        'context.token has acr && context.token.acr == "urn:remit:acr:pwd"',
        'context.token.amr.contains("pwd")',
        "context.token has auth_time && context.token.auth_time == 1767625000",
        'context.token.purpose == "help"',
        'context has ip && context.ip.isInRange(ip("192.0.2.0/24"))',
        'context.time.zone == "Europe/Berlin" && context.time.hour == 16',
        'context.time.weekday == "mon" && context.time.date == "2026-01-05"',
        "context.time.epoch == 1767625200 && context.time.minute == 0",
        'context.arguments.account == "acc_1"',
        'resource.server == "crm" && resource.name == "get_account"',
        'resource.environment == "prod" && resource.operation == "read"',
        'resource.sensitivity == "low" && resource.sensitivity_rank == 0',
        'resource.owner == "sales" && !(resource has tenant)',
        'resource in Remit::Server::"crm"',
    ],
)
async def test_policy_sees(world, condition):
    world.use_policies(
        '@id("one") permit(principal is Remit::User, action == Remit::Action::"crm/get_account",'
        f" resource) when {{ {condition} }};"
    )
    token = {
        "attributes": {"department": "sales"},
        "acr": "urn:remit:acr:pwd",
        "amr": ("pwd",),
        "auth_time": 1_767_625_000,
        "purpose": "help",
    }
    assert isinstance(await world.guard.decide(world.call(token=token)), Permit)


FIELDS = {
    "reason": JustificationField(name="reason"),
    "ticket": JustificationField(name="ticket", pattern="[A-Z]+-[0-9]+"),
}


@pytest.mark.parametrize(
    ("why", "condition"),
    [
        (None, "!(context has told)"),
        ('{"ticket":"CHG-7"}', 'context has told.ticket && context.told.ticket == "CHG-7"'),
        ("CHG-7", "context has told.reason && !(context.told has ticket)"),
        ('{"ticket":"soon"}', "!(context has told)"),
        ('{"other":"CHG-7"}', "context has justification && !(context has told)"),
    ],
)
async def test_policy_sees_what_is_told_as_it_is_declared(world, why, condition):
    approvals = Approvals(justifications=FIELDS)
    world.directory.catalog = replace(world.directory.catalog, approvals=approvals)
    text = (
        '@id("one") permit(principal is Remit::User, action == Remit::Action::"crm/get_account",'
        f" resource) when {{ {condition} }};"
    )
    policies = [PolicySource(text, "policies/test.cedar")]
    world.decisions.publish(CedarEngine.load(policies, world.directory.catalog))
    call = replace(world.call(), justification=why)
    assert isinstance(await world.guard.decide(call), Permit)


async def test_policy_sees_only_scopes_that_count(world):
    world.use_policies(
        '@id("one") permit(principal, action, resource)'
        ' when { context.token.scopes.contains("crm:other.write") };'
    )
    token = {"scopes": ("crm:accounts.read", "crm:other.write")}
    assert not isinstance(await world.guard.decide(world.call(token=token)), Permit)
