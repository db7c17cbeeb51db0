"""Secrets that an administrator hands over to be kept."""

import pytest
from sqlalchemy import text

from remit.audit import Context
from remit.audit.context import Actor, ActorType
from remit.audit.events import SecretRemoved, SecretStored
from remit.errors import NotFoundError
from remit.secrets import (
    KnownSecrets,
    NewSecret,
    UnfitSecretError,
    drop_secret,
    list_stored_secrets,
    sealed_values,
    store_secret,
)

BY = Context(actor=Actor(ActorType.ADMIN, "usr_1"))
VALUE = "hunter2-of-the-crm"


@pytest.fixture
def store(database, box, clock):
    def stored(name: str = "crm", value: str = VALUE, reason: str = "") -> object:
        return database.run_now(
            lambda tx: store_secret(
                tx,
                box,
                NewSecret(name=name, value=value, reason=reason),
                now=clock.now(),
                context=BY,
            )
        )

    return stored


def test_a_secret_is_kept_sealed_and_its_event_does_not_say_it(database, box, store, events):
    store(reason="new contract")
    row = database.read_now(
        lambda tx: tx.connection.execute(text("SELECT * FROM stored_secrets")).one()
    )
    assert VALUE not in repr(row)
    known = KnownSecrets(env={})
    known.publish(database.read_now(sealed_values), box)
    assert known("stored:crm") == VALUE
    [event] = events.recorded
    assert isinstance(event, SecretStored)
    assert (event.name, event.replaced, event.reason) == ("crm", False, "new contract")
    assert event.context.actor.id == "usr_1"
    assert VALUE not in repr(event)


def test_a_second_value_takes_the_place_of_the_first(database, box, store, clock, events):
    store()
    clock.advance(60)
    store(value="another-one")
    [kept] = database.read_now(list_stored_secrets)
    assert (kept.changed_at - kept.created_at, kept.changed_by) == (60, "usr_1")
    known = KnownSecrets(env={})
    known.publish(database.read_now(sealed_values), box)
    assert known("stored:crm") == "another-one"
    assert [one.replaced for one in events.recorded] == [False, True]


def test_what_is_removed_is_gone_and_says_why(database, store, events):
    store()
    database.run_now(lambda tx: drop_secret(tx, "crm", reason="leaked", context=BY))
    assert database.read_now(list_stored_secrets) == ()
    assert isinstance(events.recorded[-1], SecretRemoved)
    assert events.recorded[-1].reason == "leaked"
    with pytest.raises(NotFoundError):
        database.run_now(lambda tx: drop_secret(tx, "crm", reason="", context=BY))


@pytest.mark.parametrize("name", ["", "CRM", "-crm", "a b", "x" * 64, "crm\n", "über", "a/b"])
def test_a_name_that_could_not_stand_in_a_repository_is_refused(store, database, events, name):
    with pytest.raises(UnfitSecretError) as refused:
        store(name=name)
    assert VALUE not in refused.value.detail
    assert database.read_now(list_stored_secrets) == ()
    assert events.recorded == []


@pytest.mark.parametrize("value", ["", "a\0b", "x" * 65_537], ids=["empty", "null", "large"])
def test_a_value_that_nothing_could_use_is_refused(store, database, value):
    with pytest.raises(UnfitSecretError):
        store(value=value)
    assert database.read_now(list_stored_secrets) == ()


def test_a_row_moved_under_another_name_does_not_open(database, box, store):
    store()
    database.run_now(
        lambda tx: tx.connection.execute(text("UPDATE stored_secrets SET name = 'other'"))
    )
    known = KnownSecrets(env={})
    assert known.publish(database.read_now(sealed_values), box) == ("other",)


def test_a_new_secret_does_not_print_its_value():
    assert VALUE not in repr(NewSecret(name="crm", value=VALUE))
