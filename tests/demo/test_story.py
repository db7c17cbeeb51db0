import pytest

from remit.demo.stage import Stage, set_up
from remit.demo.story import Storyteller, UnexpectedAnswerError, redirect_uri

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
    "The user changes her mind": ['401, WWW-Authenticate: Bearer error="invalid_token"'],
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
        with pytest.raises(BaseException) as caught:
            await story.tell()
    assert _causes(caught.value, UnexpectedAnswerError) == ["`get_account` was not refused"]
    assert "Another tenant's data" in terminal.text
    assert "A tool it was never shown" not in terminal.text


async def test_a_door_that_stands_open_ends_the_story_at_once(tmp_path, terminal, serving):
    async with serving(lambda *_: (200, {}, "welcome")) as url:
        stage = Stage(folder=tmp_path, url=url, username="d", password="p", ready_seconds=0)
        story = Storyteller(stage, terminal.narrator, callback=redirect_uri())
        with pytest.raises(UnexpectedAnswerError, match="401, got 200"):
            await story.tell()


def _causes(error: BaseException, kind: type[BaseException]) -> list[str]:
    if isinstance(error, BaseExceptionGroup):
        return [found for one in error.exceptions for found in _causes(one, kind)]
    return [str(error).partition(":")[0]] if isinstance(error, kind) else []
