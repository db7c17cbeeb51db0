"""What was done before, through the whole of Remit: a limit that no new session, client, consent or era begins anew."""

import json
import secrets

import pytest
import pytest_asyncio
from mcp.shared.exceptions import MCPError

from remit.demo.agent import Keyring, connect
from remit.demo.person import Person
from remit.demo.stage import set_up
from tests.e2e.conftest import REDIRECT_URI
from tests.e2e.guarded import dance, guarded
from tests.e2e.wire import ask

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

FACTS = """
  e2e_refunded: {measure: sum, argument: amount, currency: USD, window: 1d, things: [payments/refund]}
  e2e_contact_read: {measure: ever, data_categories: [customer-contact], operations: [read]}
"""
POLICIES = """
@id("e2e-a-day")
@refusal("at most 120 USD a day")
forbid (principal, action == Remit::Action::"payments/refund", resource)
when { context.history.e2e_refunded.greaterThan(decimal("120.0")) };

@id("e2e-nothing-changes-after-a-look")
@refusal("contact data was read before")
forbid (principal, action == Remit::Action::"crm/update_account", resource)
when { context.history.e2e_contact_read };
"""
ACME = {"organization_id": "acme", "account_id": "acc-1001"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def remembering(tmp_path_factory):
    """A stage whose repository has facts of history, put in force while it runs."""
    async with set_up(tmp_path_factory.mktemp("history")) as stage:
        declare(stage.repository)
        await stage.remit("reload")
        yield stage


def declare(repository):
    root = repository / "remit.yaml"
    text = root.read_text()
    if "\nhistory:\n" in text:
        root.write_text(text.replace("\nhistory:\n", f"\nhistory:{FACTS}", 1))
    else:
        root.write_text(f"{text}\nhistory:{FACTS}")
    (repository / "policies" / "e2e-history.cedar").write_text(POLICIES)


@pytest.fixture
async def somebody(remembering):
    """A person of the test's own, who allows whatever is asked, each time in a browser that knows nothing."""
    username = f"pat-{secrets.token_hex(4)}"
    await remembering.remit(
        "users", "add", username, "--tenant", "acme", "--role", "support",
        "--display-name", "Pat", "--password-stdin", stdin=f"{remembering.password}\n",
    )  # fmt: skip
    return username


def session(stage, username, server, mode):
    """A new client: another registration, another consent, another grant, another token."""
    person = Person(username=username, password=stage.password, keeps=lambda _: True)

    async def browse(url):
        return await person.walk(url, REDIRECT_URI)

    return connect(stage.server(server), redirect_uri=REDIRECT_URI, browse=browse, mode=mode)


def refund(amount, invoice="inv-78"):
    return {"invoice_id": invoice, "amount": amount, "reason": "broken"}


@pytest.mark.parametrize("modes", [("auto", "legacy"), ("legacy", "auto")], ids="-".join)
async def test_a_new_session_in_another_era_begins_no_new_day(remembering, somebody, modes):
    async with session(remembering, somebody, "payments", modes[0]) as first:
        done = await first.call("refund", refund("100.00"))
        assert not done.is_error, done
    async with session(remembering, somebody, "payments", modes[1]) as second:
        with pytest.raises(MCPError) as refused:
            await second.call("refund", refund("20.01"))
        assert "at most 120 USD a day" in str(refused.value)
        done = await second.call("refund", refund("20.00"))
        assert not done.is_error, done
    whose = ("--agent", "support-assistant", "--user", somebody)
    assert "120.00 USD" in await remembering.remit("history", "show", *whose)
    decision = refused.value.error.data["decision"]
    explained = await remembering.remit("explain", decision)
    assert "e2e_refunded: 120.01 USD with this call, within 1d" in explained
    told = json.loads(await remembering.remit("explain", decision, "--json"))
    assert told["now"] == {"outcome": "deny", "reason": "forbidden"}
    await remembering.remit("history", "forget", *whose, "--reason", "a test", "--yes")
    async with session(remembering, somebody, "payments", modes[0]) as third:
        done = await third.call("refund", refund("120.00"))
        assert not done.is_error, done


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_after_a_look_nothing_is_changed(remembering, somebody, mode):
    async with session(remembering, somebody, "crm", mode) as first:
        assert not (await first.call("update_account", {**ACME, "plan": "business"})).is_error
        assert not (await first.call("get_account", ACME)).is_error
    async with session(remembering, somebody, "crm", mode) as second:
        listed = {tool.name for tool in (await second.client.list_tools()).tools}
        assert "update_account" in listed
        with pytest.raises(MCPError) as refused:
            await second.call("update_account", {**ACME, "plan": "starter"})
        assert "contact data was read before" in str(refused.value)


async def test_a_server_that_guards_itself_asks_remit_and_refuses_without_it(tmp_path):
    async with guarded(tmp_path, serving=False) as guard:
        declare(guard.stage.repository)
        keyring = Keyring()

        async def called(name, **more):
            arguments = {**ACME, **more}
            params = {"name": name, "arguments": arguments}
            token = keyring.tokens.access_token
            return (await ask(guard.url, "tools/call", params, token=token)).json()

        async with guard.remit():
            await guard.add_dana()
            async with guard.server("sdk"):
                await dance(guard, keyring)
                assert "result" in await called("update_account", plan="business")
                assert "result" in await called("get_account")
                refused = await called("update_account", plan="starter")
                assert refused["error"]["data"]["reason"] == "forbidden"
                assert refused["error"]["message"] == "contact data was read before"
        # Within its lease the guard goes on by itself, but for what it would have to ask about.
        async with guard.remit() as remit, guard.server("sdk"):
            assert "result" in await called("get_account")
            remit.kill()
            await remit.wait()
            assert "result" in await called("list_accounts")
            for name, more in (("get_account", {}), ("update_account", {"plan": "starter"})):
                refused = await called(name, **more)
                assert refused["error"]["data"]["reason"] == "engine_error"
