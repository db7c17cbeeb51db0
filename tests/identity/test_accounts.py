"""Accounts as an administrator changes them, on both databases."""

from dataclasses import replace

import pytest

from remit.audit.events import (
    AccountCreated,
    AccountDisabled,
    AccountEnabled,
    AccountUpdated,
    LoggedOut,
)
from remit.errors import ConflictError, NotFoundError, UnavailableError
from remit.identity import (
    InvalidAccountError,
    UserChanges,
    UserDetails,
    change_user,
    create_user,
    disable_user,
    disabled_users,
    enable_user,
    find_user,
    list_users,
    require_user,
)
from tests.identity.conftest import ADMIN


@pytest.fixture
def disable(database, clock):
    def act(user: str):
        return database.run_now(
            lambda tx: disable_user(tx, user, reason="left", now=clock.now(), context=ADMIN)
        )

    return act


async def test_an_account_is_created_in_normal_form_and_recorded(database, add_user, events, clock):
    user = await add_user(
        " Ada@Example ",
        display_name="Ada Lovelace",
        roles=("support", "support"),
        attributes={"department": "finance"},
    )
    assert user.id.startswith("usr_")
    assert (user.username, user.display_name, user.roles) == (
        "ada@example",
        "Ada Lovelace",
        ("support",),
    )
    assert database.read_now(lambda tx: find_user(tx, user.id)) == user
    (event,) = events.of(AccountCreated)
    assert (event.account_id, event.roles, event.context.tenant) == (
        user.id,
        ("support",),
        "acme",
    )


async def test_a_name_is_taken_whatever_its_case_and_nothing_is_recorded(add_user, events):
    await add_user("ada")
    with pytest.raises(ConflictError, match="`ada` is taken"):
        await add_user("ADA", tenant="globex")
    assert len(events.of(AccountCreated)) == 1


async def test_accounts_are_listed_by_name(database, add_user):
    for name in ("grace", "ada"):
        await add_user(name)
    assert [user.username for user in database.read_now(list_users)] == ["ada", "grace"]


async def test_a_disabled_account_has_no_session_and_is_in_the_standing(
    database, add_user, disable, new_browser, events, clock
):
    user = await add_user()
    first, second = new_browser(), new_browser()
    await first.log_in()
    await second.log_in()
    disabled = disable("ada")
    assert disabled.disabled_at == clock.now()
    assert database.read_now(disabled_users) == {user.id}
    assert [event.account_id for event in events.of(AccountDisabled)] == [user.id]
    assert [event.reason for event in events.of(LoggedOut)] == ["account_disabled"] * 2
    assert (await first.open("/account")).status_code == 303


async def test_an_enabled_account_logs_in_anew_its_old_sessions_stay_ended(
    database, add_user, disable, browser, events
):
    user = await add_user()
    await browser.log_in()
    disable(user.id)
    enabled = database.run_now(lambda tx: enable_user(tx, "ada", context=ADMIN))
    assert enabled.disabled_at is None
    assert database.read_now(disabled_users) == frozenset()
    assert [event.account_id for event in events.of(AccountEnabled)] == [user.id]
    assert (await browser.open("/account")).status_code == 303
    assert (await browser.log_in()).status_code == 303


@pytest.fixture
def change(database, catalog):
    def act(user: str = "ada", **changes: object):
        return database.run_now(
            lambda tx: change_user(
                tx, user, UserChanges(**changes), reason="moved", catalog=catalog, context=ADMIN
            )
        )

    return act


async def test_an_account_is_described_anew_and_it_is_recorded_what_changed(
    database, add_user, change, events
):
    ada = await add_user(roles=("support", "manager"), attributes={"grade": "lead"})
    changed = change(
        add_roles=("finance",),
        remove_roles=("support",),
        attributes={"grade": None, "floor": "3"},
    )
    assert (changed.roles, dict(changed.attributes)) == (("manager", "finance"), {"floor": "3"})
    assert database.read_now(lambda tx: find_user(tx, ada.id)) == changed
    change(ada.id, display_name=" Ada Lovelace ")
    assert [one.changed for one in events.of(AccountUpdated)] == [
        ("roles", "attributes"),
        ("display_name",),
    ]
    assert {one.context.tenant for one in events.of(AccountUpdated)} == {"acme"}


async def test_a_role_the_catalog_no_longer_has_can_be_taken_away(
    database, add_user, catalog, change
):
    await add_user(roles=("support", "manager"))
    fewer = replace(catalog, roles={"support": catalog.roles["support"]})
    changed = database.run_now(
        lambda tx: change_user(
            tx, "ada", UserChanges(remove_roles=("manager",)), catalog=fewer, context=ADMIN
        )
    )
    assert changed.roles == ("support",)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({}, ConflictError),
        ({"add_roles": ("support",), "attributes": {"grade": "lead"}}, ConflictError),
        ({"add_roles": ("ghost",)}, InvalidAccountError),
        ({"remove_roles": ("finance",)}, InvalidAccountError),
        ({"add_roles": ("support",), "remove_roles": ("support",)}, InvalidAccountError),
        ({"attributes": {"floor": None}}, InvalidAccountError),
        ({"attributes": {"grade": "a\nb"}}, InvalidAccountError),
        ({"display_name": "a\x1b[31m"}, InvalidAccountError),
    ],
)
async def test_a_change_that_cannot_be_changes_nothing(
    database, add_user, change, events, changes, refusal
):
    ada = await add_user(roles=("support",), attributes={"grade": "lead"})
    with pytest.raises(refusal):
        change(**changes)
    with pytest.raises(NotFoundError):
        change("nobody", **changes)
    assert database.read_now(lambda tx: find_user(tx, ada.id)) == ada
    assert events.of(AccountUpdated) == []


async def test_a_change_that_was_made_already_is_a_conflict(database, add_user, disable, events):
    await add_user()
    with pytest.raises(ConflictError, match="is not disabled"):
        database.run_now(lambda tx: enable_user(tx, "ada", context=ADMIN))
    disable("ada")
    with pytest.raises(ConflictError, match="disabled already"):
        disable("ada")
    assert len(events.of(AccountDisabled)) == 1


async def test_an_account_that_does_not_exist_cannot_be_changed(database, disable):
    for act in (disable, lambda user: database.run_now(lambda tx: require_user(tx, user))):
        with pytest.raises(NotFoundError):
            act("nobody")


@pytest.mark.parametrize(
    "details",
    [
        {"tenant": "nowhere"},
        {"roles": ("support", "ghost")},
        {"attributes": {"Bad Name": "x"}},
        {"attributes": {"name": "a\nb"}},
        {"display_name": "a\x1b[31m"},
        {"display_name": "x" * 201},
        {"username": "with blank"},
        {"username": ""},
        {"username": "-ada"},
        {"username": "\u0430da"},
        {"username": "a" * 65},
        {"username": "a\nda"},
    ],
)
def test_an_account_that_could_mislead_is_refused(database, catalog, clock, details):
    described = UserDetails(**{"username": "ada", "tenant": "acme", **details})
    with pytest.raises(InvalidAccountError):
        database.run_now(
            lambda tx: create_user(
                tx, described, password_hash="x", catalog=catalog, now=clock.now(), context=ADMIN
            )
        )
    assert database.read_now(list_users) == ()


async def test_without_an_audit_log_no_account_changes(database, add_user, disable, events):
    await add_user()
    events.failure = UnavailableError("full")
    with pytest.raises(UnavailableError):
        disable("ada")
    with pytest.raises(UnavailableError):
        await add_user("grace")
    assert database.read_now(disabled_users) == frozenset()
    assert len(database.read_now(list_users)) == 1
