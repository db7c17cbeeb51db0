"""`remit rules show`: what was filled in without Cedar, in Cedar."""

import json

import pytest
from typer.testing import CliRunner

from remit.cli.main import app
from remit.repository import write_example

RULES = "home:\n  own_organization: {}\n  servers: [crm]\nwhy:\n  require_justification: {}\n  servers: [crm]\n"


@pytest.fixture
def folder(tmp_path):
    write_example(tmp_path / "policy")
    (tmp_path / "policy" / "rules").mkdir()
    (tmp_path / "policy" / "rules" / "crm.yaml").write_text(RULES)
    return tmp_path / "policy"


def run(*arguments):
    return CliRunner().invoke(app, ["rules", "show", *map(str, arguments)])


def test_every_rule_is_shown_as_a_policy_that_checks(folder):
    shown = run("--repo", folder)
    assert shown.exit_code == 0
    assert "// rules/crm.yaml:1" in shown.output
    assert '@id("rules/crm#home")' in shown.output
    assert '@require_justification("reason")' in shown.output


def test_one_rule_is_shown_by_its_name(folder):
    shown = run("rules/crm#why", "--repo", folder, "--json")
    (one,) = json.loads(shown.output)
    assert (one["id"], one["file"], one["line"]) == ("rules/crm#why", "rules/crm.yaml", 4)


def test_a_rule_that_there_is_not_is_said(folder):
    assert run("rules/crm#wy", "--repo", folder).exit_code == 1


def test_a_repository_with_a_mistake_is_not_shown(folder):
    (folder / "rules" / "crm.yaml").write_text("home: {}\n")
    failed = run("--repo", folder)
    assert failed.exit_code != 0
