"""What is found is what is there: against a search that looks at every record, whatever is indexed and whatever not."""

import random
import sys
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.audit import Context, Query
from remit.audit.context import Actor, ActorType, Network, Trace
from remit.audit.events import AuditStarted, CallCompleted, Decided, GrantRevoked, TokenIssued
from remit.clock import rfc3339_ms
from remit.testing.clock import FixedClock
from remit.trail import candidates
from remit.trail.index import TrailIndex, open_index_file
from remit.trail.question import Cursor, CursorLostError, Question, Rest
from remit.trail.search import search as ask
from tests.trail.conftest import START, MemorySource

SEARCHING = sys.modules[ask.__module__]
TOKENS = ["tok1.text." + "a" * 26, "tok1.pii." + "b" * 26, "tok1.number." + "c" * 26]


def context(pick: random.Random) -> Context:
    tenant = pick.choice(["acme", "globex", None])
    return Context(
        actor=Actor(ActorType.AGENT, pick.choice(["bot", "helper"])),
        tenant=tenant,
        environment=pick.choice(["prod", None]),
        user_id=pick.choice(["usr_1", "usr_2", None]),
        agent_id=pick.choice(["bot", "helper"]),
        grant_id=pick.choice(["gnt_1", "gnt_2", "gnt_3"]),
        network=Network(ip=pick.choice(["192.0.2.1", "2001:db8::1"])),
        trace=Trace(pick.choice("abc") * 32, "0" * 16),
    )


def event(pick: random.Random):
    decision = f"dec_{pick.randrange(8)}"
    match pick.randrange(5):
        case 0:
            return AuditStarted(settings_digest="d")
        case 1:
            return GrantRevoked(context=context(pick), reason="the person's word")
        case 2:
            return TokenIssued(
                context=context(pick), grant_type="client_credentials", jti_digest="j", resource="r",
                requested=("crm:read",), granted=("crm:read",), expires=1, parent_grant_id="gnt_1",
            )  # fmt: skip
        case 3:
            return CallCompleted(
                context=context(pick), decision_id=decision, server="crm", method="tools/call",
                name="update", outcome=pick.choice(["ok", "error"]),
            )  # fmt: skip
        case _:
            return Decided(
                context=context(pick), decision_id=decision, server=pick.choice(["crm", "payments"]),
                method="tools/call", name="update", outcome=pick.choice(["allow", "deny"]),
                reason="allowed", rules=({"id": pick.choice(["p1", "p2"]), "effect": "permit"},),
                scopes_required=("crm:write",), input={"to": pick.choice([TOKENS[0], TOKENS[1]])},
            )  # fmt: skip


def query(pick: random.Random) -> Query:
    choices = {
        "kind": ["decision", "call.*", "grant.revoked", "*", "token.issued", "nothing"],
        "tenant": ["acme", "globex", "initech"],
        "user": ["usr_1", "usr_9"],
        "agent": ["bot"],
        "grant": ["gnt_1", "gnt_2"],
        "decision": ["dec_1", "dec_2"],
        "server": ["crm", "payments"],
        "outcome": ["allow", "deny", "ok"],
        "rule": ["p1"],
        "scope": ["crm:write", "crm:read"],
        "ip": ["192.0.2.1"],
        "trace": ["a" * 32],
        "tokens": [(TOKENS[0],), (TOKENS[1], TOKENS[2])],
        "text": ["PERSON'S", "crm:", "nowhere"],
        "since": [rfc3339_ms(START + 60_000), "2026-01-05T15:01"],
        "until": [rfc3339_ms(START + 120_000), "2026-01-05"],
    }
    asked = pick.sample(sorted(choices), pick.randrange(4))
    return Query(**{name: pick.choice(choices[name]) for name in asked})


def write(source: MemorySource, pick: random.Random, count: int) -> None:
    for _ in range(count):
        source.now += pick.choice([0, 1, 700, 20_000])
        source.add(pick.choice(["remit/main", "remit/other", "joined"]), event(pick))


def expected(source: MemorySource, question: Question) -> list[tuple[str, int]]:
    found = []
    for log, lines in source.lines.items():
        for record in source.read(log, 0, limit=len(lines)):
            entry = record.entry()
            shown = question.tenants is None or (entry["tenant"] or "") in question.tenants
            if shown and question.query.matches(entry):
                found.append((entry["observed"], log, record.sequence))
    return [one[1:] for one in sorted(found, reverse=True)]


def all_pages(index: TrailIndex, question: Question, between=lambda: None):
    found, cursor, pages = [], None, 0
    while True:
        answer = ask(
            index,
            Question(
                query=question.query,
                tenants=question.tenants,
                conditions=question.conditions,
                limit=question.limit,
                cursor=cursor,
            ),
        )
        pages += 1
        assert pages < 1_000, "an answer ended where it began"
        found += [(one.record.log, one.record.sequence) for one in answer.found]
        assert len(answer.found) <= question.limit
        if answer.next is None:
            return found, answer
        cursor = Cursor.parse(answer.next.text())
        between()


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory):
    with closing(open_index_file(tmp_path_factory.mktemp("index") / "trail")) as opened:
        yield opened


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32), records=st.integers(0, 60), few=st.booleans())
def test_a_search_finds_what_looking_at_every_record_finds(sqlite, seed, records, few):
    pick = random.Random(seed)
    source = MemorySource()
    with pytest.MonkeyPatch.context() as patch:
        if few:  # so that windows, budgets and blocks end in the midst of things
            patch.setattr(candidates, "_FIRST", 1)
            patch.setattr(candidates, "_ROWS", 3)
            patch.setattr(SEARCHING, "_RECORDS", 5)
            patch.setattr("remit.trail.index.LARGEST", 3)
            patch.setattr("remit.trail.index_store._IN_SPAN", 2)
        index = TrailIndex(sqlite, source, clock=FixedClock(), own="remit/main")
        index.forget()
        for _ in range(pick.randrange(4)):
            write(source, pick, records // 3)
            index.advance(at_once=True)
        write(source, pick, pick.randrange(10))
        for _ in range(4):
            question = Question(
                query=query(pick),
                tenants=pick.choice([None, frozenset({"acme"}), frozenset({"acme", ""})]),
                limit=pick.choice([1, 2, 7, 100]),
            )
            wanted = expected(source, question)

            def meanwhile() -> None:
                """What is written and indexed between two pages is in none of them."""
                if pick.random() < 0.3:
                    write_later(source, pick)
                    index.advance(at_once=True)

            found, _ = all_pages(index, question, meanwhile)
            assert sorted(found) == sorted(wanted)
            for log in source.lines:
                own = [number for name, number in found if name == log]
                assert own == sorted(own, reverse=True)
            times = [source.entry_time(*one) for one in found]
            assert times == sorted(times, reverse=True)


def write_later(source: MemorySource, pick: random.Random) -> None:
    source.add("remit/main", event(pick))


@pytest.mark.parametrize("seconds", [0, 5])
def test_however_little_time_there_is_each_answer_goes_on(sqlite, monkeypatch, seconds):
    monkeypatch.setattr(SEARCHING, "_SECONDS", seconds)
    monkeypatch.setattr("remit.trail.index.LARGEST", 50)
    pick, source = random.Random(3), MemorySource()
    index = TrailIndex(sqlite, source, clock=FixedClock(), own="remit/main")
    index.forget()
    write(source, pick, 400)
    index.advance(at_once=True)
    for query_ in (Query(text="nowhere"), Query(text="CRM:"), Query(outcome="deny")):
        question = Question(query=query_, limit=50)
        found, _ = all_pages(index, question)
        assert sorted(found) == sorted(expected(source, question))


async def test_it_does_on_both_databases(index, source):
    pick = random.Random(1)
    for _ in range(5):
        write(source, pick, 40)
        index.advance(at_once=True)
    write(source, pick, 5)
    for _ in range(40):
        question = Question(query=query(pick), limit=10)
        found, answer = all_pages(index, question)
        assert sorted(found) == sorted(expected(source, question))
        assert [one.to for one in answer.looked] == [
            len(source.lines[one.log]) for one in answer.looked
        ]


def test_an_answer_says_what_it_was_given_over(index, source):
    write(source, random.Random(3), 30)
    answer = ask(index, Question(query=Query(), limit=5))
    assert [(one.log, one.first, one.to) for one in answer.looked] == [
        (log, 0, len(lines)) for log, lines in sorted(source.lines.items())
    ]
    assert all(one.checkpoint.startswith(f"{one.log}\n") for one in answer.looked)
    assert answer.behind == 0
    assert ask(index, Question(query=Query(), limit=5, cursor=answer.next)).looked == answer.looked


def test_what_is_pruned_is_not_found_and_the_answer_begins_after_it(index, source):
    write(source, random.Random(4), 60)
    index.advance(at_once=True)
    source.pruned = {"remit/main": 10}
    found, answer = all_pages(index, Question(query=Query(), limit=7))
    assert {number for log, number in found if log == "remit/main"} == set(
        range(10, len(source.lines["remit/main"]))
    )
    assert {one.log: one.first for one in answer.looked}["remit/main"] == 10


def test_of_a_log_that_is_far_behind_the_newest_are_read_and_the_gap_is_said(
    index, source, monkeypatch
):
    monkeypatch.setattr(SEARCHING, "_REST", 10)
    for number in range(60):
        source.now += 1_000
        source.add("remit/main" if number % 6 else "remit/few", event(random.Random(number)))
    index.advance(at_once=True)
    for number in range(60):
        source.now += 1_000
        source.add("remit/main" if number % 20 else "remit/few", event(random.Random(number)))
    found, answer = all_pages(index, Question(query=Query(), limit=4))
    main, few = len(source.lines["remit/main"]), len(source.lines["remit/few"])
    (gap,) = [one.gap for one in answer.looked if one.gap is not None]
    assert gap == (50, main - 7)
    assert answer.behind == gap[1] - gap[0] == 50
    looked_at = {*range(50), *range(gap[1], main)}
    assert {number for log, number in found if log == "remit/main"} == looked_at
    assert {number for log, number in found if log == "remit/few"} == set(range(few))
    assert len(set(found)) == len(found)
    index.advance(at_once=True)
    assert ask(index, Question(query=Query())).behind == 0


def test_a_cursor_of_an_index_that_was_made_anew_is_refused(index, source):
    write(source, random.Random(6), 30)
    cursor = ask(index, Question(query=Query(), limit=2)).next
    index.forget()
    with pytest.raises(CursorLostError):
        ask(index, Question(query=Query(), limit=2, cursor=cursor))


def test_an_index_that_lies_about_whose_a_record_is_shows_it_to_nobody_else(index, source):
    write(source, random.Random(7), 80)
    index.advance(at_once=True)
    for log, lines in source.lines.items():  # the logs are others than those that were indexed
        source.lines[log] = [line.replace(b'"tenant":"acme"', b'"tenant":"evil"') for line in lines]
    question = Question(query=Query(), tenants=frozenset({"acme"}), limit=1000)
    assert all_pages(index, question)[0] == []


def test_a_forged_cursor_reads_no_more_than_one_of_ours(index, source):
    write(source, random.Random(8), 200)
    index.advance(at_once=True)
    write(source, random.Random(9), 9)
    question = Question(query=Query(), tenants=frozenset({"acme"}), limit=3)
    given = ask(index, question).next
    assert given is not None
    all_of = {log: len(lines) for log, lines in source.lines.items()}
    theirs = dict.fromkeys(given.below, 2**62)
    for rest in (
        (Rest("remit/main", 0, 2**62),),
        tuple(Rest("remit/main", 0, 9) for _ in range(900)),
        tuple(Rest(f"remit/{number}", 0, 2**40) for number in range(9)),
    ):
        with pytest.raises(CursorLostError):
            ask(index, replace(question, cursor=replace(given, rest=rest)))
    for cursor in (
        replace(given, rest=tuple(Rest(log, 0, size) for log, size in all_of.items())),
        replace(given, rest=(Rest("../../etc", 0, 9), Rest("", 0, 9))),
        replace(given, bound=2**62, below=theirs, opened={}),
        replace(given, below=dict.fromkeys(range(99), 2**62), bound=2**62),
        replace(given, opened=dict.fromkeys(range(2_000), 2**62), sizes={"remit/x": 7}),
    ):
        shown = ask(index, replace(question, limit=1000, cursor=cursor)).found
        assert {one.entry["tenant"] for one in shown} <= {"acme"}


@pytest.mark.parametrize(
    "other",
    [{"query": Query(outcome="deny")}, {"tenants": frozenset({"globex"})}, {"tenants": None}],
)
def test_a_cursor_goes_on_with_the_question_that_it_was_given_for(index, source, other):
    write(source, random.Random(8), 30)
    question = Question(query=Query(), tenants=frozenset({"acme"}), limit=2)
    cursor = ask(index, question).next
    assert ask(index, replace(question, limit=7, cursor=cursor)).found
    with pytest.raises(CursorLostError):
        ask(index, replace(question, **other, cursor=cursor))


def test_an_index_that_is_made_anew_under_a_search_hides_nothing(index, source, monkeypatch):
    write(source, random.Random(2), 300)
    index.advance(at_once=True)
    question, take, times = Question(query=Query(), limit=1000), candidates.Candidates.take, []

    def forgotten(self):
        if len(times) < 2:
            times.append(index.forget())
            index.advance(at_once=True)
        return take(self)

    monkeypatch.setattr(candidates.Candidates, "take", forgotten)
    assert len(ask(index, question).found) == 300
    assert len(times) == 2
