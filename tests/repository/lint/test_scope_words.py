import pytest

from remit.repository.lint.scope_words import (
    Effect,
    effect_of,
    is_conventional,
    placeholders_of,
    system_of,
)

ENVIRONMENTS = ("dev", "prod")


@pytest.mark.parametrize(
    ("scope", "effect"),
    [
        ("crm:accounts.read", Effect.READS),
        ("crm:customer.read.basic", Effect.READS),
        ("crm:accounts.write", Effect.CHANGES),
        ("payments:refunds.create", Effect.CHANGES),
        ("prod:payments.refund", Effect.CHANGES),
        ("tenant:read:{organization_id}", Effect.READS),
        ("crm:desk.use", Effect.UNKNOWN),
        ("read:desk.use", Effect.UNKNOWN),
        ("crm:reader.use", Effect.UNKNOWN),
        ("crm:read.delete", Effect.CHANGES),
    ],
)
def test_the_last_word_that_is_an_operation_says_what_a_scope_does(scope, effect):
    assert effect_of(scope) is effect


@pytest.mark.parametrize(
    ("scope", "system"),
    [
        ("crm:accounts.read", "crm"),
        ("prod:payments.refund", "payments"),
        ("prod:payments:invoices.read", "payments"),
        ("staging:payments.refund", "staging"),
        ("env:prod:execute", "env"),
        ("prod", "prod"),
    ],
)
def test_an_environment_in_front_is_told_from_a_system(scope, system):
    assert system_of(scope, ENVIRONMENTS) == system


@pytest.mark.parametrize("scope", ["crm:read", "crm:accounts:read", "tenant:read", "a:b:c:d"])
def test_a_name_without_resource_and_operation_is_not_conventional(scope):
    assert not is_conventional(scope)


@pytest.mark.parametrize(
    "scope", ["a:b.c", "tenant:read:{organization_id}", "env:prod:execute", "a:b.c.d", "x:y:z.w"]
)
def test_the_forms_of_the_convention_are(scope):
    assert is_conventional(scope)


def test_placeholders_are_the_claims_between_braces():
    assert placeholders_of("a:{x}.{y}") == {"x", "y"}
    assert placeholders_of("a:b") == frozenset()
