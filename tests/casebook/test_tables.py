import pytest

from remit.casebook import Asked, Outcome, tables_of
from remit.casebook.case import Elevation
from remit.documents import DocumentInvalidError
from remit.policy import ResourceKind

TABLE = b"""\
about: Some cases.
people: { ann: { tenant: acme, roles: support, id: usr_1 } }
defaults:
  who: ann
  agent: helper
  arguments: { a: 1, b: 2 }
  expect: { rules: [one] }
cases:
  - name: alone
    tool: crm/get
    arguments: { b: 3 }
    expect: deny
  - name: rows
    resource: crm/crm://handbook
    columns: [who, at, expect.message, expect]
    rows:
      - [ann, sat 10:00, no, deny]
      - [~, ~, ~, allow]
  - { name: seen, list: crm, acr: mfa, amr: [pwd, otp], auth_age: 2h }
  - { name: given, issue: crm, scopes: crm:accounts.read }
  - name: asked
    tool: crm/get
    justification: { ticket: CHG-1 }
    columns: [elevation.acr, elevation.age, elevation.roles, expect.cures]
    rows:
      - [phr, 2m, boss, { confirm: "5m" }]
      - [mfa]
"""


@pytest.fixture
def found():
    (table,) = tables_of({"tests/deep/some.yaml": TABLE, "remit.yaml": b"not: read"})
    assert (table.file, table.about) == ("tests/deep/some.yaml", "Some cases.")
    return table.cases


def test_defaults_stand_below_the_case_and_cells_above_it(found):
    alone, first, second, *_ = found
    assert alone.question.arguments == {"a": 1, "b": 3}
    assert (alone.expected.outcome, alone.expected.rules) == (Outcome.DENY, ("one",))
    assert (first.expected.outcome, first.expected.message) == (Outcome.DENY, "no")
    assert (second.expected.outcome, second.expected.message) == (Outcome.ALLOW, None)
    assert first.question.at != second.question.at


def test_each_row_is_a_case_with_a_title_and_a_place_of_its_own(found):
    assert [(one.title, one.place) for one in found[:5]] == [
        ("alone", "tests/deep/some.yaml:9"),
        ("rows [1: ann, sat 10:00, no, deny]", "tests/deep/some.yaml:17"),
        ("rows [2: allow]", "tests/deep/some.yaml:18"),
        ("seen", "tests/deep/some.yaml:19"),
        ("given", "tests/deep/some.yaml:20"),
    ]


def test_what_is_asked_is_told_by_its_key(found):
    asked = [(one.question.asked, one.question.kind, one.question.server, one.question.name) for one in found[:5]]  # fmt: skip
    assert asked == [
        (Asked.CALL, ResourceKind.TOOL, "crm", "get"),
        (Asked.CALL, ResourceKind.RESOURCE, "crm", "crm://handbook"),
        (Asked.CALL, ResourceKind.RESOURCE, "crm", "crm://handbook"),
        (Asked.LIST, None, "crm", None),
        (Asked.ISSUE, None, "crm", None),
    ]


def test_strength_and_person_are_as_written(found):
    question = found[3].question
    assert (question.acr, question.amr, question.auth_age) == (
        "urn:remit:acr:mfa",
        ("pwd", "otp"),
        7200,
    )
    assert (question.person.id, question.person.roles) == ("usr_1", ("support",))
    assert found[4].question.scopes == ("crm:accounts.read",)


def test_what_people_said_is_as_written(found):
    first, second = (one.question.elevation for one in found[5:])
    assert first == Elevation(roles=("boss",), acr="urn:remit:acr:phr", confirmed=120)
    assert second == Elevation(acr="urn:remit:acr:mfa", confirmed=60)
    assert found[0].question.elevation is None
    assert found[5].expected.cures == {"confirm": ("5m",)}
    assert found[5].question.justification == '{"ticket":"CHG-1"}'


def test_every_mistake_is_raised_at_once():
    with pytest.raises(DocumentInvalidError) as caught:
        tables_of({"tests/a.yaml": b"cases: {", "tests/b.yaml": b"case: []\n"})
    assert {one.file for one in caught.value.problems} == {"tests/a.yaml", "tests/b.yaml"}


def test_a_file_of_people_alone_is_no_table():
    assert tables_of({"tests/people.yaml": b"people: { ann: { tenant: acme } }\n"}) == ()
