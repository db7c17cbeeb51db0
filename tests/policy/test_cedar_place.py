"""Fewer policies, less of a context and an answer from before: none of it changes a decision."""

from dataclasses import replace
from decimal import Decimal

import pytest
from cedarpy import Entities, PolicySet, is_authorized
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remit.clock import EpochSeconds
from remit.model import AgentClass, Operation
from remit.policy import (
    CedarEngine,
    DecisionPoint,
    Money,
    Phase,
    PolicySource,
    ResourceKind,
    SubjectKind,
)
from remit.policy.cedar_request import (
    action_of,
    context_json,
    principal_entity,
    principal_uid,
    resource_entities,
    resource_uid,
)
from remit.policy.check import schema_handle
from remit.policy.decision import DecisionReason
from remit.policy.evaluation import NOT_ELEVATED, Elevation
from remit.policy.vocabulary import ACTION_TYPE
from remit.testing.catalog import small_catalog, with_server
from tests.policy.conftest import PAST

HEADS = [
    "principal, action, resource",
    'principal == Remit::User::"usr_1", action, resource',
    'principal in Remit::User::"usr_2", action, resource',
    "principal is Remit::Workload, action, resource",
    'principal, action in Remit::Action::"call", resource',
    'principal, action == Remit::Action::"crm/get_account", resource',
    'principal, action == Remit::Action::"crm/update_account", resource',
    'principal, action in [Remit::Action::"write", Remit::Action::"issue"], resource',
    'principal, action, resource == Remit::Tool::"crm/get_account"',
]
ATOMS = [
    'principal.roles.contains("support")',
    'principal.roles.contains("finance")',
    'principal.roles.containsAny(["finance", "auditor"])',
    'principal.roles.containsAll(["support", "finance"])',
    '(principal.roles.contains("support") || principal.roles.contains("auditor"))',
    '(principal.roles.contains("auditor") || context.agent.id == "job")',
    'principal.tenant == "acme"',
    '"usr_1" == principal.id',
    'principal == Remit::User::"usr_1"',
    'principal != Remit::User::"usr_1"',
    'principal in Remit::User::"usr_2"',
    "principal is Remit::User",
    '(principal is Remit::Workload in Remit::Workload::"job")',
    '(principal.hasTag("department") && principal.getTag("department") == "sales")',
    '(principal.hasTag("level") && principal.getTag("level") like "a*")',
    'context.agent.id == "assistant"',
    'context.agent.class == "assistant"',
    'context.agent == {"class": "assistant", "id": "assistant", "owner": "platform"}',
    'context.token.client_id == "cli_1"',
    'context.token.scopes.contains("crm:accounts.read")',
    "context.token has acr",
    '(context.token has acr && context.token.acr == "gold")',
    "(context.token has auth_time && context.time.epoch - context.token.auth_time < 100)",
    'context.token.amr.contains("otp")',
    'context.token.purpose == "audit"',
    "context.time.hour < 12",
    "context.time.minute == 0",
    'context.time.weekday == "mon"',
    'context.time.date == "2026-01-05"',
    "context.time.epoch > 1767625201",
    'context.time.zone == "Europe/Berlin"',
    '(context has ip && context.ip.isInRange(ip("192.0.2.0/24")))',
    "context has ip",
    'context.networks.contains("office")',
    'context.networks.containsAny(["vpn", "office"])',
    'context.environment == "prod"',
    'resource has region && resource.region == "eu"',
    "(context.authentication has age_seconds && context.authentication.age_seconds < 300)",
    '(context.authentication has acr && context.authentication.acr == "gold")',
    'context.elevation.roles.contains("finance")',
    '(context.elevation has acr && context.elevation.acr == "urn:remit:acr:mfa")',
    "(context.elevation has age_seconds && context.elevation.age_seconds < 300)",
    'context.elevation.scopes.contains("crm:a.b")',
    "(context has justification)",
    '(context has justification && context.justification like "INC-*")',
    "(context has history && context.history.calls > 2)",
    '(context has history && context.history.spent.greaterThan(decimal("5.0")))',
    "(context has history && context.history.exported)",
    '(context has history && context.history.opened.contains("hr"))',
    "(context has history && context.history.calls + 9223372036854775807 > 0)",
    "resource.sensitivity_rank > 1",
    "resource has tenant",
    "(context has arguments && context.arguments has score)",
    '(context has arguments && context.arguments has account && context.arguments.account == "a")',
    "(context has arguments.score && context.arguments.score + 9223372036854775807 > 0)",
    '(if principal.roles.contains("finance") then context.time.hour > 3 else context has ip)',
    "context.time.epoch + 9223372036854775807 > 0",
    "context.time.hour * 4611686018427387904 > 5",
    'Remit::User::"usr_1".roles.contains("support")',
    '(if principal.tenant == "acme" then principal else principal).id == "usr_1"',
    "true",
    "false",
]


@st.composite
def condition(draw):
    clauses = []
    for _ in range(draw(st.integers(0, 2))):
        atoms = draw(st.lists(st.sampled_from(ATOMS), min_size=1, max_size=3))
        atoms = [f"!({atom})" if draw(st.integers(0, 5)) == 0 else atom for atom in atoms]
        joined = draw(st.sampled_from([" && ", " && ", " || "])).join(atoms)
        clauses.append(f"{draw(st.sampled_from(['when', 'when', 'unless']))} {{ {joined} }}")
    return " ".join(clauses)


ANNOTATIONS = {
    "": "",
    '@require_justification("reason") ': "context has justification"
    ' || (context has arguments && context.arguments has reason && context.arguments.reason != "")',
    '@require_justification("account") ': "context has justification"
    ' || (context has arguments && context.arguments has account && context.arguments.account != "")',
    '@step_up("5m") ': "(context.authentication has age_seconds"
    " && context.authentication.age_seconds <= 300) || (context.elevation has age_seconds"
    " && context.elevation.age_seconds <= 300)",
    '@step_up("urn:remit:acr:mfa") ': "(context.authentication has acr"
    ' && ["urn:remit:acr:mfa", "urn:remit:acr:phr"].contains(context.authentication.acr))'
    " || (context.elevation has acr"
    ' && ["urn:remit:acr:mfa", "urn:remit:acr:phr"].contains(context.elevation.acr))',
    '@confirm("urn:remit:acr:phr") ': "context.elevation has acr"
    ' && ["urn:remit:acr:phr"].contains(context.elevation.acr)',
    '@require_scope("crm:a.b") ': 'context.token.scopes.contains("crm:a.b")'
    ' || context.elevation.scopes.contains("crm:a.b")',
    '@require_approval("finance") ': 'context.elevation.roles.contains("finance")',
    '@mode("observe") ': "",
    '@mode("enforce") ': "",
    '@mode("observe") @require_justification("reason") ': "context has justification"
    ' || (context has arguments && context.arguments has reason && context.arguments.reason != "")',
}
"""What cures a forbid that is so annotated: written out by hand, as a policy without annotations would have it."""
POLICIES = st.lists(
    st.tuples(
        st.sampled_from(["permit", "permit", "forbid", "forbid"]),
        st.sampled_from(HEADS),
        condition(),
        st.sampled_from(["", "", "", *ANNOTATIONS]),
    ),
    min_size=1,
    max_size=7,
)
SUBJECTS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(list(SubjectKind)),
        "id": st.sampled_from(["usr_1", "usr_2", "job"]),
        "tenant": st.sampled_from(["acme", "globex"]),
        "roles": st.sampled_from(
            [(), ("support",), ("support", "finance"), ("finance", "support"), ("auditor",)]
        ),
        "attributes": st.sampled_from(
            [{}, {"department": "sales"}, {"department": "law"}, {"level": "a1"}]
        ),
    }
)
AGENTS = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["assistant", "job"]),
        "agent_class": st.sampled_from([AgentClass.ASSISTANT, AgentClass.UNREGISTERED]),
        "owner": st.sampled_from(["platform", "sales"]),
    }
)
TOKENS = st.fixed_dictionaries(
    {
        "client_id": st.sampled_from(["cli_1", "cli_2"]),
        "scopes": st.sampled_from([(), ("crm:accounts.read",)]),
        "acr": st.sampled_from([None, "gold", "iron"]),
        "amr": st.sampled_from([(), ("otp",)]),
        "auth_time": st.sampled_from([None, 1767625190, 1, 2**63]),
        "purpose": st.sampled_from(["", "audit"]),
    }
)
CONTEXTS = st.fixed_dictionaries(
    {
        "now": st.sampled_from([1767625200, 1767625201, 1767625260, 1767690000, 1767780000]),
        "networks": st.sampled_from([(), ("office",), ("office", "vpn")]),
        "justification": st.sampled_from([None, "INC-1", "because"]),
        "elevation": st.sampled_from(
            [
                NOT_ELEVATED,
                Elevation(roles=("finance",)),
                Elevation(acr="urn:remit:acr:mfa", confirmed_at=EpochSeconds(1767625190)),
                Elevation(acr="urn:remit:acr:phr", confirmed_at=EpochSeconds(2**63)),
                Elevation(roles=("boss", "finance"), scopes=("crm:a.b",)),
            ]
        ),
        "history": st.sampled_from(
            [
                PAST,
                {**PAST, "calls": 3},
                {**PAST, "spent": Decimal("5.0001"), "exported": True},
                {**PAST, "opened": frozenset({"contact"})},
                {**PAST, "calls": True},
                {**PAST, "more": 1},
                {name: PAST[name] for name in ("calls", "spent")},
                {},
                None,
            ]
        ),
        "time_zone": st.sampled_from(["Europe/Berlin", "UTC", "Nowhere/Land"]),
        "ip": st.sampled_from([None, "192.0.2.1", "198.51.100.7", "::ffff:192.0.2.9", "none"]),
        "arguments": st.sampled_from(
            [
                None,
                {"account": "a"},
                {"account": "b"},
                {"account": "a", "score": 1},
                {"account": 1},
                {"account": "a", "score": True},
                {},
            ]
        ),
    }
)
CHANGES = st.lists(
    st.tuples(
        st.sampled_from([Phase.CALL, Phase.CALL, Phase.LIST, Phase.ISSUE]),
        st.sampled_from(["get_account", "update_account"]),
        SUBJECTS,
        AGENTS,
        TOKENS,
        CONTEXTS,
    ),
    min_size=2,
    max_size=8,
)


def question(desk, change):
    phase, tool, subject, agent, token, context = change
    crm = desk.catalog.servers["crm"].tools[tool]
    asked = desk.ask(phase, name=tool, operation=crm.operation, sensitivity=crm.sensitivity)
    resource = asked.resource
    if phase is Phase.ISSUE:
        server = desk.ask(phase).resource
        resource = replace(server, kind=type(server.kind)("server"), name="crm")
    return replace(
        asked,
        subject=replace(asked.subject, **subject),
        agent=replace(asked.agent, **agent),
        token=replace(asked.token, **token),
        context=replace(asked.context, **context),
        resource=resource,
    )


def text_of(policies):
    return "\n".join(
        f'@id("p{n}") {annotations}{effect}({head}) {clauses};'
        for n, (effect, head, clauses, annotations) in enumerate(policies)
    )


def plain_text_of(policies, *, on_trial):
    """The policies on trial, or those in force, without annotations that say anything."""
    return "\n".join(
        f'@id("p{n}") {effect}({head}) {clauses} {cure(effect, annotations)};'
        for n, (effect, head, clauses, annotations) in enumerate(policies)
        if ("observe" in annotations) is on_trial
    )


def cure(effect, annotations):
    condition = ANNOTATIONS[annotations]
    return f"unless {{ {condition} }}" if condition and effect == "forbid" else ""


def valid(desk, policies):
    """Those that check: some atoms and annotations make no sense under some heads."""
    return [one for one in policies if not desk.check(text_of([one]))]


def by_cedar_alone(schema, every, asked):
    """The decision of the bare binding over every policy and all that is known, or that it refuses to say."""
    action = action_of(asked)
    try:
        entities = Entities.from_json_str(resource_entities(asked.resource, action))
        entities = entities.with_added_json_str(principal_entity(asked.subject))
        request = {
            "principal": principal_uid(asked.subject),
            "action": {"type": ACTION_TYPE, "id": action},
            "resource": resource_uid(asked.resource),
            "context": context_json(asked),
        }
        result = is_authorized(request, every, entities, schema)
    except Exception:  # noqa: BLE001  whatever it is, the decision point makes a refusal of it
        return None
    return None if result.diagnostics.errors else result


def is_told_all(asked, text):
    """Whether a question within the schema needs nothing filled in that no policy looks at."""
    past = asked.context.history
    complete = past is not None and past.keys() == PAST.keys()
    return complete or asked.phase is Phase.ISSUE or "context.history" in text


def told(decision):
    """What of a decision anybody can notice. Of errors, that there are some: Cedar numbers what it is given."""
    errors = bool(decision.errors)
    rules = () if errors else (decision.rules, decision.obligations)
    return decision.outcome, decision.reason, rules, errors, decision.observed


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(policies=POLICIES, changes=CHANGES)
def test_a_decision_is_the_one_that_all_policies_make_with_all_that_is_known(
    desk, policies, changes
):
    """One engine is asked one thing after another; what it remembers must never answer for something else."""
    if desk.check(text_of(policies)):
        policies = valid(desk, policies)
    text, schema = text_of(policies), schema_handle(desk.catalog)
    every, on_trial = (
        PolicySet.from_str(plain_text_of(policies, on_trial=trial)) for trial in (False, True)
    )
    trial_ids = [
        name.split('"')[0] for name in plain_text_of(policies, on_trial=True).split('@id("')
    ]
    engine = desk.engine(text)
    point = DecisionPoint(engine, desk.clock)
    for change in [*changes, *changes]:
        asked = question(desk, change)
        decision = point.decide(asked)
        anew = DecisionPoint(Anew(engine), desk.clock).decide(asked)
        assert told(decision) == told(anew)
        if asked.phase is not Phase.LIST and is_told_all(asked, text):
            alone = by_cedar_alone(schema, every, asked)
            assert decision.allowed is (alone is not None and alone.allowed)
            trial = by_cedar_alone(schema, on_trial, asked)
            if trial is not None and alone is not None:
                named = {trial_ids[1 + int(one[6:])] for one in trial.diagnostics.reasons}
                assert {rule.id for rule in decision.observed} == named


class Anew:
    """An engine that remembers nothing and leaves nothing out."""

    def __init__(self, engine: CedarEngine) -> None:
        self._engine = engine
        self.version = engine.version

    def evaluate(self, evaluation):
        return self._engine.evaluate_anew(evaluation)


@pytest.mark.parametrize(
    ("condition", "of", "change"),
    [
        ("context.time.hour < 12", "context", {"now": 1767690000}),
        ('context.time.zone == "UTC"', "context", {"time_zone": "UTC"}),
        (
            'context has ip && context.ip.isInRange(ip("10.0.0.0/8"))',
            "context",
            {"ip": "10.1.1.1"},
        ),
        ('principal.roles.contains("auditor")', "subject", {"roles": ("auditor",)}),
        ('principal.tenant == "globex"', "subject", {"tenant": "globex"}),
        ('principal == Remit::User::"usr_2"', "subject", {"id": "usr_2"}),
        ("principal is Remit::Workload", "subject", {"kind": SubjectKind.WORKLOAD}),
        (
            'principal.hasTag("x") && principal.getTag("x") == "1"',
            "subject",
            {"attributes": {"x": "1"}},
        ),
        ('context.arguments.account == "z"', "context", {"arguments": {"account": "z"}}),
        ('context.token.purpose == "x"', "token", {"purpose": "x"}),
        ('context.agent.class == "autonomous"', "agent", {"agent_class": "autonomous"}),
    ],
)
def test_what_a_policy_reads_is_asked_again_when_it_changes(desk, condition, of, change):
    text = (
        '@id("all") permit(principal, action, resource);\n'
        '@id("no") forbid(principal, action == Remit::Action::"crm/get_account", resource)'
        f" when {{ {condition} }};"
    )
    engine, asked = desk.engine(text), desk.ask()
    if of == "agent":
        change = {"agent_class": AgentClass(change["agent_class"])}
    other = replace(asked, **{of: replace(getattr(asked, of), **change)})
    for _ in range(2):
        assert engine.evaluate(asked).allowed
        assert not engine.evaluate(other).allowed


def test_a_policy_that_is_not_understood_and_says_nothing_of_history_is_not_told_of_it(desk):
    """A list before anything is known of the past: what nobody can read need not be known."""
    text = (
        '@id("all") permit(principal, action, resource);\n'
        '@id("odd") forbid(principal, action == Remit::Action::"crm/get_account", resource)'
        ' when { context.arguments.account == "b"'
        ' && (if principal.tenant == "acme" then principal else principal).id == "usr_2" };'
    )
    engine = desk.engine(text)
    asked = desk.ask(Phase.LIST, arguments={"account": "b"}, history=None)
    for ask in (engine.evaluate, engine.evaluate_anew):
        assert ask(asked).allowed
        refused = replace(asked, subject=replace(asked.subject, id="usr_2"))
        assert ask(refused).reason is DecisionReason.FORBIDDEN


def test_a_truth_value_is_not_taken_for_the_number_it_equals(desk):
    text = (
        '@id("one") permit(principal, action == Remit::Action::"crm/update_account", resource)\n'
        "  when { context.arguments has score && context.arguments.score == 1 };"
    )
    engine = desk.engine(text)
    tool = {"name": "update_account", "operation": Operation.WRITE}
    asked = desk.ask(**tool, arguments={"account": "a", "score": 1})
    assert DecisionPoint(engine, desk.clock).decide(asked).allowed
    asked = desk.ask(**tool, arguments={"account": "a", "score": True})
    decision = DecisionPoint(engine, desk.clock).decide(asked)
    assert decision.reason is DecisionReason.ENGINE_ERROR


def test_other_policies_make_another_engine_which_knows_nothing_of_before(desk):
    point = DecisionPoint(
        desk.engine('@id("all") permit(principal, action, resource);'), desk.clock
    )
    assert point.decide(desk.ask()).allowed
    point.publish(desk.engine(""))
    assert point.decide(desk.ask()).reason is DecisionReason.NO_PERMIT


@pytest.mark.parametrize("arguments", [None, {"account": "a"}], ids=["without", "with"])
def test_issuance_has_no_arguments_whatever_policies_ask_about_them(desk, arguments):
    text = (
        '@id("all") permit(principal, action, resource);\n'
        '@id("no") forbid(principal, action, resource)'
        " when { context has arguments && context.arguments has account };"
    )
    server = {"kind": ResourceKind.SERVER, "name": "crm"}
    asked = desk.ask(Phase.ISSUE, **server, arguments=arguments)
    assert DecisionPoint(desk.engine(text), desk.clock).decide(asked).allowed


def test_an_error_is_met_again_each_time(desk):
    text = (
        '@id("all") permit(principal, action, resource);\n'
        '@id("bad") forbid(principal, action, resource)'
        " when { context.time.hour * 9223372036854775807 > 0 };"
    )
    point = DecisionPoint(desk.engine(text), desk.clock)
    for _ in range(2):
        assert point.decide(desk.ask()).reason is DecisionReason.ENGINE_ERROR


def test_ten_thousand_sorts_of_callers_are_not_all_remembered(desk):
    """More tenants, roles and persons than are kept: each is decided right, the first ones again."""
    roles = [f"role-{n}" for n in range(1_100)]
    text = "\n".join(
        f'@id("{role}") permit(principal, action, resource)'
        f' when {{ principal.roles.contains("{role}") }};'
        for role in roles
    )
    engine = desk.engine(text)
    for role in [*roles, roles[0], roles[1]]:
        decision = engine.evaluate(desk.ask(roles=(role,)))
        assert [rule.id for rule in decision.rules] == [role]


def test_amounts_that_are_equal_are_one_amount_and_others_are_not(desk):
    text = (
        '@id("small") permit(principal, action == Remit::Action::"payments/refund", resource)\n'
        '  when { context.arguments.amount.value.lessThan(decimal("5.0")) };'
    )
    engine = desk.engine(text)
    assert engine.evaluate(desk.refund("4.9")).allowed
    assert engine.evaluate(desk.refund("4.90")).allowed
    assert not engine.evaluate(desk.refund("5.0")).allowed
    assert Money(Decimal("4.9"), "EUR") == Money(Decimal("4.90"), "EUR")


def test_a_thing_that_is_declared_otherwise_is_another_place(desk):
    """The catalog may change while the policies do not: then the facts of the thing are other ones."""
    text = '@id("low") permit(principal, action, resource) when { resource.owner == "sales" };'
    engine = desk.engine(text)
    assert engine.evaluate(desk.ask()).allowed
    moved = replace(desk.ask().resource, owner="law")
    assert not engine.evaluate(replace(desk.ask(), resource=moved)).allowed


def test_sources_in_several_files_are_one_set(desk):
    engine = CedarEngine.load(
        [
            PolicySource('@id("a") permit(principal, action, resource);', "a.cedar"),
            PolicySource(
                '@id("b") forbid(principal, action, resource)'
                ' when { principal.roles.contains("support") };',
                "b.cedar",
            ),
        ],
        with_server(small_catalog(), small_catalog().servers["crm"]),
    )
    assert not engine.evaluate(desk.ask()).allowed
    assert engine.evaluate(desk.ask(roles=())).allowed
