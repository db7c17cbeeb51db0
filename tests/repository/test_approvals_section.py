import pytest

from .conftest import Repository

RULE = "rules:\n  - {name: one, role: support, %s}\n"
NOTIFIER = "notifiers:\n  one: {%s}\n"
MAIL = "url: 'smtps://mail.example', sender: a@acme.example, recipients: [b@acme.example]"
AMOUNTS = """\
    arguments:
      amount: {type: money, currency: EUR, pointer: /amount}
      count: {type: decimal, pointer: /count}
"""


@pytest.fixture
def repository(repository: Repository) -> Repository:
    """One with amounts that a rule can be about, and with a second role."""
    repository.append("servers/crm.yaml", AMOUNTS)
    return repository.append("roles.yaml", "  lead: {scopes: [crm:accounts.read]}\n")


@pytest.mark.parametrize(
    "written",
    [
        RULE % "quorum: 10",
        RULE % "above: 0",
        RULE % 'above: "0.0001", currency: EUR',
        RULE % "waits: 7d, holds: 1d",
        RULE % "waits: 2m, escalation: {after: 1m, role: lead}",
        NOTIFIER % "kind: slack, url: 'https://hooks.slack.com/services/x'",
        NOTIFIER % f"kind: email, {MAIL}",
        "justifications: {patient_consent_id: {longest: 500}}\n",
        "confirmation: {waits: 1d, holds: 60m, fresh: 60m}\n",
    ],
)
def test_what_can_be_done_is_admitted(repository: Repository, written: str) -> None:
    assert repository.write("approvals.yaml", written).said() == []


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("quorum: 0", "`0` is out of bounds"),
        ("quorum: 11", "`11` is out of bounds"),
        ("quorum: true", "a whole number belongs"),
        ("currency: USD", "a currency of no amount"),
        ("above: -1", "is no amount"),
        ("above: 1.5", "is no amount"),
        ("waits: 30s", "out of bounds"),
        ("waits: 8d", "out of bounds"),
        ("holds: 2d", "out of bounds"),
        ("acr: urn:remit:acr:none", "no strength that anybody knows"),
        ("escalation: {after: 15m, role: lead}", "nobody else is asked before"),
        ("escalation: {role: lead}", "missing"),
    ],
)
def test_a_rule_that_nobody_could_follow_is_refused(
    repository: Repository, written: str, words: str
) -> None:
    said = repository.write("approvals.yaml", RULE % written).said()

    assert [words in one for one in said] == [True], said


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("kind: pager", "pager"),
        ("kind: webhook, url: 'https://h.example/x'", "not signed"),
        ("kind: webhook, secret: 'env:X'", "not signed"),
        ("kind: webhook, url: 'https://u:p@h.example/x', secret: 'env:X'", "holds a password"),
        ("kind: webhook, url: 'https://u@h.example/x', secret: 'env:X'", "holds a password"),
        ("kind: webhook, url: 'ftp://h.example/x', secret: 'env:X'", "none of a notifier"),
        ("kind: webhook, url: 'https://', secret: 'env:X'", "none of a notifier"),
        ("kind: webhook, url: 'smtps://h.example', secret: 'env:X'", "of another kind"),
        ("kind: webhook, url: 'https://h.example', secret: hunter2", "a secret stands"),
        ("kind: slack", "not said once"),
        ("kind: slack, url: 'https://h.example', secret: 'env:X'", "not said once"),
        ("kind: slack, secret: 'env:X', sender: a@b.example", "only an e-mail"),
        ("kind: email, url: 'smtps://mail.example'", "without its way"),
        (f"kind: email, {MAIL.replace('smtps://', 'https://')}", "of another kind"),
        (f"kind: email, {MAIL.replace('smtps://', 'smtps://u:p@')}", "holds a password"),
        (f"kind: email, {MAIL.replace('b@acme.example', 'b')}", "is no address"),
        (f"kind: email, {MAIL.replace('b@', 'b c@')}", "is no address"),
    ],
)
def test_a_notifier_that_cannot_be_trusted_is_refused(
    repository: Repository, written: str, words: str
) -> None:
    said = repository.write("approvals.yaml", NOTIFIER % written).said()

    assert [words in one for one in said] == [True], said


def test_a_password_in_a_url_is_not_repeated(repository: Repository) -> None:
    written = NOTIFIER % "kind: webhook, url: 'https://u:hunter2@h.example', secret: 'env:X'"
    problems = repository.write("approvals.yaml", written).problems()

    assert "hunter2" not in repr(problems)


@pytest.mark.parametrize("name", ["Reason", "1st", "a-b", "", "x" * 64])
def test_a_name_that_policies_could_not_say_is_refused(repository: Repository, name: str) -> None:
    said = repository.write("approvals.yaml", f'justifications: {{"{name}": {{}}}}\n').said()

    assert len(said) == 1
    assert "no name of what is told" in said[0]


@pytest.mark.parametrize(
    "written", ["waits: 59s", "waits: 2d", "holds: 61m", "fresh: 2h", "fresh: 0s"]
)
def test_a_confirmation_that_lasts_too_long_is_refused(
    repository: Repository, written: str
) -> None:
    assert len(repository.write("approvals.yaml", f"confirmation: {{{written}}}\n").said()) == 1
