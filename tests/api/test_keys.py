async def test_a_new_key_is_published_when_the_answer_comes_and_signs_later(management, public):
    made = (await management.post("/api/v1/keys/rotate", json={})).json()
    assert made["state"] == "waits"
    assert made["kid"] in [key["kid"] for key in (await public.get("/jwks")).json()["keys"]]
    old = next(
        key
        for key in (await management.get("/api/v1/keys")).json()["keys"]
        if key["state"] == "signs"
    )
    assert old["retires_at"] > made["signs_from"]


async def test_a_second_key_is_not_made_while_one_waits(management):
    await management.post("/api/v1/keys/rotate", json={})
    assert (await management.post("/api/v1/keys/rotate", json={})).status_code == 409


async def test_the_key_that_signs_is_not_retired_alone(management):
    (key,) = (await management.get("/api/v1/keys")).json()["keys"]
    answer = await management.post(f"/api/v1/keys/{key['kid']}/retire", json={})
    assert answer.status_code == 409
    assert (await management.post("/api/v1/keys/nothing/retire", json={})).status_code == 404


async def test_a_key_that_waits_can_be_let_go_of(management, public):
    made = (await management.post("/api/v1/keys/rotate", json={})).json()
    path = f"/api/v1/keys/{made['kid']}/retire"
    assert (await management.post(path, json={"reason": "lost"})).json()["state"] == "retired"
    assert (await management.post(path, json={})).status_code == 409
    assert made["kid"] not in [key["kid"] for key in (await public.get("/jwks")).json()["keys"]]


async def test_no_private_part_is_shown(management):
    (key,) = (await management.get("/api/v1/keys")).json()["keys"]
    assert not {"d", "private", "sealed_private"} & set(key)
