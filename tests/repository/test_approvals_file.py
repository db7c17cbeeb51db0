from decimal import Decimal

import pytest

from remit.model import ACR_PASSWORD, ACR_PHISHING_RESISTANT
from remit.model.approvals import (
    NO_APPROVALS,
    AccessOffer,
    ApprovalRule,
    Approvals,
    Confirmation,
    EmergencyAccess,
    Escalation,
    JustificationField,
    Notifier,
    NotifierKind,
)

from .conftest import Repository

WHOLE = """\
confirmation: {waits: 2m, holds: 3m, fresh: 4m}
rules:
  - name: large
    role: support
    servers: [crm]
    tools: [crm/get]
    environments: [prod]
    above: "5000.00"
    currency: USD
    quorum: 2
    owners: true
    acr: urn:remit:acr:phr
    waits: 1h
    holds: 10m
    escalation: {after: 20m, role: lead}
    notify: [oncall]
  - {name: rest, role: support}
justifications:
  ticket: {title: Ticket, pattern: "[A-Z]+-[0-9]+", longest: 40}
  reason: {}
access:
  read-for-a-run:
    scopes: [crm:accounts.read]
    servers: [crm]
    environments: [prod]
    people_roles: [support]
    agents: [helper]
    longest: 2h
    approver: support
    justification: [ticket, reason]
    acr: urn:remit:acr:pwd
  be-support: {role: support, people_roles: [support]}
emergency:
  glass:
    people: [erin, frank]
    role: support
    environments: [prod]
    longest: 15m
    acr: urn:remit:acr:phr
    justification: [ticket]
    reviewer: support
    review_within: 1d
    notify: [oncall, mail]
notifiers:
  oncall: {kind: webhook, url: 'https://hooks.acme.example/x', secret: 'env:HOOK'}
  chat: {kind: slack, secret: 'env:SLACK_URL'}
  mail:
    kind: email
    url: smtps://remit@mail.acme.example
    secret: file:/run/secrets/mail
    sender: remit@acme.example
    recipients: [oncall@acme.example]
    private_network: true
"""

AMOUNT = "    arguments:\n      amount: {type: money, currency: USD, pointer: /amount}\n"


@pytest.fixture
def declared(repository: Repository) -> Approvals:
    """All of it, over a tool that moves money."""
    repository.append("servers/crm.yaml", AMOUNT)
    repository.append("roles.yaml", "  lead: {scopes: [crm:accounts.read]}\n")
    return repository.write("approvals.yaml", WHOLE).catalog().approvals


def test_without_the_file_nobody_has_anything_for_a_while(repository: Repository) -> None:
    assert repository.catalog().approvals == NO_APPROVALS


def test_an_empty_mapping_declares_as_little(repository: Repository) -> None:
    assert repository.write("approvals.yaml", "{}\n").catalog().approvals == Approvals()


def test_what_is_written_is_what_holds(declared: Approvals) -> None:
    held = declared

    assert held.confirmation == Confirmation(waits=120, holds=180, fresh=240)
    assert held.rules == (
        ApprovalRule(
            name="large",
            role="support",
            servers=("crm",),
            tools=("crm/get",),
            environments=("prod",),
            above=Decimal(5000),
            currency="USD",
            quorum=2,
            owners=True,
            acr=ACR_PHISHING_RESISTANT,
            waits=3600,
            holds=600,
            escalation=Escalation(after=1200, role="lead"),
            notify=("oncall",),
        ),
        ApprovalRule(name="rest", role="support"),
    )
    assert held.justifications == {
        "ticket": JustificationField(
            name="ticket", title="Ticket", pattern="[A-Z]+-[0-9]+", longest=40
        ),
        "reason": JustificationField(name="reason"),
    }


def test_what_may_be_had_for_a_while_is_what_is_written(declared: Approvals) -> None:
    held = declared

    assert held.access == {
        "read-for-a-run": AccessOffer(
            name="read-for-a-run",
            scopes=("crm:accounts.read",),
            servers=("crm",),
            environments=("prod",),
            people_roles=("support",),
            agents=("helper",),
            longest=7200,
            approver="support",
            justification=("ticket", "reason"),
            acr=ACR_PASSWORD,
        ),
        "be-support": AccessOffer(name="be-support", role="support", people_roles=("support",)),
    }
    assert held.emergency == {
        "glass": EmergencyAccess(
            name="glass",
            people=("erin", "frank"),
            role="support",
            environments=("prod",),
            longest=900,
            justification=("ticket",),
            reviewer="support",
            review_within=86_400,
            notify=("oncall", "mail"),
        )
    }


def test_whoever_is_told_is_told_as_it_is_written(declared: Approvals) -> None:
    held = declared

    assert held.notifiers == {
        "oncall": Notifier(
            name="oncall",
            kind=NotifierKind.WEBHOOK,
            url="https://hooks.acme.example/x",
            secret="env:HOOK",
        ),
        "chat": Notifier(name="chat", kind=NotifierKind.SLACK, secret="env:SLACK_URL"),
        "mail": Notifier(
            name="mail",
            kind=NotifierKind.EMAIL,
            url="smtps://remit@mail.acme.example",
            secret="file:/run/secrets/mail",
            sender="remit@acme.example",
            recipients=("oncall@acme.example",),
            private_network=True,
        ),
    }


def test_a_key_that_is_misspelt_is_refused_with_the_one_that_is_meant(
    repository: Repository,
) -> None:
    said = repository.write("approvals.yaml", "emergncy: {}\n").said()

    assert said == ["approvals.yaml:1 unknown key `emergncy`; did you mean `emergency`?"]


def test_a_stage_lays_its_own_over_it(repository: Repository) -> None:
    repository.append("remit.yaml", "stages: [dev]\n")
    repository.write("approvals.yaml", "confirmation: {waits: 2m}\n")
    repository.write("stages/dev/approvals.yaml", "confirmation: {waits: 5m}\n")

    assert repository.catalog().approvals.confirmation.waits == 120
    assert repository.said() == []


def test_a_file_that_is_taken_away_by_a_mistake_is_not_passed_over(repository: Repository) -> None:
    said = repository.write("approvals.yaml", "rules: [\n").said()

    assert len(said) == 1
    assert said[0].startswith("approvals.yaml:")
