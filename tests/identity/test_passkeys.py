"""What a passkey's answer must be: of this site, this browser, this moment, and its person verified."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.audit.events import LoggedIn, LoginFailed
from remit.identity.passkeys import (
    PasskeyRefusedError,
    passkeys_work_at,
    read_answer,
    verify_creation,
)
from remit.web import site_at
from tests.identity.authenticator import Authenticator, b64, unb64
from tests.identity.conftest import options_in

LOGIN = "/login?return_to=/authorize"


@pytest.fixture
async def key(browser, add_user) -> Authenticator:
    """Ada's passkey; she is logged out."""
    await add_user()
    await browser.log_in()
    made = Authenticator()
    assert (await browser.add_passkey(made)).status_code == 200
    await browser.log_out()
    return made


async def _log_in(browser, answered: str, page=None):
    page = page or await browser.open(LOGIN)
    return await browser.answer(page, "/login/passkey", credential=answered)


async def test_a_passkey_alone_logs_in_without_a_name(browser, key, events):
    page = await browser.open(LOGIN)
    options = options_in(page)
    assert options["allowCredentials"] == []
    assert options["userVerification"] == "required"
    assert options["rpId"] == "localhost"
    done = await _log_in(browser, key.get(options), page)
    assert done.headers["location"] == "/authorize"
    logged_in = events.of(LoggedIn)[-1]
    assert (logged_in.acr, logged_in.amr) == ("urn:remit:acr:phr", ("hwk", "user", "mfa"))


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "https://localhost:8000"},
        {"origin": "http://localhost:8001"},
        {"origin": "http://evil.localhost:8000"},
        {"rp_id": "evil.example"},
        {"verifies": False},
        {"user_handle": b64(b"usr_somebody_else")},
        {"credential_id": b"unheard-of"},
    ],
    ids=str,
)
async def test_an_answer_of_another_place_or_person_or_without_verification_is_refused(
    browser, key, change, events
):
    for name, value in change.items():
        setattr(key, name, value)
    page = await browser.open(LOGIN)
    refused = await _log_in(browser, key.get(options_in(page)), page)
    assert refused.status_code == 403
    assert "was not accepted" in refused.text
    assert "remit_session" not in browser.client.cookies
    assert events.of(LoginFailed)[-1].reason == "wrong_passkey"


async def test_a_signature_of_another_key_is_refused(browser, key):
    page = await browser.open(LOGIN)
    forged = Authenticator(credential_id=key.credential_id, user_handle=key.user_handle, count=5)
    assert (await _log_in(browser, forged.get(options_in(page)), page)).status_code == 403
    # The count of the forgery was not kept: the true one still grows from where it was.
    page = await browser.open(LOGIN)
    assert (await _log_in(browser, key.get(options_in(page)), page)).is_redirect


@pytest.mark.parametrize("member", ["authenticatorData", "signature", "clientDataJSON"])
async def test_a_changed_byte_is_refused(browser, key, member):
    page = await browser.open(LOGIN)
    answered = json.loads(key.get(options_in(page)))
    raw = bytearray(unb64(answered["response"][member]))
    raw[-5] ^= 1
    answered["response"][member] = b64(bytes(raw))
    assert (await _log_in(browser, json.dumps(answered), page)).status_code == 403


@pytest.mark.parametrize(
    "text",
    [
        "", "{}", "[]", "null", "1", '"x"', "{", '{"id":"x"}', '{"id":"x","response":{}}',
        '{"id":"x","response":{"clientDataJSON":"e30"}}',
        '{"id":1,"response":{"clientDataJSON":"e30"}}',
        '{"id":"x","response":{"clientDataJSON":"eyJjaGFsbGVuZ2UiOiJBQUFBIn0"}}',
        '{"id":"x","id":"y"}', "\ud83d", "x" * 40_000,
    ],
)  # fmt: skip
def test_what_is_no_credential_is_refused(text):
    site = site_at("http://localhost:8000")
    with pytest.raises(PasskeyRefusedError):
        verify_creation(site, read_answer(text.encode("utf-8", "replace").decode()))


@given(st.binary(max_size=300), st.booleans())
def test_no_bytes_make_the_reader_of_new_passkeys_fail(content, begins_well):
    """The library reads CBOR of strangers: whatever it raises is a refusal here."""
    made = json.loads(
        Authenticator().create({"challenge": b64(b"c" * 20), "user": {"id": b64(b"u")}})
    )
    head = unb64(made["response"]["attestationObject"])[:60] if begins_well else b""
    made["response"]["attestationObject"] = b64(head + content)
    site = site_at("http://localhost:8000")
    with pytest.raises(PasskeyRefusedError):
        verify_creation(site, read_answer(json.dumps(made)))


async def test_no_answer_of_any_shape_is_an_error_of_ours(browser, key):
    page = await browser.open(LOGIN)
    answered = json.loads(key.get(options_in(page)))
    for member in ("authenticatorData", "signature", "clientDataJSON", "userHandle"):
        for value in ("", "AA", "%", None, 1, [], {"a": 1}, "A" * 5000):
            changed = {**answered, "response": {**answered["response"], member: value}}
            refused = await _log_in(browser, json.dumps(changed), page)
            assert refused.status_code in {403, 429}


@pytest.mark.parametrize(
    "change", [{"verifies": False}, {"origin": "https://evil.example"}, {"rp_id": "evil.example"}]
)
async def test_a_new_passkey_of_another_place_or_without_verification_is_not_kept(
    browser, add_user, change
):
    await add_user()
    await browser.log_in()
    refused = await browser.add_passkey(Authenticator(**change))
    assert refused.status_code == 403
    assert "could not be added" in refused.text
    assert "You have none" in (await browser.open("/account")).text


@pytest.mark.parametrize(
    ("url", "works"),
    [
        ("https://remit.example", True),
        ("http://localhost:8000", True),
        ("http://127.0.0.1:8000", False),
        ("http://[::1]:8000", False),
    ],
)
def test_passkeys_belong_to_a_name(url, works):
    assert passkeys_work_at(site_at(url)) is works
