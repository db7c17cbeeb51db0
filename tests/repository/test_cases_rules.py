"""Mistakes in decision tables: all at once, each with its file, line and column, and with what was meant."""

import pytest

from remit.documents import Problem
from remit.repository import load_contents
from remit.repository.files import files_of
from remit.repository.loading import examine

from .conftest import FILES

HISTORY = """\
stages: [staging, prod]
history:
  calls: { measure: count }
  touched: { measure: tools }
"""
JOB = """\
name: Job
owner: lead@acme.example
class: workload
scopes: [crm:accounts.read]
environments: [prod]
tenants: [acme, globex]
"""
HEAD = """\
people:
  ann: { tenant: acme, roles: [support] }
defaults: { who: ann, agent: helper }
cases:
"""


def problems_of(table: str, **others: str) -> tuple[Problem, ...]:
    files = {
        **FILES,
        "remit.yaml": FILES["remit.yaml"] + HISTORY,
        "agents/job.yaml": JOB,
        "tests/some.yaml": table,
        **{f"tests/{name}.yaml": text for name, text in others.items()},
    }
    contents = {name: text.encode() for name, text in files.items()}
    return examine(files_of(contents)).findings.problems


def cases(text: str) -> tuple[Problem, ...]:
    return problems_of(HEAD + text)


def test_a_table_without_a_mistake_is_none():
    assert cases("""\
  - { name: a, tool: crm/get, expect: allow }
  - { name: b, tool: crm/gone, expect: hidden }
  - { name: c, list: crm, expect: { sees: get } }
  - { name: d, issue: crm, scopes: crm:accounts.read, expect: { granted: crm:accounts.read } }
  - { name: e, tool: crm/get, history: { calls: 3, touched: [crm/get] }, stages: prod, expect: allow }
  - { name: f, who: ~, agent: job, tenant: acme, tool: crm/get, expect: allow }
  - name: g
    tool: crm/get
    columns: [at, arguments.x, history.calls, expect, expect.rules]
    rows: [[mon 10:00, 1, 2, allow, all], [~, ~, ~, allow]]
""") == ()  # fmt: skip


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("who: anna, tool: crm/get, expect: allow", "unknown person `anna`; did you mean `ann`?"),
        ("agent: helpr, tool: crm/get, expect: allow", "unknown agent `helpr`; did you mean `helper`?"),
        ("tool: crn/get, expect: allow", "unknown server `crn`; did you mean `crm`?"),
        ("tool: crm/gett, expect: deny", "unknown tool `gett`; did you mean `get`?"),
        ("prompt: crm/gett, expect: deny", "unknown prompt `gett`"),
        ("tool: get, expect: allow", "`get` does not say on which server"),
        ("tool: crm/get, list: crm, expect: allow", "`tool` and `list` in one case"),
        ("expect: allow", "nothing is asked"),
        ("tool: crm/get", "nothing is expected"),
        ("tool: crm/get, expect: {}", "nothing is expected"),
        ("tool: crm/get, expect: alow", "`alow` is not known here; did you mean `allow`?"),
        ("tool: crm/get, expect: { rules: al }", "unknown policy `al`; did you mean `all`?"),
        ("tool: crm/get, expect: { reason: forbiden }", "`forbiden` is no reason; did you mean `forbidden`?"),
        ("tool: crm/get, expect: { granted: x }", "`granted` is told by `issue` alone"),
        ("issue: crm, expect: { sees: x }", "`sees` is told by `list` alone"),
        ("tool: crm/get, expect: { outcome: allow, scopes: x }", "only a `challenge` asks for scopes"),
        ("list: crm, arguments: { x: 1 }, expect: allow", "`list` takes no arguments"),
        ("tool: crm/get, scopes: crm:account.read, expect: allow", "unknown scope `crm:account.read`; did you mean `crm:accounts.read`?"),
        ("tool: crm/get, history: { call: 1 }, expect: allow", "unknown fact `call`; did you mean `calls`?"),
        ("tool: crm/get, history: { calls: many }, expect: allow", "the fact `calls` is no `many`"),
        ("tool: crm/get, history: { touched: crm/get }, expect: allow", "the fact `touched` is no `crm/get`"),
        ("tool: crm/get, stages: production, expect: allow", "unknown stage `production`"),
        ("tool: crm/get, tenant: acme, expect: allow", "the person has a tenant already"),
        ("who: ~, tool: crm/get, expect: allow", "nobody is named for whom `helper` acts"),
        ("who: ~, agent: unregistered, tool: crm/get, expect: allow", "nobody is named for whom the agent acts"),
        ("who: ~, agent: job, tool: crm/get, expect: allow", "the workload is in several organisations"),
        ("who: ~, agent: job, tenant: acne, tool: crm/get, expect: allow", "unknown tenant `acne`; did you mean `acme`?"),
        ("tool: crm/get, ip: 10.0.0, expect: allow", "`10.0.0` is no address"),
        ("tool: crm/get, at: noon, expect: allow", "`noon` is no time"),
        ("tool: crm/get, auth_age: 5, expect: allow", "`5` is not a length of time"),
        ("tool: crm/get, elevation: { roles: boss }, expect: allow", "unknown role `boss`"),
        ("tool: crm/get, elevation: { scopes: crm:account.read }, expect: allow", "unknown scope `crm:account.read`; did you mean"),
        ("tool: crm/get, elevation: { acr: strong }, expect: allow", "`strong` is no strength"),
        ("tool: crm/get, elevation: { age: 5m }, expect: allow", "a confirmation that does not say how strong it was"),
        ("list: crm, elevation: { acr: phr }, expect: allow", "nobody says yes to `list`"),
        ("tool: crm/get, expect: { cures: { conform: phr } }", "`conform` is not known here"),
        ("tool: crm/get, justification: { ticket: 7 }, expect: allow", "this is no justification"),
        ("tool: crm/get, expct: allow", "unknown key `expct`; did you mean `expect`?"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_where_it_stands(case, message):
    found = cases(f"  - {{ name: x, {case} }}\n")
    said = [one.message for one in found]
    assert message in said or any(one.startswith(message) for one in said), said
    assert {one.file for one in found} == {"tests/some.yaml"}
    assert {one.line for one in found} == {5}


def test_a_mistake_in_a_cell_is_at_the_cell_and_one_in_a_default_is_said_once():
    found = problems_of("""\
people:
  ann: { tenant: acme }
defaults: { who: ann, agent: halper }
cases:
  - name: rows
    tool: crm/get
    columns: [who, expect]
    rows:
      - [ann, allow]
      - [anne, allow]
      - [ann, alow]
""")
    assert [(one.line, one.column, one.message) for one in found] == [
        (3, 30, "unknown agent `halper`; did you mean `helper`?"),
        (10, 10, "unknown person `anne`; did you mean `ann`?"),
        (11, 15, "`alow` is not known here; did you mean `allow`?"),
    ]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("columns: [who]", "`columns` without `rows`"),
        ("rows: [[ann]]", "`rows` without `columns`"),
        ("columns: [woh]\n    rows: [[ann]]", "unknown column `woh`; did you mean `who`?"),
        (
            "columns: [who.name]\n    rows: [[ann]]",
            "unknown column `who.name`; did you mean `who`?",
        ),
        ("columns: [who, who]\n    rows: [[ann, ann]]", "the column `who` stands here twice"),
        ("columns: [who]\n    rows: [[ann, allow]]", "a row of 2 cells under 1 columns"),
    ],
)
def test_a_table_that_is_none_is_refused(table, message):
    found = cases(f"  - name: x\n    tool: crm/get\n    expect: allow\n    {table}\n")
    assert [one.message for one in found] == [message]


def test_a_word_that_is_short_for_more_is_wrong_once_and_where_it_stands():
    (found,) = cases("  - { name: x, tool: crm/get, expect: alow }\n")
    assert (found.line, found.column, found.width) == (5, 39, 4)
    assert found.message == "`alow` is not known here; did you mean `allow`?"


def test_people_are_checked_and_shared_ones_are_known_everywhere():
    shared = "people:\n  ann: { tenant: acme, roles: [suport] }\n  bob: { tenant: akme }\n"
    own = "people:\n  ann: { tenant: acme }\ncases:\n  - { name: x, who: bob, agent: helper, tool: crm/get, expect: allow }\n"
    found = problems_of(own, people=shared)
    assert [(one.file, one.line, one.message) for one in found] == [
        ("tests/people.yaml", 2, "unknown role `suport`; did you mean `support`?"),
        ("tests/people.yaml", 3, "unknown tenant `akme`; did you mean `acme`?"),
        ("tests/some.yaml", 2, "`ann` stands in `tests/people.yaml` already"),
    ]


def test_two_cases_of_a_file_have_two_names():
    found = cases("  - { name: x, tool: crm/get, expect: allow }\n" * 2)
    assert [(one.line, one.message) for one in found] == [
        (6, "another case of this file is called `x`")
    ]


def test_what_is_no_yaml_is_said_and_the_other_files_are_read():
    found = problems_of("cases: [", other=HEAD + "  - { name: x, tool: crm/gett, expect: allow }\n")
    assert sorted({one.file for one in found}) == ["tests/other.yaml", "tests/some.yaml"]


def test_what_only_a_stage_declares_is_known():
    files = {
        **FILES,
        "remit.yaml": FILES["remit.yaml"] + HISTORY,
        "stages/prod/policies/more.cedar": '@id("more") forbid (principal, action, resource);\n',
        "stages/prod/rules/more.yaml": "why: { things: [crm/get], require_justification: {} }\n",
        "tests/some.yaml": HEAD
        + "  - { name: x, tool: crm/get, stages: prod, expect: { rules: [more, 'rules/more#why'] } }\n",
    }
    contents = {name: text.encode() for name, text in files.items()}
    assert examine(files_of(contents)).findings.problems == ()
    assert load_contents(contents, stage="prod").stage == "prod"


def test_an_agent_that_has_to_go_is_gone_whatever_tables_say_of_it():
    table = HEAD + "  - { name: x, agent: gone, tool: crm/get, expect: allow }\n"
    assert [one.code for one in problems_of(table)] == ["decision-table"]
    contents = {name: text.encode() for name, text in {**FILES, "tests/some.yaml": table}.items()}
    assert "gone" not in load_contents(contents).catalog.agents
