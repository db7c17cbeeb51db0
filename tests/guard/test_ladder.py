"""Which calls are refused, in which order, and what the caller may learn from it."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remit.guard import Challenge, Deny, Permit, RefusalReason
from remit.ids import ScopeName
from remit.model import Sensitivity
from remit.policy import ResourceKind
from remit.testing.catalog import CRM, GLOBEX, PAYMENTS, with_agent, with_server

READ = ScopeName("crm:accounts.read")
WRITE = ScopeName("crm:accounts.write")


async def refusal(world, call):
    outcome = await world.guard.decide(call)
    assert not isinstance(outcome, Permit)
    return outcome


def change_agent(world, **changes):
    catalog = world.directory.catalog
    agent = replace(catalog.agents["assistant"], **changes)
    world.directory.catalog = with_agent(catalog, agent)


def change_server(world, name, **changes):
    catalog = world.directory.catalog
    world.directory.catalog = with_server(catalog, replace(catalog.servers[name], **changes))


# -- the token ----------------------------------------------------------------


async def test_without_a_header_the_caller_is_asked_for_a_token(world):
    outcome = await refusal(world, world.call(authorization=()))
    assert isinstance(outcome, Challenge)
    assert outcome.reason is RefusalReason.MISSING_TOKEN


@pytest.mark.parametrize("values", [("Bearer a b",), ("Bearer a", "Bearer b"), ("Bearer",), ("",)])
async def test_a_malformed_header_is_no_matter_of_another_token(world, values):
    outcome = await refusal(world, world.call(authorization=values))
    assert isinstance(outcome, Deny)
    assert outcome.reason is RefusalReason.MALFORMED_REQUEST


async def test_a_token_for_another_server_is_refused(world):
    outcome = await refusal(world, world.call(raw=world.raw(PAYMENTS)))
    assert outcome.reason is RefusalReason.INVALID_TOKEN
    assert outcome.detail == "the token is for another resource"


async def test_an_expired_token_is_refused_and_says_so(world):
    call = world.call()
    world.clock.advance(600)
    world.stand()
    assert (await refusal(world, call)).detail == "the token has expired"


async def test_a_standing_that_is_too_old_refuses_every_call(world):
    call = world.call()
    world.clock.advance(10)
    assert isinstance(await world.guard.decide(call), Permit)
    world.clock.advance(1)
    assert (await refusal(world, call)).reason is RefusalReason.STALE_SNAPSHOT


@pytest.mark.parametrize(
    "standing",
    [
        {"revoked_grants": frozenset({"gnt_1"})},
        {"revoked_tokens": {"jti_1": 2_000_000_000}},
        {"suspended_agents": frozenset({"assistant"})},
        {"disabled_users": frozenset({"usr_1"})},
        {"disabled_clients": frozenset({"cli_1"})},
    ],
    ids=lambda standing: next(iter(standing)),
)
async def test_what_was_revoked_or_stopped_is_refused_at_once_and_not_told_apart(world, standing):
    assert isinstance(await world.guard.decide(world.call()), Permit)
    world.stand(**standing)
    outcome = await refusal(world, world.call())
    assert isinstance(outcome, Challenge)
    assert outcome.reason is RefusalReason.INVALID_TOKEN
    assert outcome.detail == "the token is no longer good"


async def test_a_token_of_an_agent_that_is_declared_no_more_is_refused(world):
    outcome = await refusal(world, world.call(token={"agent_id": "gone"}))
    assert outcome.detail == "the token is no longer good"


async def test_the_unregistered_agent_may_act_within_its_limits(world):
    token = {"agent_id": "unregistered", "scopes": (READ,)}
    assert isinstance(await world.guard.decide(world.call(token=token)), Permit)
    outcome = await refusal(world, world.call("update_account", token=token))
    assert outcome.reason is RefusalReason.NOT_FOUND


async def test_a_token_of_a_tenant_that_is_gone_is_refused(world):
    outcome = await refusal(world, world.call(token={"organization_id": "gone"}))
    assert outcome.reason is RefusalReason.INVALID_TOKEN


async def test_a_token_with_more_scopes_than_a_token_may_have_is_refused(world):
    guardrails = replace(world.directory.catalog.guardrails, max_scopes_per_token=2)
    world.directory.catalog = replace(world.directory.catalog, guardrails=guardrails)
    assert (await refusal(world, world.call())).reason is RefusalReason.INVALID_TOKEN


# -- the server ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "truth"),
    [
        ({"organization_id": GLOBEX}, "wrong_tenant"),
        ({"environment": "staging"}, "wrong_environment"),
    ],
)
async def test_a_server_of_another_tenant_or_environment_is_not_there(world, token, truth):
    outcome = await refusal(world, world.refund("1", token=token))
    assert outcome.reason is RefusalReason.NOT_FOUND
    assert outcome.about_server
    assert world.recorded.reason == truth


@pytest.mark.parametrize(
    ("changes", "truth"),
    [({"tenants": ()}, "wrong_tenant"), ({"environments": ()}, "wrong_environment")],
)
async def test_limits_of_the_agents_file_hold_for_tokens_issued_before(world, changes, truth):
    change_agent(world, **changes)
    assert (await refusal(world, world.call())).reason is RefusalReason.NOT_FOUND
    assert world.recorded.reason == truth


async def test_a_server_the_catalog_does_not_have_is_not_there(world):
    outcome = await refusal(world, world.call(server="nowhere"))
    assert outcome.about_server
    assert outcome.reason is RefusalReason.NOT_FOUND


# -- the thing ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["nope", "GET_ACCOUNT", "get_account ", "", None])
async def test_only_the_exact_name_of_a_thing_finds_it(world, name):
    outcome = await refusal(world, world.call(name))
    assert (outcome.reason, outcome.detail) == (RefusalReason.NOT_FOUND, "unknown tool")


async def test_a_tool_is_not_found_as_a_prompt(world):
    outcome = await refusal(world, world.call("get_account", kind=ResourceKind.PROMPT))
    assert outcome.reason is RefusalReason.NOT_FOUND


@pytest.mark.parametrize("kind", [None, ResourceKind.SERVER])
async def test_a_call_of_nothing_is_refused(world, kind):
    assert (await refusal(world, world.call(kind=kind))).reason is RefusalReason.NOT_FOUND


async def test_resources_and_prompts_are_decided_like_tools(world):
    assert isinstance(await world.guard.decide(world.read("crm://accounts/7")), Permit)
    assert isinstance(await world.guard.decide(world.read("crm://schema")), Permit)
    prompt = world.call("summary", {}, kind=ResourceKind.PROMPT)
    assert isinstance(await world.guard.decide(prompt), Permit)
    no_scopes = world.read("crm://accounts/7", token={"scopes": ()})
    assert (await refusal(world, no_scopes)).reason is RefusalReason.INSUFFICIENT_SCOPE


@pytest.mark.parametrize(
    "uri", ["crm://accounts/%37", "crm://accounts/7%2d", "crm://accounts/" + "7" * 3_000]
)
async def test_a_resource_is_not_found_under_another_spelling(world, uri):
    """A policy on `crm://accounts/7` would not see that the server reads `%37` so."""
    world.use_policies(
        '@id("all") permit(principal, action, resource);'
        '@id("not-7") forbid(principal, action == Remit::Action::"crm/resource/crm://accounts/{id}", resource)'
        ' when { context.arguments.uri == "crm://accounts/7" };'
    )
    assert (await refusal(world, world.read("crm://accounts/7"))).reason is RefusalReason.FORBIDDEN
    missing = await refusal(world, world.read("crm://nothing"))
    assert replace(await refusal(world, world.read(uri)), decision_id="") == replace(
        missing, decision_id=""
    )


async def test_hidden_things_and_missing_things_are_answered_alike(world):
    """Scope the agent may not have, scope no role brings, clearance, policy: all look like nothing."""
    missing = await refusal(world, world.call("nope"))
    hidden = [
        world.call("export_accounts", token={"roles": ("support",)}),
        world.call("export_accounts", token={"sensitivity": Sensitivity.MEDIUM}),
        world.call("update_account", token={"roles": ("intern", "support")}),
        world.call("update_account", {"account": 5}, token={"roles": ("intern", "support")}),
        world.call("update_account", token={"agent_id": "job", "sub": "job"}),
    ]
    for call in hidden:
        outcome = await refusal(world, call)
        assert replace(outcome, decision_id="") == replace(missing, decision_id="")
    truths = [event.reason for event in world.audit.events]
    assert truths == [
        "not_found",
        "insufficient_scope",
        "above_clearance",
        "forbidden",
        "forbidden",
        "insufficient_scope",
    ]


async def test_the_clearance_of_the_agents_file_holds_now(world):
    change_agent(world, max_sensitivity=Sensitivity.LOW)
    outcome = await refusal(world, world.call("update_account"))
    assert outcome.reason is RefusalReason.NOT_FOUND


# -- scopes -------------------------------------------------------------------


async def test_missing_scopes_are_named_all_at_once(world):
    outcome = await refusal(world, world.call("update_account", token={"scopes": ()}))
    assert isinstance(outcome, Challenge)
    assert outcome.reason is RefusalReason.INSUFFICIENT_SCOPE
    assert outcome.scopes == (READ, WRITE)
    assert world.recorded.scopes_missing == (READ, WRITE)


async def test_a_modern_client_is_told_what_the_operation_needs_alone(world):
    token = {"scopes": (READ, ScopeName("crm:accounts.export"))}
    outcome = await refusal(world, world.call("update_account", token=token))
    assert outcome.scopes == (READ, WRITE)


@pytest.mark.parametrize("version", ["2025-11-25", "2025-03-26", None])
async def test_a_legacy_client_is_told_what_it_has_as_well(world, version):
    token = {"scopes": (ScopeName("crm:accounts.export"), READ)}
    outcome = await refusal(
        world, world.call("update_account", token=token, protocol_version=version)
    )
    assert outcome.scopes == (ScopeName("crm:accounts.export"), READ, WRITE)


async def test_a_wider_scope_covers_a_narrower_one(world):
    assert isinstance(await world.guard.decide(world.call(token={"scopes": (READ,)})), Permit)


async def test_a_scope_taken_from_the_agents_file_counts_no_more(world):
    change_agent(world, scopes=(READ,))
    outcome = await refusal(world, world.call("update_account"))
    assert outcome.reason is RefusalReason.NOT_FOUND


async def test_a_scope_forbidden_by_a_guardrail_counts_no_more(world):
    guardrails = replace(world.directory.catalog.guardrails, forbidden_scopes=(WRITE,))
    world.directory.catalog = replace(world.directory.catalog, guardrails=guardrails)
    outcome = await refusal(world, world.call("update_account"))
    assert outcome.reason is RefusalReason.NOT_FOUND


async def test_a_scope_bound_to_a_tenant_is_only_ever_the_callers_own(world):
    own = {"scopes": (ScopeName("tenant:read:acme"),)}
    assert isinstance(await world.guard.decide(world.call("read_tenant", token=own)), Permit)
    foreign = {"scopes": (ScopeName("tenant:read:globex"),)}
    outcome = await refusal(world, world.call("read_tenant", token=foreign))
    assert outcome.reason is RefusalReason.INSUFFICIENT_SCOPE
    assert outcome.scopes == ("tenant:read:acme",)
    literal = {"scopes": (ScopeName("tenant:read:{organization_id}"),)}
    assert isinstance(await refusal(world, world.call("read_tenant", token=literal)), Challenge)


async def test_no_client_is_sent_for_scopes_that_policy_would_not_honour(world):
    token = {"scopes": (READ,), "roles": ("support", "intern")}
    outcome = await refusal(world, world.call("update_account", token=token))
    assert outcome.reason is RefusalReason.NOT_FOUND
    assert world.recorded.reason == "forbidden"


# -- arguments and policy -----------------------------------------------------


@pytest.mark.parametrize("arguments", [{}, {"account": 5}, {"account": None}, {"account": ["a"]}])
async def test_arguments_of_another_type_are_refused_before_policy_sees_them(world, arguments):
    outcome = await refusal(world, world.call(arguments=arguments))
    assert outcome.reason is RefusalReason.INVALID_ARGUMENTS
    assert "`account`" in outcome.detail


@pytest.mark.parametrize("value", ["500.00", 500, 500.0, "0.0001", -3])
async def test_an_amount_within_the_limit_goes_through(world, value):
    assert isinstance(await world.guard.decide(world.refund(value)), Permit)


@pytest.mark.parametrize("value", ["500.01", 500.01, 501, "500.0001"])
async def test_an_amount_above_the_limit_is_refused_in_the_policys_own_words(world, value):
    outcome = await refusal(world, world.refund(value))
    assert isinstance(outcome, Deny)
    assert outcome.reason is RefusalReason.FORBIDDEN
    assert outcome.detail == "a refund above 500 needs a person"


@pytest.mark.parametrize("value", ["500.00009", "1e3", True, "", "5,00", [500], None])
async def test_an_amount_that_is_not_exact_is_refused(world, value):
    assert (await refusal(world, world.refund(value))).reason is RefusalReason.INVALID_ARGUMENTS


async def test_without_a_policy_that_permits_everything_is_refused(world):
    world.use_policies("")
    outcome = await refusal(world, world.call())
    assert outcome.reason is RefusalReason.NOT_FOUND
    assert world.recorded.reason == "forbidden"


async def test_a_permit_that_depends_on_arguments_shows_the_thing_and_refuses_the_call(world):
    world.use_policies(
        '@id("one") permit(principal, action == Remit::Action::"crm/get_account", resource)'
        ' when { context.arguments.account == "acc_1" };'
    )
    assert isinstance(await world.guard.decide(world.call()), Permit)
    outcome = await refusal(world, world.call(arguments={"account": "acc_2"}))
    assert (outcome.reason, outcome.detail) == (
        RefusalReason.FORBIDDEN,
        "no policy permits this call",
    )


async def test_a_workload_is_no_user(world):
    world.use_policies(
        '@id("jobs") permit(principal is Remit::Workload, action, resource)'
        ' when { principal.id == "job" };'
    )
    job = {"agent_id": "job", "sub": "job", "roles": ()}
    assert isinstance(await world.guard.decide(world.call(token=job)), Permit)
    assert world.recorded.context.user_id is None
    assert isinstance(await world.guard.decide(world.call()), Deny)


# -- lists --------------------------------------------------------------------


async def names(world, **changes):
    visible = await world.guard.visible(world.list(**changes))
    return visible.names.get(ResourceKind.TOOL, frozenset())


EVERY_SCOPE = {
    "scopes": (
        "crm:accounts.read",
        "crm:accounts.write",
        "crm:accounts.export",
        "tenant:read:acme",
    )
}


async def test_what_the_token_may_use_is_listed(world):
    assert await names(world, token=EVERY_SCOPE) == {
        "get_account",
        "update_account",
        "export_accounts",
        "read_tenant",
    }


async def test_what_another_token_could_use_is_not_listed_and_is_named_when_called(world):
    token = {"scopes": ("crm:accounts.read",)}
    assert "update_account" not in await names(world, token=token)
    outcome = await world.guard.decide(world.call("update_account", {"account": "a"}, token=token))
    assert outcome.reason is RefusalReason.INSUFFICIENT_SCOPE
    assert "crm:accounts.write" in outcome.scopes


@pytest.mark.parametrize(
    ("token", "hidden"),
    [
        ({"roles": ("support",)}, "export_accounts"),
        ({"sensitivity": Sensitivity.MEDIUM}, "export_accounts"),
        ({"sensitivity": Sensitivity.LOW}, "update_account"),
        ({"roles": ("intern", "support")}, "update_account"),
    ],
)
async def test_what_the_caller_could_never_use_is_not_listed(world, token, hidden):
    assert hidden not in await names(world, token={**EVERY_SCOPE, **token})


async def test_a_forbid_that_looks_at_arguments_does_not_hide(world):
    assert await names(world, server=PAYMENTS) == {"refund"}


async def test_a_forbid_that_looks_at_the_clock_hides(world):
    world.clock.set(1_767_661_200)  # 02:00 in Berlin
    world.stand()
    assert "export_accounts" not in await names(world, token=EVERY_SCOPE)


async def test_a_list_of_every_kind_has_every_kind(world):
    visible = await world.guard.visible(world.list(kind=None))
    assert visible.names[ResourceKind.RESOURCE] == {"crm://schema", "crm://accounts/{id}"}
    assert visible.names[ResourceKind.PROMPT] == {"summary"}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    roles=st.sets(st.sampled_from(["support", "finance", "intern"])),
    scopes=st.sets(
        st.sampled_from(["crm:accounts.read", "crm:accounts.write", "crm:accounts.export"])
    ),
    sensitivity=st.sampled_from(list(Sensitivity)),
    agent=st.sampled_from(["assistant", "job", "unregistered"]),
    arguments=st.sampled_from([{}, {"account": "a"}, {"account": 1}]),
    tool=st.sampled_from(["get_account", "update_account", "export_accounts", "read_tenant"]),
)
async def test_a_thing_is_listed_exactly_when_this_token_might_call_it(
    world, roles, scopes, sensitivity, agent, arguments, tool
):
    token = {
        "roles": tuple(sorted(roles)),
        "scopes": tuple(sorted(scopes)),
        "sensitivity": sensitivity,
        "agent_id": agent,
    }
    listed = await names(world, token=token)
    outcome = await world.guard.decide(world.call(tool, arguments, token=token))
    unusable = {RefusalReason.NOT_FOUND, RefusalReason.INSUFFICIENT_SCOPE}
    usable = isinstance(outcome, Permit) or outcome.reason not in unusable
    assert usable == (tool in listed)


# -- no one condition may be missing -------------------------------------------

VIOLATIONS = {
    "another issuer": {"token": {"iss": "https://evil.example"}},
    "another audience": {"token": {"aud": "https://remit.example/mcp/payments"}},
    "expired": {"token": {"iat": 1_767_620_000, "exp": 1_767_625_200}},
    "an unknown agent": {"token": {"agent_id": "nobody"}},
    "an unknown tenant": {"token": {"organization_id": "nobody"}},
    "another environment": {"token": {"environment": "staging"}},
    "no scopes": {"token": {"scopes": ()}},
    "another scope": {"token": {"scopes": (ScopeName("crm:account.read"),)}},
    "a low clearance": {"token": {"sensitivity": Sensitivity.LOW}},
    "a forbidden role": {"token": {"roles": ("intern", "support")}},
    "a revoked grant": {"token": {"grant_id": "gnt_revoked"}},
    "a revoked token": {"token": {"jti": "jti_revoked"}},
    "a disabled user": {"token": {"sub": "usr_disabled"}},
    "a disabled client": {"token": {"client_id": "cli_disabled"}},
    "no header": {"authorization": ()},
    "another server": {"server": "nowhere"},
    "another tool": {"name": "update_accounts"},
    "another kind": {"kind": ResourceKind.PROMPT},
    "a missing argument": {"arguments": {"score": 1}},
    "a mistyped argument": {"arguments": {"account": "a", "score": True}},
}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    violated=st.sets(st.sampled_from(sorted(VIOLATIONS)), min_size=0, max_size=4),
    account=st.text(max_size=20).filter(lambda text: text.isprintable()),
    score=st.integers(-(2**63), 2**63 - 1),
    extra=st.dictionaries(
        st.text("abc", max_size=3), st.integers(-9, 9) | st.booleans(), max_size=3
    ),
)
async def test_no_call_is_permitted_with_any_one_condition_violated(
    world, violated, account, score, extra
):
    world.stand(
        revoked_grants=frozenset({"gnt_revoked"}),
        revoked_tokens={"jti_revoked": 2_000_000_000},
        disabled_users=frozenset({"usr_disabled"}),
        disabled_clients=frozenset({"cli_disabled"}),
    )
    arguments = {f"x-{name}": value for name, value in extra.items()}
    arguments |= {"account": account, "score": score}
    changes = {"name": "update_account", "arguments": arguments, "token": {}}
    for name in sorted(violated):
        violation = VIOLATIONS[name]
        changes["token"] = changes["token"] | violation.get("token", {})
        changes |= {key: value for key, value in violation.items() if key != "token"}
    outcome = await world.guard.decide(world.call(**changes))
    assert isinstance(outcome, Permit) == (not violated)


async def test_a_server_moved_to_another_tenant_is_gone_for_tokens_issued_before(world):
    assert isinstance(await world.guard.decide(world.call()), Permit)
    change_server(world, CRM, tenant=GLOBEX)
    assert (await refusal(world, world.call())).reason is RefusalReason.NOT_FOUND


async def test_a_list_of_which_nothing_could_be_decided_is_refused_and_not_empty(world):
    class Failing:
        version = "v1"

        def evaluate(self, evaluation):
            raise RuntimeError("x")

        def history_read(self, resource):
            return frozenset()

    world.decisions.publish(Failing())
    refused = await world.guard.visible(world.list())
    assert refused.reason is RefusalReason.ENGINE_ERROR
    assert world.recorded.reason == "engine_error"
