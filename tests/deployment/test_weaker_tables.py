"""What the decision tables in force expect has to be expected of what is proposed too."""

import pytest

from remit.casebook import tables_of
from remit.deployment.weaker_tables import weakened

TABLE = """\
people:
  ann: {tenant: acme, roles: [support]}
cases:
  - name: nobody writes
    who: ann
    agent: helper
    tool: crm/set
    arguments: {amount: 1}
    expect: {outcome: deny, rules: [none]}
  - name: everybody reads
    who: ann
    agent: helper
    tool: crm/get
    expect: {outcome: allow, obligations: {redact: [phone]}}
"""


def lost(*edits: tuple[str, str], before: str = TABLE, file: str = "tests/t.yaml"):
    text = before
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    tables = [
        tables_of({name: content.encode()})
        for name, content in (("tests/t.yaml", before), (file, text))
    ]
    return weakened(*tables)


@pytest.mark.parametrize(
    "edits",
    [
        (),
        (("nobody writes", "another name"),),
        (("expect: {outcome: deny, rules: [none]}", "expect: {outcome: deny, rules: [none], reason: forbidden}"),),
        (("expect: {outcome: allow, obligations: {redact: [phone]}}", "expect: deny"),),
        (("people:\n", "about: more words\npeople:\n"),),
    ],
    ids=["the same", "by another name", "more is expected", "a refusal in place of a permit", "other words"],
)  # fmt: skip
def test_what_is_expected_as_strictly_is_not_weaker(edits):
    assert lost(*edits) == ()


def test_a_case_may_move_to_another_file():
    assert lost(file="tests/folder/other.yaml") == ()


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (("{outcome: deny, rules: [none]}", "allow"), "expected deny; rules none, now allow"),
        (("{outcome: deny, rules: [none]}", "deny"), "expected deny; rules none, now deny"),
        ((", obligations: {redact: [phone]}", ""), "expected allow; obligations redact phone, now allow"),
        (("redact: [phone]", "redact: []"), "obligations redact phone, now allow; obligations redact none"),
        (("tool: crm/set", "tool: crm/get"), "nothing asks it any more"),
        (("agent: helper", "agent: other"), "nothing asks it any more"),
        (("amount: 1", "amount: 2"), "nothing asks it any more"),
        (("amount: 1", "amount: true"), "nothing asks it any more"),
        (("roles: [support]", "roles: [clerk]"), "nothing asks it any more"),
        (("name: nobody writes\n", "name: nobody writes\n    stages: [dev]\n"), "nothing asks it any more"),
        (("name: nobody writes\n", "name: nobody writes\n    at: 2026-11-22T03:00\n"), "nothing asks it any more"),
    ],
    ids=[
        "turned round", "by any rule", "no obligation", "an empty obligation", "another tool", "another agent",
        "another argument", "an argument of another type", "another person", "in one stage alone", "at another time",
    ],
)  # fmt: skip
def test_what_is_taken_away_or_expects_less_is_told(edit, said):
    found = lost(edit)
    assert found
    assert said in found[0]
    assert found[0].startswith("tests/t.yaml, `")


def test_as_many_other_cases_do_not_make_up_for_it():
    others = [("tool: crm/set", "tool: crm/get"), ("name: nobody writes", "name: read once more")]
    assert lost(*others) == ("tests/t.yaml, `nobody writes`: nothing asks it any more",)


def test_a_table_that_is_gone_is_told_case_by_case():
    assert len(weakened(tables_of({"tests/t.yaml": TABLE.encode()}), ())) == 2


def test_a_case_for_one_stage_may_come_to_be_for_all():
    staged = TABLE.replace("name: nobody writes\n", "name: nobody writes\n    stages: [dev]\n")
    assert lost(("    stages: [dev]\n", ""), before=staged) == ()
