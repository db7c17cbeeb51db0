"""Sessions belong to whom they were opened by, and to nobody for ever."""

from dataclasses import replace

import pytest

from remit.gateway.jsonrpc import Request
from remit.gateway.principal import Principal
from remit.gateway.rejection import RejectedError
from remit.gateway.sessions import Sessions
from remit.gateway.settings import GatewaySettings
from remit.testing import FixedClock
from tests.gateway.doubles import PUBLIC_URL, token_of

DANA = token_of("dana")
EVE = token_of("eve")


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture
def sessions(clock):
    return Sessions(GatewaySettings(public_url=PUBLIC_URL, session_idle=60), clock)


def opened(sessions, token=DANA):
    return sessions.open("crm", token, upstream=None, version="2025-11-25")


def test_a_session_is_found_by_whom_it_belongs_to(sessions):
    session = opened(sessions)
    assert sessions.find(session.id, "crm", DANA) is session


@pytest.mark.parametrize(
    "change",
    [{"organization_id": "globex"}, {"sub": "eve"}, {"client_id": "c2"}, {"grant_id": "g2"}],
)
def test_it_is_not_found_by_anybody_else(sessions, change):
    session = opened(sessions)
    with pytest.raises(RejectedError) as caught:
        sessions.find(session.id, "crm", replace(DANA, **change))
    assert caught.value.status == 404


def test_it_follows_its_person_once_where_they_were_sent_to_authorize_its_client_again(sessions):
    session = opened(sessions)
    session.may_follow = True
    assert sessions.find(session.id, "crm", DANA) is session
    assert sessions.find(session.id, "crm", replace(DANA, grant_id="g2")) is session
    for left in ("g3", DANA.grant_id):
        with pytest.raises(RejectedError):
            sessions.find(session.id, "crm", replace(DANA, grant_id=left))
    assert sessions.find(session.id, "crm", replace(DANA, grant_id="g2")) is session


@pytest.mark.parametrize(
    "change", [{"organization_id": "globex"}, {"sub": "eve"}, {"client_id": "c2"}]
)
def test_it_follows_nobody_else(sessions, change):
    session = opened(sessions)
    session.may_follow = True
    with pytest.raises(RejectedError):
        sessions.find(session.id, "crm", replace(DANA, grant_id="g2", **change))
    assert sessions.find(session.id, "crm", DANA) is session


def test_it_is_not_found_at_another_server_or_once_ended(sessions):
    session = opened(sessions)
    with pytest.raises(RejectedError):
        sessions.find(session.id, "payments", DANA)
    sessions.end(session)
    with pytest.raises(RejectedError):
        sessions.find(session.id, "crm", DANA)


def test_ids_are_long_visible_and_never_the_same(sessions):
    ids = {opened(sessions).id for _ in range(50)}
    assert len(ids) == 50
    assert all(
        len(one) >= 43 and one.isascii() and one.isprintable() and " " not in one for one in ids
    )


def test_an_idle_session_is_one_that_nobody_uses_or_listens_to(sessions, clock):
    idle, busy, heard = (opened(sessions) for _ in range(3))
    busy.in_flight, heard.listening = 1, True
    clock.advance(61)
    assert sessions.idle() == (idle,)
    sessions.find(idle.id, "crm", DANA)
    assert sessions.idle() == ()


def test_a_question_is_answered_once_and_the_oldest_are_forgotten(sessions):
    session = opened(sessions)
    for number in range(300):
        session.ask(Request(number, "ping"))
    assert not session.take_answer(0)
    assert session.take_answer(299)
    assert not session.take_answer(299)
    assert not session.take_answer(None)


def grants(principal, number):
    return [replace(principal, grant_id=f"g{one}") for one in range(number)]


def test_whoever_holds_most_gives_the_idlest_up_whatever_clients_they_use(sessions, clock):
    held = []
    for principal in grants(EVE, 3):
        clock.advance(1)
        held.append(opened(sessions, principal))
    clock.advance(1)
    sessions.find(held[0].id, "crm", held[0].token)
    held[1].in_flight = 1
    assert [sessions.surrendered(Principal.of(DANA)) for _ in range(2)] == [held[2], held[0]]
    assert held[1] in sessions.all()


def test_even_what_is_in_use_is_given_up_by_those_who_hold_most(sessions):
    held = [opened(sessions, principal) for principal in grants(EVE, 2)]
    held[0].in_flight, held[1].listening = 1, True
    assert sessions.surrendered(Principal.of(DANA)) is held[1]


@pytest.mark.parametrize(("theirs", "own"), [(0, 0), (1, 0), (3, 2), (2, 2), (1, 4)])
def test_nobody_takes_from_those_who_would_then_hold_less(sessions, theirs, own):
    for principal in (*grants(EVE, theirs), *grants(DANA, own)):
        opened(sessions, principal)
    surrendered = sessions.surrendered(Principal.of(DANA))
    assert surrendered is None
    assert len(sessions) == theirs + own


def test_the_places_of_one_server_are_shared_among_those_who_use_it(sessions):
    for principal in grants(EVE, 3):
        sessions.open("payments", principal, upstream=None, version="2025-11-25")
    assert sessions.surrendered(Principal.of(DANA), "crm") is None
    assert sessions.surrendered(Principal.of(DANA), "payments").principal.sub == "eve"


def test_a_full_process_takes_from_those_who_hold_most(clock):
    few = Sessions(GatewaySettings(public_url=PUBLIC_URL, max_sessions=2), clock)
    first, _ = (opened(few, principal) for principal in grants(EVE, 2))
    assert few.make_room(Principal.of(DANA)) is first
    opened(few)
    with pytest.raises(RejectedError) as caught:
        few.make_room(Principal.of(DANA))
    assert caught.value.status == 503


def test_sessions_end_with_what_their_last_token_rests_on(sessions):
    held, other = opened(sessions), opened(sessions, EVE)
    later = replace(DANA, jti="j-later")
    sessions.find(held.id, "crm", later)
    assert sessions.end_unbacked(lambda token: token.jti != DANA.jti) == ()
    assert sessions.end_unbacked(lambda token: token != later) == (held,)
    assert sessions.all() == (other,)
