"""Whom a subject is here: by issuer and subject alone, and as its claims say now."""

import asyncio
from dataclasses import replace

import pytest

from remit.audit.events import AccountCreated, AccountUpdated, LoggedIn, ProviderLoginRefused
from remit.identity import disable_user, provider_store, store
from remit.identity.password import ABSENT_PASSWORD
from remit.model import SignIn


def only_user(database, name):
    return database.read_now(lambda tx: store.find_user_by_name(tx, name))


async def test_a_person_gets_the_roles_and_attributes_that_the_claims_give(visitor, corp, database):
    corp.claims |= {
        "groups": ["agents-finance"],
        "employee": True,
        "dept": "books",
        "name": "G. H.",
    }
    await visitor.log_in(corp)
    user = only_user(database, "grace")
    assert user.roles == ("finance",)
    assert dict(user.attributes) == {"grade": "lead", "department": "books"}
    assert user.display_name == "G. H."


async def test_roles_that_were_taken_away_there_are_gone_at_the_next_log_in(
    new_visitor, corp, database, events
):
    corp.claims |= {"groups": ["agents-support", "agents-finance"], "employee": True}
    await new_visitor().log_in(corp)
    assert only_user(database, "grace").roles == ("support", "finance")
    corp.claims |= {"groups": ["agents-support"]}
    await new_visitor().log_in(corp)
    user = only_user(database, "grace")
    assert user.roles == ("support",)
    assert dict(user.attributes) == {}
    (updated,) = events.of(AccountUpdated)
    assert updated.changed == ("roles", "attributes")
    assert updated.reason == "provider:corp"


async def test_a_log_in_that_changes_nothing_records_no_change(new_visitor, corp, events):
    await new_visitor().log_in(corp)
    await new_visitor().log_in(corp)
    assert events.of(AccountUpdated) == []


async def test_an_account_of_ours_is_not_taken_over_by_its_name_or_address(
    visitor, corp, add_user, database, events
):
    ada = await add_user("ada", roles=("manager",))
    corp.claims |= {
        "preferred_username": "ADA",
        "email": "ada@acme.example",
        "email_verified": True,
    }
    await visitor.log_in(corp)
    (_, created) = events.of(AccountCreated)
    (logged_in,) = events.of(LoggedIn)
    assert created.account_id != ada.id
    assert logged_in.context.user_id == created.account_id
    newcomer = database.read_now(lambda tx: store.find_user(tx, created.account_id))
    assert newcomer.username.startswith("ada-")
    assert newcomer.roles == ()


async def test_a_change_of_name_there_changes_no_account_here(new_visitor, corp, add_user, events):
    await new_visitor().log_in(corp)
    await add_user("ada")
    corp.claims |= {"preferred_username": "ada"}
    await new_visitor().log_in(corp)
    one, other = events.of(LoggedIn)
    assert one.context.user_id == other.context.user_id


async def test_an_account_that_came_from_elsewhere_has_no_password(visitor, corp, database):
    await visitor.log_in(corp)
    known = database.run_now(lambda tx: store.credentials_of(tx, "grace"))
    assert known.password_hash == ABSENT_PASSWORD


def refusal(events, response, visitor, status=403):
    assert response.status_code == status
    assert visitor.session is None
    return events.of(ProviderLoginRefused)[-1].reason


async def test_a_disabled_account_stays_out(new_visitor, corp, database, clock, events):
    await new_visitor().log_in(corp)
    context = events.of(LoggedIn)[0].context
    database.run_now(
        lambda tx: disable_user(tx, "grace", reason="left", now=clock.now(), context=context)
    )
    visitor = new_visitor()
    response = await visitor.log_in(corp)
    assert refusal(events, response, visitor) == "account_disabled"
    assert "disabled" not in response.text


async def test_a_person_whom_a_rule_keeps_out_gets_no_account(visitor, corp, events):
    corp.claims |= {"groups": ["agents-support", "suspended"]}
    assert refusal(events, await visitor.log_in(corp), visitor) == "denied_by_rule"
    assert events.of(AccountCreated) == []


async def test_a_person_who_is_kept_out_later_keeps_no_session_that_way(new_visitor, corp, events):
    await new_visitor().log_in(corp)
    corp.claims |= {"groups": ["suspended"]}
    visitor = new_visitor()
    assert refusal(events, await visitor.log_in(corp), visitor) == "denied_by_rule"


async def test_another_tenant_needs_another_account_and_the_person_is_told(
    new_visitor, corp, events, database
):
    await new_visitor().log_in(corp)
    corp.claims |= {"groups": ["globex"]}
    visitor = new_visitor()
    response = await visitor.log_in(corp)
    assert refusal(events, response, visitor) == "other_tenant"
    assert "another organisation" in response.text
    assert only_user(database, "grace").tenant == "acme"


async def test_whoever_nobody_linked_stays_out_where_accounts_are_not_made(
    visitor, corp, deps, catalog, events
):
    closed = replace(catalog.sign_in.providers["corp"], provision=False)
    deps.directory.replace_catalog(replace(catalog, sign_in=SignIn(providers={"corp": closed})))
    assert refusal(events, await visitor.log_in(corp), visitor) == "not_linked"
    assert events.of(AccountCreated) == []


async def test_two_first_log_ins_at_once_make_one_account(new_visitor, corp, events):
    visitors = [new_visitor() for _ in range(4)]
    answers = [corp.authorize(await visitor.leave()) for visitor in visitors]
    pairs = zip(visitors, answers, strict=True)
    responses = await asyncio.gather(*(visitor.come_back(answer) for visitor, answer in pairs))
    assert {response.status_code for response in responses} == {303}
    assert len({event.context.user_id for event in events.of(LoggedIn)}) == 1


async def test_what_an_administrator_gave_stays(new_visitor, corp, database):
    corp.claims |= {"groups": ["agents-support"]}
    await new_visitor().log_in(corp)
    user = only_user(database, "grace")
    database.run_now(
        lambda tx: provider_store.set_profile(
            tx,
            user.id,
            display_name="G",
            roles=("manager", *user.roles),
            attributes={"badge": "7"},
        )
    )
    corp.claims |= {"groups": []}
    await new_visitor().log_in(corp)
    user = only_user(database, "grace")
    assert user.roles == ("manager",)
    assert dict(user.attributes) == {"badge": "7"}


# -- claims that are not in the ID token -----------------------------------------


async def test_claims_that_the_id_token_lacks_are_asked_for(visitor, corp, database):
    corp.userinfo = {"sub": "sub-1", "groups": ["agents-support"], "preferred_username": "other"}
    await visitor.log_in(corp)
    assert only_user(database, "grace").roles == ("support",)


@pytest.mark.parametrize("userinfo", [{"sub": "sub-2"}, {}, {"groups": ["agents-support"]}])
async def test_claims_of_somebody_else_are_refused(visitor, corp, events, userinfo):
    corp.userinfo = {"groups": ["agents-support"], **userinfo}
    assert refusal(events, await visitor.log_in(corp), visitor, 400) == "userinfo"


async def test_claims_that_cannot_be_had_are_not_taken_for_absent(
    visitor, corp, events, provider_deps, monkeypatch
):
    """A rule that keeps somebody out may rest on them."""
    corp.userinfo = {"sub": "sub-1"}
    corp.metadata["userinfo_endpoint"] = f"{corp.issuer}/userinfo"
    answer = corp.authorize(await visitor.leave())
    redeem = corp.redeem

    def redeem_and_go_down(fields, authorization):
        said = redeem(fields, authorization)
        corp.is_down = True
        return said

    monkeypatch.setattr(corp, "redeem", redeem_and_go_down)
    response = await visitor.come_back(answer)
    assert events.of(ProviderLoginRefused)[-1].reason in {"userinfo", "provider_unavailable"}
    assert response.status_code in {400, 503}
    assert visitor.session is None
