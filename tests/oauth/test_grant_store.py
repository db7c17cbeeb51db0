"""The SQL of grants and of what descends from them."""

from dataclasses import replace

import pytest

from remit.ids import GrantId
from remit.oauth import credential_store, grant_store
from remit.oauth.grant import AuthorizationCode, Grant, GrantFilter, GrantKind, RefreshToken

NOW = 1_000

WORKLOAD = Grant(
    id=GrantId("grt_1"),
    kind=GrantKind.WORKLOAD,
    user_id=None,
    client_id="job",
    agent_id="billing-job",
    tenant="acme",
    environment="prod",
    resource="https://remit.example/mcp/payments",
    scopes=("payments:invoices.read",),
    purpose="Reconciles “invoices”.",
    auth_time=None,
    acr=None,
    amr=(),
    created_at=NOW,
    last_used_at=NOW,
    expires_at=NOW + 100,
)
CODE = AuthorizationCode(
    digest="d1",
    grant_id=WORKLOAD.id,
    client_id="job",
    redirect_uri="https://app.example/cb",
    code_challenge="c",
    expires_at=NOW + 60,
)
TOKEN = RefreshToken(digest="r1", grant_id=WORKLOAD.id, issued_at=NOW, expires_at=NOW + 90)


@pytest.fixture
def run(database):
    database.run_now(lambda tx: grant_store.add_grant(tx, WORKLOAD))
    return database.run_now


def test_a_grant_comes_back_as_it_went_in(run):
    assert run(lambda tx: grant_store.find_grant(tx, WORKLOAD.id)) == WORKLOAD
    assert run(lambda tx: grant_store.find_grant(tx, GrantId("grt_none"))) is None


def test_a_live_grant_is_used_and_an_ended_one_is_not(run):
    used = run(lambda tx: grant_store.use_grant(tx, WORKLOAD.id, now=NOW + 99))
    assert used == replace(WORKLOAD, last_used_at=NOW + 99)
    assert run(lambda tx: grant_store.use_grant(tx, WORKLOAD.id, now=NOW + 100)) is None
    run(lambda tx: grant_store.mark_revoked(tx, WORKLOAD.id, at=NOW, reason="x"))
    assert run(lambda tx: grant_store.use_grant(tx, WORKLOAD.id, now=NOW)) is None


def test_a_grant_is_revoked_once(run):
    ended = run(lambda tx: grant_store.mark_revoked(tx, WORKLOAD.id, at=NOW + 5, reason="stolen"))
    assert ended == replace(WORKLOAD, revoked_at=NOW + 5, revoke_reason="stolen")
    assert run(lambda tx: grant_store.mark_revoked(tx, WORKLOAD.id, at=NOW + 6, reason="b")) is None
    assert run(lambda tx: grant_store.find_grant(tx, WORKLOAD.id)).revoke_reason == "stolen"


def test_revoked_grants_are_those_revoked_since(run):
    run(lambda tx: grant_store.mark_revoked(tx, WORKLOAD.id, at=NOW + 5, reason="x"))
    assert run(lambda tx: grant_store.revoked_grants(tx, NOW + 5)) == {WORKLOAD.id}
    assert run(lambda tx: grant_store.revoked_grants(tx, NOW + 6)) == frozenset()


def test_grants_are_found_by_every_filter_newest_first(run):
    newer = replace(WORKLOAD, id=GrantId("grt_2"), client_id="other", created_at=NOW + 1)
    run(lambda tx: grant_store.add_grant(tx, newer))

    def ids(wanted):
        return [grant.id for grant in run(lambda tx: grant_store.select_grants(tx, wanted))]

    assert ids(GrantFilter()) == ["grt_2", "grt_1"]
    assert ids(GrantFilter(client_id="job")) == ["grt_1"]
    assert ids(GrantFilter(agent_id="billing-job", client_id="other")) == ["grt_2"]
    assert ids(GrantFilter(user_id="usr_none")) == []
    assert ids(GrantFilter(live_at=NOW + 100)) == []
    run(lambda tx: grant_store.mark_revoked(tx, newer.id, at=NOW, reason="x"))
    assert ids(GrantFilter().live(NOW)) == ["grt_1"]


@pytest.mark.parametrize(
    "other",
    [
        {"client_id": "x"},
        {"agent_id": "x"},
        {"tenant": "globex"},
        {"environment": "dev"},
        {"resource": "https://remit.example/mcp/crm"},
        {"scopes": ()},
        {"purpose": "x"},
    ],
    ids=str,
)
def test_only_a_grant_that_says_the_same_is_an_equal(run, other):
    def find(wanted, until):
        return run(lambda tx: grant_store.find_equal_workload_grant(tx, wanted, until=until))

    assert find(WORKLOAD, NOW + 99) == WORKLOAD
    assert find(WORKLOAD, NOW + 100) is None
    assert find(replace(WORKLOAD, **other), NOW) is None


def test_a_code_is_spent_once(run):
    run(lambda tx: credential_store.add_authorization_code(tx, CODE))
    assert run(lambda tx: credential_store.find_authorization_code(tx, "d1")) == CODE
    spent = run(lambda tx: credential_store.consume_authorization_code(tx, "d1", now=NOW + 1))
    assert spent == replace(CODE, consumed_at=NOW + 1)
    assert (
        run(lambda tx: credential_store.consume_authorization_code(tx, "d1", now=NOW + 2)) is None
    )
    assert run(lambda tx: credential_store.find_authorization_code(tx, "d1")) == spent
    assert run(lambda tx: credential_store.find_authorization_code(tx, "unknown")) is None


def test_a_refresh_token_is_spent_once(run):
    run(lambda tx: credential_store.add_refresh_token(tx, TOKEN))
    assert run(lambda tx: credential_store.use_refresh_token(tx, "r1", now=NOW + 1)) == replace(
        TOKEN, used_at=NOW + 1
    )
    assert run(lambda tx: credential_store.use_refresh_token(tx, "r1", now=NOW + 2)) is None
    assert run(lambda tx: credential_store.find_refresh_token(tx, "r1")).used_at == NOW + 1
    assert run(lambda tx: credential_store.find_refresh_token(tx, "unknown")) is None


def test_what_is_rolled_back_is_not_spent(run):
    run(lambda tx: credential_store.add_refresh_token(tx, TOKEN))

    def refuse(tx):
        credential_store.use_refresh_token(tx, "r1", now=NOW)
        raise RuntimeError("refused")

    with pytest.raises(RuntimeError):
        run(refuse)
    assert run(lambda tx: credential_store.find_refresh_token(tx, "r1")) == TOKEN


def test_a_revoked_access_token_is_known_until_it_expires(run):
    assert run(lambda tx: credential_store.revoke_token(tx, "at_1", expires_at=NOW + 10)) is True
    assert run(lambda tx: credential_store.revoke_token(tx, "at_1", expires_at=NOW + 10)) is False
    assert run(lambda tx: credential_store.revoked_tokens(tx, NOW + 9)) == {"at_1": NOW + 10}
    assert run(lambda tx: credential_store.revoked_tokens(tx, NOW + 10)) == {}


def _family(run):
    """`grt_1`, its child `grt_2`, its grandchild `grt_3`; `grt_9` is of another family."""
    for name, parent in (("grt_2", "grt_1"), ("grt_3", "grt_2"), ("grt_9", None)):
        grant = replace(WORKLOAD, id=GrantId(name), parent_id=parent)
        run(lambda tx, grant=grant: grant_store.add_grant(tx, grant))


def test_what_descends_from_a_grant_is_found_at_any_depth(run):
    _family(run)

    def below(*ids):
        return [one.id for one in run(lambda tx: grant_store.descendants(tx, ids))]

    assert below("grt_1") == ["grt_2", "grt_3"]
    assert below("grt_2") == ["grt_3"]
    assert below("grt_3", "grt_9") == []
    assert below() == []


def test_what_descends_from_a_grant_ends_once_and_past_what_ended_before(run):
    _family(run)
    run(lambda tx: grant_store.mark_revoked(tx, GrantId("grt_2"), at=NOW, reason="before"))

    def end():
        return run(
            lambda tx: grant_store.mark_descendants_revoked(
                tx, [WORKLOAD.id], at=NOW + 1, reason="parent_grant_ended"
            )
        )

    assert [(one.id, one.revoke_reason) for one in end()] == [("grt_3", "parent_grant_ended")]
    assert end() == ()
    assert run(lambda tx: grant_store.find_grant(tx, GrantId("grt_9"))).revoked_at is None
    assert run(lambda tx: grant_store.find_grant(tx, WORKLOAD.id)).revoked_at is None
