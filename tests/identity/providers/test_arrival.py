"""The answer of a provider: which one logs a person in, and every other one that does not."""

import hashlib

import pytest
from joserfc.jwk import ECKey, OctKey

from remit.audit.events import AccountCreated, IdentityLinked, LoggedIn, ProviderLoginRefused
from remit.identity import store
from remit.identity.session import ACR_MULTI_FACTOR, ACR_PASSWORD, ACR_PHISHING_RESISTANT

BACK = "/authorize/continue?request=r1"


@pytest.fixture
def refused(visitor, events, database):
    """Asserts that an answer logged nobody in, and why the log says so."""

    def check(response, reason, *, status=400):
        assert response.status_code == status, response.text
        assert visitor.session is None
        assert events.of(LoggedIn) == []
        refusals = events.of(ProviderLoginRefused)
        assert [event.reason for event in refusals] == [reason]
        assert "\n" not in refusals[0].detail
        return refusals[0]

    return check


async def test_a_person_logs_in_and_comes_back_to_where_they_were(visitor, corp, events, database):
    response = await visitor.log_in(corp)
    assert response.status_code == 303
    assert response.headers["location"] == BACK
    assert visitor.session is not None
    (created,), (linked,), (logged_in,) = (
        events.of(kind) for kind in (AccountCreated, IdentityLinked, LoggedIn)
    )
    assert linked.account_id == created.account_id
    assert linked.provider == logged_in.provider == "corp"
    user = database.read_now(lambda tx: store.find_user(tx, created.account_id))
    assert (user.username, user.tenant) == ("grace", "acme")


async def test_two_providers_serve_at_once(new_visitor, corp, club):
    first, second = new_visitor(), new_visitor()
    there, elsewhere = await first.leave("corp"), await second.leave("club")
    assert (await second.come_back(club.authorize(elsewhere), "club")).status_code == 303
    assert (await first.come_back(corp.authorize(there), "corp")).status_code == 303


async def test_the_same_person_is_the_same_account_the_next_time(new_visitor, corp, events):
    await new_visitor().log_in(corp)
    await new_visitor().log_in(corp)
    assert len(events.of(AccountCreated)) == 1
    assert len(events.of(LoggedIn)) == 2


async def test_the_same_subject_of_another_provider_is_another_person(
    new_visitor, corp, club, events
):
    await new_visitor().log_in(corp)
    await new_visitor().log_in(club, "club")
    one, other = events.of(AccountCreated)
    assert one.account_id != other.account_id


async def test_a_secret_goes_into_the_header_and_a_public_client_has_pkce_alone(
    new_visitor, corp, club
):
    await new_visitor().log_in(corp)
    await new_visitor().log_in(club, "club")
    ((fields, authorization),) = corp.forms
    assert authorization.startswith("Basic ")
    assert not {"client_id", "client_secret"} & fields.keys()
    ((fields, authorization),) = club.forms
    assert authorization is None
    assert fields["client_id"] == "remit-club"
    assert "client_secret" not in fields


async def test_a_secret_goes_into_the_body_where_the_provider_takes_it_only_there(visitor, corp):
    corp.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    assert (await visitor.log_in(corp)).status_code == 303
    ((fields, authorization),) = corp.forms
    assert authorization is None
    assert fields["client_secret"] == corp.secret


# -- state ---------------------------------------------------------------------


@pytest.mark.parametrize("state", [None, "", "guessed"])
async def test_an_answer_without_a_state_of_ours_is_refused(visitor, corp, refused, state):
    refused(await visitor.log_in(corp, state=state), "state")
    assert corp.forms == []


async def test_an_answer_counts_once(visitor, corp, events):
    answer = corp.authorize(await visitor.leave())
    assert (await visitor.come_back(answer)).status_code == 303
    assert (await visitor.come_back(answer)).status_code == 400
    assert len(corp.forms) == len(events.of(LoggedIn)) == 1


async def test_an_answer_is_of_no_use_in_another_browser(new_visitor, corp, events):
    victim, attacker = new_visitor(), new_visitor()
    await victim.leave()  # so that this browser is known, too
    answer = corp.authorize(await attacker.leave())
    assert (await victim.come_back(answer)).status_code == 400
    assert victim.session is None
    assert corp.forms == []
    # It was not used up by the one it is not for.
    assert (await attacker.come_back(answer)).status_code == 303


async def test_an_answer_that_took_too_long_is_refused(visitor, corp, clock, refused):
    answer = corp.authorize(await visitor.leave())
    clock.advance(601)
    refused(await visitor.come_back(answer), "state")


async def test_a_parameter_that_comes_twice_is_refused(visitor, corp, refused):
    answer = corp.authorize(await visitor.leave())
    twice = "&".join(f"{name}={value}" for name, value in answer.items()) + "&state=other"
    refused(await visitor.get(f"/login/provider/corp/callback?{twice}"), "state")


# -- mix-up ---------------------------------------------------------------------


async def test_an_answer_that_another_provider_gives_is_refused(visitor, corp, club, refused):
    """RFC 9700 §4.4: the person meant corp; what comes back is told to be of the club."""
    refused(await visitor.log_in(corp, iss=club.issuer), "iss_mismatch")
    assert corp.forms == club.forms == []


async def test_an_answer_at_the_address_of_another_provider_is_refused(
    visitor, corp, club, refused
):
    answer = corp.authorize(await visitor.leave("corp"))
    refused(await visitor.come_back(answer, "club"), "state")
    assert corp.forms == club.forms == []


@pytest.mark.parametrize(
    "iss",
    ["https://login.corp.example/", "https://LOGIN.corp.example", "https://login.corp.example:443"],
)
async def test_an_issuer_is_compared_byte_for_byte(visitor, corp, refused, iss):
    refused(await visitor.log_in(corp, iss=iss), "iss_mismatch")


async def test_an_answer_without_iss_is_refused_where_the_provider_always_sends_it(
    visitor, corp, refused
):
    refused(await visitor.log_in(corp, iss=None), "iss_missing")


async def test_an_answer_without_iss_is_taken_where_the_provider_never_promised_it(visitor, corp):
    corp.metadata["authorization_response_iss_parameter_supported"] = None
    assert (await visitor.log_in(corp, iss=None)).status_code == 303


async def test_iss_is_compared_even_where_it_was_not_promised(visitor, corp, refused):
    corp.metadata["authorization_response_iss_parameter_supported"] = False
    refused(await visitor.log_in(corp, iss="https://attacker.example"), "iss_mismatch")


async def test_an_error_of_another_issuer_is_no_error_of_the_provider(visitor, corp, refused):
    answer = corp.authorize(
        await visitor.leave(), code=None, error="access_denied", iss="https://attacker.example"
    )
    refused(await visitor.come_back(answer), "iss_mismatch")


async def test_metadata_that_names_another_issuer_is_not_used(visitor, corp, club, refused):
    corp.metadata["issuer"] = club.issuer
    response = await visitor.get("/login/provider/corp")
    refused(response, "provider_unavailable", status=503)
    assert "location" not in response.headers


# -- the ID token ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"iss": "https://club.example/tenant-1"}, "id_token"),
        ({"iss": "https://login.corp.example/"}, "id_token"),
        ({"aud": "another-client"}, "audience"),
        ({"aud": ["another-client"]}, "audience"),
        ({"aud": []}, "audience"),
        ({"aud": ["remit at corp", "another-client"]}, "audience"),
        ({"aud": ["remit at corp", "x"], "azp": "x"}, "audience"),
        ({"aud": {"remit at corp": 1}}, "audience"),
        ({"azp": "another-client"}, "audience"),
        ({"exp": 1}, "id_token"),
        ({"exp": None}, "id_token"),
        ({"iat": None}, "id_token"),
        ({"iat": 2**40, "exp": 2**41}, "id_token"),
        ({"nbf": 2**40}, "id_token"),
        ({"sub": None}, "id_token"),
        ({"sub": ""}, "id_token"),
        ({"sub": 7}, "id_token"),
        ({"sub": "s" * 256}, "id_token"),
        ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "id_token"),
        ({"at_hash": 1}, "id_token"),
    ],
)
async def test_an_id_token_that_is_not_of_this_log_in_is_refused(
    visitor, corp, refused, says, reason
):
    corp.says = says
    refused(await visitor.log_in(corp), reason)


async def test_several_audiences_are_accepted_when_we_are_the_authorized_party(visitor, corp):
    corp.says = {"aud": ["other", "remit at corp"], "azp": "remit at corp"}
    assert (await visitor.log_in(corp)).status_code == 303


async def test_an_unsigned_id_token_is_refused(visitor, corp, refused):
    corp.header = {"alg": "none"}
    refused(await visitor.log_in(corp), "id_token")


async def test_an_id_token_signed_with_our_own_secret_is_refused(visitor, corp, refused):
    corp.metadata["id_token_signing_alg_values_supported"] = ["HS256", "ES256"]
    corp.header = {"alg": "HS256"}
    corp.signing_key = OctKey.import_key(hashlib.sha256(corp.secret.encode()).digest())
    refused(await visitor.log_in(corp), "id_token")


async def test_an_algorithm_that_the_provider_does_not_advertise_is_refused(visitor, corp, refused):
    corp.metadata["id_token_signing_alg_values_supported"] = ["RS256"]
    refused(await visitor.log_in(corp), "id_token")


async def test_a_key_inside_the_header_is_not_used(visitor, corp, refused):
    corp.signing_key = ECKey.generate_key("P-256")
    corp.header = {"jwk": corp.signing_key.as_dict(private=False)}
    refused(await visitor.log_in(corp), "id_token")


async def test_a_key_nobody_published_is_refused_after_one_look_at_the_keys(visitor, corp, refused):
    corp.signing_key, corp.header = ECKey.generate_key("P-256"), {"kid": "key-2"}
    refused(await visitor.log_in(corp), "id_token")


async def test_a_key_that_was_rotated_in_is_found(new_visitor, corp, clock):
    await new_visitor().log_in(corp)
    clock.advance(60)
    corp.signing_key = ECKey.generate_key("P-256", parameters={"kid": "key-2"})
    corp.published_keys, corp.header = [corp.key, corp.signing_key], {"kid": "key-2"}
    assert (await new_visitor().log_in(corp)).status_code == 303


async def test_another_type_of_token_is_no_id_token(visitor, corp, refused):
    corp.header = {"typ": "at+jwt"}
    refused(await visitor.log_in(corp), "id_token")


# -- the token endpoint ------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"id_token": None}, "token_malformed"),
        ({"id_token": 7}, "token_malformed"),
        ({"access_token": None}, "token_malformed"),
        ({"token_type": "mac"}, "token_malformed"),
        ({"token_type": None}, "token_malformed"),
        ({"expires_in": "soon"}, "token_malformed"),
    ],
)
async def test_an_answer_that_lacks_what_it_must_have_is_refused(
    visitor, corp, refused, answers, reason
):
    corp.answers = answers
    refused(await visitor.log_in(corp), reason)


async def test_a_code_that_the_provider_does_not_know_is_refused(visitor, corp, refused):
    refusal = refused(await visitor.log_in(corp, code="stolen"), "token_refused")
    assert refusal.detail == "invalid_grant: the token endpoint answered 400"


async def test_an_answer_with_neither_code_nor_error_is_refused(visitor, corp, refused):
    refused(await visitor.log_in(corp, code=None), "no_code")


# -- what people are told -----------------------------------------------------------


async def test_a_person_who_says_no_is_told_so_and_offered_the_other_ways(visitor, corp, refused):
    response = await visitor.log_in(corp, code=None, error="access_denied")
    refused(response, "cancelled", status=403)
    assert "You are not logged in" in response.text
    assert "/login?return_to=%2Fauthorize%2Fcontinue%3Frequest%3Dr1" in response.text
    assert "/login/provider/corp?return_to=" in response.text


@pytest.mark.parametrize("error", ["login_required", "<script>", "x" * 999])
async def test_what_a_provider_calls_its_error_is_shown_to_nobody(visitor, corp, refused, error):
    response = await visitor.log_in(corp, code=None, error=error)
    refusal = refused(response, "provider_refused")
    assert error not in response.text
    assert error not in refusal.detail


async def test_a_provider_that_is_down_is_said_to_be_down_before_the_person_leaves(
    visitor, corp, refused, clock
):
    corp.is_down = True
    response = await visitor.get("/login/provider/corp?return_to=%2Faccount")
    refused(response, "provider_unavailable", status=503)
    assert response.headers["retry-after"] == "30"
    assert "Corp cannot be asked" in response.text
    corp.is_down = False
    clock.advance(11)
    assert (await visitor.log_in(corp)).status_code == 303


async def test_a_provider_that_goes_down_on_the_way_logs_nobody_in(visitor, corp, refused):
    answer = corp.authorize(await visitor.leave())
    corp.is_down = True
    refused(await visitor.come_back(answer), "provider_unavailable", status=503)


async def test_every_failed_check_reads_the_same(new_visitor, corp):
    pages = set()
    for says in ({"nonce": "another"}, {"aud": "another"}, {"exp": 1}):
        corp.says = says
        pages.add((await new_visitor().log_in(corp)).text)
    assert len(pages) == 1


async def test_nothing_of_what_was_issued_is_recorded(visitor, corp, events):
    corp.says = {"nonce": "another"}
    answer = corp.authorize(await visitor.leave())
    await visitor.come_back(answer)
    recorded = repr(events.recorded)
    for secret in (answer["code"], answer["state"], "at-1", corp.secret, "eyJ"):
        assert secret not in recorded


# -- how strongly, and when ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("says", "acr"),
    [
        ({}, ACR_PASSWORD),
        ({"amr": ["pwd"]}, ACR_PASSWORD),
        ({"amr": ["pwd", "otp"]}, ACR_MULTI_FACTOR),
        ({"amr": ["mfa"]}, ACR_MULTI_FACTOR),
        ({"amr": ["phr"]}, ACR_PHISHING_RESISTANT),
        ({"acr": "phrh"}, ACR_PHISHING_RESISTANT),
        ({"amr": "mfa"}, ACR_PASSWORD),
        ({"acr": ACR_PHISHING_RESISTANT}, ACR_PASSWORD),
    ],
)
async def test_what_a_believed_provider_says_of_the_log_in_counts(visitor, corp, events, says, acr):
    corp.says = says
    await visitor.log_in(corp)
    (logged_in,) = events.of(LoggedIn)
    assert logged_in.acr == acr


async def test_what_a_provider_says_that_is_not_believed_counts_for_nothing(visitor, club, events):
    club.says = {"amr": ["mfa", "hwk", "phr"], "acr": "phr"}
    await visitor.log_in(club, "club")
    (logged_in,) = events.of(LoggedIn)
    assert (logged_in.acr, logged_in.amr) == (ACR_PASSWORD, ())
