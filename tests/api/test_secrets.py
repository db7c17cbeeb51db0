VALUE = "hunter2-of-the-crm"
PATH = "/api/v1/secrets"


async def test_a_secret_is_kept_named_and_known_at_once(app, management):
    made = (await management.post(f"{PATH}/crm", json={"value": VALUE, "reason": "new"})).json()
    assert made["reference"] == "stored:crm"
    (listed,) = (await management.get(PATH)).json()["secrets"]
    assert listed == made
    known = app.secrets._known
    assert known("stored:crm") == VALUE
    gone = await management.post(f"{PATH}/crm/remove", json={"reason": "old"})
    assert gone.json() == {"name": "crm", "state": "removed"}
    assert (await management.get(PATH)).json()["secrets"] == []


async def test_no_answer_holds_what_was_given(management):
    answers = [
        await management.post(f"{PATH}/crm", json={"value": VALUE}),
        await management.get(PATH),
        await management.post(f"{PATH}/CRM", json={"value": VALUE}),
        await management.post(f"{PATH}/crm", json={"value": VALUE, "more": 1}),
        await management.post(f"{PATH}/crm", json={"value": [VALUE]}),
        await management.post(f"{PATH}/crm/remove", json={"value": VALUE}),
    ]
    assert all(VALUE not in answer.text for answer in answers)
    assert [answer.status_code for answer in answers] == [200, 200, 400, 400, 400, 400]


async def test_what_is_not_there_is_not_removed(management):
    assert (await management.post(f"{PATH}/crm/remove", json={})).status_code == 404


async def test_without_a_token_nobody_learns_which_secrets_there_are(public):
    assert (await public.get(PATH)).status_code == 401
    assert (await public.post(f"{PATH}/crm", json={"value": VALUE})).status_code == 401


async def test_a_token_for_a_server_changes_no_secret(public, management, grant):
    headers = {"Authorization": f"Bearer {grant}"}
    refused = await public.post(f"{PATH}/crm", json={"value": VALUE}, headers=headers)
    assert refused.status_code == 401
    assert (await management.get(PATH)).json()["secrets"] == []
