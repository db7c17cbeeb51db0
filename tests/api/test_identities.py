"""As whom a person logs in elsewhere, by an administrator's word."""

import pytest

PEOPLE = """\
providers:
  corp:
    title: Corp
    issuer: https://login.corp.example
    client_id: remit
    tenant: acme
  other:
    title: Other
    issuer: https://login.other.example
    client_id: remit
    rules:
      - claims: { org: globex }
        tenant: globex
"""
LINKED = {"provider": "corp", "subject": "00u1"}


@pytest.fixture
def settings(settings):
    (settings.repo / "people.yaml").write_text(PEOPLE)
    return settings


@pytest.fixture
async def people(management, dana):
    for name in ("dana", "eve"):
        answer = await management.post("/api/v1/users", json={**dana, "username": name})
        assert answer.status_code == 200, answer.text


@pytest.fixture
def identities(management):
    async def listed(name="dana"):
        return (await management.get(f"/api/v1/users/{name}/identities")).json()["identities"]

    return listed


async def test_an_identity_is_linked_listed_and_unlinked(management, people, identities):
    answer = await management.post("/api/v1/users/dana/identities/link", json=LINKED)
    assert answer.status_code == 200, answer.text
    (listed,) = await identities()
    assert listed == answer.json()
    assert (listed["issuer"], listed["subject"]) == ("https://login.corp.example", "00u1")
    answer = await management.post("/api/v1/users/dana/identities/unlink", json=LINKED)
    assert answer.json() == {"unlinked": 1}
    assert await identities() == []
    again = await management.post("/api/v1/users/dana/identities/unlink", json=LINKED)
    assert again.status_code == 404


async def test_one_subject_is_one_account(management, people, identities):
    await management.post("/api/v1/users/dana/identities/link", json=LINKED)
    for name in ("dana", "eve"):
        answer = await management.post(f"/api/v1/users/{name}/identities/link", json=LINKED)
        assert answer.status_code == 409
    answer = await management.post("/api/v1/users/eve/identities/unlink", json=LINKED)
    assert answer.status_code == 404
    assert len(await identities()) == 1
    assert await identities("eve") == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"provider": "nobody", "subject": "00u1"}, 404),
        # It puts people in another organisation: who has that subject could log in nowhere.
        ({"provider": "other", "subject": "00u1"}, 403),
        ({"provider": "corp", "subject": ""}, 400),
        ({"provider": "corp", "subject": "a\nb"}, 400),
        ({"provider": "corp"}, 400),
        ({"provider": "corp", "subject": "00u1", "issuer": "https://evil.example"}, 400),
    ],
)
async def test_what_cannot_log_in_is_not_linked(management, people, identities, body, status):
    answer = await management.post("/api/v1/users/dana/identities/link", json=body)
    assert answer.status_code == status, answer.text
    assert await identities() == []


async def test_nobody_who_is_not_there_has_identities(management):
    assert (await management.get("/api/v1/users/nobody/identities")).status_code == 404
    for verb in ("link", "unlink"):
        answer = await management.post(f"/api/v1/users/nobody/identities/{verb}", json=LINKED)
        assert answer.status_code == 404
