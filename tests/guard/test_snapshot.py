"""A snapshot travels whole, under a name that only these very bytes have."""

from dataclasses import replace

import pytest

from remit.guard import Standing
from remit.guard.codec import UnreadableError
from remit.guard.snapshot import (
    PublicKey,
    Snapshot,
    read_snapshot,
    snapshot_bytes,
    version_of,
)
from remit.policy import ResourceKind
from remit.testing.catalog import small_catalog
from tests.guard.test_codec import without_clients


def snapshot():
    return Snapshot(
        server="crm",
        issuer="https://remit.example",
        public_url="https://remit.example",
        catalog=without_clients(small_catalog()),
        policies=('@id("a") permit(principal, action, resource);',),
        policy_version="p" * 64,
        standing=Standing(as_of=0, revoked_tokens={"jti": 5}, suspended_agents=frozenset({"a"})),
        quarantined=frozenset({("crm", ResourceKind.TOOL, "get_account")}),
        keys=(PublicKey(kid="k", x="x", y="y"),),
        redaction_key="ab" * 32,
        lease=30,
    )


def test_it_comes_back_as_it_was():
    assert read_snapshot(snapshot_bytes(snapshot())) == snapshot()


def test_equal_snapshots_have_one_name_and_others_another():
    content = snapshot_bytes(snapshot())
    assert version_of(content) == version_of(snapshot_bytes(snapshot()))
    other = replace(snapshot(), standing=Standing(as_of=0))
    assert version_of(snapshot_bytes(other)) != version_of(content)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"$":"Snapshot"}', b'{"a":1,"a":2}'])
def test_what_is_none_is_refused(content):
    with pytest.raises(UnreadableError):
        read_snapshot(content)
