"""The agent alone; with Remit in front, tests/e2e/test_python_client.py and the story itself."""

import pytest

from remit.demo.agent import AuthorizationRefusedError, Keyring, connect

REDIRECT_URI = "http://127.0.0.1:8765/callback"


async def _no_browser(url: str) -> str:
    raise AssertionError(f"nobody is to be asked: {url}")


async def test_a_server_that_asks_for_nothing_is_connected_to_without_a_person(crm):
    async with connect(crm, redirect_uri=REDIRECT_URI, browse=_no_browser) as agent:
        arguments = {"organization_id": "acme", "account_id": "acc-1001"}
        assert "Juniper" in (await agent.call("get_account", arguments)).content[0].text
        last = agent.last("/mcp")
        assert last is not None
        assert last.method == "POST"
        assert agent.last("/register") is None
        assert agent.keyring.tokens is None


async def test_what_a_keyring_holds_is_used_again():
    keyring = Keyring()
    assert await keyring.get_tokens() is None
    assert await keyring.get_client_info() is None
    await keyring.set_tokens("tokens")
    await keyring.set_client_info("client")
    assert (await keyring.get_tokens(), await keyring.get_client_info()) == ("tokens", "client")


@pytest.mark.parametrize(
    ("query", "said"),
    [("error=access_denied&error_description=no", "access_denied: no"), ("error=x", "x: ")],
)
async def test_a_redirect_with_an_error_is_a_refusal_with_its_words(serving, query, said):
    """An authorization server that says no, as far as an agent needs one to hear it."""

    def answer(method, path):
        base = {"content-type": "application/json"}
        if path.startswith("/.well-known/oauth-protected-resource"):
            return 200, base, f'{{"resource":"{url}/mcp","authorization_servers":["{url}"]}}'
        if path.startswith("/.well-known/"):
            return (
                200,
                base,
                (
                    f'{{"issuer":"{url}","authorization_endpoint":"{url}/a","token_endpoint":"{url}/t",'
                    f'"registration_endpoint":"{url}/register","response_types_supported":["code"],'
                    '"code_challenge_methods_supported":["S256"]}'
                ),
            )
        if path == "/register":
            return 201, base, f'{{"client_id":"c","redirect_uris":["{REDIRECT_URI}"]}}'
        return 401, {"www-authenticate": "Bearer"}, ""

    async def refuse(authorization_url: str) -> str:
        return f"{REDIRECT_URI}?{query}"

    async with serving(answer) as url:
        with pytest.raises(BaseExceptionGroup) as caught:
            async with connect(f"{url}/mcp", redirect_uri=REDIRECT_URI, browse=refuse):
                raise AssertionError("connected")
    refused = caught.value.subgroup(AuthorizationRefusedError)
    assert refused is not None
    assert said in str(_leaves(refused))


def _leaves(group: BaseException) -> list[str]:
    if isinstance(group, BaseExceptionGroup):
        return [leaf for one in group.exceptions for leaf in _leaves(one)]
    return [str(group)]
