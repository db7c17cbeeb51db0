"""The story of a grant, told by all who wrote it, and of nothing else."""

import pytest

from remit.audit import Context, Query
from remit.audit.context import Actor, ActorType, Trace
from remit.audit.events import (
    ApprovalAnswered,
    ApprovalRequested,
    AuthorizationCodeIssued,
    CallCompleted,
    ConsentGranted,
    Decided,
    ElevationGiven,
    ElevationUsed,
    GrantRevoked,
    LoggedIn,
    TokenIssued,
)
from remit.trail.question import Question
from remit.trail.timeline import Subject, story_of, timeline

ADA = Context(tenant="acme", user_id="usr_ada", agent_id="bot", client_id="cli_1")


def issued(context, **changes):
    own = {"grant_type": "authorization_code", "jti_digest": "j", "resource": "r", "requested": (), "granted": (),
           "expires": 1}  # fmt: skip
    return TokenIssued(context=context, **own | changes)


def decided(context, decision, outcome="allow"):
    return Decided(
        context=context, decision_id=decision, server="crm", method="tools/call", name="update",
        outcome=outcome, reason="x",
    )  # fmt: skip


@pytest.fixture
def told(source):
    """What happened, in two processes."""
    flow = ADA.with_(flow_id="flw_1")
    grant = ADA.with_(grant_id="grt_1", trace=Trace("a" * 32, "0" * 16))
    child = grant.with_(grant_id="grt_2", agent_id="helper")
    other = ADA.with_(grant_id="grt_9", flow_id="flw_9")
    manager = ADA.with_(actor=Actor(ActorType.USER, "usr_boss"))
    for log, event in (
        ("remit/a", LoggedIn(context=flow, session_id="ses_1", acr="a", amr=("pwd",))),
        ("remit/a", ConsentGranted(context=flow, resource="r", requested=(), granted=(), shown_digest="d")),
        ("remit/a", AuthorizationCodeIssued(context=flow.with_(grant_id="grt_1"), resource="r", scopes=())),
        ("remit/a", issued(other)),
        ("remit/a", issued(grant)),
        ("remit/b", decided(grant, "dec_1", "challenge")),
        ("remit/b", ApprovalRequested(
            context=grant, approval="apr_1", server="crm", name="update", digest="d", needs=(), rules=(),
            decision_id="dec_1", expires_at=1)),
        ("remit/a", ApprovalAnswered(
            context=manager, approval="apr_1", verdict="approved", capacity="manager", shown="s", acr="a", seconds=1)),
        ("remit/a", ElevationGiven(
            context=ADA, elevation="eli_1", approval="apr_1", parent="grt_1", scopes=(), digest="d", expires_at=1)),
        ("remit/b", ElevationUsed(context=ADA, elevation="eli_1", decision_id="dec_2")),
        ("remit/b", decided(grant, "dec_2")),
        ("remit/b", CallCompleted(
            context=grant, decision_id="dec_2", server="crm", method="tools/call", name="update", outcome="ok")),
        ("remit/a", issued(child, grant_type="token_exchange", parent_grant_id="grt_1")),
        ("remit/b", decided(child, "dec_3")),
        ("remit/b", decided(other, "dec_9")),
        ("remit/a", GrantRevoked(context=grant, reason="enough")),
    ):  # fmt: skip
        source.now += 1_000
        source.add(log, event)


def kinds(index, subject, name, *, tenants=None, **query):
    story = story_of(index, subject, name, tenants=tenants)
    question = Question(query=Query(**query), tenants=tenants, limit=100)
    return [one.entry["kind"] for one in timeline(index, story, question).found][::-1]


GRANT = [
    "authn.logged_in", "consent.granted", "code.issued", "token.issued", "decision", "approval.requested",
    "approval.answered", "elevation.given", "elevation.used", "decision", "call.completed", "token.issued", "decision",
    "grant.revoked",
]  # fmt: skip


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("indexed", [True, False])
def test_a_grants_story_goes_from_the_log_in_to_its_end_and_through_its_descendants(index, indexed):
    if indexed:
        index.advance(at_once=True)
    found = kinds(index, Subject.GRANT, "grt_1")
    assert [one for one in found if not one.startswith("authn.")] == GRANT[1:]
    assert len(found) == len(GRANT)


@pytest.mark.usefixtures("told")
def test_a_decisions_story_has_what_people_were_asked_and_said(index):
    found = kinds(index, Subject.DECISION, "dec_1")
    assert "approval.answered" in found
    assert "elevation.given" in found
    assert "code.issued" not in found


@pytest.mark.usefixtures("told")
def test_a_story_of_a_trace_has_its_calls_and_not_those_of_others(index):
    found = kinds(index, Subject.TRACE, "a" * 32)
    assert found.count("decision") == 3
    assert "approval.answered" in found


@pytest.mark.usefixtures("told")
def test_a_persons_story_has_all_of_theirs_and_conditions_narrow_it(index):
    assert kinds(index, Subject.USER, "usr_ada").count("decision") == 4
    assert kinds(index, Subject.USER, "usr_boss") == ["approval.answered"]
    assert kinds(index, Subject.USER, "usr_ada", kind="grant.*") == ["grant.revoked"]


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("subject", list(Subject))
def test_what_there_is_not_has_no_story(index, subject):
    assert kinds(index, subject, "none") == []


@pytest.mark.usefixtures("told")
def test_another_organisation_has_no_part_in_it(index):
    assert kinds(index, Subject.GRANT, "grt_1", tenants=frozenset({"globex"})) == []
    assert len(kinds(index, Subject.GRANT, "grt_1", tenants=frozenset({"acme"}))) == len(GRANT)


@pytest.mark.usefixtures("told")
def test_each_event_says_by_what_it_belongs_there(index):
    story = story_of(index, Subject.GRANT, "grt_1", tenants=None)
    answer = timeline(index, story, Question(query=Query(kind="approval.answered")))
    assert story.why(answer.found[0]) == ["approval apr_1"]
    assert not story.cut
