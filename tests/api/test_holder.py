"""Whose access is asked for, by what the door knows of who asks."""

from types import SimpleNamespace

import pytest

from remit.api.administrator import Administrator, ForbiddenError
from remit.api.holder import holder_of, reviewer_of
from remit.api.problems import BadRequestError
from remit.approvals.access import HolderKind
from remit.audit.context import Actor, ActorType, Context
from remit.errors import NotFoundError
from remit.guard.ports import Standing
from remit.identity.store import add_user, set_disabled
from remit.identity.user import User
from remit.ids import AgentId
from remit.registry import RegistryDirectory
from remit.testing.catalog import small_catalog
from remit.tokens import AccessToken, Delegate

BY = Context(actor=Actor(ActorType.ADMIN, "tests"))


@pytest.fixture
async def deps(database, clock):
    user = User(
        id="usr_ada",
        tenant="acme",
        username="ada",
        display_name="Ada",
        roles=("support",),
        attributes={},
        created_at=clock.now(),
    )
    await database.run(lambda tx: add_user(tx, user, password_hash="-"))
    directory = RegistryDirectory(small_catalog(), Standing(as_of=clock.now()))
    return SimpleNamespace(database=database, directory=directory)


def token(**changes):
    said = {
        "iss": "https://remit.example",
        "sub": "usr_ada",
        "aud": "https://remit.example/api/v1",
        "client_id": "console",
        "jti": "at_1",
        "iat": 1,
        "exp": 2,
        "scopes": (),
        "grant_id": "grt_1",
        "agent_id": "console",
        "organization_id": "acme",
        "environment": "management",
        "sensitivity": "low",
        "roles": ("root",),
        "acr": "urn:remit:acr:mfa",
        "auth_time": 1,
    }
    return AccessToken(**said | changes)


def by(shown=None):
    return Administrator(context=BY, token=shown)


async def test_a_persons_own_token_asks_for_them_with_the_roles_of_their_account(deps):
    holder = await holder_of(deps, by(token()), None)
    assert (holder.kind, holder.id, holder.username) == (HolderKind.USER, "usr_ada", "ada")
    assert holder.roles == ("support",)
    assert holder.acr == "urn:remit:acr:mfa"
    assert holder.agent_id is None


async def test_a_token_asks_for_nobody_else_and_not_when_it_was_handed_on(deps):
    with pytest.raises(ForbiddenError):
        await holder_of(deps, by(token()), "ada")
    handed = token(
        actors=(Delegate(AgentId("other"), "cli_2"), Delegate(AgentId("console"), "cli_1"))
    )
    with pytest.raises(ForbiddenError):
        await holder_of(deps, by(handed), None)
    with pytest.raises(ForbiddenError):
        await reviewer_of(deps, by(handed))


async def test_at_the_socket_somebody_is_named_who_is_there_and_proved_nothing(deps):
    holder = await holder_of(deps, by(), "Ada")
    assert (holder.id, holder.acr) == ("usr_ada", None)
    with pytest.raises(BadRequestError):
        await holder_of(deps, by(), None)
    for name in ("nobody", "agent:nobody", ""):
        with pytest.raises(NotFoundError):
            await holder_of(deps, by(), name)


async def test_a_person_who_logged_in_reviews(deps):
    reviewer = await reviewer_of(deps, by(token()))
    assert (reviewer.user_id, reviewer.roles) == ("usr_ada", ("support",))


@pytest.mark.parametrize(
    "shown", [None, token(sub="console"), token(sub="usr_nobody")], ids=["socket", "agent", "gone"]
)
async def test_nobody_else_reviews(deps, shown):
    with pytest.raises((ForbiddenError, NotFoundError)):
        await reviewer_of(deps, by(shown))


async def test_whoever_is_locked_out_reviews_nothing(deps, database):
    await database.run(lambda tx: set_disabled(tx, "usr_ada", at=1))
    with pytest.raises(NotFoundError):
        await reviewer_of(deps, by(token()))
