from flows import answer


async def test_a_person_who_allows_everything_sends_a_code_to_the_client(server):
    await server.add_user()
    browser = server.browser()
    page = await browser.to_consent()
    assert page.status_code == 200
    back = answer(await browser.decide(page))
    assert back["state"] == "st-1 ä&=%"
    assert back["iss"] == "https://remit.example"
    response = await server.redeem(back["code"])
    assert response.status_code == 200, response.text
