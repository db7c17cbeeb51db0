async def test_who_is_logged_in_nowhere_has_no_session(management, dana):
    await management.post("/api/v1/users", json=dana)
    assert (await management.get("/api/v1/users/dana/sessions")).json() == {"sessions": []}
    answer = await management.post("/api/v1/users/dana/sessions/end", json={})
    assert answer.json() == {"ended": 0}


async def test_a_session_nobody_has_is_not_ended(management, dana):
    await management.post("/api/v1/users", json=dana)
    answer = await management.post("/api/v1/users/dana/sessions/ses_x/end", json={})
    assert answer.status_code == 404
    assert (await management.get("/api/v1/users/nobody/sessions")).status_code == 404
