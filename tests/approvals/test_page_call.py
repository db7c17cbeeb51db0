"""What a page says of a call: the catalog's words as such, everybody else's as theirs."""

from dataclasses import replace

import pytest

from remit.approvals.page_call import Parties, call_view, justification_title
from remit.approvals.request import About, Part, PartKind, Request, RequestState
from remit.model import ACR_PHISHING_RESISTANT, JustificationField, Operation, Sensitivity
from remit.policy.evaluation import ResourceKind
from remit.testing.catalog import PAYMENTS, small_catalog
from tests.approvals.front import words_of

ADA = Parties(person="Ada", username="ada", client="Desktop")
CATALOG = small_catalog()


def asked(**changes: object) -> Request:
    request = Request(
        id="apr_1",
        state=RequestState.WAITING,
        about=About.CALL,
        tenant="acme",
        user_id="usr_ada",
        agent_id="assistant",
        client_id="cli_1",
        grant_id="gnt_1",
        server=PAYMENTS,
        kind=ResourceKind.TOOL,
        thing="refund",
        definition=None,
        environment="prod",
        parts=(Part(kind=PartKind.CONFIRMATION, acr=ACR_PHISHING_RESISTANT, rule="large"),),
        arguments={"amount": {"value": "600.00", "currency": "EUR"}},
        justification=None,
        decision_id="dec_1",
        policy_version="v",
        asked=1,
        created_at=1_000,
        opened_at=None,
        ended_at=None,
        expires_at=1_600,
        holds=300,
        digest="d",
    )
    return replace(request, **changes)


def view(parties: Parties = ADA, catalog=CATALOG, **changes: object):
    return call_view(asked(**changes), parties, catalog=catalog)


def words(shown) -> str:
    return words_of(f"<body>{shown.text}")


def test_the_head_says_what_and_how_much():
    assert view().title == "Refund €600.00"
    assert view().action == "Refund"


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"kind": ResourceKind.RESOURCE, "thing": "crm://accounts/17"}, "Read crm://accounts/17"),
        ({"kind": ResourceKind.PROMPT, "thing": "sum_up"}, "Use the prompt “Sum up”"),
        ({"thing": "close_ledger", "arguments": {}}, "Close ledger"),
        ({"thing": "a\u202eb", "arguments": {}}, "A[U+202E]b"),
    ],
)
def test_what_is_no_payment_says_what_it_is(changes, title):
    assert view(**changes).title == title


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("sensitivity", Sensitivity)
def test_what_it_comes_to_is_said_for_every_grade(operation, sensitivity):
    server = CATALOG.servers[PAYMENTS]
    tool = replace(
        server.tools["refund"],
        operation=operation,
        sensitivity=sensitivity,
        data_categories=("card-numbers",),
    )
    server = replace(server, tools={**server.tools, "refund": tool})
    catalog = replace(CATALOG, servers={**CATALOG.servers, PAYMENTS: server})
    shown = view(catalog=catalog)
    assert shown.effects[0].endswith(" in Payments, prod.")
    assert "harm" in shown.effects[1]
    assert shown.effects[2] == "Data that it touches: card numbers."
    assert shown.level == sensitivity


def test_what_the_catalog_knows_no_longer_is_shown_as_the_worst():
    shown = view(catalog=replace(CATALOG, servers={}))
    assert shown.level == Sensitivity.CRITICAL
    assert "The catalog does not describe this any more." in shown.warnings
    assert "600.00" in words(shown)


def test_nobody_vouches_for_an_agent_that_is_not_registered():
    shown = view(agent_id="somebody-else")
    assert not shown.is_registered
    assert "Nobody vouches for this software: it is not registered here." in shown.warnings
    assert "Nobody here answers for it" in words(shown)


def test_a_client_that_calls_itself_like_an_agent_is_called_out():
    name = CATALOG.agents["assistant"].name
    shown = view(replace(ADA, client=name.replace("a", "\u0430")), agent_id="somebody-else")
    assert any("looks like that of another agent" in one for one in shown.warnings)
    assert view().warnings == ()


def test_letters_of_several_alphabets_are_called_out():
    shown = view(replace(ADA, client="P\u0430yments bot"), agent_id="somebody-else")
    assert any("several alphabets" in one for one in shown.warnings)


def test_an_amount_that_cannot_be_read_is_called_out():
    shown = view(arguments={"amount": {"value": "a lot", "currency": "EUR"}})
    assert shown.warnings == ("No amount can be read from: amount.",)
    assert shown.title == "Refund"


@pytest.mark.parametrize(
    ("client", "said"),
    [
        (replace(ADA, client_is_registered=True), "Registered beforehand"),
        (ADA, "It introduced itself; the name is its own"),
        (replace(ADA, client_host="app.example"), "Described by app.example"),
        (replace(ADA, client=None), "Known by its identifier alone"),
    ],
)
def test_who_vouches_for_the_name_of_the_software_is_said(client, said):
    assert said in words(view(client))


def test_who_acts_for_nobody_is_said_to():
    nobody = Parties(person=None, username=None, client="Job")
    assert "Nobody: it acts by itself" in words(view(nobody, user_id=None))


@pytest.mark.parametrize(
    ("justification", "said"),
    [
        ("the customer waits", "the customer waits"),
        ('{"reason":"a","ticket":"CHG-1"}', "Reason: a Ticket: CHG-1"),
        ("<b>\u202e</b>", "<b> U+202E </b>"),
    ],
)
def test_why_it_is_made_stands_there_as_the_agents_own_words(justification, said):
    text = words(view(justification=justification))
    assert said in text
    assert "own words, which nobody checked" in text


def test_a_field_of_a_justification_goes_by_its_title():
    known = {"ticket": JustificationField(name="ticket", title="Change ticket")}
    assert justification_title("ticket", known) == "Change ticket"
    assert justification_title("patient_consent_id", known) == "Patient consent id"


def test_what_it_takes_besides_is_named():
    name = next(iter(CATALOG.scopes))
    parts = (Part(kind=PartKind.CONFIRMATION, scope=name),)
    assert view(parts=parts).scopes == (f"{CATALOG.scopes[name].title} ({name})",)


def test_the_words_change_with_whatever_they_say_and_with_nothing_else():
    same = view().text
    assert view(asked=3, opened_at=1_100, policy_version="w").text == same
    for changes in (
        {"arguments": {"amount": {"value": "600.01", "currency": "EUR"}}},
        {"agent_id": "somebody-else"},
        {"environment": "staging"},
        {"justification": "x"},
        {"holds": 600},
        {"expires_at": 1_660},
        {"thing": "other"},
    ):
        assert view(**changes).text != same


def test_nothing_in_it_is_markup_of_somebody_else():
    bad = "<i>"
    shown = view(
        replace(ADA, client=bad, client_host=bad),
        arguments={bad: bad, "to": bad},
        justification='{"x":"<i> a"}',
        thing=bad,
        environment=bad,
        parts=(Part(kind=PartKind.CONFIRMATION, rule=bad),),
    )
    assert bad not in shown.text
