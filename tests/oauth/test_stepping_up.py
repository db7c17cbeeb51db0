"""What the log hears of a person who has to prove more, and of what they were shown."""

import hashlib

import pytest
from flows import CRM, answer

from remit.audit.events import (
    AuthorizationCodeIssued,
    ConsentGranted,
    ConsentPresented,
    StepUpCompleted,
    StepUpExpired,
    StepUpFailed,
    StepUpRequired,
)
from remit.identity.session import ACR_VALUES
from remit.oauth import purge_expired
from tests.oauth.test_authentication_strength import strengthen

PWD, MFA, PHR = ACR_VALUES


@pytest.fixture
async def browser(server):
    await server.add_user()
    return server.browser()


async def purge(server):
    await server.database.run(lambda tx: purge_expired(tx, server.clock.now()))


async def test_what_was_shown_is_what_was_consented_to(server, browser):
    page = await browser.to_consent()
    (presented,) = server.events(ConsentPresented)
    await browser.decide(page)
    (granted,) = server.events(ConsentGranted)
    assert presented.shown_digest == granted.shown_digest
    assert len(presented.shown_digest) == hashlib.sha256().digest_size * 2
    assert presented.offered == granted.granted
    assert (presented.resource, presented.locale) == (CRM, "en")
    assert presented.context.user_id == granted.context.user_id
    assert presented.context.auth["acr"] == PWD


async def test_one_request_is_one_flow_from_its_page_to_its_code(server, browser):
    await browser.decide(await browser.to_consent())
    flows = {
        one.context.flow_id
        for kind in (ConsentPresented, ConsentGranted, AuthorizationCodeIssued)
        for one in server.events(kind)
    }
    assert len(flows) == 1
    assert flows.pop().startswith("flo_")


async def test_another_request_is_another_flow(server, browser):
    await browser.to_consent()
    await browser.follow(await browser.authorize(prompt="consent"))
    assert len({one.context.flow_id for one in server.events(ConsentPresented)}) == 2


async def test_who_has_to_prove_more_is_recorded_with_what_they_had(server, browser):
    await browser.to_consent()
    await browser.follow(await browser.authorize(acr_values=MFA))
    (event,) = server.events(StepUpRequired)
    assert (event.acr, event.had, event.cause, event.resource) == (MFA, PWD, "acr", CRM)
    assert event.context.user_id
    assert event.context.tenant == "acme"
    assert server.events(StepUpCompleted) == server.events(StepUpFailed) == []


async def test_who_logged_in_too_long_ago_is_recorded_as_that(server, browser):
    await browser.to_consent()
    server.clock.advance(120)
    await browser.follow(await browser.authorize(max_age="60"))
    (event,) = server.events(StepUpRequired)
    assert (event.cause, event.max_age) == ("age", 60)


async def test_a_step_up_that_was_made_is_recorded_once_with_the_code(server, browser):
    await browser.to_consent()
    page = await browser.follow(await browser.authorize(prompt="login"))
    await browser.decide(await browser.log_in(page))
    (event,) = server.events(StepUpCompleted)
    assert event.got == PWD
    assert event.context.grant_id == server.events(AuthorizationCodeIssued)[-1].context.grant_id


async def test_who_needed_to_prove_nothing_more_stepped_up_to_nothing(server, browser):
    await browser.decide(await browser.to_consent())
    strengthen(server, MFA)
    await browser.decide(await browser.follow(await browser.authorize(acr_values=MFA)))
    assert server.events(StepUpRequired) == server.events(StepUpCompleted) == []


async def test_a_step_up_that_never_came_is_recorded_when_its_request_is_forgotten(server, browser):
    await browser.to_consent()
    await browser.follow(await browser.authorize(acr_values=MFA))
    assert server.events(StepUpExpired) == []
    server.clock.advance(3_600)
    await purge(server)
    (event,) = server.events(StepUpExpired)
    assert (event.acr, event.resource) == (MFA, CRM)
    assert event.context.flow_id == server.events(StepUpRequired)[0].context.flow_id
    await purge(server)
    assert len(server.events(StepUpExpired)) == 1


async def test_a_request_that_nobody_answered_is_no_step_up(server, browser):
    await browser.follow(await browser.authorize(acr_values=MFA))
    await browser.to_consent()
    server.clock.advance(3_600)
    await purge(server)
    assert server.events(StepUpExpired) == []


async def test_who_is_refused_at_once_is_shown_nothing(server, browser):
    await browser.to_consent()
    shown = len(server.events(ConsentPresented))
    answered = answer(await browser.authorize(acr_values="urn:else"))
    assert answered["error"] == "unmet_authentication_requirements"
    assert len(server.events(ConsentPresented)) == shown
