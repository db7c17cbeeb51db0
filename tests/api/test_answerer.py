"""Who may not answer through the API, whatever scopes their token has."""

import pytest

from remit.api.administrator import ForbiddenError
from remit.approvals.errors import NotYoursError, StrongerAuthenticationNeededError
from remit.errors import NotFoundError
from remit.model import ACR_PASSWORD
from remit.tokens.access_token import Delegate
from tests.api.bureau import Bureau, office  # noqa: F401  a fixture


@pytest.fixture
def bureau(office):  # noqa: F811
    return Bureau(office)


async def _refused(bureau, by, error=ForbiddenError):
    approval = await bureau.asked()
    with pytest.raises(error):
        await bureau.answers("approve", by, approval)
    shown = await bureau.call("approvals.show", bureau.socket, path={"approval": approval})
    assert (shown["state"], shown["answers"]) == ("waiting", [])


async def test_the_socket_answers_nothing(bureau):
    await _refused(bureau, bureau.socket)


@pytest.mark.parametrize(
    "changes",
    [
        {"agent_id": "robot"},
        {"agent_id": "nobody-knows"},
        {"sub": "desk-tool"},
        {"agent_id": "assistant"},
        {"client_id": "cli_1"},
        {"actors": (Delegate(agent_id="desk-tool", client_id="cli_desk"),)},
    ],
    ids=["autonomous", "unregistered", "workload", "the-agent", "its-client", "handed-on"],
)
async def test_no_agent_answers_in_anybodys_name(bureau, changes):
    await _refused(bureau, bureau.by("bob", **changes))


async def test_a_log_in_that_is_older_than_the_request_answers_nothing(bureau):
    by = bureau.by("bob")
    bureau.office.later(5)
    await _refused(bureau, by, StrongerAuthenticationNeededError)
    await _refused(bureau, bureau.by("bob", auth_time=None), StrongerAuthenticationNeededError)


async def test_a_log_in_that_is_too_weak_answers_nothing(bureau):
    await _refused(bureau, bureau.by("bob", acr=ACR_PASSWORD), StrongerAuthenticationNeededError)
    await _refused(bureau, bureau.by("bob", acr=None), StrongerAuthenticationNeededError)


async def test_an_account_that_is_gone_answers_nothing(bureau):
    await bureau.office.disable("bob")
    await _refused(bureau, bureau.by("bob"), NotFoundError)
    await _refused(bureau, bureau.by("never"), NotFoundError)


async def test_a_confirmation_is_given_on_the_page_alone(bureau):
    approval = await bureau.office.asked()
    path = {"approval": approval}
    seen = await bureau.call("approvals.look", bureau.by("ada"), path=path)
    with pytest.raises(ForbiddenError, match=f"/approvals/{approval}"):
        await bureau.call(
            "approvals.approve", bureau.by("ada"), path=path, body={"shown": seen["shown"]}
        )


async def test_a_person_refuses_their_own_agents_call_without_a_page(bureau):
    approval = await bureau.office.asked()
    refused = await bureau.answers("refuse", bureau.by("ada"), approval)
    assert refused["state"] == "refused"


async def test_nobody_else_confirms(bureau):
    approval = await bureau.office.asked()
    with pytest.raises(NotYoursError):
        await bureau.answers("approve", bureau.by("bob"), approval)
