import re

import pytest

from remit.demo.stage import Stage, free_port, set_up
from remit.demo.story import Storyteller, UnexpectedAnswerError, leaves, redirect_uri

pytestmark = pytest.mark.e2e

STEPS = {
    "A stranger knocks": ["401, WWW-Authenticate: Bearer ", "oauth-protected-resource/mcp/crm"],
    "The agent finds its own way in": ["POST /register → 201", "scope: crm:accounts.read"],
    "What this agent sees": ["list_accounts, get_account"],
    "A read within its remit": ["Juniper Bakery"],
    "A write nobody gave it": ['403, WWW-Authenticate: Bearer error="insufficient_scope"', "said no"],
    "Another tenant's data": ["✘ You may only work with your own organisation"],
    "A tool it was never shown": ["✘ unknown tool"],
    "Another server, another token, and a limit on the amount": ['"refunded": "49.00"', "500.00 USD"],
    "A refund that its person has to say yes to": [
        "types a code of the authenticator app",
        "The call is allowed, says the page to Dana",
        '"refunded": "900.00"',
        "✘ An agent may refund at most 500.00 USD by itself",
    ],
    "A refund that takes a manager besides": [
        "Your answer is recorded, says the page to Dana",
        "The call is allowed, says the page to Mona",
        '"refunded": "6000.00"',
    ],
    "Access for minutes": [
        "remit access request billing-read --for sam",
        "scope: payments:invoices.read",
        "✘ 401: the token died",
    ],
    "A server changes a tool that was trusted": [
        "✔ get_account",
        "✘ its definition was changed and waits for review",
        "✘ - List the accounts of an organisation.",
        "First call export_accounts",
    ],
    "An administrator ends the grant": ['401, WWW-Authenticate: Bearer error="invalid_token"'],
}  # fmt: skip


@pytest.mark.parametrize("title", STEPS)
def test_each_step_tells_what_was_asked_and_what_came_of_it(told, title):
    _, _, rest = told.text.partition(f"  {title}")
    assert rest, "the step is missing"
    step = rest.split("\n\n")[0]
    for words in STEPS[title]:
        assert words in step


def test_the_steps_come_in_order(told):
    assert [told.text.index(title) for title in STEPS] == sorted(
        told.text.index(title) for title in STEPS
    )


def test_nothing_secret_is_told(told):
    assert told.stage.password not in told.text
    assert "eyJ" not in told.text


async def test_a_remit_that_answers_otherwise_ends_the_story(tmp_path, terminal):
    """Without the policy that keeps tenants apart, the sixth step is not refused, and says so."""
    async with set_up(tmp_path) as stage:
        (stage.repository / "policies" / "tenants.cedar").unlink()
        await stage.remit("reload")
        story = Storyteller(stage, terminal.narrator, callback=redirect_uri())
        with pytest.raises(ExceptionGroup) as caught:
            await story.tell()
    (why,) = leaves(caught.value)
    assert isinstance(why, UnexpectedAnswerError)
    assert "`get_account` was not refused" in str(why)
    assert "Another tenant's data" in terminal.text
    assert "A tool it was never shown" not in terminal.text


async def test_a_door_that_stands_open_ends_the_story_at_once(tmp_path, terminal, serving):
    async with serving(lambda *_: (200, {}, "welcome")) as url:
        stage = Stage(folder=tmp_path, url=url, username="d", password="p", ready_seconds=0)
        story = Storyteller(stage, terminal.narrator, callback=redirect_uri())
        with pytest.raises(UnexpectedAnswerError, match="401, got 200"):
            await story.tell()


async def test_a_server_that_cannot_be_reached_ends_the_story_in_words(tmp_path, terminal):
    async with set_up(tmp_path) as stage:
        crm = stage.repository / "servers" / "crm.yaml"
        crm.write_text(re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{free_port()}", crm.read_text()))
        await stage.remit("reload")
        story = Storyteller(stage, terminal.narrator, callback=redirect_uri())
        with pytest.raises(ExceptionGroup) as caught:
            await story.tell()
    assert [str(one) for one in leaves(caught.value)] == ["the server cannot be reached"]
