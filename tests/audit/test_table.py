import pytest

from remit.audit import Context, render_rows, row, tail
from remit.audit.context import Actor, ActorType
from remit.audit.events import (
    AccessEnded,
    AccountCreated,
    AccountDisabled,
    ApprovalAnswered,
    ApprovalExpired,
    AuthorizationRefused,
    ConsentGranted,
    Decided,
    DeputyRemoved,
    ElevationUsed,
    EmergencyReviewed,
    GrantRevoked,
    LoginFailed,
    RefreshTokenReused,
)
from remit.testing.audit import InMemoryAuditLog


def row_of(event):
    log = InMemoryAuditLog()
    log.record([event])
    return row(log.entries[0])


def refused(**changes) -> Decided:
    fields = {
        "context": Context(user_id="usr_1", agent_id="support-assistant"),
        "decision_id": "dec_1",
        "server": "payments",
        "method": "tools/call",
        "name": "refund",
        "outcome": "challenge",
        "reason": "insufficient_scope",
        "scopes_missing": ("payments:refund.write",),
    }
    return Decided(**{**fields, **changes})


def test_a_decision_says_who_by_which_agent_on_what_with_what_outcome_and_why():
    found = row_of(refused())
    assert (found.what, found.who, found.agent) == ("decision", "usr_1", "support-assistant")
    assert (found.target, found.outcome) == ("payments/refund", "challenge")
    assert found.reason == "insufficient_scope: payments:refund.write"
    assert found.time == "2026-01-05T15:00:00.000Z"


def test_a_call_without_a_name_is_shown_by_its_method():
    assert row_of(refused(name=None, method="tools/list")).target == "payments/tools/list"


@pytest.mark.parametrize(
    ("event", "outcome", "target", "reason"),
    [
        (AccountCreated(account_id="usr_2"), "ok", "usr_2", ""),
        (AccountDisabled(account_id="usr_2", reason="left"), "ok", "usr_2", "left"),
        (LoginFailed(account_id="usr_2", reason="password"), "fail", "usr_2", "password"),
        (GrantRevoked(reason="by its user"), "ok", "", "by its user"),
        (RefreshTokenReused(credential="code"), "deny", "", "code"),
        (
            ApprovalExpired(approval="apr_1", reason="nobody answered in time"),
            "ok",
            "apr_1",
            "nobody answered in time",
        ),
        (
            ApprovalAnswered(
                approval="apr_1",
                verdict="refused",
                capacity="manager",
                shown="",
                acr="",
                seconds=1,
                reason="no",
            ),
            "refused",
            "apr_1",
            "no",
        ),
        (ElevationUsed(elevation="elv_1", decision_id="dec_1"), "ok", "elv_1", ""),
        (AccessEnded(access="acc_1", how="expired"), "ok", "acc_1", "expired"),
        (
            EmergencyReviewed(access="acc_1", verdict="unjustified", reason="no need"),
            "unjustified",
            "acc_1",
            "no need",
        ),
        (DeputyRemoved(absent="usr_1", deputy="usr_2", role="manager"), "ok", "usr_1", ""),
        (
            AuthorizationRefused(error="invalid_scope", detail="not for you", resource="https://r"),
            "deny",
            "https://r",
            "not for you",
        ),
        (
            ConsentGranted(resource="https://r", requested=(), granted=(), shown_digest="d"),
            "ok",
            "https://r",
            "",
        ),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_an_event_without_an_outcome_of_its_own_has_one_all_the_same(
    event, outcome, target, reason
):
    found = row_of(event)
    assert (found.outcome, found.target, found.reason) == (outcome, target, reason)


@pytest.mark.parametrize(
    ("context", "who"),
    [
        (Context(user_id="usr_1", actor=Actor(ActorType.AGENT, "agt")), "usr_1"),
        (Context(actor=Actor(ActorType.CLIENT, "cli_1")), "cli_1"),
        (Context(actor=Actor(ActorType.ANONYMOUS)), "anonymous"),
        (Context(), "system"),
    ],
)
def test_who_is_the_person_else_whoever_acted(context, who):
    assert row_of(GrantRevoked(context=context, reason="")).who == who


def test_rows_are_aligned_and_one_line_each():
    table = render_rows([row_of(refused()), row_of(AccountCreated(account_id="x" * 90))])
    lines = table.split("\n")
    assert len(lines) == 3
    assert lines[0].startswith("TIME ")
    column = lines[0].index("OUTCOME")
    assert lines[1][column:].startswith("challenge")
    assert lines[2][column:].startswith("ok")
    assert "…" in lines[2]


def test_no_rows_are_no_table():
    assert render_rows([], headings=False) == ""
    assert render_rows([]).startswith("TIME")


@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "\u202e", "\x9b31m"])
def test_text_in_a_file_that_was_changed_cannot_move_the_cursor(text):
    entry = {
        "observed": text,
        "kind": text,
        "agent": text,
        "actor": {"id": text},
        "body": {"server": text, "name": text, "outcome": text, "reason": text},
    }
    assert render_rows([row(entry)], headings=False).isprintable()


@pytest.mark.parametrize("entry", [{}, {"body": None}, {"body": [], "actor": 1, "kind": 7}])
def test_an_entry_of_another_shape_is_still_a_row(entry):
    assert render_rows([row(entry)], headings=False)


def test_the_tail_is_the_newest_rows_oldest_first(open_log, stream):
    log = open_log()
    for n in range(30):
        log.record([GrantRevoked(reason=str(n))])
    assert [one.reason for one in tail(stream.folder, count=3)] == ["27", "28", "29"]


def test_the_tail_goes_on_with_what_comes_and_shows_nothing_twice(open_log, stream):
    log = open_log()
    log.record([GrantRevoked(reason="before")])
    rows = tail(stream.folder, count=1, following=True)
    assert next(rows).reason == "before"
    log.record([GrantRevoked(reason="after")])
    assert next(rows).reason == "after"
