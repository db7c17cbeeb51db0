"""The applications a person allowed, on the account page of a whole Remit."""

import pytest

from remit.app.allowed_applications import allowed_applications
from remit.audit.context import Actor, ActorType, Context
from remit.identity import UserDetails, create_user
from remit.oauth import Consent, list_consents
from remit.oauth.request_store import remember_consent

ADMIN = Context(actor=Actor(ActorType.ADMIN, "root"))


@pytest.fixture
async def section(app, clock):
    """The list, and how often standing was published."""
    published = []

    async def publish() -> None:
        published.append(1)

    made = allowed_applications(
        app.database,
        app.directory,
        public_url=app.settings.issuer,
        clock=clock,
        publish=publish,
    )
    return made, published


@pytest.fixture
def people(app, clock):
    """Ada, who allowed a client of the repository, and Bob, who allowed nobody."""

    def add(tx):
        made = [
            create_user(
                tx,
                UserDetails(username=name, tenant=next(iter(app.directory.catalog.tenants))),
                password_hash="none",
                catalog=app.directory.catalog,
                now=clock.now(),
                context=ADMIN,
            )
            for name in ("ada", "bob")
        ]
        consent = Consent(
            user_id=made[0].id,
            client_id="billing-job",
            resource=f"{app.settings.issuer}/mcp/crm",
            scopes=("crm:accounts.read",),
            fingerprint="f",
            granted_at=clock.now(),
        )
        remember_consent(tx, consent)
        return made

    return app.database.run_now(add)


async def test_each_is_named_with_its_server_and_what_it_may(section, people):
    (entry,) = await section[0].entries(people[0])
    assert "billing-job" in entry.id
    assert entry.facts[0].endswith("5 January 2026")
    assert "http" not in entry.facts[0]
    assert entry.facts[1] == "crm:accounts.read"
    assert await section[0].entries(people[1]) == []


async def test_a_withdrawal_is_enforced_at_once(app, section, people):
    made, published = section
    (entry,) = await made.entries(people[0])
    await made.remove(people[0], entry.id, ADMIN)
    assert await made.entries(people[0]) == []
    assert published == [1]


@pytest.mark.parametrize("entry", ["", "billing-job", "billing-job http://evil.example", "x y z"])
async def test_what_is_not_there_is_left_alone(section, people, entry):
    made, published = section
    await made.remove(people[0], entry, ADMIN)
    assert len(await made.entries(people[0])) == 1
    assert published == []


async def test_what_somebody_else_allowed_is_left_alone(app, section, people):
    made, published = section
    (entry,) = await made.entries(people[0])
    await made.remove(people[1], entry.id, ADMIN)
    assert len(app.database.read_now(lambda tx: list_consents(tx, people[0].id))) == 1
    assert published == []
