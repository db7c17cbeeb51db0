import pytest

from .conftest import Repository

SINK = "sinks: {one: {kind: webhook, url: 'https://a.example/', kinds: [%s]}}\n"
RULE = "redaction: [{path: $.a, treatment: drop, %s}]\n"


@pytest.mark.parametrize(
    "written",
    [
        RULE % "tools: [crm/get]",
        RULE % "tools: [crm/get], servers: [crm]",
        SINK % "decision, 'grant.*', call.completed",
        "retention: {kinds: {decision: 400d, 'audit.*': 500d}}\n",
        "detectors: {off: [phone, email]}\n",
        "redaction: [{path: $.a, treatment: drop}, {path: $.b, treatment: drop}]\n",
    ],
)
def test_what_is_about_something_is_admitted(repository: Repository, written: str) -> None:
    assert repository.write("audit.yaml", written).said() == []


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (RULE % "tools: [crm/gt]", "unknown thing `crm/gt`; did you mean `crm/get`?"),
        (RULE % "tools: [get]", "unknown thing `get`"),
        (SINK % "decisions", "no event is of the kind `decisions`; did you mean `decision`?"),
        (SINK % "'grants.*'", "no event is of the kind `grants.*`; did you mean `grant.*`?"),
        (SINK % "'decision.*'", "no event is of the kind `decision.*`"),
        (SINK % "grant", "no event is of the kind `grant`"),
        ("retention: {kinds: {'moon.*': 5d}}\n", "no event is of the kind `moon.*`"),
        ("detectors: {off: [emial]}\n", "unknown detector `emial`; did you mean `email`?"),
        (
            "redaction: [{path: $.a, treatment: drop}, {path: $.a, treatment: drop}]\n",
            "this rule stands here twice",
        ),
        ("redaction: [{path: '$[?match(@.a, 1)]', treatment: drop}]\n", "is no JSONPath"),
        ("redaction: [{path: '$.a[', treatment: drop}]\n", "is no JSONPath"),
    ],
)
def test_what_is_about_nothing_is_refused(repository: Repository, written: str, said: str) -> None:
    found = repository.write("audit.yaml", written).said()
    assert len(found) == 1, found
    assert said in found[0]


def test_a_tool_of_a_server_that_the_rule_is_not_for_is_refused(repository: Repository) -> None:
    text = (
        (repository.path / "servers" / "crm.yaml").read_text().replace("title: CRM", "title: ERP")
    )
    repository.write("servers/erp.yaml", text.replace("crm.example", "erp.example"))
    (found,) = repository.write("audit.yaml", RULE % "tools: [crm/get], servers: [erp]").said()
    assert "`crm/get` is of none of the servers of this rule" in found


def test_while_a_server_cannot_be_read_its_tools_are_not_missed(repository: Repository) -> None:
    repository.write("servers/odd.yaml", "{")
    repository.write("audit.yaml", RULE % "tools: [odd/thing]")
    assert not any("audit.yaml" in one for one in repository.said())
