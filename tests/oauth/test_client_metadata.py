"""What may be said of a client; the refusals are driven through registration and documents."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.canonical import canonical_bytes, parse_object
from remit.oauth.client import AuthMethod
from remit.oauth.client_metadata import (
    metadata_of_json,
    metadata_to_json,
    parse_document,
    parse_registration,
)
from remit.oauth.errors import InvalidClientMetadataError, OAuthError

MINIMAL = {"redirect_uris": ["https://app.example/cb"]}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = [
    "client_name", "redirect_uris", "grant_types", "response_types", "token_endpoint_auth_method",
    "application_type", "jwks", "jwks_uri", "client_uri", "logo_uri", "tos_uri", "policy_uri",
    "software_id", "software_version", "scope", "client_secret",
]  # fmt: skip


def taken(parse, document):
    """What was taken; `None` when it was refused in the standard's words."""
    try:
        return parse(document, schemes=())
    except OAuthError as refused:
        error = refused
    assert error.code in {"invalid_redirect_uri", "invalid_client_metadata"}
    assert error.detail.isprintable()
    return None


@given(st.dictionaries(st.sampled_from(NAMES), json_values))
def test_whatever_is_sent_is_taken_or_refused_in_the_standards_words(document):
    for parse in (parse_registration, parse_document):
        for sent in (document, MINIMAL | {"client_name": "App"} | document):
            metadata = taken(parse, sent)
            if metadata is None:
                continue
            kept = parse_object(canonical_bytes(metadata_to_json(metadata)))
            assert metadata_of_json(kept) == metadata
            assert kept.keys() <= set(NAMES)
            assert "client_secret" not in kept


@given(st.text(alphabet=string.printable + "éß漢🧾\u200d\u202e\u0000", max_size=30))
def test_a_name_that_is_taken_is_one_line_of_text(name):
    try:
        metadata = parse_registration(MINIMAL | {"client_name": name}, schemes=())
    except InvalidClientMetadataError:
        return
    assert not set(metadata.client_name) & set("\n\r\t\x00\u202e")
    assert metadata.client_name == metadata.client_name.strip()


def test_what_is_left_out_has_the_standards_default():
    metadata = parse_registration(MINIMAL, schemes=())
    assert metadata_to_json(metadata) == {
        "redirect_uris": ["https://app.example/cb"],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "application_type": "native",
    }


def test_null_and_empty_count_as_absent():
    absent = dict.fromkeys(("client_name", "client_uri", "jwks", "grant_types", "application_type"))
    empty = {"logo_uri": "", "token_endpoint_auth_method": "", "software_id": ""}
    assert parse_registration(MINIMAL | absent | empty, schemes=()) == parse_registration(
        MINIMAL, schemes=()
    )


def test_a_redirect_uri_that_is_named_twice_counts_once():
    metadata = parse_registration({"redirect_uris": MINIMAL["redirect_uris"] * 2}, schemes=())
    assert metadata.redirect_uris == ("https://app.example/cb",)


def test_a_document_is_public_where_a_registration_gets_a_secret():
    document = MINIMAL | {"client_name": "App"}
    assert parse_document(document, schemes=()).token_endpoint_auth_method is AuthMethod.NONE
    registered = parse_registration(document, schemes=()).token_endpoint_auth_method
    assert registered is AuthMethod.CLIENT_SECRET_BASIC


@pytest.mark.parametrize(
    "name",
    ["\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "क्\u200dष", "Kundenübersicht 🧾", "客户"],
)
def test_names_in_every_script_are_taken(name):
    assert parse_registration(MINIMAL | {"client_name": name}, schemes=()).client_name == name
