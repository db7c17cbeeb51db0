from remit.repository.lint import KINDS, Severity, lint
from tests.repository.lint.conftest import look


def test_what_a_remark_is_worth_is_said_in_the_repository(tidy):
    tidy.append("scopes.yaml", "crm:fax.send: {title: F, description: D}\n")
    assert [one.severity for one in look(tidy)] == [Severity.WARNING]
    tidy.append("remit.yaml", "lint: {unused-scope: error}\n")
    assert [one.severity for one in look(tidy)] == [Severity.ERROR]
    tidy.edit("remit.yaml", "error", "off")
    assert look(tidy) == []


def test_what_is_said_wrongly_turns_nothing_down(tidy):
    tidy.append("roles.yaml", "  twin: {scopes: [crm:accounts.read, crm:accounts.write, crm:accounts.delete, crm:notes.read]}\n")  # fmt: skip
    tidy.append("remit.yaml", "lint: {equal-roles: 7, schema: off, nothing: off}\n")
    assert [one.severity for one in look(tidy)] == [Severity.WARNING]


def test_no_stage_can_turn_a_remark_down(tidy):
    tidy.append("scopes.yaml", "crm:fax.send: {title: F, description: D}\n")
    tidy.append("remit.yaml", "stages: [prod]\n")
    tidy.write("stages/prod/remit.yaml", "lint: {unused-scope: off}\n")
    assert "unused-scope" in [one.code for one in look(tidy, (None, "prod"))]


def test_a_remark_of_one_stage_says_which(tidy):
    tidy.append("remit.yaml", "stages: [dev, prod]\n")
    tidy.write("stages/prod/roles.yaml", "roles: {twin: {scopes: [crm:accounts.read, crm:accounts.write, crm:accounts.delete, crm:notes.read]}}\n")  # fmt: skip
    [found] = look(tidy, (None, "dev", "prod"))
    assert (found.code, found.stages) == ("equal-roles", ("prod",))
    assert found.problem.file == "stages/prod/roles.yaml"


def test_remarks_stand_beside_mistakes(tidy):
    tidy.append("roles.yaml", "  twin: {scopes: [crm:accounts.read, crm:accounts.write, crm:accounts.delete, crm:notes.read]}\nx: 1\n")  # fmt: skip
    assert [one.code for one in look(tidy)] == ["equal-roles"]


def test_that_something_is_nowhere_is_not_said_while_a_file_cannot_be_told(tidy):
    tidy.append("scopes.yaml", "crm:fax.send: {title: F, description: D}\n")
    assert [one.code for one in look(tidy)] == ["unused-scope"]
    tidy.write("roles.yaml", "rolls: {}\n")
    assert look(tidy) == []
    tidy.write("roles.yaml", "[")
    assert look(tidy) == []


def test_nothing_looked_at_is_nothing_remarked():
    assert lint([], stages=[]) == []


def test_every_kind_says_why_and_what_to_do():
    for code, kind in KINDS.items():
        assert kind.code == code == code.lower()
        for text in (kind.title, kind.why, kind.mend):
            assert text[0].isupper()
            assert "\n" not in text
        assert kind.title[-1] != "."
        assert kind.why[-1] == kind.mend[-1] == "."
        assert not (kind.is_mistake and (kind.fixable or kind.severity is not Severity.ERROR))
