"""Cases against what the guard really decides: both examples, and every sort of answer."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from remit.casebook import Outcome, Status, run_tables, run_tables_live, tables_of
from remit.model import EngineKind, ExternalEngine
from remit.policy import Evaluation
from remit.policy.places import places_of, without
from remit.policy.port import Answer, EngineUnavailableError
from remit.repository import LoadedRepository, load_contents

REFUND = "tool: payments/refund\narguments: { amount: 120, invoice_id: inv-77, reason: late }"
ELSEWHERE = b"""\
defaults: { agent: support-assistant }
people:
  ann: { tenant: acme, roles: [support] }
  kim: { tenant: globex, roles: [support] }
cases:
  - name: the own account
    tool: crm/get_account
    columns: [who, arguments.organization_id, arguments.account_id, expect]
    rows:
      - [ann, acme, acc-101, allow]
      - [kim, globex, acc-201, allow]
"""


@pytest.mark.parametrize("which", ["example", "complete"])
def test_every_case_of_the_examples_comes_out_as_expected(which, request):
    repository: LoadedRepository = request.getfixturevalue(which)
    report = run_tables(repository, tables_of(repository.contents))
    unlike = [(one.case.place, one.case.title, one.differences, one.why) for one in report.results if one.status is not Status.PASSED]  # fmt: skip
    assert unlike == []
    assert report.passed
    assert report.catalog_version == repository.catalog.version


def test_every_policy_of_the_complete_example_decides_some_case_and_stands_aside_in_another(
    complete,
):
    coverage = run_tables(complete, tables_of(complete.contents)).coverage
    assert coverage.silent_policies == ()
    assert [one.id for one in coverage.policies if one.points[0] < one.points[1]] == []
    # Nobody's agent closes the ledger, whatever anybody asks.
    assert [one.name for one in coverage.things if one.points[0] < 2] == ["payments/close_ledger"]


def test_whichever_policy_is_taken_away_some_case_notices(complete):
    tables = tables_of(complete.contents)
    survived = []
    for policy in places_of(complete.policies):
        weaker = replace(complete, policies=tuple(without(complete.policies, policy)))
        if run_tables(weaker, tables).passed:
            survived.append(policy)
    assert survived == []


@pytest.mark.parametrize(
    ("case", "outcome", "reason"),
    [
        (REFUND, Outcome.ALLOW, "permitted"),
        (REFUND.replace("120", "700"), Outcome.DENY, "confirmation_needed"),
        (REFUND.replace("120", "lots"), Outcome.DENY, "invalid_arguments"),
        (f"{REFUND}\nscopes: [payments:invoices.read]", Outcome.CHALLENGE, "insufficient_scope"),
        (f"{REFUND}\nwho: sam", Outcome.HIDDEN, "insufficient_scope"),
        ("tool: payments/close_ledger\narguments: { month: x }", Outcome.HIDDEN, "above_clearance"),
        ("tool: payments/no_such_tool", Outcome.HIDDEN, "not_found"),
        ("resource: crm/crm://handbook", Outcome.ALLOW, "permitted"),
        ("resource: crm/crm://elsewhere", Outcome.HIDDEN, "not_found"),
        ("prompt: crm/summarise_account", Outcome.ALLOW, "permitted"),
        ("issue: payments\nscopes: payments:ledger.admin", Outcome.DENY, "not_granted"),
        ("issue: payments", Outcome.ALLOW, "permitted"),
        ("list: payments", Outcome.ALLOW, "permitted"),
    ],
)
def test_an_answer_is_what_the_caller_would_hear_and_the_truth_behind_it(
    one, case, outcome, reason
):
    result = one(f"{case}\nexpect: {outcome.value}")
    assert result.found.outcome is outcome
    assert result.found.reason == reason
    assert result.status is Status.PASSED


def test_what_was_not_expected_is_told_with_why(one):
    result = one(f"{REFUND.replace('120', '700')}\nexpect: {{ outcome: allow, rules: [] }}")
    assert result.status is Status.FAILED
    assert [(d.what, d.expected, d.found) for d in result.differences] == [
        ("outcome", "allow", "deny"),
        ("rules", "none", "refund-limit"),
    ]


def test_a_token_holds_what_person_agent_and_roles_could_give_unless_the_case_says_otherwise(one):
    all_of_it = one(f"{REFUND}\nexpect: allow").found
    assert set(all_of_it.held) == {"payments:refunds.create", "payments:invoices.read"}
    less = one(f"{REFUND}\nscopes: [payments:invoices.read]\nexpect: challenge").found
    assert less.held == ("payments:invoices.read",)
    assert less.missing == ("payments:refunds.create",)
    assert less.scopes == ("payments:refunds.create",)


def test_no_scope_that_is_claimed_counts_beyond_what_could_be_had(one):
    case = "tool: crm/delete_account\narguments: { organization_id: acme, account_id: a }"
    result = one(f"{case}\nscopes: [crm:accounts.delete]\nexpect: hidden")
    assert result.status is Status.PASSED


def test_a_case_for_other_stages_is_left_out_and_counts_neither_way(run):
    report = run("""
defaults: { who: ann, agent: support-assistant, tool: crm/list_accounts, arguments: { organization_id: acme } }
cases:
  - { name: everywhere, expect: allow }
  - { name: there, stages: prod, expect: deny }
""")
    assert [one.status for one in report.results] == [Status.PASSED, Status.LEFT_OUT]
    assert report.passed


def test_no_cases_prove_nothing(run):
    assert not run("about: nothing yet\n").passed


def test_what_a_stage_does_not_have_is_not_run_and_the_run_has_not_passed(example):
    tables = tables_of({"tests/x.yaml": b"""
people: { ann: { tenant: acme } }
cases:
  - { name: an agent that is gone, who: ann, agent: gone, tool: crm/list_accounts, expect: allow }
  - { name: a server that is gone, who: ann, agent: support-assistant, tool: gone/x, expect: hidden }
"""})  # fmt: skip
    report = run_tables(example, tables)
    assert [one.status for one in report.results] == [Status.NOT_RUN, Status.NOT_RUN]
    assert "`gone`" in report.results[0].why
    assert not report.passed


class Elsewhere:
    """An engine in another process: permits what it is asked for one organisation, or does not answer at all."""

    name = "other"
    version = None

    def __init__(self, *, answers: bool = True) -> None:
        self.answers = answers
        self.asked = 0

    def find(self, declared: ExternalEngine) -> "Elsewhere":
        return self

    async def evaluate_all(self, evaluations: Sequence[Evaluation]) -> Sequence[Answer]:
        await asyncio.sleep(0)
        if not self.answers:
            raise EngineUnavailableError("nobody is there")
        self.asked += len(evaluations)
        return [Answer(question=one, allowed=one.subject.tenant == "acme") for one in evaluations]


@pytest.fixture
def decided_elsewhere(example):
    """The example, in which another engine permits what is asked of `crm`."""
    contents = dict(example.contents)
    contents["remit.yaml"] += (
        b"\nengines:\n  other: { kind: authzen, url: 'http://127.0.0.1:9/' }\n"
    )
    contents["servers/crm.yaml"] += b"\nengine: other\n"
    loaded = load_contents({name: data for name, data in contents.items() if not name.startswith("tests/")})  # fmt: skip
    assert loaded.catalog.engines["other"].kind is EngineKind.AUTHZEN
    return loaded


def test_what_an_engine_elsewhere_decides_is_not_run_unless_it_is_asked(decided_elsewhere):
    report = run_tables(decided_elsewhere, tables_of({"tests/x.yaml": ELSEWHERE}))
    assert {one.status for one in report.results} == {Status.NOT_RUN}
    assert not report.passed


async def test_an_engine_that_answers_is_believed(decided_elsewhere):
    engine = Elsewhere()
    tables = tables_of({"tests/x.yaml": ELSEWHERE})
    report = await run_tables_live(decided_elsewhere, tables, engine)
    assert [one.status for one in report.results] == [Status.PASSED, Status.FAILED]
    assert engine.asked


async def test_an_engine_that_does_not_answer_leaves_its_cases_not_run(decided_elsewhere):
    tables = tables_of({"tests/x.yaml": ELSEWHERE})
    report = await run_tables_live(decided_elsewhere, tables, Elsewhere(answers=False))
    assert {one.status for one in report.results} == {Status.NOT_RUN}
    assert "nobody is there" in report.results[0].why


async def test_asked_or_not_the_rest_comes_out_alike(example):
    tables = tables_of(example.contents)
    apart = run_tables(example, tables)
    live = await run_tables_live(example, tables, Elsewhere())
    assert [(one.status, one.found) for one in live.results] == [(one.status, one.found) for one in apart.results]  # fmt: skip


def test_selected_cases_alone_are_run_and_each_result_is_told_as_it_comes(example):
    told = []
    report = run_tables(
        example,
        tables_of(example.contents),
        selection=lambda case: case.file.endswith("workloads.yaml"),
        progress=told.append,
    )
    assert tuple(told) == report.results
    assert {one.case.file for one in told} == {"tests/workloads.yaml"}
