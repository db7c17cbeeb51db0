"""How files are written: schemas, order, and overlays that change nothing."""

import pytest


def lint_of(tidy, **severities):
    listed = ", ".join(f"{code.replace('_', '-')}: {worth}" for code, worth in severities.items())
    return tidy.append("remit.yaml", f"lint: {{{listed}}}\n")


def test_a_file_without_its_schema_is_remarked_where_that_is_wanted(tidy, said):
    assert said(tidy) == []
    lint_of(tidy, missing_schema="note")
    assert [one.split(" ")[1] for one in said(tidy)] == [
        "agents/helper.yaml:1", "remit.yaml:1", "roles.yaml:1", "scopes.yaml:1", "servers/crm.yaml:1",
    ]  # fmt: skip


def test_a_file_with_its_schema_anywhere_is_not(tidy, said):
    lint_of(tidy, missing_schema="note")
    for path in tidy.path.rglob("*.yaml"):
        path.write_text("# yaml-language-server: $schema=x\n" + path.read_text())
    assert said(tidy) == []


def test_scopes_out_of_order_are_remarked_where_that_is_wanted(tidy, said):
    lint_of(tidy, unordered_list="warning")
    assert said(tidy) == ["unordered-list roles.yaml:2 the scopes of `support` are not in order"]
    tidy.edit("roles.yaml", "crm:accounts.read, crm:accounts.write, crm:accounts.delete", "crm:accounts.delete, crm:accounts.read, crm:accounts.write")  # fmt: skip
    assert said(tidy) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("servers/crm.yaml", "title: CRM\ntools: {get: {operation: read}}\n"),
        ("servers/crm.yaml", "nothing: null\n"),
        ("servers/crm.yaml", "# all commented out\n"),
        ("servers/new.yaml", ""),
        ("policies/all.cedar", '@id("all") permit (principal, action, resource);\n'),
        ("policies/none.cedar", ""),
    ],
)
def test_an_overlay_that_changes_nothing_is_remarked(tidy, said, name, text):
    tidy.append("remit.yaml", "stages: [dev, prod]\n").write(f"stages/prod/{name}", text)
    assert said(tidy) == [
        f"overlay-unchanged stages/prod/{name}:1 nothing is different in `prod` by this file"
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("servers/crm.yaml", "title: Live\n"),
        ("servers/crm.yaml", "null\n"),
        ("servers/crm.yaml", "title: null\n"),
        ("servers/new.yaml", "title: New\n"),
        ("policies/all.cedar", ""),
        ("policies/all.cedar", "// none\n"),
        ("servers/crm.yaml", "title: [\n"),
    ],
)
def test_an_overlay_that_changes_something_is_not(tidy, said, name, text):
    tidy.append("remit.yaml", "stages: [dev, prod]\n").write(f"stages/prod/{name}", text)
    assert not [one for one in said(tidy) if one.startswith("overlay-unchanged")]
