"""Providers are asked again when a token is refreshed: what they say then holds, and no word is no."""

import asyncio
from dataclasses import replace

import pytest

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import AccountUpdated, LoggedIn, LoggedOut
from remit.clock import Seconds
from remit.guard.snapshot import Standing
from remit.identity import disable_user, provider_store, store
from remit.identity.providers import AskedAnew, PersonUnconfirmedError, ProviderSilentError
from remit.model import SignIn
from remit.registry import RegistryDirectory

AGENT = Context(actor=Actor(ActorType.CLIENT, "an agent's client"))
SUPPORT = {"groups": ["agents-support", "agents-finance"], "employee": True, "dept": "books"}


@pytest.fixture
async def grace(visitor, corp, events):
    """A person whose provider gave Remit a refresh token; their account."""
    corp.refresh_token, corp.claims = "rt-0", corp.claims | SUPPORT
    await visitor.log_in(corp)
    (logged_in,) = events.of(LoggedIn)
    corp.forms.clear()
    return logged_in.context.user_id


@pytest.fixture
def confirm(provider_deps):
    return AskedAnew(provider_deps)


@pytest.fixture
def user(database, grace):
    return lambda: database.read_now(lambda tx: store.find_user(tx, grace))


@pytest.fixture
def identity(database, grace):
    return lambda: database.read_now(lambda tx: provider_store.identities_of(tx, grace))[0]


def with_providers(deps, catalog, clock, providers):
    changed = replace(catalog, sign_in=SignIn(providers=providers))
    directory = RegistryDirectory(changed, Standing(as_of=clock.now()))
    return replace(deps, people=replace(deps.people, directory=directory))


async def test_a_group_that_was_taken_away_is_gone(confirm, grace, corp, user, events):
    assert user().roles == ("support", "finance")
    corp.claims |= {"groups": ["agents-support"], "dept": "sales"}
    await confirm(grace, AGENT)
    assert user().roles == ("support",)
    assert dict(user().attributes) == {"department": "sales"}
    (updated,) = events.of(AccountUpdated)
    assert updated.reason == "provider:corp"
    assert updated.context.actor == AGENT.actor


async def test_a_group_that_was_given_is_there(confirm, grace, corp, user):
    corp.claims |= {"groups": ["agents-support"]}
    await confirm(grace, AGENT)
    corp.claims |= SUPPORT
    await confirm(grace, AGENT)
    assert user().roles == ("support", "finance")


async def test_what_an_administrator_gave_stays(confirm, grace, corp, user, database):
    given = {
        "display_name": "G",
        "roles": (*user().roles, "manager"),
        "attributes": {**user().attributes, "floor": "3"},
    }
    database.run_now(lambda tx: provider_store.set_profile(tx, grace, **given))
    corp.claims |= {"groups": []}
    await confirm(grace, AGENT)
    assert user().roles == ("manager",)
    assert user().attributes["floor"] == "3"


async def test_it_is_asked_each_time_with_what_it_gave_last(confirm, grace, corp, identity, clock):
    for _ in range(3):
        await confirm(grace, AGENT)
    sent = [fields for fields, _ in corp.forms]
    assert [one["grant_type"] for one in sent] == ["refresh_token"] * 3
    assert [one["refresh_token"] for one in sent] == ["rt-1", "rt-2", "rt-3"]
    assert "rt-" not in identity().sealed_refresh_token


async def test_many_at_once_send_no_refresh_token_twice(confirm, grace, corp):
    await asyncio.gather(*(confirm(grace, AGENT) for _ in range(8)))
    sent = [fields["refresh_token"] for fields, _ in corp.forms]
    assert len(sent) == len(set(sent)) == 8


async def test_within_its_maximal_age_what_was_said_is_good(
    provider_deps, catalog, clock, grace, corp
):
    corp_of_hours = replace(catalog.sign_in.providers["corp"], roles_max_age=Seconds(3_600))
    confirm = AskedAnew(with_providers(provider_deps, catalog, clock, {"corp": corp_of_hours}))
    clock.advance(3_599)
    await confirm(grace, AGENT)
    assert corp.forms == []
    clock.advance(1)
    await confirm(grace, AGENT)
    assert len(corp.forms) == 1


async def test_the_userinfo_speaks_where_no_id_token_comes(
    visitor, confirm, corp, events, database
):
    corp.refresh_token, corp.claims = "rt-0", corp.claims | SUPPORT
    corp.userinfo = {"sub": "sub-1", "groups": ["agents-support"]}
    await visitor.log_in(corp)
    (logged_in,) = events.of(LoggedIn)
    corp.answers["id_token"] = None
    await confirm(logged_in.context.user_id, AGENT)
    assert database.read_now(lambda tx: store.find_user(tx, logged_in.context.user_id)).roles == (
        "support",
    )


@pytest.mark.parametrize(
    "claims", [{"groups": ["suspended"]}, {"groups": ["globex"]}], ids=["kept out", "moved"]
)
async def test_whom_a_rule_keeps_out_now_is_refused(confirm, grace, corp, claims, events):
    corp.claims |= claims
    with pytest.raises(PersonUnconfirmedError, match="corp"):
        await confirm(grace, AGENT)
    assert [one.reason for one in events.of(LoggedOut)] == ["person_unconfirmed"]


@pytest.mark.parametrize("error", ["invalid_grant", "interaction_required"])
async def test_who_is_unknown_there_by_now_is_refused_until_they_log_in(
    confirm, grace, corp, identity, events, new_visitor, error
):
    corp.refuses, corp.refresh_token = error, "another"
    with pytest.raises(PersonUnconfirmedError):
        await confirm(grace, AGENT)
    assert identity().sealed_refresh_token is None
    assert len(events.of(LoggedOut)) == 1
    asked = len(corp.forms)
    with pytest.raises(PersonUnconfirmedError):
        await confirm(grace, AGENT)
    assert len(corp.forms) == asked  # there is nothing to ask with
    await new_visitor().log_in(corp)
    await confirm(grace, AGENT)


async def test_a_provider_that_gives_nothing_to_ask_with_is_no_word(
    new_visitor, confirm, corp, events
):
    await new_visitor().log_in(corp)
    (logged_in,) = events.of(LoggedIn)
    with pytest.raises(PersonUnconfirmedError):
        await confirm(logged_in.context.user_id, AGENT)


@pytest.mark.parametrize(
    ("broken", "roles"),
    [
        ({"is_down": True}, ("support", "finance")),
        ({"status": 503}, ("support", "finance")),
        ({"refuses": "temporarily_unavailable", "refresh_token": "x"}, ("support", "finance")),
        ({"refuses": "invalid_client", "refresh_token": "x"}, ("support", "finance")),
        ({"answers": {"id_token": None}}, ("support", "finance")),
        ({"answers": {"token_type": "mac"}}, ("support", "finance")),
    ],
    ids=["down", "failing", "busy", "we are unknown", "silent", "malformed"],
)
async def test_a_provider_that_does_not_answer_is_no_word_about_anybody(
    confirm, grace, corp, user, events, identity, broken, roles
):
    for name, value in broken.items():
        setattr(corp, name, value)
    with pytest.raises(ProviderSilentError, match="cannot be asked now"):
        await confirm(grace, AGENT)
    assert user().roles == roles
    assert events.of(LoggedOut) == []
    assert identity().sealed_refresh_token is not None


@pytest.mark.parametrize(
    "says",
    [{"sub": "sub-2"}, {"aud": "another client"}, {"iss": "https://evil.example"}],
    ids=["of another", "for another", "by another"],
)
async def test_an_id_token_that_is_not_of_this_person_is_refused(confirm, grace, corp, user, says):
    corp.says, corp.claims = says, corp.claims | {"groups": []}
    with pytest.raises(PersonUnconfirmedError):
        await confirm(grace, AGENT)
    assert user().roles == ("support", "finance")  # nothing was taken from it, and nothing given


async def test_what_it_may_be_asked_with_is_kept_though_its_answer_is_refused(
    confirm, grace, corp, identity
):
    corp.claims |= {"groups": ["suspended"]}
    with pytest.raises(PersonUnconfirmedError):
        await confirm(grace, AGENT)
    corp.claims |= SUPPORT
    await confirm(grace, AGENT)  # back again
    assert [fields["refresh_token"] for fields, _ in corp.forms] == ["rt-1", "rt-2"]


async def test_what_another_process_was_told_meanwhile_counts(
    provider_deps, confirm, grace, corp, database, identity
):
    """Its token was rotated while ours was on the way: the provider's no is about the old one."""
    other = AskedAnew(provider_deps)
    post_form = provider_deps.post_form

    async def overtaken(url, fields, **how):
        await other(grace, AGENT)
        return await post_form(url, fields, **how)

    await AskedAnew(replace(provider_deps, post_form=overtaken))(grace, AGENT)
    assert identity().sealed_refresh_token is not None
    await confirm(grace, AGENT)


async def test_what_a_provider_gave_that_is_not_declared_any_more_is_taken_back(
    provider_deps, catalog, clock, grace, corp, user, events
):
    club = {"club": catalog.sign_in.providers["club"]}
    confirm = AskedAnew(with_providers(provider_deps, catalog, clock, club))
    await confirm(grace, AGENT)
    assert user().roles == ()
    assert dict(user().attributes) == {}
    assert corp.forms == []
    await confirm(grace, AGENT)
    assert len(events.of(AccountUpdated)) == 1


async def test_nobody_is_asked_about_somebody_who_came_by_no_provider(confirm, corp, add_user):
    ada = await add_user("ada")
    await confirm(ada.id, AGENT)
    assert corp.forms == []


async def test_a_disabled_account_is_not_brought_up_to_date(confirm, grace, database, clock, user):
    database.run_now(
        lambda tx: disable_user(tx, grace, reason="left", now=clock.now(), context=AGENT)
    )
    with pytest.raises(PersonUnconfirmedError):
        await confirm(grace, AGENT)
    assert user().roles == ("support", "finance")


async def test_a_master_key_that_was_changed_asks_nobody(confirm, grace, corp, database, identity):
    known = identity()
    database.run_now(lambda tx: provider_store.replace_refresh_token(tx, known, sealed="v1.AAAA"))
    with pytest.raises(PersonUnconfirmedError):
        await confirm(grace, AGENT)
    assert corp.forms == []
