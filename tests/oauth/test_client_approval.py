"""Clients that wait for an administrator, from registration to the first token."""

import asyncio
from dataclasses import replace

import pytest

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import (
    AuthorizationRefused,
    ClientApproved,
    ClientQueued,
    ClientRejected,
    TokenIssued,
    TokenRefused,
)
from remit.errors import ConflictError, NotFoundError
from remit.model import Admission, ClientKind
from remit.oauth import (
    ClientStatus,
    InitialAccessWanted,
    approve_client,
    client_approval,
    client_store,
    create_initial_access_token,
    list_clients,
    list_pending,
    reject_client,
)

ADMIN = Context(actor=Actor(ActorType.ADMIN, "root"))
CALLBACK = "http://localhost/callback"


def declare(server, admission=Admission.APPROVE, **registration):
    server.change_catalog(
        registration=replace(
            server.catalog.registration, rules=(), otherwise=admission, **registration
        )
    )


@pytest.fixture
async def waiting(server):
    """A client that waits: the server, its identifier, and a request of it."""
    declare(server)
    client_id = await server.register(CALLBACK)
    await server.add_user()
    return client_id


def asking(client_id, **more):
    return {
        "client_id": client_id,
        "redirect_uri": CALLBACK,
        "scope": "crm:accounts.read",
    } | more


def approve(server, client_id, **more):
    return server.database.run_now(
        lambda tx: approve_client(
            tx, client_id, reason="known vendor", now=server.clock.now(), context=ADMIN, **more
        )
    )


def reject(server, client_id):
    return server.database.run_now(
        lambda tx: reject_client(
            tx, client_id, reason="unknown vendor", now=server.clock.now(), context=ADMIN
        )
    )


def pending(server):
    return server.database.read_now(list_pending)


async def test_a_person_is_told_that_the_application_waits(server, waiting):
    page = await server.browser().authorize(**asking(waiting))
    assert page.status_code == 403
    assert "waits for approval" in page.text
    assert "Inspector" in page.text
    assert waiting in page.text
    assert "unauthorized_client" in page.text
    assert "location" not in page.headers
    (refused,) = server.events(AuthorizationRefused)
    assert refused.error == "unauthorized_client"


async def test_a_client_that_wants_no_page_is_told_by_redirect(server, waiting):
    response = await server.browser().authorize(**asking(waiting, prompt="none"))
    assert response.status_code == 303
    assert response.headers["location"].startswith(CALLBACK + "?")
    assert "error=unauthorized_client" in response.headers["location"]
    assert "iss=https%3A%2F%2Fremit.example" in response.headers["location"]


async def test_a_client_that_waits_is_no_reason_to_redirect_elsewhere(server):
    declare(server)
    client_id = await server.register("https://attacker.example/cb")
    for uri in ("https://attacker.example/cb", "https://other.example/cb"):
        response = await server.browser().authorize(
            **asking(client_id, redirect_uri=uri, prompt="none")
        )
        assert response.status_code == 400
        assert "location" not in response.headers


async def test_a_client_that_waits_gets_no_token(server, waiting):
    for fields in (
        {"grant_type": "authorization_code", "code": "x", "code_verifier": "y" * 43},
        {"grant_type": "refresh_token", "refresh_token": "x"},
    ):
        response = await server.token(client_id=waiting, **fields)
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert {one.error for one in server.events(TokenRefused)} == {"invalid_client"}


async def test_once_approved_everything_works_without_registering_again(server, waiting):
    (row,) = pending(server)
    assert (row.client_id, row.name, row.queued_at) == (waiting, "Inspector", server.clock.now())
    approve(server, waiting, fingerprint=row.fingerprint)
    approved = server.events(ClientApproved)[0]
    assert (approved.context.client_id, approved.context.actor.id, approved.reason) == (
        waiting, "root", "known vendor",
    )  # fmt: skip
    code = await server.code(**asking(waiting))
    tokens = await server.redeem(code, client_id=waiting, redirect_uri=CALLBACK)
    assert tokens.status_code == 200
    assert len(server.events(TokenIssued)) == 1
    assert pending(server) == ()
    listing = next(
        one
        for one in server.database.read_now(lambda tx: list_clients(tx, server.catalog))
        if one.client.client_id == waiting
    )
    assert (listing.status, listing.decided_by, listing.decided_at) == (
        ClientStatus.ADMITTED, "root", server.clock.now(),
    )  # fmt: skip


async def test_a_request_made_before_the_approval_must_be_made_again(server, waiting):
    """Nothing waits on this side for a client that may do nothing."""
    browser = server.browser()
    assert (await browser.authorize(**asking(waiting))).status_code == 403
    approve(server, waiting)
    page = await browser.to_consent(**asking(waiting))
    assert page.status_code == 200


async def test_a_rejected_client_is_unknown(server, waiting):
    reject(server, waiting)
    rejected = server.events(ClientRejected)[0]
    assert (rejected.context.client_id, rejected.context.actor.id, rejected.reason) == (
        waiting, "root", "unknown vendor",
    )  # fmt: skip
    page = await server.browser().authorize(**asking(waiting))
    assert page.status_code == 400
    assert "invalid_client" in page.text
    response = await server.token(client_id=waiting, grant_type="refresh_token", refresh_token="x")
    assert response.json()["error"] == "invalid_client"
    assert pending(server) == ()


async def test_of_two_decisions_one_counts(server, waiting):
    reject(server, waiting)
    with pytest.raises(ConflictError, match="does not wait"):
        approve(server, waiting)
    with pytest.raises(ConflictError, match="does not wait"):
        reject(server, waiting)
    assert server.events(ClientApproved) == []
    page = await server.browser().authorize(**asking(waiting))
    assert page.status_code == 400


async def test_of_two_administrators_at_once_one_decides(server, waiting):
    def decide(how):
        return server.database.run(
            lambda tx: how(tx, waiting, reason="x", now=server.clock.now(), context=ADMIN)
        )

    outcomes = await asyncio.gather(
        *(decide(how) for how in (approve_client, reject_client) * 4), return_exceptions=True
    )
    assert len([one for one in outcomes if isinstance(one, ConflictError)]) == 7
    assert len(server.events(ClientApproved) + server.events(ClientRejected)) == 1


async def test_what_nobody_knows_or_does_not_wait_cannot_be_decided(server):
    admitted = await server.register(CALLBACK)
    with pytest.raises(NotFoundError):
        approve(server, "cli_unknown")
    with pytest.raises(NotFoundError):
        reject(server, "portal")
    with pytest.raises(ConflictError):
        reject(server, admitted)


async def test_a_client_that_changed_since_it_was_read_is_not_approved(server, waiting):
    with pytest.raises(ConflictError, match="changed"):
        approve(server, waiting, fingerprint="0" * 64)
    assert len(pending(server)) == 1
    assert server.events(ClientApproved) == []


async def test_a_client_is_not_approved_that_the_log_does_not_hold(server, waiting):
    server.audit.failing = True
    with pytest.raises(Exception, match="audit log"):
        approve(server, waiting)
    server.audit.failing = False
    assert len(pending(server)) == 1


async def test_a_queue_that_nobody_can_read_takes_no_more(server, monkeypatch):
    monkeypatch.setattr(client_approval, "_MOST_PENDING", 2)
    declare(server)
    await server.register(CALLBACK)
    await server.register(CALLBACK)
    response = await server.browser().client.post(
        "/register", json={"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}
    )
    assert (response.status_code, response.json()["error"]) == (429, "slow_down")
    assert response.headers["retry-after"] == "3600"
    assert len(pending(server)) == 2


async def test_one_network_does_not_fill_the_queue_for_the_others(server, monkeypatch):
    monkeypatch.setattr(client_approval, "_MOST_FROM_ONE_NETWORK", 2)
    declare(server)

    async def ask(ip, **headers):
        return await server.browser(ip).client.post(
            "/register", json={"redirect_uris": [CALLBACK]}, headers=headers
        )

    answers = [await ask("198.51.100.1") for _ in range(3)]
    assert [one.status_code for one in answers] == [201, 201, 429]
    assert answers[2].headers["retry-after"] == "3600"
    assert (await ask("203.0.113.9")).status_code == 201
    (first, *_) = pending(server)
    approve(server, first.client_id)
    assert (await ask("198.51.100.1")).status_code == 201
    assert (await ask("198.51.100.1")).status_code == 429


async def test_an_initial_access_token_passes_by_a_queue_that_is_full(server, monkeypatch):
    monkeypatch.setattr(client_approval, "_MOST_PENDING", 1)
    declare(server)
    await server.register(CALLBACK)
    _, secret = server.database.run_now(
        lambda tx: create_initial_access_token(
            tx,
            InitialAccessWanted(owner="team@acme.example"),
            catalog=server.catalog,
            now=server.clock.now(),
            context=ADMIN,
        )
    )
    response = await server.browser().client.post(
        "/register",
        json={"redirect_uris": [CALLBACK]},
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert response.status_code == 201
    assert [one.owner for one in pending(server)] == ["", "team@acme.example"]


async def test_waiting_is_an_event_and_the_client_is_stored_as_it_came(server):
    declare(server)
    await server.browser().client.post(
        "/register", json={"redirect_uris": [CALLBACK], "client_name": "New"}
    )
    (queued,) = server.events(ClientQueued)
    assert (queued.registration, queued.client_name, queued.redirect_uris) == (
        "dynamic", "New", (CALLBACK,),
    )  # fmt: skip
    (row,) = server.database.read_now(client_store.select_clients)
    assert (row.kind, row.status) == (ClientKind.DYNAMIC, ClientStatus.PENDING)
    assert row.secret_digest is not None
