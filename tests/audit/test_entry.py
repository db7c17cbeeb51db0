import json
import unicodedata
from itertools import pairwise

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.audit.context import Actor, ActorType, Context, Network, authenticated, chain_of
from remit.audit.entry import (
    MAX_ENTRY_BYTES,
    BadEntryError,
    Moment,
    Producer,
    draft,
    first_link,
    read_entry,
    seal,
)
from remit.audit.events import AuditQueried, ClientRegistered, GrantRevoked, LoginFailed
from remit.ids import new_id

NOW = "2026-01-05T15:00:00.000Z"
LINK = "0" * 64


def written(event, **changes) -> bytes:
    moment = changes.pop("moment", Moment.of(1_767_625_200_000))
    entry = draft(event, Producer(service="remit", instance="i1", version="0.1"), moment)
    return seal(entry, **{"sequence": 7, "previous": LINK, "observed": NOW, **changes})


def read(event) -> dict:
    return read_entry(written(event))


def test_an_entry_has_every_field_of_the_envelope(decided):
    entry = read(decided)
    assert entry.pop("id").startswith("evt_")
    body = entry.pop("body")
    assert entry == {
        "v": 1,
        "seq": 7,
        "prev": LINK,
        "kind": "decision",
        "time": NOW,
        "observed": NOW,
        "producer": {"service": "remit", "instance": "i1", "version": "0.1"},
        "tenant": "acme",
        "env": "prod",
        "actor": {"type": "agent", "id": "support-assistant"},
        "user": "usr_1",
        "agent": "support-assistant",
        "client": "cli_1",
        "grant": "gra_1",
        "flow": None,
        "net": {"hops": 0, "ip": "192.0.2.7", "ua": "example/1.0", "zone": []},
        "trace": {
            "flags": "01",
            "trace_id": "0af7651916cd43dd8448eb211c80319c",
            "span_id": "b7ad6b7169203331",
        },
        "act": [],
        "auth": None,
        "caused_by": [],
    }
    assert body["outcome"] == "allow"
    assert body["scopes_required"] == ["crm:accounts.read"]
    assert "context" not in body


def test_what_is_not_known_is_null_and_not_absent():
    entry = read(GrantRevoked(reason="over"))
    unknown = ("tenant", "env", "user", "agent", "client", "grant", "flow", "trace")
    assert all(entry[field] is None for field in unknown)
    assert entry["net"] == {"hops": 0, "ip": None, "ua": None, "zone": []}
    assert entry["auth"] is None
    assert entry["act"] == entry["caused_by"] == []
    assert entry["actor"] == {"type": "system", "id": None}


def test_what_is_known_of_a_log_in_a_chain_and_a_cause_stands_in_canonical_order():
    context = Context(
        network=Network("192.0.2.7", None, ("desk", "office"), 2),
        auth=authenticated("gold", ("pwd", "otp"), 5),
        act=chain_of([("first", "cli_1"), ("second", "cli_2")]),
        caused_by=("dec_1", "apr_1"),
    )
    line = written(GrantRevoked(context=context, reason="over"))
    entry = read_entry(line)
    assert entry["auth"] == {"acr": "gold", "amr": ["pwd", "otp"], "auth_time": 5}
    assert entry["act"] == [
        {"agent": "first", "client": "cli_1"},
        {"agent": "second", "client": "cli_2"},
    ]
    assert entry["caused_by"] == ["dec_1", "apr_1"]
    assert entry["net"] == {"hops": 2, "ip": "192.0.2.7", "ua": None, "zone": ["desk", "office"]}
    assert rfc8785.dumps(entry) == line


@pytest.mark.parametrize("odd", ["a\nb", "\u202e", "x" * 200, "ü"])
def test_what_an_identity_provider_made_up_is_not_said_of_a_log_in(odd):
    assert authenticated(odd, ("pwd", odd)) == {"acr": None, "amr": ["pwd"], "auth_time": None}


def test_ids_sort_by_time_and_no_two_are_alike():
    moments = [Moment.of(1_767_625_200_000 + later) for later in (0, 1, 31, 32, 10**6, 10**9)]
    ids = [
        read_entry(written(GrantRevoked(reason=""), moment=moment))["id"]
        for moment in moments
        for _ in range(20)
    ]
    assert len(set(ids)) == len(ids)
    groups = [ids[at : at + 20] for at in range(0, len(ids), 20)]
    assert all(max(one) < min(next_) for one, next_ in pairwise(groups))
    assert new_id("evt")[:13] >= ids[0][:13]
    assert len(new_id("evt")) == len(ids[0])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["a", "b", "c d"]), json_values, max_size=3))
def test_every_event_within_the_profile_is_one_line_that_reads_back_and_is_rfc_8785(query):
    line = written(AuditQueried(query=query))
    assert b"\n" not in line
    entry = read_entry(line)
    assert rfc8785.dumps(entry) == line
    assert json.loads(line) == entry


@settings(deadline=None)
@given(st.text())
def test_no_character_that_can_hide_or_break_a_line_stays_in_the_text(text):
    entry = read(GrantRevoked(context=Context(network=Network(user_agent=text)), reason=text))
    for kept in (entry["body"]["reason"], entry["net"]["ua"]):
        hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
        assert not any(unicodedata.category(character) in hidden for character in kept)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('x\n{"kind":"forged"}', 'x\ufffd{"kind":"forged"}'),
        ("\x1b[2Jcleared", "\ufffd[2Jcleared"),
        ("abc\u202etxt.exe", "abc\ufffdtxt.exe"),
        ("line\u2028separator", "line\ufffdseparator"),
        ("nul\x00 del\x7f", "nul\ufffd del\ufffd"),
        ("\ud800 alone", "\ufffd alone"),
        ("Zoë 日本 😀", "Zoë 日本 😀"),
    ],
)
def test_a_hidden_character_becomes_a_visible_one(text, kept):
    assert read(GrantRevoked(reason=text))["body"]["reason"] == kept


@pytest.mark.parametrize(
    "query",
    [
        {"a": 1.0},
        {"a": float("nan")},
        {"a": [{"b": 0.5}]},
        {"a": 2**53},
        {"a": -(2**53)},
        {"é": 1},
        {"a\n": 1},
        {1: "a"},
        {"a": b"bytes"},
        {"a": object()},
    ],
)
def test_what_the_profile_does_not_admit_is_refused(query):
    with pytest.raises(BadEntryError):
        written(AuditQueried(query=query))


def test_endless_nesting_is_refused():
    nested: object = 1
    for _ in range(40):
        nested = [nested]
    with pytest.raises(BadEntryError, match="deeper"):
        written(AuditQueried(query={"a": nested}))


def test_a_field_that_does_not_fit_is_replaced_by_its_size_and_digest_and_no_other_is():
    event = ClientRegistered(
        registration="dynamic",
        client_name="N" * 100_000,
        redirect_uris=("https://client.test/callback",),
        grant_types=("authorization_code",),
        token_endpoint_auth_method="none",
    )
    line = written(event)
    body = read_entry(line)["body"]
    assert len(line) <= MAX_ENTRY_BYTES
    assert body["client_name"]["omitted_bytes"] == 100_002
    assert len(body["client_name"]["omitted_sha256"]) == 64
    assert body["redirect_uris"] == ["https://client.test/callback"]


@settings(deadline=None)
@given(
    st.integers(0, 40_000) | st.integers(400, 600),
    st.sampled_from(["a", "é", '"', "\\", "\x00", "😀"]),
)
def test_no_event_is_too_large_to_be_recorded(size, character):
    text = character * size
    context = Context(
        actor=Actor(ActorType.CLIENT, text),
        tenant=text,
        environment=text,
        user_id=text,
        agent_id=text,
        client_id=text,
        grant_id=text,
        flow_id=text,
        network=Network(text, text),
    )
    event = AuditQueried(context=context, query={"text": text, "list": [text] * 3})
    assert len(written(event)) <= MAX_ENTRY_BYTES


def test_a_long_text_of_the_envelope_is_cut_but_stays_one_of_a_kind():
    def client(name):
        return read(GrantRevoked(context=Context(client_id=name), reason=""))["client"]

    first, second = client("https://a.test/" + "x" * 9000), client("https://a.test/" + "x" * 9001)
    assert first.startswith("https://a.test/xxx")
    assert "~sha256:" in first
    assert first != second
    assert len(first.encode()) <= 512


def test_a_record_without_an_account_does_not_name_one():
    entry = read(LoginFailed(account_id=None, reason="unknown"))
    assert entry["body"] == {"account_id": None, "reason": "unknown"}


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b'"text"',
        b'{"a": 1}',
        b'{"a":1}\n',
        b' {"a":1}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"b":1,"a":1}',
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":9007199254740992}',
        b'{"a":NaN}',
        b'{"a":"\\u0041"}',
        b'{"a":"\\/"}',
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
        '{"é":1}'.encode(),
        b'{"a":1}x',
        b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}",
        b'{"a":"' + b"x" * MAX_ENTRY_BYTES + b'"}',
    ],
)
def test_a_line_that_another_parser_could_read_differently_is_no_entry(line):
    with pytest.raises(BadEntryError):
        read_entry(line)


def test_the_first_record_names_its_log():
    assert first_link("example.test/main") != first_link("example.test/other")
    assert len(first_link("example.test/main")) == 64
