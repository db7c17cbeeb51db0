"""What takes, grants and holds scopes: too wide, twice, or for nothing."""

import pytest

from tests.repository.lint.conftest import look


def scope(name, covers=()):
    return (
        f"'{name}': {{title: T, description: D, covers: [{', '.join(repr(c) for c in covers)}]}}\n"
    )


def hold(tidy, *names):
    for name in names:
        for file in ("agents/helper.yaml", "roles.yaml"):
            text = (tidy.path / file).read_text()
            tidy.write(file, text.replace("scopes: [", f"scopes: ['{name}', "))


def of(code, found):
    return [one.removeprefix(f"{code} ") for one in found if one.startswith(f"{code} ")]


def test_one_scope_for_reading_and_changing_is_remarked(tidy, said):
    tidy.append("servers/crm.yaml", "  set: {operation: write, scopes: ['crm:notes.read'], sensitivity: low}\n")  # fmt: skip
    assert of("read-write-scope", said(tidy)) == [
        "scopes.yaml:4 `crm:notes.read` opens tool `notes`, which reads, and tool `set`, which does not (write)"
    ]


def test_a_change_that_takes_the_scope_for_reading_besides_its_own_is_not(tidy, said):
    tidy.edit("servers/crm.yaml", "scopes: [crm:accounts.write]", "scopes: [crm:accounts.write, crm:accounts.read]")  # fmt: skip
    assert said(tidy) == []


@pytest.mark.parametrize(
    "tool",
    [
        "{operation: delete, scopes: ['crm:accounts.write'], sensitivity: low}",
        "{operation: export, scopes: ['crm:accounts.write'], sensitivity: low}",
        "{operation: admin, scopes: ['crm:accounts.write', 'crm:accounts.read'], sensitivity: low}",
        "{operation: impersonate, scopes: ['crm:accounts.write'], sensitivity: low}",
        "{operation: write, scopes: ['crm:accounts.write'], sensitivity: high}",
        "{operation: write, scopes: ['crm:accounts.write'], sensitivity: critical}",
    ],
)
def test_high_risk_without_a_scope_of_its_own_is_remarked(tidy, said, tool):
    tidy.append("servers/crm.yaml", f"  risky: {tool}\n")
    tidy.append("agents/helper.yaml", "max_sensitivity: critical\n")
    [found] = of("shared-high-risk-scope", said(tidy))
    assert found.startswith("servers/crm.yaml:11 tool `risky` of ")
    assert found.endswith(" takes no scope that tool `put` does not take, too") or "`get`" in found


def test_high_risk_with_one_scope_of_its_own_is_not(tidy, said):
    tidy.append("servers/crm.yaml", "  wipe: {operation: delete, scopes: ['crm:accounts.delete', 'crm:accounts.read'], sensitivity: low}\n")  # fmt: skip
    assert said(tidy) == []


def test_a_tool_that_takes_what_covers_what_it_does_is_remarked(tidy, said):
    tidy.append("scopes.yaml", scope("crm:accounts.admin", ["crm:accounts.read"]))
    hold(tidy, "crm:accounts.admin")
    tidy.append("servers/crm.yaml", "  look: {operation: read, scopes: ['crm:accounts.admin'], sensitivity: low}\n")  # fmt: skip
    assert of("excessive-requirement", said(tidy)) == [
        "servers/crm.yaml:11 tool `look` takes `crm:accounts.admin`, which covers `crm:accounts.read`"
    ]


def test_a_tool_that_reads_and_takes_what_changes_is_remarked(tidy, said):
    tidy.append("servers/crm.yaml", "  look: {operation: read, scopes: ['crm:accounts.delete'], sensitivity: low}\n")  # fmt: skip
    assert "tool `look` reads, and takes `crm:accounts.delete`, which changes" in str(said(tidy))


def test_two_scopes_of_which_one_covers_the_other_are_remarked(tidy, said):
    tidy.edit("scopes.yaml", "Write accounts.}", "Write accounts., covers: ['crm:accounts.read']}")
    tidy.edit("servers/crm.yaml", "scopes: [crm:accounts.write]", "scopes: [crm:accounts.write, crm:accounts.read]")  # fmt: skip
    assert of("redundant-requirement", said(tidy)) == [
        "servers/crm.yaml:8 `crm:accounts.read` is covered by `crm:accounts.write`, which tool `put` takes, too"
    ]
    assert [one.split(" ")[0] for one in of("redundant-scope", said(tidy))] == [
        "agents/helper.yaml:4",
        "roles.yaml:2",
    ]


def test_what_is_forbidden_covers_nothing_that_anybody_holds(tidy, said):
    tidy.edit("scopes.yaml", "Write accounts.}", "Write accounts., covers: ['crm:accounts.read']}")
    tidy.append("remit.yaml", "guardrails: {forbidden_scopes: [crm:accounts.write]}\n")
    tidy.edit("agents/helper.yaml", "crm:accounts.write, ", "")
    assert said(tidy) == []


def edits(repository, code):
    return [bool(one.edits) for one in look(repository) if one.code == code]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("policies/a.cedar", 'permit (principal, action, resource) when { context.token.scopes.contains("x") };\n'),
        ("remit.yaml", "engines: {}\n"),
    ],
)  # fmt: skip
def test_what_a_policy_or_an_engine_could_see_is_left_to_a_person(tidy, file, text):
    tidy.edit("scopes.yaml", "Write accounts.}", "Write accounts., covers: ['crm:accounts.read']}")
    assert edits(tidy, "redundant-scope") == [True, True]
    tidy.write(file, ((tidy.path / file).read_text() if file == "remit.yaml" else "") + text)
    assert edits(tidy, "redundant-scope") == [False, False]


@pytest.mark.parametrize(
    ("wide", "narrow", "role_fixable", "tool_fixable"),
    [
        ("crm:all.list", "crm:mine.list", True, True),
        ("crm:all.list", "crm:{organization_id}.list", True, False),
        ("crm:{organization_id}.list", "crm:mine.list", False, True),
    ],
)
def test_what_is_bound_to_a_claim_is_removed_only_where_nobody_gains_or_loses(
    tidy, wide, narrow, role_fixable, tool_fixable
):
    tidy.append("scopes.yaml", scope(narrow)).append("scopes.yaml", scope(wide, [narrow]))
    hold(tidy, wide, narrow)
    tidy.append("servers/crm.yaml", f"  x: {{operation: read, scopes: ['{wide}', '{narrow}'], sensitivity: low}}\n")  # fmt: skip
    assert edits(tidy, "redundant-scope") == [role_fixable, role_fixable]
    assert edits(tidy, "redundant-requirement") == [tool_fixable]


def test_a_scope_of_the_baseline_stays_where_nothing_else_takes_it(tidy):
    tidy.edit("scopes.yaml", "Write accounts.}", "Write accounts., covers: ['crm:notes.read']}")
    tidy.edit("servers/crm.yaml", "scopes: [crm:accounts.write]", "scopes: [crm:accounts.write, crm:notes.read]")  # fmt: skip
    assert edits(tidy, "redundant-requirement") == [True]
    tidy.edit("servers/crm.yaml", "  notes: {operation: read, scopes: [crm:notes.read], sensitivity: low}\n", "")  # fmt: skip
    tidy.append("servers/crm.yaml", "baseline_scopes: [crm:notes.read]\n")
    assert edits(tidy, "redundant-requirement") == [False]


def test_a_scope_that_nothing_needs_is_remarked(tidy, said):
    tidy.append("scopes.yaml", scope("crm:fax.send"))
    assert said(tidy) == ["unused-scope scopes.yaml:5 nothing takes, grants or holds `crm:fax.send`"]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("policies/b.cedar", "// crm:fax.send\n"),
        ("remit.yaml", "guardrails: {forbidden_scopes: ['crm:fax.send']}\n"),
        ("remit.yaml", "issuer: {default_scopes: ['crm:fax.send']}\n"),
    ],
)  # fmt: skip
def test_a_scope_that_is_spoken_of_anywhere_is_used(tidy, said, file, text):
    tidy.append("scopes.yaml", scope("crm:fax.send"))
    tidy.write(file, ((tidy.path / file).read_text() if file == "remit.yaml" else "") + text)
    assert of("unused-scope", said(tidy)) == []


def test_a_scope_that_leads_from_one_to_another_is_used(tidy, said):
    tidy.append("scopes.yaml", scope("crm:between.list", ["crm:notes.read"]))
    tidy.edit("scopes.yaml", "Write accounts.}", "Write accounts., covers: ['crm:between.list']}")
    assert of("unused-scope", said(tidy)) == []


def test_a_scope_that_is_given_out_and_opens_nothing_is_remarked(tidy, said):
    tidy.append("scopes.yaml", scope("crm:fax.send"))
    hold(tidy, "crm:fax.send")
    assert of("idle-scope", said(tidy)) == ["scopes.yaml:5 `crm:fax.send` is given out, and nothing takes it"]  # fmt: skip


def test_a_scope_is_unused_only_if_it_is_in_every_stage(tidy, said):
    tidy.append("scopes.yaml", scope("crm:fax.send")).append("remit.yaml", "stages: [dev, prod]\n")
    tidy.write("stages/prod/roles.yaml", "roles: {support: {scopes: ['crm:fax.send']}}\n")
    assert of("unused-scope", said(tidy, None))
    assert of("unused-scope", said(tidy, None, "dev", "prod")) == []
