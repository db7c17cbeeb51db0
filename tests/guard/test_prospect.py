"""What somebody could do with a thing, told before anybody calls."""

from dataclasses import replace

import pytest

from remit.clock import EpochSeconds
from remit.guard.definitions import NO_DEFINITIONS, Definitions
from remit.guard.issuance import Applicant
from remit.guard.ports import Standing
from remit.guard.prospect import Surroundings, Verdict, prospect
from remit.guard.target import find_target
from remit.model import MANAGEMENT, Mode, Sensitivity
from remit.policy import PolicySource, Subject, SubjectKind
from remit.policy.check import checked_policies
from remit.policy.evaluation import ResourceKind
from remit.policy.unsettled import ANY_CALL, OpenPolicies
from remit.testing.catalog import CRM, PAYMENTS, small_catalog, with_agent, with_server
from remit.testing.clock import FixedClock

PERMIT = '@id("all") permit(principal, action, resource);\n'
LIMIT = (
    '@id("limit") forbid(principal, action == Remit::Action::"payments/refund", resource)\n'
    'when { context.arguments.amount.value.greaterThan(decimal("500.00")) };\n'
)
EXPORTS = '@id("exports") forbid(principal, action in Remit::Action::"export", resource);\n'


def asked(
    server=CRM, name="get_account", *, catalog=None, policies=PERMIT, roles=("support",), tenant="acme",
    agent="assistant", standing=None, definitions=NO_DEFINITIONS, suspended=False,
):  # fmt: skip
    catalog = catalog or small_catalog()
    checked, problems = checked_policies([PolicySource(policies, "policies/a.cedar")], catalog)
    assert not problems, problems
    clock = FixedClock()
    within = Surroundings(
        catalog=catalog, policies=OpenPolicies(checked), version="v",
        standing=standing or Standing(as_of=EpochSeconds(0)), definitions=definitions, clock=clock,
        now=clock.now(), open_to=ANY_CALL,
    )  # fmt: skip
    subject = Subject(kind=SubjectKind.USER, id="usr_1", tenant=tenant, roles=roles)
    applicant = Applicant(
        subject=subject, agent=catalog.agents[agent], client_id="cli_1", suspended=suspended
    )
    found = catalog.server_named(server)
    target = find_target(found, ResourceKind.TOOL, name)
    assert target is not None
    return prospect(applicant, found, target, within=within)


def why(found) -> list[str]:
    return [one.kind for one in found.obstacles]


def test_what_scopes_and_policies_allow_is_always_so():
    found = asked()
    assert (found.verdict, found.obstacles, found.conditions) == (Verdict.ALWAYS, (), ())


def test_what_an_argument_decides_depends():
    found = asked(PAYMENTS, "refund", roles=("finance",), policies=PERMIT + LIMIT)
    assert found.verdict is Verdict.DEPENDS
    assert [one.id for one in found.conditions] == ["limit"]


def test_who_has_no_role_for_it_cannot():
    found = asked(PAYMENTS, "refund", roles=("support",))
    assert found.verdict is Verdict.NEVER
    assert why(found) == ["person"]


def test_an_agent_whose_file_has_it_not_cannot():
    catalog = small_catalog()
    agent = replace(catalog.agents["assistant"], scopes=("payments:refund.create",))
    found = asked(catalog=with_agent(catalog, agent))
    assert (found.verdict, why(found)) == (Verdict.NEVER, ["agent"])


def test_what_is_above_clearance_is_so():
    catalog = small_catalog()
    agent = replace(catalog.agents["assistant"], max_sensitivity=Sensitivity.LOW)
    found = asked(PAYMENTS, "refund", roles=("finance",), catalog=with_agent(catalog, agent))
    assert (found.verdict, why(found)) == (Verdict.NEVER, ["above_clearance"])


def test_another_organisations_server_is_out_of_reach():
    found = asked(PAYMENTS, "refund", roles=("finance",), tenant="globex")
    assert found.verdict is Verdict.NEVER
    assert why(found) == ["tenant"]


def test_a_suspended_agent_can_do_nothing():
    assert asked(suspended=True).verdict is Verdict.NEVER
    standing = Standing(as_of=EpochSeconds(0), suspended_agents=frozenset({"assistant"}))
    assert asked(standing=standing).verdict is Verdict.NEVER


def test_what_waits_for_review_is_used_by_nobody():
    waiting = Definitions(quarantined=frozenset({(CRM, ResourceKind.TOOL, "get_account")}))
    assert why(asked(definitions=waiting)) == ["quarantined"]


def test_a_policy_that_forbids_whatever_comes_is_named():
    text = PERMIT + '@id("reads") forbid(principal, action in Remit::Action::"read", resource);\n'
    found = asked(policies=text)
    assert [(one.kind, one.what) for one in found.obstacles] == [("policy", "reads")]


def test_where_no_policy_permits_that_is_said():
    text = '@id("issue") permit(principal, action == Remit::Action::"issue", resource);\n'
    assert why(asked(policies=text)) == ["no_permit"]
    assert why(asked(policies=EXPORTS)) == ["no_permit"]


def test_a_policy_on_issuing_counts_before_any_call():
    text = PERMIT + (
        '@id("no-tokens") forbid(principal, action == Remit::Action::"issue", resource)\n'
        'when { context.agent.id == "assistant" };\n'
    )
    assert [(one.kind, one.what) for one in asked(policies=text).obstacles] == [
        ("policy", "no-tokens")
    ]
    late = text.replace('context.agent.id == "assistant"', "context.time.hour > 20")
    found = asked(policies=late)
    assert found.verdict is Verdict.DEPENDS
    assert [one.id for one in found.issue] == ["no-tokens"]


def test_management_is_never_observed_whatever_the_organisation_does():
    catalog = small_catalog()
    observing = replace(catalog.tenants["acme"], mode=Mode.OBSERVE)
    catalog = replace(catalog, tenants={**catalog.tenants, "acme": observing})
    forbids = (
        PERMIT
        + '@id("no") forbid(principal, action in Remit::Action::"call", resource) when { context.time.hour < 6 };'
    )
    assert asked(catalog=catalog, policies=forbids).observed
    found = asked(MANAGEMENT.name, "users.list", catalog=catalog, policies=forbids)
    assert not found.observed


def test_where_an_engine_elsewhere_permits_that_is_said_and_forbids_stay():
    catalog = small_catalog()
    server = replace(catalog.servers[CRM], engine="cerbos")
    catalog = with_server(catalog, server)
    found = asked(catalog=catalog, policies=PERMIT)
    assert (found.verdict, found.engine) == (Verdict.DEPENDS, "cerbos")
    text = PERMIT + '@id("reads") forbid(principal, action in Remit::Action::"read", resource);\n'
    assert asked(catalog=catalog, policies=text).verdict is Verdict.NEVER


@pytest.mark.parametrize("place", ["agent", "server"])
def test_that_a_key_has_to_be_proved_is_in_nobodys_way_here(place):
    catalog = small_catalog()
    if place == "agent":
        agent = replace(catalog.agents["assistant"], dpop_required=True)
        catalog = with_agent(catalog, agent)
    else:
        catalog = with_server(catalog, replace(catalog.servers[CRM], dpop_required=True))
    assert asked(catalog=catalog).verdict is Verdict.ALWAYS
