"""Before a refresh, whoever vouched for its person is asked: for a token that is of use alone."""

from dataclasses import replace

import httpx2
import pytest
from starlette.applications import Starlette

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import TokenRefused
from remit.identity.providers import PersonUnconfirmedError, ProviderSilentError
from remit.oauth import revoke_grant, routes

ADMIN = Context(actor=Actor(ActorType.ADMIN, "root"))
DAY = 86_400


class Providers:
    """Whoever is asked: keeps what came, and raises what a test wants."""

    def __init__(self):
        self.asked, self.answer = [], None

    async def __call__(self, user_id, context):
        self.asked.append((user_id, context))
        if self.answer is not None:
            raise self.answer


@pytest.fixture
def providers():
    return Providers()


@pytest.fixture
async def refresh(server, providers):
    application = Starlette(routes=routes(replace(server.deps, confirm=providers)))
    transport = httpx2.ASGITransport(app=application)
    async with httpx2.AsyncClient(transport=transport, base_url="https://remit.example") as http:

        async def post(refresh_token, **changes):
            fields = {
                "grant_type": "refresh_token",
                "refresh_token": refresh_token,
                "client_id": "portal",
            }
            return await http.post("/token", data=fields | changes)

        yield post


@pytest.fixture
async def tokens(server):
    granted = await server.granted()
    server.audit.events.clear()
    return granted


async def test_the_person_of_the_grant_is_asked_about_before_each_refresh(
    refresh, tokens, providers
):
    answer = await refresh(tokens["refresh_token"])
    assert answer.status_code == 200
    await refresh(answer.json()["refresh_token"])
    (first, context), (second, _) = providers.asked
    assert first == second == context.user_id
    assert context.client_id == "portal"
    assert context.grant_id is not None


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (PersonUnconfirmedError("`acme` has to be asked"), 400, "invalid_grant"),
        (ProviderSilentError("`acme` cannot be asked"), 503, "temporarily_unavailable"),
    ],
    ids=["no", "no word"],
)
async def test_without_its_word_nothing_is_issued_and_nothing_spent(
    refresh, tokens, providers, server, answer, status, error
):
    providers.answer = answer
    refused = await refresh(tokens["refresh_token"])
    assert refused.status_code == status
    assert refused.json()["error"] == error
    (event,) = server.audit.events
    assert isinstance(event, TokenRefused)
    assert (event.error, event.detail) == (error, answer.detail)
    assert event.context.grant_id is not None
    providers.answer = None
    assert (await refresh(tokens["refresh_token"])).status_code == 200


async def test_nobody_is_asked_for_what_is_of_no_use(refresh, tokens, providers, server):
    assert (await refresh("made up")).status_code == 400
    newer = (await server.refresh(tokens["refresh_token"])).json()
    assert (await refresh(tokens["refresh_token"])).status_code == 400  # spent: its grant ends
    assert (await refresh(newer["refresh_token"])).status_code == 400
    assert providers.asked == []


async def test_nobody_is_asked_for_what_has_expired_or_ended(refresh, providers, server):
    ended = await server.granted()
    grant_id = (
        server.events(TokenRefused)
        or server.deps.verifier.verify(
            ended["access_token"], audience="https://remit.example/mcp/crm"
        ).grant_id
    )
    server.database.run_now(
        lambda tx: revoke_grant(
            tx, grant_id, reason="a drill", at=server.clock.now(), context=ADMIN
        )
    )
    assert (await refresh(ended["refresh_token"])).status_code == 400
    late = await server.granted()
    server.clock.advance(60 * DAY)
    assert (await refresh(late["refresh_token"])).status_code == 400
    assert providers.asked == []


async def test_nobody_is_asked_for_another_client(refresh, tokens, providers, server):
    other = await server.register("https://app.example/other")
    assert (await refresh(tokens["refresh_token"], client_id=other)).status_code == 400
    assert providers.asked == []
