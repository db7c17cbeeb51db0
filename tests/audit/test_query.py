import threading

import pytest

from remit.audit import Context, Query, StreamSettings, Trace, follow, newest, read_events
from remit.audit.events import AgentSuspended, CallCompleted, Decided, GrantRevoked, LoggedIn


def decision(n, outcome="allow", **context) -> Decided:
    return Decided(
        context=Context(**context),
        decision_id=f"dec_{n}",
        server="crm" if n % 2 else "payments",
        method="tools/call",
        name=f"tool.{n}",
        outcome=outcome,
        reason="allowed",
    )


@pytest.fixture
def folder(open_log, stream, clock):
    log = open_log()
    log.record([decision(1, tenant="acme", user_id="usr_1", agent_id="support")])
    clock.advance(60)
    log.record([decision(2, "deny", tenant="globex", client_id="cli_2", grant_id="gra_2")])
    clock.advance(60)
    log.record([decision(3, "challenge", tenant="acme", trace=Trace("t" * 32, "s" * 16))])
    clock.advance(60)
    log.record([AgentSuspended(context=Context(tenant="acme", environment="prod"), reason="x")])
    log.record([LoggedIn(context=Context(flow_id="flw_1"), session_id="s", acr="a", amr=("pwd",))])
    log.close()
    return stream.folder


@pytest.mark.parametrize(
    ("query", "sequences"),
    [
        (Query(), [0, 1, 2, 3, 4, 5, 6]),
        (Query(kind="decision"), [1, 2, 3]),
        (Query(kind="a*"), [0, 4, 5, 6]),
        (Query(kind="audit.*"), [0, 6]),
        (Query(kind="audit"), []),
        (Query(tenant="acme"), [1, 3, 4]),
        (Query(tenant="acme", kind="decision"), [1, 3]),
        (Query(environment="prod"), [4]),
        (Query(user="usr_1"), [1]),
        (Query(agent="support"), [1]),
        (Query(client="cli_2"), [2]),
        (Query(grant="gra_2"), [2]),
        (Query(flow="flw_1"), [5]),
        (Query(trace="t" * 32), [3]),
        (Query(server="crm"), [1, 3]),
        (Query(name="tool.2"), [2]),
        (Query(outcome="deny"), [2]),
        (Query(outcome="deny", tenant="acme"), []),
        (Query(since="2026-01-05T15:01:00"), [2, 3, 4, 5, 6]),
        (Query(until="2026-01-05T15:01:00"), [0, 1]),
        (Query(since="2026-01-05T15:01", until="2026-01-05T15:02"), [2]),
        (Query(since="2027"), []),
    ],
)
def test_a_query_finds_what_meets_all_its_conditions(folder, query, sequences):
    assert [entry["seq"] for entry in read_events(folder, query)] == sequences
    assert [entry["seq"] for entry in newest(folder, 100, query)] == sequences
    assert [entry["seq"] for entry in newest(folder, 1, query)] == sequences[-1:]


def test_none_at_all_can_be_asked_for(folder):
    assert newest(folder, 0) == []


def test_a_query_is_recorded_as_the_conditions_that_were_given():
    assert Query(kind="decision", tenant="acme").as_json() == {"kind": "decision", "tenant": "acme"}
    assert Query().as_json() == {}


def test_the_newest_are_found_across_segments(open_log, stream):
    small = StreamSettings(folder=stream.folder, origin=stream.origin, segment_bytes=2000)
    log = open_log(settings=small)
    for n in range(30):
        log.record([decision(n)])
    assert len(list(stream.folder.glob("*.jsonl"))) > 5
    found = newest(stream.folder, 7, Query(kind="decision"))
    assert [entry["body"]["decision_id"] for entry in found] == [f"dec_{n}" for n in range(23, 30)]


def test_several_streams_are_read_as_one_in_the_order_of_time(open_log, tmp_path, clock):
    logs = [
        open_log(settings=StreamSettings(folder=tmp_path / "audit" / name, origin=f"x/{name}"))
        for name in ("one", "two")
    ]
    for n in range(6):
        clock.advance(1)
        logs[n % 2].record([GrantRevoked(reason=str(n))])
    found = [e["body"]["reason"] for e in read_events(tmp_path / "audit", Query(kind="grant.*"))]
    assert found == [str(n) for n in range(6)]
    assert [e["body"]["reason"] for e in newest(tmp_path / "audit", 2)] == ["4", "5"]


def test_a_line_that_is_no_record_is_passed_over(folder):
    path = folder / "00000000000000000000.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], b"garbage\n", b"\xff\n", *lines[3:], b'{"torn']))
    assert [entry["seq"] for entry in read_events(folder)] == [0, 1, 2, 3, 4, 5, 6]


def test_following_gives_what_comes_and_nothing_before(open_log, stream):
    small = StreamSettings(folder=stream.folder, origin=stream.origin, segment_bytes=1500)
    log = open_log(settings=small)
    log.record([GrantRevoked(reason="before")])
    coming = follow(stream.folder, Query(kind="grant.*"), poll=0.01)
    found: list[str] = []

    def read():
        for entry in coming:
            found.append(entry["body"]["reason"])
            if len(found) == 20:
                return

    reader = threading.Thread(target=read)
    reader.start()
    for n in range(20):
        log.record([GrantRevoked(reason=str(n)), AgentSuspended()])
    reader.join(20)
    assert found == [str(n) for n in range(20)]


def test_the_outcome_of_a_call_is_found_by_its_server(open_log, stream):
    log = open_log()
    completed = CallCompleted(
        decision_id="d", server="crm", method="tools/call", name="t", outcome="tool_error"
    )
    log.record([completed, decision(1)])
    (entry,) = read_events(stream.folder, Query(server="crm", outcome="tool_error"))
    assert entry["kind"] == "call.completed"
