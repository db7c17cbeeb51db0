import pytest

from remit.guard.uri_template import find_resource
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


@pytest.mark.parametrize("value", ["7", "a-b_c~d", "x.y", "...", "%20", "caf%C3%A9", "a..b"])
def test_a_template_fits_one_expanded_value(value):
    assert found(f"crm://accounts/{value}", ACCOUNT) == ACCOUNT


@pytest.mark.parametrize(
    "value",
    [
        "", "a/b", "..", ".", "a?b", "a#b", "a b", "%2F", "%2f", "a%2Fb", "%5C", "%2e%2e", "%2E",
        "%252e", "%00", "%0a", "%1f", "%7f", "%C0%AF", "%c1%9c", "%", "%2", "%zz", "é", "a\n",
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
