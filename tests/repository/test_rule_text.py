"""What rules become is shown in Cedar, and what is wrong with one is said where it stands."""

import pytest

from remit.repository import (
    RepositoryInvalidError,
    check_repository,
    load_repository,
    write_example,
)
from remit.repository.rule_text import rules_in_cedar

RULES = """\
# who may do what, and when
office:
  trusted_networks: { networks: [office] }
  servers: [crm]

hours:
  description: Nobody refunds at night.
  business_hours:
    from: "09:00"
    until: "17:00"
  servers: [payments]
"""


@pytest.fixture
def folder(tmp_path):
    write_example(tmp_path / "policy")
    root = tmp_path / "policy" / "remit.yaml"
    root.write_text(root.read_text() + "\nnetworks:\n  office: [10.0.0.0/8]\n")
    (tmp_path / "policy" / "rules").mkdir()
    return tmp_path / "policy"


def write(folder, text, name="office"):
    (folder / "rules" / f"{name}.yaml").write_text(text)


def test_every_rule_is_shown_in_its_order(folder):
    write(folder, RULES)
    one, other = rules_in_cedar(folder)
    assert (one.id, one.file, one.line) == ("rules/office#office", "rules/office.yaml", 2)
    assert (other.id, other.line) == ("rules/office#hours", 6)
    assert one.cedar.startswith('@id("rules/office#office")\n')
    assert 'context.networks.containsAny(["office"])' in one.cedar


def test_a_rule_is_a_policy_of_the_repository(folder):
    write(folder, RULES)
    (source,) = [
        one for one in load_repository(folder).policies if one.filename.startswith("rules/")
    ]
    lines = source.text.splitlines()
    assert [number for number, line in enumerate(lines, 1) if line] == [2, 6]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("networks: [office]", "networks: [ofice]", 3, "unknown network `ofice`; did you mean `office`?"),
        ("servers: [crm]", "servers: [crmm]", 4, "crmm"),
        ("servers: [crm]", "things: [crm/serch]", 4, "unrecognized action"),
        ("trusted_networks:", "trusted_network:", 3, "unknown key `trusted_network`"),
        ('"17:00"', '"7:00"', 10, "no time of day"),
        ("servers: [payments]", "except_roles: [nobody]", 11, "unknown role `nobody`"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_line(folder, old, new, line, said):
    write(folder, RULES.replace(old, new))
    problems = check_repository(folder).problems
    found = [one for one in problems if one.file == "rules/office.yaml" and said in one.message]
    assert found
    assert found[0].line == line
    assert found[0].excerpt in (folder / "rules" / "office.yaml").read_text()
    with pytest.raises(RepositoryInvalidError):
        rules_in_cedar(folder)


def test_a_mistake_in_one_rule_hides_none_in_another(folder):
    write(folder, RULES.replace("[office]", "[ofice]").replace('"17:00"', '"7:00"'))
    assert len(check_repository(folder).problems) == 2


def test_two_files_may_have_rules_of_one_name(folder):
    write(folder, RULES)
    write(folder, RULES, "again")
    assert [one.id for one in rules_in_cedar(folder)][:2] == [
        "rules/again#office",
        "rules/again#hours",
    ]
