"""What a guard inside a server sealed is under the key of whom it is about, once it is in Remit's log."""

from dataclasses import replace

import pytest

from remit.audit.call_events import CallCompleted, Decided
from remit.audit.context import Context
from remit.audit.record_seal import RecordKeys, RecordSeal, key_of
from remit.audit.relayed import Relayed
from remit.audit.resealing import resealed
from remit.audit.subject_keys import SubjectKeys
from remit.testing.clock import FixedClock

SECRET = b"s" * 32
CONTEXT = Context(tenant="acme", user_id="usr_1", agent_id="assistant")


@pytest.fixture
def keys():
    return SubjectKeys(FixedClock())


@pytest.fixture
def seal(keys):
    return RecordSeal(SECRET, writers=keys)


def decided(sealed, context=CONTEXT):
    return Relayed(
        7,
        Decided(
            context=context, decision_id="dec_1", server="crm", method="tools/call", name="x", outcome="allow",
            reason="permitted", sealed_arguments=sealed,
        ),
    )  # fmt: skip


def by_guard(content=b"content"):
    return RecordSeal(RecordSeal(SECRET).key_for("crm")).seal(
        content, decision="dec_1", tenant="acme"
    )


def test_it_is_sealed_anew_and_opens_with_the_key_of_the_person(seal, keys):
    found = resealed(decided(by_guard()), seal, server="crm")
    sealed = found.event.sealed_arguments
    [key] = keys.waiting()
    assert found.sequence == 7
    assert key_of(sealed) == key.id
    assert (key.owner.tenant, key.owner.subject) == ("acme", "usr_1")
    opener = RecordSeal(RecordKeys(SECRET, {key.id: key.key}))
    assert opener.open(sealed, decision="dec_1", tenant="acme") == b"content"
    assert opener.for_server("crm").open(sealed, decision="dec_1", tenant="acme") == b"content"


def test_of_an_agent_that_acts_for_nobody_it_is_the_agents(seal, keys):
    resealed(decided(by_guard(), replace(CONTEXT, user_id=None)), seal, server="crm")
    assert keys.waiting()[0].owner.subject == "assistant"


@pytest.mark.parametrize(
    "relayed",
    [
        decided(None),
        decided(by_guard(), Context()),
        decided("r1.nonsense"),
        decided("r9.xx"),
        Relayed(
            1, CallCompleted(decision_id="d", server="crm", method="m", name=None, outcome="ok")
        ),
    ],
)
def test_what_does_not_open_or_is_about_nobody_stays_as_it_came(seal, keys, relayed):
    assert resealed(relayed, seal, server="crm") is relayed
    assert keys.waiting() == []


def test_what_another_server_sealed_does_not_open_here(seal):
    relayed = decided(by_guard())
    assert resealed(relayed, seal, server="payments") is relayed


def test_where_subjects_have_no_keys_it_stays_as_it_came():
    relayed = decided(by_guard())
    assert resealed(relayed, RecordSeal(SECRET), server="crm") is relayed
    assert resealed(relayed, None, server="crm") is relayed
