"""An account of ours is somebody elsewhere: by an administrator's word, or proved by its person."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import (
    AccountCreated,
    IdentityLinked,
    IdentityUnlinked,
    LoggedIn,
    ProviderLoginRefused,
)
from remit.errors import ConflictError, NotFoundError
from remit.identity import store
from remit.identity.providers import (
    LINK_FORM,
    identity_section,
    link_identity,
    list_identities,
    unlink_identity,
)
from remit.model import SignIn
from remit.web.csrf import Browser, csrf_token

ADMIN = Context(actor=Actor(ActorType.ADMIN, "root"))
PASSWORD = "correct horse battery staple"


@pytest.fixture
def link(database, catalog, clock):
    def linked(user, subject="sub-1", provider="corp"):
        circumstances = (catalog, clock.now(), ADMIN)
        return database.run_now(
            lambda tx: link_identity(
                tx, user, provider=provider, subject=subject, circumstances=circumstances
            )
        )

    return linked


async def test_an_administrator_links_an_account_that_then_logs_in(
    visitor, corp, add_user, link, events, deps, catalog
):
    closed = replace(catalog.sign_in.providers["corp"], provision=False)
    deps.directory.replace_catalog(replace(catalog, sign_in=SignIn(providers={"corp": closed})))
    ada = await add_user("ada", roles=("manager",))
    link("ada")
    corp.claims |= {"groups": ["agents-support"]}
    assert (await visitor.log_in(corp)).status_code == 303
    (logged_in,) = events.of(LoggedIn)
    assert logged_in.context.user_id == ada.id
    user = deps.database.read_now(lambda tx: store.find_user(tx, ada.id))
    assert user.roles == ("manager", "support")


async def test_one_subject_is_one_account(add_user, link):
    await add_user("ada")
    await add_user("grace")
    link("ada")
    with pytest.raises(ConflictError):
        link("grace")
    with pytest.raises(ConflictError):
        link("ada")


@pytest.mark.parametrize(("user", "provider"), [("nobody", "corp"), ("ada", "unknown")])
async def test_who_or_what_is_not_there_cannot_be_linked(add_user, link, user, provider, events):
    await add_user("ada")
    with pytest.raises(NotFoundError):
        link(user, provider=provider)
    assert events.of(IdentityLinked) == []


async def test_an_administrator_unlinks_and_what_it_gave_goes(
    visitor, corp, add_user, link, events, database
):
    ada = await add_user("ada", roles=("manager",))
    link("ada")
    corp.claims |= {"groups": ["agents-support"], "dept": "books"}
    await visitor.log_in(corp)
    database.run_now(
        lambda tx: unlink_identity(tx, "ada", issuer=corp.issuer, subject="sub-1", context=ADMIN)
    )
    user = database.read_now(lambda tx: store.find_user(tx, ada.id))
    assert (user.roles, dict(user.attributes)) == (("manager",), {})
    assert database.read_now(lambda tx: list_identities(tx, "ada")) == ()
    assert len(events.of(IdentityUnlinked)) == 1
    await visitor.log_in(corp)
    assert events.of(LoggedIn)[-1].context.user_id != ada.id


async def test_another_accounts_identity_cannot_be_unlinked(add_user, link, database, corp):
    await add_user("ada")
    await add_user("grace")
    link("ada")
    with pytest.raises(NotFoundError):
        database.run_now(
            lambda tx: unlink_identity(
                tx, "grace", issuer=corp.issuer, subject="sub-1", context=ADMIN
            )
        )


# -- by the person -------------------------------------------------------------


@pytest.fixture
async def logged_in(visitor, club, add_user, events):
    """Somebody who logged in through the club a moment ago."""
    club.claims["preferred_username"] = "Hedy"
    await visitor.log_in(club, "club")
    return visitor


def form(visitor, name=LINK_FORM):
    secret = next(one.value for one in visitor.client.cookies.jar if one.name == "remit_browser")
    return {"csrf_token": csrf_token(Browser(secret, is_new=False), name)}


async def begin(visitor, fields=None):
    return await visitor.post("/login/provider/corp/link", fields or form(visitor))


def onward(response):
    found = response.text.split('<a class="button" href="')[1].split('"')[0]
    return found.replace("&amp;", "&")


async def test_a_person_links_who_they_prove_to_be(logged_in, corp, events, database):
    response = await begin(logged_in)
    assert response.status_code == 200
    url = onward(response)
    asked = parse_qs(urlsplit(url).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    response = await logged_in.come_back(corp.authorize(url))
    assert response.headers["location"] == "/account"
    assert events.of(IdentityLinked)[-1].provider == "corp"
    assert len(events.of(AccountCreated)) == 1
    assert len(events.of(LoggedIn)) == 1  # the session is the one it was
    assert len(database.read_now(lambda tx: list_identities(tx, "hedy"))) == 2


async def test_a_link_needs_our_own_form(logged_in, events):
    for fields in ({"csrf_token": "guessed"}, form(logged_in, "login"), {"x": "y"}):
        assert (await begin(logged_in, fields)).status_code == 400
    response = await logged_in.client.post(
        "/login/provider/corp/link",
        data=form(logged_in),
        headers={"origin": "https://attacker.example", "sec-fetch-site": "cross-site"},
    )
    assert response.status_code == 400
    assert (await logged_in.get("/login/provider/corp/link")).status_code == 405
    assert len(events.of(IdentityLinked)) == 1  # the club's own


async def test_a_link_needs_a_log_in_that_is_minutes_old(logged_in, clock):
    clock.advance(601)
    response = await begin(logged_in)
    assert response.status_code == 303
    assert response.headers["location"].startswith("/login")


async def test_the_account_page_offers_it_and_shows_who_is_linked(logged_in, corp):
    page = await logged_in.get("/account")
    assert "Connect Corp" in page.text
    form_of_it = page.text.split('action="/login/provider/corp/link"')[1]
    token = form_of_it.split('name="csrf_token" value="')[1].split('"')[0]
    url = onward(await begin(logged_in, {"csrf_token": token}))
    await logged_in.come_back(corp.authorize(url))
    assert corp.issuer in (await logged_in.get("/account")).text


async def test_who_is_asked_again_for_the_account_has_to_prove_it_again(logged_in):
    url = await logged_in.leave(return_to="/account/passkeys/new")
    assert parse_qs(urlsplit(url).query)["prompt"] == ["login"]
    url = await logged_in.leave()
    assert "prompt" not in parse_qs(urlsplit(url).query)


async def test_a_link_needs_somebody_logged_in(visitor, corp):
    await visitor.leave()
    response = await begin(visitor)
    assert response.headers["location"].startswith("/login")


async def test_a_link_is_for_who_began_it(logged_in, corp, events):
    url = onward(await begin(logged_in))
    logged_in.client.cookies.delete("remit_session")
    response = await logged_in.come_back(corp.authorize(url))
    assert response.status_code == 400
    assert len(events.of(IdentityLinked)) == 1


async def test_a_link_needs_a_new_proof_there(logged_in, corp, clock, events):
    url = onward(await begin(logged_in))
    corp.says = {"auth_time": clock.now() - 3_600}
    assert (await logged_in.come_back(corp.authorize(url))).status_code == 400
    assert events.of(ProviderLoginRefused)[-1].reason == "auth_time"


async def test_an_identity_of_another_account_cannot_be_linked(
    logged_in, new_visitor, corp, events
):
    await new_visitor().log_in(corp)
    response = await logged_in.come_back(corp.authorize(onward(await begin(logged_in))))
    assert response.status_code == 409
    assert events.of(ProviderLoginRefused)[-1].reason == "linked_elsewhere"


async def test_an_identity_of_another_tenant_cannot_be_linked(logged_in, corp, events):
    corp.claims |= {"groups": ["globex"]}
    response = await logged_in.come_back(corp.authorize(onward(await begin(logged_in))))
    assert response.status_code == 403
    assert events.of(ProviderLoginRefused)[-1].reason == "other_tenant"


async def test_a_person_takes_an_identity_away_but_not_the_last_way_in(
    logged_in, corp, deps, events
):
    section = identity_section(deps)
    user = deps.database.read_now(lambda tx: store.find_user_by_name(tx, "hedy"))
    (only,) = await section.entries(user)
    assert only.title == "The Club"
    await section.remove(user, only.id, ADMIN)
    assert len(await section.entries(user)) == 1
    await logged_in.come_back(corp.authorize(onward(await begin(logged_in))))
    await section.remove(user, only.id, ADMIN)
    (left,) = await section.entries(user)
    assert left.title == "Corp"
    await section.remove(user, "somebody-elses", ADMIN)
    assert len(events.of(IdentityUnlinked)) == 1


async def test_a_page_that_wants_a_fresh_proof_is_reached_through_the_provider(
    visitor, corp, clock
):
    """The provider's own session is hours old, and so is the proof, until it is asked for another."""
    corp.says = {"auth_time": clock.now() - 7_200}
    await visitor.log_in(corp)
    turned_away = await visitor.get("/account/passkeys/new")
    assert turned_away.headers["location"].startswith("/login?")
    url = await visitor.leave(return_to="/account/passkeys/new")
    stale = await visitor.come_back(corp.authorize(url))  # it answers from its session all the same
    assert stale.status_code == 400
    corp.says = {}
    url = await visitor.leave(return_to="/account/passkeys/new")
    back = await visitor.come_back(corp.authorize(url))
    assert back.headers["location"] == "/account/passkeys/new"
    assert (await visitor.get("/account/passkeys/new")).status_code == 200
