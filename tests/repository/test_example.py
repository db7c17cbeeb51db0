"""What the policies of the example decide: the table that its comments promise."""

import re
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from remit.clock import EpochSeconds
from remit.ids import AgentId
from remit.model import AgentClass, Catalog, Operation, Sensitivity
from remit.policy import (
    AgentFacts,
    ArgumentValue,
    CedarEngine,
    Context,
    Decision,
    DecisionReason,
    Evaluation,
    Money,
    Phase,
    ResourceFacts,
    ResourceKind,
    Subject,
    SubjectKind,
    TokenFacts,
)
from remit.repository import load_repository, write_example

WEDNESDAY_NOON = (2026, 11, 18, 12, 0)


class Example:
    """The example's policies, and questions to them."""

    def __init__(self, folder: Path) -> None:
        write_example(folder)
        loaded = load_repository(folder)
        self.catalog: Catalog = loaded.catalog
        self.engine = CedarEngine.load(loaded.policies, loaded.catalog)

    def ask(
        self,
        name: str,
        arguments: dict[str, ArgumentValue] | None,
        *,
        tenant: str = "acme",
        kind: SubjectKind = SubjectKind.USER,
        agent_class: AgentClass = AgentClass.ASSISTANT,
        when: tuple[int, int, int, int, int] = WEDNESDAY_NOON,
        ip: str | None = "203.0.113.7",
        phase: Phase = Phase.CALL,
    ) -> Decision:
        zone = self.catalog.tenants[tenant].time_zone
        return self.engine.evaluate(
            Evaluation(
                phase=phase,
                subject=Subject(kind=kind, id="dana", tenant=tenant, roles=("support",)),
                agent=AgentFacts(
                    id="a", agent_class=agent_class, owner="o", max_sensitivity=Sensitivity.CRITICAL
                ),
                token=TokenFacts(client_id="c", scopes=("crm:accounts.read",)),
                resource=self._facts(name),
                context=Context(
                    now=EpochSeconds(int(datetime(*when, tzinfo=ZoneInfo(zone)).timestamp())),
                    time_zone=zone,
                    ip=ip,
                    arguments=arguments,
                ),
            )
        )

    def _facts(self, name: str) -> ResourceFacts:
        server = self.catalog.servers[name.partition("/")[0]]
        thing_name = name.partition("/")[2]
        if not thing_name:
            return ResourceFacts(
                kind=ResourceKind.SERVER, server=server.name, name=server.name, tenant=None,
                environment=server.environment, operation=Operation.READ, sensitivity=Sensitivity.LOW,
            )  # fmt: skip
        resource = next((one for one in server.resources if one.uri == thing_name), None)
        thing = resource or server.tools[thing_name]
        return ResourceFacts(
            kind=ResourceKind.RESOURCE if resource else ResourceKind.TOOL, server=server.name, name=thing_name,
            tenant=None, environment=server.environment, operation=thing.operation, sensitivity=thing.sensitivity,
        )  # fmt: skip


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    return Example(tmp_path_factory.mktemp("example") / "policy")


ACME = {"organization_id": "acme", "account_id": "acc-1001"}
GLOBEX = {"organization_id": "globex", "account_id": "acc-2001"}
ACCOUNT = "crm/crm://accounts/{account_id}"


def refund(amount: str) -> dict[str, ArgumentValue]:
    return {"amount": Money(Decimal(amount), "USD"), "invoice_id": "inv-77", "reason": "damaged"}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("crm/get_account", ACME),
        ("crm/update_account", ACME),
        ("crm/delete_account", ACME),
        ("crm/export_accounts", {"organization_id": "acme"}),
        ("crm/crm://handbook", {"uri": "crm://handbook"}),
        (ACCOUNT, {"uri": "crm://accounts/acc-1001"}),
        ("payments/get_invoice", {"invoice_id": "inv-77"}),
        ("payments/refund", refund("500.00")),
    ],
)
def test_what_the_scopes_allow_is_permitted(
    example: Example, name: str, arguments: dict[str, ArgumentValue]
) -> None:
    decision = example.ask(name, arguments)
    assert decision.allowed, decision
    assert [rule.id for rule in decision.rules] == ["call-what-the-scopes-allow"]


def test_a_token_may_be_issued_for_a_server(example: Example) -> None:
    decision = example.ask("crm", None, phase=Phase.ISSUE)
    assert [rule.id for rule in decision.rules] == ["issue-tokens"]
    assert decision.allowed


@pytest.mark.parametrize(
    ("name", "arguments", "rule"),
    [
        ("crm/get_account", GLOBEX, "own-organisation"),
        ("crm/update_account", {**ACME, "organization_id": "Acme"}, "own-organisation"),
        (ACCOUNT, {"uri": "crm://accounts/acc-2001"}, "own-accounts"),
        ("payments/refund", refund("500.01"), "refund-limit"),
        ("payments/refund", refund("2400.00"), "refund-limit"),
    ],
)
def test_what_a_rule_takes_away_is_refused_in_its_words(
    example: Example, name: str, arguments: dict[str, ArgumentValue], rule: str
) -> None:
    decision = example.ask(name, arguments)
    assert decision.reason is DecisionReason.FORBIDDEN
    assert [one.id for one in decision.rules] == [rule]
    assert all(one.message for one in decision.rules)


def test_each_organisation_has_its_own_data(example: Example) -> None:
    assert example.ask("crm/get_account", GLOBEX, tenant="globex").allowed
    assert example.ask(ACCOUNT, {"uri": "crm://accounts/acc-2001"}, tenant="globex").allowed
    assert not example.ask("crm/get_account", ACME, tenant="globex").allowed
    assert not example.ask(ACCOUNT, {"uri": "crm://accounts/acc-1001"}, tenant="globex").allowed


@pytest.mark.parametrize(
    ("when", "allowed"),
    [
        ((2026, 11, 18, 9, 0), True),
        ((2026, 11, 18, 16, 59), True),
        ((2026, 11, 18, 8, 59), False),
        ((2026, 11, 18, 17, 0), False),
        ((2026, 11, 21, 12, 0), False),
        ((2026, 11, 22, 12, 0), False),
    ],
)
@pytest.mark.parametrize(("tenant", "arguments"), [("acme", ACME), ("globex", GLOBEX)])
def test_deletions_wait_for_business_hours_where_the_tenant_is(
    example: Example,
    tenant: str,
    arguments: dict[str, ArgumentValue],
    when: tuple[int, int, int, int, int],
    *,
    allowed: bool,
) -> None:
    assert example.ask("crm/delete_account", arguments, tenant=tenant, when=when).allowed is allowed


@pytest.mark.parametrize(
    ("ip", "allowed"),
    [("10.20.3.4", True), ("10.21.3.4", False), ("127.0.0.1", False), (None, False)],
)
def test_out_of_hours_only_the_office_network_deletes(
    example: Example, ip: str | None, *, allowed: bool
) -> None:
    assert (
        example.ask("crm/delete_account", ACME, when=(2026, 11, 22, 3, 0), ip=ip).allowed is allowed
    )


def test_workloads_read_and_change_nothing(example: Example) -> None:
    assert example.ask(
        "payments/get_invoice", {"invoice_id": "x"}, kind=SubjectKind.WORKLOAD
    ).allowed
    for name, arguments in [
        ("crm/update_account", ACME),
        ("crm/delete_account", ACME),
        ("crm/export_accounts", {"organization_id": "acme"}),
        ("payments/refund", refund("1.00")),
        ("payments/close_ledger", {"month": "2026-10"}),
    ]:
        decision = example.ask(name, arguments, kind=SubjectKind.WORKLOAD)
        assert [rule.id for rule in decision.rules] == ["workloads-only-read"], name


def test_autonomous_agents_leave_critical_things_alone(example: Example) -> None:
    month: dict[str, ArgumentValue] = {"month": "2026-10"}
    assert example.ask("payments/close_ledger", month).allowed
    decision = example.ask("payments/close_ledger", month, agent_class=AgentClass.AUTONOMOUS)
    assert [rule.id for rule in decision.rules] == ["autonomous-agents-stay-below-critical"]


def test_a_tool_whose_arguments_decide_is_listed(example: Example) -> None:
    assert example.ask("payments/refund", None, phase=Phase.LIST).allowed
    assert example.ask("crm/get_account", None, phase=Phase.LIST).allowed
    assert not example.ask(
        "crm/delete_account", None, phase=Phase.LIST, when=(2026, 11, 22, 3, 0)
    ).allowed


def test_who_administers_remit_as_the_comments_show_it_fits_into_the_limits(tmp_path: Path) -> None:
    write_example(tmp_path)
    roles = tmp_path / "roles.yaml"
    above, _, rest = roles.read_text().partition("  # auditor:\n")
    commented, _, below = rest.partition("  #\n  # And agents/operator.yaml")
    shown = "".join(f"{line}\n".replace("  # ", "  ", 1) for line in commented.splitlines())
    agent = [line for line in below.splitlines() if line.startswith("  #   ")]
    roles.write_text(f"{above}  auditor:\n{shown}\n{below.partition(chr(10) * 2)[2]}")
    file = "".join(f"{line.removeprefix('  #   ')}\n" for line in agent)
    (tmp_path / "agents" / "operator.yaml").write_text(file)
    auditor = "[remit:agents.read, remit:audit.read, remit:grants.read, remit:users.read]"
    looks = re.sub(r"scopes: \[.*\]", f"scopes: {auditor}", file).replace("operator-", "auditor-")
    (tmp_path / "agents" / "auditor.yaml").write_text(looks)
    catalog = load_repository(tmp_path).catalog
    limits = catalog.guardrails
    for name in ("auditor", "operator"):
        scopes = catalog.roles[name].scopes
        assert limits.max_scopes_per_token is not None
        assert len(scopes) <= limits.max_scopes_per_token
        assert set(catalog.agents[AgentId(name)].scopes) <= set(scopes)
    assert all(one.endswith(".read") for one in catalog.roles["auditor"].scopes)
