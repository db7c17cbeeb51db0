from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.guard.uri_template import MAX_URI, find_resource, keeps_values_apart
from remit.model import Operation, Resource, Sensitivity


def resource(uri):
    return Resource(
        uri=uri,
        is_template="{" in uri,
        operation=Operation.READ,
        scopes=(),
        sensitivity=Sensitivity.LOW,
    )


def found(uri, *declared):
    resource_ = find_resource([resource(one) for one in declared], uri)
    return resource_.uri if resource_ else None


ACCOUNT = "crm://accounts/{id}"


@pytest.mark.parametrize(
    "value", ["7", "a-b_c~d", "x.y", "...", "%20", "caf%C3%A9", "a..b", "%40%3A%2B"]
)
def test_a_template_fits_one_expanded_value(value):
    assert found(f"crm://accounts/{value}", ACCOUNT) == ACCOUNT


@pytest.mark.parametrize(
    "value",
    [
        "", "a/b", "..", ".", "a?b", "a#b", "a b", "%2F", "%2f", "a%2Fb", "%5C", "%2e%2e", "%2E",
        "%252e", "%00", "%0A", "%1F", "%7F", "%C0%AF", "%C1%9C", "%", "%2", "%zz", "é", "a\n",
        "{other}", "a@b", "a:b",
    ],
)  # fmt: skip
def test_a_value_that_could_mean_another_path_fits_nothing(value):
    assert found(f"crm://accounts/{value}", ACCOUNT) is None


def test_dots_before_more_path_are_refused_too():
    assert found("crm://accounts/../notes", "crm://accounts/{id}/notes") is None
    assert found("crm://accounts/7/notes", "crm://accounts/{id}/notes")


def test_an_exact_uri_comes_before_a_template():
    assert found("crm://accounts/me", ACCOUNT, "crm://accounts/me") == "crm://accounts/me"


def test_a_template_is_named_by_its_own_text():
    assert found(ACCOUNT, "crm://accounts/me", ACCOUNT) == ACCOUNT


def test_of_several_templates_the_one_with_most_literal_text_is_meant():
    assert found("crm://accounts/7", "crm://{kind}/{id}", ACCOUNT) == ACCOUNT


def test_what_is_special_in_a_pattern_is_literal_in_a_template():
    assert found("crm://aXb/7", "crm://a.b/{id}") is None
    assert found("crm://a.b/7", "crm://a.b/{id}") == "crm://a.b/{id}"


def test_another_spelling_of_an_exact_uri_is_another_uri():
    assert found("CRM://schema", "crm://schema") is None
    assert found("crm://schema/", "crm://schema") is None


@pytest.mark.parametrize("value", ["acc-1%3001", "%61cc", "%41", "%2D", "%5F", "%7E", "a%2db"])
def test_an_encoding_of_what_needs_none_is_another_spelling_and_fits_nothing(value):
    # A policy would compare `acc-1%3001`, and the server would read `acc-1001`.
    assert found(f"crm://accounts/{value}", ACCOUNT) is None


@pytest.mark.parametrize("value", ["%3a", "caf%c3%a9", "caf%C3%a9", "%C3%a9"])
def test_an_encoding_in_small_letters_is_another_spelling_and_fits_nothing(value):
    assert found(f"crm://accounts/{value}", ACCOUNT) is None


@pytest.mark.parametrize(
    "value",
    ["%C3", "%A9", "%C3%28", "%E0%80%AF", "%F0%80%80%AF", "%ED%A0%80", "%F4%90%80%80", "%FF"],
)
def test_bytes_that_are_no_text_fit_nothing(value):
    assert found(f"crm://accounts/{value}", ACCOUNT) is None


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_a_value_of_any_other_text_fits_in_its_one_spelling(text):
    cannot = text in {".", ".."} or any(one in "%/\\\x7f" or one < " " for one in text)
    fits = found(f"crm://accounts/{quote(text, safe='')}", ACCOUNT) is not None
    assert fits is not cannot


@given(st.from_regex(r"(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2}){1,12}", fullmatch=True))
def test_what_fits_is_spelt_as_its_reader_would_spell_it(value):
    if found(f"crm://accounts/{value}", ACCOUNT) is not None:
        assert quote(unquote(value, errors="strict"), safe="") == value


def test_a_uri_that_is_too_long_fits_no_template_but_may_be_declared():
    longest = "crm://accounts/" + "7" * (MAX_URI - len("crm://accounts/"))
    assert found(longest, ACCOUNT) == ACCOUNT
    assert found(longest + "7", ACCOUNT) is None
    assert found(longest + "7", ACCOUNT, longest + "7") == longest + "7"


@pytest.mark.parametrize(
    "template", ["lax://{region}/{name}", "lax://{region}-/-{name}", "lax://{a}:{b}:{c}:{d}:{e}"]
)
def test_the_longest_uri_that_fits_nothing_is_told_before_long(template):
    """Trying every way to read it would take years, and the suite's patience ends after two minutes."""
    assert keeps_values_apart(template)
    for uri in (
        "lax://" + "-" * 2_000 + "!",
        "lax://" + "-/" * 1_000 + "!",
        "lax://" + "-:" * 1_000,
    ):
        assert found(uri, template) is None


@pytest.mark.parametrize(
    ("template", "apart"),
    [
        ("crm://handbook", True),
        ("crm://{a}", True),
        ("crm://{a}/{b}", True),
        ("crm://x-{a}.json", True),
        ("crm://{a}-x/{b}", True),
        ("crm://{a}@{b}:{c}", True),
        ("crm://{a}{b}", False),
        ("crm://{a}-{b}", False),
        ("crm://{a}.json{b}", False),
        ("crm://{a}%20{b}", False),
        ("crm://{a}/{b}-{c}", False),
    ],
)
def test_values_are_kept_apart_by_what_no_value_may_hold(template, apart):
    assert keeps_values_apart(template) is apart
