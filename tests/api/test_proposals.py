"""Proposals over the management API: who asks is who the door says, and one person is not two."""

import pytest

from remit.cli.bundle_source import bundle_in
from remit.deployment import person_named
from remit.identity.provider_store import ExternalIdentity, add_identity
from remit.ids import UserId

PROPOSALS = "/api/v1/proposals"


def widen(settings) -> None:
    """Let the assistant do what is critical."""
    path = settings.repo / "remit.yaml"
    path.write_text(f"{path.read_text()}\ndeployment: {{second_person: never}}\n")


async def proposed(management, settings, **members: object):
    return await management.post(
        PROPOSALS, json=bundle_in(settings.repo, None) | members, timeout=120
    )


async def test_whoever_proposed_it_may_not_approve_it_at_the_socket_either(
    management, settings, app
):
    widen(settings)
    proposal = (await proposed(management, settings)).json()
    assert (proposal["state"], "second_person" in proposal["waits_for"]) == ("waits", True)
    before = app.directory.catalog.version
    refused = await management.post(
        f"{PROPOSALS}/{proposal['id']}/approve", json={"report_digest": proposal["report_digest"]}
    )
    assert (refused.status_code, refused.json()["code"]) == (403, "not_a_second_person")
    assert app.directory.catalog.version == before
    listed = (await management.get(f"{PROPOSALS}?state=waits")).json()["proposals"]
    assert [one["id"] for one in listed] == [proposal["id"]]
    shown = (await management.get(f"{PROPOSALS}/{proposal['id']}")).json()
    assert shown["report"]["difference"]["privileged"] >= 1
    rejected = await management.post(f"{PROPOSALS}/{proposal['id']}/reject", json={"reason": "no"})
    assert rejected.json()["state"] == "rejected"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"digest": "0" * 64}, 404),
        ({"bundle": {}}, 422),
        ({"bundle": {"bundle": 1, "digest": "x", "files": {"../x": ""}}}, 422),
        ({"bundle": {"bundle": 1}, "digest": "0" * 64}, 400),
        ({"digest": "0" * 64, "how": "rollback"}, 400),
        ({"digest": "0" * 64, "trial": 0}, 400),
        ({"digest": "0" * 64, "trial": 101}, 400),
        ({"digest": "0" * 64, "force": True}, 400),
        ({"digest": "0" * 64, "stage": "prod"}, 409),
    ],
    ids=[
        "nothing", "not kept", "no bundle", "a path out", "both", "a way back", "nobody's trial", "too many",
        "unknown", "another stage",
    ],
)  # fmt: skip
async def test_what_is_no_proposal_is_refused(management, body, status):
    answer = await management.post(PROPOSALS, json=body)
    assert answer.status_code == status, answer.text


async def test_what_does_not_exist_is_not_found(management):
    for verb, body in (("approve", {"report_digest": "x"}), ("reject", {}), ("withdraw", {})):
        answer = await management.post(f"{PROPOSALS}/prp_nothing/{verb}", json=body)
        assert answer.status_code == 404, verb
    assert (await management.get(f"{PROPOSALS}/prp_nothing")).status_code == 404
    assert (await management.get(f"{PROPOSALS}?state=nothing")).status_code == 400


async def test_a_person_is_known_by_every_identity_that_is_linked(management, app):
    added = await management.post(
        "/api/v1/users",
        json={"tenant": "acme", "username": "ada", "password": "correct horse battery staple", "display_name": "Ada"},
    )  # fmt: skip
    user = added.json()["id"]
    identity = ExternalIdentity(
        issuer="https://idp.example",
        subject="ada-1",
        provider="idp",
        user_id=UserId(user),
        roles=(),
        attributes={},
        created_at=1,
        last_login_at=None,
    )
    await app.database.run(lambda tx: add_identity(tx, identity) and None)
    catalog = app.directory.catalog
    person = await app.database.read(lambda tx: person_named(tx, user, catalog))
    assert person.known_as == (
        f"user:{user}",
        "identity:https://idp.example#ada-1",
        "owner:ada",
    )
    for name, known in (("uid:0", ("uid:0",)), ("ci", ("agent:ci",)), (None, ()), ("", ())):
        assert (
            await app.database.read(lambda tx, n=name: person_named(tx, n, catalog))
        ).known_as == known
